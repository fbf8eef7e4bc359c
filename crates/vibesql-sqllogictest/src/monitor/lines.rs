//! Prints a line for each file.

use std::io::Write;

use slt_core::outcome::{FileReport, FileStatus, RecordId, RunEnd, bytes};
use slt_runner::event::{EventSink, RunEvent, RunningFile, SinkError};
use slt_runner::text::count::{duration, plural, thousands};
use slt_runner::text::detail::write_stderr;
use slt_runner::text::failure::{headline, other_attempt, place, place_of};
use slt_runner::text::file::{account, status_word};
use slt_runner::text::style::Role;
use slt_runner::text::visible::one_line;
use slt_runner::text::written;

/// The amount of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// No lines for files that passed.
    Quiet,
    /// A line for each file, and the first failure of each file that did not pass.
    Normal,
    /// Everything about a file, and a line when it starts.
    Verbose,
}

/// Writes a line for each finished file, and its failures below it.
pub(crate) struct ResultLines<W> {
    out: W,
    verbosity: Verbosity,
    /// The width of the column of files.
    width: usize,
}

impl<W: Write> ResultLines<W> {
    pub(crate) fn new(out: W, verbosity: Verbosity, width: usize) -> Self {
        Self { out, verbosity, width }
    }

    fn file(&mut self, report: &FileReport) -> std::io::Result<()> {
        let status = report.status();
        if self.verbosity == Verbosity::Quiet && status == FileStatus::Passed {
            return Ok(());
        }
        let verbose = self.verbosity == Verbosity::Verbose;
        let (role, word) = status_word(status);
        let width = self.width;
        writeln!(
            self.out,
            "{} {:width$}  {}  {}{}",
            role.paint(format_args!("{word:<7}")),
            one_line(&report.shown),
            account(report),
            Role::Faint.paint(duration(report.elapsed)),
            if verbose { Role::Faint.paint(measures(report)).to_string() } else { String::new() }
        )?;
        let most = if verbose { usize::MAX } else { 1 };
        for detail in report.details().take(most) {
            writeln!(self.out, "        {}: {}", place_of(report, detail.id), headline(detail.problem))?;
        }
        if let Some(attempt) = other_attempt(report) {
            writeln!(self.out, "        {attempt}")?;
        }
        if verbose {
            self.details(report)?;
        }
        self.out.flush()
    }

    /// Writes the details of a file for verbose output.
    fn details(&mut self, report: &FileReport) -> std::io::Result<()> {
        if report.details_omitted() > 0 {
            let more = plural(report.details_omitted(), "more failing record");
            writeln!(self.out, "        {more} (--max-details)")?;
        }
        let stderr = written(|text| write_stderr(text, report, usize::MAX, "", "        "));
        self.out.write_all(stderr.as_bytes())?;
        for lint in &report.lints {
            let place = place(&report.shown, Some(&RecordId::at(lint.line)));
            writeln!(self.out, "        {} {place}: {}", Role::Warn.paint("note:"), lint.kind)?;
        }
        Ok(())
    }

    fn started(&mut self, shown: &str) -> std::io::Result<()> {
        if self.verbosity == Verbosity::Verbose {
            let shown = one_line(shown);
            writeln!(self.out, "{} {shown}", Role::Faint.paint(format_args!("{:<7}", "START")))?;
            self.out.flush()?;
        }
        Ok(())
    }

    /// Writes the running files.
    fn running(&mut self, running: &[RunningFile], done: usize) -> std::io::Result<()> {
        let (files, done) = (plural(running.len() as u64, "file"), plural(done as u64, "file"));
        writeln!(self.out, "{} {files} running, {done} done", Role::Hint.paint("now:"))?;
        for file in running {
            let id = file.record.as_ref().map(|(id, _)| id);
            let record =
                file.record.as_ref().map(|(_, time)| format!("  the record for {}", duration(*time)));
            let records = match file.total {
                Some(total) => format!("{} of {}", thousands(file.settled), plural(total, "record")),
                None => plural(file.settled, "record"),
            };
            let memory = file.memory.map_or_else(String::new, |memory| format!("  {}", bytes(memory)));
            writeln!(
                self.out,
                "        {}  {}{}  {records}{memory}",
                place(&file.shown, id),
                duration(file.elapsed),
                record.unwrap_or_default(),
            )?;
        }
        self.out.flush()
    }
}

impl<W: Write> EventSink for ResultLines<W> {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        match event {
            RunEvent::FileFinished(report) => self.file(report),
            RunEvent::TaskStarted { shown, .. } => self.started(shown),
            RunEvent::Asked { running, done } => self.running(running, *done),
            event => match note(event) {
                Some(note) => writeln!(self.out, "{} {note}", Role::Warn.paint("note:")),
                None => return Ok(()),
            },
        }
        .map_err(|source| SinkError { what: "progress", source })
    }
}

/// Returns the note for an event; most events have none.
fn note(event: &RunEvent) -> Option<String> {
    Some(match event {
        RunEvent::Resumed { done } => format!("{} done already", plural(done.files, "file")),
        RunEvent::Slow { shown, record, elapsed, limit } => {
            let limit =
                limit.map_or_else(String::new, |limit| format!("; it is stopped at {}", duration(limit)));
            format!("slow: {}, running for {}{limit}", place(shown, record.as_ref()), duration(*elapsed))
        }
        RunEvent::Stopping { running, why } => {
            let files = plural(*running as u64, "file");
            match why {
                RunEnd::BudgetSpent => format!("time limit reached, {files} still running"),
                _ => format!("stopping, {files} still running; press Ctrl-C again to stop immediately"),
            }
        }
        RunEvent::WorkerLost { shown, record, how, again: true } => {
            format!(
                "worker lost at {}: it {how}; retrying the file on another worker",
                place(shown, record.as_ref())
            )
        }
        RunEvent::Retried { shown, status, left } => {
            let left = match left {
                0 => "the last time".to_owned(),
                left => format!("and up to {} more", plural(u64::from(*left), "time")),
            };
            format!("{} {}; retrying, {left}", status_word(*status).1, one_line(shown))
        }
        RunEvent::NotSplit { shown } => {
            format!("{} is run as a whole: its slices could not be merged", one_line(shown))
        }
        RunEvent::Helper { number, came: true } => format!("helper {number} joined"),
        RunEvent::Helper { number, came: false } => format!("helper {number} left"),
        _ => return None,
    })
}

/// Returns speed and memory of a file, such as `  1,234 records/s  56 MiB`. Only executed records count.
fn measures(report: &FileReport) -> String {
    let seconds = report.elapsed.as_secs_f64();
    let per_second = (report.counts.executed as f64 / seconds).round() as u64;
    let speed = if seconds > 0.0 { format!("  {} records/s", thousands(per_second)) } else { String::new() };
    let memory = report.peak_memory.map_or_else(String::new, |memory| format!("  {}", bytes(memory)));
    speed + &memory
}
