//! Live sinks: what is seen while a run goes on.

mod lines;

pub(crate) use lines::{Lines, account, status_word};
