//! Exports all results as a document for other programs. Tables are written one after the other, so that memory holds
//! one at a time.

use std::io::{self, Write};

use crate::ask::format::real;
use crate::ask::views::View;
use crate::schema::{Table, VERSION};
use crate::{Cell, LoadedTable};
use slt_runner::text::csv::field;

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
    pub fn views(&mut self, views: &[View]) -> io::Result<()> {
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
    let Table { name, .. } = loaded.wanted.table;
    writeln!(out, "-- {name}: rows: {}", loaded.rows.len())?;
    writeln!(out, "{};", loaded.wanted.table.create(&loaded.wanted.columns))?;
    for rows in loaded.rows.chunks(ROWS_OF_INSERT) {
        write!(out, "INSERT INTO {name} VALUES ")?;
        for (place, row) in rows.iter().enumerate() {
            out.write_all(if place == 0 { b"(" } else { b",(" })?;
            separated(out, row, sql_cell)?;
            out.write_all(b")")?;
        }
        out.write_all(b";\n")?;
    }
    Ok(())
}

fn sql_cell<W: Write>(out: &mut W, cell: &Cell) -> io::Result<()> {
    match cell {
        Cell::Null => out.write_all(b"NULL"),
        Cell::Integer(number) => write!(out, "{number}"),
        Cell::Real(number) => out.write_all(real(*number).as_bytes()),
        Cell::Text(text) => sql_text(out, text),
    }
}

/// Characters that a one-line literal cannot contain: each with its escape letter and its code.
const ENDS: [(char, char, u8); 3] = [('\n', 'n', 10), ('\r', 'r', 13), ('\0', '0', 0)];

/// Writes text as a literal of one line, in which marks replace line ends.
///
/// Concatenating the lines would give an expression as deep as the number of lines, and engines limit that.
fn sql_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    let ends = ENDS.into_iter().filter(|(end, ..)| text.contains(*end));
    let marks: Vec<_> = ends.map(|(end, letter, code)| (end, mark(text, letter), code)).collect();
    for _ in &marks {
        out.write_all(b"replace(")?;
    }
    let mut literal = text.replace('\'', "''");
    for (end, mark, _) in &marks {
        literal = literal.replace(*end, mark);
    }
    write!(out, "'{literal}'")?;
    marks.iter().try_for_each(|(_, mark, code)| write!(out, ",'{mark}',char({code}))"))
}

/// Returns the first of `\n`, `\n1`, `\n2` … that does not occur in the text. A backslash is only its first character,
/// so a mark cannot overlap with another.
fn mark(text: &str, letter: char) -> String {
    let numbered = (1_u32..).map(|number| format!("\\{letter}{number}"));
    let mut marks = std::iter::once(format!("\\{letter}")).chain(numbered);
    marks.find(|mark| !text.contains(mark.as_str())).unwrap_or_default()
}

fn json_table(out: &mut impl Write, loaded: &LoadedTable, first: bool) -> io::Result<()> {
    let comma = if first { "" } else { "," };
    write!(out, "{comma}\n\"{}\":[", loaded.wanted.table.name)?;
    for (place, row) in loaded.rows.iter().enumerate() {
        out.write_all(if place == 0 { b"\n{" } else { b",\n{" })?;
        let fields = loaded.wanted.columns.iter().zip(row);
        separated(out, fields, |out, (column, cell)| {
            write!(out, "\"{}\":", column.name)?;
            json_cell(out, cell)
        })?;
        out.write_all(b"}")?;
    }
    out.write_all(b"]")
}

fn json_cell<W: Write>(out: &mut W, cell: &Cell) -> io::Result<()> {
    match cell {
        Cell::Null => out.write_all(b"null"),
        Cell::Integer(number) => write!(out, "{number}"),
        Cell::Real(number) => out.write_all(real(*number).as_bytes()),
        Cell::Text(text) => Ok(serde_json::to_writer(out, &**text)?),
    }
}

/// Writes a table in the format of RFC 4180, with a header line. NULL is an empty field, and empty text is a pair of
/// quotes.
///
/// # Errors
///
/// Returns the errors of `out`.
pub fn csv(out: &mut impl Write, loaded: &LoadedTable) -> io::Result<()> {
    separated(out, &loaded.wanted.columns, |out, column| out.write_all(column.name.as_bytes()))?;
    out.write_all(b"\r\n")?;
    for row in &loaded.rows {
        separated(out, row, csv_cell)?;
        out.write_all(b"\r\n")?;
    }
    Ok(())
}

fn csv_cell<W: Write>(out: &mut W, cell: &Cell) -> io::Result<()> {
    match cell {
        Cell::Null => Ok(()),
        Cell::Integer(number) => write!(out, "{number}"),
        Cell::Real(number) => out.write_all(real(*number).as_bytes()),
        Cell::Text(text) => out.write_all(field(text).as_bytes()),
    }
}

/// Writes items separated by commas.
fn separated<W: Write, T>(
    out: &mut W,
    things: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut W, T) -> io::Result<()>,
) -> io::Result<()> {
    for (place, thing) in things.into_iter().enumerate() {
        if place > 0 {
            out.write_all(b",")?;
        }
        write(out, thing)?;
    }
    Ok(())
}
