//! Answers to questions, in the formats that people and programs read.

use std::fmt::{self, Write as _};

use crate::ask::{Answer, AnswerValue};
use slt_runner::text::csv;
use slt_runner::text::table::table;
use slt_runner::text::visible::one_line;

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerFormat {
    /// Aligned columns. Long text is truncated, and control characters are escaped.
    Table,
    /// RFC 4180: NULL is nothing at all, and text without a character is a pair of quotes.
    Csv,
    /// One array of objects.
    Json,
    /// One object to a line.
    Jsonl,
    /// A table of Markdown.
    Markdown,
}

/// The longest text in a table, in characters.
const LONGEST: usize = 120;

/// Writes an answer.
///
/// # Errors
///
/// Returns the errors of `out`.
pub fn write(out: &mut String, answer: &Answer, format: AnswerFormat) -> fmt::Result {
    match format {
        AnswerFormat::Table => write_table(out, answer),
        AnswerFormat::Csv => write_csv(out, answer),
        AnswerFormat::Json => json(out, answer),
        AnswerFormat::Jsonl => jsonl(out, answer),
        AnswerFormat::Markdown => markdown(out, answer),
    }
}

fn write_table(out: &mut String, answer: &Answer) -> fmt::Result {
    let numbers = numbers(answer);
    let names: Vec<_> = answer.columns.iter().map(|name| one_line(name)).collect();
    let names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    let text = |value: &AnswerValue| cut(one_line(&plain(value)).into_owned());
    let rows = answer.rows.iter().map(|row| row.iter().map(text).collect());
    writeln!(out, "{}", table(&names, rows, |column| numbers.get(column) == Some(&true)))
}

/// Returns for each column whether it has only numbers.
fn numbers(answer: &Answer) -> Vec<bool> {
    let is_number = |value: &AnswerValue| {
        matches!(value, AnswerValue::Integer(_) | AnswerValue::Real(_) | AnswerValue::Null)
    };
    (0..answer.columns.len())
        .map(|place| {
            !answer.rows.is_empty() && answer.rows.iter().all(|row| row.get(place).is_some_and(is_number))
        })
        .collect()
}

fn plain(value: &AnswerValue) -> String {
    match value {
        AnswerValue::Null => "NULL".to_owned(),
        AnswerValue::Integer(number) => number.to_string(),
        AnswerValue::Real(number) => real(*number),
        AnswerValue::Text(text) => text.clone(),
        AnswerValue::Blob(bytes) => hex(bytes),
    }
}

/// Formats a number with as many digits as reading it back exactly requires.
pub fn real(number: f64) -> String {
    if number.is_finite() {
        format!("{number:?}")
    } else if number.is_nan() {
        "NaN".to_owned()
    } else {
        format!("{}Infinity", if number < 0.0 { "-" } else { "" })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Returns the names of the columns, such that no two are the same: `n`, `n_2`, `n_3`.
fn distinct(columns: &[String]) -> Vec<String> {
    let mut names = Vec::<String>::new();
    for column in columns {
        let numbered = (2..).map(|number| format!("{column}_{number}"));
        let is_free = |name: &String| !names.contains(name) && (name == column || !columns.contains(name));
        let name = std::iter::once(column.clone()).chain(numbered).find(is_free);
        names.extend(name);
    }
    names
}

fn write_csv(out: &mut String, answer: &Answer) -> fmt::Result {
    let names = distinct(&answer.columns);
    csv_line(out, names.iter().map(|name| csv::field(name)))?;
    for row in &answer.rows {
        let fields = row.iter().map(|value| match value {
            AnswerValue::Null => String::new(),
            AnswerValue::Text(text) => csv::field(text),
            value => plain(value),
        });
        csv_line(out, fields)?;
    }
    Ok(())
}

fn csv_line(out: &mut String, fields: impl Iterator<Item = String>) -> fmt::Result {
    for (place, field) in fields.enumerate() {
        if place > 0 {
            out.write_char(',')?;
        }
        out.write_str(&field)?;
    }
    out.write_str("\r\n")
}

fn json(out: &mut String, answer: &Answer) -> fmt::Result {
    let names = distinct(&answer.columns);
    out.write_char('[')?;
    for (place, row) in answer.rows.iter().enumerate() {
        out.write_str(if place == 0 { "\n" } else { ",\n" })?;
        object(out, &names, row)?;
    }
    out.write_str(if answer.rows.is_empty() { "]\n" } else { "\n]\n" })
}

fn jsonl(out: &mut String, answer: &Answer) -> fmt::Result {
    let names = distinct(&answer.columns);
    answer.rows.iter().try_for_each(|row| {
        object(out, &names, row)?;
        out.write_char('\n')
    })
}

fn object(out: &mut String, names: &[String], row: &[AnswerValue]) -> fmt::Result {
    out.write_char('{')?;
    for (place, (name, value)) in names.iter().zip(row).enumerate() {
        let comma = if place == 0 { "" } else { "," };
        write!(out, "{comma}{}:{}", string(name), json_value(value))?;
    }
    out.write_char('}')
}

fn json_value(value: &AnswerValue) -> String {
    match value {
        AnswerValue::Integer(number) => number.to_string(),
        AnswerValue::Real(number) if number.is_finite() => real(*number),
        // JSON has no other numbers.
        AnswerValue::Null | AnswerValue::Real(_) => "null".to_owned(),
        AnswerValue::Text(text) => string(text),
        AnswerValue::Blob(bytes) => string(&hex(bytes)),
    }
}

fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn markdown(out: &mut String, answer: &Answer) -> fmt::Result {
    let cell = |text: &str| {
        let lines: Vec<_> = text.split('\n').map(|line| one_line(line.trim_end_matches('\r'))).collect();
        lines.join("<br>").replace('\\', "\\\\").replace('|', "\\|")
    };
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    writeln!(out, "{}", line(answer.columns.iter().map(|name| cell(name)).collect()))?;
    let rules = numbers(answer).into_iter().map(|number| if number { "---:" } else { "---" }.to_owned());
    writeln!(out, "{}", line(rules.collect()))?;
    answer
        .rows
        .iter()
        .try_for_each(|row| writeln!(out, "{}", line(row.iter().map(|value| cell(&plain(value))).collect())))
}
