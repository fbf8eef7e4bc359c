//! Executes records and judges their results.

mod database;
mod output;

mod compare;
mod display;
mod error;
mod partitioner;

mod apply;
mod files;
mod judge;
mod parallel;
mod shell;
mod test_runner;
mod update;
mod variables;

pub use compare::{
    ColumnTypeValidator, Normalizer, Validator, default_column_validator, default_normalizer,
    default_validator, strict_column_validator,
};
pub use database::{AsyncDB, DB, DBOutput};
pub use display::{ParallelTestErrorDisplay, TestErrorDisplay, TestErrorKindDisplay};
pub use error::{ParallelTestError, RecordKind, TestError, TestErrorKind};
pub use output::{LetError, RecordOutput};
pub use partitioner::{Partitioner, default_partitioner};
pub use test_runner::Runner;
pub use update::update_record_with_output;
