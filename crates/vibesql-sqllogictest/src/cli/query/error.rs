//! What is wrong with a question, and the way out.

use crate::cli::error::{CliError, ExitReason};
use slt_store::ask::views::VIEWS;
use slt_store::ask::{AskError, EngineName, PlanError, UnknownName, VibeSqlFault, columns_of};
use slt_store::schema::TABLES;

/// Where the user types, which decides what a hint tells to type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum TypedIn {
    /// At the prompt of the system, or in a script.
    CommandLine,
    /// In the shell of `query`.
    Shell,
}

impl TypedIn {
    /// How to get at a command of the shell.
    fn command(self, command: &str) -> String {
        match self {
            Self::CommandLine => format!("`{command}` in the shell (`query` without SQL)"),
            Self::Shell => format!("`{command}`"),
        }
    }
}

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

pub(super) fn wrong(error: &PlanError, typed_in: TypedIn) -> CliError {
    let hint = match error {
        PlanError::Nothing => "write for instance `SELECT * FROM test_runs`, or ask by --preset".to_owned(),
        PlanError::Several => {
            "write one statement for each `query`; its shell (`query` without SQL) takes several on a line"
                .to_owned()
        }
        PlanError::Writes => "`run` makes results, and `prune` removes old ones".to_owned(),
        PlanError::Sql { unknown: Some(UnknownName::Table(name)), .. } => match nearest(name, tables()) {
            Some(nearest) => {
                format!("did you mean `{nearest}`? {} lists all", typed_in.command(".tables"))
            }
            None => format!("{} lists tables and views", typed_in.command(".tables")),
        },
        PlanError::Sql { unknown: Some(UnknownName::Column(name)), .. } => {
            let column = name.rsplit('.').next().unwrap_or(name);
            match nearest(column, columns()) {
                Some(nearest) => {
                    format!("did you mean `{nearest}`? {} lists all columns", typed_in.command(".schema"))
                }
                None => format!("{} has the columns of a table", typed_in.command(".schema TABLE")),
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

pub(super) fn unanswered(error: &AskError, typed_in: TypedIn, is_checked: bool) -> CliError {
    let in_shell = typed_in == TypedIn::Shell;
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
