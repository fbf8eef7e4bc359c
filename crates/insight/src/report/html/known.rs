//! What is expected to fail, for the page.

use super::choice::LONGEST_VALUE;
use crate::report::subject::{Expected, clipped};
use slt_runner::text::object::{Object, object};

/// So many entries of a kind are named.
const MOST_ENTRIES: usize = 100;

/// What is expected, what is not, and what has to be done about the entries.
pub(super) fn known(expected: &Expected<'_>) -> Object<'static> {
    let notes = expected.notes().into_iter().map(|notes| {
        let entries = notes.entries.iter().take(MOST_ENTRIES).map(|entry| clipped(entry, LONGEST_VALUE));
        object! {
            "title": notes.title,
            "matters": notes.matters,
            "count": notes.entries.len(),
            "entries": entries.collect::<Vec<_>>(),
        }
    });
    object! {
        "sentence": expected.sentence(),
        "good": expected.judgement.is_good(),
        // How many files have failures that are not expected.
        "unexpected": expected.judgement.unexpected.len(),
        "notes": notes.collect::<Vec<_>>(),
    }
}
