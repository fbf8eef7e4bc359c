//! The inputs that are counted.
//!
//! Each case checks what came of it: a path that stops at an error would be a cheap one.

use std::error::Error;
use std::fmt::Write as _;

use md5::{Digest as _, Md5};
use slt_core::executor::{DetailLimits, Options, Selection, run_script};
use slt_core::location::Source;
use slt_core::parser::{COCKROACH, DUCKDB, MATERIALIZE, Profile, RS, SQLITE, SQLITE_EXACT, VIBESQL, parse};
use slt_runner::parallel::queue::WorkQueue;

use super::engine::{MOST_ROWS, TableEngine, integer, real, text};

/// A case: something to execute, with its check.
pub struct CountedCase {
    /// The name in the baseline.
    pub name: &'static str,
    /// Executes it; the error says what was expected and found.
    pub run: Box<dyn Fn() -> Result<(), String>>,
}

/// The records of each kind in a file that is parsed or judged.
const RECORDS: usize = 200;

/// The rows of a result that is listed.
const LISTED_ROWS: usize = 3;

/// The rows of a result that is hashed.
const HASHED_ROWS: usize = 64;

/// Returns all cases.
///
/// # Errors
///
/// When no folder for the queue can be made.
pub fn all() -> Result<Vec<CountedCase>, Box<dyn Error>> {
    let lines = value_lines(LISTED_ROWS);
    let rows = |real: &dyn Fn(f64) -> String| -> String {
        (0..LISTED_ROWS)
            .map(|row| format!("{} {} {}\n", integer(row), text(row), real(self::real(row))))
            .collect()
    };
    let (per_line, three_digits) = (rows(&|real| real.to_string()), rows(&|real| format!("{real:.3}")));
    let tabs = per_line.replace(' ', "\t");
    let file = |words: &str, expected: &str| mixed_file(words, expected);
    let wrong = lines.replace("name-0002", "name-0003");
    let (listed, hash) = (file("rowsort", &lines), hash_line(&value_lines(HASHED_ROWS)));
    let hashed = queries(RECORDS / 4, "ITR rowsort", "a, b, c", HASHED_ROWS, &hash);
    let falling = queries(RECORDS / 4, "I rowsort", "a", HASHED_ROWS, &letters("I", HASHED_ROWS))
        .replace("FROM t1", "FROM t1 ORDER BY a DESC");
    let rendered = |types: &str, columns: &str| {
        queries(5, &format!("{types} nosort"), columns, MOST_ROWS, &hash_line(&letters(types, MOST_ROWS)))
    };
    Ok(vec![
        parsing("parse/sqlite", &SQLITE, listed.clone()),
        parsing("parse/sqlite-exact", &SQLITE_EXACT, listed.clone()),
        parsing("parse/sqlite-conditions", &SQLITE, with_conditions(&listed)),
        parsing(
            "parse/sqlite-hashes",
            &SQLITE,
            queries(RECORDS, "ITR rowsort", "a, b, c", HASHED_ROWS, &hash),
        ),
        parsing("parse/rs", &RS, file("rowsort", &per_line)),
        parsing("parse/vibesql", &VIBESQL, file("rowsort", &three_digits)),
        parsing("parse/duckdb", &DUCKDB, file("rowsort", &tabs)),
        parsing("parse/cockroach", &COCKROACH, file("rowsort", &per_line)),
        parsing("parse/materialize", &MATERIALIZE, file("rowsort", &lines)),
        judging("judge/list", &SQLITE, listed.clone(), WantedOutcome::Pass),
        judging("judge/hash", &SQLITE, hashed, WantedOutcome::Pass),
        judging("judge/sort", &SQLITE, falling, WantedOutcome::Pass),
        judging("judge/label", &SQLITE, file("rowsort label", &lines), WantedOutcome::Pass),
        judging("judge/skip", &SQLITE, with_conditions(&listed), WantedOutcome::Skip),
        judging(
            "judge/fail",
            &SQLITE,
            queries(RECORDS, "ITR rowsort", "a, b, c", LISTED_ROWS, &wrong),
            WantedOutcome::Fail,
        ),
        judging("judge/rs", &RS, file("rowsort", &per_line), WantedOutcome::Pass),
        judging("judge/vibesql", &VIBESQL, file("rowsort", &three_digits), WantedOutcome::Pass),
        judging("judge/duckdb", &DUCKDB, file("rowsort", &tabs), WantedOutcome::Pass),
        judging("judge/cockroach", &COCKROACH, file("rowsort", &per_line), WantedOutcome::Pass),
        judging("judge/materialize", &MATERIALIZE, file("rowsort", &lines), WantedOutcome::Pass),
        judging("render/integers", &SQLITE, rendered("III", "a, a, a"), WantedOutcome::Pass),
        judging("render/texts", &SQLITE, rendered("TTT", "b, b, b"), WantedOutcome::Pass),
        judging("render/reals", &SQLITE, rendered("RRR", "c, c, c"), WantedOutcome::Pass),
        queue("queue/claim")?,
    ])
}

