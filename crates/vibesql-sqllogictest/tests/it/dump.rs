//! All results for other programs: what is written as SQL, CSV or JSON is read back as it was.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use serde_json::Value as Json;
use vibesql_sqllogictest::engine::{Flow, RowSink, Session};
use vibesql_sqllogictest::engines;
use vibesql_sqllogictest::results::ResultsFolder;
use vibesql_sqllogictest::results::ask::views::VIEWS;
use vibesql_sqllogictest::results::store::dump::{Dump, DumpSyntax, csv};
use vibesql_sqllogictest::results::store::schema::{ColumnType, SLOW_RECORDS, TABLES, TableSchema, VERSION};
use vibesql_sqllogictest::results::store::{Cell, HistoryWindow, LoadedTable, Store, WantedColumns};
use vibesql_sqllogictest::value::{Column, ValueRef};

use crate::histories::runs;
use crate::sandbox::{Output, Sandbox};
use crate::support::session;

const GOOD: &str = "query I nosort\nSELECT 1\n----\n1\n";
const HOSTILE: &str =
    "query T nosort\nSELECT 'it''s \\ \"quoted\",\n-- no comment;\n 😀 \u{202e}אב'\n----\n1\n";

pub(crate) type Rows = Vec<Vec<Cell>>;

/// Takes rows as cells.
#[derive(Default)]
pub(crate) struct Taken(pub(crate) Rows);

