//! Records of test files.

mod convert;
mod defect;
mod error;
mod expected_error;
mod location;
mod read;
mod record;
mod unparse;

pub use error::{ParseError, ParseErrorKind};
pub use expected_error::ExpectedError;
pub use location::Location;
pub use read::{parse, parse_file, parse_with_name};
pub use record::{
    Condition, Connection, Control, Injected, QueryExpect, Record, ResultMode, RetryConfig, SortMode,
    StatementExpect,
};
