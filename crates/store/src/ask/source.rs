//! The interface for loading rows.

use std::error::Error;

use crate::{Extract, HistoryWindow, Store, StoreSnapshot, WantedColumns};
use slt_runner::results::ResultsFolder;

/// Loads the rows for a query.
pub trait RowSource {
    /// Returns the current state of the results, so that children and parent read the same.
    ///
    /// # Errors
    ///
    /// A message, when the results cannot be read.
    fn state(&self) -> Result<String, String>;

    /// Returns the rows of these columns in a state, over a part of the history.
    ///
    /// `engine` selects the files of `test_files`; the default is the engine of the last run.
    ///
    /// # Errors
    ///
    /// A message, when the results cannot be read.
    fn load(
        &self,
        state: &str,
        wanted: &[WantedColumns],
        window: HistoryWindow,
        engine: Option<&str>,
    ) -> Result<Extract, String>;
}

/// The results of a folder.
#[derive(Debug, Clone)]
pub struct ResultsSource(pub ResultsFolder);

impl RowSource for ResultsSource {
    fn state(&self) -> Result<String, String> {
        let pin = Store::new(&self.0).pin().map_err(|error| words(&error))?;
        serde_json::to_string(&pin).map_err(|error| words(&error))
    }

    fn load(
        &self,
        state: &str,
        wanted: &[WantedColumns],
        window: HistoryWindow,
        engine: Option<&str>,
    ) -> Result<Extract, String> {
        let pin: StoreSnapshot = serde_json::from_str(state).map_err(|error| words(&error))?;
        Store::new(&self.0).load(&pin, wanted, window, engine).map_err(|error| words(&error))
    }
}

/// Returns an error with its causes, for it goes from one process to another.
fn words(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
