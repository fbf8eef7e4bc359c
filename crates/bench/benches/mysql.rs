//! What the MySQL adapter costs: records per second through the runner, beside a loop that sends the same SQL through the
//! crate mysql.
//!
//! `SLT_MYSQL=mysql://user:password@host cargo bench -p vibesql-sqllogictest-bench --bench mysql` runs both in turn, for the
//! shipped suite and for a long file of short queries, and prints the medians and that of their ratios.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use mysql::prelude::Queryable as _;
use mysql::{Conn, Opts, OptsBuilder};
use vibesql_sqllogictest::engine::Engine as _;
use vibesql_sqllogictest::engine::mysql::Mysql;
use vibesql_sqllogictest::executor::{DetailLimits, Options, Selection, run_script};
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::parser::{RecordKind, SQLITE, Script, parse};
use vibesql_sqllogictest_bench::print_report;

const QUERIES: usize = 20_000;
const ROUNDS: usize = 5;

fn main() -> ExitCode {
    print_report(measure())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is configured by the environment")]
fn measure() -> Result<String, Box<dyn std::error::Error>> {
    let Ok(address) = std::env::var("SLT_MYSQL") else {
        return Ok(
            "mysql: skipped; set SLT_MYSQL to the address of a server, mysql://user:password@host".to_owned()
        );
    };
    let suite = texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../vibesql-sqllogictest/suites"))?;
    let suite = compare(&address, &suite)?;
    let queries = compare(&address, &[queries()])?;
    Ok(format!("shipped suite: {suite}\n{QUERIES} queries: {queries}"))
}

/// Runs the files in both ways, and describes the speeds.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn compare(address: &str, texts: &[String]) -> Result<String, Box<dyn std::error::Error>> {
    let engine = Mysql::at(address.strip_prefix("mysql:").ok_or("expected mysql://…")?)?;
    let sources: Vec<_> = texts.iter().map(|text| Source::new("bench.test", text.as_str())).collect();
    let scripts: Vec<_> = sources.iter().map(|source| parse(source, &SQLITE)).collect();
    let options = Options {
        labels: engine.describe()?.labels,
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 1, values: 1 },
    };
    let (mut natives, mut runners, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    // The first round warms caches and is not counted.
    for round in 0..=ROUNDS {
        let start = Instant::now();
        let mut statements = 0;
        for script in &scripts {
            statements += native(address, script)?;
        }
        let middle = Instant::now();
        let mut records = 0;
        for script in &scripts {
            let counts = run_script(script, &engine, &options, Selection::All).counts;
            records += counts.passed + counts.failed;
        }
        let end = Instant::now();
        if round > 0 {
            let (native, runner) = ((middle - start).as_secs_f64(), (end - middle).as_secs_f64());
            natives.push(statements as f64 / native);
            runners.push(records as f64 / runner);
            ratios.push(runner / native);
        }
    }
    let [native, runner, ratio] = [natives, runners, ratios].map(median);
    Ok(format!(
        "{native:.0} statements/s with the crate mysql, {runner:.0} records/s with the runner, time ratio {ratio:.2}"
    ))
}

/// The files of a suite.
fn texts(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            texts.append(&mut self::texts(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "test") {
            texts.push(std::fs::read_to_string(path)?);
        }
    }
    Ok(texts)
}

/// A table, rows, and queries with three columns.
fn queries() -> String {
    let table = "statement ok\nCREATE TABLE t(a INTEGER, b INTEGER, c TEXT)\n\n".to_owned();
    let record = |number: usize| {
        if number.is_multiple_of(10) {
            format!("statement ok\nINSERT INTO t VALUES ({number}, {}, 'text {number}')\n\n", number * 7)
        } else {
            format!(
                "query TII nosort\nSELECT 'x', {number}, 1 UNION ALL SELECT 'y', {number}, 7\n----\n\
                 x\n{number}\n1\ny\n{number}\n7\n\n"
            )
        }
    };
    table + &(1..QUERIES).map(record).collect::<String>()
}

/// Executes the SQL of a script in a new database, and returns the number of statements.
fn native(address: &str, script: &Script<'_>) -> Result<usize, Box<dyn std::error::Error>> {
    let options = Opts::from_url(address)?;
    let mut maintenance = Conn::new(options.clone())?;
    maintenance.query_drop("CREATE OR REPLACE DATABASE slt_bench")?;
    let mut connection = Conn::new(OptsBuilder::from_opts(options).db_name(Some("slt_bench")))?;
    let (mut statements, mut buffer) = (0, Vec::new());
    for record in script.records() {
        let sql = match &record.kind {
            RecordKind::Statement(statement) => statement.sql.text(&mut buffer),
            RecordKind::Query(query) => query.sql.text(&mut buffer),
            _ => continue,
        };
        statements += 1;
        // The suite has SQL that this server does not know.
        if let Ok(mut answers) = connection.query_iter(std::str::from_utf8(sql)?) {
            while let Some(rows) = answers.iter() {
                rows.for_each(drop);
            }
        }
    }
    drop(connection);
    maintenance.query_drop("DROP DATABASE slt_bench")?;
    Ok(statements)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