/// What must come of the records of a file.
#[derive(Debug, Clone, Copy)]
enum WantedOutcome {
    Pass,
    Fail,
    Skip,
}

fn parsing(name: &'static str, profile: &'static Profile, text: String) -> CountedCase {
    let source = Source::new(name, text);
    let run = move || {
        let script = parse(&source, profile);
        let defects = script.records().filter(|record| record.defect.is_some()).count();
        let total = script.total();
        if defects == 0 && total >= RECORDS as u64 {
            Ok(())
        } else {
            Err(format!("expected {RECORDS} records or more and no defect, found {total} and {defects}"))
        }
    };
    CountedCase { name, run: Box::new(run) }
}

fn judging(
    name: &'static str,
    profile: &'static Profile,
    text: String,
    expected: WantedOutcome,
) -> CountedCase {
    // The script borrows the source, and both live as long as the program.
    let source: &'static Source = Box::leak(Box::new(Source::new(name, text)));
    let script = parse(source, profile);
    let options = Options {
        labels: vec!["table".to_owned()],
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 100, values: 64 },
    };
    let run = move || {
        let report = run_script(&script, &TableEngine, &options, Selection::All);
        let counts = report.counts;
        let as_expected = match expected {
            WantedOutcome::Pass => counts.passed,
            WantedOutcome::Fail => counts.failed,
            WantedOutcome::Skip => counts.skipped,
        };
        if as_expected == counts.total && counts.total > 0 {
            return Ok(());
        }
        Err(format!("found {counts:?}, first failure: {:?}", report.failures.first()))
    };
    CountedCase { name, run: Box::new(run) }
}

fn queue(name: &'static str) -> Result<CountedCase, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let run = move || {
        let queue = WorkQueue::create(folder.path(), RECORDS).map_err(|error| error.to_string())?;
        let mut claimed = 0;
        while queue.claim(1).map_err(|error| error.to_string())?.is_some() {
            claimed += 1;
        }
        if claimed == RECORDS { Ok(()) } else { Err(format!("expected {RECORDS} claims, found {claimed}")) }
    };
    Ok(CountedCase { name, run: Box::new(run) })
}

/// Returns a file with comments, statements, and queries whose result is `expected`.
fn mixed_file(words: &str, expected: &str) -> String {
    let mut file = String::from("# A file with records of several kinds.\n\n");
    for number in 0..RECORDS {
        write!(
            file,
            "statement ok\nINSERT INTO t1(a, b, c)\nVALUES({number}, 'name-{number}', {number}.25)\n\n\
             # Some rows\n\
             query ITR {words}\nSELECT a, b, c FROM t1\n WHERE a > {number} AND b <> 'x' LIMIT {LISTED_ROWS}\n----\n{expected}\n"
        )
        .ok();
    }
    file
}

/// Returns a file whose queries have this number of rows.
fn queries(records: usize, words: &str, columns: &str, rows: usize, expected: &str) -> String {
    let mut file = String::new();
    for number in 0..records {
        write!(
            file,
            "query {words}\nSELECT {columns} FROM t1 WHERE a <> {number} LIMIT {rows}\n----\n{expected}\n"
        )
        .ok();
    }
    file
}

/// Returns a file whose records are for other engines.
fn with_conditions(file: &str) -> String {
    let conditions = "skipif mysql\nonlyif oracle\n";
    file.replace("statement", &format!("{conditions}statement"))
        .replace("query", &format!("{conditions}query"))
}

/// Returns the values of integer, text and real columns, one on each line.
fn value_lines(rows: usize) -> String {
    letters("ITR", rows)
}

/// Returns the values of columns with these type letters, one on each line, as SQLite's runner shows them.
fn letters(types: &str, rows: usize) -> String {
    let mut lines = String::new();
    for row in 0..rows {
        for letter in types.chars() {
            match letter {
                'I' => writeln!(lines, "{}", integer(row)).ok(),
                'T' => writeln!(lines, "{}", text(row)).ok(),
                _ => writeln!(lines, "{:.3}", real(row)).ok(),
            };
        }
    }
    lines
}

/// Returns the hash line for these values.
fn hash_line(lines: &str) -> String {
    let digest: String = Md5::digest(lines.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{} values hashing to {digest}\n", lines.lines().count())
}
