//! Finds the lines that would make a failing expectation right, in the layout of the record.
//!
//! Lines that are right stay as they are: where a dialect folds white space or rounds numbers, many texts stand for the
//! same result.

mod align;
mod cells;
mod layout;
mod letters;

pub(super) use cells::correct_cells;

use super::canonical::Output;
use crate::outcome::Correction;
use crate::parser::{Block, HashLine, Query, QueryExpectation};
use align::{AlignedLine, align, match_unordered};

/// Whether a result is listed or hashed in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResultForm {
    Listed,
    Hashed,
}

/// What decides whether a new result is listed or hashed.
#[derive(Debug, Clone, Copy)]
pub(super) struct FormRule {
    /// The number of values above which results are hashed; 0 for never.
    pub(super) threshold: u64,
    /// Whether only the threshold counts, as in the runners that compare the form.
    pub(super) by_threshold: bool,
}

impl FormRule {
    /// Returns the form of a new result of `values` values. A record that does not follow the threshold keeps its form.
    ///
    /// | record so far | new result | form |
    /// |---|---|---|
    /// | list of more values than the threshold | any | listed |
    /// | hash of at most as many values as the threshold | any | hashed |
    /// | any other | more values than the threshold | hashed |
    /// | any other | at most as many | listed |
    ///
    /// Without a threshold each record keeps its form.
    fn form(self, old: ResultForm, old_values: u64, values: u64) -> ResultForm {
        let (above, was_above) = (values > self.threshold, old_values > self.threshold);
        let follows = was_above == (old == ResultForm::Hashed);
        match (self.threshold, above) {
            (0, _) if self.by_threshold => ResultForm::Listed,
            (0, _) => old,
            _ if !follows && !self.by_threshold => old,
            (_, true) => ResultForm::Hashed,
            (_, false) => ResultForm::Listed,
        }
    }
}

/// Returns the lines for a result whose values the type letters have converted.
pub(super) fn correct_output(query: &Query<'_>, output: &Output<'_>, rule: FormRule) -> Correction {
    let Some(old) = OldResult::new(&query.expected, 1) else { return Correction::OtherFile };
    let values: Vec<_> = output.lines().collect();
    let letters = letters::of_values(&values, query.types.len());
    if rule.form(old.form, old.values, output.values()) == ResultForm::Hashed {
        return hashed(output.hash_line()).with_letters(letters);
    }
    correct_lines(&old.lines, &values).with_letters(letters)
}

/// Returns the lines for new lines that are compared byte for byte, in their order.
pub(super) fn correct_text(expected: &Block<'_>, actual: &[&[u8]]) -> Correction {
    correct_lines(&expected.lines().collect::<Vec<_>>(), actual)
}

/// Returns the lines for everything that SQL answers. A line that ends rows, as `is_end` says, comes before the lines for
/// the ends of statements.
pub(super) fn correct_transcript(
    expected: &Block<'_>,
    actual: &[Vec<u8>],
    sorts: bool,
    is_end: &dyn Fn(&[u8]) -> bool,
) -> Correction {
    let all: Vec<&[u8]> = expected.lines().collect();
    let old: Vec<usize> = (0..all.len()).filter(|&at| !is_end(all[at])).collect();
    let same = |one: usize, other: usize| all[old[one]] == actual[other];
    let aligned = if sorts {
        match_unordered(old.len(), actual.len(), &same)
    } else {
        align(old.len(), actual.len(), &same)
    };
    let mut lines: Vec<Result<usize, Vec<u8>>> = aligned
        .iter()
        .map(|line| match *line {
            AlignedLine::Kept { old: at } => Ok(old[at]),
            AlignedLine::New { new, .. } => Err(actual[new].clone()),
        })
        .collect();
    if let Some(end) = all.iter().position(|line| is_end(line)) {
        let ends = actual.iter().rev().take_while(|line| line.starts_with(b"COMPLETE ")).count();
        lines.insert(lines.len() - ends, Ok(end));
    }
    Correction::of_lines(lines)
}

fn correct_lines(old: &[&[u8]], new: &[&[u8]]) -> Correction {
    let aligned = align(old.len(), new.len(), &|one, other| old[one] == new[other]);
    finished(&aligned, |at, _| new[at].to_vec())
}

fn hashed(hash: HashLine) -> Correction {
    Correction::of_hash(hash.to_string())
}

/// Makes the correction of aligned lines; `text` gives a new line, which may look like the one that it replaces.
fn finished(lines: &[AlignedLine], text: impl Fn(usize, Option<usize>) -> Vec<u8>) -> Correction {
    let lines = lines.iter().map(|line| match *line {
        AlignedLine::Kept { old } => Ok(old),
        AlignedLine::New { new, replaces } => Err(text(new, replaces)),
    });
    Correction::of_lines(lines.collect())
}

/// The expected result of a record.
struct OldResult<'s> {
    form: ResultForm,
    /// The listed lines.
    lines: Vec<&'s [u8]>,
    values: u64,
}

impl<'s> OldResult<'s> {
    /// Returns the expected result, which has `per_line` values on each line; `None` if it is in another file.
    fn new(expected: &QueryExpectation<'s>, per_line: usize) -> Option<Self> {
        match expected {
            QueryExpectation::Rows(block) => {
                let lines: Vec<_> = block.lines().collect();
                let values = lines.len().saturating_mul(per_line) as u64;
                Some(Self { form: ResultForm::Listed, lines, values })
            }
            QueryExpectation::Hash(hash) => {
                Some(Self { form: ResultForm::Hashed, lines: Vec::new(), values: hash.values })
            }
            QueryExpectation::File(_) | QueryExpectation::Error(_) | QueryExpectation::Label => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_changes_only_where_the_record_follows_the_threshold() {
        use ResultForm::{Hashed, Listed};
        for (threshold, by_threshold, old, old_values, values, expected) in [
            (8, false, Listed, 3, 4, Listed),
            (8, false, Listed, 3, 9, Hashed),
            (8, false, Listed, 9, 12, Listed),
            (8, false, Listed, 9, 2, Listed),
            (8, false, Hashed, 9, 10, Hashed),
            (8, false, Hashed, 9, 8, Listed),
            (8, false, Hashed, 3, 2, Hashed),
            (0, false, Listed, 3, 1000, Listed),
            (0, false, Hashed, 3, 1, Hashed),
            (0, true, Hashed, 3, 1, Listed),
            (8, true, Listed, 9, 12, Hashed),
            (8, true, Hashed, 3, 2, Listed),
        ] {
            let rule = FormRule { threshold, by_threshold };
            assert_eq!(
                rule.form(old, old_values, values),
                expected,
                "{rule:?} {old:?} {old_values} {values}"
            );
        }
    }
}
