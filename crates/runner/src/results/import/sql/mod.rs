//! The dumps of VibeSQL's earlier scripts: INSERT and UPDATE on three tables, in three variants of their schema.

mod dump;
mod literal;
mod moment;
mod statement;

pub(super) use dump::read;
pub(super) use moment::moment;
