//! Two runs, held against each other.

use std::collections::{BTreeMap, HashMap};

use super::file::{FileChange, FileDiff};
use super::records::{Account, Conditions, Identity, RecordChange, RecordDiff};
use slt_core::engine::EngineId;
use slt_core::location::FileId;
use slt_core::outcome::{FileReport, FlakyResult, RunEnd, RunReport, Totals};

/// What has changed between two runs.
///
/// The reverse comparison has the same with before and now exchanged: what is fixed in one direction is regressed in the
/// other, a new failure has disappeared, what is newly tested is newly untested.
#[derive(Debug, Clone, PartialEq)]
pub struct RunDiff<'r> {
    /// What is compared with.
    pub baseline: Side<'r>,
    /// What is compared.
    pub current: Side<'r>,
    /// Every file of either run, in the order of the paths.
    pub files: Vec<FileDiff<'r>>,
}

/// One of the runs, summed up.
#[derive(Debug, Clone, PartialEq)]
pub struct Side<'r> {
    /// The engine under test.
    pub engine: &'r EngineId,
    /// The names that conditions were held against.
    pub labels: &'r [String],
    /// Whether the reference runner's holes are reproduced.
    pub exact: bool,
    /// How many files were to be run.
    pub wanted: u64,
    /// All files with a result.
    pub totals: Totals,
    /// What a flaky file counts as.
    pub flaky: FlakyResult,
    /// How it ended.
    pub end: RunEnd,
    /// Whether it knows files as wholes only, each as one record: it is of another program.
    pub wholes: bool,
}

/// What counts as a regression of the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gate {
    /// Nothing does.
    Never,
    /// A file that passed and does not any more.
    Files,
    /// That, and in any other file a record that passed and does not any more.
    Records,
}

/// Holds a run against a baseline.
pub fn compare<'r>(baseline: &'r RunReport, current: &'r RunReport) -> RunDiff<'r> {
    let (before, now) = (Side::of(baseline), Side::of(current));
    let conditions =
        Conditions { same: before.labels == now.labels, one_of_wholes: before.wholes != now.wholes };
    let mut files = FilePairs::new();
    for (place, run) in [baseline, current].into_iter().enumerate() {
        for file in &run.files {
            files.entry(&file.file).or_default()[place] = Some(file);
        }
    }
    pair_unknown(&mut files);
    let diffs = files.into_values().filter_map(|[before, now]| FileDiff::of(before, now, conditions));
    let mut files: Vec<_> = diffs.collect();
    files.sort_by_key(|file| (file.file.path(), file.file));
    RunDiff { baseline: before, current: now, files }
}

/// Files as they are in the baseline and in the current run.
type FilePairs<'r> = BTreeMap<&'r FileId, [Option<&'r FileReport>; 2]>;

/// Other programs do not say which suite a file is of: it is the only file of the other run that reports show by the same
/// path, if there is just one.
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

impl<'r> Side<'r> {
    fn of(run: &'r RunReport) -> Self {
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

    /// The share of the files that passed, between 0 and 1, as [`Totals::pass_rate_with`].
    pub fn pass_rate(&self) -> Option<f64> {
        self.totals.pass_rate_with(self.flaky)
    }

    /// The share of the files that should have been run and were, between 0 and 1, where their number is known.
    pub fn coverage(&self) -> Option<f64> {
        let wanted = self.wanted.max(self.totals.files);
        (wanted > 0).then(|| (self.totals.files - self.totals.errors) as f64 / wanted as f64)
    }

    /// Whether every file has its result.
    pub fn is_complete(&self) -> bool {
        self.totals.files >= self.wanted
    }
}

impl<'r> RunDiff<'r> {
    /// The records of all files, summed up.
    pub fn account(&self) -> Account {
        let mut account = Account::default();
        self.files.iter().for_each(|file| account += file.account);
        account
    }

    /// The files with this change.
    pub fn with(&self, wanted: FileChange) -> impl Iterator<Item = &FileDiff<'r>> {
        self.files.iter().filter(move |file| file.change == wanted)
    }

    /// The records of all files with this change, with their files.
    pub fn records_with(
        &self,
        wanted: impl Fn(RecordChange) -> bool + Copy,
    ) -> impl Iterator<Item = (&FileDiff<'r>, &RecordDiff<'r>)> {
        self.files.iter().flat_map(move |file| file.with(wanted).map(move |record| (file, record)))
    }

    /// How many files are in both runs.
    pub fn common(&self) -> u64 {
        self.files.iter().filter(|file| file.is_common()).count() as u64
    }

    /// How many files there are whose records are known by their lines only.
    pub fn by_lines(&self) -> u64 {
        let by_line = |file: &&FileDiff<'_>| file.identity == Identity::Lines && file.is_common();
        self.files.iter().filter(by_line).count() as u64
    }

    /// Whether the current run has regressed, as this gate sees it.
    ///
    /// | what has happened | files | records |
    /// |---|---|---|
    /// | a file passed, and is bad now, see [`FileDiff::has_fallen`], or nothing of it is executed any more | yes | yes |
    /// | a record has regressed in a file that had not passed | | yes |
    /// | a record fails as before, and now takes engine, process or time with it | | yes |
    /// | records of a file passed, and are not reached any more, see [`FileDiff::lost`] | | yes |
    /// | a file is not in the current run | | |
    /// | a new failure: it is not known that the record, or file, ever passed | | |
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
