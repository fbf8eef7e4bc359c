//! The overhead per record of an external driver: a run on a driver that answers at once, compared with a loop that writes
//! the same requests to the same driver and reads the same answers.
//!
//! `cargo bench -p vibesql-sqllogictest-bench --bench external --no-default-features`. The driver is this program once
//! more, with the argument `driver`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use vibesql_sqllogictest::clock::now;
use vibesql_sqllogictest::engine::Engine;
use vibesql_sqllogictest::engines;
use vibesql_sqllogictest::executor::{DetailLimits, Options, Selection, run_script};
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::parser::{SQLITE, parse};

const RECORDS: u64 = 200_000;
const ROUNDS: usize = 5;

const SQL: &str = "SELECT a, b FROM t WHERE a > 10 AND b < 20 ORDER BY a";
const RECORD: &str = "----\n11\ntext\n\n";
const ANSWER: &str =
    r#""result":[[11,"text"]],"columns":[{"name":"a","type":"integer"},{"name":"b","type":"text"}]}"#;

fn main() -> ExitCode {
    let done = if std::env::args().nth(1).as_deref() == Some("driver") { drive() } else { measure() };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Answers each request with the same row.
fn drive() -> Result<(), Box<dyn Error>> {
    let (mut requests, mut answers) = (io::stdin().lock(), io::stdout().lock());
    answers.write_all(b"{\"hello\":2,\"name\":\"echo\"}\n")?;
    let mut line = String::new();
    while requests.read_line(&mut line)? > 0 {
        // `{"id":1,"sql":…`
        if let Some(rest) = line.strip_prefix("{\"id\":") {
            let id = rest.split(',').next().unwrap_or_default();
            answers.write_all(format!("{{\"id\":{id},{ANSWER}\n").as_bytes())?;
            answers.flush()?;
        }
        line.clear();
    }
    Ok(())
}

fn measure() -> Result<(), Box<dyn Error>> {
    let mut file = String::new();
    for _ in 0..RECORDS {
        write!(file, "query IT nosort\n{SQL}\n{RECORD}")?;
    }
    let source = Source::new("bench.test", file.into_bytes());
    let program = std::env::current_exe()?;
    let engine = engines::builtin().make(&format!("exec:exec '{}' driver", program.display()))?;
    let mut pairs = Vec::new();
    // The first round warms caches and is not counted.
    for round in 0..=ROUNDS {
        let pair = (pipe(&program)?, run(&source, engine.as_ref())?);
        if round > 0 {
            pairs.push(pair);
        }
    }
    let micros = |time: Duration| time.as_secs_f64() * 1e6 / RECORDS as f64;
    println!("{RECORDS} records; microseconds for each");
    let mut over = Vec::new();
    for (pipe, run) in pairs {
        over.push(micros(run) - micros(pipe));
        println!("pipe {:.2}  run {:.2}  over {:.2}", micros(pipe), micros(run), micros(run) - micros(pipe));
    }
    over.sort_by(f64::total_cmp);
    println!("median over the pipe: {:.2}", over[ROUNDS / 2]);
    Ok(())
}

/// The time of the bare exchange of messages.
fn pipe(program: &std::path::Path) -> Result<Duration, Box<dyn Error>> {
    let mut child =
        Command::new(program).arg("driver").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (Some(mut requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("no pipes".into());
    };
    let (mut answers, mut line) = (BufReader::new(answers), String::new());
    answers.read_line(&mut line)?;
    let start = now();
    for id in 1..=RECORDS {
        requests.write_all(format!("{{\"id\":{id},\"sql\":\"{SQL}\"}}\n").as_bytes())?;
        line.clear();
        answers.read_line(&mut line)?;
    }
    let elapsed = now() - start;
    drop(requests);
    child.wait()?;
    Ok(elapsed)
}

/// The time of a run of the file, with parsing and judging.
fn run(source: &Source, engine: &dyn Engine) -> Result<Duration, Box<dyn Error>> {
    let options = Options {
        labels: engine.describe()?.labels,
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 10, values: 10 },
    };
    let start = now();
    let report = run_script(&parse(source, &SQLITE), engine, &options, Selection::All);
    let elapsed = now() - start;
    if report.counts.passed != RECORDS {
        return Err(format!("not all records passed: {:?}", report.counts).into());
    }
    Ok(elapsed)
}