impl RowSink for Taken {
    fn columns(&mut self, _: &[Column<'_>]) -> Flow {
        Flow::Continue
    }

    fn row(&mut self, values: &[ValueRef<'_>]) -> Flow {
        let cell = |value: &ValueRef<'_>| match *value {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(number) => Cell::Integer(number),
            ValueRef::Real(number) => Cell::Real(number),
            ValueRef::Text(text) => Cell::text(std::str::from_utf8(text).unwrap()),
            value => panic!("{value:?}"),
        };
        self.0.push(values.iter().map(cell).collect());
        Flow::Continue
    }

    fn done(&mut self, _: Option<u64>) -> Flow {
        Flow::Continue
    }
}

fn rows_of(session: &mut dyn Session, table: &TableSchema) -> Rows {
    let mut taken = Taken::default();
    session.execute(format!("SELECT * FROM {}", table.name).as_bytes(), &mut taken).unwrap();
    taken.0
}

fn document(form: DumpSyntax, tables: &[LoadedTable]) -> String {
    let mut out = Vec::new();
    let mut dump = Dump::new(form, "program 1.0", &mut out).unwrap();
    tables.iter().for_each(|table| dump.table(table).unwrap());
    dump.end().unwrap();
    String::from_utf8(out).unwrap()
}

fn is_read_back_from_sql(sql: &str, tables: &[LoadedTable]) {
    for engine in ["sqlite", "vibesql"] {
        let engine = engines::builtin().make(engine).unwrap();
        let mut session = session(engine.as_ref());
        session.execute(sql.as_bytes(), &mut Taken::default()).unwrap();
        for LoadedTable { wanted, rows } in tables {
            let name = engine.describe().unwrap().name;
            assert_eq!(
                &rows_of(session.as_mut(), wanted.table),
                rows,
                "{name}: {}\n{sql}",
                wanted.table.name
            );
        }
    }
    // Whoever reads it line by line finds whole statements.
    let ends = |line: &str| line.starts_with("-- ") || line.ends_with(';');
    assert!(!sql.contains(['\r', '\0']) && sql.split_terminator('\n').all(ends), "{sql}");
}

fn is_read_back_from_json(text: &str, tables: &[LoadedTable]) {
    let document: Json = serde_json::from_str(text).unwrap();
    assert_eq!(document["schema"], VERSION);
    assert_eq!(document["tables"].as_object().unwrap().len(), tables.len());
    for LoadedTable { wanted, rows } in tables {
        let expected: Vec<Json> = rows
            .iter()
            .map(|row| {
                let named = wanted.columns.iter().zip(row).map(|(column, cell)| {
                    let value = match cell {
                        Cell::Null => Json::Null,
                        Cell::Integer(number) => (*number).into(),
                        // This reader takes a neighbour of some numbers.
                        Cell::Real(number) => {
                            let written = format!("{number:?}");
                            assert!(text.contains(&format!("\"{}\":{written}", column.name)), "{written}");
                            serde_json::from_str(&written).unwrap()
                        }
                        Cell::Text(text) => (**text).into(),
                        Cell::Blob(_) => panic!("no blobs here"),
                    };
                    (column.name.to_owned(), value)
                });
                Json::Object(named.collect())
            })
            .collect();
        assert_eq!(document["tables"][wanted.table.name].as_array().unwrap(), &expected);
    }
}

/// The fields of RFC 4180; nothing for a field without a character and without quotes.
fn fields(text: &str) -> Vec<Vec<Option<String>>> {
    let (mut rows, mut row, mut rest) = (Vec::new(), Vec::new(), text);
    while !rest.is_empty() {
        let field = if let Some(quoted) = rest.strip_prefix('"') {
            let (mut field, mut at) = (String::new(), quoted);
            loop {
                let (part, behind) = at.split_once('"').unwrap();
                field += part;
                let Some(more) = behind.strip_prefix('"') else {
                    rest = behind;
                    break Some(field);
                };
                field.push('"');
                at = more;
            }
        } else {
            let (field, behind) = rest.split_at(rest.find([',', '\r']).unwrap());
            rest = behind;
            Some(field.to_owned()).filter(|field| !field.is_empty())
        };
        row.push(field);
        if let Some(next) = rest.strip_prefix(',') {
            rest = next;
        } else {
            rest = rest.strip_prefix("\r\n").unwrap();
            rows.push(std::mem::take(&mut row));
        }
    }
    rows
}

fn is_read_back_from_csv(text: &str, LoadedTable { wanted, rows }: &LoadedTable) {
    let mut found = fields(text);
    let names: Vec<_> = found.remove(0).into_iter().map(Option::unwrap).collect();
    assert_eq!(names, wanted.columns.iter().map(|column| column.name).collect::<Vec<_>>());
    let cell = |(field, kind): (Option<String>, ColumnType)| match (field, kind) {
        (None, _) => Cell::Null,
        (Some(field), ColumnType::Integer) => Cell::Integer(field.parse().unwrap()),
        (Some(field), ColumnType::Real) => Cell::Real(field.parse().unwrap()),
        (Some(field), ColumnType::Text) => Cell::text(field),
    };
    let kinds = || wanted.columns.iter().map(|column| column.kind);
    let found: Rows = found.into_iter().map(|row| row.into_iter().zip(kinds()).map(cell).collect()).collect();
    assert_eq!(&found, rows);
}

fn any_cell(kind: ColumnType) -> BoxedStrategy<Cell> {
    let text = prop_oneof![
        "[\\\\nr01'\"\n\r\0,;-]{0,12}",
        "(-- |\n|\\\\'|''|😀|\u{202e}|אב|\\PC){0,8}",
        any::<String>(),
    ];
    // SQLite has no negative zero in tables.
    let number =
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| number + 0.0);
    let cell = match kind {
        ColumnType::Integer => {
            prop_oneof![Just(i64::MIN), Just(i64::MAX), any::<i64>()].prop_map(Cell::Integer).boxed()
        }
        ColumnType::Real => prop_oneof![number, (0_u32..10_000_000).prop_map(|us| f64::from(us) / 1000.0)]
            .prop_map(Cell::Real)
            .boxed(),
        ColumnType::Text => text.prop_map(Cell::text).boxed(),
    };
    prop_oneof![1 => Just(Cell::Null), 4 => cell].boxed()
}

fn any_table(table: &'static TableSchema) -> impl Strategy<Value = LoadedTable> {
    let row: Vec<_> = table.columns.iter().map(|column| any_cell(column.kind)).collect();
    prop::collection::vec(row, 0..3)
        .prop_map(move |rows| LoadedTable { wanted: WantedColumns::all(table), rows })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_written_is_read_back(tables in TABLES.map(any_table)) {
        is_read_back_from_sql(&document(DumpSyntax::Sql, &tables), &tables);
        is_read_back_from_json(&document(DumpSyntax::Json, &tables), &tables);
        for table in &tables {
            let mut text = Vec::new();
            csv(&mut text, table).unwrap();
            is_read_back_from_csv(std::str::from_utf8(&text).unwrap(), table);
        }
    }
}

