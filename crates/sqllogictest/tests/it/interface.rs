//! Single calls, and where this crate differs from the original.

use std::fs;

use sqllogictest::{
    Condition, Connection, DB, DBOutput, DefaultColumnType, Injected, MakeConnection, Normalizer,
    ParseErrorKind, Record, Runner, TestErrorKind, default_normalizer, default_validator, parse, parse_file,
    strict_column_validator,
};

/// Answers each SQL with itself.
struct Echo;

impl DB for Echo {
    type Error = std::io::Error;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, std::io::Error> {
        if let Some(error) = sql.strip_prefix("error ") {
            return Err(std::io::Error::other(error.to_owned()));
        }
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Text], rows: vec![vec![sql.to_owned()]] })
    }

    fn engine_name(&self) -> &str {
        "echo"
    }
}

fn runner() -> Runner<Echo, impl MakeConnection<Conn = Echo>> {
    Runner::new(async || Ok(Echo))
}

fn records(script: &str) -> Vec<Record<DefaultColumnType>> {
    parse(script).unwrap()
}

/// Asserts that a script is read as it was written.
fn assert_kept(script: &str) {
    let text: String = records(script).iter().map(|record| format!("{record}\n")).collect();
    assert_eq!(text, script);
    assert_eq!(records(&text), records(script));
}

#[test]
fn a_text_that_is_no_script_is_an_error() {
    let error = runner().run_script("statement ok\nX\n\nbad line\n").unwrap_err();
    assert!(
        matches!(error.kind(), TestErrorKind::ParseError(ParseErrorKind::InvalidLine(line)) if line == "bad line")
    );
    assert_eq!((error.location().file(), error.location().line()), ("<unknown>", 4));
    let error = runner().run_script_with_name("bad line\n", "script").unwrap_err();
    assert_eq!(error.to_string(), "parse error: invalid line: \"bad line\"\nat script:1\n");
}

#[test]
fn a_file_that_cannot_be_read_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let kind_of =
        |name: &str| parse_file::<DefaultColumnType>(directory.path().join(name)).unwrap_err().kind();
    assert_eq!(kind_of("missing.slt"), ParseErrorKind::FileNotFound);
    fs::write(directory.path().join("binary.slt"), b"statement ok\n\xff\n").unwrap();
    assert!(matches!(kind_of("binary.slt"), ParseErrorKind::UnreadableFile(_)));
    assert!(matches!(kind_of("."), ParseErrorKind::UnreadableFile(_)));
}

#[test]
fn a_file_that_includes_itself_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.slt"), "include b.slt\n").unwrap();
    fs::write(directory.path().join("b.slt"), "statement ok\nX\n\ninclude ./a.slt\n").unwrap();
    let error = parse_file::<DefaultColumnType>(directory.path().join("a.slt")).unwrap_err();
    assert!(matches!(error.kind(), ParseErrorKind::IncludeCycle(_)), "{error}");
    assert_eq!(error.location().line(), 4);
    // The same file twice is no cycle.
    fs::write(directory.path().join("b.slt"), "statement ok\nX\n").unwrap();
    fs::write(directory.path().join("a.slt"), "include b.slt\n\ninclude b.slt\n").unwrap();
    let records = parse_file::<DefaultColumnType>(directory.path().join("a.slt")).unwrap();
    let begins =
        records.iter().filter(|record| matches!(record, Record::Injected(Injected::BeginInclude(_))));
    assert_eq!(begins.count(), 2);
}

#[test]
fn records_can_be_read_again() {
    assert_kept(
        "statement ok retry 3 backoff 1s500ms\nX\n\nquery I rowsort label retry 2 backoff 1h1m\nX\n----\n1\n\n",
    );
    assert_kept("system ok retry 2 backoff 1m\necho a\n----\na\n\n\nsleep 1ms2us3ns\n");
    assert_kept("connection default\nstatement error\nX\n----\na\n\nb\n\n\nlet a, b\nX\n\n");
    assert_kept(
        "# a\n#b\n\nskipif a\nonlyif b\nquery error (42P01)\nX\n\nhash-threshold 7\ncontrol resultmode rowwise\n",
    );
}

