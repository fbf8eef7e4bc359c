//! What a document is about: a run, and what is known around it.

use std::collections::HashMap;
use std::fmt;

use crate::analysis::{Analysis, Assigned, Cluster};
use crate::expectations::{Expectations, Judgement};
use crate::regression::{FileDiff, RunDiff};
use slt_core::location::FileId;
use slt_core::outcome::{
    DetailedFailure, FileEnd, FileReport, RecordId, RunEnd, RunReport, RunVerdict, Totals,
};
use slt_runner::results::{Circumstances, Commit, PastRun, RunState};
use slt_runner::text::count::{duration, plural, thousands};
use slt_runner::text::failure::other_attempt;

/// A run, and what is known around it. Documents are pure functions of this.
pub struct Subject<'r> {
    /// The name of the run.
    pub name: &'r str,
    /// When it began, in milliseconds since 1970 in UTC.
    pub started: i64,
    /// What the run is at.
    pub state: RunState,
    /// What became of it.
    pub report: &'r RunReport,
    /// The files without a result, as far as their names are known.
    pub untested: &'r [&'r str],
    /// Where and with what it was made, where that is known.
    pub circumstances: Option<&'r Circumstances>,
    /// Runs of these files before it, the oldest first.
    pub history: &'r [PastRun],
    /// What its failures come from; nothing where nobody has looked.
    pub analysis: Option<&'r Analysis>,
    /// The run that it is held against, where there is one.
    pub baseline: Option<Baseline<'r>>,
    /// What is expected to fail, where that is said.
    pub expected: Option<Expected<'r>>,
    /// The command that repeats a record of a file; nothing where another program has run it.
    pub again: &'r dyn Fn(&FileReport, &RecordId) -> Option<String>,
}

impl fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A run that another is held against.
#[derive(Debug, Clone, Copy)]
pub struct Baseline<'r> {
    /// Its name, or that of the file that it is in.
    pub name: &'r str,
    /// The state of the project that it was made in, where that is known.
    pub commit: Option<&'r Commit>,
    /// What has changed since.
    pub diff: &'r RunDiff<'r>,
}

/// What is expected to fail, and what became of that.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'r> {
    /// All that is expected.
    pub expectations: &'r Expectations,
    /// The run in the light of it.
    pub judgement: &'r Judgement,
}

impl Subject<'_> {
    /// The clusters, in the order of fixes.
    pub fn clusters(&self) -> &[Cluster] {
        self.analysis.map_or(&[], |analysis| &analysis.clusters)
    }

    /// The cluster of each failing record of the file at this place, in their order.
    pub fn clusters_of(&self, file: usize) -> &[Assigned] {
        let records = self.analysis.map_or(&[][..], |analysis| &analysis.records);
        let from = records.partition_point(|record| (record.file as usize) < file);
        let to = records.partition_point(|record| (record.file as usize) <= file);
        &records[from..to]
    }

    /// What has changed in each file of the run, in their order.
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

    /// Whether the failing record at this place of the file at this place is expected to fail, or else the file as a whole.
    pub fn is_expected(&self, file: usize, record: Option<usize>) -> bool {
        self.expected.is_some_and(|expected| expected.covers(file, record))
    }

    /// Whether every file has its result, and nothing is wrong with any but what is expected.
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

    /// What the run is worth, in a word.
    pub fn verdict(&self) -> &'static str {
        match (self.expected.is_some(), self.is_good()) {
            _ if self.report.is_incomplete() => RunVerdict::Incomplete.as_str(),
            // What failed was expected to fail.
            (true, false) if self.report.untested() > 0 && self.is_as_expected() => {
                RunVerdict::Incomplete.as_str()
            }
            (false, _) => self.report.verdict().as_str(),
            (true, true) => "AS EXPECTED",
            (true, false) => "NOT AS EXPECTED",
        }
    }

    /// The run in one sentence.
    pub fn sentence(&self, totals: &Totals) -> String {
        sums(self.report, totals, state(self.state))
    }

    /// Files that have not passed with their places in the run: those first of which that is not expected, and those with
    /// the most failing records.
    pub fn not_good(&self) -> Vec<(usize, &FileReport)> {
        let files = self.report.files.iter().enumerate();
        let mut files: Vec<_> = files.filter(|(_, file)| !file.status().is_good()).collect();
        let expected = |place| self.expected.is_some_and(|expected| expected.covers_all(place));
        files.sort_by_key(|(place, file)| (expected(*place), std::cmp::Reverse(file.failures.len())));
        files
    }

    /// The files that took longest.
    pub fn slowest(&self, most: usize) -> Vec<&FileReport> {
        let mut files: Vec<_> = self.report.files.iter().filter(|file| !file.elapsed.is_zero()).collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.elapsed));
        files.truncate(most);
        files
    }
}

/// The details of the failing record at this place, if there are any: they are those of the first ones, mostly.
pub fn detail_at(file: &FileReport, place: usize) -> Option<DetailedFailure<'_>> {
    file.failures.get(place)?.detailed()
}

/// What a run is at, in words.
pub fn state(state: RunState) -> &'static str {
    match state {
        RunState::Going => "going on",
        RunState::Killed => "killed",
        RunState::Ended(how) => end(how),
    }
}

/// Returns how many files and records passed, and how many files were not tested and `why`.
pub fn sums(run: &RunReport, totals: &Totals, why: &str) -> String {
    let records = &totals.records;
    let untested = match run.untested() {
        0 => String::new(),
        count => format!("; {} not tested ({why})", plural(count, "file")),
    };
    format!(
        "{} of {} and {} of {} passed on {} in {}{untested}",
        thousands(totals.passed_with(run.header.flaky)),
        plural(totals.files - totals.empty, "file"),
        thousands(records.passed),
        plural(records.total - (records.skipped - records.skipped_besides), "record"),
        run.header.engine,
        duration(run.elapsed)
    )
}

/// Returns how a run ended, in words.
pub fn end(end: RunEnd) -> &'static str {
    match end {
        RunEnd::Completed => "completed",
        RunEnd::Interrupted => "interrupted",
        RunEnd::EnoughFailed => "enough failed",
        RunEnd::BudgetSpent => "time limit reached",
    }
}

/// What became of the records of a file, and what ended it early.
pub fn account(file: &FileReport) -> String {
    let counts = &file.counts;
    let mut parts: Vec<String> = match &file.end {
        FileEnd::NotStarted(problem) => return problem.to_string(),
        FileEnd::Faulted { id: Some(id), fault } => vec![format!("line {id}: {fault}")],
        FileEnd::Faulted { id: None, fault } => vec![fault.to_string()],
        FileEnd::TimedOut { id: Some(id) } => vec![format!("over the time limit at line {id}")],
        FileEnd::TimedOut { id: None } => vec!["over the time limit".to_owned()],
        FileEnd::Completed | FileEnd::Halted { .. } | FileEnd::Malformed { .. } => Vec::new(),
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

/// A moment as `2026-11-24T02:24:58`, in UTC.
pub fn moment(milliseconds: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// The beginning of a text, and how much of it is missing.
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
