//! Event sinks that show a run in progress.

mod layout;
mod lines;
mod progress;
mod stream;

pub(crate) use lines::{ResultLines, Verbosity};
pub(crate) use progress::{ProgressDisplay, ProgressLook};
pub(crate) use stream::EventStream;
