//! Expected values in a file: CSV with `|` between values, and the names of the columns in the first line.

use std::borrow::Cow;

/// Returns the values of all rows but the first; `None` if a row has another number of columns.
pub(super) fn values(text: &[u8], columns: usize) -> Option<Vec<Cow<'static, [u8]>>> {
    let mut rest = text;
    let mut values = Vec::new();
    let mut is_header = true;
    while !rest.is_empty() {
        let start = values.len();
        loop {
            let (value, end, behind) = value(rest);
            values.push(value);
            rest = behind;
            if end {
                break;
            }
        }
        if is_header {
            values.truncate(start);
        } else if values.len() - start != columns {
            return None;
        }
        is_header = false;
    }
    Some(values)
}

/// Reads a value. Returns it, whether it is the last of its row, and the text behind it. A value without characters is
/// NULL.
fn value(text: &[u8]) -> (Cow<'static, [u8]>, bool, &[u8]) {
    let mut value = Vec::new();
    let mut rest = text;
    let mut quoted = false;
    while let Some((&byte, behind)) = rest.split_first() {
        match byte {
            b'"' if quoted && behind.first() == Some(&b'"') => {
                value.push(b'"');
                rest = &behind[1..];
                continue;
            }
            b'"' if quoted => quoted = false,
            b'"' if value.is_empty() => quoted = true,
            b'|' if !quoted => return (null_if_empty(value), false, behind),
            b'\r' if !quoted && behind.first() == Some(&b'\n') => {}
            b'\n' if !quoted => return (null_if_empty(value), true, behind),
            _ => value.push(byte),
        }
        rest = behind;
    }
    (null_if_empty(value), true, rest)
}

fn null_if_empty(value: Vec<u8>) -> Cow<'static, [u8]> {
    if value.is_empty() { Cow::Borrowed(b"NULL") } else { Cow::Owned(value) }
}

#[cfg(test)]
mod tests {
    use super::values;

    #[test]
    fn rows_have_a_header_and_quotes() {
        let read = |text: &str, columns| {
            let values = values(text.as_bytes(), columns)?;
            Some(values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>())
        };
        let text = "a|b\n1|x\r\n2|\"y|\"\"\nz\"\n|\"\"\n3|4";
        assert_eq!(read(text, 2).unwrap(), ["1", "x", "2", "y|\"\nz", "NULL", "NULL", "3", "4"]);
        assert_eq!(read("a|b\n", 2).unwrap(), [""; 0]);
        assert_eq!(read("a|b\n1|2|3\n", 2), None);
        assert_eq!(read("a|b\n1|\n", 2).unwrap(), ["1", "NULL"]);
    }
}
