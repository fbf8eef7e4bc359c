//! The results of a run.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::time::Duration;

use super::counts::Counts;
use super::file::{FileReport, FileStatus, FlakyResult};
use super::summary::FileSummary;
use super::times::StatementTimes;
use crate::engine::EngineId;
use crate::parser::{Lint, LintKind};

/// The properties of a run that are known before it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunHeader {
    /// The engine under test.
    pub engine: EngineId,
    /// The labels for conditions.
    pub labels: Vec<String>,
    /// Whether the reference runner's gaps are reproduced.
    pub exact: bool,
    /// The number of files to run.
    pub files: usize,
    /// The result that a flaky file counts as.
    pub flaky: FlakyResult,
}

/// The verdict on a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunVerdict {
    /// Every file was tested, and none failed.
    Pass,
    /// A file failed, or nothing was executed.
    Fail,
    /// The run stopped before every file was tested.
    Incomplete,
}

impl RunVerdict {
    /// Returns its name on the screen and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Incomplete => "INCOMPLETE",
        }
    }
}

/// The results of a run, from which all documents are made.
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    /// The properties of the run.
    pub header: RunHeader,
    /// The files, in the order of their paths.
    pub files: Vec<FileReport>,
    /// The duration of the whole run.
    pub elapsed: Duration,
    /// The end of the run.
    pub end: RunEnd,
}

/// The end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// Every file has its result.
    Completed,
    /// It was interrupted; files without a result are untested.
    Interrupted,
    /// The maximum number of failing files was reached; files without a result are untested.
    EnoughFailed,
    /// The time budget was spent; files without a result are untested.
    BudgetSpent,
}

impl RunHeader {
    /// Returns whether a file counts as passed or empty, see [`FileReport::is_good`].
    pub fn is_good(&self, file: &FileReport) -> bool {
        file.is_good(self.flaky)
    }
}

impl RunReport {
    /// Returns the number of files without a result.
    pub fn untested(&self) -> u64 {
        (self.header.files as u64).saturating_sub(self.files.len() as u64)
    }

    /// Returns whether the run stopped before every file was tested, for another reason than failures.
    pub fn is_incomplete(&self) -> bool {
        self.untested() > 0 && self.end != RunEnd::EnoughFailed
    }

    /// Returns the verdict on the run.
    pub fn verdict(&self) -> RunVerdict {
        self.overview().verdict()
    }

    /// Returns the totals of all files.
    pub fn totals(&self) -> Totals {
        Totals::from_files(&self.files)
    }

    /// Returns the number of files in each dialect, without files whose dialect is unknown.
    pub fn dialects(&self) -> BTreeMap<&str, u64> {
        let mut dialects = BTreeMap::new();
        for dialect in self.files.iter().filter_map(|file| file.dialect.as_deref()) {
            *dialects.entry(dialect).or_default() += 1;
        }
        dialects
    }

    /// Returns the records that pass only within the tolerance of their dialect, with their files. A record that is
    /// executed several times counts each time.
    pub fn within_tolerance(&self) -> impl Iterator<Item = (&FileReport, &Lint)> {
        let lints = self.files.iter().flat_map(|file| file.lints.iter().map(move |lint| (file, lint)));
        lints.filter(|(_, lint)| lint.kind == LintKind::WithinTolerance)
    }

    /// Returns the times of all records in the engine, by kind of statement.
    pub fn times(&self) -> StatementTimes {
        let mut times = StatementTimes::default();
        self.files.iter().for_each(|file| times.merge(&file.times));
        times
    }

    /// Returns the totals of each category.
    pub fn by_category(&self) -> BTreeMap<&str, Totals> {
        let mut categories = BTreeMap::<&str, Totals>::new();
        for file in &self.files {
            categories.entry(file.category()).or_default().add(file);
        }
        categories
    }
}

/// The numbers of files by status, and the counts of all records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// All files.
    pub files: u64,
    /// Files that passed.
    pub passed: u64,
    /// Files with failing, malformed or unsupported records.
    pub failed: u64,
    /// Files over a time limit.
    pub timed_out: u64,
    /// Files in which nothing was executed.
    pub empty: u64,
    /// Flaky files.
    pub flaky: u64,
    /// Flaky files whose last attempt passed.
    pub flaky_passed: u64,
    /// Files during which the engine or its process was lost.
    pub crashed: u64,
    /// Files over the memory limit.
    pub out_of_memory: u64,
    /// Files that could not be started.
    pub errors: u64,
    /// The records of all files.
    pub records: Counts,
    /// The sum of the durations of all files.
    pub elapsed: Duration,
}

impl Totals {
    /// Returns the totals of `files`.
    pub fn from_files(files: &[FileReport]) -> Self {
        let mut totals = Self::default();
        files.iter().for_each(|file| totals.add(file));
        totals
    }

    /// Adds a file.
    pub fn add(&mut self, file: &FileReport) {
        self.add_parts([file.status(), file.last_status()], file.counts, file.elapsed);
    }

    /// Returns the totals of summaries.
    pub fn from_summaries(files: &[FileSummary]) -> Self {
        let mut totals = Self::default();
        files.iter().for_each(|file| totals.add_summary(file));
        totals
    }

    /// Adds the summary of a file.
    pub fn add_summary(&mut self, file: &FileSummary) {
        self.add_parts([file.status(), file.last_status()], file.counts, file.elapsed);
    }

    /// Adds a file by its status, and the status of its last attempt.
    fn add_parts(&mut self, [status, last]: [FileStatus; 2], counts: Counts, elapsed: Duration) {
        self.files += 1;
        self.flaky_passed += u64::from(status == FileStatus::Flaky && last == FileStatus::Passed);
        self.records += counts;
        self.elapsed += elapsed;
        *match status {
            FileStatus::Passed => &mut self.passed,
            FileStatus::Failed => &mut self.failed,
            FileStatus::TimedOut => &mut self.timed_out,
            FileStatus::Empty => &mut self.empty,
            FileStatus::Flaky => &mut self.flaky,
            FileStatus::Crashed => &mut self.crashed,
            FileStatus::OutOfMemory => &mut self.out_of_memory,
            FileStatus::Error => &mut self.errors,
        } += 1;
    }

    /// Returns the counts of files in the order of their declaration.
    fn files_mut(&mut self) -> [&mut u64; 10] {
        [
            &mut self.files,
            &mut self.passed,
            &mut self.failed,
            &mut self.timed_out,
            &mut self.empty,
            &mut self.flaky,
            &mut self.flaky_passed,
            &mut self.crashed,
            &mut self.out_of_memory,
            &mut self.errors,
        ]
    }

    /// Returns the number of passed files, with flaky files counted as given.
    pub fn passed_with(&self, flaky: FlakyResult) -> u64 {
        match flaky {
            FlakyResult::Pass => self.passed + self.flaky_passed,
            FlakyResult::Fail => self.passed,
        }
    }

    /// Returns the share of passed files among all nonempty files, between 0 and 1.
    pub fn pass_rate_with(&self, flaky: FlakyResult) -> Option<f64> {
        let tested = self.files - self.empty;
        (tested > 0).then(|| self.passed_with(flaky) as f64 / tested as f64)
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, mut other: Self) {
        for (own, others) in self.files_mut().into_iter().zip(other.files_mut()) {
            *own += *others;
        }
        self.records += other.records;
        self.elapsed += other.elapsed;
    }
}
