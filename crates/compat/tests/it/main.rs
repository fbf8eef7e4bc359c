//! Drivers of the `sqllogictest` crate as engines.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod behaviour;
mod differential;
mod lite;
mod program;
mod verdicts;
