//! The results of records, files and runs. Data and arithmetic only.
//!
//! Every record of a file ends in exactly one [`RecordOutcome`], and [`Counts`] add up to the records of the
//! file. Nothing is a pass by default.

mod correction;
mod counts;
mod difference;
mod digest;
mod fault;
mod fault_text;
mod file;
mod group;
mod name;
mod overview;
mod parts;
mod problem;
mod record;
mod run;
mod statement_kind;
mod summary;
mod times;
mod whole;

pub use correction::{Correction, NewLine};
pub use counts::Counts;
pub use difference::{Difference, VALUES_OF_GROUP};
pub use digest::Digest;
pub use fault::{ExitHow, Fault, bytes};
pub use file::{
    Attempt, FileAttempts, FileEnd, FileProblem, FileReport, FileStatus, FlakyResult, MissingRequirement,
    SlowRecord, category_of, subcategory_of,
};
pub(crate) use group::in_groups;
pub use group::{FailureGroup, GroupBook, append, arrange, common};
pub use name::{RecordId, RecordKey, RecordName, RecordRef};
pub use overview::{RunOverview, ToleratedPlace};
pub use parts::{FilePart, FileTimes};
pub use problem::{Excerpt, LabelMismatch, Mismatch, Problem, UnhashedRows};
pub use record::{DetailedFailure, FailingRecord, FailureDetail, RecordOutcome, SkipReason};
pub use run::{RunEnd, RunHeader, RunReport, RunVerdict, Totals};
pub use statement_kind::StatementKind;
pub use summary::FileSummary;
pub use times::{StatementTimes, TimeHistogram};
