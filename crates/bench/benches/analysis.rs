//! Analyses a run with 30,000 failing records in 2,000 files, and one with ten times as many, and prints time and memory.
//!
//! `cargo bench -p vibesql-sqllogictest-bench --bench analysis`. The texts are made anew each time that they are asked for,
//! which is part of the time, so that the memory is that of the analysis.
#![expect(clippy::print_stdout, reason = "what a benchmark is for")]

use std::time::Duration;

use vibesql_sqllogictest::analysis::{SourceTexts, TextError, analyze};
use vibesql_sqllogictest::engine::{
    Database, Engine, EngineError, EngineId, ExecuteError, RowSink, Session, SingleSession, SqlError, utf8,
};
use vibesql_sqllogictest::executor::{DetailLimits, Options, Selection, run_script};
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::outcome::{FileReport, FlakyResult, RunEnd, RunHeader, RunReport};
use vibesql_sqllogictest::parser::{SQLITE, parse};
use vibesql_sqllogictest::value::{Column, ValueRef};
use vibesql_sqllogictest_bench::cpu_time;

const FILES: u64 = 2_000;

fn main() {
    for records in [200, 2_000] {
        let report = run(records);
        let failing: usize = report.files.iter().map(|file| file.failures.len()).sum();
        let all: u64 = report.files.iter().map(|file| file.counts.total).sum();
        let before = memory("VmRSS");
        let start = cpu_time();
        let analysis = analyze(&report, None, &mut Made { records });
        let time = cpu_time() - start;
        println!(
            "{failing} failing of {all} records in {FILES} files: {} clusters, {:.2} s, {} MiB more than the report's {} MiB",
            analysis.clusters.len(),
            time.as_secs_f64(),
            memory("VmHWM").saturating_sub(before),
            before,
        );
        for cluster in analysis.clusters.iter().take(5) {
            println!("  {:7} {} {:?}", cluster.records, cluster.symptom.what, cluster.features);
        }
    }
}

/// What the system says of the memory of this process, in MiB.
fn memory(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn run(records: u64) -> RunReport {
    let identity = identity();
    let options = Options {
        labels: identity.labels.clone(),
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 10, values: 64 },
    };
    let files = (0..FILES).map(|number| {
        let source = Source::new(format!("random/f{number}.test"), text(number, records));
        run_script(&parse(&source, &SQLITE), &Buggy, &options, Selection::All)
    });
    let files: Vec<_> = files.collect();
    let header = RunHeader {
        labels: identity.labels.clone(),
        engine: identity,
        exact: false,
        files: files.len(),
        flaky: FlakyResult::Pass,
    };
    RunReport { header, files, elapsed: Duration::ZERO, end: RunEnd::Completed }
}

struct Made {
    records: u64,
}

impl SourceTexts for Made {
    fn text(&mut self, file: &FileReport) -> Result<Source, TextError> {
        let number: String = file.file.path().chars().filter(char::is_ascii_digit).collect();
        let number = number.parse().map_err(|_| TextError::Unknown)?;
        Ok(Source::new(file.file.path(), text(number, self.records)))
    }
}

fn text(number: u64, records: u64) -> String {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = |end: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % end
    };
    let mut value = || match below(18) {
        0 => "CAST(col0 AS INTEGER)".to_owned(),
        1 => "NULL".to_owned(),
        2 => format!("ABS(col{})", below(3)),
        3 => format!("COALESCE({}, col1)", below(90)),
        4 => format!("- col{}", below(3)),
        5 => format!("{} / col2", below(90)),
        6 => format!("CASE {} WHEN 1 THEN col0 END", below(90)),
        7..12 => below(90).to_string(),
        other => format!("col{}", other % 3),
    };
    let queries = (0..records).map(|place| {
        let (one, two, three, four) = (value(), value(), value(), value());
        let rest = match place % 7 {
            0 => format!(" WHERE {three} NOT BETWEEN {four} AND 7"),
            1 => format!(" WHERE {three} IN ({four}, 7)"),
            2 => format!(" WHERE NOT {three} > {four} AND {one} IS NULL"),
            3 => format!(" CROSS JOIN tab1 AS cor0 WHERE {three} < {four}"),
            4 => format!(" GROUP BY {three} HAVING {four} IS NOT NULL"),
            _ => String::new(),
        };
        format!("query I nosort\nSELECT {one} + {two}, {three} * {four} FROM tab0{rest}\n----\n1\n\n")
    });
    queries.map(|query| query.replacen(", ", " + ", 1)).collect()
}

/// An engine whose every query has one row, 1, but for its bugs.
struct Buggy;

fn identity() -> EngineId {
    EngineId::new("buggy", "1")
}

impl Engine for Buggy {
    fn describe(&self) -> Result<EngineId, EngineError> {
        Ok(identity())
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        Ok(Box::new(SingleSession::new(Self)))
    }
}

impl Session for Buggy {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        let sql = utf8(sql)?;
        rows.columns(&[Column::UNKNOWN]);
        let length = sql.len() as i64;
        if sql.contains("CASE") && sql.contains("CROSS") {
            return Err(ExecuteError::Sql(SqlError::new(format_args!("column col{length} is ambiguous"))));
        }
        let is_wrong = (sql.contains("NOT BETWEEN") && length % 3 == 0)
            || (sql.contains("CAST") && sql.contains('/'))
            || length % 211 == 0;
        rows.row(&[ValueRef::Integer(if is_wrong { length + 2 } else { 1 })]);
        rows.done(None);
        Ok(())
    }
}
