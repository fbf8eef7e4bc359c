//! Writes the events of a run for other programs, as JSON lines.
//!
//! docs/events.md describes every event and every field.

use std::io::Write;

use slt_core::outcome::{ExitHow, FlakyResult, RecordId, Totals};
use slt_insight::report::timings;
use slt_runner::event::{EventSink, RunEvent, RunningFile, SinkError};
use slt_runner::text::document;
use slt_runner::text::document::{end_word, milliseconds};
use slt_runner::text::object::{Each, Object, object};

/// The version of the lines. It increases when a field or an event is removed or changed, but not for new ones.
const FORMAT: u32 = 1;

/// Writes a line for each event.
pub(crate) struct EventStream<'n, W> {
    out: W,
    run: &'n str,
    /// The totals of finished files.
    totals: Totals,
    /// The result of flaky files.
    flaky: FlakyResult,
}

impl<'n, W: Write> EventStream<'n, W> {
    pub(crate) fn new(out: W, run: &'n str) -> Self {
        Self { out, run, totals: Totals::default(), flaky: FlakyResult::default() }
    }

    fn write(&mut self, event: &RunEvent) -> std::io::Result<()> {
        match event {
            RunEvent::RunStarted(header) => self.flaky = header.flaky,
            RunEvent::Resumed { done } => self.totals = *done,
            RunEvent::FileFinished(report) => self.totals.add(report),
            _ => {}
        }
        let mut text = serde_json::to_vec(&line(event, self.run, &self.totals, self.flaky))?;
        text.push(b'\n');
        self.out.write_all(&text)?;
        self.out.flush()
    }
}

impl<W: Write> EventSink for EventStream<'_, W> {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        self.write(event).map_err(|source| SinkError { what: "events", source })
    }
}

/// Returns the line of an event. `totals` are the sums up to the event.
fn line<'e>(event: &'e RunEvent, run: &'e str, totals: &Totals, flaky: FlakyResult) -> Object<'e> {
    let sums = |totals| document::files(totals, flaky).with("records", document::records(&totals.records));
    let line_of = |record: &Option<RecordId>| record.as_ref().map(|id| id.line);
    let named = |event: &'static str| object! { "format": FORMAT, "event": event };
    match event {
        RunEvent::RunStarted(header) => named("run-started")
            .with("run", run)
            .with("engine", document::engine(&header.engine, &header.labels))
            .with("exact", header.exact)
            .with("files", header.files),
        RunEvent::Resumed { done } => named("resumed").with("done", sums(done)),
        RunEvent::TaskStarted { task, shown, slice } => {
            let slice = slice.map(|slice| object! { "number": slice.index() + 1, "count": slice.count() });
            named("task-started").with("task", task).with("shown", shown).with("slice", slice)
        }
        RunEvent::AttemptEnded { shown, attempt, .. } => {
            named("attempt-ended").with("shown", shown).with("attempt", document::attempt(attempt))
        }
        RunEvent::NotSplit { shown } => named("not-split").with("shown", shown),
        RunEvent::TaskEnded { task } => named("task-ended").with("task", task),
        RunEvent::Slow { shown, record, elapsed, limit } => named("slow")
            .with("shown", shown)
            .with("line", line_of(record))
            .with("elapsed_ms", milliseconds(*elapsed))
            .with("limit_ms", limit.map(milliseconds)),
        RunEvent::WorkerLost { shown, record, how, again } => {
            let (exit_code, signal) = match how {
                ExitHow::Code(code) => (Some(code), None),
                ExitHow::Signal(signal) => (None, Some(signal)),
            };
            named("worker-lost")
                .with("shown", shown)
                .with("line", line_of(record))
                .with("exit_code", exit_code)
                .with("signal", signal)
                .with("message", how.to_string())
                .with("again", again)
        }
        RunEvent::Retried { shown, status, left } => {
            named("retried").with("shown", shown).with("status", status.word()).with("left", left)
        }
        RunEvent::Helper { number, came } => named("helper").with("number", number).with("came", came),
        RunEvent::Stopping { running, why } => {
            named("stopping").with("running", running).with("why", end_word(*why))
        }
        RunEvent::Suspended => named("suspended"),
        RunEvent::Continued => named("continued"),
        RunEvent::Asked { running, done } => {
            named("asked").with("done", done).with("running", Each(|| running.iter().map(running_file)))
        }
        RunEvent::TimingsStarted { workers } => named("timings-started").with("workers", workers),
        RunEvent::WorkerTimed(span) => named("worker-timed").with_all(timings::span(span)),
        RunEvent::FileFinished(report) => {
            named("file-finished").with("shown", &report.shown).with_all(document::file(report))
        }
        RunEvent::RunFinished { elapsed, end } => named("run-finished")
            .with("end", end_word(*end))
            .with("duration_ms", milliseconds(*elapsed))
            .with("summary", sums(totals)),
    }
}

