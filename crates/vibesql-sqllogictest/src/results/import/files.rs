//! The files of a run, of which each is there once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::Oddity;
use crate::outcome::{FileReport, FileStatus};

#[derive(Debug, Default)]
pub(super) struct Files(BTreeMap<String, FileReport>);

impl Files {
    /// Adds a file. Of two with one name the graver is kept.
    pub(super) fn add(&mut self, report: FileReport, oddities: &mut Vec<Oddity>) {
        match self.0.entry(report.file.clone()) {
            Entry::Vacant(place) => {
                place.insert(report);
            }
            Entry::Occupied(mut place) => {
                let (one, other) = (place.get().status(), report.status());
                if gravity(other) > gravity(one) {
                    place.insert(report);
                }
                let (file, kept) = (place.key().clone(), place.get().status().word());
                oddities.push(Oddity::Duplicate { file, one: one.word(), other: other.word(), kept });
            }
        }
    }

    pub(super) fn contains(&self, file: &str) -> bool {
        self.0.contains_key(file)
    }

    pub(super) fn into_vec(self) -> Vec<FileReport> {
        self.0.into_values().collect()
    }
}

fn gravity(status: FileStatus) -> u8 {
    match status {
        FileStatus::Empty => 0,
        FileStatus::Passed => 1,
        FileStatus::Flaky => 2,
        FileStatus::Failed => 3,
        FileStatus::TimedOut => 4,
        FileStatus::Error => 5,
        FileStatus::OutOfMemory => 6,
        FileStatus::Crashed => 7,
    }
}
