//! The contents of a test file, borrowed from its text. Data only.

use std::ops::Range;

use super::condition::Condition;
use super::dialect::Profile;
use super::error::{Lint, ParseError};
use super::lines::LineCursor;
use crate::location::{Location, Source};

/// A parsed test file. Its items cover every byte of the source, in order and without overlap.
#[derive(Debug)]
pub struct Script<'s> {
    /// The text.
    pub source: &'s Source,
    /// The rules it was read by.
    pub profile: &'static Profile,
    /// Everything the text consists of.
    pub items: Vec<Item<'s>>,
    /// Legal but suspicious parts.
    pub lints: Vec<Lint>,
}

impl<'s> Script<'s> {
    /// Returns the records, in order.
    pub fn records(&self) -> impl Iterator<Item = &Record<'s>> {
        self.items.iter().filter_map(|item| match item {
            Item::Record(record) => Some(record),
            _ => None,
        })
    }

    /// Returns the number of records in the counts: statements, queries, and malformed records.
    pub fn total(&self) -> u64 {
        self.records().filter(|record| record.is_counted()).count() as u64
    }

    /// Returns the record that has `line` between its first and last line.
    pub fn record_at(&self, line: u32) -> Option<&Record<'s>> {
        self.records().find(|record| record.lines.contains(&line))
    }

    /// Writes the file back, byte for byte.
    pub fn unparse(&self) -> Vec<u8> {
        self.items.iter().flat_map(|item| &self.source.bytes()[item.span()]).copied().collect()
    }
}

/// A piece of a file.
#[derive(Debug)]
pub enum Item<'s> {
    /// A byte order mark at the start of the file.
    ByteOrderMark(Range<usize>),
    /// Blank lines.
    Blank(Range<usize>),
    /// Comment lines between records.
    Comment(Range<usize>),
    /// A record with its conditions.
    Record(Record<'s>),
}

impl Item<'_> {
    /// Returns the bytes of the source that the item stands for.
    pub fn span(&self) -> Range<usize> {
        match self {
            Self::ByteOrderMark(span) | Self::Blank(span) | Self::Comment(span) => span.clone(),
            Self::Record(record) => record.span.clone(),
        }
    }
}

/// One directive with its SQL and its expectation.
#[derive(Debug)]
pub struct Record<'s> {
    /// The bytes from the first condition to the last line of the record.
    pub span: Range<usize>,
    /// The first line, which may be a condition, to one past the last.
    pub lines: Range<u32>,
    /// The line of the header: the line that messages name.
    pub line: u32,
    /// The conditions, in order.
    pub conditions: Vec<Condition<'s>>,
    /// Its contents.
    pub kind: RecordKind<'s>,
    /// Its defect, if it is malformed.
    pub defect: Option<Box<Defect>>,
}

impl<'s> Record<'s> {
    /// Returns the SQL of a statement or query.
    pub fn sql(&self) -> Option<&Sql<'s>> {
        match &self.kind {
            RecordKind::Statement(statement) => Some(&statement.sql),
            RecordKind::Query(query) => Some(&query.sql),
            RecordKind::Control(_) | RecordKind::Unknown => None,
        }
    }

    /// Returns the label of a query.
    pub fn label(&self) -> Option<&'s [u8]> {
        match &self.kind {
            RecordKind::Query(query) => query.label,
            RecordKind::Statement(_) | RecordKind::Control(_) | RecordKind::Unknown => None,
        }
    }

    /// Returns whether the record ends in an outcome: control records that are in order do not.
    pub fn is_counted(&self) -> bool {
        self.defect.is_some() || matches!(self.kind, RecordKind::Statement(_) | RecordKind::Query(_))
    }
}

/// The kinds of records.
#[derive(Debug)]
pub enum RecordKind<'s> {
    /// `statement`.
    Statement(Statement<'s>),
    /// `query`.
    Query(Query<'s>),
    /// Anything that has no SQL.
    Control(Control),
    /// Text that is not a record; its defect has the reason.
    Unknown,
}

/// A record that changes the execution of later ones. It has an outcome only if it is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// `hash-threshold`; 0 means that nothing is hashed.
    HashThreshold(u64),
    /// `halt`.
    Halt,
}

/// SQL that is executed for its effect.
#[derive(Debug)]
pub struct Statement<'s> {
    /// The SQL.
    pub sql: Sql<'s>,
    /// The expected result.
    pub expected: StatementExpectation,
}

/// The expected result of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementExpectation {
    /// Succeed.
    Ok,
    /// Fail, with an error like this.
    Error(ErrorPattern),
}

/// The errors that an expectation accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorPattern {
    /// All.
    Any,
}

