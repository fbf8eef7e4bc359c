//! Generated histories: folders of results with the journals of several runs, the same for the same seed.
//!
//! They have what real ones have: files that pass today and fail tomorrow, crashes, time limits, files without a result,
//! runs that were interrupted and taken up again, two engines, commits and branches – and texts that break what is not
//! careful with them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vibesql_sqllogictest::engine::{EngineId, SqlError};
use vibesql_sqllogictest::event::{EventSink as _, RunEvent};
use vibesql_sqllogictest::executor::{Permissions, Settings};
use vibesql_sqllogictest::location::FileId;
use vibesql_sqllogictest::outcome::{
    Attempt, Counts, Excerpt, ExitHow, FailingRecord, FailureDetail, FailureGroup, Fault, FileEnd,
    FileProblem, FileReport, FileStatus, FlakyResult, Mismatch, Problem, RecordId, RecordKey, RunEnd,
    RunHeader, SlowRecord, StatementKind,
};
use vibesql_sqllogictest::results::{CiRun, Circumstances, Commit, JournalWriter, Opened};

use crate::support::options;

/// The beginning of the day that all runs are of, 2026-11-22 in UTC, in milliseconds since 1970.
pub(crate) const DAY: i64 = 1_795_305_600_000;

/// The seconds between two runs.
const BETWEEN: i64 = 600;

/// Texts that break what is not careful with them.
pub(crate) const HOSTILE: [&str; 12] = [
    "no such column: x1",
    "'); DROP TABLE test_runs; --",
    "\\'",
    "a\nb\r\n\tc",
    "nul\0nul",
    "👩‍👩‍👧 é",
    "\u{202e}desrever",
    "\"quoted\" `too` 'and so'",
    "{\"crc32\":\"00000000\",\"entry\":1}",
    "",
    "%s ?1 :name $x @y",
    "NULL",
];

/// A simple generator of numbers.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        let mut numbers = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995);
        numbers.below(2);
        numbers
    }

    /// A number below this.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    pub(crate) fn one_of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    fn line(&mut self) -> u32 {
        self.below(900) as u32 + 1
    }
}

/// A run, as its journal has it.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) opened: Opened,
    /// What was written each time that it was begun or taken up.
    pub(crate) sessions: Vec<Vec<RunEvent>>,
}

impl Run {
    /// Writes the first sessions of its journal into a folder of results, as the program does it.
    pub(crate) fn write_sessions(&self, results: &Path, sessions: usize) {
        let folder = results.join("runs").join(&self.name);
        std::fs::create_dir_all(&folder).unwrap();
        // As it is left by a run.
        std::fs::write(folder.join("lock"), "").unwrap();
        let path = folder.join("journal.jsonl");
        for (number, events) in self.sessions[..sessions].iter().enumerate() {
            let mut journal = match &events[0] {
                RunEvent::RunStarted(header) if number == 0 => {
                    JournalWriter::begin(&path, self.opened.clone(), header).unwrap()
                }
                _ => JournalWriter::resume(&path, self.opened.started + 60_000).unwrap(),
            };
            events.iter().for_each(|event| journal.on_event(event).unwrap());
        }
    }

    pub(crate) fn write(&self, results: &Path) {
        self.write_sessions(results, self.sessions.len());
    }
}

/// The names that files have in all histories. Folders make categories.
fn file_name(number: usize) -> String {
    match number {
        1 => "it's a 'name'; --.test".to_owned(),
        2 => "select/Ü\u{202e}\n.test".to_owned(),
        _ => format!("{}/{}/f{number}.test", ["select", "evidence", "index"][number % 3], number % 2),
    }
}

/// Makes the runs of a history, the oldest first.
pub(crate) fn runs(seed: u64, runs: usize, files: usize) -> Vec<Run> {
    (0..runs).map(|number| run(seed, number, files)).collect()
}

