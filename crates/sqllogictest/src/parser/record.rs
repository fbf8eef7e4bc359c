//! Records.

use std::time::Duration;

use super::{ExpectedError, Location};
use crate::column_type::ColumnType;

/// A record, or another line of a file.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Record<T: ColumnType> {
    /// `include`: the records of other files come after it.
    Include {
        /// Its line.
        loc: Location,
        /// The pattern of the files.
        filename: String,
    },
    /// `statement`: SQL that succeeds or fails.
    Statement {
        /// Its line.
        loc: Location,
        /// When it is executed.
        conditions: Vec<Condition>,
        /// Where it is executed.
        connection: Connection,
        /// Its SQL.
        sql: String,
        /// The expected outcome.
        expected: StatementExpect,
        /// How often it is tried.
        retry: Option<RetryConfig>,
    },
    /// `query`: SQL with a result.
    Query {
        /// Its line.
        loc: Location,
        /// When it is executed.
        conditions: Vec<Condition>,
        /// Where it is executed.
        connection: Connection,
        /// Its SQL.
        sql: String,
        /// The expected outcome.
        expected: QueryExpect<T>,
        /// How often it is tried.
        retry: Option<RetryConfig>,
    },
    /// `system`: a command for the shell, which must succeed.
    #[non_exhaustive]
    System {
        /// Its line.
        loc: Location,
        /// When it is executed.
        conditions: Vec<Condition>,
        /// The command.
        command: String,
        /// The expected output.
        stdout: Option<String>,
        /// How often it is tried.
        retry: Option<RetryConfig>,
    },
    /// `sleep`.
    Sleep {
        /// Its line.
        loc: Location,
        /// How long.
        duration: Duration,
    },
    /// `subtest`: names what follows.
    Subtest {
        /// Its line.
        loc: Location,
        /// The name.
        name: String,
    },
    /// `halt`: ends the run of records.
    Halt {
        /// Its line.
        loc: Location,
    },
    /// `control`: a setting for the records after it.
    Control(Control),
    /// `hash-threshold`: results with more values are compared by their hash; 0 means never.
    HashThreshold {
        /// Its line.
        loc: Location,
        /// The number of values.
        threshold: u64,
    },
    /// `skipif` or `onlyif`, which also stands in the record that it is for.
    Condition(Condition),
    /// `connection`, which also stands in the record that it is for.
    Connection(Connection),
    /// Lines of a comment, without their `#`.
    Comment(Vec<String>),
    /// A blank line between records.
    Newline,
    /// The begin or end of an included file.
    Injected(Injected),
    /// `let`: sets variables to the one row of a query.
    Let {
        /// Its line.
        loc: Location,
        /// When it is executed.
        conditions: Vec<Condition>,
        /// Where it is executed.
        connection: Connection,
        /// The names of the variables.
        variables: Vec<String>,
        /// The SQL of the query.
        sql: String,
    },
}

/// Begin and end of an included file. No file contains these records; the parser adds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Injected {
    /// The records of this file begin.
    BeginInclude(String),
    /// The records of this file end.
    EndInclude(String),
}

/// The expected outcome of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum StatementExpect {
    /// It succeeds.
    Ok,
    /// It succeeds, and affects or returns this number of rows.
    Count(u64),
    /// It fails.
    Error(ExpectedError),
}

/// The expected outcome of a query.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryExpect<T: ColumnType> {
    /// It returns rows.
    Results {
        /// The types of its columns.
        types: Vec<T>,
        /// The sort mode of the header.
        sort_mode: Option<SortMode>,
        /// The layout of the result, if it is not the current one.
        result_mode: Option<ResultMode>,
        /// The label, which no verdict depends on.
        label: Option<String>,
        /// The lines of the result.
        results: Vec<String>,
    },
    /// It fails.
    Error(ExpectedError),
}

/// When a record is executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Only with the label.
    OnlyIf {
        /// A label of the runner, or the name of the engine.
        label: String,
    },
    /// Only without the label.
    SkipIf {
        /// A label of the runner, or the name of the engine.
        label: String,
    },
}

/// The connection of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Connection {
    /// The connection of records that name none.
    #[default]
    Default,
    /// Another connection.
    Named(String),
}

/// A setting for the records after it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Control {
    /// The sort mode of queries that have none.
    SortMode(SortMode),
    /// The layout of results.
    ResultMode(ResultMode),
    /// Whether variables in SQL and commands are substituted.
    Substitution(bool),
}

/// The order in which a result is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortMode {
    /// As the database returns it.
    NoSort,
    /// Sorted by rows.
    RowSort,
    /// All values sorted, each a row of its own.
    ValueSort,
}

/// The layout of an expected result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultMode {
    /// A line for each value.
    ValueWise,
    /// A line for each row, with blanks between the values.
    RowWise,
}

/// How often a record is tried until it passes.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryConfig {
    /// The most attempts.
    pub attempts: usize,
    /// The time between two attempts.
    pub backoff: Duration,
}
