//! A result as rows of cells, for dialects whose values may contain any bytes, line ends included.

use md5::{Digest as _, Md5};

use crate::outcome::Digest;
use crate::parser::{HashLine, SortMode};
use crate::value::{Column, TypeTag, ValueRef};

/// The rows of one result after another, rendered, without an allocation for each value.
#[derive(Debug, Default)]
pub struct CellTable {
    text: Vec<u8>,
    cells: Vec<Cell>,
    columns: usize,
    types: Vec<TypeTag>,
    names: Vec<String>,
    /// The first text of each column that has one, see [`Self::note_text`].
    texts: Vec<(usize, Cell)>,
    wrong_type: Option<WrongType>,
}

/// A value of another type than its letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongType {
    /// The column, counted from 0.
    pub column: usize,
    /// The letter.
    pub letter: u8,
    /// The kind of the value.
    pub found: &'static str,
}

/// A rendered value: its place in the text.
#[derive(Debug, Clone, Copy)]
struct Cell {
    start: usize,
    end: usize,
    kind: CellKind,
}

/// The kind of a value, before it was rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// NULL.
    Null,
    /// A whole number.
    Integer,
    /// A floating-point number.
    Real,
    /// An exact number.
    Decimal,
    /// A truth value.
    Boolean,
    /// Text, or anything else.
    Text,
}

impl CellKind {
    /// Returns the kind of a value.
    pub fn of(value: &ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(_) => Self::Integer,
            ValueRef::Real(_) | ValueRef::RealText(_) => Self::Real,
            ValueRef::Decimal(_) => Self::Decimal,
            ValueRef::Boolean(_) => Self::Boolean,
            ValueRef::Text(_) | ValueRef::Blob(_) | ValueRef::Other(_) => Self::Text,
        }
    }
}

impl CellTable {
    /// Forgets the rows and the columns.
    pub fn clear(&mut self) {
        self.text.clear();
        self.cells.clear();
        self.columns = 0;
        self.types.clear();
        self.names.clear();
        self.texts.clear();
        self.wrong_type = None;
    }

    /// Begins a result with these columns.
    pub fn set_columns(&mut self, columns: &[Column<'_>]) {
        self.columns = columns.len();
        self.types.extend(columns.iter().map(|column| column.type_tag));
        self.names.extend(columns.iter().map(|column| column.name.unwrap_or_default().to_owned()));
    }

    /// Adds a value to the last row; `write` appends its text. The number of columns is taken from the first row if
    /// the engine has not told it.
    pub fn push(&mut self, is_null: bool, write: impl FnOnce(&mut Vec<u8>)) {
        self.push_kind(if is_null { CellKind::Null } else { CellKind::Text }, write);
    }

    /// Adds a value of a known kind, as [`Self::push`] does.
    pub fn push_kind(&mut self, kind: CellKind, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.text.len();
        write(&mut self.text);
        self.cells.push(Cell { start, end: self.text.len(), kind });
    }

    /// Returns the kind of the value at this place, counted row by row from 0.
    pub fn kind(&self, index: usize) -> CellKind {
        self.cells[index].kind
    }

    /// Notes that the last value is a text where a number may be expected.
    pub fn note_text(&mut self) {
        let Some((cell, before)) = self.cells.split_last() else { return };
        let column = before.len().checked_rem(self.columns).unwrap_or(0);
        if self.texts.iter().all(|(known, _)| *known != column) {
            self.texts.push((column, *cell));
        }
    }

    /// Returns the first text that was noted in a column, counted from 0.
    pub fn text_in(&self, column: usize) -> Option<&[u8]> {
        let (_, cell) = self.texts.iter().find(|(known, _)| *known == column)?;
        Some(&self.text[cell.start..cell.end])
    }

    /// Notes that a value is of another type than the letter of its column.
    pub fn note_type(&mut self, column: usize, letter: u8, found: &'static str) {
        self.wrong_type.get_or_insert(WrongType { column, letter, found });
    }

    /// Returns the first value of another type than its letter, if the dialect checks that.
    pub fn wrong_type(&self) -> Option<&WrongType> {
        self.wrong_type.as_ref()
    }

    /// Returns the number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Returns the types of the columns, as far as the engine knows them.
    pub fn types(&self) -> &[TypeTag] {
        &self.types
    }

    /// Returns the names of the columns; empty where the engine was not asked for them.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the number of values.
    pub fn values(&self) -> u64 {
        self.cells.len() as u64
    }

    /// Returns the number of rows; 0 for a result without columns.
    pub fn rows(&self) -> usize {
        self.cells.len().checked_div(self.columns).unwrap_or(0)
    }

    /// Returns the values in their order, row by row.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.cells.iter().map(|cell| &self.text[cell.start..cell.end])
    }

    /// Returns the value at this place, counted row by row from 0.
    pub fn value(&self, index: usize) -> &[u8] {
        let cell = self.cells[index];
        &self.text[cell.start..cell.end]
    }

    /// Returns whether the value at this place is NULL.
    pub fn is_null(&self, index: usize) -> bool {
        self.cells[index].kind == CellKind::Null
    }

    /// Returns the values of one row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = &[u8]> {
        let cells = &self.cells[row * self.columns..(row + 1) * self.columns];
        cells.iter().map(|cell| &self.text[cell.start..cell.end])
    }

    /// Puts the values into their final order. After [`SortMode::ValueSort`] they are one list without rows.
    pub fn arrange(&mut self, sort: SortMode) {
        let text = &self.text;
        let bytes = |cell: &Cell| &text[cell.start..cell.end];
        match sort {
            SortMode::NoSort => {}
            SortMode::ValueSort => self.cells.sort_by(|one, other| bytes(one).cmp(bytes(other))),
            SortMode::RowSort | SortMode::PartialSort(_) if self.columns == 0 => {}
            SortMode::RowSort => {
                let mut rows: Vec<&[Cell]> = self.cells.chunks(self.columns).collect();
                rows.sort_by(|one, other| one.iter().map(bytes).cmp(other.iter().map(bytes)));
                self.cells = rows.concat();
            }
            SortMode::PartialSort(columns) => {
                let is_key = |column: usize| column < 64 && columns >> column & 1 == 1;
                let same_key = |one: &&[Cell], other: &&[Cell]| {
                    (0..self.columns)
                        .filter(|&column| is_key(column))
                        .all(|column| bytes(&one[column]) == bytes(&other[column]))
                };
                let mut rows: Vec<&[Cell]> = self.cells.chunks(self.columns).collect();
                for group in rows.chunk_by_mut(same_key) {
                    group.sort_by(|one, other| one.iter().map(bytes).cmp(other.iter().map(bytes)));
                }
                self.cells = rows.concat();
            }
        }
    }

    /// Returns the MD5 over every value followed by one LF.
    pub fn digest(&self) -> Digest {
        let mut md5 = Md5::new();
        for value in self.lines() {
            md5.update(value);
            md5.update(b"\n");
        }
        Digest(md5.finalize().into())
    }

    /// Returns the hash line that stands for the result.
    pub fn hash_line(&self) -> HashLine {
        HashLine { values: self.values(), digest: self.digest().0 }
    }
}
