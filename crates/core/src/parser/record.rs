//! The contents of a test file, borrowed from its text. Data only.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use super::condition::Condition;
use super::control::Control;
use super::dialect::Profile;
use super::error::{Lint, ParseError};
use super::text::{Block, HashLine, Sql};
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
    /// The files that its records include.
    pub included: Vec<IncludedScripts<'s>>,
}

/// The files that one record includes.
#[derive(Debug)]
pub struct IncludedScripts<'s> {
    /// The line of the record.
    pub line: u32,
    /// The files, in the order of their execution.
    pub scripts: Vec<Script<'s>>,
}

impl<'s> Script<'s> {
    /// Returns the records, in order.
    pub fn records(&self) -> impl Iterator<Item = &Record<'s>> {
        self.items.iter().filter_map(|item| match item {
            Item::Record(record) => Some(record),
            _ => None,
        })
    }

    /// Returns the number of records in the text that have an outcome: each counts once, also in a loop.
    pub fn total(&self) -> u64 {
        self.records().filter(|record| record.is_counted()).count() as u64
    }

    /// Returns the script with this name among those that it includes, directly or through others.
    pub fn included_script(&self, name: &str) -> Option<&Self> {
        let mut scripts = self.included.iter().flat_map(|included| &included.scripts);
        scripts.find_map(|script| {
            if script.source.name() == name { Some(script) } else { script.included_script(name) }
        })
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
    /// The connection and the retries that few records name.
    pub options: Option<Box<RecordOptions<'s>>>,
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
            RecordKind::Let(assignment) => Some(&assignment.sql),
            RecordKind::System(_)
            | RecordKind::Database(_)
            | RecordKind::Control(_)
            | RecordKind::Unknown => None,
        }
    }

    /// Returns the connection that the record names.
    pub fn connection(&self) -> Option<&ConnectionName<'s>> {
        self.options.as_ref()?.connection.as_ref()
    }

    /// Returns how the record is retried, if it is.
    pub fn retry(&self) -> Option<RetryRule<'s>> {
        self.options.as_ref()?.retry
    }

    /// Returns how often the record is executed.
    pub fn repetitions(&self) -> u32 {
        self.options.as_ref().and_then(|options| options.repetitions).unwrap_or(1)
    }

    /// Returns what the record needs and no engine has.
    pub fn missing(&self) -> Option<MissingAbility> {
        self.options.as_ref()?.missing
    }

    /// Returns the label of a query.
    pub fn label(&self) -> Option<&'s [u8]> {
        match &self.kind {
            RecordKind::Query(query) => query.label,
            _ => None,
        }
    }

    /// Returns whether the record ends in an outcome: control records that are in order do not.
    pub fn is_counted(&self) -> bool {
        let has_no_outcome = match &self.kind {
            RecordKind::Control(control) => !matches!(control, Control::RefusedInclude(_)),
            kind => matches!(kind, RecordKind::Unknown),
        };
        self.defect.is_some() || self.missing().is_some() || !has_no_outcome
    }
}

/// What few records have in addition to their contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordOptions<'s> {
    /// The connection that executes it; the default connection without one.
    pub connection: Option<ConnectionName<'s>>,
    /// How often it is tried.
    pub retry: Option<RetryRule<'s>>,
    /// How often it is executed; the first failure is its outcome.
    pub repetitions: Option<u32>,
    /// The number of significant digits to which decimal fractions in texts are rounded.
    pub digits: Option<u8>,
    /// What it needs and no engine has. It is unsupported then.
    pub missing: Option<MissingAbility>,
}

/// What a record needs and no engine has: a cluster, notices, a second thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingAbility {
    /// Its name, as in `X is not supported`.
    pub name: &'static str,
    /// Whether the SQL is executed, because later records may depend on it.
    pub runs_sql: bool,
}

impl MissingAbility {
    /// Engines log users in with the settings of the user who runs the tests.
    pub(super) const PASSWORD: Self = Self { name: "a password of a connection", runs_sql: false };
}

/// A connection, as a record names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnectionName<'s> {
    /// The name; empty for the default connection of another user.
    pub name: &'s [u8],
    /// The user; the engine's default user without one.
    pub user: Option<&'s [u8]>,
}

/// How a record is retried, as far as the text says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryRule<'s> {
    /// In this way.
    Fixed(Retry),
    /// The number of attempts and the pause have variables.
    Variables {
        /// The number of attempts.
        attempts: &'s [u8],
        /// The pause.
        backoff: &'s [u8],
    },
}

/// How often a record is tried until it passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// The number of attempts, at least 1.
    pub attempts: u32,
    /// The pause after a failed attempt.
    pub backoff: Duration,
}

