//! Explains a wrong result briefly: its class, and the size of the difference.

use std::fmt;

use slt_core::outcome::{DetailedFailure, Difference, Excerpt, Mismatch, Problem};

/// The difference between a result and the expected one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Explanation {
    /// The class.
    pub class: Difference,
    /// The number of missing or extra rows.
    pub rows: Option<u64>,
    /// The largest relative difference of nearly equal numbers, among the recorded values.
    pub bound: Option<f64>,
    /// The number of values that are NULL and should not be, and the reverse.
    pub nulls: Option<(u64, u64)>,
}

/// Explains a wrong result; `None` for other failures.
pub fn explain(detail: DetailedFailure<'_>) -> Option<Explanation> {
    let Problem::Mismatch(mismatch) = detail.problem else { return None };
    match (mismatch, detail.unhashed) {
        (Mismatch::Rows { expected, actual, columns }, _) => Some(explain_rows(expected, actual, *columns)),
        (Mismatch::Hash { columns, .. }, Some(rows)) => {
            Some(explain_rows(&rows.expected, &rows.actual, *columns))
        }
        (Mismatch::Hash { expected, actual, columns, .. }, None) => {
            let class = match expected.values.cmp(&actual.values) {
                std::cmp::Ordering::Equal => Difference::Hash,
                std::cmp::Ordering::Greater => Difference::Missing,
                std::cmp::Ordering::Less => Difference::Extra,
            };
            let rows = row_difference(expected.values, actual.values, *columns);
            Some(Explanation { class, rows, bound: None, nulls: None })
        }
        _ => None,
    }
}

fn explain_rows(expected: &Excerpt, actual: &Excerpt, columns: usize) -> Explanation {
    let class = Difference::of(expected, actual, columns);
    let pairs = || expected.values.iter().zip(&actual.values).filter(|(one, other)| one != other);
    let bound = (class == Difference::LastDigits).then(|| {
        let numbers = pairs().filter_map(|(one, other)| Some((one.parse().ok()?, other.parse().ok()?)));
        numbers
            .map(|(one, other): (f64, f64)| (one - other).abs() / one.abs().max(other.abs()))
            .fold(0.0, f64::max)
    });
    let nulls = (class == Difference::Null).then(|| {
        let count = |null: fn((&String, &String)) -> bool| pairs().filter(|pair| null(*pair)).count() as u64;
        (count(|(_, actual)| actual == "NULL"), count(|(expected, _)| expected == "NULL"))
    });
    Explanation { class, rows: row_difference(expected.total(), actual.total(), columns), bound, nulls }
}

fn row_difference(expected: u64, actual: u64, columns: usize) -> Option<u64> {
    let rows = expected.abs_diff(actual) / columns.max(1) as u64;
    (rows > 0).then_some(rows)
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = |count: u64| format!("{count} row{}", if count == 1 { "" } else { "s" });
        match (self.class, self.rows) {
            (Difference::Missing, Some(count)) => write!(f, "{} missing", rows(count)),
            (Difference::Extra, Some(count)) => write!(f, "{} too many", rows(count)),
            (Difference::Duplicates, Some(count)) => {
                write!(f, "duplicates: {} more or less of rows that are right", rows(count))
            }
            (Difference::RowsOnLines, _) => {
                f.write_str("the file has one row per line, as in other dialects, and not one value per line")
            }
            (Difference::Order, _) => f.write_str("the same values in another order"),
            (Difference::Form, _) => f.write_str("the same numbers, written differently"),
            (Difference::LastDigits, _) => match self.bound {
                Some(bound) => {
                    write!(f, "rounding: numbers differ by no more than {bound:.0e} of themselves")
                }
                None => f.write_str("rounding"),
            },
            (Difference::Null, _) => match self.nulls {
                Some((found, 0)) => {
                    write!(f, "NULL in place of {found} value{}", if found == 1 { "" } else { "s" })
                }
                Some((0, expected)) => {
                    write!(
                        f,
                        "{} in place of NULL",
                        if expected == 1 { "a value".to_owned() } else { format!("{expected} values") }
                    )
                }
                _ => f.write_str("NULL and values in each other's place"),
            },
            (class, _) => f.write_str(class.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slt_core::outcome::RecordId;

    #[test]
    fn explanations() {
        let check = |expected: &[&str], actual: &[&str], columns, words| {
            let side = |values: &[&str]| Excerpt {
                values: values.iter().map(|&value| value.to_owned()).collect(),
                ..Excerpt::default()
            };
            let mismatch = Mismatch::Rows { expected: side(expected), actual: side(actual), columns };
            let (id, problem) = (RecordId::at(1), Problem::Mismatch(mismatch));
            let detail = DetailedFailure { id: &id, header: "", sql: "", problem: &problem, unhashed: None };
            assert_eq!(explain(detail).unwrap().to_string(), words);
        };
        check(&["1", "2", "3", "4"], &["1", "2"], 2, "1 row missing");
        check(&["1"], &["1", "2", "3"], 1, "2 rows too many");
        check(&["1", "1"], &["1"], 1, "duplicates: 1 row more or less of rows that are right");
        let rows = "the file has one row per line, as in other dialects, and not one value per line";
        check(&["1 a"], &["1", "a"], 2, rows);
        check(&["1", "2"], &["2", "1"], 1, "the same values in another order");
        check(&["1.000"], &["1"], 1, "the same numbers, written differently");
        check(
            &["100.0", "2"],
            &["100.00001", "2"],
            1,
            "rounding: numbers differ by no more than 1e-7 of themselves",
        );
        check(&["1"], &["NULL"], 1, "NULL in place of 1 value");
        check(&["NULL"], &["1"], 1, "a value in place of NULL");
        check(&["NULL", "1"], &["1", "NULL"], 2, "the same values in another order");
        check(&["A"], &["a"], 1, "case of letters");
        check(&["1", "2"], &["3", "4"], 1, "all rows differ");
    }
}
