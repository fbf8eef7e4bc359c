//! Classes of wrong results, by the difference between expected and actual values.

use super::problem::Excerpt;

/// The number of values of each side that are compared, so that the class does not depend on the number of kept values.
pub const VALUES_OF_GROUP: usize = 32;

/// The class of a wrong result.
///
/// | number of values | the values | class |
/// |---|---|---|
/// | other | expected are whole rows, one on each line | `RowsOnLines` |
/// | other | the same rows, some more or less often | `Duplicates` |
/// | other | anything else | `Missing`, `Extra` |
/// | same | the same in another order | `Order` |
/// | same | no row is among the expected ones, and there are several | `AllRows` |
/// | same | the first that differ are … | the others |
///
/// A class that says why (`Null`, `Form`, `LastDigits`, `Case`, `NumberOrText`) goes before `AllRows`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Difference {
    /// The same values in another order.
    Order,
    /// The same rows, but some more or less often.
    Duplicates,
    /// The file has one row per line, as in other dialects, and not one value per line.
    RowsOnLines,
    /// Fewer values than expected.
    Missing,
    /// More values than expected.
    Extra,
    /// Another number of values; the class of older journals.
    Count,
    /// NULL in place of a value, or a value in place of NULL.
    Null,
    /// The same number, written differently: 1 and 1.000.
    Form,
    /// Numbers that are nearly equal.
    LastDigits,
    /// Texts that differ in the case of their letters.
    Case,
    /// A number in place of a text, or the reverse.
    NumberOrText,
    /// Another number.
    Number,
    /// Another text.
    Text,
    /// No row is among the expected ones.
    AllRows,
    /// The difference is not among the kept values.
    Values,
    /// The expected values are known by their hash only.
    Hash,
}

impl Difference {
    /// All classes with their names, in the order of their declaration.
    const NAMES: [(Self, &str); 16] = [
        (Self::Order, "order of the values"),
        (Self::Duplicates, "duplicates"),
        (Self::RowsOnLines, "one row per line"),
        (Self::Missing, "rows missing"),
        (Self::Extra, "rows too many"),
        (Self::Count, "number of values"),
        (Self::Null, "NULL or a value"),
        (Self::Form, "form of a number"),
        (Self::LastDigits, "last digits of a number"),
        (Self::Case, "case of letters"),
        (Self::NumberOrText, "number or text"),
        (Self::Number, "another number"),
        (Self::Text, "another text"),
        (Self::AllRows, "all rows differ"),
        (Self::Values, "values"),
        (Self::Hash, "values behind a hash"),
    ];

    /// Returns the name of the class, which stands in journals.
    pub fn word(self) -> &'static str {
        Self::NAMES[self as usize].1
    }

    /// Returns the class with this name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(_, name)| *name == word).map(|(class, _)| class)
    }

    /// Returns whether the class explains the failure without the SQL.
    pub fn is_telling(self) -> bool {
        matches!(self, Self::Order | Self::RowsOnLines | Self::Form | Self::LastDigits | Self::Case)
    }

    /// Returns the class of these values, with `columns` values per row.
    pub fn of(expected: &Excerpt, actual: &Excerpt, columns: usize) -> Self {
        let whole = |side: &Excerpt| side.omitted_before == 0 && side.total() <= VALUES_OF_GROUP as u64;
        let both_whole = whole(expected) && whole(actual);
        if expected.total() != actual.total() {
            if has_rows_on_lines(expected, actual, columns) {
                return Self::RowsOnLines;
            }
            return match both_whole && same_rows(expected, actual, columns) {
                true => Self::Duplicates,
                false => Self::of_totals(expected.total(), actual.total()),
            };
        }
        if both_whole && sorted(&expected.values) == sorted(&actual.values) {
            return Self::Order;
        }
        let mut pairs = expected.values.iter().zip(&actual.values).take(VALUES_OF_GROUP);
        match pairs.find(|(expected, actual)| expected != actual) {
            None => Self::Values,
            Some((one, other)) => match of_pair(one, other) {
                Self::Number | Self::Text if both_whole && no_row_is_expected(expected, actual, columns) => {
                    Self::AllRows
                }
                class => class,
            },
        }
    }

    /// Returns the class of results with known and different numbers of values.
    pub(super) fn of_totals(expected: u64, actual: u64) -> Self {
        if actual < expected { Self::Missing } else { Self::Extra }
    }
}

