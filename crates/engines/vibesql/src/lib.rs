//! VibeSQL, embedded: the engine that this tool was made for.
//!
//! The library executes one parsed statement at a time and has an executor for each kind of statement, but no function
//! that takes SQL text. So this adapter splits the text, passes each statement unchanged to VibeSQL's parser, and
//! dispatches the result. It adds nothing of its own: no transactions, no batching, no caches. It never clears
//! VibeSQL's caches between statements, because a stale answer within a session is a defect of VibeSQL and must be
//! visible.
//!
//! Statements that VibeSQL can parse but not execute are refused as [`ExecuteError::Unsupported`] and never reported as
//! executed.
//!
//! The caller handles panics, stack overflows and time limits. VibeSQL itself aborts some SELECTs after five minutes,
//! which is reported as its error.
//!
//! [`ExecuteError::Unsupported`]: slt_core::engine::ExecuteError::Unsupported

mod session;
mod statement;

mod pragma;
mod shape;
mod split;
mod transfer;

#[cfg(test)]
mod tests;

pub use session::{Mode, VibeSql};
