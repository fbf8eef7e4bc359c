//! The comparison of two runs.

use std::collections::{BTreeMap, HashMap};

use super::file::{FileChange, FileDiff};
use super::records::{ChangeCounts, ComparedConditions, MatchedBy, RecordChange, RecordDiff};
use slt_core::engine::EngineId;
use slt_core::location::FileId;
use slt_core::outcome::{FileReport, FlakyResult, RunEnd, RunReport, Totals};

/// The changes between two runs.
///
/// The reverse comparison swaps the classes: fixed and regressed, new failures and disappeared ones, newly tested and
/// newly untested.
#[derive(Debug, Clone, PartialEq)]
pub struct RunDiff<'r> {
    /// The baseline.
    pub baseline: ComparedRun<'r>,
    /// The current run.
    pub current: ComparedRun<'r>,
    /// Every file of either run, in the order of the paths.
    pub files: Vec<FileDiff<'r>>,
}

/// The summary of one of the runs.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedRun<'r> {
    /// The engine under test.
    pub engine: &'r EngineId,
    /// The labels for conditions.
    pub labels: &'r [String],
    /// Whether the run was exact, with the gaps of the reference runner.
    pub exact: bool,
    /// The number of planned files.
    pub wanted: u64,
    /// All files with a result.
    pub totals: Totals,
    /// The treatment of flaky files.
    pub flaky: FlakyResult,
    /// How it ended.
    pub end: RunEnd,
    /// Whether it is from another program, and knows whole files only.
    pub wholes: bool,
}

/// The criterion for a regression of the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gate {
    /// Nothing.
    Never,
    /// A file that passed before and does not now.
    Files,
    /// A file or record that passed before and does not now.
    Records,
}

/// Compares a run with a baseline.
pub fn compare<'r>(baseline: &'r RunReport, current: &'r RunReport) -> RunDiff<'r> {
    let (before, now) = (ComparedRun::new(baseline), ComparedRun::new(current));
    let conditions =
        ComparedConditions { same: before.labels == now.labels, one_of_wholes: before.wholes != now.wholes };
    let mut files = FilePairs::new();
    for (place, run) in [baseline, current].into_iter().enumerate() {
        for file in &run.files {
            files.entry(&file.file).or_default()[place] = Some(file);
        }
    }
    pair_unknown(&mut files);
    let diffs = files.into_values().filter_map(|[before, now]| FileDiff::new(before, now, conditions));
    let mut files: Vec<_> = diffs.collect();
    files.sort_by_key(|file| (file.file.path(), file.file));
    RunDiff { baseline: before, current: now, files }
}

