//! What a run is worth in the light of what is expected: a pure function.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{ExpectationEntry, ExpectationKind, Expectations, Scope};
use slt_core::outcome::{FailingRecord, FileEnd, FileReport, FileStatus, RecordName, RunReport};

/// A run, held against what is expected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judgement {
    /// Failing records that are expected to fail.
    pub expected: u64,
    /// The places of files that have not passed, all of which is expected.
    pub expected_files: BTreeSet<usize>,
    /// Files with something that is not expected.
    pub unexpected: Vec<NotExpected>,
    /// What is expected to fail, and does not.
    pub passes: Vec<Passes>,
    /// The places of entries whose day is over, and that are about files of the run.
    pub expired: Vec<usize>,
    /// The places of entries that are about no file of the suite, or skip records that are in none of the files that were
    /// run.
    pub unused: Vec<usize>,
}

/// What is not expected of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotExpected {
    /// The place of the file in the report.
    pub file: usize,
    /// The places of its failing records that nobody expects to fail, in order; none where the file failed as a whole.
    pub records: Vec<usize>,
}

/// Something that is expected to fail, and passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passes {
    /// The place of the entry.
    pub entry: usize,
    /// The file; none for a cluster.
    pub file: Option<String>,
    /// The records of the file; none where it is about the file or the cluster.
    pub records: Vec<RecordName>,
}

impl Judgement {
    /// Whether all is as it is expected.
    pub fn is_good(&self) -> bool {
        self.unexpected.is_empty() && self.passes.is_empty() && self.expired.is_empty()
    }
}

/// Holds a run against what is expected.
///
/// | entry | what it covers | passes, if |
/// |---|---|---|
/// | a file | all that becomes of it | the file passed |
/// | records of a file | these failing records | its end was reached, and they are not among the failing ones |
/// | a cluster | failing records of this kind | the run is complete, files that it may be in were run, and no record fails so |
///
/// `is_part` says that files of the suite were left out of the run. Then, and where the run is not complete, nothing is said
/// of an entry that is about no file of the run, and no cluster passes: what becomes of the other files is not known.
///
/// `flaky` covers the same, and may pass. An entry whose day is over covers nothing. A file without a failing record that has
/// not passed (it could not be read, its worker was lost) is covered by an entry for the file only.
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
            // A file that is skipped is not in the run.
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
            matches!(entry.scope, Scope::Files(_)) || (flaky && entry.what == ExpectationKind::Flaky)
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
            self.unexpected.push(NotExpected { file: place, records });
        }
    }
}

/// Whether an entry covers a failing record.
fn covers(entry: &ExpectationEntry, file: &FileReport, record: &FailingRecord) -> bool {
    match &entry.scope {
        Scope::Files(_) => true,
        Scope::Records(_, records) => records.iter().any(|name| name.means(&record.id, record.key)),
        Scope::Cluster(_, cluster) => {
            file.group_of(record).is_some_and(|group| group.fingerprint() == *cluster)
        }
    }
}

/// Whether an entry skips records, and one of them is in none of the files, as far as all of these were read to the end.
fn skips_nothing<'r>(
    entry: &ExpectationEntry,
    mut about: impl Iterator<Item = &'r FileReport> + Clone,
) -> bool {
    let Scope::Records(_, records) = &entry.scope else { return false };
    let files = about.clone();
    let is_there = |record: &RecordName| files.clone().any(|file| is_left_out(file, *record));
    about.all(|file| file.end == FileEnd::Completed) && !records.iter().all(is_there)
}

fn is_left_out(file: &FileReport, record: RecordName) -> bool {
    file.left_out.iter().any(|left_out| record.means(&left_out.id, left_out.key))
}

/// What an entry expects to fail, and does not.
fn passes<'r>(
    entry: usize,
    of: &ExpectationEntry,
    is_whole: bool,
    about: impl Iterator<Item = &'r FileReport>,
) -> Vec<Passes> {
    match &of.scope {
        Scope::Files(_) => {
            let passed = about.filter(|file| file.status() == FileStatus::Passed);
            passed
                .map(|file| Passes { entry, file: Some(file.file.path().to_owned()), records: Vec::new() })
                .collect()
        }
        Scope::Records(_, records) => {
            let reached =
                about.filter(|file| matches!(file.end, FileEnd::Completed | FileEnd::Halted { .. }));
            let found = reached.map(|file| {
                let fails =
                    |name: &RecordName| file.failures.iter().any(|record| name.means(&record.id, record.key));
                let passes = |record: &RecordName| !fails(record) && !is_left_out(file, *record);
                let records = records.iter().copied().filter(passes).collect();
                Passes { entry, file: Some(file.file.path().to_owned()), records }
            });
            found.filter(|passes| !passes.records.is_empty()).collect()
        }
        Scope::Cluster(_, cluster) => {
            let mut about = about;
            let fails = about.any(|file| file.groups.iter().any(|group| group.fingerprint() == *cluster));
            let passes = Passes { entry, file: None, records: Vec::new() };
            if is_whole && !fails { vec![passes] } else { Vec::new() }
        }
    }
}
