//! Records as text.
//!
//! What the original writes so that it cannot be read again is written right here: times are one word, `retry` of a command
//! stands in its header, and `connection default` does not become a blank line.

use std::fmt::{self, Display, Formatter};
use std::io::{self, Write};
use std::time::Duration;

use super::{
    Condition, Connection, Control, QueryExpect, Record, ResultMode, RetryConfig, SortMode, StatementExpect,
};
use crate::column_type::ColumnType;

impl<T: ColumnType> Record<T> {
    /// Writes the record as it stands in a file.
    ///
    /// # Errors
    ///
    /// Those of the writer, and one of the kind `InvalidInput` for an injected record.
    pub fn unparse(&self, w: &mut impl Write) -> io::Result<()> {
        if matches!(self, Self::Injected(_)) {
            let message = format!("no line of a file: {self:?}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        write!(w, "{self}")
    }
}

impl<T: ColumnType> Display for Record<T> {
    /// Writes the record as it stands in a file, without the end of its last line; but statements, queries, commands and
    /// `let` with it, because a blank line follows them. An injected record, which no file contains, is an error.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Include { filename, .. } => write!(f, "include {filename}"),
            Self::Statement { sql, expected, retry, .. } => write_statement(f, sql, expected, retry.as_ref()),
            Self::Query { sql, expected, retry, .. } => write_query(f, sql, expected, retry.as_ref()),
            Self::System { command, stdout, retry, .. } => {
                writeln!(f, "system ok{}\n{command}", RetryWords(retry.as_ref()))?;
                stdout.iter().try_for_each(|stdout| write!(f, "----\n{stdout}\n\n"))
            }
            Self::Sleep { duration, .. } => write!(f, "sleep {}", DurationWord(*duration)),
            Self::Subtest { name, .. } => write!(f, "subtest {name}"),
            Self::Halt { .. } => f.write_str("halt"),
            Self::Control(control) => control.fmt(f),
            Self::HashThreshold { threshold, .. } => write!(f, "hash-threshold {threshold}"),
            Self::Condition(Condition::OnlyIf { label }) => write!(f, "onlyif {label}"),
            Self::Condition(Condition::SkipIf { label }) => write!(f, "skipif {label}"),
            Self::Connection(Connection::Default) => f.write_str("connection default"),
            Self::Connection(Connection::Named(name)) => write!(f, "connection {name}"),
            Self::Comment(lines) => write_comment(f, lines),
            Self::Newline => Ok(()),
            Self::Injected(_) => Err(fmt::Error),
            Self::Let { variables, sql, .. } => writeln!(f, "let {}\n{sql}", variables.join(", ")),
        }
    }
}

fn write_statement(
    f: &mut Formatter<'_>,
    sql: &str,
    expected: &StatementExpect,
    retry: Option<&RetryConfig>,
) -> fmt::Result {
    f.write_str("statement ")?;
    match expected {
        StatementExpect::Ok => f.write_str("ok")?,
        StatementExpect::Count(count) => write!(f, "count {count}")?,
        StatementExpect::Error(error) => {
            f.write_str("error")?;
            error.write_in_header(f)?;
        }
    }
    writeln!(f, "{}\n{sql}", RetryWords(retry))?;
    match expected {
        StatementExpect::Error(error) => error.write_after_sql(f),
        StatementExpect::Ok | StatementExpect::Count(_) => Ok(()),
    }
}

fn write_query<T: ColumnType>(
    f: &mut Formatter<'_>,
    sql: &str,
    expected: &QueryExpect<T>,
    retry: Option<&RetryConfig>,
) -> fmt::Result {
    f.write_str("query ")?;
    match expected {
        QueryExpect::Results { types, sort_mode, label, .. } => {
            types.iter().try_for_each(|letter| write!(f, "{}", letter.to_char()))?;
            sort_mode.iter().try_for_each(|mode| write!(f, " {}", mode.as_word()))?;
            label.iter().try_for_each(|label| write!(f, " {label}"))?;
        }
        QueryExpect::Error(error) => {
            f.write_str("error")?;
            error.write_in_header(f)?;
        }
    }
    writeln!(f, "{}\n{sql}", RetryWords(retry))?;
    match expected {
        QueryExpect::Results { results, .. } => {
            f.write_str("----\n")?;
            results.iter().try_for_each(|line| writeln!(f, "{line}"))
        }
        QueryExpect::Error(error) => error.write_after_sql(f),
    }
}

fn write_comment(f: &mut Formatter<'_>, lines: &[String]) -> fmt::Result {
    for (at, line) in lines.iter().enumerate() {
        let line_end = if at == 0 { "" } else { "\n" };
        write!(f, "{line_end}#{line}")?;
    }
    Ok(())
}

impl Display for Control {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::SortMode(mode) => write!(f, "control sortmode {}", mode.as_word()),
            Self::ResultMode(ResultMode::ValueWise) => f.write_str("control resultmode valuewise"),
            Self::ResultMode(ResultMode::RowWise) => f.write_str("control resultmode rowwise"),
            Self::Substitution(true) => f.write_str("control substitution on"),
            Self::Substitution(false) => f.write_str("control substitution off"),
        }
    }
}

impl SortMode {
    fn as_word(self) -> &'static str {
        match self {
            Self::NoSort => "nosort",
            Self::RowSort => "rowsort",
            Self::ValueSort => "valuesort",
        }
    }
}

impl Display for ResultMode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ValueWise => "ValueWise",
            Self::RowWise => "RowWise",
        })
    }
}

/// The words of a retry at the end of a header, if there is one.
struct RetryWords<'r>(Option<&'r RetryConfig>);

impl Display for RetryWords<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(retry) => write!(f, " retry {} backoff {}", retry.attempts, DurationWord(retry.backoff)),
            None => Ok(()),
        }
    }
}

/// A time as one word: `1h30m`.
struct DurationWord(Duration);

impl Display for DurationWord {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0.as_secs(), self.0.subsec_nanos());
        let parts = [
            (seconds / 3600, "h"),
            (seconds / 60 % 60, "m"),
            (seconds % 60, "s"),
            (u64::from(nanos / 1_000_000), "ms"),
            (u64::from(nanos / 1_000 % 1_000), "us"),
            (u64::from(nanos % 1_000), "ns"),
        ];
        if self.0.is_zero() {
            return f.write_str("0s");
        }
        parts.iter().filter(|(count, _)| *count > 0).try_for_each(|(count, unit)| write!(f, "{count}{unit}"))
    }
}
