//! VibeSQL, embedded: the engine that this tool was made for.
//!
//! The library executes one parsed statement at a time and has an executor for each kind, but nothing that
//! takes SQL text. So this adapter splits the text, hands each statement unchanged to VibeSQL's parser, and
//! dispatches what the parser made of it. It adds nothing of its own: no transactions, no batching, no
//! caches, and no clearing of VibeSQL's caches between statements, since a stale answer within a session is
//! VibeSQL's own and has to be seen.
//!
//! What VibeSQL can parse but not execute is refused as [`ExecuteError::Unsupported`] and never passed off as
//! executed.
//!
//! Panics and stack overflows of VibeSQL are left to the caller, and so is the time a statement takes:
//! VibeSQL gives up on some SELECTs after five minutes by itself, which arrives here as its error.
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
