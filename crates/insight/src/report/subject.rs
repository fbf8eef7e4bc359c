//! The subject of a document: a run and its context.

use std::collections::HashMap;
use std::fmt;

use crate::analysis::{Analysis, Cluster, RecordCluster};
use crate::expectations::{Expectations, Judgement};
use crate::regression::{FileDiff, RunDiff};
use slt_core::location::FileId;
use slt_core::outcome::{
    DetailedFailure, FileEnd, FileReport, RecordId, RunEnd, RunOverview, RunReport, RunVerdict, Totals,
};
use slt_core::parser::DIALECTS;
use slt_runner::event::timings::RunTimings;
use slt_runner::results::{Circumstances, Commit, PastRun, RunState};
use slt_runner::text::count::{duration, plural, thousands};
use slt_runner::text::failure::other_attempt;

/// A run and its context. Documents are pure functions of it.
pub struct Subject<'r> {
    /// The name of the run.
    pub name: &'r str,
    /// When it began, in milliseconds since 1970 in UTC.
    pub started: i64,
    /// The state of the run.
    pub state: RunState,
    /// Its report.
    pub report: &'r RunReport,
    /// The files without a result, as far as their names are known.
    pub untested: &'r [&'r str],
    /// Its circumstances, if known.
    pub circumstances: Option<&'r Circumstances>,
    /// Runs of these files before it, the oldest first.
    pub history: &'r [PastRun],
    /// The causes of its failures, if they were analysed.
    pub analysis: Option<&'r Analysis>,
    /// Where its time went, if that was measured.
    pub timings: Option<&'r RunTimings>,
    /// The baseline, if there is one.
    pub baseline: Option<Baseline<'r>>,
    /// The expectations, if there are any.
    pub expected: Option<ExpectedFailures<'r>>,
    /// Returns the command that repeats a record of a file; `None` for runs of other programs.
    pub again: &'r dyn Fn(&FileReport, &RecordId) -> Option<String>,
}

impl fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The run used for comparison.
#[derive(Debug, Clone, Copy)]
pub struct Baseline<'r> {
    /// Its name, or the name of the file that contains it.
    pub name: &'r str,
    /// The commit of the project, if known.
    pub commit: Option<&'r Commit>,
    /// The changes since the baseline.
    pub diff: &'r RunDiff<'r>,
}

/// The expectations and their judgement.
#[derive(Debug, Clone, Copy)]
pub struct ExpectedFailures<'r> {
    /// The entries of an expectations file.
    pub expectations: &'r Expectations,
    /// The judgement of the run.
    pub judgement: &'r Judgement,
}

impl Subject<'_> {
    /// Returns the clusters, in the order of fixes.
    pub fn clusters(&self) -> &[Cluster] {
        self.analysis.map_or(&[], |analysis| &analysis.clusters)
    }

    /// Returns the clusters of the failing records of a file, in the order of the records.
    pub fn clusters_of(&self, file: usize) -> &[RecordCluster] {
        let records = self.analysis.map_or(&[][..], |analysis| &analysis.records);
        let from = records.partition_point(|record| (record.file as usize) < file);
        let to = records.partition_point(|record| (record.file as usize) <= file);
        &records[from..to]
    }

    /// Returns the change of each file of the run, in their order.
    pub fn changes(&self) -> Vec<Option<&FileDiff<'_>>> {
        let mut known = HashMap::<&FileId, &FileDiff<'_>>::new();
        for file in self.baseline.iter().flat_map(|baseline| &baseline.diff.files) {
            if file.now.is_some() {
                known.insert(file.file, file);
            }
        }
        let change = |file: &FileReport| known.get(&file.file).copied();
        self.report.files.iter().map(change).collect()
    }

    /// Returns whether a failing record, or the file as a whole, is expected to fail. Both are given by their places.
    pub fn is_expected(&self, file: usize, record: Option<usize>) -> bool {
        self.expected.is_some_and(|expected| expected.covers(file, record))
    }

    /// Returns whether every file has its result and all failures are expected.
    pub fn is_good(&self) -> bool {
        let run = self.report;
        match self.expected {
            None => run.verdict() == RunVerdict::Pass,
            Some(expected) => {
                let is_good = |(place, file): (usize, &FileReport)| {
                    run.header.is_good(file) || expected.covers_all(place)
                };
                run.untested() == 0
                    && run.files.iter().enumerate().all(is_good)
                    && run.files.iter().any(|file| file.counts.passed > 0)
                    && self.is_as_expected()
            }
        }
    }

    fn is_as_expected(&self) -> bool {
        self.expected.is_some_and(|expected| expected.judgement.is_good())
    }

    /// Returns the verdict on the run.
    pub fn verdict(&self) -> &'static str {
        match (self.expected.is_some(), self.is_good()) {
            _ if self.report.is_incomplete() => RunVerdict::Incomplete.as_str(),
            // All failures were expected.
            (true, false) if self.report.untested() > 0 && self.is_as_expected() => {
                RunVerdict::Incomplete.as_str()
            }
            (false, _) => self.report.verdict().as_str(),
            (true, true) => "AS EXPECTED",
            (true, false) => "NOT AS EXPECTED",
        }
    }

    /// Describes the run in one sentence.
    pub fn sentence(&self, totals: &Totals) -> String {
        sums(&self.report.overview(), totals, &self.state_text())
    }

    /// Describes the state of the run.
    pub fn state_text(&self) -> String {
        state_with(self.state, self.circumstances)
    }

    /// Returns the failing files with their places in the run: unexpected ones first, then those with the most failing
    /// records.
    pub fn not_good(&self) -> Vec<(usize, &FileReport)> {
        let files = self.report.files.iter().enumerate();
        let mut files: Vec<_> = files.filter(|(_, file)| !file.status().is_good()).collect();
        let expected = |place| self.expected.is_some_and(|expected| expected.covers_all(place));
        files.sort_by_key(|(place, file)| (expected(*place), std::cmp::Reverse(file.failures.len())));
        files
    }

    /// Returns the slowest files.
    pub fn slowest(&self, most: usize) -> Vec<&FileReport> {
        let mut files: Vec<_> = self.report.files.iter().filter(|file| !file.elapsed.is_zero()).collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.elapsed));
        files.truncate(most);
        files
    }
}

