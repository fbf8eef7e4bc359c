//! The programming interface, in use and beside the original.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod differential;
mod interface;
mod parallel;
