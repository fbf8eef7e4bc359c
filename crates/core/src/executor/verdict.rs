//! The verdict: a pure function of the expectation and the output.

use regex::{Regex, RegexBuilder};

use super::canonical::Output;
use super::evidence::{excerpt, window_start};
use super::record_processor::StatementEffect;
use crate::engine::SqlError;
use crate::location::text_of;
use crate::outcome::{Mismatch, Problem};
use crate::parser::{
    Block, ErrorPattern, HashLine, LintKind, Presentation, QueryExpectation, StatementExpectation,
};

/// The part of the values that a mismatch keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvidenceLimits {
    /// The values that make a row.
    pub columns: usize,
    /// How many values of each side are kept.
    pub values: usize,
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
    presentation: Presentation,
    expected: &QueryExpectation<'_>,
    output: &Output<'_>,
    threshold: u64,
    evidence: EvidenceLimits,
) -> Result<Option<LintKind>, Mismatch> {
    let hashes = threshold > 0 && output.values() > threshold;
    match presentation {
        Presentation::ByShape => judge_by_shape(expected, output, hashes, evidence),
        Presentation::ByThreshold => judge_by_threshold(expected, output, hashes, evidence).map(|()| None),
    }
}

/// Judges the result of a statement.
///
/// # Errors
///
/// The [`Problem`], when the record has not passed.
pub fn judge_statement(
    expected: &StatementExpectation<'_>,
    result: Result<StatementEffect, SqlError>,
) -> Result<(), Problem> {
    use StatementExpectation::{Count, Error, Ok as Succeed, OkOrError, Unchecked, UncheckedBeforeSkip};
    match (expected, result) {
        (Unchecked | UncheckedBeforeSkip, _) | (Succeed | OkOrError(_), Ok(_)) => Ok(()),
        (Count(expected), Ok(effect)) => judge_count(*expected, effect),
        (Error(_), Ok(_)) => Err(Problem::UnexpectedSuccess),
        (Succeed | Count(_), Err(error)) => Err(Problem::UnexpectedError { error, after_rows: false }),
        (Error(pattern) | OkOrError(pattern), Err(error)) => judge_error(pattern, error),
    }
}

/// Compares the number of rows that a statement has returned, or else changed.
fn judge_count(expected: u64, effect: StatementEffect) -> Result<(), Problem> {
    let actual = if effect.columns > 0 { Some(effect.rows) } else { effect.affected };
    match actual {
        Some(actual) if actual == expected => Ok(()),
        Some(actual) => Err(Problem::Mismatch(Mismatch::AffectedRows { expected, actual })),
        None => Err(Problem::Unsupported(
            "the engine does not count the rows that a statement changes".to_owned(),
        )),
    }
}

/// Compares an error with the expected ones.
fn judge_error(pattern: &ErrorPattern<'_>, error: SqlError) -> Result<(), Problem> {
    let message = error.message.as_str();
    let searched = |regex: &str| Regex::new(regex).is_ok_and(|regex| regex.is_match(message));
    let (holds, expected) = match pattern {
        ErrorPattern::Any => return Ok(()),
        ErrorPattern::Search(regex) => (searched(regex), regex.to_string()),
        ErrorPattern::FullRegex { regex, negated } => {
            let sign = if *negated { "<!REGEX>:" } else { "<REGEX>:" };
            (matches_whole(regex, message).is_some_and(|holds| holds != *negated), format!("{sign}{regex}"))
        }
        ErrorPattern::Contains(text) => {
            (memchr::memmem::find(message.as_bytes(), text).is_some(), text_of(text))
        }
        ErrorPattern::Exact(text) => (message.trim().as_bytes() == text.trim_ascii(), text_of(text)),
        ErrorPattern::SqlState { code, message } => {
            let text = format!("({code}) {message}");
            let same = error.code.as_deref() == Some(*code);
            (same && (message.is_empty() || searched(message)), text.trim_end().to_owned())
        }
    };
    if holds { Ok(()) } else { Err(Problem::Mismatch(Mismatch::Error { expected, actual: error })) }
}

/// Returns whether a regular expression, in which a dot matches a line end, matches a whole text; `None` for an invalid
/// expression.
pub(super) fn matches_whole(regex: &str, text: &str) -> Option<bool> {
    let regex = RegexBuilder::new(&format!("^(?:{regex})$")).dot_matches_new_line(true).build().ok()?;
    Some(regex.is_match(text))
}