fn run(seed: u64, number: usize, files: usize) -> Run {
    let mut numbers = Numbers::new(seed * 1000 + number as u64);
    // The third of a second, now and then: two runs may begin in the same one.
    let twin = number % 4 == 3;
    let seconds = BETWEEN * (number - usize::from(twin)) as i64;
    let clock = format!("{:02}{:02}{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    let name = format!("20261122-{clock}{}", if twin { "-2" } else { "" });
    let started = DAY + seconds * 1000 + numbers.below(1000) as i64;
    let engine = ["sqlite", "sqlite", "vibesql"][number % 3];
    let header = RunHeader {
        engine: EngineId::new(engine, format!("3.{number}")),
        labels: vec![engine.to_owned(), numbers.one_of(&HOSTILE).to_owned()],
        exact: number % 2 == 1,
        files,
        flaky: FlakyResult::Pass,
    };
    let places = (0..files)
        .map(|file| (FileId::from(&file_name(file)), PathBuf::from(format!("/suite/{file}"))))
        .collect();
    let opened = opened(&mut numbers, &name, started, number, places);
    let sessions = sessions(&mut numbers, seed, number, &header, started);
    Run { name, opened, sessions }
}

fn opened(
    numbers: &mut Numbers,
    name: &str,
    started: i64,
    number: usize,
    places: BTreeMap<FileId, PathBuf>,
) -> Opened {
    let text = |numbers: &mut Numbers| numbers.one_of(&HOSTILE).to_owned();
    let settings = Settings {
        engine: "sqlite".to_owned(),
        options: options(&["sqlite"]),
        dialect: number.is_multiple_of(2).then(|| "sqlite".to_owned()),
        exact: number % 2 == 1,
        permissions: Permissions { shell: number % 3 == 1, outside: number % 3 == 2 },
    };
    let circumstances = Circumstances {
        host: text(numbers),
        system: "Linux 6.1".to_owned(),
        cpus: 2,
        workers: number,
        budget: (number % 2 == 1).then_some(Duration::from_millis(1_500)),
        seed: Some(u64::MAX),
        commit: (number % 3 != 2).then(|| Commit {
            hash: format!("{number:040x}"),
            branch: number.is_multiple_of(2).then(|| text(numbers)),
            dirty: number % 2 == 1,
        }),
        ci: (number % 2 == 1).then(|| CiRun { id: text(numbers), url: None }),
        suite: vec![text(numbers), "b".to_owned()],
        corpus_commit: Some(text(numbers)),
        engine_hash: None,
        is_part: false,
        shard: None,
        combined: None,
    };
    let command = vec!["run".to_owned(), text(numbers)];
    Opened::new(name, started, command, "/".into(), settings, circumstances, places)
}

/// What is written to the journal, each time that the run is taken up.
fn sessions(
    numbers: &mut Numbers,
    seed: u64,
    number: usize,
    header: &RunHeader,
    started: i64,
) -> Vec<Vec<RunEvent>> {
    // Each fifth run is killed, each seventh interrupted and taken up again.
    let killed = number % 5 == 4;
    let again = number % 7 == 1;
    let mut sessions = vec![vec![RunEvent::RunStarted(header.clone())]];
    for file in 0..header.files {
        if numbers.below(12) == 0 || (killed && file * 2 > header.files) {
            continue;
        }
        if again && file == header.files / 2 {
            let end = RunEvent::RunFinished { elapsed: Duration::from_millis(70), end: RunEnd::Interrupted };
            sessions.last_mut().unwrap().push(end);
            sessions.push(vec![RunEvent::RunStarted(header.clone())]);
        }
        let mut report = report(seed, number, file);
        report.elapsed = Duration::from_micros(numbers.below(3_000_000));
        report.engine_time = (number > 0).then(|| Duration::from_millis(numbers.below(500)));
        for kind in StatementKind::ALL.iter().copied().take(numbers.below(4) as usize) {
            for _ in 0..numbers.below(5) {
                report.times.add(kind, Duration::from_nanos(numbers.below(1 << 30)));
            }
        }
        report.finished = (number > 0).then(|| started + numbers.below(60_000) as i64);
        report.peak_memory = (file % 2 == 0).then_some(numbers.below(1 << 40));
        if let FileEnd::Faulted { id, fault: Fault::Died { how, .. } } = &report.end {
            let (shown, record, how) = (report.shown.clone(), id.clone(), *how);
            sessions.last_mut().unwrap().push(RunEvent::WorkerLost { shown, record, how, again: false });
        }
        sessions.last_mut().unwrap().push(RunEvent::FileFinished(Box::new(report)));
    }
    if !killed {
        let end = match number % 6 {
            0..=3 => RunEnd::Completed,
            4 => RunEnd::EnoughFailed,
            _ => RunEnd::BudgetSpent,
        };
        let elapsed = Duration::from_millis(numbers.below(100_000));
        sessions.last_mut().unwrap().push(RunEvent::RunFinished { elapsed, end });
    }
    sessions
}

/// How a file ends in a run: mostly as in the run before.
fn report(seed: u64, run: usize, file: usize) -> FileReport {
    // Files change at different times.
    let version = (run + file) / 4;
    let mut numbers = Numbers::new(seed.wrapping_mul(7919) + (version * 1000 + file) as u64);
    let text = |numbers: &mut Numbers| numbers.one_of(&HOSTILE).to_owned();
    let mut report = FileReport::new(&file_name(file), FileEnd::Completed);
    report.shown = format!("suite/{}", report.file);
    let records = numbers.below(50) + 12;
    report.counts = Counts { total: records, executed: records, passed: records, ..Counts::default() };
    match numbers.below(14) {
        0..=3 => {}
        4 => {
            report.counts =
                Counts { total: records, skipped: records, skipped_besides: 0, ..Counts::default() }
        }
        5 => {
            let before = Attempt {
                status: FileStatus::Failed,
                elapsed: Duration::from_millis(numbers.below(100)),
                first: None,
            };
            report.attempts = vec![before.clone(), before];
        }
        6 => {
            let problem = match numbers.below(5) {
                0 => FileProblem::Unreadable(text(&mut numbers)),
                1 => FileProblem::Died(ExitHow::Signal(9)),
                2 => FileProblem::TimedOut,
                3 => FileProblem::OutOfMemory { used: 1 << 31, limit: 1 << 30 },
                _ => FileProblem::Engine(text(&mut numbers)),
            };
            (report.end, report.counts) = (FileEnd::NotStarted(problem), Counts::default());
        }
        7 => {
            report.end = FileEnd::TimedOut { id: Some(RecordId::at(numbers.line())) };
            (report.counts.passed, report.counts.executed, report.counts.not_reached) = (5, 5, records - 5);
        }
        8 => {
            let fault = match numbers.below(3) {
                0 => Fault::Panicked(text(&mut numbers)),
                1 => Fault::OutOfMemory { used: 1 << 40, limit: 1 << 39, after: None },
                _ => {
                    let message = Some(text(&mut numbers));
                    Fault::Died { how: ExitHow::Signal(11), message, after: Some(Duration::from_millis(3)) }
                }
            };
            let line = 70_000;
            fail(&mut report, &mut numbers, 1, |_| Problem::Fault(fault.clone()));
            report.end = FileEnd::Faulted { id: Some(RecordId::at(line)), fault };
        }
        9 => fail(&mut report, &mut numbers, 2, |_| Problem::TimedOut { after: Duration::from_secs(1) }),
        10 => {
            // As another program tells of it.
            fail(&mut report, &mut numbers, 3, what);
            report.groups.clear();
            report.failures.iter_mut().for_each(|record| (record.key, record.group) = (None, None));
        }
        _ => {
            let most = 1 + numbers.below(11);
            fail(&mut report, &mut numbers, most, what);
        }
    }
    report.slowest = (0..numbers.below(3))
        .map(|number| SlowRecord {
            id: RecordId::at(numbers.line()),
            elapsed: Duration::from_micros(123_457 / (number + 1)),
            sql: text(&mut numbers),
        })
        .collect();
    report
}

/// Some way in which a record does not do what it should.
fn what(numbers: &mut Numbers) -> Problem {
    let text = numbers.one_of(&HOSTILE).to_owned();
    let excerpt = |values: &[&str]| Excerpt {
        omitted_before: 0,
        values: values.iter().map(|&value| value.to_owned()).collect(),
        omitted_after: 3,
    };
    match numbers.below(5) {
        0 => {
            let (expected, actual) = (excerpt(&["1", "2"]), excerpt(&["1", &text]));
            Problem::Mismatch(Mismatch::Rows { expected, actual, columns: 1 })
        }
        1 => Problem::UnexpectedSuccess,
        2 => Problem::Mismatch(Mismatch::ColumnCount { expected: 2, actual: 1 }),
        3 => Problem::Unsupported(text),
        _ => Problem::UnexpectedError { error: SqlError { message: text, code: None }, after_rows: false },
    }
}

/// So many records of the report do not pass; the first of them have details.
fn fail(
    report: &mut FileReport,
    numbers: &mut Numbers,
    most: u64,
    mut what: impl FnMut(&mut Numbers) -> Problem,
) {
    let counts = &mut report.counts;
    for number in 0..most {
        let line = number as u32 * 10 + 1;
        let what = what(numbers);
        *match &what {
            Problem::Mismatch(_)
            | Problem::UnexpectedError { .. }
            | Problem::UnexpectedSuccess
            | Problem::Reported(_) => &mut counts.failed,
            Problem::Unsupported(_) | Problem::NotAllowed(_) => &mut counts.unsupported,
            Problem::TimedOut { .. } => &mut counts.timed_out,
            Problem::Malformed { .. } => &mut counts.malformed,
            Problem::Fault(_) => &mut counts.faulted,
        } += 1;
        counts.passed -= 1;
        let kind = what.word().to_owned();
        let common = format!("{} {}", kind, numbers.one_of(&HOSTILE));
        let known = report.groups.iter().position(|group| group.kind == kind);
        let place = known.unwrap_or(report.groups.len());
        match report.groups.get_mut(place) {
            Some(group) => group.records += 1,
            None => {
                report.groups.push(FailureGroup {
                    kind,
                    what: common,
                    records: 1,
                    first: RecordId::at(line),
                });
            }
        }
        let key = RecordKey(numbers.below(1 << 31) << 32 | u64::from(line));
        let detail = (number < 4).then(|| {
            let (header, sql) = ("statement ok".to_owned(), format!("SELECT {}", numbers.one_of(&HOSTILE)));
            Box::new(FailureDetail { header, sql, problem: what, unhashed: None })
        });
        let (id, group) = (RecordId::at(line), Some(place as u32));
        report.failures.push(FailingRecord { id, key: Some(key), group, detail });
    }
}

/// Copies a folder with everything in it.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
