//! Asks both children, compares their answers, and chooses the answer for the user.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::answer::Answer;
use super::compare::{AnswerDifference, RowRule, compare, fits};
use super::keep::{self, SavedExample};
use super::order::{RowOrder, order};
use super::pair::{AskLimits, ChildPair, Interrupter, LoadInfo, QueryEnd};
use super::plan::{Comparability, QueryPlan};
use super::process::AskCommand;
use super::reduce;
use super::source::RowSource;
use super::volatile::Dependency;
use super::wire::{AskRequest, EngineName, GivenTable, NamedColumns, RequestRows};
use crate::{HistoryWindow, LoadedTable};
use slt_core::outcome::ExitHow;

/// The maximum number of rows for finding SQLite's choices of order.
const MOST_ROWS: usize = 500_000;
/// With more rows than these a disagreement is not looked into.
const MOST_GIVEN: usize = 200_000;

/// The part of the history that a query reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistorySelection {
    /// The runs.
    pub window: HistoryWindow,
    /// The engine for `test_files`; the default is the engine of the last run.
    pub engine: Option<String>,
}

/// The rows that a query is about.
#[derive(Clone, Copy)]
pub enum QueryTarget<'a> {
    /// The results, which each child loads by itself. The source is read to analyse a disagreement.
    Results(&'a HistorySelection, &'a dyn RowSource),
    /// These rows.
    Rows(&'a [LoadedTable]),
}

/// The effort spent on a disagreement.
#[derive(Debug, Clone, Copy)]
pub struct DisagreementEffort<'a> {
    /// Whether there is a second opinion at all.
    pub check: bool,
    /// The folder that disagreements are kept in.
    pub folder: &'a Path,
    /// How long rows are taken away to make one small.
    pub reducing: Duration,
    /// The time of day, in milliseconds since 1970.
    pub now: i64,
}

/// The answer, with notes about it.
#[derive(Debug)]
pub struct AskResult {
    /// The answer.
    pub answer: Answer,
    /// Whose it is.
    pub from: EngineName,
    /// Why there is no agreement; nothing where both agree, and where nobody has asked for a second opinion.
    pub unconfirmed: Option<Unconfirmed>,
    /// Whether both were asked and agree.
    pub agreed: bool,
    /// The number of runs.
    pub runs: usize,
    /// The number of of that them are loaded.
    pub loaded: usize,
    /// Damaged or unreadable files.
    pub notes: Vec<String>,
    /// Whether files of the store are damaged, so that it should be repaired.
    pub damaged: bool,
}

/// The reason why an answer is unconfirmed.
#[derive(Debug)]
pub enum Unconfirmed {
    /// The answer is SQLite's, and depends on more than the rows.
    OnlySqlite(Dependency),
    /// The answer is VibeSQL's, and SQLite cannot prepare the statement.
    OnlyVibeSql(String),
    /// SQLite fails, and the answer is VibeSQL's.
    SqliteFails(String),
    /// VibeSQL is wrong or fails, and the answer is SQLite's.
    VibeSql {
        /// The kind of fault.
        kind: VibeSqlFault,
        /// The location of the saved test file.
        kept: SavedExample,
    },
}

/// A fault of VibeSQL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VibeSqlFault {
    /// It gives another answer.
    #[error("gives another answer: {0}")]
    Differs(AnswerDifference),
    /// It does not accept the statement.
    #[error("fails: {0}")]
    Refuses(String),
    /// It panics.
    #[error("panics: {0}")]
    Panics(String),
    /// Its process dies.
    #[error("breaks: its process {0}")]
    Dies(ExitHow),
    /// It takes too long.
    #[error("takes longer than {} s", .0.as_secs())]
    TimesOut(Duration),
    /// It takes too much memory.
    #[error("takes more than {} MiB of memory", .0 >> 20)]
    OutOfMemory(u64),
}

impl VibeSqlFault {
    /// Returns whether it is the same thing that goes wrong, perhaps in another number of rows.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Differs(one), Self::Differs(other)) => {
                matches!(one, AnswerDifference::Order) == matches!(other, AnswerDifference::Order)
                    && matches!(one, AnswerDifference::Columns { .. })
                        == matches!(other, AnswerDifference::Columns { .. })
            }
            _ => self.word() == other.word(),
        }
    }

    /// Returns its name.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Differs(AnswerDifference::Order) => "order",
            Self::Differs(_) => "answer",
            Self::Refuses(_) => "error",
            Self::Panics(_) => "panic",
            Self::Dies(_) => "crash",
            Self::TimesOut(_) => "timeout",
            Self::OutOfMemory(_) => "memory",
        }
    }
}

