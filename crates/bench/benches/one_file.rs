//! A run of one file, with nothing in the results folder, with a run of 100,000 files in it, and with 1,000 more runs. Prints
//! the median of the wall time of a built program, which must be alike for all of them and below 50 ms.
//!
//! `cargo build --release && cargo bench -p vibesql-sqllogictest-bench --bench one_file`. `SLT_PROGRAM` names another program.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark is configured by the environment, and takes the time"
)]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use vibesql_sqllogictest::engine::EngineId;
use vibesql_sqllogictest::executor::{DetailLimits, Options, Permissions, Settings};
use vibesql_sqllogictest::location::FileId;
use vibesql_sqllogictest::outcome::{Counts, FileEnd, FileReport, FlakyResult, RunEnd, RunHeader, RunReport};
use vibesql_sqllogictest::results::{Circumstances, Opened, ResultsFolder};

/// How often the file is run.
const ROUNDS: usize = 41;

fn main() -> ExitCode {
    let scratch = std::env::temp_dir().join(format!("slt-one-file-{}", std::process::id()));
    let measured = measure(&scratch);
    drop(std::fs::remove_dir_all(&scratch));
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(folder: &Path) -> Result<(), Box<dyn Error>> {
    let program = std::env::var_os("SLT_PROGRAM")
        .map_or_else(|| "../../target/release/vibesql-sqllogictest".into(), PathBuf::from);
    let program = std::path::absolute(program)?;
    std::fs::create_dir_all(folder.join("suite"))?;
    std::fs::write(folder.join("suite/f0.test"), "query I nosort\nSELECT 1\n----\n1\n")?;
    println!("the program is {}", program.display());
    run_file(&program, folder, "nothing in the results folder")?;
    let results = ResultsFolder::new(folder.join("results"));
    keep(&results, folder, 1, 100_000)?;
    run_file(&program, folder, "and a run of 100,000 files")?;
    for run in 0..1_000 {
        keep(&results, folder, 2 + run, 1)?;
    }
    run_file(&program, folder, "and 1,000 runs of one file")
}

/// Stores a run that started at `second` and has `files` passing files.
fn keep(results: &ResultsFolder, folder: &Path, second: i64, files: usize) -> Result<(), Box<dyn Error>> {
    let name = |file: usize| format!("f{file}.test");
    let file = |file: usize| FileReport {
        shown: format!("suite/f{file}.test"),
        counts: Counts { total: 1, executed: 1, passed: 1, ..Counts::default() },
        elapsed: Duration::from_micros(1_000 + file as u64),
        ..FileReport::new(&name(file), FileEnd::Completed)
    };
    let labels = vec!["vibesql".to_owned()];
    let engine = EngineId { labels: labels.clone(), ..EngineId::new("vibesql", "1") };
    let details = DetailLimits { records: 100, values: 64 };
    let options = Options { labels: labels.clone(), threshold: None, record_timeout: None, details };
    let settings = Settings {
        engine: "vibesql".to_owned(),
        options,
        dialect: None,
        exact: false,
        permissions: Permissions::default(),
    };
    let places =
        (0..files).map(|file| (FileId::from(&name(file)), folder.join("suite").join(name(file)))).collect();
    let started = second * 1000;
    let opened =
        Opened::new("", started, Vec::new(), folder.to_owned(), settings, Circumstances::default(), places);
    let header = RunHeader { engine, labels, exact: false, files, flaky: FlakyResult::Pass };
    let files = (0..files).map(file).collect();
    results.keep(
        &opened,
        &RunReport { header, files, elapsed: Duration::from_secs(60), end: RunEnd::Completed },
    )?;
    Ok(())
}

fn run_file(program: &Path, folder: &Path, what: &str) -> Result<(), Box<dyn Error>> {
    let mut times = Vec::new();
    for _ in 0..=ROUNDS {
        let mut command = Command::new(program);
        command.args(["--results", "results", "run", "suite/f0.test"]).current_dir(folder);
        let start = Instant::now();
        let status = command.stdout(Stdio::null()).status()?;
        times.push(start.elapsed());
        if !status.success() {
            return Err(format!("the run ended with {status}").into());
        }
    }
    // The first one takes in what is new.
    let first = times.remove(0);
    times.sort_unstable();
    let (median, worst) = (times[ROUNDS / 2], times[ROUNDS - 1]);
    println!("{what}: median {median:.1?}, worst {worst:.1?}, the first {first:.1?}");
    Ok(())
}
