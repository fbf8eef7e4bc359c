//! The verdict: a pure function of the expectation and the output.

use super::canonical::Output;
use crate::engine::SqlError;
use crate::outcome::Failure;
use crate::parser::{
    Block, ErrorPattern, HashLine, LintKind, Matcher, Presentation, QueryExpectation, StatementExpectation,
};

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
        /// The expected form.
        wanted: String,
    },
}

/// Judges a result with the right number of columns, given its values in their final order.
///
/// With [`Presentation::ByShape`] a hash stands for a result of any size, and listed values are always compared. With
/// [`Presentation::ByThreshold`] a result of more than `threshold` values must be a hash and any other a list; a
/// threshold of 0 means that everything is listed. Returns the lint of a record that has passed.
///
/// # Errors
///
/// The [`Mismatch`], when the record has not passed.
pub fn judge(
    matcher: Matcher,
    expected: &QueryExpectation<'_>,
    output: &Output<'_>,
    threshold: u64,
) -> Result<Option<LintKind>, Mismatch> {
    let Matcher::ValuePerLine(presentation) = matcher;
    let hashes = threshold > 0 && output.values() > threshold;
    match presentation {
        Presentation::ByShape => judge_by_shape(expected, output, hashes),
        Presentation::ByThreshold => judge_by_threshold(expected, output, hashes).map(|()| None),
    }
}

/// Judges the result of a statement.
///
/// # Errors
///
/// The [`Failure`], when the record has not passed.
pub fn judge_statement(expected: &StatementExpectation, result: Result<(), SqlError>) -> Result<(), Failure> {
    match (expected, result) {
        (StatementExpectation::Ok, Ok(())) | (StatementExpectation::Error(ErrorPattern::Any), Err(_)) => {
            Ok(())
        }
        (StatementExpectation::Ok, Err(error)) => Err(Failure::UnexpectedError(error)),
        (StatementExpectation::Error(_), Ok(())) => Err(Failure::UnexpectedSuccess),
    }
}

fn judge_by_shape(
    expected: &QueryExpectation<'_>,
    output: &Output<'_>,
    hashes: bool,
) -> Result<Option<LintKind>, Mismatch> {
    match expected {
        QueryExpectation::Rows(listed) => {
            judge_listed(listed, output).map(|()| hashes.then_some(LintKind::ValuesAboveThreshold))
        }
        QueryExpectation::Hash(hash) if is_listed(*hash, output) => Ok(None),
        QueryExpectation::Hash(hash) => {
            judge_hash(*hash, output).map(|()| (!hashes).then_some(LintKind::HashBelowThreshold))
        }
    }
}

fn judge_by_threshold(
    expected: &QueryExpectation<'_>,
    output: &Output<'_>,
    hashes: bool,
) -> Result<(), Mismatch> {
    match (expected, hashes) {
        (QueryExpectation::Rows(listed), false) => judge_listed(listed, output),
        // Lines behind a hash line are not read.
        (QueryExpectation::Rows(listed), true) => match listed.leading_hash() {
            Some(hash) => judge_hash(hash, output),
            None => {
                judge_listed(listed, output)?;
                Err(Mismatch::Presentation { wanted: output.hash_line().to_string() })
            }
        },
        (QueryExpectation::Hash(hash), true) => judge_hash(*hash, output),
        (QueryExpectation::Hash(hash), false) if is_listed(*hash, output) => Ok(()),
        (QueryExpectation::Hash(hash), false) => {
            judge_hash(*hash, output)?;
            Err(Mismatch::Presentation { wanted: format!("{} listed values", output.values()) })
        }
    }
}

fn judge_listed(expected: &Block<'_>, output: &Output<'_>) -> Result<(), Mismatch> {
    first_difference(expected, output).map_or(Ok(()), |at| Err(Mismatch::Values { at }))
}

/// Returns whether the only value of the output is the text of the hash line.
fn is_listed(hash: HashLine, output: &Output<'_>) -> bool {
    output.values() == 1 && output.lines().eq([hash.to_string().as_bytes()])
}

fn judge_hash(expected: HashLine, output: &Output<'_>) -> Result<(), Mismatch> {
    // Another number of values needs no digest to be wrong, but the message gives both lines whole.
    let actual = output.hash_line();
    if expected == actual { Ok(()) } else { Err(Mismatch::Hash { expected, actual }) }
}

/// Returns the place of the first value in which the listed values and the output differ.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::Source;
    use crate::parser::{Profile, RecordKind, SQLITE, SQLITE_EXACT, parse};

    /// Judges a result of these lines against the expectation of a query.
    fn check(profile: &'static Profile, expected: &str, output: &str, threshold: u64) -> &'static str {
        let source = Source::new("t.test", format!("query T\nSELECT\n----\n{expected}\n"));
        let script = parse(&source, profile);
        let query = script.records().find_map(|record| match &record.kind {
            RecordKind::Query(query) => Some(query),
            _ => None,
        });
        let output = Output::new(output.lines().count() as u64, output.as_bytes());
        match judge(profile.matcher, &query.unwrap().expected, &output, threshold) {
            Ok(None) => "passed",
            Ok(Some(_)) => "odd",
            Err(Mismatch::Values { .. }) => "values",
            Err(Mismatch::Hash { .. }) => "hash",
            Err(Mismatch::Presentation { .. }) => "presentation",
        }
    }

    #[test]
    fn a_hash_or_a_list_is_right_by_its_shape_or_by_the_threshold() {
        let (hash, other) = (
            "3 values hashing to c0710d6b4f15dfa88f600b0e6b624077",
            "3 values hashing to c0710d6b4f15dfa88f600b0e6b624070",
        );
        for (expected, output, threshold, strict, exact) in [
            ("1\n2\n3", "1\n2\n3\n", 8, "passed", "passed"),
            ("1\n2\n3", "1\n2\n3\n", 2, "odd", "presentation"),
            ("1\n2\n4", "1\n2\n3\n", 2, "values", "values"),
            (hash, "1\n2\n3\n", 2, "passed", "passed"),
            (hash, "1\n2\n3\n", 8, "odd", "presentation"),
            (other, "1\n2\n3\n", 2, "hash", "hash"),
            (other, "1\n2\n3\n", 0, "hash", "hash"),
            // A value that reads like a hash line.
            (hash, &format!("{hash}\n"), 8, "passed", "passed"),
            (other, &format!("{hash}\n"), 8, "hash", "hash"),
        ] {
            let found = [&SQLITE, &SQLITE_EXACT].map(|profile| check(profile, expected, output, threshold));
            assert_eq!(found, [strict, exact], "{expected}, {output}, {threshold}");
        }
        // Text after a hash line is ignored above the threshold, and is a list below it.
        let glued = format!("{hash}\nx");
        assert_eq!(check(&SQLITE_EXACT, &glued, "1\n2\n3\n", 2), "passed");
        assert_eq!(check(&SQLITE_EXACT, &glued, "1\n2\n3\n", 8), "values");
    }
}
