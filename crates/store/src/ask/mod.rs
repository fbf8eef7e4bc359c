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
mod in_sqlite;
mod in_vibesql;
mod wire;

mod asker;
mod pair;
mod process;

pub mod compare;
mod order;

mod keep;
mod reduce;
mod source;

pub use answer::{Answer, Value};
pub use asker::{About, AskError, Asked, Asker, Doubt, Effort, Kind, Reading};
pub use child::serve;
pub use in_vibesql::VERSION as VIBESQL_VERSION;
pub use keep::Keeping;
pub use pair::{Interrupter, Limits};
pub use plan::{Plan, PlanError, Trust, Unknown, columns_of, plan};
pub use process::AskCommand;
pub use scan::{is_whole, statements};
pub use source::{Results, Source};
pub use volatile::DependsOn;
pub use wire::EngineName;
