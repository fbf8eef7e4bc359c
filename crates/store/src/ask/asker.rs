//! Asks both children, compares their answers, and chooses the answer for the user.

use std::path::Path;
use std::time::Duration;

use super::answer::Answer;
use super::compare::{AnswerDifference, RowRule, compare, fits};
use super::error::{AskError, VibeSqlFault};
use super::order::{RowOrder, order};
use super::pair::{AskLimits, ChildAnswer, ChildPair, Interrupter};
use super::plan::{Comparability, QueryPlan};
use super::process::AskCommand;
use super::reduce::reduce;
use super::save::{self, SavedExample};
use super::source::{HistorySelection, RowSource};
use super::volatile::Dependency;
use super::wire::{AskRequest, EngineName, LoadInfo, RequestRows};
use crate::{Cell, LoadedTable};

/// The maximum number of rows for finding SQLite's choices of order.
const MOST_ROWS: usize = 500_000;
/// The maximum number of rows for analysing a disagreement.
const MOST_GIVEN: usize = 200_000;
/// The maximum duration of a try with fewer rows.
const LONGEST_TRY: Duration = Duration::from_secs(2);

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
    /// Whether SQLite gives a second opinion.
    pub check: bool,
    /// The folder for saved disagreements.
    pub folder: &'a Path,
    /// The time for removing rows from a disagreement.
    pub reducing: Duration,
    /// The time of day, in milliseconds since 1970.
    pub now: i64,
}

/// The answer, with notes about it.
#[derive(Debug)]
pub struct AskResult {
    /// The answer.
    pub answer: Answer,
    /// The engine that gave it.
    pub from: EngineName,
    /// The reason for a missing agreement; `None` if both agree, or no second opinion was requested.
    pub unconfirmed: Option<Unconfirmed>,
    /// Whether both engines answered and agree.
    pub agreed: bool,
    /// The number of runs.
    pub runs: usize,
    /// The number of loaded runs.
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

/// Asks the engines, and keeps their child processes for the next query.
pub struct Asker {
    pair: ChildPair,
}

impl Asker {
    /// Creates an asker that starts VibeSQL's children by the first command, and SQLite's by the second.
    pub fn new(command: [AskCommand; 2], limits: AskLimits) -> Self {
        Self { pair: ChildPair::new(command, limits) }
    }

    /// Returns a handle that interrupts a query.
    pub fn interrupter(&self) -> Interrupter {
        self.pair.interrupter()
    }

    /// Asks both engines, or one if that is enough.
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
        self.pair.discard_old_events();
        let rows = match about {
            QueryTarget::Results(selection, source) => RequestRows::Kept {
                state: source.state().map_err(AskError::Results)?,
                selection: selection.clone(),
                wanted: plan.wanted.clone(),
            },
            QueryTarget::Rows(tables) => RequestRows::Given(tables.to_vec()),
        };
        let request = request(plan, rows);
        if let (true, Comparability::OnlySqlite(on)) = (effort.check, &plan.trust) {
            return self.sqlite_alone(plan, &request, *on);
        }
        let both = effort.check && plan.trust == Comparability::Comparable;
        let ends = self.put([Some(&request), both.then_some(&request)])?;
        match ends {
            [Some(Ok(vibesql)), None] => {
                let unconfirmed = match &plan.trust {
                    Comparability::OnlyVibeSql(message) if effort.check => {
                        Some(Unconfirmed::OnlyVibeSql(message.clone()))
                    }
                    _ => None,
                };
                Ok(asked(plan, vibesql, EngineName::VibeSql, unconfirmed))
            }
            [Some(Ok(vibesql)), Some(Ok(sqlite))] => {
                let difference = self.judge(plan, &request.rows, &sqlite.answer, &vibesql.answer)?;
                let sqlite = ChildAnswer { history: vibesql.history, ..sqlite };
                match difference {
                    None => Ok(agreed(plan, sqlite)),
                    Some(difference) => {
                        let kind = VibeSqlFault::Differs(difference);
                        self.disagreement(plan, about, &request.rows, effort, kind, sqlite)
                    }
                }
            }
            [Some(Err(kind)), Some(Ok(sqlite))] => {
                self.disagreement(plan, about, &request.rows, effort, kind, sqlite)
            }
            [Some(Ok(vibesql)), Some(Err(kind))] => {
                let unconfirmed = Unconfirmed::SqliteFails(kind.to_string());
                Ok(asked(plan, vibesql, EngineName::VibeSql, Some(unconfirmed)))
            }
            [Some(Err(kind)), None] => match (&plan.trust, kind) {
                // Both reject it.
                (Comparability::OnlyVibeSql(message), VibeSqlFault::Refuses(_)) => {
                    Err(AskError::Sql(message.clone()))
                }
                (_, kind) => Err(AskError::from_fault(EngineName::VibeSql, kind)),
            },
            [_, Some(Err(kind))] => Err(AskError::from_fault(EngineName::Sqlite, kind)),
            [None, _] => Err(AskError::Interrupted),
        }
    }

