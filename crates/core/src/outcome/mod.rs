//! The vocabulary of results: what became of a record, a file, a run. Data and arithmetic only.
//!
//! Every record of a file ends in exactly one [`RecordOutcome`], and [`Counts`] add up to the records of the
//! file. Nothing is a pass by default.

mod counts;
mod difference;
mod fault_text;
mod file;
mod group;
mod name;
mod record;
mod run;
mod whole;

pub use counts::Counts;
pub use difference::Difference;
pub use difference::VALUES_OF_GROUP;
pub use file::FileAttempts;
pub use file::{
    Attempt, FileEnd, FileProblem, FileReport, FileStatus, SlowRecord, category_of, subcategory_of,
};
pub use group::common;
pub use group::{FailureGroup, Mark};
pub use group::{GroupBook, append, arrange};
pub use name::{LeftOut, RecordKey, RecordName};
pub use record::bytes;
pub use record::{
    Digest, Excerpt, ExitHow, Failure, FailureDetail, Fault, NotPassed, RecordOutcome, SkipReason,
    UnhashedRows,
};
pub use run::{FlakyResult, RunEnd, RunHeader, RunReport, RunVerdict, Totals};