/// SQL that is executed for its result.
#[derive(Debug)]
pub struct Query<'s> {
    /// The SQL.
    pub sql: Sql<'s>,
    /// One letter for each column: T, I or R.
    pub types: &'s [u8],
    /// In which order the values are compared.
    pub sort: SortMode,
    /// Queries with the same label must have the same result.
    pub label: Option<&'s [u8]>,
    /// The expected result.
    pub expected: QueryExpectation<'s>,
}

/// The expected result of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryExpectation<'s> {
    /// These values.
    Rows(Block<'s>),
    /// Values with this hash: the hash line is the only line.
    Hash(HashLine),
}

/// In which order the values of a result are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortMode {
    /// As the engine returns them.
    NoSort,
    /// Rows, sorted by their text column by column.
    RowSort,
    /// All values as one list, sorted by their text.
    ValueSort,
}

impl SortMode {
    /// Parses the name of a sort mode.
    pub fn from_word(word: &[u8]) -> Option<Self> {
        match word {
            b"nosort" => Some(Self::NoSort),
            b"rowsort" => Some(Self::RowSort),
            b"valuesort" => Some(Self::ValueSort),
            _ => None,
        }
    }

    /// Returns the name of the mode.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoSort => "nosort",
            Self::RowSort => "rowsort",
            Self::ValueSort => "valuesort",
        }
    }
}

/// The SQL of a record: lines of the source, from which comment lines are still to be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sql<'s> {
    pub(super) raw: &'s [u8],
    pub(super) plain: bool,
}

impl<'s> Sql<'s> {
    /// Returns the text as an engine gets it: lines joined by LF, without comment lines and CRs of line ends. `buffer`
    /// is used only when the source does not hold the text in one piece.
    pub fn text<'a>(&self, buffer: &'a mut Vec<u8>) -> &'a [u8]
    where
        's: 'a,
    {
        if self.plain {
            return self.raw;
        }
        buffer.clear();
        for line in self.lines() {
            buffer.extend_from_slice(line);
            buffer.push(b'\n');
        }
        buffer.pop();
        buffer
    }

    /// Returns the lines without their ends.
    pub fn lines(&self) -> impl Iterator<Item = &'s [u8]> + use<'s> {
        Block { raw: self.raw }.lines()
    }

    /// Returns whether there is no SQL at all.
    pub fn is_empty(&self) -> bool {
        self.lines().next().is_none()
    }
}

/// Value lines of an expected result, as they stand in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'s> {
    pub(super) raw: &'s [u8],
}

impl<'s> Block<'s> {
    /// Returns the values, one for each line.
    pub fn lines(&self) -> impl Iterator<Item = &'s [u8]> + use<'s> {
        let mut cursor = LineCursor::new(self.raw, 0);
        std::iter::from_fn(move || {
            loop {
                let line = cursor.take()?;
                if !line.is_comment() {
                    return Some(line.text);
                }
            }
        })
    }

    /// Returns the hash on the first line, if it is a hash line.
    pub fn leading_hash(&self) -> Option<HashLine> {
        self.lines().next().and_then(HashLine::parse)
    }
}

/// `N values hashing to H`: the expectation for a result too long to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashLine {
    /// The number of values (not rows).
    pub values: u64,
    /// The MD5 over every value followed by one LF.
    pub digest: [u8; 16],
}

impl HashLine {
    /// Reads a line of exactly this shape: digits without a leading zero, lower-case hex.
    pub fn parse(line: &[u8]) -> Option<Self> {
        const MIDDLE: &[u8] = b" values hashing to ";
        let digits = line.iter().position(|byte| !byte.is_ascii_digit())?;
        let hex = line[digits..].strip_prefix(MIDDLE)?;
        if digits == 0 || hex.len() != 32 || (line[0] == b'0' && digits > 1) {
            return None;
        }
        let values = std::str::from_utf8(&line[..digits]).ok()?.parse().ok()?;
        let mut digest = [0; 16];
        for (byte, pair) in digest.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Some(Self { values, digest })
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

impl std::fmt::Display for HashLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} values hashing to ", self.values)?;
        self.digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The reason why a record is malformed, and the consequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// The reason.
    pub error: ParseError,
    /// The consequence for the record and the file.
    pub effect: DefectEffect,
}

impl Defect {
    pub(super) fn new(
        location: Location,
        kind: super::error::ParseErrorKind,
        effect: DefectEffect,
    ) -> Box<Self> {
        Box::new(Self { error: ParseError { location, kind }, effect })
    }
}

/// The consequence of a defect. In every case the record is malformed and the file has not passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefectEffect {
    /// The SQL is still executed, because later records may depend on it.
    SqlRuns,
    /// Nothing of the record is executed.
    Dropped,
    /// Nothing of the record is executed, and the dialect ends the file here.
    EndsFile,
}
