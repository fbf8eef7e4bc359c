//! Parses SQLLogicTest files to records that borrow from the text.
//!
//! The parser never fails and never uses an engine: the defect of a record is part of the record, and every byte of the
//! file belongs to exactly one item, so that a file can be written back unchanged.
//!
//! ```
//! use slt_core::location::Source;
//! use slt_core::parser::{SQLITE, parse};
//!
//! let source = Source::new("one.test", "query I nosort\nSELECT 1\n----\n1\n");
//! let script = parse(&source, &SQLITE);
//! assert_eq!(script.total(), 1);
//! assert_eq!(script.unparse(), source.bytes());
//! ```

mod condition;
mod dialect;
mod error;
mod grammar;
mod header;
mod lines;
mod record;
#[cfg(test)]
mod tests;

pub use condition::{Condition, ConditionKind, first_refusal};
pub use dialect::{
    DIALECTS, LabelLimits, Matcher, Presentation, Profile, Renderer, SQLITE, SQLITE_EXACT, StepError,
    UnknownDialect, choose, profile,
};
pub use error::{Lint, LintKind, ParseError, ParseErrorKind};
pub use grammar::parse;
pub use record::{
    Block, Control, Defect, DefectEffect, ErrorPattern, HashLine, Item, Query, QueryExpectation, Record,
    RecordKind, Script, SortMode, Sql, Statement, StatementExpectation,
};
