//! Saves a disagreement as a test file: it passes on SQLite, and fails on VibeSQL.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::answer::Answer;
use super::compare::{RowRule, compare};
use super::error::{AskError, VibeSqlFault};
use super::format::plain;
use super::order::{RowOrder, order};
use super::plan::QueryPlan;
use super::scan::{literal, one_line};
use super::wire::EngineName;
use crate::{Cell, LoadedTable};
use slt_core::executor::canonical::{KeptValues, ResultBuffer};
use slt_core::parser::SortMode;
use slt_core::value::ValueRef;
use slt_runner::atomic_file;
use slt_runner::text::written;

/// A file with more rows is too long for people to read, and is not kept.
const MOST_ROWS: usize = 2000;

/// The location of a saved disagreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SavedExample {
    /// This file.
    In(PathBuf),
    /// Not saved, with the reason.
    Not(String),
}

/// Returns the file of an earlier disagreement of the same kind about the same statement.
pub(super) fn saved(folder: &Path, plan: &QueryPlan, kind: &VibeSqlFault) -> Option<PathBuf> {
    let ending = format!("-{}.test", digest(plan, kind));
    let files = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    files.filter(|path| path.to_string_lossy().ends_with(&ending)).min()
}

/// Returns a digest of the statement and the kind of fault.
fn digest(plan: &QueryPlan, kind: &VibeSqlFault) -> String {
    format!("{:08x}", crc32fast::hash(format!("{} {}", kind.as_str(), one_line(&plan.sql)).as_bytes()))
}

/// Writes the file atomically. `answer` executes the statement on one engine over the rows of `tables`.
pub(super) fn save(
    folder: &Path,
    now: i64,
    plan: &QueryPlan,
    tables: &[LoadedTable],
    kind: &VibeSqlFault,
    mut answer: impl FnMut(EngineName) -> Result<Option<Answer>, AskError>,
) -> Result<SavedExample, AskError> {
    let rows: usize = tables.iter().map(|table| table.rows.len()).sum();
    if rows > MOST_ROWS {
        return Ok(SavedExample::Not(format!("it takes {rows} rows")));
    }
    let Some(sqlite) = answer(EngineName::Sqlite)? else {
        return Ok(SavedExample::Not("SQLite has no answer to it alone".to_owned()));
    };
    // A query that hangs or crashes has no answer, and would do it again.
    let vibesql = match kind {
        VibeSqlFault::Differs(_) => answer(EngineName::VibeSql)?,
        _ => None,
    };
    // The number of differing rows depends on the rows.
    let small = vibesql.as_ref().and_then(|vibesql| compare(&sqlite, vibesql, RowRule::Exactly).err());
    let shown = small.map_or_else(|| kind.clone(), VibeSqlFault::Differs);
    let text = written(|out| write_text(out, plan, tables, &sqlite, vibesql.as_ref(), &shown));
    let path = folder.join(format!("{}-{}.test", second(now), digest(plan, kind)));
    Ok(match write_file(folder, &path, &text) {
        Ok(()) => SavedExample::In(path),
        Err(error) => SavedExample::Not(error.to_string()),
    })
}

fn write_file(folder: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    atomic_file::replace(path, |out| out.write_all(text.as_bytes()))
}

fn second(now: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
    time.strftime("%Y%m%d-%H%M%S").to_string()
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
        let name = wanted.table.name;
        writeln!(out, "statement ok\n{}\n", wanted.table.create(&wanted.columns))?;
        for row in rows {
            let values: Vec<_> = row.iter().map(sql_value).collect();
            writeln!(out, "statement ok\nINSERT INTO {name} VALUES ({})\n", values.join(", "))?;
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

fn sql_value(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => literal(text),
        other => plain(other),
    }
}

/// Chooses types and order such that a difference is visible in the file, if possible.
fn presentation(plan: &QueryPlan, sqlite: &Answer, vibesql: Option<&Answer>) -> (Vec<u8>, SortMode) {
    let has_real =
        |answer: &Answer, place: usize| answer.rows.iter().any(|row| matches!(row[place], Cell::Real(_)));
    let is_text = |row: &[Cell], place: usize| matches!(row[place], Cell::Text(_) | Cell::Blob(_));
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

/// Renders an answer as the runner does.
fn shown(answer: &Answer, types: &[u8], sort: SortMode) -> Vec<u8> {
    let mut buffer = ResultBuffer::default();
    buffer.start(sort, KeptValues::All);
    for row in &answer.rows {
        let values: Vec<_> = row.iter().map(value).collect();
        buffer.push_row(types, &values);
    }
    let mut lines = Vec::new();
    for line in buffer.arrange().lines() {
        lines.extend_from_slice(line);
        lines.push(b'\n');
    }
    lines
}

fn value(cell: &Cell) -> ValueRef<'_> {
    match cell {
        Cell::Null => ValueRef::Null,
        Cell::Integer(number) => ValueRef::Integer(*number),
        Cell::Real(number) => ValueRef::Real(*number),
        Cell::Text(text) => ValueRef::Text(text.as_bytes()),
        Cell::Blob(bytes) => ValueRef::Blob(bytes),
    }
}
