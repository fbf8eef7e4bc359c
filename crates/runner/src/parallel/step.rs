//! Executing a file step by step: the orders of the main process, the answers of the worker, and the worker's side.
//!
//! The worker writes [`PausePoint`] when it pauses, reads one [`StepOrder`] from its standard input, answers it, and
//! pauses again. The main process is in [`super::stepping`].

use std::sync::mpsc::Receiver;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::wire::WorkerMessage;
use super::worker::WorkerError;
use crate::clock;
use crate::wire::{FileEndForm, Maybe, ProblemForm, RecordIdForm, RemoteForm as _, SqlErrorForm};
use slt_core::engine::{Flow, RowSink, SqlError};
use slt_core::executor::{PauseEnd, PausedFile, Stepper};
use slt_core::location::text_of;
use slt_core::outcome::{FileEnd, Problem, RecordId, RecordOutcome, SkipReason};
use slt_core::value::{Column, TypeTag, ValueRef};

/// An order to a paused worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum StepOrder {
    /// Execute and judge the record, and pause before the next one.
    Next,
    /// Execute and judge the record, and pause before it again.
    Try,
    /// Execute SQL in the session.
    Execute {
        /// The SQL.
        sql: String,
        /// The maximum number of rows to return for each statement; all are counted.
        most_rows: usize,
    },
    /// End the file.
    Leave,
}

/// The place where a file has paused.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PausePoint {
    /// The record before which it has paused; `None` at the end of the file.
    #[serde(with = "Maybe::<RecordIdForm>")]
    pub place: Option<RecordId>,
    /// The record as it stands in its file.
    pub text: String,
    /// Its SQL with the variables replaced, if it contains any.
    pub replaced_sql: Option<String>,
    /// The connection that executes it, unless it is the default one.
    pub connection: Option<String>,
    /// Whether it is a query whose result is judged.
    pub is_query: bool,
    /// The end of the file; [`FileEnd::Completed`] if it has not ended early.
    #[serde(with = "FileEndForm")]
    pub end: FileEnd,
}

/// The outcome of a record that was executed as a step. Its failure is a message of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepVerdict {
    /// It has passed.
    Passed,
    /// A `skipif`, `onlyif` or `continue` skips it.
    SkippedByCondition,
    /// The file requires something that is missing.
    SkippedByRequirement,
    /// A `mode skip` skips it.
    SkippedByMode,
    /// The file ended before it.
    NotReached,
    /// It has not passed.
    Failed,
}

impl From<&RecordOutcome> for StepVerdict {
    fn from(outcome: &RecordOutcome) -> Self {
        match outcome {
            RecordOutcome::Passed => Self::Passed,
            RecordOutcome::Skipped(SkipReason::Condition | SkipReason::LeftOut) => Self::SkippedByCondition,
            RecordOutcome::Skipped(SkipReason::Requirement) => Self::SkippedByRequirement,
            RecordOutcome::Skipped(SkipReason::Mode) => Self::SkippedByMode,
            RecordOutcome::NotReached => Self::NotReached,
            RecordOutcome::Failed(_) => Self::Failed,
        }
    }
}

/// The results of SQL that was executed in the session.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SessionAnswer {
    /// The statements that have been executed, in order. The last one may have failed between its rows.
    pub statements: Vec<StatementAnswer>,
    /// The error that ended the execution.
    #[serde(with = "Maybe::<SqlErrorForm>")]
    pub error: Option<SqlError>,
    /// The reason for SQL without a result: refused by the adapter, out of time, or a lost session.
    #[serde(with = "Maybe::<ProblemForm>")]
    pub problem: Option<Problem>,
    /// The duration of the execution.
    pub elapsed: Duration,
}

/// The result of one statement.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct StatementAnswer {
    /// The names and types of the columns, empty where unknown; no columns without a result.
    pub columns: Vec<(String, String)>,
    /// The first rows; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// The number of all rows.
    pub count: u64,
    /// The number of changed rows, if the engine counts them.
    pub affected: Option<u64>,
}

/// Collects the results of SQL.
struct AnswerSink {
    most_rows: usize,
    statements: Vec<StatementAnswer>,
    /// Whether the last statement has not ended.
    is_open: bool,
}

impl AnswerSink {
    fn open(&mut self) -> &mut StatementAnswer {
        if !std::mem::replace(&mut self.is_open, true) {
            self.statements.push(StatementAnswer::default());
        }
        // One was added if there was none.
        let last = self.statements.len() - 1;
        &mut self.statements[last]
    }
}

impl RowSink for AnswerSink {
    fn wants_names(&self) -> bool {
        true
    }

    fn columns(&mut self, columns: &[Column<'_>]) -> Flow {
        let named = |column: &Column<'_>| {
            (column.name.unwrap_or_default().to_owned(), type_name(column.type_tag).to_owned())
        };
        self.open().columns = columns.iter().map(named).collect();
        Flow::Continue
    }

