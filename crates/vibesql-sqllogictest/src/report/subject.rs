//! What a document is about: a run, and what is known around it.

use std::collections::HashMap;
use std::fmt;

use crate::outcome::{FailureDetail, FileEnd, FileReport, FileStatus, RunEnd, RunReport, Totals};
use crate::regression::{FileChange, FileDiff, RunDiff};
use crate::results::{Circumstances, RunFiles, RunState};
use crate::text::count::{duration, plural, thousands};

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
    /// Where and with what it was made, where that is known.
    pub circumstances: Option<&'r Circumstances>,
    /// Runs of these files before it, the oldest first.
    pub history: &'r [RunFiles],
    /// What has changed since another run, where there is one to hold it against.
    pub comparison: Option<Comparison>,
    /// Failures that look alike, those with the most records first.
    pub clusters: Vec<Cluster>,
    /// The command that repeats the record on this line of a file; nothing where another program has run it.
    pub again: &'r dyn Fn(&FileReport, u32) -> Option<String>,
}

impl fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What has changed since another run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The name of the other run.
    pub baseline: String,
    /// What is compared, in the singular: `file` or `record`.
    pub unit: &'static str,
    /// How many are in both runs.
    pub common: u64,
    /// What passed then and does not now.
    pub broken: Vec<Place>,
    /// What passes now and did not then.
    pub mended: Vec<Place>,
}

impl Comparison {
    /// What matters of the difference from a run.
    pub(crate) fn of(baseline: &str, diff: &RunDiff<'_>) -> Self {
        let places = |change: FileChange| {
            let place = |file: &FileDiff<'_>| Place { file: file.file.to_owned(), line: None };
            diff.with(change).map(place).collect::<Vec<_>>()
        };
        Self {
            baseline: baseline.to_owned(),
            unit: "file",
            common: diff.common(),
            broken: places(FileChange::Regressed),
            mended: places(FileChange::Fixed),
        }
    }
}

/// A file, or a record of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as reports call it.
    pub file: String,
    /// The line of the record.
    pub line: Option<u32>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

/// Failures that look alike, in whichever files they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// What happened, see [`crate::outcome::NotPassed::word`].
    pub kind: String,
    /// What they have in common.
    pub what: String,
    /// How many records.
    pub records: u64,
    /// How many files have one of them.
    pub files: u64,
    /// In how many files nothing else keeps them from passing.
    pub unlocks: u64,
    /// One of them.
    pub example: Place,
    /// The fingerprints of the groups that it is made of.
    pub groups: Vec<u64>,
}

impl Cluster {
    /// Puts the failure groups of all files together.
    pub fn of_groups(report: &RunReport) -> Vec<Self> {
        let mut clusters = Vec::<Self>::new();
        let mut places = HashMap::<u64, usize>::new();
        for file in &report.files {
            for group in &file.groups {
                let fingerprint = group.fingerprint();
                let place = *places.entry(fingerprint).or_insert_with(|| {
                    let example = Place { file: file.file.clone(), line: Some(group.first_line) };
                    let (kind, what) = (group.kind.clone(), group.what.clone());
                    let groups = vec![fingerprint];
                    clusters.push(Self { kind, what, records: 0, files: 0, unlocks: 0, example, groups });
                    clusters.len() - 1
                });
                let cluster = &mut clusters[place];
                cluster.records += group.records;
                cluster.files += 1;
                cluster.unlocks += u64::from(file.groups.len() == 1);
            }
        }
        clusters.sort_by_key(|cluster| std::cmp::Reverse((cluster.records, cluster.files)));
        clusters
    }
}

