//! What is wrong with a question, and the way out.

use crate::cli::error::{CliError, ExitReason};
use crate::results::ask::views::VIEWS;
use crate::results::ask::{AskError, PlanError, Unknown, columns_of};
use crate::results::store::schema::TABLES;

/// The nearest of some names, if one is near enough to be meant.
pub(in crate::cli) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let lower = name.to_ascii_lowercase();
    let scored =
        names.map(|known| (strsim::jaro_winkler(&lower, known), known)).filter(|(score, _)| *score > 0.8);
    scored.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, known)| known)
}

/// The names of all tables and views.
pub(super) fn tables() -> impl Iterator<Item = &'static str> {
    TABLES.into_iter().map(|table| table.name).chain(VIEWS.iter().map(|view| view.name))
}

/// The names of all columns, some of them more than once.
pub(super) fn columns() -> impl Iterator<Item = &'static str> {
    tables().filter_map(columns_of).flatten()
}

pub(super) fn wrong(error: &PlanError) -> CliError {
    let hint = match error {
        PlanError::Nothing => "write for instance `SELECT * FROM test_runs`, or ask by --preset".to_owned(),
        PlanError::Several => {
            "ask one after the other; the shell (`query` in a terminal) takes many".to_owned()
        }
        PlanError::Writes => "`run` makes results, and `prune` removes old ones".to_owned(),
        PlanError::Sql { unknown: Some(Unknown::Table(name)), .. } => match nearest(name, tables()) {
            Some(nearest) => format!("perhaps `{nearest}` is meant; `.tables` in the shell lists all"),
            None => "`.tables` in the shell lists tables and views".to_owned(),
        },
        PlanError::Sql { unknown: Some(Unknown::Column(name)), .. } => {
            let column = name.rsplit('.').next().unwrap_or(name);
            match nearest(column, columns()) {
                Some(nearest) => {
                    format!("perhaps `{nearest}` is meant; `.schema` in the shell has all columns")
                }
                None => "`.schema TABLE` in the shell has the columns of a table".to_owned(),
            }
        }
        PlanError::Sql { unknown: None, .. } => "the SQL is that of SQLite".to_owned(),
    };
    CliError::usage(error.to_string(), vec![hint])
}

pub(super) fn unanswered(error: &AskError) -> CliError {
    let (reason, hint) = match error {
        AskError::Sql(_) => (ExitReason::Usage, None),
        AskError::Engine { .. } => (
            ExitReason::Incomplete,
            Some("--timeout SECONDS and --max-memory SIZE allow more, --last N loads less"),
        ),
        AskError::Results(_) => (ExitReason::Usage, Some("--results DIR names another place for results")),
        AskError::Start(_) => return CliError::new(ExitReason::Incomplete, error, Vec::new()),
        AskError::Interrupted => (ExitReason::Incomplete, None),
    };
    let hints = hint.into_iter().map(str::to_owned).collect();
    let causes = std::error::Error::source(error).map(ToString::to_string).into_iter().collect();
    CliError { reason, causes, ..CliError::usage(error.to_string(), hints) }
}
