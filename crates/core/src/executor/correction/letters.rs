//! The type letters that the values of a result look like, for records that are written for it.

use crate::executor::cells::CellTable;
use crate::location::text_of;
use crate::parser::Matcher;
use crate::value::TypeTag;

/// Returns the letters of values that type letters have converted to text.
pub(super) fn of_values(values: &[&[u8]], columns: usize) -> String {
    // As a whole number, a value has 32 bits.
    let letter = |column: usize| {
        let letter = looks_like(values.iter().skip(column).step_by(columns).copied());
        let is_short = |value: &&[u8]| *value == b"NULL" || text_of(value).parse::<i32>().is_ok();
        let fits = values.iter().skip(column).step_by(columns).all(is_short);
        if letter == 'I' && !fits { 'T' } else { letter }
    };
    (0..columns).map(letter).collect()
}

/// Returns the letters of cells: by the types of the columns, as far as the engine knows them, and else by the values.
pub(super) fn of_cells(cells: &CellTable, matcher: Matcher) -> String {
    let columns = cells.columns();
    let letter = |column: usize| {
        let values = (0..cells.rows()).map(|row| cells.value(row * columns + column));
        let has_more = matches!(matcher, Matcher::Cockroach | Matcher::Materialize);
        match (cells.types().get(column), matcher) {
            (Some(TypeTag::Text | TypeTag::Blob), _) => 'T',
            (Some(TypeTag::Boolean), _) if has_more => 'B',
            (Some(TypeTag::Boolean), _) => 'T',
            (Some(TypeTag::Integer), _) => 'I',
            (Some(TypeTag::Real), Matcher::Cockroach) => 'F',
            (Some(TypeTag::Real), _) => 'R',
            _ => looks_like(values),
        }
    };
    (0..columns).map(letter).collect()
}

/// Returns the letter of a column. One without any value is text.
fn looks_like<'v>(values: impl Iterator<Item = &'v [u8]>) -> char {
    let (mut is_integer, mut is_number, mut count) = (true, true, 0);
    for value in values.filter(|value| *value != b"NULL") {
        let text = text_of(value);
        let starts_as_number = text.trim_start_matches('-').starts_with(|sign: char| sign.is_ascii_digit());
        is_integer &= text.parse::<i64>().is_ok();
        is_number &= starts_as_number && text.parse::<f64>().is_ok();
        count += 1;
    }
    match (count, is_integer, is_number) {
        (0, ..) => 'T',
        (_, true, _) => 'I',
        (_, _, true) => 'R',
        _ => 'T',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_those_of_the_values() {
        let values: [&[u8]; 12] =
            [b"1", b"1.5", b"x", b"NULL", b"-2", b"3", b"4", b"NULL", b"NULL", b"NULL", b"5", b"NULL"];
        assert_eq!(of_values(&values, 4), "IRTT");
        assert_eq!(of_values(&[b"2147483648"], 1), "T");
        assert_eq!(of_values(&[b"inf", b"1 2"], 2), "TT");
        assert_eq!(of_values(&[], 2), "TT");
    }
}
