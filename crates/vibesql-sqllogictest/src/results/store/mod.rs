//! Every result in VibeSQL databases: what the journals say, in a form that can be asked in SQL.

mod cell;
mod extract;
pub mod schema;

pub use cell::Cell;
pub use extract::{Extract, Loaded, Wanted, Window};
