//! The report of a file whose worker has died: finished records keep their outcome, one record was running, the rest
//! was not reached.

use std::time::Duration;

use super::host::SuiteHost;
use super::limits::ExceededLimit;
use super::plan::WorkItem;
use super::slot::InFlight;
use super::stderr::last_line;
use super::worker::not_started;
use slt_core::executor::Settings;
use slt_core::executor::core::detail_of;
use slt_core::executor::keys::{record_keys, records_digest, records_named};
use slt_core::location::Source;
use slt_core::outcome::{
    ExitHow, FailingRecord, FailureDetail, FailureGroup, Fault, FileEnd, FileProblem, FileReport, GroupBook,
    Problem, RecordId,
};
use slt_core::parser::{self, Script, SourceTree};

/// The known facts about a lost file.
pub(super) struct LostFile {
    pub(super) in_flight: InFlight,
    pub(super) how: ExitHow,
    /// The end of what was written to standard error.
    pub(super) stderr: Option<String>,
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
    pub(super) failures: Vec<FailingRecord>,
}

/// Builds the report of a lost file.
pub(super) fn lost_report(item: &WorkItem, settings: &Settings, lost: LostFile) -> FileReport {
    let named = |report: FileReport| FileReport {
        file: item.file.clone(),
        shown: item.shown.clone(),
        elapsed: lost.elapsed,
        peak_memory: lost.peak_memory,
        stderr: lost.stderr.clone(),
        ..report
    };
    let out_of_memory = match lost.over {
        Some(ExceededLimit::Memory { used }) => Some((used, lost.memory_limit)),
        _ => None,
    };
    let over_time = lost.over == Some(ExceededLimit::Time);
    let mut counts = lost.in_flight.counts;
    let id = lost.in_flight.record;
    if id.is_none() && counts.total == 0 {
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
        None => {
            let last_words = lost.stderr.as_deref().and_then(last_line);
            Fault::Died { how: lost.how, message: died_message(lost.in_flight.running, last_words), after }
        }
    };
    let is_judged = |id: &RecordId| lost.only.is_none_or(|only| id.is_on(only));
    let mut failures = lost.failures;
    if let Some(id) = &id {
        // A record that was reported and not yet settled is the one in flight.
        failures.retain(|record| record.id != *id);
        let problem = if over_time {
            Problem::TimedOut { after: after.unwrap_or_default() }
        } else {
            Problem::Fault(fault.clone())
        };
        let detail = detail_at(item, settings, id, problem).map(Box::new);
        failures.push(FailingRecord { id: id.clone(), key: None, group: None, detail });
        if is_judged(id) {
            *(if over_time { &mut counts.timed_out } else { &mut counts.faulted }) += 1;
            counts.total += 1;
            counts.executed += 1;
        }
    }
    let (mut failures, setup_failures): (Vec<_>, Vec<_>) =
        failures.into_iter().partition(|record| is_judged(&record.id));
    // The worker may have died before it reported the number of records.
    let total = lost.total.or(lost.only.map(|_| 1)).unwrap_or(counts.total).max(counts.total);
    counts.not_reached += total - counts.total;
    counts.total = total;
    let groups = enter_groups(item, settings, &mut failures);
    let mut left_out =
        with_script(item, settings, |script| records_named(script, &item.left_out)).unwrap_or_default();
    left_out.retain(|left_out| id.as_ref().is_none_or(|id| left_out.id.line < id.line));
    let about = |script: &Script<'_>| (records_digest(script), script.profile.name.to_owned());
    let (records, dialect) = with_script(item, settings, about).unzip();
    let end = if over_time { FileEnd::TimedOut { id } } else { FileEnd::Faulted { id, fault } };
    let report = FileReport::new("", end);
    named(FileReport { dialect, counts, failures, groups, setup_failures, left_out, records, ..report })
}

/// Returns what is known about the death of a worker: its last words, and in a concurrent loop that another record may
/// have been the reason.
fn died_message(running: u64, words: Option<String>) -> Option<String> {
    if running < 2 {
        return words;
    }
    let among = format!("{running} records ran at the same time, this one for the longest");
    Some(words.map_or_else(|| among.clone(), |words| format!("{among}; {words}")))
}

/// Finds the keys and groups of the failing records.
///
/// The worker has sent details of the first ones only; for the others the kind of failure is unknown.
fn enter_groups(item: &WorkItem, settings: &Settings, failures: &mut [FailingRecord]) -> Vec<FailureGroup> {
    let places: Vec<_> = failures.iter().map(|record| &record.id).collect();
    let keys = with_script(item, settings, |script| record_keys(script, &places)).unwrap_or_default();
    failures.iter_mut().zip(keys).for_each(|(record, key)| record.key = key);
    let (mut book, mut groups) = (GroupBook::default(), Vec::new());
    let unknown = Problem::Unsupported("lost with the worker".to_owned());
    for record in failures {
        let problem = record.detail.as_ref().map_or(&unknown, |detail| &detail.problem);
        record.group = Some(book.enter(&mut groups, &record.id, problem));
    }
    groups
}

/// Reads the record at this place with its SQL from the file again.
fn detail_at(item: &WorkItem, settings: &Settings, id: &RecordId, problem: Problem) -> Option<FailureDetail> {
    let detail = with_script(item, settings, |script| {
        let script = id.source.as_deref().map_or(Some(script), |name| script.included_script(name))?;
        let record = script.records().find(|record| record.line == id.line)?;
        Some(detail_of(script, record, problem))
    });
    detail.flatten()
}

fn with_script<T>(item: &WorkItem, settings: &Settings, look: impl FnOnce(&Script<'_>) -> T) -> Option<T> {
    let source = Source::new(item.shown.as_str(), item.read().ok()?);
    let request = settings.dialect_of(item.dialect.as_deref());
    let profile = parser::choose(&source, request, settings.exact).ok()?.profile;
    let host = SuiteHost::new(item, settings.permissions, profile.includes);
    Some(look(&SourceTree::load(source, profile, &host).parse(profile)))
}

#[cfg(test)]
mod tests {
    use super::died_message;

    #[test]
    fn a_message_says_how_many_records_may_be_the_reason() {
        let words = || Some("panicked".to_owned());
        assert_eq!(died_message(1, words()), words());
        assert_eq!(died_message(1, None), None);
        let among = "3 records ran at the same time, this one for the longest";
        assert_eq!(died_message(3, None).as_deref(), Some(among));
        assert_eq!(died_message(3, words()), Some(format!("{among}; panicked")));
    }
}
