//! One line for each file.

use std::io::Write;

use crate::event::{EventSink, RunEvent, Running, SinkError};
use crate::outcome::{Counts, FileEnd, FileReport, FileStatus, RunEnd, bytes};
use crate::text::count::{duration, plural, thousands};
use crate::text::failure::headline;
use crate::text::style::Role;

/// Writes a line for each finished file, and for one that did not pass where it first went wrong.
pub(crate) struct Lines<W> {
    out: W,
    /// Whether files that passed are left out.
    only_failing: bool,
    /// The width of the column of files.
    width: usize,
}

impl<W: Write> Lines<W> {
    pub(crate) fn new(out: W, only_failing: bool, width: usize) -> Self {
        Self { out, only_failing, width }
    }

    fn file(&mut self, report: &FileReport) -> std::io::Result<()> {
        let status = report.status();
        if self.only_failing && status == FileStatus::Passed {
            return Ok(());
        }
        let (role, word) = status_word(status);
        let width = self.width;
        writeln!(
            self.out,
            "{} {:width$}  {}  {}",
            role.paint(format_args!("{word:<7}")),
            report.shown,
            account(report),
            Role::Faint.paint(duration(report.elapsed))
        )?;
        if let Some(detail) = report.details.first() {
            let place = format!("{}:{}", report.shown, detail.line);
            writeln!(self.out, "        {place}: {}", headline(&detail.what))?;
        }
        self.out.flush()
    }

    /// What runs now, with what is known of it.
    fn running(&mut self, running: &[Running], done: usize) -> std::io::Result<()> {
        let (files, done) = (plural(running.len() as u64, "file"), plural(done as u64, "file"));
        writeln!(self.out, "{} {files} running, {done} done", Role::Hint.paint("now:"))?;
        for file in running {
            let line = file.record.map(|(line, _)| line);
            let record = file.record.map(|(_, time)| format!("  the record for {}", duration(time)));
            let total = file.total.map_or_else(String::new, |total| format!(" of {}", thousands(total)));
            let memory = file.memory.map_or_else(String::new, |memory| format!("  {}", bytes(memory)));
            writeln!(
                self.out,
                "        {}  {}{}  {}{total} records{memory}",
                place(&file.shown, line),
                duration(file.elapsed),
                record.unwrap_or_default(),
                thousands(file.settled),
            )?;
        }
        self.out.flush()
    }
}

impl<W: Write> EventSink for Lines<W> {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        match event {
            RunEvent::FileFinished(report) => self.file(report),
            RunEvent::Asked { running, done } => self.running(running, *done),
            event => match note(event) {
                Some(note) => writeln!(self.out, "{} {note}", Role::Warn.paint("note:")),
                None => return Ok(()),
            },
        }
        .map_err(|source| SinkError { what: "progress", source })
    }
}

/// What is said of an event in passing.
fn note(event: &RunEvent) -> Option<String> {
    Some(match event {
        RunEvent::Resumed { done } => format!("{} done already", plural(done.files, "file")),
        RunEvent::Slow { shown, line, elapsed, limit } => {
            let limit =
                limit.map_or_else(String::new, |limit| format!("; it is stopped at {}", duration(limit)));
            format!("slow: {}, running for {}{limit}", place(shown, *line), duration(*elapsed))
        }
        RunEvent::Stopping { running, why } => {
            let files = plural(*running as u64, "file");
            match why {
                RunEnd::BudgetSpent => format!("time is over, {files} still running"),
                _ => format!("stopping after {files} still running; Ctrl-C again stops at once"),
            }
        }
        RunEvent::WorkerLost { shown, line, how, again: true } => {
            format!("worker lost at {}: it {how}; the file is given to another", place(shown, *line))
        }
        RunEvent::Retried { shown, status, left } => {
            let left = match left {
                0 => "the last time".to_owned(),
                left => format!("and up to {} more", plural(u64::from(*left), "time")),
            };
            format!("{} {shown}, which is run again, {left}", status_word(*status).1)
        }
        RunEvent::NotSplit { shown } => format!("{shown} is run whole: its slices make no report"),
        RunEvent::Helper { number, came: true } => format!("helper {number} has come"),
        RunEvent::Helper { number, came: false } => format!("helper {number} has gone"),
        RunEvent::WorkerLost { again: false, .. }
        | RunEvent::RunStarted(_)
        | RunEvent::TaskStarted { .. }
        | RunEvent::TaskEnded { .. }
        | RunEvent::FileFinished(_)
        | RunEvent::Asked { .. }
        | RunEvent::RunFinished { .. } => return None,
    })
}

fn place(shown: &str, line: Option<u32>) -> String {
    line.map_or_else(|| shown.to_owned(), |line| format!("{shown}:{line}"))
}

/// A status as it stands at the start of a line.
pub(crate) fn status_word(status: FileStatus) -> (Role, &'static str) {
    match status {
        FileStatus::Passed => (Role::Pass, "PASS"),
        FileStatus::Failed => (Role::Fail, "FAIL"),
        FileStatus::TimedOut => (Role::Fail, "TIMEOUT"),
        FileStatus::Empty => (Role::Warn, "EMPTY"),
        FileStatus::Flaky => (Role::Warn, "FLAKY"),
        FileStatus::OutOfMemory => (Role::Fail, "OOM"),
        FileStatus::Crashed => (Role::Fail, "CRASH"),
        FileStatus::Error => (Role::Fail, "ERROR"),
    }
}

/// What became of the records of a file, in words.
pub(crate) fn account(report: &FileReport) -> String {
    let counts = &report.counts;
    match &report.end {
        FileEnd::NotStarted(problem) => return problem.to_string(),
        FileEnd::Faulted { line: Some(line), fault } => {
            return format!("line {line}: {fault}; {}", parts(counts));
        }
        FileEnd::Faulted { line: None, fault } => return format!("{fault}; {}", parts(counts)),
        FileEnd::TimedOut { .. }
        | FileEnd::Completed
        | FileEnd::Halted { .. }
        | FileEnd::Malformed { .. } => {}
    }
    match report.status() {
        FileStatus::Empty => {
            let besides = parts(counts);
            if besides.is_empty() {
                "no records".to_owned()
            } else {
                format!("nothing was executed: {besides}")
            }
        }
        _ => parts(counts),
    }
}

/// `12 passed, 3 skipped`; what is 0 is not mentioned.
fn parts(counts: &Counts) -> String {
    if counts.passed == counts.total && counts.skipped == 0 && counts.total > 0 {
        return plural(counts.total, "record");
    }
    let parts = [
        (counts.passed, "passed"),
        (counts.failed, "failed"),
        (counts.timed_out, "timed out"),
        (counts.faulted, "crashed"),
        (counts.malformed, "malformed"),
        (counts.unsupported, "unsupported"),
        (counts.skipped, "skipped"),
        (counts.not_reached, "not reached"),
    ];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", thousands(*count)))
        .collect();
    parts.join(", ")
}