impl Subject<'_> {
    /// The cluster of each failing record of a file, by its place in [`Subject::clusters`].
    pub(crate) fn clusters_of<'f>(&self, file: &'f FileReport) -> impl Fn(usize) -> Option<usize> + 'f {
        let of_group: Vec<_> = file.groups.iter().map(|group| self.cluster_of(group.fingerprint())).collect();
        move |failing| *of_group.get(file.marks.get(failing)?.group as usize)?
    }

    pub(crate) fn cluster_of(&self, fingerprint: u64) -> Option<usize> {
        self.clusters.iter().position(|cluster| cluster.groups.contains(&fingerprint))
    }

    /// Whether every file has its result, and nothing is wrong with any.
    pub(crate) fn is_good(&self) -> bool {
        let files = &self.report.files;
        self.untested() == 0
            && files.iter().all(|file| file.last_status().is_good())
            && files.iter().any(|file| file.counts.passed > 0)
    }

    /// How many files have no result.
    pub(crate) fn untested(&self) -> u64 {
        (self.report.header.files as u64).saturating_sub(self.report.files.len() as u64)
    }

    /// The run in one sentence.
    pub(crate) fn sentence(&self, totals: &Totals) -> String {
        let records = &totals.records;
        let untested = match self.untested() {
            0 => String::new(),
            count => format!("; {} untested ({})", plural(count, "file"), state(self.state)),
        };
        format!(
            "{} of {} and {} of {} passed on {} in {}{untested}",
            thousands(totals.passed),
            plural(totals.files - totals.empty, "file"),
            thousands(records.passed),
            plural(records.total - (records.skipped - records.skipped_besides), "record"),
            self.report.header.engine,
            duration(self.report.elapsed)
        )
    }

    /// Files that have not passed, those with the most failing records first.
    pub(crate) fn not_good(&self) -> Vec<&FileReport> {
        let mut files: Vec<_> = self.report.files.iter().filter(|file| !file.status().is_good()).collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.failing.len()));
        files
    }

    /// The files that took longest.
    pub(crate) fn slowest(&self, most: usize) -> Vec<&FileReport> {
        let mut files: Vec<_> = self.report.files.iter().filter(|file| !file.elapsed.is_zero()).collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.elapsed));
        files.truncate(most);
        files
    }
}

/// The details of the failing record at this place, if there are any: they are those of the first ones, mostly.
pub(crate) fn detail_at(file: &FileReport, place: usize) -> Option<&FailureDetail> {
    let line = *file.failing.get(place)?;
    let by_line = || file.details.binary_search_by_key(&line, |detail| detail.line).ok();
    let first = file.details.get(place).filter(|detail| detail.line == line);
    first.or_else(|| file.details.get(by_line()?))
}

/// What a run is at, in words.
pub(crate) fn state(state: RunState) -> &'static str {
    match state {
        RunState::Going => "going on",
        RunState::Killed => "killed",
        RunState::Ended(RunEnd::Completed) => "completed",
        RunState::Ended(RunEnd::Interrupted) => "interrupted",
        RunState::Ended(RunEnd::EnoughFailed) => "enough failed",
        RunState::Ended(RunEnd::BudgetSpent) => "time is over",
    }
}

/// The word for how a file ended.
pub(crate) fn status_word(status: FileStatus) -> &'static str {
    match status {
        FileStatus::Passed => "PASS",
        FileStatus::Failed => "FAIL",
        FileStatus::TimedOut => "TIMEOUT",
        FileStatus::Empty => "EMPTY",
        FileStatus::Flaky => "FLAKY",
        FileStatus::OutOfMemory => "OOM",
        FileStatus::Crashed => "CRASH",
        FileStatus::Error => "ERROR",
    }
}

/// What became of the records of a file, and what ended it early.
pub(crate) fn account(file: &FileReport) -> String {
    let counts = &file.counts;
    let mut parts: Vec<String> = match &file.end {
        FileEnd::NotStarted(problem) => return problem.to_string(),
        FileEnd::Faulted { line: Some(line), fault } => vec![format!("line {line}: {fault}")],
        FileEnd::Faulted { line: None, fault } => vec![fault.to_string()],
        FileEnd::TimedOut { line: Some(line) } => vec![format!("over the time limit at line {line}")],
        FileEnd::TimedOut { line: None } => vec!["over the time limit".to_owned()],
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
    if parts.is_empty() { "no records".to_owned() } else { parts.join(", ") }
}

/// A moment as `2026-11-24T02:24:58`, in UTC.
pub(crate) fn moment(milliseconds: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// The beginning of a text, and how much of it is missing.
pub(crate) fn clipped(text: &str, most: usize) -> String {
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
