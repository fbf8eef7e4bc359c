//! Verdicts of SQLite behind a driver, compared with those of the built-in engine.

use std::path::{Path, PathBuf};

use slt_core::engine::Engine;
use slt_core::executor::{DetailLimits, Options, Selection, run_script};
use slt_core::location::Source;
use slt_core::outcome::FileReport;
use slt_core::parser::{SQLITE, parse};
use vibesql_sqllogictest_compat::{FromAsyncDb, FromDb};

use crate::lite::{Lite, NewAsyncDb, NewDb, OldAsyncDb, OldDb};

/// SQLite behind each kind of driver.
pub(crate) fn engines() -> [(&'static str, Box<dyn Engine>); 5] {
    [
        ("0.28", Box::new(FromDb::new("lite", || Ok(OldDb(Lite::open()))))),
        ("0.29", Box::new(FromDb::new("lite", || Ok(NewDb(Lite::open()))))),
        ("0.28, async", Box::new(FromAsyncDb::new("lite", || async { Ok(OldAsyncDb(Lite::open())) }))),
        ("0.29, async", Box::new(FromAsyncDb::new("lite", || async { Ok(NewAsyncDb(Lite::open())) }))),
        // A blocking driver is an asynchronous one, too.
        ("0.29, both", Box::new(FromAsyncDb::new("lite", || async { Ok(NewDb(Lite::open())) }))),
    ]
}

/// Runs a script.
pub(crate) fn run(engine: &dyn Engine, text: &[u8]) -> FileReport {
    let options = Options {
        labels: vec!["sqlite".to_owned()],
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 100, values: 100 },
    };
    run_script(&parse(&Source::new("a.test", text), &SQLITE), engine, &options, Selection::All)
}

/// The lines of the records that have not passed, each with its problem.
pub(crate) fn problems(report: &FileReport) -> Vec<(u32, &'static str)> {
    report.details().map(|detail| (detail.id.line, detail.problem.word())).collect()
}

const SCRIPT: &str = "\
statement ok
CREATE TABLE t(a INTEGER, b REAL, c TEXT)

statement ok
INSERT INTO t VALUES (1, 0.5, 'x'), (2, 1e15, ''), (-3, NULL, NULL), (4294967297, 2, 'NULL')

query IRT rowsort
SELECT a, b, c FROM t WHERE a < 3
----
-3
NULL
NULL
1
0.500
x
2
1000000000000000.000
(empty)

query TTT nosort
SELECT a, b, c FROM t WHERE a = 1
----
1
0.5
x

query I nosort
SELECT a FROM t WHERE a > 3
----
1

query I nosort
SELECT b + 1.75 FROM t WHERE a = 1
----
2

query T nosort
SELECT b FROM t WHERE a = 2
----
1000000000000000.0

query I nosort
SELECT count(*) FROM t
----
5

query II nosort
SELECT a FROM t
----

query II nosort
SELECT a, a FROM t WHERE a > 9999999999
----

statement error
SELECT * FROM missing

statement ok
SELECT * FROM missing

statement error
SELECT 1

query I nosort
INSERT INTO t VALUES (9, 9, 9)
----
";

#[test]
fn each_kind_of_driver_has_the_verdicts_of_the_built_in_engine() {
    let expected = run(&slt_sqlite::Sqlite, SCRIPT.as_bytes());
    let failing = [(42, "rows_differ"), (47, "column_count_differs")];
    assert_eq!(problems(&expected)[..2], failing, "{:?}", problems(&expected));
    for (kind, engine) in engines() {
        let report = run(engine.as_ref(), SCRIPT.as_bytes());
        assert_eq!(problems(&report), problems(&expected), "{kind}");
        assert_eq!(report.counts, expected.counts, "{kind}");
    }
}

fn test_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(test_files(&path)) } else { files.push(path) }
    }
    files.retain(|path| path.extension().is_some_and(|ending| ending == "test"));
    files
}

#[test]
fn sqlite_behind_a_driver_passes_the_shipped_suite() {
    let files = test_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites"));
    assert!(files.len() > 20);
    let kinds = ["0.28", "0.29, async"];
    for (kind, engine) in engines().into_iter().filter(|(kind, _)| kinds.contains(kind)) {
        for file in &files {
            let text = std::fs::read(file).unwrap();
            let report = run(engine.as_ref(), &text);
            let expected = run(&slt_sqlite::Sqlite, &text);
            assert_eq!(problems(&report), problems(&expected), "{kind}: {}", file.display());
            assert_eq!(report.counts, expected.counts, "{kind}: {}", file.display());
        }
    }
}
