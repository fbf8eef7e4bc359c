//! What running over processes gains and costs: wall time by number of workers, the end of the run over the ideal, and
//! the orchestrator's own share of the CPU time. On SQLite, over the files that `SLT_CORPUS` names.
//!
//! `cargo bench -p vibesql-sqllogictest-bench --bench runner`. The workers are this program once more.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use vibesql_sqllogictest::engine::{Engine as _, sqlite::Sqlite};
use vibesql_sqllogictest::engines;
use vibesql_sqllogictest::event::{EventSink, RunEvent, SinkError};
use vibesql_sqllogictest::executor::parallel::schedule::{FileOrder, LastResult, ScheduledFile, order};
use vibesql_sqllogictest::executor::parallel::{
    Attempts, PreparedRun, RunPlan, RunPolicy, Timeouts, WorkItem, WorkKind, WorkerCommand, WorkerLimits,
    WorkerStderr, run, work,
};
use vibesql_sqllogictest::executor::{DetailLimits, Options, Permissions, Settings};
use vibesql_sqllogictest::outcome::{FlakyResult, RunReport};
use vibesql_sqllogictest_bench::{cpu_time, files};

const ROUNDS: usize = 5;
const WORKERS: [usize; 2] = [1, 2];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.as_slice() {
        [word, folder, process_dir, number] if word == "work" => serve(folder, process_dir, number),
        _ => measure(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(folder: &str, process_dir: &str, number: &str) -> Result<(), Box<dyn Error>> {
    Ok(work(Path::new(folder), process_dir.parse()?, number.parse()?, &engines::builtin(), &|_| None, false)?)
}

/// One run.
struct Measured {
    wall: Duration,
    /// The time of all files, added up.
    files: Duration,
    /// The CPU time of this process.
    own: Duration,
}

fn measure() -> Result<(), Box<dyn Error>> {
    // The longest first, as a run does that knows the files; the first run is not counted.
    let first = one_run(files()?, 2)?;
    let known: Vec<_> = files()?
        .iter()
        .map(|item| {
            let report = first.1.files.iter().find(|report| report.file == item.file);
            ScheduledFile {
                last: LastResult::Passed,
                duration: report.map(|report| report.elapsed),
                bytes: 0,
            }
        })
        .collect();
    let found = files()?;
    let items: Vec<_> =
        order(&known, FileOrder::History).into_iter().map(|index| found[index].clone()).collect();
    let mut rounds: Vec<Vec<Measured>> = WORKERS.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (round, workers) in rounds.iter_mut().zip(WORKERS) {
            round.push(one_run(items.clone(), workers)?.0);
        }
    }
    println!("{} files, medians of {ROUNDS} runs each, in turn", items.len());
    println!("workers  wall s  over ideal  orchestrator's CPU share of all files' time");
    for (round, workers) in rounds.iter().zip(WORKERS) {
        let wall = median(round, |run| run.wall.as_secs_f64());
        let over = median(round, |run| run.wall.as_secs_f64() * workers as f64 / run.files.as_secs_f64());
        let share = median(round, |run| run.own.as_secs_f64() / run.files.as_secs_f64());
        println!("{workers:7}  {wall:6.2}  {over:10.3}  {:.2} %", share * 100.0);
    }
    let ratios =
        rounds[0].iter().zip(&rounds[1]).map(|(one, two)| one.wall.as_secs_f64() / two.wall.as_secs_f64());
    let mut ratios: Vec<_> = ratios.collect();
    ratios.sort_by(f64::total_cmp);
    println!("1 worker over 2 workers: {:.2}", ratios[ROUNDS / 2]);
    Ok(())
}

fn median(runs: &[Measured], of: impl Fn(&Measured) -> f64) -> f64 {
    let mut values: Vec<_> = runs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

struct Silent;

impl EventSink for Silent {
    fn on_event(&mut self, _: &RunEvent) -> Result<(), SinkError> {
        Ok(())
    }
}

fn one_run(items: Vec<WorkItem>, workers: usize) -> Result<(Measured, RunReport), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("runner-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let engine = Sqlite.describe()?;
    let options = Options {
        labels: engine.labels.clone(),
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 10, values: 10 },
    };
    let slices = vec![1; items.len()];
    let start = cpu_time();
    let prepared = PreparedRun::new(
        &folder,
        RunPlan {
            items,
            engine,
            settings: Settings {
                engine: "sqlite".to_owned(),
                options,
                dialect: None,
                exact: false,
                permissions: Permissions::default(),
            },
            limits: WorkerLimits { memory: None, slow: None, grace: Duration::from_secs(2) },
            timeouts: &Timeouts::default(),
            attempts: Attempts { retries: 0, repeat: 1, flaky: FlakyResult::Pass, after_crash: true },
            kind: WorkKind::Run,
            slices,
            shares: true,
        },
    )?;
    let command = WorkerCommand {
        program: std::env::current_exe()?,
        arguments: vec!["work".into()],
        environment: Vec::new(),
        stderr: WorkerStderr::Kept,
    };
    let policy = RunPolicy { workers, budget: None, most_failing: None, ends_at_once: false, timings: false };
    let report = run(&prepared, &command, policy, &mut Silent)?;
    let own = cpu_time() - start;
    std::fs::remove_dir_all(&folder)?;
    if report.totals().passed as usize != report.header.files {
        return Err("not all files passed".into());
    }
    let files = report.files.iter().map(|file| file.elapsed).sum();
    Ok((Measured { wall: report.elapsed, files, own }, report))
}
