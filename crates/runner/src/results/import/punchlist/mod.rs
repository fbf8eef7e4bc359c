//! Punchlists: the files of a run that are to be seen to, as VibeSQL's earlier scripts and `punchlist` write them.
//!
//! What they say of a file is how it ended, and no more: JSON and CSV of all files, Markdown of those that have failed.

mod code;
mod csv;
mod json;
mod markdown;

pub(super) use csv::{is_csv, read as read_csv};
pub(super) use json::read as read_json;
pub(super) use markdown::{is_markdown, read as read_markdown};
