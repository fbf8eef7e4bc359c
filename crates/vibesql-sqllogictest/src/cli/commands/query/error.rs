//! Errors of queries, with hints.

use super::names::{QueryPrompt, columns, tables};
use crate::cli::error::CliError;
use crate::cli::exit::ExitReason;
use crate::cli::prompt::nearest;
use slt_store::ask::{AskError, EngineName, QueryPlanError, UnknownName, VibeSqlFault};

/// Returns the error of a statement that cannot be executed.
pub(super) fn rejected(error: &QueryPlanError, prompt: QueryPrompt) -> CliError {
    let hint = match error {
        QueryPlanError::Nothing => {
            "write a statement such as `SELECT * FROM test_runs`, or use --preset".to_owned()
        }
        QueryPlanError::Several => {
            "run `query` once per statement; its shell (`query` without SQL) accepts several".to_owned()
        }
        QueryPlanError::Writes => "`query` only reads results; `store prune` removes old runs".to_owned(),
        QueryPlanError::Sql { unknown: Some(UnknownName::Table(name)), .. } => {
            match nearest(name, tables()) {
                Some(nearest) => {
                    format!("did you mean `{nearest}`? {} lists all", prompt.command(".tables"))
                }
                None => format!("{} lists tables and views", prompt.command(".tables")),
            }
        }
        QueryPlanError::Sql { unknown: Some(UnknownName::Column(name)), .. } => {
            let column = name.rsplit('.').next().unwrap_or(name);
            match nearest(column, columns()) {
                Some(nearest) => {
                    format!("did you mean `{nearest}`? {} lists all columns", prompt.command(".schema"))
                }
                None => format!("{} lists the columns of a table", prompt.command(".schema TABLE")),
            }
        }
        QueryPlanError::Sql { message, unknown: None } if message.starts_with("circular reference: ") => {
            "rename the common table expression; a table has the same name".to_owned()
        }
        QueryPlanError::Sql { message, unknown: None } if message.starts_with("ambiguous column name: ") => {
            "qualify the column: `TABLE.COLUMN`".to_owned()
        }
        QueryPlanError::Sql { unknown: None, .. } => "use SQLite's SQL dialect".to_owned(),
    };
    CliError::usage(error.to_string(), hint)
}

/// Returns the error of a query without an answer.
pub(super) fn unanswered(error: &AskError, prompt: QueryPrompt, is_checked: bool) -> CliError {
    let in_shell = prompt == QueryPrompt::Shell;
    let hint = match error {
        AskError::Engine {
            kind: VibeSqlFault::Differs(_) | VibeSqlFault::Panics(_) | VibeSqlFault::Dies(_),
            engine,
        } => match (*engine == EngineName::VibeSql && !is_checked, in_shell) {
            (true, true) => "start the shell without --no-check to get SQLite's answer",
            (true, false) => "run the query without --no-check to get SQLite's answer",
            (false, _) => "",
        },
        AskError::Engine { .. } if in_shell => {
            "load less with `.last N`, or start the shell with a larger --timeout or --max-memory"
        }
        AskError::Engine { .. } => "use a larger --timeout or --max-memory, or load less with --last N",
        AskError::Results(_) if in_shell => {
            "start the shell with --results DIR to select another results folder"
        }
        AskError::Results(_) => "use --results DIR to select another results folder",
        AskError::Sql(_) | AskError::Start(_) | AskError::Interrupted => "",
    };
    let reason = match error {
        AskError::Sql(_) | AskError::Results(_) => ExitReason::Usage,
        _ => ExitReason::Incomplete,
    };
    CliError::new(reason, error).hint(hint)
}
