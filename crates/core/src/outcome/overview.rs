//! The results of a run without those of its files.

use std::collections::BTreeMap;
use std::time::Duration;

use super::file::FileReport;
use super::run::{RunEnd, RunHeader, RunReport, RunVerdict, Totals};
use crate::parser::LintKind;

/// The most places of records within the tolerance that are kept.
const MOST_PLACES: usize = 5;

/// The results of a run without those of its files. Files can be added in any order.
#[derive(Debug, Clone, PartialEq)]
pub struct RunOverview {
    /// The properties of the run.
    pub header: RunHeader,
    /// The totals of each category.
    pub categories: BTreeMap<String, Totals>,
    /// The number of files in each dialect, without files whose dialect is unknown.
    pub dialects: BTreeMap<String, u64>,
    /// The number of files that count as passed or empty, see [`FileReport::is_good`].
    pub good: u64,
    /// The number of records that passed only within the tolerance of their dialect.
    pub tolerated: u64,
    /// The first places of such records, in the order of the report.
    pub tolerated_places: Vec<ToleratedPlace>,
    /// The duration of the whole run.
    pub elapsed: Duration,
    /// The end of the run.
    pub end: RunEnd,
}

/// The place of a record that passed only within the tolerance of its dialect. The order is that of reports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToleratedPlace {
    /// The path of the file in reports.
    pub path: String,
    /// The path of the file in messages.
    pub shown: String,
    /// Its place among the warnings about the file.
    pub place: usize,
    /// The line.
    pub line: u32,
}

impl RunOverview {
    /// Creates the overview of a run without any results yet.
    pub fn new(header: RunHeader) -> Self {
        Self {
            header,
            categories: BTreeMap::new(),
            dialects: BTreeMap::new(),
            good: 0,
            tolerated: 0,
            tolerated_places: Vec::new(),
            elapsed: Duration::ZERO,
            end: RunEnd::Interrupted,
        }
    }

    /// Adds a file.
    pub fn add(&mut self, file: &FileReport) {
        match self.categories.get_mut(file.category()) {
            Some(totals) => totals.add(file),
            None => {
                let mut totals = Totals::default();
                totals.add(file);
                self.categories.insert(file.category().to_owned(), totals);
            }
        }
        if let Some(dialect) = &file.dialect {
            match self.dialects.get_mut(dialect) {
                Some(files) => *files += 1,
                None => drop(self.dialects.insert(dialect.clone(), 1)),
            }
        }
        self.good += u64::from(self.header.is_good(file));
        let lints = file.lints.iter().enumerate();
        for (place, lint) in lints.filter(|(_, lint)| lint.kind == LintKind::WithinTolerance) {
            self.tolerated += 1;
            let (path, shown) = (file.file.path().to_owned(), file.shown.clone());
            self.tolerated_places.push(ToleratedPlace { path, shown, place, line: lint.line });
            self.tolerated_places.sort();
            self.tolerated_places.truncate(MOST_PLACES);
        }
    }

    /// Returns the totals of all files.
    pub fn totals(&self) -> Totals {
        let mut all = Totals::default();
        self.categories.values().for_each(|totals| all += *totals);
        all
    }

    /// Returns the number of files without a result.
    pub fn untested(&self) -> u64 {
        (self.header.files as u64).saturating_sub(self.totals().files)
    }

    /// Returns the verdict on the run.
    pub fn verdict(&self) -> RunVerdict {
        let totals = self.totals();
        let untested = (self.header.files as u64).saturating_sub(totals.files);
        if untested > 0 && self.end != RunEnd::EnoughFailed {
            RunVerdict::Incomplete
        } else if untested == 0 && self.good == totals.files && totals.records.passed > 0 {
            RunVerdict::Pass
        } else {
            RunVerdict::Fail
        }
    }
}

impl RunReport {
    /// Returns the overview of the run.
    pub fn overview(&self) -> RunOverview {
        let mut overview = RunOverview::new(self.header.clone());
        self.files.iter().for_each(|file| overview.add(file));
        RunOverview { elapsed: self.elapsed, end: self.end, ..overview }
    }
}
