//! Live sinks: what is seen while a run goes on.

mod lines;
mod progress;

pub(crate) use lines::{Lines, account, status_word};
pub(crate) use progress::Progress;
