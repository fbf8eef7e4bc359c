//! The timings of a run for programs.

use super::{FileTotal, TimingsSummary};
use crate::report::times::milliseconds;
use slt_core::location::FileId;
use slt_core::outcome::FileTimes;
use slt_runner::event::timings::{RunTimings, SessionTimings, SpanWork, WorkerSpan};
use slt_runner::text::object::{Each, Object, object};

/// Returns the timings of a run.
pub fn object(timings: &RunTimings) -> Object<'_> {
    let summary = TimingsSummary::new(timings);
    let mut parts = Object::default();
    for (name, time) in summary.parts() {
        parts = parts.with(name, milliseconds(time));
    }
    let ending = summary.ending.filter(|ending| ending.waiting > 0).map(|ending| {
        named(ending.file)
            .with("waiting_workers", ending.waiting)
            .with("longest_wait_ms", milliseconds(ending.longest))
    });
    object! {
        "workers": summary.workers,
        "duration_ms": milliseconds(summary.elapsed),
        "worker_ms": milliseconds(summary.worker_time),
        "parts_ms": parts,
        "last_file": ending,
        "files": summary.files.iter().map(file).collect::<Vec<_>>(),
        "sessions": timings.sessions.iter().map(session).collect::<Vec<_>>(),
    }
}

fn file<'t>(file: &FileTotal<'t>) -> Object<'t> {
    named(file.file)
        .with("executions", file.executions)
        .with("total_ms", milliseconds(file.times.total()))
        .with("repeated_ms", milliseconds(file.repeated))
        .with("parts_ms", parts(&file.times))
}

fn session(session: &SessionTimings) -> Object<'_> {
    object! {
        "workers": session.workers,
        "duration_ms": milliseconds(session.elapsed),
        "spans": Each(|| session.spans.iter().map(span)),
    }
}

/// Returns what a worker did for a while.
pub fn span(span: &WorkerSpan) -> Object<'_> {
    let document = object! {
        "worker": span.place + 1,
        "from_ms": milliseconds(span.from),
        "to_ms": milliseconds(span.to),
    };
    match &span.work {
        SpanWork::Start => document.with("work", "start"),
        SpanWork::File { file, slice, helps, times } => {
            let slice = slice.map(|slice| object! { "number": slice.index() + 1, "count": slice.count() });
            let document = document.with("work", "file").with_all(named(file));
            document.with("slice", slice).with("helps", *helps).with("parts_ms", parts(times))
        }
    }
}

fn named(file: &FileId) -> Object<'_> {
    object! { "file": file.path() }.with_some("id", file.is_known().then(|| file.to_text()))
}

fn parts(times: &FileTimes) -> Object<'static> {
    times.iter().fold(Object::default(), |parts, (part, time)| parts.with(part.as_str(), milliseconds(time)))
}
