// What programs do with the interface, as text. Included once for each crate, as `slt`.

use slt::{
    ColumnType, ExpectedError, LetError, Normalizer, ParseErrorKind, RecordKind, RecordOutput, TestErrorKind,
    default_column_validator, default_normalizer, default_validator, parse, parse_file, parse_with_name,
    strict_column_validator, update_record_with_output,
};

type AnyError = Arc<dyn std::error::Error + Send + Sync>;
type Output = RecordOutput<DefaultColumnType>;

fn error(text: &str) -> AnyError {
    Arc::new(ScriptedError(text.to_owned()))
}

/// Returns a kind with its fields. The texts of substitution errors are the crate's own.
fn describe(kind: &TestErrorKind) -> String {
    let text = |error: &dyn Display| {
        let text = error.to_string();
        let end = text.find("substitution failed").map_or(text.len(), |at| at + "substitution failed".len());
        text[..end].to_owned()
    };
    match kind {
        TestErrorKind::ParseError(kind) => format!("ParseError {kind:?}"),
        TestErrorKind::Ok { sql, kind } => format!("Ok {sql:?} {kind}"),
        TestErrorKind::Fail { sql, err, kind } => format!("Fail {sql:?} {} {kind}", text(err)),
        TestErrorKind::SystemFail { command, err } => format!("SystemFail {command:?} {}", text(err)),
        TestErrorKind::SystemStdoutMismatch { command, expected_stdout, actual_stdout } => {
            format!("SystemStdoutMismatch {command:?} {expected_stdout:?} {actual_stdout:?}")
        }
        TestErrorKind::ErrorMismatch { sql, err, expected_err, kind, actual_sqlstate } => {
            format!("ErrorMismatch {sql:?} {} {expected_err:?} {kind} {actual_sqlstate:?}", text(err))
        }
        TestErrorKind::StatementResultMismatch { sql, expected, actual } => {
            format!("StatementResultMismatch {sql:?} {expected} {actual:?}")
        }
        TestErrorKind::QueryResultMismatch { sql, expected, actual } => {
            format!("QueryResultMismatch {sql:?} {expected:?} {actual:?}")
        }
        TestErrorKind::QueryResultColumnsMismatch { sql, expected, actual } => {
            format!("QueryResultColumnsMismatch {sql:?} {expected:?} {actual:?}")
        }
        TestErrorKind::LetFail { sql, err } => format!("LetFail {sql:?} {}", text(err)),
        _ => unreachable!("an unknown kind of error"),
    }
}

/// Runs a script, and returns its result and what the connections did.
pub fn run(script: &str) -> String {
    let (mut runner, log) = runner();
    runner.add_label("label");
    runner.set_var("SET".to_owned(), "value".to_owned());
    // The original panics when it runs a script that it cannot parse.
    let result = match parse_with_name::<DefaultColumnType>(script, "script.slt") {
        Err(error) => format!("cannot be parsed: {}", error.location()),
        Ok(records) => match runner.run_multi(records) {
            Ok(()) => "passes".to_owned(),
            Err(error) => {
                let location = error.location();
                format!("fails at {}:{}: {}", location.file(), location.line(), describe(&error.kind()))
            }
        },
    };
    format!("{result}\n{:?}", log.take())
}

/// Runs the records of a script one by one, with strict column types, and returns their outputs.
pub fn outputs(script: &str) -> String {
    let (mut runner, _) = runner();
    runner.with_column_validator(strict_column_validator);
    let records = parse_with_name::<DefaultColumnType>(script, "script.slt").unwrap();
    let outputs = records.into_iter().map(|record| match runner.run(record) {
        Ok(output) => format!("{output:?}"),
        Err(error) => describe(&error.kind()),
    });
    outputs.collect::<Vec<_>>().join("\n")
}

/// Parses a script, and returns its records with their texts, or the error.
pub fn parsed(script: &str) -> String {
    match parse_with_name::<DefaultColumnType>(script, "script.slt") {
        Ok(records) => {
            let texts = records.iter().map(|record| format!("{record:?}\n   {:?}", record.to_string()));
            texts.collect::<Vec<_>>().join("\n")
        }
        // The words in which a line is wrong are the crate's own.
        Err(error) => {
            let kind = format!("{:?}", error.kind());
            format!("{} {}", error.location(), kind.split('(').next().unwrap())
        }
    }
}

/// Parses a script, and returns its records, or the line of the error.
pub fn records(script: &str) -> String {
    match parse::<DefaultColumnType>(script) {
        Ok(records) => format!("{records:#?}"),
        Err(error) => error.location().to_string(),
    }
}

