//! Judges a run by the expectations: a pure function.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{ExpectationEntry, ExpectationKind, ExpectationScope, Expectations};
use slt_core::outcome::{FailingRecord, FileEnd, FileReport, FileStatus, RecordName, RunReport};

/// The result of comparing a run with the expectations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judgement {
    /// The number of expected failing records.
    pub expected: u64,
    /// The places of failing files with only expected failures.
    pub expected_files: BTreeSet<usize>,
    /// Files with unexpected failures.
    pub unexpected: Vec<UnexpectedFailures>,
    /// Unexpected passes.
    pub passes: Vec<UnexpectedPass>,
    /// The places of expired entries for files of the run.
    pub expired: Vec<usize>,
    /// The indices of unused entries: they match no file of the suite, or skip records that no file has.
    pub unused: Vec<usize>,
}

/// An unexpected failure of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnexpectedFailures {
    /// The place of the file in the report.
    pub file: usize,
    /// The places of its unexpected failing records, in order; empty if the file failed as a whole.
    pub records: Vec<usize>,
}

/// An expected failure that passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnexpectedPass {
    /// The place of the entry.
    pub entry: usize,
    /// The file; `None` for a cluster.
    pub file: Option<String>,
    /// The records of the file; empty for a file or a cluster.
    pub records: Vec<RecordName>,
}

impl Judgement {
    /// Returns whether the run is as expected.
    pub fn is_good(&self) -> bool {
        self.unexpected.is_empty() && self.passes.is_empty() && self.expired.is_empty()
    }
}

/// Compares a run with the expectations.
///
/// | entry | covers | passes, if |
/// |---|---|---|
/// | a file | all outcomes of the file | the file passed |
/// | records of a file | these failing records | its end was reached, and they do not fail |
/// | a cluster | failing records of this kind | the run is complete, matching files were run, and no record fails in this way |
///
/// `is_part` means that files of the suite were left out of the run. Then, and in an incomplete run, entries without a
/// file in the run are not judged, and clusters do not pass, because the outcomes of the other files are unknown.
///
/// `flaky` covers the same, and may pass. An expired entry covers nothing. A failed file without a failing record (it
/// could not be read, its worker was lost) is covered only by an entry for the file.
pub fn judge(expectations: &Expectations, run: &RunReport, today: Date, is_part: bool) -> Judgement {
    let is_whole = !is_part && run.files.len() == run.header.files;
    let engine = &run.header.engine.qualified_name();
    let entries: Vec<_> =
        expectations.entries.iter().enumerate().filter(|(_, entry)| entry.is_for(engine)).collect();
    let (expired, live): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|(_, entry)| entry.has_expired(today));
    let mut judgement = Judgement::default();
    for (place, file) in run.files.iter().enumerate() {
        if !run.header.is_good(file) {
            let about: Vec<&ExpectationEntry> =
                live.iter().map(|(_, entry)| *entry).filter(|entry| entry.is_about(&file.file)).collect();
            judgement.enter(place, file, &about);
        }
    }
    for (place, entry) in expired {
        if run.files.iter().any(|file| entry.is_about(&file.file)) {
            judgement.expired.push(place);
        }
    }
    for (place, entry) in live {
        let mut about = run.files.iter().filter(|file| entry.is_about(&file.file)).peekable();
        if about.peek().is_none() {
            // Skipped files are not in the run.
            if entry.what != ExpectationKind::Skip && is_whole {
                judgement.unused.push(place);
            }
        } else {
            match entry.what {
                ExpectationKind::Xfail => judgement.passes.extend(passes(place, entry, is_whole, about)),
                ExpectationKind::Skip if skips_nothing(entry, about) => judgement.unused.push(place),
                ExpectationKind::Skip | ExpectationKind::Flaky => {}
            }
        }
    }
    judgement
}

impl Judgement {
    fn enter(&mut self, place: usize, file: &FileReport, about: &[&ExpectationEntry]) {
        // A flaky file that passed in the end has no failing record that an entry could be about.
        let flaky = file.last_status().is_good();
        let is_whole = |entry: &&ExpectationEntry| {
            matches!(entry.scope, ExpectationScope::Files(_))
                || (flaky && entry.what == ExpectationKind::Flaky)
        };
        let whole = about.iter().any(is_whole);
        let records: Vec<usize> = if whole {
            Vec::new()
        } else {
            let is_covered = |record| about.iter().any(|entry| covers(entry, file, record));
            let failures = file.failures.iter().enumerate();
            failures.filter(|(_, record)| !is_covered(record)).map(|(place, _)| place).collect()
        };
        self.expected += (file.failures.len() - records.len()) as u64;
        if records.is_empty() && (whole || !file.failures.is_empty()) {
            self.expected_files.insert(place);
        } else {
            self.unexpected.push(UnexpectedFailures { file: place, records });
        }
    }
}

/// Returns whether an entry covers a failing record.
fn covers(entry: &ExpectationEntry, file: &FileReport, record: &FailingRecord) -> bool {
    match &entry.scope {
        ExpectationScope::Files(_) => true,
        ExpectationScope::Records(_, records) => {
            records.iter().any(|name| name.means(&record.id, record.key))
        }
        ExpectationScope::Cluster(_, cluster) => {
            file.group_of(record).is_some_and(|group| group.fingerprint() == *cluster)
        }
    }
}

/// Returns whether an entry skips a record that no file contains, if all matching files were read to the end.
fn skips_nothing<'r>(
    entry: &ExpectationEntry,
    mut about: impl Iterator<Item = &'r FileReport> + Clone,
) -> bool {
    let ExpectationScope::Records(_, records) = &entry.scope else { return false };
    let files = about.clone();
    let is_there = |record: &RecordName| files.clone().any(|file| is_left_out(file, *record));
    about.all(|file| file.end == FileEnd::Completed) && !records.iter().all(is_there)
}

fn is_left_out(file: &FileReport, record: RecordName) -> bool {
    file.left_out.iter().any(|left_out| record.means(&left_out.id, left_out.key))
}

/// Returns the unexpected passes of an entry.
fn passes<'r>(
    entry: usize,
    of: &ExpectationEntry,
    is_whole: bool,
    about: impl Iterator<Item = &'r FileReport>,
) -> Vec<UnexpectedPass> {
    match &of.scope {
        ExpectationScope::Files(_) => {
            let passed = about.filter(|file| file.status() == FileStatus::Passed);
            passed
                .map(|file| UnexpectedPass {
                    entry,
                    file: Some(file.file.path().to_owned()),
                    records: Vec::new(),
                })
                .collect()
        }
        ExpectationScope::Records(_, records) => {
            let reached =
                about.filter(|file| matches!(file.end, FileEnd::Completed | FileEnd::Halted { .. }));
            let found = reached.map(|file| {
                let fails =
                    |name: &RecordName| file.failures.iter().any(|record| name.means(&record.id, record.key));
                let passes = |record: &RecordName| !fails(record) && !is_left_out(file, *record);
                let records = records.iter().copied().filter(passes).collect();
                UnexpectedPass { entry, file: Some(file.file.path().to_owned()), records }
            });
            found.filter(|passes| !passes.records.is_empty()).collect()
        }
        ExpectationScope::Cluster(_, cluster) => {
            let mut about = about;
            let fails = about.any(|file| file.groups.iter().any(|group| group.fingerprint() == *cluster));
            let passes = UnexpectedPass { entry, file: None, records: Vec::new() };
            if is_whole && !fails { vec![passes] } else { Vec::new() }
        }
    }
}
