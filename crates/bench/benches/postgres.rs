//! What the PostgreSQL adapter costs: records per second of a file through the runner, beside a loop that sends the same SQL
//! through the crate postgres.
//!
//! `SLT_POSTGRES=postgres://user:password@host/postgres cargo bench -p vibesql-sqllogictest-bench --bench postgres` runs both
//! in turn, and prints the median of each and of their ratio.

use std::process::ExitCode;
use std::time::Instant;

use postgres::{Client, NoTls};
use vibesql_sqllogictest::engine::Engine as _;
use vibesql_sqllogictest::engine::postgres::{Postgres, PostgresProtocol};
use vibesql_sqllogictest::executor::{DetailLimits, Options, Selection, run_script};
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::parser::{RecordKind, SQLITE, Script, parse};
use vibesql_sqllogictest_bench::print_report;

const RECORDS: usize = 20_000;
const ROUNDS: usize = 9;

fn main() -> ExitCode {
    print_report(measure())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark is configured by the environment, and measures time"
)]
fn measure() -> Result<String, Box<dyn std::error::Error>> {
    let Ok(address) = std::env::var("SLT_POSTGRES") else {
        return Err(
            "set SLT_POSTGRES to the address of a server, postgres://user:password@host/postgres".into()
        );
    };
    let text = text();
    let source = Source::new("bench.test", text.as_str());
    let script = parse(&source, &SQLITE);
    let mut report = Vec::new();
    let rest = address.strip_prefix("postgres:").ok_or("expected postgres://…")?;
    for protocol in [PostgresProtocol::Simple, PostgresProtocol::Extended] {
        let engine = Postgres::at(rest, protocol)?;
        let (mut natives, mut runners, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        // The first round warms caches and is not counted.
        for round in 0..=ROUNDS {
            let start = Instant::now();
            native(&address, &script, protocol)?;
            let middle = Instant::now();
            let options = Options {
                labels: engine.describe()?.labels,
                threshold: None,
                record_timeout: None,
                details: DetailLimits { records: 1, values: 1 },
            };
            let counts = run_script(&script, &engine, &options, Selection::All).counts;
            if counts.passed != RECORDS as u64 {
                return Err(format!("expected {RECORDS} passed records, found {counts:?}").into());
            }
            let end = Instant::now();
            if round > 0 {
                let (native, runner) = ((middle - start).as_secs_f64(), (end - middle).as_secs_f64());
                natives.push(RECORDS as f64 / native);
                runners.push(RECORDS as f64 / runner);
                ratios.push(runner / native);
            }
        }
        let [native, runner, ratio] = [natives, runners, ratios].map(median);
        report.push(format!(
            "{protocol:?}: {native:.0} statements/s with the crate postgres, {runner:.0} records/s with the runner, \
             time ratio {ratio:.2}"
        ));
    }
    Ok(report.join("\n"))
}

/// A table, rows, and queries with one to three columns.
fn text() -> String {
    let table = "statement ok\nCREATE TABLE t(a INTEGER, b INTEGER, c TEXT)\n\n".to_owned();
    let records = (1..RECORDS).map(|number| {
        if number % 10 == 0 {
            format!("statement ok\nINSERT INTO t VALUES ({number}, {}, 'text {number}')\n\n", number * 7)
        } else {
            let row = number % 100;
            format!(
                "query TII rowsort\nSELECT c, {number}, a FROM (VALUES ({row}, 'x'), (7, 'y')) AS v(a, c)\n----\n\
                 x\n{number}\n{row}\ny\n{number}\n7\n\n"
            )
        }
    });
    [table].into_iter().chain(records).collect()
}

/// Executes the SQL of a script in a new database.
fn native(
    address: &str,
    script: &Script<'_>,
    protocol: PostgresProtocol,
) -> Result<usize, Box<dyn std::error::Error>> {
    let mut maintenance = Client::connect(address, NoTls)?;
    maintenance.batch_execute("DROP DATABASE IF EXISTS slt_bench")?;
    maintenance.batch_execute("CREATE DATABASE slt_bench")?;
    let mut config: postgres::Config = address.parse()?;
    let mut client = config.dbname("slt_bench").connect(NoTls)?;
    let (mut rows, mut buffer) = (0, Vec::new());
    for record in script.records() {
        let sql = match &record.kind {
            RecordKind::Statement(statement) => statement.sql.text(&mut buffer),
            RecordKind::Query(query) => query.sql.text(&mut buffer),
            _ => continue,
        };
        let sql = std::str::from_utf8(sql)?;
        rows += match protocol {
            PostgresProtocol::Simple => client.simple_query(sql)?.len(),
            PostgresProtocol::Extended => client.query(sql, &[])?.len(),
        };
    }
    drop(client);
    maintenance.batch_execute("DROP DATABASE slt_bench")?;
    Ok(rows)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