/// Returns the updated records of a script for outputs of all kinds.
pub fn updated(script: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for record in parse::<DefaultColumnType>(script).unwrap() {
        for output in some_outputs() {
            for column_validator in [default_column_validator, strict_column_validator] {
                let updated = update_record_with_output(
                    &record,
                    &output,
                    "|",
                    default_validator,
                    default_normalizer,
                    column_validator,
                );
                let text = updated.map(|record| record.to_string());
                lines.push(format!("{script:?} with {output:?}: {text:?}"));
            }
        }
    }
    lines
}

fn some_outputs() -> Vec<Output> {
    let rows = |letter: DefaultColumnType, text: &str| Output::Query {
        types: vec![letter; rows(text).first().map_or(0, Vec::len)],
        rows: rows(text),
        error: None,
    };
    let query_error = |text: &str| Output::Query { types: vec![], rows: vec![], error: Some(error(text)) };
    vec![
        Output::Nothing,
        Output::Statement { count: 0, error: None },
        Output::Statement { count: 3, error: None },
        Output::Statement { count: 0, error: Some(error("foo bar")) },
        Output::Statement { count: 0, error: Some(error("a\nb")) },
        rows(DefaultColumnType::Integer, "1"),
        rows(DefaultColumnType::Text, "a  b,2/,4"),
        rows(DefaultColumnType::Text, ""),
        query_error("foo bar"),
        query_error("a\nb"),
    ]
}

/// Returns all errors as text, without and with colours.
pub fn error_texts() -> Vec<String> {
    let parse_errors = [
        ParseErrorKind::UnexpectedToken("a".to_owned()),
        ParseErrorKind::UnexpectedEOF,
        ParseErrorKind::InvalidSortMode("a".to_owned()),
        ParseErrorKind::InvalidLine("a".to_owned()),
        ParseErrorKind::InvalidType('a'),
        ParseErrorKind::InvalidNumber("a".to_owned()),
        ParseErrorKind::InvalidErrorMessage("a".to_owned()),
        ParseErrorKind::DuplicatedErrorMessage,
        ParseErrorKind::InvalidRetryConfig("a".to_owned()),
        ParseErrorKind::StatementHasResults,
        ParseErrorKind::InvalidDuration("a".to_owned()),
        ParseErrorKind::InvalidControl("a".to_owned()),
        ParseErrorKind::InvalidIncludeFile("a".to_owned()),
        ParseErrorKind::EmptyIncludeFile("a".to_owned()),
        ParseErrorKind::FileNotFound,
        ParseErrorKind::InvalidVariableName("a".to_owned()),
    ];
    let (sql, command, err) = ("SELECT\n1".to_owned(), "exit 1".to_owned(), error("one\ntwo"));
    let mismatch = |expected: &str, actual: &str| TestErrorKind::QueryResultMismatch {
        sql: sql.clone(),
        expected: expected.to_owned(),
        actual: actual.to_owned(),
    };
    let columns = |expected: &str, actual: &str| TestErrorKind::QueryResultColumnsMismatch {
        sql: sql.clone(),
        expected: expected.to_owned(),
        actual: actual.to_owned(),
    };
    let error_mismatch = |actual_sqlstate: Option<&str>| TestErrorKind::ErrorMismatch {
        sql: sql.clone(),
        err: err.clone(),
        expected_err: "(regex) z".to_owned(),
        kind: RecordKind::Query,
        actual_sqlstate: actual_sqlstate.map(str::to_owned),
    };
    let stdout = ("a\nb\nc\n".to_owned(), "a\nc\n".to_owned());
    let let_fail = |err: LetError| TestErrorKind::LetFail { sql: sql.clone(), err };
    let mut kinds: Vec<_> = parse_errors.into_iter().map(TestErrorKind::ParseError).collect();
    kinds.extend([
        TestErrorKind::Ok { sql: sql.clone(), kind: RecordKind::Statement },
        TestErrorKind::Fail { sql: sql.clone(), err: err.clone(), kind: RecordKind::Query },
        TestErrorKind::SystemFail { command: command.clone(), err: err.clone() },
        TestErrorKind::SystemStdoutMismatch { command, expected_stdout: stdout.0, actual_stdout: stdout.1 },
        error_mismatch(None),
        error_mismatch(Some("42P01")),
        TestErrorKind::StatementResultMismatch {
            sql: sql.clone(),
            expected: 3,
            actual: "x 4 rows".to_owned(),
        },
        mismatch("1 2\n3 4", "1 2\n3 5"),
        mismatch("", "1"),
        mismatch("a\nb\nc\n", "a\nc\nd\n"),
        columns("IT", "TI"),
        columns("", "I"),
        columns("TTRII", "II"),
        let_fail(LetError::Fail(err.clone())),
        let_fail(LetError::RowCountMismatch { actual: 2 }),
        let_fail(LetError::ColumnCountMismatch { expected: 1, actual: 2 }),
    ]);
    kinds.iter().flat_map(|kind| [kind.to_string(), kind.display(true).to_string()]).collect()
}

