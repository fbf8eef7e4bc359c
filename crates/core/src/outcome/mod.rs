//! The vocabulary of results: what became of a record, a file, a run. Data and arithmetic only.
//!
//! Every record of a file ends in exactly one [`RecordOutcome`], and [`Counts`] add up to the records of the
//! file. Nothing is a pass by default.

mod counts;
mod difference;
mod digest;
mod fault;
mod fault_text;
mod file;
mod group;
mod name;
mod problem;
mod record;
mod run;
mod summary;
mod whole;

pub use counts::Counts;
pub use difference::Difference;
pub use difference::VALUES_OF_GROUP;
pub use digest::Digest;
pub use fault::bytes;
pub use fault::{ExitHow, Fault};
pub use file::FileAttempts;
pub use file::{
    Attempt, FileEnd, FileProblem, FileReport, FileStatus, SlowRecord, category_of, subcategory_of,
};
pub use group::common;
pub use group::{FailureGroup, GroupBook, append, arrange};
pub use name::{LeftOut, RecordId, RecordKey, RecordName};
pub use problem::{Excerpt, LabelMismatch, Mismatch, Problem, UnhashedRows};
pub use record::{DetailedFailure, FailingRecord, FailureDetail, RecordOutcome, SkipReason};
pub use run::{FlakyResult, RunEnd, RunHeader, RunReport, RunVerdict, Totals};
pub use summary::{FailureSummary, FileSummary};
