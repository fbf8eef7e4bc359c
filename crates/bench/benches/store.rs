//! The store over a long history: 1,000 runs of 622 files, made up but with failures that stay, come and go as real ones do.
//! Prints the size of journals and store, and the time and memory of the commands of a built program.
//!
//! `cargo build --release && cargo bench -p vibesql-sqllogictest-bench --bench store`. `SLT_PROGRAM` names another program,
//! `SLT_RUNS` another number of runs, and `SLT_HISTORY` a folder in which the history stays and is used again.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark is configured by the environment, and takes the time"
)]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use vibesql_sqllogictest::results::ResultsFolder;
use vibesql_sqllogictest_bench::history::{FILES, keep};

const RUNS: usize = 1000;
/// How often a command is run.
const ROUNDS: usize = 5;

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), Box<dyn Error>> {
    let runs = std::env::var("SLT_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(RUNS);
    let scratch = std::env::temp_dir().join(format!("slt-history-{}", std::process::id()));
    let kept = std::env::var_os("SLT_HISTORY").map(PathBuf::from);
    let folder = kept.clone().unwrap_or_else(|| scratch.clone());
    let results = ResultsFolder::new(&folder);
    let there = results.runs()?.len();
    for run in there..runs {
        keep(&results, run as u64)?;
    }
    let program = std::env::var_os("SLT_PROGRAM")
        .map_or_else(|| "../../target/release/vibesql-sqllogictest".into(), PathBuf::from);
    println!("{runs} runs of {FILES} files; the program is {}", program.display());
    let done = commands(&program, &folder, &results, runs as u64);
    if kept.is_none() {
        drop(std::fs::remove_dir_all(&scratch));
    }
    done
}

fn commands(program: &Path, folder: &Path, results: &ResultsFolder, runs: u64) -> Result<(), Box<dyn Error>> {
    let call = |words: &[&str]| timed(program, folder, words);
    let (time, memory) = call(&["store", "seal"])?;
    println!("sealing what was not sealed: {time:.2?}, {} MiB", memory >> 20);
    let journals = size(&folder.join("runs"));
    let store = size(&folder.join("store"));
    println!("journals {} MiB, store {} MiB", journals >> 20, store >> 20);
    // One more run, sealed alone.
    let mut storing = Vec::new();
    for more in 0..ROUNDS as u64 {
        keep(results, runs + more)?;
        storing.push(call(&["store", "seal"])?);
    }
    print("storing one run", storing);
    for words in [&["status"], &["runs"]] {
        print(words[0], (0..ROUNDS).map(|_| call(words)).collect::<Result<_, _>>()?);
    }
    for (reach, more, rounds) in [("last 100", &[][..], ROUNDS), ("all", &["--all"], 1)] {
        for preset in presets(program)? {
            let words = [&["query", "--preset", &preset], more].concat();
            let measured: Result<Vec<_>, _> = (0..rounds).map(|_| call(&words)).collect();
            match measured {
                Ok(measured) => print(&format!("{preset}, {reach}"), measured),
                Err(error) => println!("{preset}, {reach}: {error}"),
            }
        }
    }
    Ok(())
}

/// The names of all presets.
fn presets(program: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let list = Command::new(program).args(["query", "--list-presets"]).output()?;
    let text = String::from_utf8(list.stdout)?;
    Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

fn print(what: &str, mut measured: Vec<(Duration, u64)>) {
    measured.sort();
    let memory = measured.iter().map(|(_, memory)| memory).max().unwrap_or(&0) >> 20;
    println!("{what:32} {:>8.3} s, at most {memory} MiB", measured[measured.len() / 2].0.as_secs_f64());
}

/// The time of a command, and the most memory that it and its children had together, by looking now and then.
fn timed(program: &Path, folder: &Path, words: &[&str]) -> Result<(Duration, u64), Box<dyn Error>> {
    let start = Instant::now();
    let mut child = Command::new(program)
        .args(["--no-config", "--results"])
        .arg(folder)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start `{}`: {error}", program.display()))?;
    let mut most = 0;
    loop {
        if let Some(status) = child.try_wait()? {
            let time = start.elapsed();
            return if status.success() {
                Ok((time, most))
            } else {
                Err(format!("{words:?}: {status}").into())
            };
        }
        most = most.max(memory_of(child.id()));
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The memory of a process and its children, in bytes.
fn memory_of(process: u32) -> u64 {
    let children =
        std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let mut all: Vec<u32> = children.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    for task in tasks {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        all.extend(children.split_whitespace().filter_map(|word| word.parse::<u32>().ok()));
    }
    all.sort_unstable();
    all.dedup();
    all.push(process);
    let pages = |process: u32| -> Option<u64> {
        let statm = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
        statm.split_whitespace().nth(1)?.parse().ok()
    };
    all.into_iter().filter_map(pages).sum::<u64>() * 4096
}

fn size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let of = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(about) if about.is_dir() => size(&entry.path()),
        Ok(about) => about.len(),
        Err(_) => 0,
    };
    entries.flatten().map(of).sum()
}