/// Returns the verdicts of expected errors, and the expectations made of errors.
pub fn expected_errors() -> Vec<String> {
    let references = || {
        [
            None,
            Some(ExpectedError::Empty),
            Some(ExpectedError::Inline(regex::Regex::new("z").unwrap())),
            Some(ExpectedError::Multiline("z\nz".to_owned())),
            Some(ExpectedError::SqlState("42P01".to_owned())),
        ]
    };
    let mut lines = Vec::new();
    let texts = [
        "",
        "simple",
        "with. dots (x)",
        "two\nlines",
        "z",
        " z\nz ",
        "z\n z",
        "(42P01)",
        "a|b [c] {d} #e $ \\",
        "a  b",
    ];
    for text in texts {
        for reference in references() {
            let verdicts = reference.as_ref().map(|expected| {
                [None, Some("42P01"), Some("42p01")].map(|state| expected.is_match(text, state))
            });
            let made = ExpectedError::from_actual_error(reference.as_ref(), text);
            lines.push(format!("{text:?} {reference:?} {verdicts:?} {made:?} {made}"));
        }
    }
    lines
}

/// Returns the verdicts of the default comparisons.
pub fn comparisons() -> Vec<String> {
    #[expect(clippy::ptr_arg, reason = "the type is `Normalizer`")]
    fn upper(value: &String) -> String {
        value.to_uppercase()
    }
    let cases: &[(&str, &[&str])] = &[
        ("a,b", &["a b"]),
        ("a,b", &["a", "b"]),
        ("a b", &["a b"]),
        (" a ,  b", &["a    b "]),
        ("", &[]),
        ("", &[""]),
        (",a", &["a"]),
        (",a", &[" a"]),
        ("a,", &["a"]),
        ("A,b", &["a B"]),
        ("xx foo 1 bar yy", &["foo <slt:ignore> bar"]),
        ("a/b/c", &["a", "<slt:ignore>", "c"]),
        ("a/b/c", &["a", "<slt:ignore>"]),
        ("a/b", &["b<slt:ignore>a"]),
        ("a  b", &["a b<slt:ignore>"]),
        ("a,b/c,d", &["b", "c<slt:ignore>"]),
        ("", &["<slt:ignore>"]),
        ("a", &["<slt:ignore>a<slt:ignore>a"]),
        ("aa", &["<slt:ignore>a<slt:ignore>a"]),
        ("a", &["A<slt:ignore>"]),
    ];
    let mut lines = Vec::new();
    for (actual, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|&line| line.to_owned()).collect();
        let verdicts = [default_normalizer as Normalizer, upper]
            .map(|normalizer| default_validator(normalizer, &rows(actual), &expected));
        lines.push(format!("{actual:?} {expected:?} {verdicts:?}"));
    }
    for value in ["a  b", " a\tb\n c ", "", "  ", "a\u{a0} b", "\u{a0}a\u{b}", "a\u{b}b", "a\u{c}b"] {
        lines.push(format!("{value:?} {:?}", default_normalizer(&value.to_owned())));
    }
    for letter in "TIRti?xB".chars() {
        let column = DefaultColumnType::from_char(letter);
        lines.push(format!("{letter} {column:?} {:?}", column.as_ref().map(ColumnType::to_char)));
    }
    lines
}

/// Returns the records of a file and of those that it includes, and the result of running it.
pub fn file(directory: &std::path::Path, name: &str) -> String {
    let path = directory.join(name);
    let records = match parse_file::<DefaultColumnType>(&path) {
        Ok(records) => records.iter().map(|record| format!("{record:?}")).collect::<Vec<_>>().join("\n"),
        Err(error) => error.to_string(),
    };
    let (mut runner, log) = runner();
    let result = runner.run_file(&path).map_err(|error| error.to_string());
    format!("{records}\n{result:?}\n{:?}", log.take())
}

/// Updates a file, and returns the result and what the connections did.
pub fn update_file(path: &std::path::Path) -> String {
    let (mut runner, log) = runner();
    let updated = futures_executor::block_on(runner.update_test_file(
        path,
        " ",
        default_validator,
        default_normalizer,
        strict_column_validator,
    ));
    format!("{:?}\n{:?}", updated.map_err(|error| error.to_string()), log.take())
}
