//! Running scripts through the library.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use vibesql_sqllogictest::engine::sqlite::Sqlite;
use vibesql_sqllogictest::engine::{Engine, Session};
use vibesql_sqllogictest::engines;
use vibesql_sqllogictest::executor::{DetailLimits, Options, Selection, run_script};
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::outcome::{FileReport, StatementTimes};
use vibesql_sqllogictest::parser::{self, parse};

/// The pause between two looks at something that is awaited: a busy loop takes a core from what it waits for.
const PAUSE: Duration = Duration::from_millis(5);

/// Waits until a condition holds, and fails after two minutes.
#[expect(clippy::disallowed_methods, reason = "a test that waits gives up after a while")]
pub(crate) fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_there() {
        assert!(start.elapsed() < Duration::from_secs(120), "{what} did not come");
        std::thread::park_timeout(PAUSE);
    }
}

/// Waits for a point in time, or for the end of `child` if that comes first.
#[expect(clippy::disallowed_methods, reason = "the point in time is one of the real clock")]
pub(crate) fn wait_until(moment: Instant, child: &mut Child) {
    while child.try_wait().unwrap().is_none() {
        let rest = moment.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return;
        }
        // The rest is exact, so that a random moment stays random.
        std::thread::park_timeout(rest.min(PAUSE));
    }
}

/// Sends a signal, like `INT`, to a process. The shell's own `kill` does it: a machine need not have the program.
pub(crate) fn send_signal(signal: &str, process: u32) {
    let command = format!("kill -{signal} {process}");
    assert!(std::process::Command::new("sh").args(["-c", &command]).status().unwrap().success());
}

pub(crate) fn manifest() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Shared material of the developers' machines: the environment's word for where it is, or beside the project.
pub(crate) fn shared() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
    let named = std::env::var_os("SLT_SHARED").map(PathBuf::from);
    let shared = named.unwrap_or_else(|| manifest().join("../../../shared"));
    shared.is_dir().then_some(shared)
}

/// All `.test` files below a folder, sorted.
pub(crate) fn test_files(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "test") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

pub(crate) fn options(labels: &[&str]) -> Options {
    Options {
        labels: labels.iter().map(|&label| label.to_owned()).collect(),
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 1000, values: 1000 },
    }
}

/// The default connection of a new database.
pub(crate) fn session(engine: &dyn Engine) -> Box<dyn Session> {
    engine.create_database().unwrap().connect(None, None).unwrap()
}

pub(crate) fn run_on(engine: &dyn Engine, name: &str, text: &[u8], exact: bool) -> FileReport {
    let source = Source::new(name, text);
    let profile = parser::profile("sqlite", exact).unwrap();
    let labels = engine.describe().unwrap().labels;
    let labels: Vec<_> = labels.iter().map(String::as_str).collect();
    run_script(&parse(&source, profile), engine, &options(&labels), Selection::All)
}

pub(crate) fn run_sqlite(name: &str, text: &[u8], exact: bool) -> FileReport {
    run_on(&Sqlite, name, text, exact)
}

/// The lines of the records that have not passed.
pub(crate) fn failing_lines(report: &FileReport) -> Vec<u32> {
    report.failures.iter().map(|record| record.id.line).collect()
}

pub(crate) fn run_scripted(text: &str) -> FileReport {
    let engine = engines::builtin().make("scripted").unwrap();
    run_on(engine.as_ref(), "scripted.test", text.as_bytes(), false)
}

/// The processes of this machine whose command lines, with a space between the words, contain `text`.
#[cfg(target_os = "linux")]
pub(crate) fn processes_with(text: &str) -> Vec<u32> {
    let process = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        let pid = entry.file_name().to_str()?.parse().ok()?;
        // A process that has ended meanwhile cannot be read.
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        String::from_utf8_lossy(&line).replace('\0', " ").contains(text).then_some(pid)
    };
    std::fs::read_dir("/proc").unwrap().filter_map(process).collect()
}

/// The processes of this machine whose command lines, with a space between the words, contain `text`.
#[cfg(not(target_os = "linux"))]
pub(crate) fn processes_with(text: &str) -> Vec<u32> {
    let listed = std::process::Command::new("ps").args(["-axww", "-o", "pid=,command="]).output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let process = |line: &str| {
        let (pid, line) = line.trim_start().split_once(' ')?;
        line.contains(text).then_some(pid.parse().ok()?)
    };
    listed.lines().filter_map(process).collect()
}

/// The numbers of records by kind of statement, without their times.
pub(crate) fn without_durations(times: &StatementTimes) -> StatementTimes {
    let mut counted = StatementTimes::default();
    for (kind, times) in times.iter() {
        (0..times.count()).for_each(|_| counted.add(kind, Duration::ZERO));
    }
    counted
}

/// Takes out of a JSON report what differs from run to run.
pub(crate) fn without_measurements(report: &mut serde_json::Value) {
    report["duration_ms"] = serde_json::Value::Null;
    for times in report["statement_times"].as_array_mut().into_iter().flatten() {
        times.as_object_mut().unwrap().retain(|name, _| !name.ends_with("_ms"));
    }
    // The order is that of the times.
    report["statement_times"]
        .as_array_mut()
        .into_iter()
        .for_each(|times| times.sort_by_key(|times| times["statement_kind"].as_str().map(str::to_owned)));
    for file in report["files"].as_array_mut().unwrap() {
        for failure in file["failures"].as_array_mut().unwrap() {
            failure.as_object_mut().unwrap().remove("duration_ms");
        }
        for attempt in
            file.get_mut("attempts").and_then(|attempts| attempts.as_array_mut()).into_iter().flatten()
        {
            attempt["duration_ms"] = serde_json::Value::Null;
            attempt["failure"].as_object_mut().map(|failure| failure.remove("duration_ms"));
        }
        (file["duration_ms"], file["peak_memory"]) = (serde_json::Value::Null, serde_json::Value::Null);
    }
}
