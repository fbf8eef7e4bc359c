//! One step of a program.

use crate::outcome::RecordRef;
use crate::parser::Record;

/// One record with its role.
pub(super) struct Step<'r> {
    pub(super) record: &'r Record<'r>,
    pub(super) role: StepRole,
}

/// The part that a record plays in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StepRole {
    /// It is executed and has an outcome.
    Judged,
    /// The user left it out: it is skipped.
    LeftOut(RecordRef),
    /// Executed for the judged record. Its failures are kept, but not counted.
    SetUp,
    /// It is executed, and another slice has its outcome.
    Replayed,
}
