//! The words of `query`, and of the processes that it starts.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::args::Bytes;
use slt_store::HistoryWindow;
use slt_store::ask::format::AnswerFormat;

const EXAMPLES: &str = "\
Examples:
  vibesql-sqllogictest query \"SELECT status, COUNT(*) FROM test_files GROUP BY status\"
  vibesql-sqllogictest query --preset flaky-tests --all
  vibesql-sqllogictest query --preset progress --format csv --output progress.csv
  vibesql-sqllogictest query                        a shell; .help says what it knows";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct QueryArgs {
    /// A read-only statement; - reads it from standard input. Without it, `query` opens a shell in a terminal.
    #[arg(value_name = "SQL", conflicts_with_all = ["preset", "list_presets"])]
    pub(super) sql: Option<String>,
    /// Run a predefined query.
    #[arg(long, value_name = "NAME", conflicts_with = "list_presets")]
    pub(super) preset: Option<String>,
    /// List the predefined queries.
    #[arg(long)]
    pub(super) list_presets: bool,
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(super) format: FormatWord,
    /// Write the result to FILE, completely or not at all.
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Do not use a pager for long results in a terminal.
    #[arg(long)]
    pub(super) no_pager: bool,
    #[command(flatten)]
    pub(super) history: HistoryArgs,
    /// Run the query on VibeSQL only, without checking the result with SQLite.
    #[arg(long)]
    pub(super) no_check: bool,
    /// Stop an engine after SECONDS; 0 means no limit.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(super) timeout: u64,
    /// Stop an engine that uses more than SIZE of memory. Linux only.
    #[arg(long, value_name = "SIZE", default_value = "2G")]
    pub(super) max_memory: Bytes,
}

/// What is read of the history.
#[derive(Debug, Args)]
#[command(next_help_heading = "History")]
pub(super) struct HistoryArgs {
    /// Load the results of the last N runs. Runs, files and counters are always complete.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) last: u32,
    /// Load the results of the runs since DATE: 2026-11-22, 2026-11-22T21:44:10 (UTC), or 7d or 24h ago.
    #[arg(long, value_name = "DATE", conflicts_with = "last")]
    pub(super) since: Option<Since>,
    /// Load all results.
    #[arg(long, conflicts_with_all = ["last", "since"])]
    pub(super) all: bool,
    /// The engine for `test_files`; by default that of the last run.
    #[arg(long, value_name = "ENGINE")]
    pub(super) engine: Option<String>,
}

impl HistoryArgs {
    /// What the words mean, at so many milliseconds since 1970.
    pub(super) fn window(&self, now: i64) -> HistoryWindow {
        match self.since {
            _ if self.all => HistoryWindow::All,
            Some(Since::At(time)) => HistoryWindow::Since(time),
            Some(Since::Ago(time)) => HistoryWindow::Since(now.saturating_sub(time)),
            None => HistoryWindow::Last(self.last as usize),
        }
    }
}

/// The beginning of the part of the history that is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// A moment, in milliseconds since 1970.
    At(i64),
    /// So many milliseconds ago.
    Ago(i64),
}

impl FromStr for Since {
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
            "expected a date like 2026-11-22, a time like 2026-11-22T21:44:10, or 7d or 24h".to_owned()
        })
    }
}

/// A format on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatWord {
    // A `///` here would make the whole help long.
    Table,
    Csv,
    Json,
    Jsonl,
    Markdown,
}

impl FormatWord {
    pub(super) fn format(self) -> AnswerFormat {
        match self {
            Self::Table => AnswerFormat::Table,
            Self::Csv => AnswerFormat::Csv,
            Self::Json => AnswerFormat::Json,
            Self::Jsonl => AnswerFormat::Jsonl,
            Self::Markdown => AnswerFormat::Markdown,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct AskArgs {
    /// The engine: vibesql or sqlite.
    pub(super) engine: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings() {
        for (word, expected) in [
            ("7d", Since::Ago(7 * 86_400_000)),
            ("24h", Since::Ago(86_400_000)),
            ("1970-01-02", Since::At(86_400_000)),
            ("1970-01-01T00:00:01", Since::At(1000)),
        ] {
            assert_eq!(word.parse(), Ok(expected), "{word}");
        }
        for wrong in ["", "d", "-1d", "7w", "yesterday", "1970-13-01", "99999999999d"] {
            assert!(wrong.parse::<Since>().is_err(), "{wrong}");
        }
    }
}