#[test]
fn an_injected_record_has_no_text() {
    let record = Record::<DefaultColumnType>::Injected(Injected::BeginInclude("a".to_owned()));
    let mut text = Vec::new();
    assert_eq!(record.unparse(&mut text).unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    assert!(text.is_empty());
}

#[test]
fn records_hold_their_conditions_and_connection() {
    let records = records("skipif a\n\nconnection b\nonlyif c\nquery T\nX\n----\nX\n");
    let Some(Record::Query { conditions, connection, loc, .. }) = records.last() else {
        panic!("{records:#?}")
    };
    assert_eq!(
        *conditions,
        [Condition::SkipIf { label: "a".to_owned() }, Condition::OnlyIf { label: "c".to_owned() }]
    );
    assert_eq!((connection, loc.line()), (&Connection::Named("b".to_owned()), 5));
}

#[test]
fn validators_and_normalizers_are_used() {
    #[expect(clippy::ptr_arg, reason = "the type is `Normalizer`")]
    fn first_letter(value: &String) -> String {
        value.chars().take(1).collect()
    }
    fn by_length(normalizer: Normalizer, actual: &[Vec<String>], expected: &[String]) -> bool {
        actual.iter().flatten().map(|value| normalizer(value).len()).eq(expected.iter().map(String::len))
    }
    let script = "query I\nabc\n----\na--\n";
    assert!(runner().run_script(script).is_err());

    let mut normalized = runner();
    normalized.with_normalizer(first_letter);
    assert!(normalized.run_script(script).is_ok());
    assert!(normalized.run_script("query I\nabc\n----\nb\n").is_err());

    let mut validated = runner();
    validated.with_validator(by_length);
    assert!(validated.run_script(script).is_ok());
    assert!(validated.run_script("query I\nabc\n----\na-\n").is_err());

    let mut typed = runner();
    typed.with_column_validator(strict_column_validator);
    let error = typed.run_script("query I\nabc\n----\nabc\n").unwrap_err();
    assert!(matches!(error.kind(), TestErrorKind::QueryResultColumnsMismatch { expected, actual, .. }
        if expected == "I" && actual == "T"));
}

#[test]
fn variables_of_the_environment_and_of_the_runner_are_known() {
    let mut runner = runner();
    let script = "control substitution on\n\nquery T\n$CARGO_PKG_NAME $own\n----\nsqllogictest 1\n\n\
                  system ok\ntest -d $__TEST_DIR__ && touch $__TEST_DIR__/a && test $__NOW__ -gt 1600000000000000000\n\n\
                  let directory\n$__TEST_DIR__\n\nsystem ok\ntest -f $directory/a\n";
    runner.set_var("own".to_owned(), "1".to_owned());
    runner.run_script(script).unwrap();
    let outside = runner.run_script("control substitution on\n\nquery T\n$no_such_variable\n----\n1\n");
    assert!(outside.unwrap_err().to_string().contains("substitution failed"));
}

#[test]
fn an_empty_file_is_updated_to_an_empty_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("empty.slt");
    fs::write(&path, "").unwrap();
    update(&path);
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn an_update_makes_the_file_pass() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file.slt");
    let wrong = "statement error\nX\n\nquery I rowsort\nabc\n----\nb\n\nstatement ok retry 2 backoff 1ms\nerror a b\n\n\
                 query error z\nerror a  b\n\nsystem ok\nfalse\n----\na\n\n\nstatement count 2\nX\n";
    fs::write(&path, wrong).unwrap();
    update(&path);
    let updated = fs::read_to_string(&path).unwrap();
    assert_eq!(
        updated,
        "statement error\nX\n\nquery I rowsort\nabc\n----\nabc\n\n\
         statement error retry 2 backoff 1ms\nerror a b\n----\na b\n\n\n\
         query error\nerror a  b\n----\na  b\n\n\nsystem ok\nfalse\n----\na\n\n\nstatement count 1\nX\n"
    );
    let passing = updated.replace("statement error\nX", "statement ok\nX").replace("false", "echo a");
    runner().run_script(&passing).unwrap();
    fs::write(&path, &passing).unwrap();
    update(&path);
    assert_eq!(fs::read_to_string(&path).unwrap(), passing);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

fn update(path: &std::path::Path) {
    let types = sqllogictest::default_column_validator;
    futures_executor::block_on(runner().update_test_file(
        path,
        " ",
        default_validator,
        default_normalizer,
        types,
    ))
    .unwrap();
}
