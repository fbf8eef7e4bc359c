//! What has changed, for the page.

use std::collections::HashSet;

use serde::Serialize;

use super::choice::LONGEST_VALUE;
use crate::regression::FileDiff;
use crate::report::changes::{KINDS, Kind, Section, Tone, caveats, rows, sums};
use crate::report::subject::{Baseline, Subject, clipped};
use slt_core::outcome::RecordId;

/// So many changes of a kind are named.
const MOST_PLACES: usize = 200;

/// The comparison with a baseline.
#[derive(Serialize)]
pub(super) struct Since<'s> {
    baseline: String,
    commit: Option<&'s str>,
    branch: Option<&'s str>,
    /// How many files are in both runs.
    common: u64,
    /// The pass rate of the baseline's records.
    rate: Option<f64>,
    /// What, then, now, the change.
    rows: Vec<[String; 4]>,
    caveats: Vec<String>,
    sums: Vec<(u64, &'static str, String)>,
    kinds: Vec<Changes<'s>>,
}

/// Changes that have something in common.
#[derive(Serialize)]
struct Changes<'s> {
    title: &'static str,
    tone: &'static str,
    /// Whether they are of records.
    records: bool,
    count: usize,
    places: Vec<Place<'s>>,
}

#[derive(Serialize)]
struct Place<'s> {
    n: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    l: Option<u32>,
    w: String,
    /// Whether the file is in this run.
    here: bool,
}

impl<'s> Since<'s> {
    pub(super) fn of(subject: &Subject<'_>, baseline: &Baseline<'s>, sections: &[Section<'s>]) -> Self {
        let diff = baseline.diff;
        let known: HashSet<&str> = subject.report.files.iter().map(|file| file.file.as_str()).collect();
        let sums = sums(diff).into_iter().map(|sum| (sum.count, word(sum.tone), sum.words));
        Self {
            baseline: clipped(baseline.name, LONGEST_VALUE),
            commit: baseline.commit.map(|commit| commit.hash.as_str()),
            branch: baseline.commit.and_then(|commit| commit.branch.as_deref()),
            common: diff.common(),
            rate: diff.baseline.totals.records.pass_rate(),
            rows: rows(diff),
            caveats: caveats(diff).iter().map(|caveat| clipped(caveat, LONGEST_VALUE)).collect(),
            sums: sums.collect(),
            kinds: sections.iter().map(|section| Changes::of(section, &known)).collect(),
        }
    }
}

impl<'s> Changes<'s> {
    fn of(section: &Section<'s>, known: &HashSet<&str>) -> Self {
        let places = section.entries.iter().take(MOST_PLACES).map(|entry| Place {
            n: entry.file,
            l: entry.id.map(|id| id.line),
            w: entry.what(),
            here: known.contains(entry.file),
        });
        Self {
            title: section.title,
            tone: word(section.tone),
            records: !section.of_files,
            count: section.entries.len(),
            places: places.collect(),
        }
    }
}

fn word(tone: Tone) -> &'static str {
    match tone {
        Tone::Bad => "worse",
        Tone::Odd => "odd",
        Tone::Good => "better",
        Tone::Plain => "plain",
    }
}

/// The kinds of change that there are in files of this run, as the page numbers them.
pub(super) struct Numbered(Vec<Option<usize>>);

impl Numbered {
    pub(super) fn of(sections: &[Section<'_>]) -> Self {
        let number = |kind: &Kind| sections.iter().position(|section| section.title == kind.title);
        Self(KINDS.iter().map(number).collect())
    }

    /// The changes in a file: the kind, and how many.
    pub(super) fn counts(&self, file: Option<&FileDiff<'_>>) -> Vec<(usize, usize)> {
        let counts = self.kinds().filter_map(|(kind, number)| Some((number, kind.entries(file?).len())));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// The changed records of a file with the kinds of their changes, sorted.
    pub(super) fn records<'d>(&self, file: Option<&'d FileDiff<'d>>) -> Vec<(&'d RecordId, usize)> {
        let records = self.kinds().flat_map(|(kind, number)| {
            let entries = file.map_or_else(Vec::new, |file| kind.entries(file));
            entries.into_iter().filter_map(move |entry| Some((entry.failing()?, number)))
        });
        let mut records: Vec<_> = records.collect();
        records.sort_unstable();
        records
    }

    fn kinds(&self) -> impl Iterator<Item = (&'static Kind, usize)> {
        KINDS.iter().zip(&self.0).filter_map(|(kind, number)| Some((kind, (*number)?)))
    }
}