/// A reason for a missing answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The engine fails at the statement.
    #[error("{0}")]
    Sql(String),
    /// The engine does something worse.
    #[error("{} {kind}", name(*.engine))]
    Engine {
        /// The engine.
        engine: EngineName,
        /// The kind of fault.
        kind: VibeSqlFault,
    },
    /// The results cannot be read.
    #[error("the results cannot be read: {0}")]
    Results(String),
    /// A child cannot be started.
    #[error("cannot start a process for the question")]
    Start(#[source] io::Error),
    /// The user does not want it any more.
    #[error("interrupted")]
    Interrupted,
}

fn name(engine: EngineName) -> &'static str {
    match engine {
        EngineName::VibeSql => "VibeSQL",
        EngineName::Sqlite => "SQLite",
    }
}

/// Asks, and keeps the children for the next question.
pub struct Asker {
    pair: ChildPair,
}

impl Asker {
    /// One that starts VibeSQL's children by the first command, and SQLite's by the second.
    pub fn new(command: [AskCommand; 2], limits: AskLimits) -> Self {
        Self { pair: ChildPair::new(command, limits) }
    }

    /// Returns a handle that interrupts a query.
    pub fn interrupter(&self) -> Interrupter {
        self.pair.interrupter()
    }

    /// Asks both engines, or as many as are wanted.
    ///
    /// # Errors
    ///
    /// [`AskError`], if no engine has an answer.
    pub fn ask(
        &mut self,
        plan: &QueryPlan,
        about: QueryTarget<'_>,
        effort: DisagreementEffort<'_>,
    ) -> Result<AskResult, AskError> {
        self.pair.forget_what_came_too_late();
        let rows = match about {
            QueryTarget::Results(reading, source) => RequestRows::Kept {
                state: source.state().map_err(AskError::Results)?,
                wanted: plan.wanted.iter().map(NamedColumns::from).collect(),
                window: reading.window,
                engine: reading.engine.clone(),
            },
            QueryTarget::Rows(tables) => given(tables),
        };
        let request = request(plan, rows);
        if let (true, Comparability::OnlySqlite(on)) = (effort.check, &plan.trust) {
            return self.sqlite_alone(plan, &request, *on);
        }
        let both = effort.check && plan.trust == Comparability::Comparable;
        let [vibesql, sqlite] =
            self.pair.put([Some(&request), both.then_some(&request)], self.pair.limits.timeout)?;
        match (vibesql, sqlite) {
            (Some(QueryEnd::NotLoaded(why)), _) | (_, Some(QueryEnd::NotLoaded(why))) => {
                Err(AskError::Results(why))
            }
            (Some(QueryEnd::Answered { answer, told, .. }), None) => {
                let unconfirmed = match &plan.trust {
                    Comparability::OnlyVibeSql(message) if effort.check => {
                        Some(Unconfirmed::OnlyVibeSql(message.clone()))
                    }
                    _ => None,
                };
                Ok(asked(plan, answer, EngineName::VibeSql, told, unconfirmed))
            }
            (
                Some(QueryEnd::Answered { answer: vibesql, told, .. }),
                Some(QueryEnd::Answered { answer: sqlite, .. }),
            ) => match self.judge(plan, &request.rows, &sqlite, &vibesql)? {
                None => Ok(AskResult { agreed: true, ..asked(plan, sqlite, EngineName::Sqlite, told, None) }),
                Some(difference) => {
                    let kind = VibeSqlFault::Differs(difference);
                    self.disagreement(plan, about, &request.rows, effort, (kind, sqlite, told))
                }
            },
            (Some(QueryEnd::Failed(kind)), Some(QueryEnd::Answered { answer, told, .. })) => {
                self.disagreement(plan, about, &request.rows, effort, (kind, answer, told))
            }
            (Some(QueryEnd::Answered { answer, told, .. }), Some(QueryEnd::Failed(kind))) => {
                let unconfirmed = Unconfirmed::SqliteFails(kind.to_string());
                Ok(asked(plan, answer, EngineName::VibeSql, told, Some(unconfirmed)))
            }
            (Some(QueryEnd::Failed(kind)), None) => match (&plan.trust, kind) {
                // Neither understands it.
                (Comparability::OnlyVibeSql(message), VibeSqlFault::Refuses(_)) => {
                    Err(AskError::Sql(message.clone()))
                }
                (_, kind) => Err(failure(EngineName::VibeSql, kind)),
            },
            (_, Some(QueryEnd::Failed(kind))) => Err(failure(EngineName::Sqlite, kind)),
            (None, _) => Err(AskError::Interrupted),
        }
    }