fn running_file(file: &RunningFile) -> Object<'_> {
    object! {
        "shown": &file.shown,
        "line": file.record.as_ref().map(|(id, _)| id.line),
        "record_ms": file.record.as_ref().map(|(_, time)| milliseconds(*time)),
        "elapsed_ms": milliseconds(file.elapsed),
        "settled": file.settled,
        "total": file.total,
        "memory": file.memory,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use std::time::Duration;

    use super::*;
    use slt_core::engine::EngineId;
    use slt_core::executor::slice::Slice;
    use slt_core::location::FileId;
    use slt_core::outcome::{
        Attempt, Counts, FileEnd, FileReport, FileStatus, FileTimes, FlakyResult, RecordKey, RecordRef,
        RunEnd, RunHeader,
    };
    use slt_runner::event::timings::{SpanWork, WorkerSpan};

    fn report(file: &str, counts: Counts) -> Box<FileReport> {
        Box::new(FileReport {
            shown: format!("s/{file}"),
            counts,
            elapsed: Duration::from_millis(5),
            peak_memory: Some(7),
            stderr: Some("a warning".to_owned()),
            attempts: vec![Attempt { status: FileStatus::Failed, elapsed: Duration::ZERO, first: None }],
            left_out: vec![RecordRef { id: RecordId::at(9), key: Some(RecordKey(9)) }],
            ..FileReport::new(FileId::in_suite("s", file), FileEnd::Completed)
        })
    }

    /// One of each.
    fn events() -> Vec<RunEvent> {
        let time = Duration::from_millis(1500);
        let (shown, record) = ("s/a.test".to_owned(), Some(RecordId::at(4)));
        let engine = EngineId::new("e", "1");
        let labels = vec!["l".to_owned()];
        let passed = Counts { total: 2, executed: 2, passed: 2, ..Counts::default() };
        let mut done = Totals::default();
        done.add(&report("0.test", passed));
        vec![
            RunEvent::RunStarted(RunHeader {
                engine,
                labels,
                exact: false,
                files: 2,
                flaky: FlakyResult::Pass,
            }),
            RunEvent::Resumed { done },
            RunEvent::TaskStarted { task: 3, shown: shown.clone(), slice: Slice::new(0, 2) },
            RunEvent::Slow { shown: shown.clone(), record: record.clone(), elapsed: time, limit: None },
            RunEvent::WorkerLost {
                shown: shown.clone(),
                record: record.clone(),
                how: ExitHow::Signal(6),
                again: true,
            },
            RunEvent::WorkerLost {
                shown: shown.clone(),
                record: record.clone(),
                how: ExitHow::Code(3),
                again: false,
            },
            RunEvent::Retried { shown: shown.clone(), status: FileStatus::Failed, left: 0 },
            RunEvent::NotSplit { shown: shown.clone() },
            RunEvent::Helper { number: 1, came: true },
            RunEvent::Stopping { running: 1, why: RunEnd::BudgetSpent },
            RunEvent::Suspended,
            RunEvent::Continued,
            RunEvent::Asked {
                running: vec![RunningFile {
                    shown,
                    record: Some((RecordId::at(4), time)),
                    elapsed: time,
                    settled: 1,
                    total: Some(2),
                    memory: None,
                }],
                done: 1,
            },
            RunEvent::TimingsStarted { workers: 2 },
            RunEvent::WorkerTimed(WorkerSpan {
                place: 0,
                from: Duration::ZERO,
                to: time,
                work: SpanWork::File {
                    file: FileId::in_suite("s", "a.test"),
                    slice: Slice::new(0, 2),
                    helps: false,
                    times: FileTimes::lost(time),
                },
            }),
            RunEvent::TaskEnded { task: 3 },
            RunEvent::AttemptEnded {
                file: "a.test".into(),
                shown: "s/a.test".to_owned(),
                attempt: Box::new(Attempt { status: FileStatus::Crashed, elapsed: time, first: None }),
            },
            RunEvent::FileFinished(report("a.test", passed)),
            RunEvent::RunFinished { elapsed: time, end: RunEnd::BudgetSpent },
        ]
    }

    fn lines() -> Vec<Value> {
        let mut out = Vec::new();
        let mut stream = EventStream::new(&mut out, "r1");
        events().iter().for_each(|event| stream.on_event(event).unwrap());
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), events().len(), "an event is a line");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Returns the fields of each event in docs/events.md: the first column of the table below its heading.
    fn documented(text: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut events = BTreeMap::<String, BTreeSet<String>>::new();
        let mut event = None;
        for line in text.lines() {
            if line.starts_with('#') {
                event = line.strip_prefix("## `").and_then(|rest| rest.strip_suffix('`'));
                event.map(|event| events.entry(event.to_owned()).or_default());
            }
            let cell = line.strip_prefix("| ").and_then(|rest| rest.split(" | ").next());
            let (Some(event), Some(cell)) = (event, cell) else { continue };
            let names = cell.split(", ").filter_map(|name| name.strip_prefix('`')?.strip_suffix('`'));
            events.entry(event.to_owned()).or_default().extend(names.map(str::to_owned));
        }
        events
    }

    #[test]
    fn the_document_has_each_event_and_each_field() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/events.md");
        // A package taken from a registry has no repository around it.
        let Ok(text) = std::fs::read_to_string(path) else { return };
        let mut found = BTreeMap::<String, BTreeSet<String>>::new();
        for line in lines() {
            let fields =
                line.as_object().unwrap().keys().filter(|key| !["event", "format"].contains(&&***key));
            let event = line["event"].as_str().unwrap().to_owned();
            let known = found.entry(event.clone()).or_default();
            known.extend(fields.cloned());
            if let Some(nested) = line["slice"].as_object() {
                known.extend(nested.keys().map(|key| format!("slice.{key}")));
            }
            for nested in line["running"].as_array().into_iter().flatten() {
                known.extend(nested.as_object().unwrap().keys().map(|key| format!("running[].{key}")));
            }
        }
        assert_eq!(documented(&text), found);
    }
}
