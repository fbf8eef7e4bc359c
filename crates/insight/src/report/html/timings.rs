//! Where the time of the run went: sums, the files with the most time, and a line for each worker.

use std::time::Duration;

use crate::report::times::{milliseconds, short};
use crate::report::timings::{FileTotal, TimingsSummary, meaning, next_steps, short_or_dash};
use slt_core::outcome::FilePart;
use slt_runner::event::timings::{RunTimings, SessionTimings, SpanWork, WorkerSpan};
use slt_runner::text::count::plural;
use slt_runner::text::object::{Object, object};

const MOST_FILES: usize = 20;
/// The maximum number of workers with a line.
const MOST_LINES: usize = 32;
/// A shorter part of a line, as a reciprocal, is drawn together with its neighbours.
const LEAST_BLOCK: u32 = 300;

/// Returns the data of the section.
pub(super) fn timings(timings: &RunTimings) -> Object<'_> {
    let summary = TimingsSummary::new(timings);
    let all = summary.worker_time.as_secs_f64();
    let mut parts = summary.parts();
    parts.retain(|(_, time)| !time.is_zero());
    parts.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    let parts = parts.into_iter().map(|(name, time)| {
        let share = if all > 0.0 { time.as_secs_f64() / all } else { 0.0 };
        object! { "name": name, "meaning": meaning(name), "time": short(time), "share": share }
    });
    let listed = &summary.files[..summary.files.len().min(MOST_FILES)];
    let has_part = |part: &FilePart| listed.iter().any(|file| !file.times.get(*part).is_zero());
    let columns: Vec<_> = FilePart::ALL.into_iter().filter(has_part).collect();
    object! {
        "workers": summary.workers,
        "ms": milliseconds(summary.elapsed),
        "parts": parts.collect::<Vec<_>>(),
        "next": next_steps(&summary),
        "columns": columns.iter().map(|part| part.as_str()).collect::<Vec<_>>(),
        "files": listed.iter().map(|listed| file(listed, &columns)).collect::<Vec<_>>(),
        "files_left_out": summary.files.len() - listed.len(),
        "sessions": timings.sessions.iter().map(session).collect::<Vec<_>>(),
    }
}

fn file<'t>(file: &FileTotal<'t>, columns: &[FilePart]) -> Object<'t> {
    let times = columns.iter().map(|part| short_or_dash(file.times.get(*part)));
    object! {
        "name": file.file.path(),
        "executions": file.executions,
        "times": [short(file.times.total())].into_iter().chain(times).collect::<Vec<_>>(),
    }
}

fn session(session: &SessionTimings) -> Object<'_> {
    let shown = session.workers.min(MOST_LINES);
    let mut lines: Vec<Vec<TimelineBlock<'_>>> = (0..shown).map(|_| Vec::new()).collect();
    for span in &session.spans {
        if let Some(line) = lines.get_mut(span.place) {
            enter(line, span, session.elapsed / LEAST_BLOCK);
        }
    }
    object! {
        "ms": milliseconds(session.elapsed),
        "lines": lines.iter().map(|line| line.iter().map(TimelineBlock::object).collect()).collect::<Vec<Vec<_>>>(),
        "lines_left_out": session.workers - shown,
    }
}

/// A part of a line: a span, or neighbours of which at least one is short.
struct TimelineBlock<'t> {
    first: &'t WorkerSpan,
    from: Duration,
    to: Duration,
    spans: u64,
}

/// Adds a span behind the blocks of a line.
fn enter<'t>(line: &mut Vec<TimelineBlock<'t>>, span: &'t WorkerSpan, least: Duration) {
    if let Some(last) = line.last_mut() {
        let is_near = span.from.saturating_sub(last.to) < least;
        if is_near && span.length() < least && last.to.saturating_sub(last.from) < least {
            (last.to, last.spans) = (span.to, last.spans + 1);
            return;
        }
    }
    line.push(TimelineBlock { first: span, from: span.from, to: span.to, spans: 1 });
}

impl TimelineBlock<'_> {
    fn object(&self) -> Object<'static> {
        let (kind, text) = match &self.first.work {
            _ if self.spans > 1 => ("many", plural(self.spans, "short task")),
            SpanWork::Start => ("start", "start of a worker".to_owned()),
            SpanWork::File { file, slice, helps, times } => {
                let kind = if times.get(FilePart::Lost).is_zero() { "file" } else { "lost" };
                let slice = slice.map(|slice| format!(", slice {} of {}", slice.index() + 1, slice.count()));
                let helps = if *helps { ", help" } else { "" };
                (kind, format!("{}{}{helps}", file.path(), slice.unwrap_or_default()))
            }
        };
        object! { "from": milliseconds(self.from), "to": milliseconds(self.to), "kind": kind, "text": text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_neighbours_share_a_block() {
        let span = |from, to| WorkerSpan {
            place: 0,
            from: Duration::from_millis(from),
            to: Duration::from_millis(to),
            work: SpanWork::Start,
        };
        let spans = [span(0, 1), span(1, 3), span(4, 30), span(30, 31), span(50, 51), span(51, 52)];
        let mut line = Vec::new();
        spans.iter().for_each(|span| enter(&mut line, span, Duration::from_millis(10)));
        let blocks = line.iter().map(|block| (block.from.as_millis(), block.to.as_millis(), block.spans));
        assert_eq!(blocks.collect::<Vec<_>>(), [(0, 3, 2), (4, 30, 1), (30, 31, 1), (50, 52, 2)]);
    }
}