#[test]
fn many_rows_and_long_texts() {
    let row = |number: i64| {
        let lines = "x\r\n\\n\0".repeat(if number == 7 { 20_000 } else { 1 });
        let duration = number as f64 / 3.0;
        vec![number.into(), "f".into(), number.into(), duration.into(), lines.as_str().into(), "s:f".into()]
    };
    let loaded = LoadedTable { wanted: WantedColumns::all(&SLOW_RECORDS), rows: (0..321).map(row).collect() };
    let sql = document(DumpSyntax::Sql, std::slice::from_ref(&loaded));
    assert_eq!(sql.lines().filter(|line| line.starts_with("INSERT INTO slow_records VALUES ")).count(), 7);
    is_read_back_from_sql(&sql, &[loaded]);
}

#[test]
fn a_text_is_a_literal_of_one_line() {
    let mut row = vec![Cell::Null; 4];
    row.extend(["it's\na\\n\r".into(), Cell::Null]);
    let loaded = LoadedTable { wanted: WantedColumns::all(&SLOW_RECORDS), rows: vec![row] };
    assert_eq!(
        document(DumpSyntax::Sql, &[loaded]),
        format!("-- program 1.0, schema {VERSION}\nBEGIN;\n-- slow_records: rows: 1\n")
            + "CREATE TABLE slow_records (run_id INTEGER, file_path TEXT, line INTEGER, duration_ms REAL, sql TEXT, file_id TEXT);\n\
        INSERT INTO slow_records VALUES \
        (NULL,NULL,NULL,NULL,replace(replace('it''s\\n1a\\n\\r','\\n1',char(10)),'\\r',char(13)),NULL);\nCOMMIT;\n"
    );
}

/// Two runs, with failures and texts.
fn with_runs() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/it's/a.test", GOOD);
    sandbox.write("s/b.test", HOSTILE);
    for _ in 0..2 {
        sandbox.run("run --engine sqlite --quiet s");
    }
    sandbox
}

/// What the store of the sandbox has.
fn kept(sandbox: &Sandbox) -> Vec<LoadedTable> {
    let store = Store::new(&ResultsFolder::new(Path::new(sandbox.home()).join(".vibesql/test_results")));
    let wanted = TABLES.map(WantedColumns::all);
    store.load(&store.pin().unwrap(), &wanted, HistoryWindow::All, None).unwrap().tables
}