fn judge_by_shape(
    expected: &QueryExpectation<'_>,
    output: &Output<'_>,
    hashes: bool,
    evidence: EvidenceLimits,
) -> Result<Option<LintKind>, Mismatch> {
    match expected {
        QueryExpectation::Rows(listed) => {
            judge_listed(listed, output, evidence).map(|()| hashes.then_some(LintKind::ValuesAboveThreshold))
        }
        QueryExpectation::Hash(hash) if is_listed(*hash, output) => Ok(None),
        QueryExpectation::Hash(hash) => {
            judge_hash(*hash, output, evidence).map(|()| (!hashes).then_some(LintKind::HashBelowThreshold))
        }
        // The dialects with one value on each line have no others.
        QueryExpectation::File(_) | QueryExpectation::Error(_) | QueryExpectation::Label => Err(not_listed()),
    }
}

fn judge_by_threshold(
    expected: &QueryExpectation<'_>,
    output: &Output<'_>,
    hashes: bool,
    evidence: EvidenceLimits,
) -> Result<(), Mismatch> {
    match (expected, hashes) {
        (QueryExpectation::Rows(listed), false) => judge_listed(listed, output, evidence),
        // Lines behind a hash line are not read.
        (QueryExpectation::Rows(listed), true) => match listed.leading_hash() {
            Some(hash) => judge_hash(hash, output, evidence),
            None => {
                judge_listed(listed, output, evidence)?;
                Err(Mismatch::Presentation { wanted: output.hash_line().to_string() })
            }
        },
        (QueryExpectation::Hash(hash), true) => judge_hash(*hash, output, evidence),
        (QueryExpectation::Hash(hash), false) if is_listed(*hash, output) => Ok(()),
        (QueryExpectation::Hash(hash), false) => {
            judge_hash(*hash, output, evidence)?;
            Err(Mismatch::Presentation { wanted: format!("{} listed values", output.values()) })
        }
        (QueryExpectation::File(_) | QueryExpectation::Error(_) | QueryExpectation::Label, _) => {
            Err(not_listed())
        }
    }
}

/// Returns the mismatch for an expectation that the matcher does not know: nothing passes by default.
fn not_listed() -> Mismatch {
    Mismatch::Presentation { wanted: "listed values or a hash line".to_owned() }
}

fn judge_listed(expected: &Block<'_>, output: &Output<'_>, evidence: EvidenceLimits) -> Result<(), Mismatch> {
    let Some(at) = first_difference(expected, output) else { return Ok(()) };
    let from = window_start(at, evidence.columns);
    Err(Mismatch::Rows {
        expected: excerpt(expected.lines(), from, evidence.values),
        actual: output.excerpt(from, evidence.values),
        columns: evidence.columns,
    })
}

/// Returns whether the only value of the output is the text of the hash line.
fn is_listed(hash: HashLine, output: &Output<'_>) -> bool {
    output.values() == 1 && output.lines().eq([hash.to_string().as_bytes()])
}

fn judge_hash(expected: HashLine, output: &Output<'_>, evidence: EvidenceLimits) -> Result<(), Mismatch> {
    // Another number of values needs no digest to be wrong, but the message gives both lines whole.
    let actual = output.hash_line();
    if expected == actual {
        return Ok(());
    }
    let rows = output.excerpt(0, evidence.values);
    Err(Mismatch::Hash { expected, actual, rows, columns: evidence.columns })
}

/// Returns the place of the first value in which the listed values and the output differ.
fn first_difference(expected: &Block<'_>, output: &Output<'_>) -> Option<u64> {
    if output.text().is_some_and(|text| expected.lists(text)) {
        return None;
    }
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
    use crate::parser::{Matcher, Profile, RecordKind, SQLITE, SQLITE_EXACT, parse};

    const EVIDENCE: EvidenceLimits = EvidenceLimits { columns: 1, values: 8 };

    /// Judges a result of these lines against the expectation of a query.
    fn check(profile: &'static Profile, expected: &str, output: &str, threshold: u64) -> &'static str {
        let source = Source::new("t.test", format!("query T\nSELECT\n----\n{expected}\n"));
        let script = parse(&source, profile);
        let query = script.records().find_map(|record| match &record.kind {
            RecordKind::Query(query) => Some(query),
            _ => None,
        });
        let output = Output::new(output.lines().count() as u64, output.as_bytes());
        let Matcher::ValuePerLine(presentation) = profile.matcher else { return "not judged here" };
        match judge(presentation, &query.unwrap().expected, &output, threshold, EVIDENCE) {
            Ok(None) => "passed",
            Ok(Some(_)) => "odd",
            Err(Mismatch::Rows { .. }) => "values",
            Err(Mismatch::Hash { .. }) => "hash",
            Err(Mismatch::Presentation { .. }) => "presentation",
            Err(_) => "not judged here",
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
