//! How results are compared, by default and by request.

use crate::column_type::ColumnType;

/// Makes a value comparable; by default [`default_normalizer`].
pub type Normalizer = fn(s: &String) -> String;

/// Compares rows with the expected lines; by default [`default_validator`].
pub type Validator = fn(normalizer: Normalizer, actual: &[Vec<String>], expected: &[String]) -> bool;

/// Compares the types of columns; by default [`default_column_validator`].
pub type ColumnTypeValidator<T> = fn(actual: &Vec<T>, expected: &Vec<T>) -> bool;

/// Stands for any text within an expected result.
const IGNORE_MARKER: &str = "<slt:ignore>";

/// Returns a value without white space around it, and with single blanks within.
#[expect(clippy::ptr_arg, reason = "the type is `Normalizer`")]
pub fn default_normalizer(s: &String) -> String {
    s.trim().split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns whether the rows, with a blank between their values, are the expected lines, all of them normalised.
///
/// If `<slt:ignore>` is in the expected lines, nothing is normalised: the texts between these marks must occur in the rows in
/// their order.
pub fn default_validator(normalizer: Normalizer, actual: &[Vec<String>], expected: &[String]) -> bool {
    if expected.iter().any(|line| line.contains(IGNORE_MARKER)) {
        let rows: Vec<_> = actual.iter().map(|row| row.join(" ")).collect();
        return contains_fragments(&rows.join("\n"), &expected.join("\n"));
    }
    let rows = actual.iter().map(|row| row.iter().map(normalizer).collect::<Vec<_>>().join(" "));
    rows.eq(expected.iter().map(normalizer))
}

/// Returns whether all texts between the marks occur in `text`, one after the other.
fn contains_fragments(text: &str, pattern: &str) -> bool {
    let mut rest = text;
    pattern.split(IGNORE_MARKER).all(|fragment| match rest.find(fragment) {
        Some(at) => {
            rest = &rest[at + fragment.len()..];
            true
        }
        None => false,
    })
}

/// Accepts all types.
pub fn default_column_validator<T: ColumnType>(_: &Vec<T>, _: &Vec<T>) -> bool {
    true
}

/// Returns whether the columns are as many as expected, and each has the expected type.
pub fn strict_column_validator<T: ColumnType>(actual: &Vec<T>, expected: &Vec<T>) -> bool {
    actual == expected
}
