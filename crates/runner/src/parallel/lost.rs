//! The report of a file whose worker has died: finished records keep their outcome, one record was running, the rest
//! was not reached.

use std::time::Duration;

use super::limits::ExceededLimit;
use super::plan::WorkItem;
use super::slot::InFlight;
use super::worker::not_started;
use slt_core::executor::Settings;
use slt_core::executor::core::detail_of;
use slt_core::executor::keys::{record_keys, records_digest, records_named};
use slt_core::location::Source;
use slt_core::outcome::{
    ExitHow, FailureDetail, FailureGroup, Fault, FileEnd, FileProblem, FileReport, GroupBook, Mark,
    NotPassed, RecordKey,
};
use slt_core::parser::{self, Script};

/// The known facts about a lost file.
pub(super) struct LostFile {
    pub(super) in_flight: InFlight,
    pub(super) how: ExitHow,
    pub(super) words: Option<String>,
    /// The limit that its worker exceeded.
    pub(super) over: Option<ExceededLimit>,
    pub(super) memory_limit: u64,
    pub(super) peak_memory: Option<u64>,
    /// The time that the worker spent on the file.
    pub(super) elapsed: Duration,
    /// The time that it spent on the running record, if there was one.
    pub(super) after: Option<Duration>,
    /// The only judged record.
    pub(super) only: Option<u32>,
    pub(super) total: Option<u64>,
    pub(super) failing: Vec<u32>,
    pub(super) details: Vec<FailureDetail>,
}

/// Builds the report of a lost file.
pub(super) fn lost_report(item: &WorkItem, settings: &Settings, lost: LostFile) -> FileReport {
    let named = |report: FileReport| FileReport {
        file: item.file.clone(),
        shown: item.shown.clone(),
        elapsed: lost.elapsed,
        peak_memory: lost.peak_memory,
        ..report
    };
    let out_of_memory = match lost.over {
        Some(ExceededLimit::Memory { used }) => Some((used, lost.memory_limit)),
        _ => None,
    };
    let over_time = lost.over == Some(ExceededLimit::Time);
    let mut counts = lost.in_flight.counts;
    let line = lost.in_flight.line;
    if line.is_none() && counts.total == 0 {
        let problem = match (lost.over, out_of_memory) {
            (Some(ExceededLimit::Time), _) => FileProblem::TimedOut,
            (_, Some((used, limit))) => FileProblem::OutOfMemory { used, limit },
            (_, None) => FileProblem::Died(lost.how),
        };
        let mut report = not_started(problem);
        report.counts.total = lost.total.unwrap_or(0);
        report.counts.not_reached = report.counts.total;
        return named(report);
    }
    let after = lost.after;
    let fault = match out_of_memory {
        Some((used, limit)) => Fault::OutOfMemory { used, limit, after },
        None => Fault::Died { how: lost.how, message: lost.words, after },
    };
    let is_judged = |line: u32| lost.only.is_none_or(|only| only == line);
    let (mut failing, mut details) = (lost.failing, lost.details);
    if let Some(line) = line {
        // A record that was reported and not yet settled is the one in flight.
        failing.retain(|&failed| failed != line);
        details.retain(|detail| detail.line != line);
        failing.push(line);
        let what = if over_time {
            NotPassed::TimedOut { after: after.unwrap_or_default() }
        } else {
            NotPassed::Faulted(fault.clone())
        };
        details.extend(detail_at(item, settings, line, what));
        if is_judged(line) {
            *(if over_time { &mut counts.timed_out } else { &mut counts.faulted }) += 1;
            counts.total += 1;
            counts.executed += 1;
        }
    }
    failing.retain(|&line| is_judged(line));
    let (details, setup_failures): (Vec<_>, Vec<_>) =
        details.into_iter().partition(|detail| is_judged(detail.line));
    // The worker may have died before it reported the number of records.
    let total = lost.total.or(lost.only.map(|_| 1)).unwrap_or(counts.total).max(counts.total);
    counts.not_reached += total - counts.total;
    counts.total = total;
    let (marks, groups) = marks_of(item, settings, &failing, &details);
    let mut left_out =
        with_script(item, settings, |script| records_named(script, &item.left_out)).unwrap_or_default();
    left_out.retain(|left_out| line.is_none_or(|line| left_out.line < line));
    let records = with_script(item, settings, records_digest);
    let end = if over_time { FileEnd::TimedOut { line } } else { FileEnd::Faulted { line, fault } };
    let report = FileReport::new("", end);
    named(FileReport { counts, failing, marks, groups, details, setup_failures, left_out, records, ..report })
}

/// Returns the marks of the failing records.
///
/// The worker has sent details of the first ones only; for the others the kind of failure is unknown.
fn marks_of(
    item: &WorkItem,
    settings: &Settings,
    failing: &[u32],
    details: &[FailureDetail],
) -> (Vec<Mark>, Vec<FailureGroup>) {
    let keys = with_script(item, settings, |script| record_keys(script, failing));
    let keys = keys.unwrap_or_else(|| vec![RecordKey::default(); failing.len()]);
    let (mut book, mut groups) = (GroupBook::default(), Vec::new());
    let unknown = NotPassed::Unsupported("lost with the worker".to_owned());
    let mut mark = |(&line, key): (&u32, RecordKey)| {
        let detail = details.iter().find(|detail| detail.line == line);
        let what = detail.map_or(&unknown, |detail| &detail.what);
        Mark { key, group: book.enter(&mut groups, line, what) }
    };
    let marks = failing.iter().zip(keys).map(&mut mark).collect();
    (marks, groups)
}

/// Reads the record on `line` with its SQL from the file again.
fn detail_at(item: &WorkItem, settings: &Settings, line: u32, what: NotPassed) -> Option<FailureDetail> {
    let detail = with_script(item, settings, |script| {
        let record = script.records().find(|record| record.line == line)?;
        Some(detail_of(script, record, what))
    });
    detail.flatten()
}

fn with_script<T>(item: &WorkItem, settings: &Settings, look: impl FnOnce(&Script<'_>) -> T) -> Option<T> {
    let source = Source::new(item.shown.as_str(), item.read().ok()?);
    let (profile, _) = parser::choose(&source, settings.dialect.as_deref(), settings.exact).ok()?;
    Some(look(&parser::parse(&source, profile)))
}
