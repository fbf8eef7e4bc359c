//! The changes since a baseline, for the page.

use std::collections::HashSet;

use super::choice::LONGEST_VALUE;
use crate::regression::FileDiff;
use crate::report::changes::{ChangeKind, ChangeSection, ChangeTone, KINDS, caveats, rows, sums};
use crate::report::subject::{Baseline, Subject, clipped};
use slt_core::location::FileId;
use slt_core::outcome::RecordId;
use slt_runner::text::object::{Object, object};

/// The maximum number of listed changes of a kind.
const MOST_PLACES: usize = 200;

/// Makes the comparison with a baseline.
pub(super) fn since<'s>(
    subject: &Subject<'_>,
    baseline: &Baseline<'s>,
    sections: &[ChangeSection<'s>],
) -> Object<'s> {
    let diff = baseline.diff;
    let known: HashSet<&FileId> = subject.report.files.iter().map(|file| &file.file).collect();
    let sums = sums(diff).into_iter().map(|sum| (sum.count, word(sum.tone), sum.words));
    let caveats = caveats(diff).into_iter().map(|caveat| clipped(&caveat, LONGEST_VALUE));
    object! {
        "baseline": clipped(baseline.name, LONGEST_VALUE),
        "commit": baseline.commit.map(|commit| &commit.hash),
        "branch": baseline.commit.map(|commit| &commit.branch),
        "common": diff.common(),
        // The pass rate of the baseline's records.
        "rate": diff.baseline.totals.records.pass_rate(),
        // Item, before, now, change.
        "rows": rows(diff),
        "caveats": caveats.collect::<Vec<_>>(),
        "sums": sums.collect::<Vec<_>>(),
        "kinds": sections.iter().map(|section| kind(section, &known)).collect::<Vec<_>>(),
    }
}

/// Returns the changes of one kind; a place states whether its file is in this run.
fn kind<'s>(section: &ChangeSection<'s>, known: &HashSet<&FileId>) -> Object<'s> {
    let places = section.entries.iter().take(MOST_PLACES).map(|entry| {
        let place = object! { "n": entry.file.path() }.with_some("l", entry.id.map(|id| id.line));
        place.with("w", entry.what()).with("here", known.contains(entry.file))
    });
    object! {
        "title": section.title,
        "tone": word(section.tone),
        "records": !section.of_files,
        "count": section.entries.len(),
        "places": places.collect::<Vec<_>>(),
    }
}

fn word(tone: ChangeTone) -> &'static str {
    match tone {
        ChangeTone::Bad => "worse",
        ChangeTone::Odd => "odd",
        ChangeTone::Good => "better",
        ChangeTone::Plain => "plain",
    }
}

/// The kinds of change that occur in files of this run, numbered as on the page.
pub(super) struct KindNumbers(Vec<Option<usize>>);

impl KindNumbers {
    pub(super) fn new(sections: &[ChangeSection<'_>]) -> Self {
        let number = |kind: &ChangeKind| sections.iter().position(|section| section.title == kind.title);
        Self(KINDS.iter().map(number).collect())
    }

    /// Returns the kinds of changes in a file, with their numbers.
    pub(super) fn counts(&self, file: Option<&FileDiff<'_>>) -> Vec<(usize, usize)> {
        let counts = self.kinds().filter_map(|(kind, number)| Some((number, kind.entries(file?).len())));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// Returns the changed records of a file with the kinds of their changes, sorted.
    pub(super) fn records<'d>(&self, file: Option<&'d FileDiff<'d>>) -> Vec<(&'d RecordId, usize)> {
        let records = self.kinds().flat_map(|(kind, number)| {
            let entries = file.map_or_else(Vec::new, |file| kind.entries(file));
            entries.into_iter().filter_map(move |entry| Some((entry.failing()?, number)))
        });
        let mut records: Vec<_> = records.collect();
        records.sort_unstable();
        records
    }

    fn kinds(&self) -> impl Iterator<Item = (&'static ChangeKind, usize)> {
        KINDS.iter().zip(&self.0).filter_map(|(kind, number)| Some((kind, (*number)?)))
    }
}
