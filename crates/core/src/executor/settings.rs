//! How the files of a run are read and executed: what a run, its workers and its journal agree on.

use super::core::Options;

/// What a run needs to know besides its files.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The engine, as the command line names it.
    pub engine: String,
    /// How scripts are executed.
    pub options: Options,
    /// The dialect to read every file in, instead of what it says of itself.
    pub dialect: Option<String>,
    /// Whether the reference runner's holes are reproduced.
    pub exact: bool,
}