    /// Asks SQLite, whose dialect it is, and VibeSQL only where SQLite fails.
    fn sqlite_alone(
        &mut self,
        plan: &QueryPlan,
        request: &AskRequest,
        on: Dependency,
    ) -> Result<AskResult, AskError> {
        match self.pair.put([None, Some(request)], self.pair.limits.timeout)? {
            [_, Some(QueryEnd::Answered { answer, told, .. })] => {
                Ok(asked(plan, answer, EngineName::Sqlite, told, Some(Unconfirmed::OnlySqlite(on))))
            }
            [_, Some(QueryEnd::Failed(kind))] => {
                match self.pair.put([Some(request), None], self.pair.limits.timeout)? {
                    [Some(QueryEnd::Answered { answer, told, .. }), _] => {
                        let unconfirmed = Unconfirmed::SqliteFails(kind.to_string());
                        Ok(asked(plan, answer, EngineName::VibeSql, told, Some(unconfirmed)))
                    }
                    _ => Err(failure(EngineName::Sqlite, kind)),
                }
            }
            [_, Some(QueryEnd::NotLoaded(why))] => Err(AskError::Results(why)),
            [_, None] => Err(AskError::Interrupted),
        }
    }

    /// Looks into a disagreement: both are asked once more about the same rows, which must be enough to show it. Then it
    /// is made small, and kept.
    fn disagreement(
        &mut self,
        plan: &QueryPlan,
        about: QueryTarget<'_>,
        rows: &RequestRows,
        effort: DisagreementEffort<'_>,
        (kind, sqlite, told): (VibeSqlFault, Answer, LoadInfo),
    ) -> Result<AskResult, AskError> {
        let shown = |answer, told, kind, kept| {
            let unconfirmed = Some(Unconfirmed::VibeSql { kind, kept });
            Ok(asked(plan, answer, EngineName::Sqlite, told, unconfirmed))
        };
        if let Some(known) = keep::known(effort.folder, plan, &kind) {
            return shown(sqlite, told, kind, SavedExample::In(known));
        }
        let tables = match (about, rows) {
            (QueryTarget::Results(reading, source), RequestRows::Kept { state, .. }) => {
                let loaded = source.load(state, &plan.wanted, reading.window, reading.engine.as_deref());
                loaded.map_err(AskError::Results)?.tables
            }
            (QueryTarget::Rows(tables), _) => tables.to_vec(),
            (QueryTarget::Results(..), RequestRows::Given(_)) => Vec::new(),
        };
        if tables.iter().map(|table| table.rows.len()).sum::<usize>() > MOST_GIVEN {
            return shown(sqlite, told, kind, SavedExample::Not("there are too many rows".to_owned()));
        }
        let mut sqlite = sqlite;
        let mut kind = kind;
        // Reducing a query that hangs or exhausts memory would repeat that each time.
        if matches!(kind, VibeSqlFault::Differs(_) | VibeSqlFault::Refuses(_) | VibeSqlFault::Panics(_)) {
            match self.try_given(plan, &tables, self.pair.limits.timeout)? {
                TryResult::Wrong(again, answer) => (kind, sqlite) = (again, answer),
                TryResult::Right(answer) => {
                    return Ok(AskResult {
                        agreed: true,
                        ..asked(plan, answer, EngineName::Sqlite, told, None)
                    });
                }
                TryResult::Unknown => {}
            }
        }
        let small = reduce::reduce(self, plan, tables, &kind, effort.reducing)?;
        let kept = keep::keep(self, effort, plan, &small, &kind)?;
        shown(sqlite, told, kind, kept)
    }

    /// Asks both about these rows.
    pub(super) fn try_given(
        &mut self,
        plan: &QueryPlan,
        tables: &[LoadedTable],
        limit: Duration,
    ) -> Result<TryResult, AskError> {
        let request = request(plan, given(tables));
        let [vibesql, sqlite] = self.pair.put([Some(&request), Some(&request)], limit)?;
        Ok(match (vibesql, sqlite) {
            (
                Some(QueryEnd::Answered { answer: vibesql, .. }),
                Some(QueryEnd::Answered { answer: sqlite, .. }),
            ) => match self.judge(plan, &request.rows, &sqlite, &vibesql)? {
                Some(difference) => TryResult::Wrong(VibeSqlFault::Differs(difference), named(plan, sqlite)),
                None => TryResult::Right(named(plan, sqlite)),
            },
            (Some(QueryEnd::Failed(kind)), Some(QueryEnd::Answered { answer, .. })) => {
                TryResult::Wrong(kind, named(plan, answer))
            }
            _ => TryResult::Unknown,
        })
    }