/// The kinds of records.
#[derive(Debug)]
pub enum RecordKind<'s> {
    /// SQL that is executed for its effect.
    Statement(Statement<'s>),
    /// SQL that is executed for its result.
    Query(Query<'s>),
    /// A query whose values become variables.
    Let(Let<'s>),
    /// A shell command.
    System(System<'s>),
    /// A change of the database or its connections as a whole.
    Database(DatabaseAction<'s>),
    /// A record that changes the execution of later ones. It has an outcome only if it is malformed.
    Control(Control<'s>),
    /// Text that is not a record; its defect has the reason.
    Unknown,
}

/// SQL that is executed for its effect.
#[derive(Debug)]
pub struct Statement<'s> {
    /// The SQL.
    pub sql: Sql<'s>,
    /// The expected result.
    pub expected: StatementExpectation<'s>,
}

/// The expected result of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementExpectation<'s> {
    /// Succeed.
    Ok,
    /// Affect this number of rows, or return it.
    Count(u64),
    /// Fail, with an error like this.
    Error(ErrorPattern<'s>),
    /// Succeed, or fail with an error like this.
    OkOrError(ErrorPattern<'s>),
    /// Anything: the statement is executed, and its result is not judged.
    Unchecked,
    /// Anything, and later records are skipped, as after `mode skip`.
    UncheckedBeforeSkip,
}

/// The errors that an expectation accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorPattern<'s> {
    /// All.
    Any,
    /// With a message in which this regular expression occurs.
    Search(Cow<'s, str>),
    /// With a message that this regular expression matches from its first to its last character, or does not match.
    FullRegex {
        /// The regular expression, in which a dot matches a line end.
        regex: Cow<'s, str>,
        /// Whether the message must not match.
        negated: bool,
    },
    /// With a message that contains this text.
    Contains(Cow<'s, [u8]>),
    /// With this message, apart from white space around both.
    Exact(Cow<'s, [u8]>),
    /// With this SQLSTATE, and a message in which the regular expression occurs.
    SqlState {
        /// The five characters.
        code: &'s str,
        /// The regular expression; empty if any message is right. It is boxed because all records have its size.
        message: Box<Cow<'s, str>>,
    },
}

/// SQL that is executed for its result.
#[derive(Debug)]
pub struct Query<'s> {
    /// The SQL.
    pub sql: Sql<'s>,
    /// One letter for each column; empty if the dialect allows a query without types.
    pub types: &'s [u8],
    /// In which order the values are compared; the default of the file, if it is not given.
    pub sort: Option<SortMode>,
    /// Queries with the same label must have the same result.
    pub label: Option<&'s [u8]>,
    /// The expected result.
    pub expected: QueryExpectation<'s>,
    /// The form of the expected rows.
    pub layout: Layout,
    /// Whether the names of the columns are the first row of the result.
    pub shows_names: bool,
}

/// The expected result of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryExpectation<'s> {
    /// These values.
    Rows(Block<'s>),
    /// Values with this hash: the hash line is the only line.
    Hash(HashLine),
    /// The values in a file, by its path as written.
    File(&'s [u8]),
    /// Fail, with an error like this.
    Error(ErrorPattern<'s>),
    /// The result of the first query with the same label, and nothing else.
    Label,
}

/// The form of the lines of an expected result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// As the matcher of the dialect, or an earlier control record, says.
    Default,
    /// A value on each line.
    Values,
    /// A row on each line.
    Rows,
    /// One value of several lines.
    Text,
    /// A row on each line with commas between its values, and a line for the end of each statement.
    Transcript {
        /// Whether a line `EOF` ends the rows, whose values may have several lines.
        multiline: bool,
    },
}

/// A query whose values become variables.
#[derive(Debug)]
pub struct Let<'s> {
    /// The names of the variables, one for each column.
    pub names: Vec<&'s [u8]>,
    /// The SQL, which returns one row.
    pub sql: Sql<'s>,
}

/// A shell command.
#[derive(Debug)]
pub struct System<'s> {
    /// The lines of the command.
    pub command: Sql<'s>,
    /// The expected standard output, apart from white space around it; not compared without one.
    pub stdout: Option<Block<'s>>,
}

/// A change of the database or its connections as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseAction<'s> {
    /// Closes the database and opens the one in a file; one in memory without a path.
    Load {
        /// The path as written.
        path: Option<&'s [u8]>,
        /// Whether it is opened for reading only.
        read_only: bool,
        /// The version of the storage format for a new file; the engine's default without one.
        version: Option<&'s [u8]>,
    },
    /// Closes the database and opens it again, with its durable data.
    Restart,
    /// Closes the default connection and opens it again.
    Reconnect,
    /// Unpacks an archive.
    Unzip {
        /// Its path as written.
        archive: &'s [u8],
        /// The path of the unpacked file as written; without one, that of the archive without its ending.
        target: Option<&'s [u8]>,
    },
    /// Drops all databases and settings.
    Reset,
    /// Loads rows of text into a table.
    Copy {
        /// The table.
        table: &'s [u8],
        /// The path of the file with the rows as written; a tab stands between values.
        path: &'s [u8],
    },
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
    /// Rows with the same values in the first columns as sorted, by these columns: bit 0 is the first.
    PartialSort(u64),
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
            Self::PartialSort(_) => "partialsort",
        }
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
