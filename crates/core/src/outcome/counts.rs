//! The numbers of records by outcome.

use std::ops::AddAssign;

use super::problem::Problem;
use super::record::RecordOutcome;

/// The counts of a file or a run, in records.
///
/// The law: `total` and `skipped_besides` together equal the sum of the outcomes
/// (`passed`, `failed`, `skipped`, `unsupported`, `timed_out`, `malformed`, `not_reached`, `faulted`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Statements, queries and malformed records.
    pub total: u64,
    /// Records whose SQL the engine executed; "tests" of the SQLite runner.
    pub executed: u64,
    /// Expectation met.
    pub passed: u64,
    /// Expectation not met.
    pub failed: u64,
    /// Left out by a condition, counted as the SQLite runner does: control records with a condition count.
    pub skipped: u64,
    /// The part of `skipped` that is not in `total` or has another outcome besides: control records, and
    /// skipped queries that failed because their expectation contradicts their label.
    pub skipped_besides: u64,
    /// Refused by the engine's adapter.
    pub unsupported: u64,
    /// Over their time limit.
    pub timed_out: u64,
    /// Wrong in their text.
    pub malformed: u64,
    /// Behind the end of the file's execution.
    pub not_reached: u64,
    /// Lost to a fault of engine or runner.
    pub faulted: u64,
}

impl Counts {
    /// The number of counts.
    pub const FIELDS: usize = 11;

    /// Returns whether the outcomes add up to the records.
    pub fn add_up(&self) -> bool {
        self.total + self.skipped_besides == self.sum_of_outcomes()
    }

    fn sum_of_outcomes(&self) -> u64 {
        self.passed
            + self.failed
            + self.skipped
            + self.unsupported
            + self.timed_out
            + self.malformed
            + self.not_reached
            + self.faulted
    }

    /// Counts a record with this outcome, and whether the engine executed its SQL.
    pub fn count(&mut self, outcome: &RecordOutcome, executed: bool) {
        self.total += 1;
        self.executed += u64::from(executed);
        *match outcome {
            RecordOutcome::Passed => &mut self.passed,
            RecordOutcome::Skipped(_) => &mut self.skipped,
            RecordOutcome::NotReached => &mut self.not_reached,
            RecordOutcome::Failed(problem) => match problem {
                Problem::Mismatch(_)
                | Problem::UnexpectedError { .. }
                | Problem::UnexpectedSuccess
                | Problem::Reported(_) => &mut self.failed,
                Problem::Malformed { .. } => &mut self.malformed,
                Problem::Unsupported(_) | Problem::NotAllowed(_) => &mut self.unsupported,
                Problem::TimedOut { .. } => &mut self.timed_out,
                Problem::Fault(_) => &mut self.faulted,
            },
        } += 1;
    }

    /// Returns the counts in the order of their declaration.
    pub fn fields_mut(&mut self) -> [&mut u64; Self::FIELDS] {
        let Self {
            total,
            executed,
            passed,
            failed,
            skipped,
            skipped_besides,
            unsupported,
            timed_out,
            malformed,
            not_reached,
            faulted,
        } = self;
        [
            total,
            executed,
            passed,
            failed,
            skipped,
            skipped_besides,
            unsupported,
            timed_out,
            malformed,
            not_reached,
            faulted,
        ]
    }

    /// Returns the counts in the order of their declaration.
    pub fn fields(mut self) -> [u64; Self::FIELDS] {
        self.fields_mut().map(|count| *count)
    }

    /// Returns the number of failing records.
    pub fn not_passed(&self) -> u64 {
        self.failed + self.unsupported + self.timed_out + self.malformed + self.faulted
    }

    /// Returns the share of passed records, between 0 and 1; `None` without records. Skipped records are excluded,
    /// unreached ones are not.
    pub fn pass_rate(&self) -> Option<f64> {
        let wanted = self.passed + self.not_passed() + self.not_reached;
        (wanted > 0).then(|| self.passed as f64 / wanted as f64)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, mut other: Self) {
        for (own, others) in self.fields_mut().into_iter().zip(other.fields_mut()) {
            *own += *others;
        }
    }
}
