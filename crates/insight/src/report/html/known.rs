//! What is expected to fail, for the page.

use serde::Serialize;

use super::choice::LONGEST_VALUE;
use crate::report::subject::{Expected, clipped};

/// So many entries of a kind are named.
const MOST_ENTRIES: usize = 100;

#[derive(Serialize)]
pub(super) struct Known {
    sentence: String,
    good: bool,
    /// How many files have failures that are not expected.
    unexpected: usize,
    notes: Vec<Notes>,
}

#[derive(Serialize)]
struct Notes {
    title: &'static str,
    matters: bool,
    count: usize,
    entries: Vec<String>,
}

impl Known {
    pub(super) fn of(expected: &Expected<'_>) -> Self {
        let notes = expected.notes().into_iter().map(|notes| Notes {
            title: notes.title,
            matters: notes.matters,
            count: notes.entries.len(),
            entries: notes
                .entries
                .iter()
                .take(MOST_ENTRIES)
                .map(|entry| clipped(entry, LONGEST_VALUE))
                .collect(),
        });
        Self {
            sentence: expected.sentence(),
            good: expected.judgement.is_good(),
            unexpected: expected.judgement.unexpected.len(),
            notes: notes.collect(),
        }
    }
}
