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

mod blocks;
mod condition;
mod control;
mod dialect;
mod error;
mod format;
mod grammar;
mod header;
mod include;
mod lines;
mod lint;
mod places;
mod record;
#[cfg(test)]
mod tests;
mod text;
mod usual;

pub(crate) use blocks::retry_of;
pub use condition::{Comparison, ComparisonOperator, Condition, ConditionKind, first_refusal};
pub use control::{Control, Loop, LoopValues, Requirement};
pub use dialect::{
    COCKROACH, COCKROACH_EXACT, ChosenDialect, ColumnRule, DIALECTS, DUCKDB, DUCKDB_EXACT, DialectError,
    DialectEvidence, DialectReason, DialectRequest, IncludeRule, LabelLimits, MATERIALIZE, MATERIALIZE_EXACT,
    Matcher, Presentation, Profile, RS, RS_EXACT, Renderer, RequestOrigin, SQLITE, SQLITE_EXACT, StepError,
    UnknownDialect, VIBESQL, VIBESQL_EXACT, VariableSyntax, begins_record, choose, profile,
};
pub use error::{Lint, LintKind, ParseError, ParseErrorKind};
pub use format::format_script;
pub use grammar::parse;
pub use include::{IncludeError, IncludeFinder, SourceTree};
pub use lint::{LintFinding, LintLevel, LintRule, defect_codes, explain_defect, find_lints};
pub use places::{RecordPlaces, ResultPlaces};
pub use record::{
    ConnectionName, DatabaseAction, Defect, DefectEffect, ErrorPattern, IncludedScripts, Item, Layout, Let,
    MissingAbility, Query, QueryExpectation, Record, RecordKind, RecordOptions, Retry, RetryRule, Script,
    SortMode, Statement, StatementExpectation, System,
};
pub use text::{Block, HashLine, Sql};
