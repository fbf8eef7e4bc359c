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

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use vibesql_sqllogictest::engine::{EngineId, SqlError};
use vibesql_sqllogictest::executor::{DetailLimits, Options, Permissions, Settings};
use vibesql_sqllogictest::outcome::{
    Counts, Excerpt, FailingRecord, FailureDetail, FailureGroup, FileEnd, FileReport, FlakyResult, Mismatch,
    Problem, RecordId, RecordKey, RunEnd, RunHeader, RunReport, SlowRecord,
};
use vibesql_sqllogictest::results::{Circumstances, Commit, Opened, ResultsFolder};

const RUNS: usize = 1000;
const FILES: u64 = 622;
/// The records of a file.
const RECORDS: u64 = 9_500;
/// The failing records of a failing file: about 28,000 in all when the history begins.
const FAILING: u64 = 70;
/// Failing records with details.
const DETAILS: u64 = 10;
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

/// A number that looks random, and is the same each time.
fn mixed(words: [u64; 3]) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for word in words {
        state = (state ^ word).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state ^= state >> 29;
        state = state.wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 32;
    }
    state
}

fn name(file: u64) -> String {
    match file % 5 {
        0 => {
            format!("index/between/{}/slt_good_{file}.test", 10_u64.pow(u32::try_from(file % 4).unwrap_or(0)))
        }
        1 => format!("index/commute/{}/slt_good_{file}.test", 10 * (1 + file % 3)),
        2 => format!("random/expr/slt_good_{file}.test"),
        3 => format!("random/aggregates/slt_good_{file}.test"),
        _ => format!("evidence/slt_lang_{file}.test"),
    }
}

/// Keeps the run of this number: one each hour.
fn keep(results: &ResultsFolder, run: u64) -> Result<(), Box<dyn Error>> {
    let started = 1_760_000_000_000 + i64::try_from(run)? * 3_600_000;
    let engine = EngineId { labels: vec!["sqlite".to_owned()], ..EngineId::new("vibesql", "0.2.0") };
    let files: Vec<_> = (0..FILES).map(|file| report(run, file, started)).collect();
    let options = Options {
        labels: engine.labels.clone(),
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: usize::try_from(DETAILS)?, values: 64 },
    };
    let settings = Settings {
        engine: "vibesql".to_owned(),
        options,
        dialect: None,
        exact: false,
        permissions: Permissions::default(),
    };
    let circumstances = Circumstances {
        host: "bench".to_owned(),
        system: "Linux".to_owned(),
        cpus: 2,
        workers: 2,
        // A commit is tested twice.
        commit: Some(Commit {
            hash: format!("{:040x}", mixed([run / 2, 0, 0])),
            branch: Some("main".to_owned()),
            dirty: false,
        }),
        ..Circumstances::default()
    };
    let places: BTreeMap<_, _> = files
        .iter()
        .map(|file| (file.file.clone(), PathBuf::from("/suite").join(file.file.path())))
        .collect();
    let command = vec!["vibesql-sqllogictest".to_owned(), "run".to_owned(), "/suite".to_owned()];
    let opened = Opened::new("", started, command, "/project".into(), settings, circumstances, places);
    let header = RunHeader {
        labels: engine.labels.clone(),
        engine,
        exact: false,
        files: files.len(),
        flaky: FlakyResult::Pass,
    };
    let elapsed = Duration::from_secs(300);
    results.keep(&opened, &RunReport { header, files, elapsed, end: RunEnd::Completed })?;
    Ok(())
}

/// Most files pass or fail as they did before; the number of failing ones goes down, some flip for a run or two.
fn report(run: u64, file: u64, started: i64) -> FileReport {
    let chance = mixed([file, 1, 0]) % 1000;
    let limit = 650_u64.saturating_sub(run / 2).max(150);
    let flips = mixed([run, file, 2]).is_multiple_of(400);
    let failing = (chance < limit) != flips;
    let mut report = FileReport::new(&name(file), FileEnd::Completed);
    let milliseconds = 50 + mixed([file, 3, 0]) % 900;
    report.elapsed = Duration::from_millis(milliseconds * (90 + mixed([run, file, 4]) % 20) / 100);
    report.engine_time = Some(report.elapsed * 9 / 10);
    report.peak_memory = Some((60 << 20) + mixed([run, file, 5]) % (40 << 20));
    report.finished = Some(started + i64::try_from(file * 480).unwrap_or(0));
    report.slowest = (0..3)
        .map(|place: u32| SlowRecord {
            id: RecordId::at(100 * place + 7),
            elapsed: report.elapsed / (place + 4),
            sql: format!("SELECT a, b, c FROM tab{place} WHERE a BETWEEN {file} AND {}", file + 10),
        })
        .collect();
    report.counts = Counts { total: RECORDS, executed: RECORDS, passed: RECORDS, ..Counts::default() };
    if failing {
        fail(&mut report, file);
    }
    report
}

fn fail(report: &mut FileReport, file: u64) {
    let kinds = ["no such function: _", "Column '_' not found", "Parse error: expected _ at #"];
    report.counts.passed -= FAILING;
    report.counts.failed += FAILING;
    report.groups = (0..3_u32)
        .map(|place| FailureGroup {
            kind: if place == 0 { "rows_differ" } else { "unexpected_error" }.to_owned(),
            what: if place == 0 { "form of a number" } else { kinds[place as usize] }.to_owned(),
            records: (0..FAILING).filter(|number| number % 3 == u64::from(place)).count() as u64,
            first: RecordId::at(11 + place * 9),
        })
        .collect();
    for number in 0..FAILING {
        let line = u32::try_from(11 + number * 9).unwrap_or(u32::MAX);
        let group = u32::try_from(number % 3).unwrap_or(0);
        let detail = (number < DETAILS).then(|| Box::new(detail(file, number, group)));
        let (id, key) = (RecordId::at(line), Some(RecordKey(mixed([file, number, 6]))));
        report.failures.push(FailingRecord { id, key, group: Some(group), detail });
    }
}

fn detail(file: u64, number: u64, group: u32) -> FailureDetail {
    let values = |ending: &str| Excerpt {
        values: (0..12).map(|value| format!("{}{ending}", mixed([file, number, value]) % 10_000)).collect(),
        ..Excerpt::default()
    };
    let problem = if group == 0 {
        Problem::Mismatch(Mismatch::Rows { expected: values(".000"), actual: values(""), columns: 3 })
    } else {
        let error = SqlError::new(format!("Column 'col{}' not found", mixed([file, number, 7]) % 9));
        Problem::UnexpectedError { error, after_rows: false }
    };
    FailureDetail {
        header: "query III rowsort".to_owned(),
        sql: format!(
            "SELECT pk, col0, col{} FROM tab{} WHERE (col3 > {number} AND col0 <= {file}) OR col4 IN (1, 2)",
            number % 5,
            file % 4
        ),
        problem,
        unhashed: None,
    }
}