/// Returns the details of the failing record at this place, if the run kept them.
pub fn detail_at(file: &FileReport, place: usize) -> Option<DetailedFailure<'_>> {
    file.failures.get(place)?.detailed()
}

/// Describes the state of a run.
fn state(state: RunState) -> &'static str {
    match state {
        RunState::Going => "going on",
        RunState::Killed => "killed",
        RunState::Ended(how) => end(how),
    }
}

/// Describes the state of a run; that of a combined run by the shards that it lacks, and that of a shard with its name.
pub fn state_with(of: RunState, circumstances: Option<&Circumstances>) -> String {
    let shard = circumstances.filter(|of| of.shard.is_some());
    super::shards::defect(circumstances).unwrap_or_else(|| match super::shards::brief(shard) {
        Some(shard) => format!("{}, only {shard}", state(of)),
        None => state(of).to_owned(),
    })
}

/// Describes the numbers of passed files and records, and of untested files with the reason `why`.
pub fn sums(run: &RunOverview, totals: &Totals, why: &str) -> String {
    let records = &totals.records;
    let untested = match run.untested() {
        0 => String::new(),
        count => format!("; {} not tested ({why})", plural(count, "file")),
    };
    let tolerated = match run.tolerated {
        0 => String::new(),
        count => format!(" ({} only within a tolerance)", thousands(count)),
    };
    let dialects = dialects(run).map_or_else(String::new, |dialects| format!(" (dialects: {dialects})"));
    format!(
        "{} of {} and {} of {} passed{tolerated} on {}{dialects} in {}{untested}",
        thousands(totals.passed_with(run.header.flaky)),
        plural(totals.files - totals.empty, "file"),
        thousands(records.passed),
        plural(records.total - (records.skipped - records.skipped_besides), "record"),
        run.header.engine,
        duration(run.elapsed)
    )
}

/// Lists the dialects of a run with their files; `None` if all files are in the usual one, or nothing is known.
fn dialects(run: &RunOverview) -> Option<String> {
    let dialects = &run.dialects;
    let is_unusual = dialects.keys().any(|dialect| dialect != DIALECTS[0]);
    let list = dialects.iter().map(|(dialect, &files)| format!("{dialect} {}", plural(files, "file")));
    is_unusual.then(|| list.collect::<Vec<_>>().join(", "))
}

/// Describes the end of a run.
pub fn end(end: RunEnd) -> &'static str {
    match end {
        RunEnd::Completed => "completed",
        RunEnd::Interrupted => "interrupted",
        RunEnd::EnoughFailed => "enough failed",
        RunEnd::BudgetSpent => "time limit reached",
    }
}

/// Describes the counts of a file, and its early end.
pub fn account(file: &FileReport) -> String {
    let counts = &file.counts;
    let mut parts: Vec<String> = match &file.end {
        FileEnd::NotStarted(problem) => return problem.to_string(),
        FileEnd::Faulted { id: Some(id), fault } => vec![format!("line {id}: {fault}")],
        FileEnd::Faulted { id: None, fault } => vec![fault.to_string()],
        FileEnd::TimedOut { id: Some(id) } => vec![format!("over the time limit at line {id}")],
        FileEnd::TimedOut { id: None } => vec!["over the time limit".to_owned()],
        FileEnd::Completed
        | FileEnd::Halted { .. }
        | FileEnd::AtFailure { .. }
        | FileEnd::Malformed { .. } => Vec::new(),
    };
    let counted = [
        (counts.passed, "passed"),
        (counts.failed, "failed"),
        (counts.malformed, "malformed"),
        (counts.unsupported, "unsupported"),
        (counts.timed_out, "timed out"),
        (counts.faulted, "lost"),
        (counts.skipped, "skipped"),
        (counts.not_reached, "not reached"),
    ];
    let counted = counted.into_iter().filter(|(count, _)| *count > 0);
    parts.extend(counted.map(|(count, word)| format!("{} {word}", thousands(count))));
    parts.extend(other_attempt(file));
    if parts.is_empty() { "no records".to_owned() } else { parts.join(", ") }
}

/// Formats a moment in UTC, like `2026-11-24T02:24:58`.
pub fn moment(milliseconds: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Returns the beginning of a text, with the number of omitted characters.
pub fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => {
            let more = text[end..].chars().count() as u64;
            format!("{}… (and {})", &text[..end], plural(more, "more character"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_clipped_between_characters() {
        assert_eq!(clipped("äöü", 3), "äöü");
        assert_eq!(clipped("äöüß!", 3), "äöü… (and 2 more characters)");
    }

    #[test]
    fn moments_are_in_utc() {
        assert_eq!(moment(0), "1970-01-01T00:00:00");
        assert_eq!(moment(1_500), "1970-01-01T00:00:01");
    }
}
