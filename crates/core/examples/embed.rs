//! An engine of your own, tested from your own program: `cargo run -p vibesql-sqllogictest-core --example embed`.
//!
//! The engine adds whole numbers and knows nothing else. The script asks it for two sums; the second
//! expectation is wrong, so that there is something to see.

use std::process::ExitCode;

use slt_core::engine::{
    Database, Engine, EngineError, EngineId, ExecuteError, Flow, RowSink, Session, SingleSession, SqlError,
    utf8,
};
use slt_core::executor::{DetailLimits, Options, Selection, run_script};
use slt_core::location::Source;
use slt_core::outcome::FileStatus;
use slt_core::parser::{SQLITE, parse};
use slt_core::value::{Column, TypeTag, ValueRef};

const SCRIPT: &str = "\
query I nosort
SELECT 1 + 2
----
3

query I nosort
SELECT 2 + 2
----
5

statement error
SELECT 1 +
";

struct Adder;

impl Engine for Adder {
    fn describe(&self) -> Result<EngineId, EngineError> {
        Ok(EngineId::new("adder", "1.0"))
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        Ok(Box::new(SingleSession::new(AdderSession)))
    }
}

struct AdderSession;

impl Session for AdderSession {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        let Some(sum) = utf8(sql)?.trim().strip_prefix("SELECT ") else {
            return Err(ExecuteError::Unsupported("this engine has nothing but SELECT".to_owned()));
        };
        let mut total = 0;
        for word in sum.split('+').map(str::trim) {
            let number: i64 = word.parse().map_err(|_| {
                ExecuteError::Sql(SqlError::new(format_args!("expected a number, found `{word}`")))
            })?;
            total += number;
        }
        // First the columns, then the rows, then the end; and no further than the sink wants.
        if rows.columns(&[Column::new("sum", TypeTag::Integer)]) == Flow::Stop {
            return Ok(());
        }
        if rows.row(&[ValueRef::Integer(total)]) == Flow::Continue {
            rows.done(None);
        }
        Ok(())
    }
}

#[expect(clippy::print_stdout, reason = "an example shows what it found")]
fn main() -> Result<ExitCode, EngineError> {
    let source = Source::new("sums.test", SCRIPT);
    let options = Options {
        labels: Adder.describe()?.labels,
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 10, values: 100 },
    };
    let report = run_script(&parse(&source, &SQLITE), &Adder, &options, Selection::All);

    println!("{}: {}", report.shown, report.status().word());
    println!("{} of {} records passed", report.counts.passed, report.counts.total);
    for detail in report.details() {
        println!("{}: {}: {}", source.at(detail.id.line), detail.problem.word(), detail.sql);
    }
    // The second record is meant to fail, so a file that has passed would be the error here.
    Ok(if report.status() == FileStatus::Failed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
