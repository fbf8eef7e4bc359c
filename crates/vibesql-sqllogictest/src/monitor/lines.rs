//! One line for each file.

use std::io::Write;

use crate::event::{EventSink, RunEvent, SinkError};
use crate::outcome::{Counts, FileEnd, FileReport, FileStatus};
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
}

impl<W: Write> EventSink for Lines<W> {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        match event {
            RunEvent::FileFinished(report) => {
                self.file(report).map_err(|source| SinkError { what: "progress", source })
            }
            RunEvent::Stopping { running } => {
                let files = plural(*running as u64, "file");
                let note = format!("stopping after {files} still running; Ctrl-C again stops at once");
                writeln!(self.out, "{} {note}", Role::Warn.paint("note:"))
                    .map_err(|source| SinkError { what: "progress", source })
            }
            RunEvent::WorkerLost { shown, line, how, again: true } => {
                let place = line.map(|line| format!(":{line}")).unwrap_or_default();
                let note = format!("worker lost at {shown}{place}: it {how}; the file is given to another");
                writeln!(self.out, "{} {note}", Role::Warn.paint("note:"))
                    .map_err(|source| SinkError { what: "progress", source })
            }
            RunEvent::WorkerLost { .. }
            | RunEvent::RunStarted(_)
            | RunEvent::FileStarted { .. }
            | RunEvent::RunFinished { .. } => Ok(()),
        }
    }
}

/// A status as it stands at the start of a line.
pub(crate) fn status_word(status: FileStatus) -> (Role, &'static str) {
    match status {
        FileStatus::Passed => (Role::Pass, "PASS"),
        FileStatus::Failed => (Role::Fail, "FAIL"),
        FileStatus::TimedOut => (Role::Fail, "TIMEOUT"),
        FileStatus::Empty => (Role::Warn, "EMPTY"),
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
