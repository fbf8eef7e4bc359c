//! What became of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use super::counts::Counts;
use super::file::{FileReport, FileStatus};
use crate::engine::EngineIdentity;

/// What is known of a run before it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "suite", derive(serde::Serialize, serde::Deserialize))]
pub struct RunHeader {
    /// The engine under test.
    pub engine: EngineIdentity,
    /// The names that conditions were held against.
    pub labels: Vec<String>,
    /// Whether the reference runner's holes are reproduced.
    pub exact: bool,
    /// How many files are to be run.
    pub files: usize,
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
#[cfg_attr(feature = "suite", derive(serde::Serialize, serde::Deserialize))]
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

impl RunReport {
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
        self.add_parts(file.status(), file.counts, file.elapsed);
    }

    /// Adds a file of which only this is known.
    pub(crate) fn add_parts(&mut self, status: FileStatus, counts: Counts, elapsed: Duration) {
        self.files += 1;
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

    /// The share of the files that passed, between 0 and 1; empty files are no part of it.
    pub fn pass_rate(&self) -> Option<f64> {
        let wanted = self.files - self.empty;
        (wanted > 0).then(|| self.passed as f64 / wanted as f64)
    }
}
