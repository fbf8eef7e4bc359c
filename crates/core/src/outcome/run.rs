//! What became of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use super::counts::Counts;
use super::file::{FileReport, FileStatus, FlakyResult};
use super::summary::FileSummary;
use crate::engine::EngineId;

/// What is known of a run before it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunHeader {
    /// The engine under test.
    pub engine: EngineId,
    /// The names that conditions were held against.
    pub labels: Vec<String>,
    /// Whether the reference runner's holes are reproduced.
    pub exact: bool,
    /// How many files are to be run.
    pub files: usize,
    /// What a file counts as that failed at one time and passed at another.
    pub flaky: FlakyResult,
}

/// The result of a run in one word.
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
    /// The word for it, on the screen and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Incomplete => "INCOMPLETE",
        }
    }
}

/// A finished run: plain data, from which every report is made.
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    /// What was known before.
    pub header: RunHeader,
    /// The files, in the order of their paths.
    pub files: Vec<FileReport>,
    /// How long the whole run took.
    pub elapsed: Duration,
    /// How it ended.
    pub end: RunEnd,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// Every file has its result.
    Completed,
    /// It was stopped before; files without a result are untested.
    Interrupted,
    /// As many files have failed as it should wait for; files without a result are untested.
    EnoughFailed,
    /// Its time was over; files without a result are untested.
    BudgetSpent,
}

impl RunHeader {
    /// Whether a file counts as passed or empty in the end, see [`FileReport::is_good`].
    pub fn is_good(&self, file: &FileReport) -> bool {
        file.is_good(self.flaky)
    }
}

impl RunReport {
    /// Returns how many files have no result.
    pub fn untested(&self) -> u64 {
        (self.header.files as u64).saturating_sub(self.files.len() as u64)
    }

    /// Whether the run stopped before every file was tested, for another reason than failures: what was not tested may
    /// be good or bad.
    pub fn is_incomplete(&self) -> bool {
        self.untested() > 0 && self.end != RunEnd::EnoughFailed
    }

    /// Sums the run up in one word.
    pub fn verdict(&self) -> RunVerdict {
        let all_good = self.files.iter().all(|file| self.header.is_good(file));
        let passed = self.files.iter().any(|file| file.counts.passed > 0);
        if self.is_incomplete() {
            RunVerdict::Incomplete
        } else if self.untested() == 0 && all_good && passed {
            RunVerdict::Pass
        } else {
            RunVerdict::Fail
        }
    }

    /// Sums all files up.
    pub fn totals(&self) -> Totals {
        Totals::of(&self.files)
    }

    /// Sums the files up by category, in the order of the names.
    pub fn by_category(&self) -> BTreeMap<&str, Totals> {
        let mut categories = BTreeMap::<&str, Totals>::new();
        for file in &self.files {
            categories.entry(file.category()).or_default().add(file);
        }
        categories
    }
}

/// Sums over files: how many files have which status, and the records of all.
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
    /// Files that have passed, and have not passed.
    pub flaky: u64,
    /// Those of them that passed in the end.
    pub flaky_passed: u64,
    /// Files in whose midst the engine, or its process, was lost.
    pub crashed: u64,
    /// Files over the memory limit.
    pub out_of_memory: u64,
    /// Files that could not be started.
    pub errors: u64,
    /// The records of all files.
    pub records: Counts,
    /// The time that the files took, added up.
    pub elapsed: Duration,
}

impl Totals {
    /// Sums `files` up.
    pub fn of(files: &[FileReport]) -> Self {
        let mut totals = Self::default();
        files.iter().for_each(|file| totals.add(file));
        totals
    }

    /// Adds a file.
    pub fn add(&mut self, file: &FileReport) {
        self.add_parts([file.status(), file.last_status()], file.counts, file.elapsed);
    }

    /// Sums files up that are known in brief.
    pub fn of_summaries(files: &[FileSummary]) -> Self {
        let mut totals = Self::default();
        files.iter().for_each(|file| totals.add_summary(file));
        totals
    }

    /// Adds a file that is known in brief.
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

    /// Returns how many files passed in the end, where flaky files count as this.
    pub fn passed_with(&self, flaky: FlakyResult) -> u64 {
        match flaky {
            FlakyResult::Pass => self.passed + self.flaky_passed,
            FlakyResult::Fail => self.passed,
        }
    }

    /// Returns the share of these among the files that are not empty, between 0 and 1.
    pub fn pass_rate_with(&self, flaky: FlakyResult) -> Option<f64> {
        let tested = self.files - self.empty;
        (tested > 0).then(|| self.passed_with(flaky) as f64 / tested as f64)
    }
}