/// Returns whether each expected value is a whole row, as in other dialects: separated by tabs, or by blanks if the
/// number of lines is the number of rows.
fn has_rows_on_lines(expected: &Excerpt, actual: &Excerpt, columns: usize) -> bool {
    if columns < 2 || expected.values.is_empty() || expected.omitted_before + actual.omitted_before > 0 {
        return false;
    }
    // Lines that are right as values are not rows.
    let as_many = expected.total() * columns as u64 == actual.total()
        && expected.values.first() != actual.values.first();
    // As many as make the same rows on both sides of what is looked at.
    let mut lines = expected.values.iter().take((VALUES_OF_GROUP / columns).max(1)).enumerate();
    let is_row = |(place, line): (usize, &String)| {
        let row = actual.values.get(place * columns..(place + 1) * columns);
        line.split('\t').count() == columns
            || as_many
                && (line.split_whitespace().count() == columns
                    || row.is_some_and(|row| row.join(" ") == *line))
    };
    lines.all(is_row)
}

fn sorted(values: &[String]) -> Vec<&str> {
    let mut values: Vec<_> = values.iter().map(String::as_str).collect();
    values.sort_unstable();
    values
}

/// Returns the distinct rows, sorted.
fn rows(side: &Excerpt, columns: usize) -> Vec<&[String]> {
    let mut rows: Vec<_> = side.values.chunks(columns.max(1)).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}

fn same_rows(expected: &Excerpt, actual: &Excerpt, columns: usize) -> bool {
    !expected.values.is_empty() && rows(expected, columns) == rows(actual, columns)
}

fn no_row_is_expected(expected: &Excerpt, actual: &Excerpt, columns: usize) -> bool {
    let expected = rows(expected, columns);
    expected.len() > 1 && rows(actual, columns).iter().all(|row| expected.binary_search(row).is_err())
}

fn of_pair(expected: &str, actual: &str) -> Difference {
    let null = |value: &str| value == "NULL";
    match (expected.parse::<f64>(), actual.parse::<f64>()) {
        _ if null(expected) || null(actual) => Difference::Null,
        (Ok(expected), Ok(actual)) if expected == actual => Difference::Form,
        (Ok(expected), Ok(actual)) if nearly_equal(expected, actual) => Difference::LastDigits,
        (Ok(_), Ok(_)) => Difference::Number,
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => Difference::NumberOrText,
        (Err(_), Err(_)) if expected.eq_ignore_ascii_case(actual) => Difference::Case,
        (Err(_), Err(_)) => Difference::Text,
    }
}

fn nearly_equal(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-6 * one.abs().max(other.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_differ_in_one_way() {
        let check = |expected: &[&str], actual: &[&str], columns, word| {
            let side = |values: &[&str]| Excerpt {
                values: values.iter().map(|&value| value.to_owned()).collect(),
                ..Excerpt::default()
            };
            assert_eq!(Difference::of(&side(expected), &side(actual), columns).word(), word);
        };
        check(&["1"], &["1", "2"], 1, "rows too many");
        check(&["1", "2"], &["1"], 1, "rows missing");
        check(&["1"], &[], 1, "rows missing");
        check(&["1", "2"], &["1", "2", "2"], 1, "duplicates");
        check(&["1", "1"], &["1"], 1, "duplicates");
        check(&["1", "1", "2", "2"], &["1", "2"], 2, "rows missing");
        check(&["1 a", "2 b c"], &["1", "a", "2", "b c"], 2, "one row per line");
        check(&["1  a", "2 x"], &["1", "a", "2", "b c"], 2, "one row per line");
        check(&["1\ta"], &["1", "a", "2", "b"], 2, "one row per line");
        check(&["1 a"], &["1", "a", "2", "b"], 2, "rows too many");
        check(&["1 a x", "2 b"], &["1", "a", "2", "b"], 2, "rows too many");
        check(&["1 2"], &["1", "2"], 1, "rows too many");
        check(&["a b", "c d"], &["a b", "c d", "e", "f"], 2, "rows too many");
        check(&["1", "2"], &["2", "1"], 1, "order of the values");
        check(&["1", "2.000"], &["1", "2"], 1, "form of a number");
        check(&["0.1"], &["0.10000001"], 1, "last digits of a number");
        check(&["1"], &["2"], 1, "another number");
        check(&["1", "2"], &["3", "2"], 1, "another number");
        check(&["1", "2"], &["3", "4"], 1, "all rows differ");
        check(&["1", "2"], &["3", "4"], 2, "another number");
        check(&["1.000", "2.000"], &["1", "2"], 1, "form of a number");
        check(&["1"], &["NULL"], 1, "NULL or a value");
        check(&["1"], &["one"], 1, "number or text");
        check(&["One"], &["one"], 1, "case of letters");
        check(&["one"], &["two"], 1, "another text");
    }

    #[test]
    fn words_are_read_back() {
        for (class, name) in Difference::NAMES {
            assert_eq!((class.word(), Difference::from_word(name)), (name, Some(class)));
        }
        assert_eq!(Difference::from_word("something else"), None);
    }
}
