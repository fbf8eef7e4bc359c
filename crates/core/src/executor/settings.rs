//! The settings for reading and executing files, shared by a run, its workers and its journal.

use super::core::Options;

/// The settings of a run besides its files.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Settings {
    /// The engine, as the command line names it.
    pub engine: String,
    /// How scripts are executed.
    pub options: Options,
    /// The dialect of all files, overriding the one that a file names.
    pub dialect: Option<String>,
    /// Whether the reference runner's holes are reproduced.
    pub exact: bool,
}
