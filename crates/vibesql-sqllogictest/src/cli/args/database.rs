//! The arguments of the commands that need the results database.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};

use super::size::ByteSize;
use slt_store::HistoryWindow;
use slt_store::ask::format::AnswerFormat;

const QUERY_EXAMPLES: &str = "\
Examples:
  vibesql-sqllogictest query \"SELECT status, COUNT(*) FROM test_files GROUP BY status\"
  vibesql-sqllogictest query --preset flaky-tests --all
  vibesql-sqllogictest query --preset progress --format csv --output progress.csv
  vibesql-sqllogictest query                        open a shell; .help lists its commands";

#[derive(Debug, Args)]
#[command(after_help = QUERY_EXAMPLES)]
pub(in crate::cli) struct QueryArgs {
    /// Read-only SQL statement; - reads it from standard input
    ///
    /// Without a statement, `query` opens a shell if standard input is a terminal.
    #[arg(value_name = "SQL", conflicts_with_all = ["preset", "list_presets"])]
    pub(in crate::cli) sql: Option<String>,
    /// Run a predefined query.
    #[arg(long, value_name = "NAME", conflicts_with = "list_presets")]
    pub(in crate::cli) preset: Option<String>,
    /// List the predefined queries.
    #[arg(long)]
    pub(in crate::cli) list_presets: bool,
    /// Output format.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(in crate::cli) format: QueryFormat,
    /// Write the result to FILE.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Do not use a pager for long results in a terminal.
    #[arg(long)]
    pub(in crate::cli) no_pager: bool,
    /// Do not check the result with SQLite.
    #[arg(long)]
    pub(in crate::cli) no_check: bool,
    /// Stop an engine after SECONDS; 0 disables the limit.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(in crate::cli) timeout: u64,
    /// Stop an engine that uses more than SIZE of memory (Linux only).
    #[arg(long, value_name = "SIZE", default_value = "2G")]
    pub(in crate::cli) max_memory: ByteSize,
    #[command(flatten)]
    pub(in crate::cli) history: HistoryArgs,
}

/// Which results are loaded.
#[derive(Debug, Args)]
#[command(next_help_heading = "History")]
pub(in crate::cli) struct HistoryArgs {
    /// Load the results of the last N runs
    ///
    /// Runs, files and counters are always complete.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    last: u32,
    /// Load the results of the runs since DATE
    ///
    /// DATE is 2026-11-22, 2026-11-22T21:44:10 (UTC), or an age like 7d or 24h.
    #[arg(long, value_name = "DATE", conflicts_with = "last")]
    since: Option<HistoryStart>,
    /// Load all results.
    #[arg(long, conflicts_with_all = ["last", "since"])]
    all: bool,
    /// Engine of the files in `test_files` [default: the engine of the last run].
    #[arg(long, value_name = "ENGINE")]
    pub(in crate::cli) engine: Option<String>,
}

impl HistoryArgs {
    /// Returns the results to load; `now` is in milliseconds since 1970.
    pub(in crate::cli) fn window(&self, now: i64) -> HistoryWindow {
        match self.since {
            _ if self.all => HistoryWindow::All,
            Some(HistoryStart::At(time)) => HistoryWindow::Since(time),
            Some(HistoryStart::Ago(time)) => HistoryWindow::Since(now.saturating_sub(time)),
            None => HistoryWindow::Last(self.last as usize),
        }
    }
}

/// The start of the history that is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HistoryStart {
    /// A moment, in milliseconds since 1970.
    At(i64),
    /// A number of milliseconds ago.
    Ago(i64),
}

impl FromStr for HistoryStart {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        const HOUR: i64 = 60 * 60 * 1000;
        let ago = |ending: char, unit: i64| {
            let count = word.strip_suffix(ending)?.parse::<u32>().ok()?;
            i64::from(count).checked_mul(unit).map(Self::Ago)
        };
        let at = || {
            let moment = word.parse::<jiff::civil::DateTime>().ok()?;
            let moment = moment.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
            Some(Self::At(moment.timestamp().as_millisecond()))
        };
        let found = ago('d', 24 * HOUR).or_else(|| ago('h', HOUR)).or_else(at);
        found.ok_or_else(|| {
            "expected a date like 2026-11-22, a time like 2026-11-22T21:44:10, or an age like 7d or 24h"
                .to_owned()
        })
    }
}

choice! {
    /// The format of a query result.
    QueryFormat for AnswerFormat { Table, Csv, Json, Jsonl, Markdown }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AskArgs {
    /// The engine: vibesql or sqlite.
    pub(in crate::cli) engine: String,
}

/// The commands of `store` about the results database.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DatabaseCommand {
    /// Check the results database against the journals of all runs.
    Verify,
    /// Recreate the results database from the journals of all runs.
    Rebuild(SealArgs),
    /// Add new runs to the results database; `run` and `query` do this automatically.
    Seal(SealArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SealArgs {
    /// Kill this process at a step of the writing, for tests.
    #[arg(long, value_name = "STEP", hide = true)]
    pub(in crate::cli) die_at_step: Option<u64>,
}

/// The format of exported tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum TableFormat {
    /// SQL for SQLite and VibeSQL.
    Sql,
    /// A folder of CSV files.
    Csv,
    /// JSON.
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_of_the_history() {
        for (word, expected) in [
            ("7d", HistoryStart::Ago(7 * 86_400_000)),
            ("24h", HistoryStart::Ago(86_400_000)),
            ("1970-01-02", HistoryStart::At(86_400_000)),
            ("1970-01-01T00:00:01", HistoryStart::At(1000)),
        ] {
            assert_eq!(word.parse(), Ok(expected), "{word}");
        }
        for wrong in ["", "d", "-1d", "7w", "yesterday", "1970-13-01", "99999999999d"] {
            assert!(wrong.parse::<HistoryStart>().is_err(), "{wrong}");
        }
    }
}
