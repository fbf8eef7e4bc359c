//! Exports all results as a document for other programs. Tables are written one after the other, so that memory holds
//! one at a time.

use std::io::{self, Write};

use crate::ask::format::{csv_line, json_object, plain};
use crate::ask::views::SqlView;
use crate::schema::{TableSchema, VERSION};
use crate::{Cell, LoadedTable};

/// The format of a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DumpSyntax {
    /// Statements that create the tables and views, for SQLite and VibeSQL, one per line.
    Sql,
    /// One object: `{"schema":1,"tables":{"test_runs":[{…},…],…}}`.
    Json,
}

/// A document that is being written.
#[derive(Debug)]
pub struct Dump<W> {
    form: DumpSyntax,
    out: W,
    tables: usize,
}

impl<W: Write> Dump<W> {
    /// Begins a document; `program` is the name and version of its producer.
    ///
    /// # Errors
    ///
    /// Returns the errors of `out`.
    pub fn new(form: DumpSyntax, program: &str, mut out: W) -> io::Result<Self> {
        match form {
            // One transaction, because SQLite would otherwise sync after each statement.
            DumpSyntax::Sql => write!(out, "-- {program}, schema {VERSION}\nBEGIN;\n")?,
            DumpSyntax::Json => write!(out, "{{\"schema\":{VERSION},\"tables\":{{")?,
        }
        Ok(Self { form, out, tables: 0 })
    }

    /// Writes a table.
    ///
    /// # Errors
    ///
    /// Returns the errors of `out`.
    pub fn table(&mut self, loaded: &LoadedTable) -> io::Result<()> {
        let first = self.tables == 0;
        self.tables += 1;
        match self.form {
            DumpSyntax::Sql => sql_table(&mut self.out, loaded),
            DumpSyntax::Json => json_table(&mut self.out, loaded, first),
        }
    }

    /// Writes the views, after their tables. JSON has no views: they contain no rows of their own.
    ///
    /// # Errors
    ///
    /// Returns the errors of `out`.
    pub fn views(&mut self, views: &[SqlView]) -> io::Result<()> {
        match self.form {
            DumpSyntax::Sql => views.iter().try_for_each(|view| writeln!(self.out, "{};", view.create())),
            DumpSyntax::Json => Ok(()),
        }
    }

    /// Ends the document.
    ///
    /// # Errors
    ///
    /// Returns the errors of `out`.
    pub fn end(mut self) -> io::Result<()> {
        match self.form {
            DumpSyntax::Sql => self.out.write_all(b"COMMIT;\n"),
            DumpSyntax::Json => self.out.write_all(b"\n}}\n"),
        }
    }
}

/// The maximum number of rows in one statement.
const ROWS_OF_INSERT: usize = 50;

fn sql_table(out: &mut impl Write, loaded: &LoadedTable) -> io::Result<()> {
    let TableSchema { name, .. } = loaded.wanted.table;
    writeln!(out, "-- {name}: rows: {}", loaded.rows.len())?;
    writeln!(out, "{};", loaded.wanted.table.create(&loaded.wanted.columns))?;
    let values = |row: &Vec<Cell>| format!("({})", row.iter().map(sql_value).collect::<Vec<_>>().join(","));
    loaded.rows.chunks(ROWS_OF_INSERT).try_for_each(|rows| {
        let rows: Vec<_> = rows.iter().map(values).collect();
        writeln!(out, "INSERT INTO {name} VALUES {};", rows.join(","))
    })
}

fn sql_value(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => sql_text(text),
        Cell::Blob(_) => format!("x'{}'", plain(cell)),
        Cell::Null | Cell::Integer(_) | Cell::Real(_) => plain(cell),
    }
}

/// Characters that a one-line literal cannot contain: each with its escape letter and its code.
const ENDS: [(char, char, u8); 3] = [('\n', 'n', 10), ('\r', 'r', 13), ('\0', '0', 0)];

/// Formats text as a literal of one line, in which marks replace line ends.
///
/// Concatenating the lines would give an expression as deep as the number of lines, and engines limit that.
fn sql_text(text: &str) -> String {
    let mut literal = format!("'{}'", text.replace('\'', "''"));
    for (end, letter, code) in ENDS.into_iter().filter(|(end, ..)| text.contains(*end)) {
        let mark = mark(text, letter);
        literal = format!("replace({},'{mark}',char({code}))", literal.replace(end, &mark));
    }
    literal
}

/// Returns the first of `\n`, `\n1`, `\n2` … that does not occur in the text. A backslash is only its first character,
/// so no text next to a mark can be taken for a part of it.
fn mark(text: &str, letter: char) -> String {
    let numbered = (1_u32..).map(|number| format!("\\{letter}{number}"));
    let mut marks = std::iter::once(format!("\\{letter}")).chain(numbered);
    marks.find(|mark| !text.contains(mark.as_str())).unwrap_or_default()
}

fn json_table(out: &mut impl Write, loaded: &LoadedTable, first: bool) -> io::Result<()> {
    let comma = if first { "" } else { "," };
    write!(out, "{comma}\n\"{}\":[", loaded.wanted.table.name)?;
    let names: Vec<_> = loaded.wanted.columns.iter().map(|column| column.name).collect();
    for (place, row) in loaded.rows.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        write!(out, "{comma}\n{}", json_object(&names, row))?;
    }
    out.write_all(b"]")
}

/// Writes a table in the format of RFC 4180, with a header line. NULL is an empty field, and empty text is a pair of
/// quotes.
///
/// # Errors
///
/// Returns the errors of `out`.
pub fn csv(out: &mut impl Write, loaded: &LoadedTable) -> io::Result<()> {
    let header: Vec<_> = loaded.wanted.columns.iter().map(|column| Cell::from(column.name)).collect();
    let mut lines = std::iter::once(&header).chain(&loaded.rows);
    lines.try_for_each(|row| out.write_all(csv_line(row).as_bytes()))
}