    fn put(
        &mut self,
        requests: [Option<&AskRequest>; 2],
    ) -> Result<[Option<Result<ChildAnswer, VibeSqlFault>>; 2], AskError> {
        self.pair.put(requests, self.pair.limits.timeout)
    }

    /// Asks SQLite, whose dialect the statement has, and VibeSQL only if SQLite fails.
    fn sqlite_alone(
        &mut self,
        plan: &QueryPlan,
        request: &AskRequest,
        on: Dependency,
    ) -> Result<AskResult, AskError> {
        let kind = match self.put([None, Some(request)])? {
            [_, Some(Ok(sqlite))] => {
                return Ok(asked(plan, sqlite, EngineName::Sqlite, Some(Unconfirmed::OnlySqlite(on))));
            }
            [_, Some(Err(kind))] => kind,
            [_, None] => return Err(AskError::Interrupted),
        };
        match self.put([Some(request), None])? {
            [Some(Ok(vibesql)), _] => {
                let unconfirmed = Unconfirmed::SqliteFails(kind.to_string());
                Ok(asked(plan, vibesql, EngineName::VibeSql, Some(unconfirmed)))
            }
            _ => Err(AskError::from_fault(EngineName::Sqlite, kind)),
        }
    }

    /// Analyses a disagreement: asks both once more about the same rows, which must be enough to show it, then reduces
    /// and saves it.
    fn disagreement(
        &mut self,
        plan: &QueryPlan,
        about: QueryTarget<'_>,
        rows: &RequestRows,
        effort: DisagreementEffort<'_>,
        mut kind: VibeSqlFault,
        mut sqlite: ChildAnswer,
    ) -> Result<AskResult, AskError> {
        let shown = |sqlite, kind, kept| {
            let unconfirmed = Some(Unconfirmed::VibeSql { kind, kept });
            Ok(asked(plan, sqlite, EngineName::Sqlite, unconfirmed))
        };
        if let Some(known) = save::saved(effort.folder, plan, &kind) {
            return shown(sqlite, kind, SavedExample::In(known));
        }
        let tables = match (about, rows) {
            (QueryTarget::Results(selection, source), RequestRows::Kept { state, .. }) => {
                source.load(state, &plan.wanted, selection).map_err(AskError::Results)?.tables
            }
            (QueryTarget::Rows(tables), _) => tables.to_vec(),
            (QueryTarget::Results(..), RequestRows::Given(_)) => Vec::new(),
        };
        if tables.iter().map(|table| table.rows.len()).sum::<usize>() > MOST_GIVEN {
            return shown(sqlite, kind, SavedExample::Not("there are too many rows".to_owned()));
        }
        // Reducing a query that hangs or exhausts memory would repeat that each time.
        if matches!(kind, VibeSqlFault::Differs(_) | VibeSqlFault::Refuses(_) | VibeSqlFault::Panics(_))
            && let Some((again, answer)) = self.try_given(plan, &tables, self.pair.limits.timeout)?
        {
            sqlite.answer = answer;
            match again {
                Some(again) => kind = again,
                None => return Ok(agreed(plan, sqlite)),
            }
        }
        let limit = LONGEST_TRY.min(self.pair.limits.timeout);
        let small = reduce(tables, &kind, effort.reducing, |tables| {
            let tried = self.try_given(plan, tables, limit)?;
            Ok(tried.and_then(|(found, _)| found).is_some_and(|found| found.is_like(&kind)))
        })?;
        let answer = |engine| self.answer_of(engine, plan, &small);
        let kept = save::save(effort.folder, effort.now, plan, &small, &kind, answer)?;
        shown(sqlite, kind, kept)
    }

