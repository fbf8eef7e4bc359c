//! Keeps a disagreement as a test file: it passes on SQLite, and fails on VibeSQL.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::answer::{Answer, AnswerValue};
use super::asker::{AskError, Asker, DisagreementEffort, VibeSqlFault};
use super::compare::{RowRule, compare};
use super::order::{RowOrder, order};
use super::plan::QueryPlan;
use super::scan::{literal, one_line};
use super::wire::EngineName;
use crate::{Cell, LoadedTable};
use slt_core::executor::canonical::ResultBuffer;
use slt_core::parser::{Renderer, SortMode};
use slt_core::value::ValueRef;
use slt_runner::atomic_file;

/// A file with more rows would be unreadable.
const MOST_ROWS: usize = 2000;

/// The location of a saved disagreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SavedExample {
    /// In this file.
    In(PathBuf),
    /// Nowhere, and why.
    Not(String),
}

/// Returns the file that the same statement has for the same kind of disagreement.
pub(super) fn known(folder: &Path, plan: &QueryPlan, kind: &VibeSqlFault) -> Option<PathBuf> {
    let ending = format!("-{}.test", mark(plan, kind));
    let files = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<_> = files.filter(|path| path.to_string_lossy().ends_with(&ending)).collect();
    files.sort();
    files.into_iter().next()
}

/// Returns the same for the same statement and kind.
fn mark(plan: &QueryPlan, kind: &VibeSqlFault) -> String {
    format!("{:08x}", crc32fast::hash(format!("{} {}", kind.word(), one_line(&plan.sql)).as_bytes()))
}

/// Writes the file, atomically.
pub(super) fn keep(
    asker: &mut Asker,
    effort: DisagreementEffort<'_>,
    plan: &QueryPlan,
    tables: &[LoadedTable],
    kind: &VibeSqlFault,
) -> Result<SavedExample, AskError> {
    let rows: usize = tables.iter().map(|table| table.rows.len()).sum();
    if rows > MOST_ROWS {
        return Ok(SavedExample::Not(format!("it takes {rows} rows")));
    }
    let Some(sqlite) = asker.answer_of(EngineName::Sqlite, plan, tables)? else {
        return Ok(SavedExample::Not("SQLite has no answer to it alone".to_owned()));
    };
    // A query that hangs or crashes has no answer, and would do it again.
    let vibesql = match kind {
        VibeSqlFault::Differs(_) => asker.answer_of(EngineName::VibeSql, plan, tables)?,
        _ => None,
    };
    // With fewer rows it is another number of rows that differ.
    let small = vibesql.as_ref().and_then(|vibesql| compare(&sqlite, vibesql, RowRule::Exactly).err());
    let shown = small.map_or_else(|| kind.clone(), VibeSqlFault::Differs);
    let text = text(plan, tables, &sqlite, vibesql.as_ref(), &shown);
    let name = format!("{}-{}.test", second(effort.now), mark(plan, kind));
    let path = effort.folder.join(name);
    Ok(match write(effort.folder, &path, &text) {
        Ok(()) => SavedExample::In(path),
        Err(error) => SavedExample::Not(error.to_string()),
    })
}

fn write(folder: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    atomic_file::replace(path, |out| out.write_all(text.as_bytes()))
}

fn second(now: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
    time.strftime("%Y%m%d-%H%M%S").to_string()
}

/// Returns the test file.
fn text(
    plan: &QueryPlan,
    tables: &[LoadedTable],
    sqlite: &Answer,
    vibesql: Option<&Answer>,
    kind: &VibeSqlFault,
) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_text(&mut out, plan, tables, sqlite, vibesql, kind);
    out
}

fn write_text(
    out: &mut String,
    plan: &QueryPlan,
    tables: &[LoadedTable],
    sqlite: &Answer,
    vibesql: Option<&Answer>,
    kind: &VibeSqlFault,
) -> std::fmt::Result {
    let words = kind.to_string().replace(|character: char| character.is_control(), " ");
    writeln!(out, "# VibeSQL {} {words}", super::VIBESQL_VERSION)?;
    writeln!(out, "# The expected rows are those of SQLite {}.\n", rusqlite::version())?;
    for LoadedTable { wanted, rows } in tables {
        writeln!(out, "statement ok\n{}\n", wanted.table.create(&wanted.columns))?;
        for row in rows {
            let values: Vec<_> = row.iter().map(cell).collect();
            writeln!(
                out,
                "statement ok\nINSERT INTO {} VALUES ({})\n",
                wanted.table.name,
                values.join(", ")
            )?;
        }
    }
    for view in &plan.views {
        writeln!(out, "statement ok\n{}\n", view.create())?;
    }
    let (types, sort) = presentation(plan, sqlite, vibesql);
    let word = if sort == SortMode::RowSort { "rowsort" } else { "nosort" };
    writeln!(out, "query {} {word}\n{}\n----", String::from_utf8_lossy(&types), one_line(&plan.sql))?;
    out.push_str(&String::from_utf8_lossy(&shown(sqlite, &types, sort)));
    Ok(())
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) => format!("{number:?}"),
        Cell::Text(text) => literal(text),
    }
}

/// How the rows are shown: such that what VibeSQL does differently is seen, if it can be seen at all.
fn presentation(plan: &QueryPlan, sqlite: &Answer, vibesql: Option<&Answer>) -> (Vec<u8>, SortMode) {
    let has_real = |answer: &Answer, place: usize| {
        answer.rows.iter().any(|row| matches!(row[place], AnswerValue::Real(_)))
    };
    let is_text =
        |row: &[AnswerValue], place: usize| matches!(row[place], AnswerValue::Text(_) | AnswerValue::Blob(_));
    let width = sqlite.columns.len();
    let letter = |place| {
        let both = std::iter::once(sqlite).chain(vibesql);
        let mut rows = both.clone().flat_map(|answer| &answer.rows).filter(|row| row.len() == width);
        let numbers = !rows.any(|row| is_text(row, place));
        if numbers && has_real(sqlite, place) { b'R' } else { b'T' }
    };
    let types: Vec<u8> = (0..width).map(letter).collect();
    let any_order = matches!(order(&plan.sql, &plan.columns), RowOrder::Any | RowOrder::AnyOf(_));
    let sort = if any_order { SortMode::RowSort } else { SortMode::NoSort };
    let hides = |types: &[u8]| {
        let differs = |vibesql: &Answer| shown(sqlite, types, sort) == shown(vibesql, types, sort);
        vibesql.is_some_and(differs)
    };
    // Three decimals do not show everything.
    if hides(&types) { (vec![b'T'; width], sort) } else { (types, sort) }
}

/// Returns the lines of an answer, as the runner has them.
fn shown(answer: &Answer, types: &[u8], sort: SortMode) -> Vec<u8> {
    let mut buffer = ResultBuffer::new(Renderer::SqliteLetters);
    for row in &answer.rows {
        let values: Vec<_> = row.iter().map(value).collect();
        buffer.push_row(types, &values);
    }
    let mut lines = Vec::new();
    for line in buffer.arrange(sort).lines() {
        lines.extend_from_slice(line);
        lines.push(b'\n');
    }
    lines
}

fn value(value: &AnswerValue) -> ValueRef<'_> {
    match value {
        AnswerValue::Null => ValueRef::Null,
        AnswerValue::Integer(number) => ValueRef::Integer(*number),
        AnswerValue::Real(number) => ValueRef::Real(*number),
        AnswerValue::Text(text) => ValueRef::Text(text.as_bytes()),
        AnswerValue::Blob(bytes) => ValueRef::Blob(bytes),
    }
}