/// The files of the baseline and of the current run.
type FilePairs<'r> = BTreeMap<&'r FileId, [Option<&'r FileReport>; 2]>;

/// Matches files of other programs, which do not report the suite, by their path if it is unique in the other run.
fn pair_unknown(files: &mut FilePairs<'_>) {
    let is_alone = |[before, now]: &[Option<&FileReport>; 2]| before.is_none() != now.is_none();
    let mut by_path = HashMap::<&str, Vec<&FileId>>::new();
    for (&file, pair) in files.iter() {
        if file.is_known() && is_alone(pair) {
            by_path.entry(file.path()).or_default().push(file);
        }
    }
    let alone: Vec<_> = files.iter().filter(|(file, pair)| !file.is_known() && is_alone(pair)).collect();
    let alone: Vec<_> = alone.into_iter().map(|(&file, &pair)| (file, pair)).collect();
    for (unknown, [before, now]) in alone {
        let Some([file]) = by_path.get(unknown.path()).map(Vec::as_slice) else { continue };
        let Some(pair) = files.get_mut(file) else { continue };
        match (before, now, pair) {
            (Some(_), None, [old @ None, _]) => *old = before,
            (None, Some(_), [_, new @ None]) => *new = now,
            _ => continue,
        }
        files.remove(unknown);
    }
}

impl<'r> ComparedRun<'r> {
    fn new(run: &'r RunReport) -> Self {
        let totals = run.totals();
        Self {
            engine: &run.header.engine,
            labels: &run.header.labels,
            exact: run.header.exact,
            wanted: run.header.files as u64,
            totals,
            flaky: run.header.flaky,
            end: run.end,
            // Files of other programs count as one record each, on line 0, and are run under no labels.
            wholes: run.files.iter().any(|file| file.failures.iter().any(|record| record.id.is_whole_file()))
                || (totals.files > 0 && run.header.engine.version.is_empty())
                || (totals.files > 0
                    && run.header.labels.is_empty()
                    && run.files.iter().all(FileReport::is_whole)),
        }
    }

    /// Returns the share of the files that passed, see [`Totals::pass_rate_with`].
    pub fn pass_rate(&self) -> Option<f64> {
        self.totals.pass_rate_with(self.flaky)
    }

    /// Returns the share of the planned files that were run, between 0 and 1, if known.
    pub fn coverage(&self) -> Option<f64> {
        let wanted = self.wanted.max(self.totals.files);
        (wanted > 0).then(|| (self.totals.files - self.totals.errors) as f64 / wanted as f64)
    }

    /// Returns whether every file has a result.
    pub fn is_complete(&self) -> bool {
        self.totals.files >= self.wanted
    }
}

impl<'r> RunDiff<'r> {
    /// Returns the counts of all files.
    pub fn account(&self) -> ChangeCounts {
        let mut account = ChangeCounts::default();
        self.files.iter().for_each(|file| account += file.account);
        account
    }

    /// Returns the files with this change.
    pub fn with(&self, wanted: FileChange) -> impl Iterator<Item = &FileDiff<'r>> {
        self.files.iter().filter(move |file| file.change == wanted)
    }

    /// Returns the records of all files with this change, with their files.
    pub fn records_with(
        &self,
        wanted: impl Fn(RecordChange) -> bool + Copy,
    ) -> impl Iterator<Item = (&FileDiff<'r>, &RecordDiff<'r>)> {
        self.files.iter().flat_map(move |file| file.with(wanted).map(move |record| (file, record)))
    }

    /// Returns the number of files in both runs.
    pub fn common(&self) -> u64 {
        self.files.iter().filter(|file| file.is_common()).count() as u64
    }

    /// Returns the number of files whose records are matched by lines only.
    pub fn by_lines(&self) -> u64 {
        let by_line = |file: &&FileDiff<'_>| file.identity == MatchedBy::Lines && file.is_common();
        self.files.iter().filter(by_line).count() as u64
    }

    /// Returns whether the current run has regressed by this gate.
    ///
    /// | change | files | records |
    /// |---|---|---|
    /// | a file passed, and is bad now, see [`FileDiff::has_fallen`], or none of it is executed any more | yes | yes |
    /// | a record has regressed in a file that had not passed | | yes |
    /// | a record fails as before, and now kills the engine or the process, or times out | | yes |
    /// | records of a file passed, and are not reached any more, see [`FileDiff::lost`] | | yes |
    /// | a file is missing in the current run | | |
    /// | a new failure: the record or file is not known to have passed | | |
    /// | a file is flaky now | | |
    pub fn has_regressed(&self, gate: Gate) -> bool {
        let file = |file: &FileDiff<'_>| {
            let emptied = file.change == FileChange::NewlyUntested && file.now.is_some();
            file.has_fallen() || emptied
        };
        let records = |file: &FileDiff<'_>| {
            let worse =
                |record: &RecordDiff<'_>| record.change == RecordChange::Regressed || record.is_graver();
            file.lost() > 0 || file.records.iter().any(worse)
        };
        match gate {
            Gate::Never => false,
            Gate::Files => self.files.iter().any(file),
            Gate::Records => self.files.iter().any(|one| file(one) || records(one)),
        }
    }
}
