//! The vocabulary of results: what became of a record, a file, a run. Data and arithmetic only.
//!
//! Every record of a file ends in exactly one [`RecordOutcome`], and [`Counts`] add up to the records of the
//! file. Nothing is a pass by default.

mod counts;
mod file;
mod record;
mod run;

pub use counts::Counts;
pub use file::{FileEnd, FileProblem, FileReport, FileStatus, category_of};
pub use record::{
    Digest, Excerpt, ExitHow, Failure, FailureDetail, Fault, NotPassed, RecordOutcome, SkipReason,
    UnhashedRows,
};
pub use run::{RunEnd, RunHeader, RunReport, Totals};
