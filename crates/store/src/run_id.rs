//! Numbers of runs.

use super::error::StoreError;
use slt_runner::results::sequence::number_of;

/// The number of a run: its start time in seconds since 1970, times 100, plus its number within that second, from 1.
///
/// The name of its folder determines it, so a rebuilt store has the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub i64);

impl RunId {
    /// Returns the number of the run with this name.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoNumber`], for a name that is not of the form `YYYYMMDD-HHMMSS` or `YYYYMMDD-HHMMSS-N`.
    pub fn from_name(name: &str) -> Result<Self, StoreError> {
        number_of(name).map(Self).ok_or_else(|| StoreError::NoNumber(name.to_owned()))
    }
}
