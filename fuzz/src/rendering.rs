//! The laws of rendering: as many lines as values, printable ASCII, in the order asked for.

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use slt_core::executor::canonical::{Output, ResultBuffer};
use slt_core::parser::{HashLine, SortMode};
use slt_core::value::ValueRef;

/// The type letters, and one that no file has, which renders as text does.
const LETTERS: &[u8] = b"TIR?";

/// A result to be rendered: values, cut into rows by the number of columns.
#[derive(Debug, Arbitrary)]
pub struct Table<'t> {
    columns: Vec<u8>,
    values: Vec<Value<'t>>,
}

/// Any value that an engine can return.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum Value<'t> {
    Null,
    Integer(i64),
    Real(f64),
    Decimal(&'t str),
    Text(&'t [u8]),
    Blob(&'t [u8]),
    Boolean(bool),
    Other(&'t str),
}

impl<'t> Value<'t> {
    fn borrowed(self) -> ValueRef<'t> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Integer(integer) => ValueRef::Integer(integer),
            Self::Real(real) => ValueRef::Real(real),
            Self::Decimal(text) => ValueRef::Decimal(text),
            Self::Text(bytes) => ValueRef::Text(bytes),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
            Self::Boolean(truth) => ValueRef::Boolean(truth),
            Self::Other(text) => ValueRef::Other(text),
        }
    }
}

/// Renders `table` with the letters it comes with and with each letter alone, in every sort mode.
pub fn check(table: &Table<'_>) {
    let letters = |byte: &u8| LETTERS[usize::from(*byte) % LETTERS.len()];
    let mixed: Vec<u8> = table.columns.iter().map(letters).collect();
    // One buffer for all, as the executor has it.
    let mut buffer = ResultBuffer::default();
    check_table(&mut buffer, &mixed, &table.values);
    for letter in LETTERS {
        check_table(&mut buffer, &vec![*letter; mixed.len()], &table.values);
    }
}

fn check_table(buffer: &mut ResultBuffer, types: &[u8], values: &[Value<'_>]) {
    buffer.clear();
    let columns = types.len();
    let mut pushed: Vec<(u8, ValueRef<'_>)> = Vec::new();
    // Of a result without columns there can be rows all the same, and nothing to render.
    for row in values.chunks(columns.max(1)).filter(|row| columns == 0 || row.len() == columns) {
        let row: Vec<_> = row.iter().take(columns).map(|value| value.borrowed()).collect();
        buffer.push_row(types, &row);
        pushed.extend(types.iter().copied().zip(row));
    }
    let plain = lines(&buffer.arrange(SortMode::NoSort), pushed.len());
    for (line, (letter, value)) in plain.iter().zip(&pushed) {
        check_value(line, *letter, value);
    }
    let mut wanted = plain.clone();
    wanted.sort();
    assert_eq!(lines(&buffer.arrange(SortMode::ValueSort), pushed.len()), wanted);
    let mut rows: Vec<_> = plain.chunks(columns.max(1)).collect();
    rows.sort();
    assert_eq!(lines(&buffer.arrange(SortMode::RowSort), pushed.len()), rows.concat());
    assert_eq!(lines(&buffer.arrange(SortMode::NoSort), pushed.len()), plain, "sorting changed the rows");
}

fn lines(output: &Output<'_>, count: usize) -> Vec<Vec<u8>> {
    let lines: Vec<Vec<u8>> = output.lines().map(<[u8]>::to_vec).collect();
    assert_eq!((output.values(), lines.len()), (count as u64, count));
    let hash = output.hash_line();
    assert_eq!(HashLine::parse(hash.to_string().as_bytes()), Some(hash));
    lines
}

/// Holds one rendered value against its letter; reals must read back as what they were.
fn check_value(line: &[u8], letter: u8, value: &ValueRef<'_>) {
    assert!(
        line.iter().all(|byte| (0x20..=0x7e).contains(byte)),
        "{value:?} as {}: {line:?}",
        letter as char
    );
    assert!(!line.is_empty(), "{value:?} as {}: nothing", letter as char);
    let text = String::from_utf8_lossy(line);
    if *value == ValueRef::Null {
        assert_eq!(text, "NULL");
        return;
    }
    match (letter, value) {
        (b'I', _) => assert!(text.parse::<i32>().is_ok(), "{value:?} as I: {text}"),
        (_, ValueRef::Real(real)) if real.is_nan() => assert_eq!(text, "NULL"),
        (_, ValueRef::Real(real)) if real.is_infinite() => assert_eq!(text.trim_matches('-'), "Inf"),
        // Beyond, the digits stop before the number does.
        (b'R', ValueRef::Real(real)) if real.abs() < 1e190 => check_near(&text, *real, 0.000_500_1),
        (b'R', _) => assert!(line.len() <= 199, "{value:?} as R: {text}"),
        (_, ValueRef::Real(real)) => check_near(&text, *real, 0.0),
        _ => {}
    }
}

fn check_near(text: &str, real: f64, absolute: f64) {
    let Ok(read) = text.parse::<f64>() else { panic!("{real:?} is shown as {text}") };
    let allowed = absolute + 2e-15 * real.abs();
    assert!((read - real).abs() <= allowed, "{real:?} is shown as {text}");
}
