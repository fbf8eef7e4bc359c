//! Selects the failing records that the page shows with details, so that the page stays small.
//!
//! First comes one of each cluster, then regressions, then the first ones of all files, the second ones, and so on.

use std::collections::BTreeSet;

use crate::regression::{RecordChange, RecordDiff};
use crate::report::subject::{Subject, detail_at};
use slt_core::outcome::{DetailedFailure, FileReport, RecordId};

/// The maximum number of records, and of the bytes of their texts.
const MOST_RECORDS: usize = 4_000;
const MOST_BYTES: usize = 2_500_000;

/// The maximum lengths of shown texts, in characters.
pub(super) const LONGEST_SQL: usize = 4_000;
pub(super) const LONGEST_VALUE: usize = 400;

/// Returns the places of the selected records in [`FileReport::failures`], for each file.
pub(super) fn choose(subject: &Subject<'_>) -> Vec<BTreeSet<usize>> {
    let files = &subject.report.files;
    let mut choice = ShownRecords { chosen: vec![BTreeSet::new(); files.len()], records: 0, bytes: 0 };
    for example in subject.clusters().iter().filter_map(|cluster| cluster.example.as_ref()) {
        choice.take(example.file, &files[example.file], example.place);
    }
    choice.take_changed(subject);
    let deepest = files.iter().map(|file| file.failures.len()).max().unwrap_or(0);
    for place in 0..deepest {
        if choice.is_full() {
            break;
        }
        files.iter().enumerate().for_each(|(number, file)| choice.take(number, file, place));
    }
    choice.chosen
}

struct ShownRecords {
    chosen: Vec<BTreeSet<usize>>,
    records: usize,
    bytes: usize,
}

impl ShownRecords {
    fn is_full(&self) -> bool {
        self.records >= MOST_RECORDS || self.bytes >= MOST_BYTES
    }

    /// Selects regressed records, first one of each file, up to half of the limits.
    fn take_changed(&mut self, subject: &Subject<'_>) {
        let is_worse = |record: &&RecordDiff<'_>| {
            matches!(record.change, RecordChange::Regressed | RecordChange::NewFailure(_))
                || record.is_graver()
        };
        let changes = subject.changes().into_iter().map(|file| {
            let records = file.filter(|file| file.is_common()).map_or(&[][..], |file| &file.records);
            records.iter().filter(is_worse).filter_map(RecordDiff::id).collect::<Vec<_>>()
        });
        let worse: Vec<_> = changes.collect();
        for turn in 0..worse.iter().map(Vec::len).max().unwrap_or(0) {
            for (number, file) in subject.report.files.iter().enumerate() {
                if self.records * 2 >= MOST_RECORDS || self.bytes * 2 >= MOST_BYTES {
                    return;
                }
                worse[number].get(turn).iter().for_each(|id| self.take_record(number, file, id));
            }
        }
    }

    fn take_record(&mut self, number: usize, file: &FileReport, id: &RecordId) {
        if let Some(place) = file.failures.iter().position(|record| record.id == *id) {
            self.take(number, file, place);
        }
    }

    fn take(&mut self, number: usize, file: &FileReport, place: usize) {
        let Some(detail) = detail_at(file, place).filter(|_| !self.is_full()) else { return };
        if self.chosen[number].insert(place) {
            self.records += 1;
            self.bytes += weight(detail);
        }
    }
}

/// Estimates the bytes of a record in the page.
fn weight(detail: DetailedFailure<'_>) -> usize {
    use slt_runner::text::evidence::{Evidence, evidence};
    let rows: usize = evidence(detail)
        .iter()
        .map(|line| match line {
            Evidence::Row(_, values) => values.iter().map(|value| value.len().min(LONGEST_VALUE) + 3).sum(),
            Evidence::Text(_, text) | Evidence::Gap(text) | Evidence::Note(text) => text.len(),
        })
        .sum();
    300 + rows + detail.sql.len().min(LONGEST_SQL)
}
