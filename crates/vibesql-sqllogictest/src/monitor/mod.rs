//! Live sinks: what is seen while a run goes on.

mod layout;
mod lines;
mod progress;
mod stream;

pub(crate) use lines::{Lines, Verbosity};
pub(crate) use progress::{Look, Progress};
pub(crate) use stream::Stream;
