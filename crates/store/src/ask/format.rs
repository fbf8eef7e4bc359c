//! Formats answers for people and programs.

use std::iter;

use crate::Cell;
use crate::ask::Answer;
use slt_runner::text::csv;
use slt_runner::text::table::table;
use slt_runner::text::visible::one_line;

/// The format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerFormat {
    /// Aligned columns. Long text is truncated, and control characters are escaped.
    Table,
    /// RFC 4180: NULL is an empty field, and empty text is a pair of quotes.
    Csv,
    /// One array of objects.
    Json,
    /// One object per line.
    Jsonl,
    /// A Markdown table.
    Markdown,
}

/// The maximum length of a text in a table, in characters.
const LONGEST: usize = 120;

/// Formats an answer.
pub fn to_text(answer: &Answer, format: AnswerFormat) -> String {
    let names = || distinct(&answer.columns);
    match format {
        AnswerFormat::Table => table_text(answer),
        AnswerFormat::Csv => {
            let header: Vec<_> = names().iter().map(Cell::from).collect();
            iter::once(&header).chain(&answer.rows).map(|row| csv_line(row)).collect()
        }
        AnswerFormat::Json if answer.rows.is_empty() => "[]\n".to_owned(),
        AnswerFormat::Json => {
            let names = names();
            let objects: Vec<_> = answer.rows.iter().map(|row| json_object(&names, row)).collect();
            format!("[\n{}\n]\n", objects.join(",\n"))
        }
        AnswerFormat::Jsonl => {
            let names = names();
            answer.rows.iter().map(|row| json_object(&names, row) + "\n").collect()
        }
        AnswerFormat::Markdown => markdown(answer),
    }
}

fn table_text(answer: &Answer) -> String {
    let numbers = numbers(answer);
    let names: Vec<_> = answer.columns.iter().map(|name| one_line(name)).collect();
    let names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    let text = |cell: &Cell| cut(one_line(&plain(cell)).into_owned());
    let rows = answer.rows.iter().map(|row| row.iter().map(text).collect());
    format!("{}\n", table(&names, rows, |column| numbers.get(column) == Some(&true)))
}

/// Returns for each column whether it has only numbers.
fn numbers(answer: &Answer) -> Vec<bool> {
    let is_number = |cell: &Cell| matches!(cell, Cell::Integer(_) | Cell::Real(_) | Cell::Null);
    let is_numeric = |place| answer.rows.iter().all(|row| row.get(place).is_some_and(is_number));
    (0..answer.columns.len()).map(|place| !answer.rows.is_empty() && is_numeric(place)).collect()
}

/// Formats a value without quotes.
pub(crate) fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Integer(number) => number.to_string(),
        // With as many digits as reading it back exactly requires.
        Cell::Real(number) if number.is_finite() => format!("{number:?}"),
        Cell::Real(number) if number.is_nan() => "NaN".to_owned(),
        Cell::Real(number) => format!("{}Infinity", if *number < 0.0 { "-" } else { "" }),
        Cell::Text(text) => text.as_ref().to_owned(),
        Cell::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Returns the names of the columns without duplicates: `n`, `n_2`, `n_3`.
fn distinct(columns: &[String]) -> Vec<String> {
    let mut names = Vec::<String>::new();
    for column in columns {
        let numbered = (2..).map(|number| format!("{column}_{number}"));
        let is_free = |name: &String| !names.contains(name) && (name == column || !columns.contains(name));
        let name = iter::once(column.clone()).chain(numbered).find(is_free);
        names.extend(name);
    }
    names
}

/// Formats a row as a line of RFC 4180, with its line end.
pub(crate) fn csv_line(row: &[Cell]) -> String {
    let field = |cell: &Cell| match cell {
        Cell::Null => String::new(),
        Cell::Text(text) => csv::field(text),
        other => plain(other),
    };
    row.iter().map(field).collect::<Vec<_>>().join(",") + "\r\n"
}

/// Formats a row as a JSON object.
pub(crate) fn json_object(names: &[impl AsRef<str>], row: &[Cell]) -> String {
    let string = |text: &str| serde_json::Value::from(text).to_string();
    let value = |cell: &Cell| match cell {
        // JSON has no other numbers.
        Cell::Real(number) if !number.is_finite() => "null".to_owned(),
        Cell::Null => "null".to_owned(),
        Cell::Integer(_) | Cell::Real(_) => plain(cell),
        Cell::Text(text) => string(text),
        Cell::Blob(_) => string(&plain(cell)),
    };
    let fields =
        names.iter().zip(row).map(|(name, cell)| format!("{}:{}", string(name.as_ref()), value(cell)));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

fn markdown(answer: &Answer) -> String {
    let cell = |text: &str| {
        let lines: Vec<_> = text.split('\n').map(|line| one_line(line.trim_end_matches('\r'))).collect();
        lines.join("<br>").replace('\\', "\\\\").replace('|', "\\|")
    };
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let header = line(answer.columns.iter().map(|name| cell(name)).collect());
    let rules = numbers(answer).into_iter().map(|number| if number { "---:" } else { "---" }.to_owned());
    let rows = answer.rows.iter().map(|row| line(row.iter().map(|value| cell(&plain(value))).collect()));
    iter::once(header).chain(iter::once(line(rules.collect()))).chain(rows).collect()
}
