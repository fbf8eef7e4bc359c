//! Queries in SQL over the results, answered by VibeSQL and, as a second opinion, by SQLite.
//!
//! [`plan`](fn@plan) finds the columns that a statement may read. Two child processes, one for each engine, load only
//! these and answer. The [`Asker`] enforces their limits, and [`compare`] compares the answers. On a disagreement the
//! user gets SQLite's answer, and the disagreement is saved as a reduced test file.

mod answer;
pub mod format;
pub mod presets;
pub mod views;

mod plan;
mod scan;
mod volatile;

mod child;
mod database;
mod in_sqlite;
mod in_vibesql;
mod wire;

mod asker;
mod error;
mod pair;
mod process;

pub mod compare;
mod order;

mod reduce;
mod save;
mod source;

pub use answer::Answer;
pub use asker::{AskResult, Asker, DisagreementEffort, QueryTarget, Unconfirmed};
pub use child::serve;
pub use error::{AskError, VibeSqlFault};
pub use in_vibesql::VERSION as VIBESQL_VERSION;
pub use pair::{AskLimits, Interrupter};
pub use plan::{Comparability, QueryPlan, QueryPlanError, UnknownName, columns_of, plan};
pub use process::AskCommand;
pub use save::SavedExample;
pub use scan::{is_whole, statements};
pub use source::{HistorySelection, ResultsSource, RowSource};
pub use volatile::Dependency;
pub use wire::EngineName;