    /// Returns the answer of one engine about these rows, if it has one.
    pub(super) fn answer_of(
        &mut self,
        engine: EngineName,
        plan: &QueryPlan,
        tables: &[LoadedTable],
    ) -> Result<Option<Answer>, AskError> {
        let request = request(plan, given(tables));
        let wanted = EngineName::BOTH.map(|name| (name == engine).then_some(&request));
        let ends = self.pair.put(wanted, self.pair.limits.timeout)?;
        Ok(ends.into_iter().flatten().find_map(|end| match end {
            QueryEnd::Answered { answer, .. } => Some(named(plan, answer)),
            QueryEnd::NotLoaded(_) | QueryEnd::Failed(_) => None,
        }))
    }

    pub(super) fn limits(&self) -> AskLimits {
        self.pair.limits
    }

    /// Returns whether VibeSQL's answer is a possible one; where the statement leaves a choice, SQLite says which.
    fn judge(
        &mut self,
        plan: &QueryPlan,
        rows: &RequestRows,
        sqlite: &Answer,
        vibesql: &Answer,
    ) -> Result<Option<AnswerDifference>, AskError> {
        let exactly = compare(sqlite, vibesql, RowRule::Exactly).err();
        if matches!(exactly, None | Some(AnswerDifference::Columns { .. } | AnswerDifference::Count { .. })) {
            return Ok(exactly);
        }
        let width = sqlite.columns.len();
        match order(&plan.sql, &plan.columns) {
            RowOrder::Unclear => Ok(exactly),
            RowOrder::Any => Ok(compare(sqlite, vibesql, RowRule::AnyOrder).err()),
            RowOrder::AnyOf(all) => {
                if compare(sqlite, vibesql, RowRule::AnyOrder).is_ok() {
                    return Ok(None);
                }
                let Some(all) = self.all_rows(plan, rows, all)? else { return Ok(exactly) };
                let rule = RowRule::SomeOf(&all);
                // If not even SQLite's own answer obeys, the rule was misread.
                let usable = fits(&sqlite.rows, width, rule).is_ok();
                Ok(if usable { compare(sqlite, vibesql, rule).err() } else { exactly })
            }
            RowOrder::Sorted { all, keys, offset } => {
                let Some(all) = self.all_rows(plan, rows, all)? else { return Ok(exactly) };
                if keys.iter().any(|key| all.first().is_some_and(|row| key.place >= row.len())) {
                    return Ok(exactly);
                }
                let rule = RowRule::Sorted { all: &all, keys: &keys, offset };
                let usable = fits(&sqlite.rows, width, rule).is_ok();
                Ok(if usable { compare(sqlite, vibesql, rule).err() } else { exactly })
            }
        }
    }

    /// Returns all rows that SQLite has a choice of.
    fn all_rows(
        &mut self,
        plan: &QueryPlan,
        rows: &RequestRows,
        sql: String,
    ) -> Result<Option<Vec<Vec<super::AnswerValue>>>, AskError> {
        let request = AskRequest { sql, at_most: Some(MOST_ROWS), ..request(plan, rows.clone()) };
        Ok(match self.pair.put([None, Some(&request)], self.pair.limits.timeout)? {
            [_, Some(QueryEnd::Answered { answer, stopped: false, .. })] => Some(answer.rows),
            _ => None,
        })
    }
}

/// The result of one try.
pub(super) enum TryResult {
    /// VibeSQL is wrong; SQLite's answer.
    Wrong(VibeSqlFault, Answer),
    /// Both agree.
    Right(Answer),
    /// SQLite has no answer.
    Unknown,
}

fn request(plan: &QueryPlan, rows: RequestRows) -> AskRequest {
    let views = plan.views.iter().map(|view| view.name.to_owned()).collect();
    let width = (!plan.columns.is_empty()).then_some(plan.columns.len());
    AskRequest { sql: plan.sql.clone(), views, rows, width, at_most: None }
}

fn given(tables: &[LoadedTable]) -> RequestRows {
    RequestRows::Given(tables.iter().map(GivenTable::from).collect())
}

/// The columns have SQLite's names, if it knows them.
fn named(plan: &QueryPlan, answer: Answer) -> Answer {
    let columns = if plan.columns.is_empty() { answer.columns } else { plan.columns.clone() };
    Answer { columns, ..answer }
}

fn asked(
    plan: &QueryPlan,
    answer: Answer,
    from: EngineName,
    told: LoadInfo,
    unconfirmed: Option<Unconfirmed>,
) -> AskResult {
    let LoadInfo { runs, loaded, notes, damaged } = told;
    AskResult { answer: named(plan, answer), from, unconfirmed, agreed: false, runs, loaded, notes, damaged }
}

fn failure(engine: EngineName, kind: VibeSqlFault) -> AskError {
    match kind {
        VibeSqlFault::Refuses(message) => AskError::Sql(message),
        kind => AskError::Engine { engine, kind },
    }
}
