//! Where rows come from: the one place that knows how results are loaded.

use std::error::Error;

use crate::{Extract, Pin, Store, Wanted, Window};
use slt_runner::results::ResultsFolder;

/// Loads what a question needs.
pub trait Source {
    /// The state that the results are in now, for whoever loads: the children and their parent must read the same.
    ///
    /// # Errors
    ///
    /// Why the results cannot be read, in words.
    fn state(&self) -> Result<String, String>;

    /// The rows of these columns in a state, over a part of the history; `engine` is the one whose files `test_files`
    /// tells of, and without it that of the last run.
    ///
    /// # Errors
    ///
    /// Why the results cannot be read, in words.
    fn load(
        &self,
        state: &str,
        wanted: &[Wanted],
        window: Window,
        engine: Option<&str>,
    ) -> Result<Extract, String>;
}

/// The results of a folder.
#[derive(Debug, Clone)]
pub struct Results(pub ResultsFolder);

impl Source for Results {
    fn state(&self) -> Result<String, String> {
        let pin = Store::new(&self.0).pin().map_err(|error| words(&error))?;
        serde_json::to_string(&pin).map_err(|error| words(&error))
    }

    fn load(
        &self,
        state: &str,
        wanted: &[Wanted],
        window: Window,
        engine: Option<&str>,
    ) -> Result<Extract, String> {
        let pin: Pin = serde_json::from_str(state).map_err(|error| words(&error))?;
        Store::new(&self.0).load(&pin, wanted, window, engine).map_err(|error| words(&error))
    }
}

/// An error with its causes, for it goes from one process to another.
fn words(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
