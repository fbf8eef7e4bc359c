//! The interface for loading rows.

use std::error::Error;

use serde::{Deserialize, Serialize};

use crate::{Extract, HistoryWindow, RowReceiver, Store, StoreSnapshot, WantedColumns};
use slt_runner::results::ResultsFolder;

/// The part of the history that a query reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistorySelection {
    /// The runs.
    pub window: HistoryWindow,
    /// The engine for `test_files`; the default is the engine of the last run.
    pub engine: Option<String>,
}

/// Loads the rows for a query.
pub trait RowSource {
    /// Returns the current state of the results, so that children and parent read the same.
    ///
    /// # Errors
    ///
    /// A message, when the results cannot be read.
    fn state(&self) -> Result<String, String>;

    /// Gives the rows of these columns in a state, over a part of the history, to `receive`. The extract has no tables.
    ///
    /// # Errors
    ///
    /// A message, when the results cannot be read.
    fn load_by_run(
        &self,
        state: &str,
        wanted: &[WantedColumns],
        selection: &HistorySelection,
        receive: RowReceiver<'_>,
    ) -> Result<Extract, String>;

    /// Returns these rows.
    ///
    /// # Errors
    ///
    /// As [`load_by_run`](Self::load_by_run).
    fn load(
        &self,
        state: &str,
        wanted: &[WantedColumns],
        selection: &HistorySelection,
    ) -> Result<Extract, String> {
        Extract::collect(wanted, |receive| self.load_by_run(state, wanted, selection, receive))
    }
}

/// The results of a folder.
#[derive(Debug, Clone)]
pub struct ResultsSource(pub ResultsFolder);

impl RowSource for ResultsSource {
    fn state(&self) -> Result<String, String> {
        let pin = Store::new(&self.0).pin().map_err(|error| words(&error))?;
        serde_json::to_string(&pin).map_err(|error| words(&error))
    }

    fn load_by_run(
        &self,
        state: &str,
        wanted: &[WantedColumns],
        selection: &HistorySelection,
        receive: RowReceiver<'_>,
    ) -> Result<Extract, String> {
        let pin: StoreSnapshot = serde_json::from_str(state).map_err(|error| words(&error))?;
        let HistorySelection { window, engine } = selection;
        let store = Store::new(&self.0);
        let loaded = store.load_by_run(&pin, wanted, *window, engine.as_deref(), receive);
        loaded.map_err(|error| words(&error))
    }
}

/// Formats an error with its causes, for another process.
fn words(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
