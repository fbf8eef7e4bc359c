//! The dumps of VibeSQL's earlier scripts: what INSERT and UPDATE do to three tables, in three variants of their schema.

mod dump;
mod literal;
mod moment;
mod statement;

pub(super) use dump::read;
pub(super) use moment::moment;
