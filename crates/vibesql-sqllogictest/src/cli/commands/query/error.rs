//! Errors of queries, with hints.

use super::names::{columns, nearest, tables};
use crate::cli::error::CliError;
use crate::cli::exit::ExitReason;
use slt_store::ask::{AskError, EngineName, PlanError, UnknownName, VibeSqlFault};

/// Where the user types queries; hints depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueryPrompt {
    /// On the command line of the program, or in a script.
    CommandLine,
    /// In the shell of `query`.
    Shell,
}

impl QueryPrompt {
    /// Returns how to run a command of the shell.
    fn command(self, command: &str) -> String {
        match self {
            Self::CommandLine => format!("`{command}` in the shell (`query` without SQL)"),
            Self::Shell => format!("`{command}`"),
        }
    }
}

/// Returns the error of a statement that cannot be executed.
pub(super) fn rejected(error: &PlanError, prompt: QueryPrompt) -> CliError {
    let hint = match error {
        PlanError::Nothing => "write for instance `SELECT * FROM test_runs`, or ask by --preset".to_owned(),
        PlanError::Several => {
            "write one statement for each `query`; its shell (`query` without SQL) takes several on a line"
                .to_owned()
        }
        PlanError::Writes => "`run` makes results, and `store prune` removes old ones".to_owned(),
        PlanError::Sql { unknown: Some(UnknownName::Table(name)), .. } => match nearest(name, tables()) {
            Some(nearest) => {
                format!("did you mean `{nearest}`? {} lists all", prompt.command(".tables"))
            }
            None => format!("{} lists tables and views", prompt.command(".tables")),
        },
        PlanError::Sql { unknown: Some(UnknownName::Column(name)), .. } => {
            let column = name.rsplit('.').next().unwrap_or(name);
            match nearest(column, columns()) {
                Some(nearest) => {
                    format!("did you mean `{nearest}`? {} lists all columns", prompt.command(".schema"))
                }
                None => format!("{} has the columns of a table", prompt.command(".schema TABLE")),
            }
        }
        PlanError::Sql { message, unknown: None } if message.starts_with("circular reference: ") => {
            "give the common table expression a name that no table has".to_owned()
        }
        PlanError::Sql { message, unknown: None } if message.starts_with("ambiguous column name: ") => {
            "write the table in front of the column: `TABLE.COLUMN`".to_owned()
        }
        PlanError::Sql { unknown: None, .. } => "use SQLite's SQL dialect".to_owned(),
    };
    CliError::usage(error.to_string(), vec![hint])
}

/// Returns the error of a query without an answer.
pub(super) fn unanswered(error: &AskError, prompt: QueryPrompt, is_checked: bool) -> CliError {
    let in_shell = prompt == QueryPrompt::Shell;
    let (reason, hint) = match error {
        AskError::Sql(_) => (ExitReason::Usage, None),
        AskError::Engine {
            kind: VibeSqlFault::Differs(_) | VibeSqlFault::Panics(_) | VibeSqlFault::Dies(_),
            engine,
        } => {
            let hint = if in_shell {
                "a shell started without --no-check shows SQLite's answer"
            } else {
                "run the query without --no-check to get SQLite's answer"
            };
            let fails_alone = *engine == EngineName::VibeSql && !is_checked;
            (ExitReason::Incomplete, fails_alone.then_some(hint))
        }
        AskError::Engine { .. } if in_shell => (
            ExitReason::Incomplete,
            Some(
                "`.last N` loads less; a shell started with --timeout SECONDS or --max-memory SIZE allows more",
            ),
        ),
        AskError::Engine { .. } => (
            ExitReason::Incomplete,
            Some("--timeout SECONDS and --max-memory SIZE allow more, --last N loads less"),
        ),
        AskError::Results(_) if in_shell => {
            (ExitReason::Usage, Some("a shell started with --results DIR reads another place for results"))
        }
        AskError::Results(_) => (ExitReason::Usage, Some("--results DIR names another place for results")),
        AskError::Start(_) => return CliError::new(ExitReason::Incomplete, error, Vec::new()),
        AskError::Interrupted => (ExitReason::Incomplete, None),
    };
    let hints = hint.into_iter().map(str::to_owned).collect();
    let causes = std::error::Error::source(error).map(ToString::to_string).into_iter().collect();
    CliError { reason, causes, ..CliError::usage(error.to_string(), hints) }
}