    fn row(&mut self, values: &[ValueRef<'_>]) -> Flow {
        let most_rows = self.most_rows;
        let statement = self.open();
        statement.columns.resize(values.len().max(statement.columns.len()), Default::default());
        statement.count += 1;
        if statement.rows.len() < most_rows {
            statement.rows.push(values.iter().map(value_text).collect());
        }
        Flow::Continue
    }

    fn done(&mut self, affected: Option<u64>) -> Flow {
        self.open().affected = affected;
        self.is_open = false;
        Flow::Continue
    }
}

/// Returns the name of a type; empty if it is unknown.
fn type_name(tag: TypeTag) -> &'static str {
    match tag {
        TypeTag::Unknown | TypeTag::Other => "",
        TypeTag::Integer => "integer",
        TypeTag::Real => "real",
        TypeTag::Text => "text",
        TypeTag::Blob => "blob",
        TypeTag::Boolean => "boolean",
    }
}

/// Returns a value as text; `None` for NULL.
fn value_text(value: &ValueRef<'_>) -> Option<String> {
    Some(match value {
        ValueRef::Null => return None,
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::RealText(text) | ValueRef::Decimal(text) | ValueRef::Other(text) => (*text).to_owned(),
        ValueRef::Text(bytes) => text_of(bytes),
        ValueRef::Blob(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("x'{digits}'")
        }
        ValueRef::Boolean(value) => value.to_string(),
    })
}

/// Sends a message to the main process.
type Say<'s> = dyn Fn(&WorkerMessage<'_>) -> Result<(), WorkerError> + 's;

/// Steps as the main process says.
pub(super) struct OrderedStepper<'s> {
    task: usize,
    /// The record before which it pauses first; `None` for the end of the file.
    target: Option<RecordId>,
    /// Whether it was reached.
    has_paused: bool,
    /// Whether a record is being executed whose outcome was ordered. Those behind the end of the file were not.
    expects_outcome: bool,
    orders: &'s Receiver<Vec<u8>>,
    say: &'s Say<'s>,
    /// The time at which the last record was started.
    started: Duration,
    /// The error of the first message that could not be sent.
    pub(super) failed: Option<WorkerError>,
}

impl<'s> OrderedStepper<'s> {
    pub(super) fn new(
        task: usize,
        target: Option<RecordId>,
        orders: &'s Receiver<Vec<u8>>,
        say: &'s Say<'s>,
    ) -> Self {
        let started = clock::now();
        Self { task, target, has_paused: false, expects_outcome: false, orders, say, started, failed: None }
    }

    fn send(&mut self, message: &WorkerMessage<'_>) {
        if self.failed.is_none() {
            self.failed = (self.say)(message).err();
        }
    }

    /// Whether this is the record before which it pauses first. A target without an iteration is in all of them.
    fn is_target(&self, place: &RecordId) -> bool {
        self.target.as_ref().is_some_and(|target| {
            let same = target.source == place.source && target.line == place.line;
            same && (target.iteration.is_none() || target.iteration == place.iteration)
        })
    }

    /// Waits for an order. Without a main process, this process is about to be killed.
    fn order(&self) -> StepOrder {
        let line = self.orders.recv().unwrap_or_default();
        serde_json::from_slice(&line).unwrap_or(StepOrder::Leave)
    }

    fn execute(&mut self, file: &mut PausedFile<'_, '_>, sql: &str, most_rows: usize) {
        let mut sink = AnswerSink { most_rows, statements: Vec::new(), is_open: false };
        let start = clock::now();
        let done = file.execute(sql.as_bytes(), &mut sink);
        let elapsed = clock::now().saturating_sub(start);
        let (error, problem) = match done {
            Ok(Ok(())) => (None, None),
            Ok(Err(error)) | Err(Problem::UnexpectedError { error, .. }) => (Some(error), None),
            Err(problem) => (None, Some(problem)),
        };
        let answer = SessionAnswer { statements: sink.statements, error, problem, elapsed };
        self.send(&WorkerMessage::Answered { task: self.task, answer: Box::new(answer) });
    }
}

impl Stepper for OrderedStepper<'_> {
    fn pause(&mut self, file: &mut PausedFile<'_, '_>) -> PauseEnd {
        let place = file.place();
        if !self.has_paused && place.as_ref().is_some_and(|place| !self.is_target(place)) {
            return PauseEnd::GoOn;
        }
        self.has_paused = true;
        loop {
            let point = PausePoint {
                place: place.clone(),
                text: text_of(file.text()),
                replaced_sql: file.replaced_sql(),
                connection: file.connection(),
                is_query: file.is_query(),
                end: file.end().clone(),
            };
            self.send(&WorkerMessage::Paused { task: self.task, point: Box::new(point) });
            let order = if self.failed.is_some() { StepOrder::Leave } else { self.order() };
            self.started = clock::now();
            match order {
                StepOrder::Next if place.is_some() => {
                    self.expects_outcome = true;
                    return PauseEnd::GoOn;
                }
                StepOrder::Next => {}
                StepOrder::Leave => return PauseEnd::Leave,
                StepOrder::Execute { sql, most_rows } => self.execute(file, &sql, most_rows),
                StepOrder::Try => {
                    if let Some(outcome) = file.try_record() {
                        self.expects_outcome = true;
                        self.settled(&outcome);
                    }
                }
            }
        }
    }

    fn settled(&mut self, outcome: &RecordOutcome) {
        if std::mem::take(&mut self.expects_outcome) {
            let elapsed = clock::now().saturating_sub(self.started);
            self.send(&WorkerMessage::Settled { task: self.task, verdict: outcome.into(), elapsed });
        }
    }
}
