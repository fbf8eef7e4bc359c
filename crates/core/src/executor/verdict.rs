//! The verdict: a pure function of what was expected and what came out.

use crate::parser::{Block, HashLine, LintKind, Presentation};

use super::canonical::Output;

/// How an output misses its expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// The first value that differs, is missing or is too many, counted from 0.
    Values {
        /// Its place.
        at: u64,
    },
    /// Another count or digest.
    Hash {
        /// The line of the file.
        expected: HashLine,
        /// The line that the output makes.
        actual: HashLine,
    },
    /// The values are right, but the reference runner would not look at them.
    Presentation {
        /// What it would want to read.
        wanted: String,
    },
}

/// Judges a result that has as many columns as it should, with its values in their final order.
///
/// With [`Presentation::ByShape`] a lone hash line stands for a result of any size, and listed values are
/// always compared. With [`Presentation::ByThreshold`] a result of more than `threshold` values must be a hash
/// line and any other a list; a threshold of 0 means that everything is listed. Returns what is odd about a
/// record that has passed.
///
/// # Errors
///
/// The [`Mismatch`], when the record has not passed.
pub fn judge(
    expected: &Block<'_>,
    output: &Output<'_>,
    threshold: u64,
    presentation: Presentation,
) -> Result<Option<LintKind>, Mismatch> {
    let hashes = threshold > 0 && output.values() > threshold;
    match presentation {
        Presentation::ByShape => judge_by_shape(expected, output, hashes),
        Presentation::ByThreshold => judge_by_threshold(expected, output, hashes).map(|()| None),
    }
}

fn judge_by_shape(
    expected: &Block<'_>,
    output: &Output<'_>,
    hashes: bool,
) -> Result<Option<LintKind>, Mismatch> {
    let difference = first_difference(expected, output);
    match (expected.hash(), difference) {
        (_, None) => Ok(hashes.then_some(LintKind::ValuesAboveThreshold)),
        (None, Some(at)) => Err(Mismatch::Values { at }),
        (Some(hash), Some(_)) => {
            judge_hash(hash, output).map(|()| (!hashes).then_some(LintKind::HashBelowThreshold))
        }
    }
}

fn judge_by_threshold(expected: &Block<'_>, output: &Output<'_>, hashes: bool) -> Result<(), Mismatch> {
    if hashes {
        let Some(hash) = expected.lines().next().and_then(HashLine::parse) else {
            return Err(match first_difference(expected, output) {
                None => Mismatch::Presentation { wanted: output.hash_line().to_string() },
                Some(at) => Mismatch::Values { at },
            });
        };
        return judge_hash(hash, output);
    }
    let Some(at) = first_difference(expected, output) else { return Ok(()) };
    Err(match expected.hash() {
        None => Mismatch::Values { at },
        Some(hash) => judge_hash(hash, output).err().unwrap_or_else(|| Mismatch::Presentation {
            wanted: format!("{} listed values", output.values()),
        }),
    })
}

fn judge_hash(expected: HashLine, output: &Output<'_>) -> Result<(), Mismatch> {
    // Another number of values needs no digest to be wrong, but the message gives both lines whole.
    let actual = output.hash_line();
    if expected == actual { Ok(()) } else { Err(Mismatch::Hash { expected, actual }) }
}

/// The place of the first value in which the listed values and the output differ.
fn first_difference(expected: &Block<'_>, output: &Output<'_>) -> Option<u64> {
    let (mut wanted, mut found) = (expected.lines(), output.lines());
    let mut at = 0;
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return None,
            (wanted, found) if wanted == found => at += 1,
            _ => return Some(at),
        }
    }
}
