//! Numbers of runs.

use super::error::StoreError;
use slt_runner::results::sequence::number_of;

/// The number of a run: the second in which it began, since 1970, times 100, and its number among the runs of that
/// second, from 1. It follows from the name of its folder, so it is the same wherever the store is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub i64);

impl RunId {
    /// Returns the number of the run with this name.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoNumber`], for a name that is not of the form `YYYYMMDD-HHMMSS` or `YYYYMMDD-HHMMSS-N`.
    pub fn of_name(name: &str) -> Result<Self, StoreError> {
        number_of(name).map(Self).ok_or_else(|| StoreError::NoNumber(name.to_owned()))
    }
}