    /// Asks both about these rows; returns VibeSQL's fault and SQLite's answer, or `None` if SQLite has no answer.
    fn try_given(
        &mut self,
        plan: &QueryPlan,
        tables: &[LoadedTable],
        limit: Duration,
    ) -> Result<Option<(Option<VibeSqlFault>, Answer)>, AskError> {
        let request = request(plan, RequestRows::Given(tables.to_vec()));
        Ok(match self.pair.put([Some(&request), Some(&request)], limit)? {
            [Some(Ok(vibesql)), Some(Ok(sqlite))] => {
                let difference = self.judge(plan, &request.rows, &sqlite.answer, &vibesql.answer)?;
                Some((difference.map(VibeSqlFault::Differs), sqlite.answer))
            }
            [Some(Err(kind)), Some(Ok(sqlite))] => Some((Some(kind), sqlite.answer)),
            _ => None,
        })
    }

    /// Returns the answer of one engine about these rows, if it has one.
    fn answer_of(
        &mut self,
        engine: EngineName,
        plan: &QueryPlan,
        tables: &[LoadedTable],
    ) -> Result<Option<Answer>, AskError> {
        let request = request(plan, RequestRows::Given(tables.to_vec()));
        let ends = self.put(EngineName::BOTH.map(|name| (name == engine).then_some(&request)))?;
        let answer = ends.into_iter().flatten().find_map(Result::ok);
        Ok(answer.map(|found| named(plan, found.answer)))
    }

    /// Compares the answers. If the statement allows several answers, SQLite determines them.
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
        let order = order(&plan.sql, &plan.columns);
        let sql = match &order {
            RowOrder::Unclear => return Ok(exactly),
            RowOrder::Any => return Ok(compare(sqlite, vibesql, RowRule::AnyOrder).err()),
            RowOrder::AnyOf(_) if compare(sqlite, vibesql, RowRule::AnyOrder).is_ok() => return Ok(None),
            RowOrder::AnyOf(all) | RowOrder::Sorted { all, .. } => all.clone(),
        };
        let Some(all) = self.all_rows(plan, rows, sql)? else { return Ok(exactly) };
        let rule = match &order {
            RowOrder::Sorted { keys, offset, .. } => {
                if keys.iter().any(|key| all.first().is_some_and(|row| key.place >= row.len())) {
                    return Ok(exactly);
                }
                RowRule::Sorted { all: &all, keys, offset: *offset }
            }
            _ => RowRule::SomeOf(&all),
        };
        // If not even SQLite's own answer obeys, the rule was misread.
        let is_usable = fits(&sqlite.rows, sqlite.columns.len(), rule).is_ok();
        Ok(if is_usable { compare(sqlite, vibesql, rule).err() } else { exactly })
    }

    /// Returns all rows that SQLite chooses from.
    fn all_rows(
        &mut self,
        plan: &QueryPlan,
        rows: &RequestRows,
        sql: String,
    ) -> Result<Option<Vec<Vec<Cell>>>, AskError> {
        let request = AskRequest { sql, at_most: Some(MOST_ROWS), ..request(plan, rows.clone()) };
        Ok(match self.put([None, Some(&request)])? {
            [_, Some(Ok(ChildAnswer { answer, stopped: false, .. }))] => Some(answer.rows),
            _ => None,
        })
    }
}

fn request(plan: &QueryPlan, rows: RequestRows) -> AskRequest {
    let views = plan.views.iter().map(|view| view.name.to_owned()).collect();
    let width = (!plan.columns.is_empty()).then_some(plan.columns.len());
    AskRequest { sql: plan.sql.clone(), views, rows, width, at_most: None }
}

/// Names the columns as SQLite does, if it knows the names.
fn named(plan: &QueryPlan, answer: Answer) -> Answer {
    let columns = if plan.columns.is_empty() { answer.columns } else { plan.columns.clone() };
    Answer { columns, ..answer }
}

fn agreed(plan: &QueryPlan, sqlite: ChildAnswer) -> AskResult {
    AskResult { agreed: true, ..asked(plan, sqlite, EngineName::Sqlite, None) }
}

fn asked(
    plan: &QueryPlan,
    found: ChildAnswer,
    from: EngineName,
    unconfirmed: Option<Unconfirmed>,
) -> AskResult {
    let LoadInfo { runs, loaded, notes, damaged } = found.history;
    let answer = named(plan, found.answer);
    AskResult { answer, from, unconfirmed, agreed: false, runs, loaded, notes, damaged }
}