fn entries(sandbox: &Sandbox, path: &str) -> Vec<String> {
    let entries = std::fs::read_dir(sandbox.path().join(path)).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn all_results_are_exported() {
    let sandbox = with_runs();
    let output = sandbox.run("store export --format sql");
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{output}");
    let (rows, size) = output.stdout.trim_end().rsplit_once('\n').unwrap();
    let kept = kept(&sandbox);
    let rows: BTreeMap<_, _> = rows.lines().map(|line| line.split_once(' ').unwrap()).collect();
    assert_eq!(rows.len(), TABLES.len(), "{output}");
    assert_eq!((rows["test_runs"].trim(), rows["test_results"].trim()), ("2 rows", "4 rows"), "{output}");
    assert_eq!(rows["record_failures"].trim(), "1 row", "{output}");
    assert!(size.starts_with("results.sql, "), "{output}");
    let sql = sandbox.read("results.sql");
    let program = concat!("-- vibesql-sqllogictest ", env!("CARGO_PKG_VERSION"));
    assert!(sql.starts_with(&format!("{program}, schema {VERSION}\n")));
    assert!(sql.contains("\n-- test_results: rows: 4\n"), "{sql}");
    is_read_back_from_sql(&sql, &kept);

    assert_eq!(sql.matches("\nCREATE VIEW ").count(), VIEWS.len(), "{sql}");

    let output = sandbox.run("store export --format json --output some.json");
    assert!(output.stdout.contains("some.json, "), "{output}");
    is_read_back_from_json(&sandbox.read("some.json"), &kept);
    assert_eq!(sandbox.run("store export --format json --output -").stdout, sandbox.read("some.json"));
    assert_eq!(sandbox.run("store export --format sql --output -").stdout, sql);

    let output = sandbox.run("store export --format csv");
    assert!(output.stdout.contains("\nresults-csv, "), "{output}");
    for loaded in &kept {
        is_read_back_from_csv(
            &sandbox.read(&format!("results-csv/{}.csv", loaded.wanted.table.name)),
            loaded,
        );
    }
    assert_eq!(entries(&sandbox, "."), ["results-csv", "results.sql", "s", "some.json"]);
}

#[test]
fn exported_views_answer_as_query_does() {
    let sandbox = Sandbox::new();
    let results = sandbox.path().join("results");
    runs(5, 6, 12).iter().for_each(|run| run.write(&results));
    let sql = sandbox.run("--results results store export --format sql --output -").stdout;
    // Where the engines disagree, `query` shows the answer of SQLite, and with --no-check that of VibeSQL.
    for (engine, flag) in [("sqlite", "--all"), ("vibesql", "--all --no-check")] {
        let mut session = session(engines::builtin().make(engine).unwrap().as_ref());
        session.execute(sql.as_bytes(), &mut Taken::default()).unwrap();
        for view in VIEWS {
            let all =
                (1..=view.columns.len()).map(|column| column.to_string()).collect::<Vec<_>>().join(", ");
            let question = format!("SELECT * FROM {} ORDER BY {all}", view.name);
            let mut command = sandbox.command(&format!("--results results query {flag} --format json"));
            let answer = Output::of(command.arg(&question));
            assert_eq!(answer.code, 0, "{question}: {answer}");
            let answer: Vec<serde_json::Map<String, Json>> = serde_json::from_str(&answer.stdout).unwrap();
            let mut taken = Taken::default();
            session.execute(question.as_bytes(), &mut taken).unwrap();
            let rows: Vec<Vec<Json>> = taken.0.iter().map(|row| row.iter().map(json).collect()).collect();
            let expected: Vec<Vec<Json>> = answer
                .iter()
                .map(|row| view.columns.iter().map(|column| row[*column].clone()).collect())
                .collect();
            assert_eq!(rows, expected, "{engine}: {question}");
            assert!(!rows.is_empty(), "{question}");
        }
    }
}

fn json(cell: &Cell) -> Json {
    match cell {
        Cell::Null => Json::Null,
        Cell::Integer(number) => (*number).into(),
        Cell::Real(number) => (*number).into(),
        Cell::Text(text) => (**text).into(),
        Cell::Blob(_) => panic!("no blobs here"),
    }
}

#[test]
fn what_is_there_is_left_unless_forced() {
    let sandbox = with_runs();
    for (format, path) in [("sql", "results.sql"), ("json", "results.json"), ("csv", "results-csv")] {
        let first = sandbox.run(&format!("store export --format {format}"));
        assert_eq!(first.code, 0, "{first}");
        let again = sandbox.run(&format!("store export --format {format}"));
        assert_eq!((again.code, again.stdout.as_str()), (2, ""), "{again}");
        assert!(again.stderr.contains(&format!("`{path}` already exists")), "{again}");
        assert!(again.stderr.contains("hint: use --force to replace it"), "{again}");
    }
    sandbox.write("results.sql", "old");
    sandbox.write("results-csv/test_runs.csv", "old");
    for (format, path) in [("sql", "results.sql"), ("csv", "results-csv/test_runs.csv")] {
        let forced = sandbox.run(&format!("store export --force --format {format}"));
        assert_eq!((forced.code, forced.stderr.as_str()), (0, ""), "{forced}");
        assert_ne!(sandbox.read(path), "old");
    }
    // A folder in which there is something else is not replaced.
    sandbox.write("results-csv/mine.txt", "mine");
    let output = sandbox.run("store export --force --format csv");
    assert_eq!(output.code, 2, "{output}");
    assert!(
        output.stderr.contains("`results-csv` contains `mine.txt`, which is not an exported file"),
        "{output}"
    );
    assert_eq!(sandbox.run("store export --force --format csv --output s").code, 2);
    assert_eq!(sandbox.run("store export --force --format csv --output results.sql").code, 2);
    assert_eq!(sandbox.read("results-csv/mine.txt"), "mine");
    assert_eq!(entries(&sandbox, "."), ["results-csv", "results.json", "results.sql", "s"]);
}

#[test]
fn mistakes_are_told() {
    let sandbox = with_runs();
    for (words, expected) in [
        ("store export", "hint: use `store export --format sql`, `csv` or `json` for the tables of all runs"),
        ("store export --format csv --output -", "cannot go to standard output"),
        ("store export --format sql --run", "cannot be used with"),
        ("store export --format sql --output no/such/file", "cannot write `no/such/file`"),
        ("store export --format csv --output no/such/folder", "cannot write `no/such/folder`"),
        ("store export --format xml", "[possible values: sql, csv, json]"),
    ] {
        let output = sandbox.run(words);
        assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{words}: {output}");
        assert!(output.stderr.contains(expected), "{words}: {output}");
    }
    let nowhere = sandbox.run("--results empty store export --format sql");
    assert_eq!(nowhere.code, 3, "{nowhere}");
    assert_eq!(entries(&sandbox, "."), ["s"]);
}
