//! Runs scripts and files.

use std::path::Path;
use std::sync::Arc;

use futures_executor::block_on;

use super::database::AsyncDB;
use super::error::TestError;
use super::test_runner::Runner;
use crate::connection::MakeConnection;
use crate::parser::{Record, parse, parse_file, parse_with_name};

// The original panics where a script is not in the format. Here that is an error as in a file.
impl<D: AsyncDB, M: MakeConnection<Conn = D>> Runner<D, M> {
    /// Runs records up to the first that fails, or to a `halt`.
    ///
    /// # Errors
    ///
    /// When a record fails.
    pub async fn run_multi_async(
        &mut self,
        records: impl IntoIterator<Item = Record<D::ColumnType>>,
    ) -> Result<(), TestError> {
        for record in records {
            if matches!(record, Record::Halt { .. }) {
                break;
            }
            self.run_async(record).await?;
        }
        Ok(())
    }

    /// Runs records up to the first that fails, or to a `halt`.
    ///
    /// # Errors
    ///
    /// When a record fails.
    pub fn run_multi(
        &mut self,
        records: impl IntoIterator<Item = Record<D::ColumnType>>,
    ) -> Result<(), TestError> {
        block_on(self.run_multi_async(records))
    }

    /// Runs a script.
    ///
    /// # Errors
    ///
    /// When it is not in the format, or a record fails.
    pub async fn run_script_async(&mut self, script: &str) -> Result<(), TestError> {
        let records = parse(script)?;
        self.run_multi_async(records).await
    }

    /// Runs a script that has a name in errors.
    ///
    /// # Errors
    ///
    /// When it is not in the format, or a record fails.
    pub async fn run_script_with_name_async(
        &mut self,
        script: &str,
        name: impl Into<Arc<str>>,
    ) -> Result<(), TestError> {
        let records = parse_with_name(script, name)?;
        self.run_multi_async(records).await
    }

    /// Runs a file, with the files that it includes.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is not in the format, or a record fails.
    pub async fn run_file_async(&mut self, filename: impl AsRef<Path>) -> Result<(), TestError> {
        let records = parse_file(filename)?;
        self.run_multi_async(records).await
    }

    /// Runs a script.
    ///
    /// # Errors
    ///
    /// When it is not in the format, or a record fails.
    pub fn run_script(&mut self, script: &str) -> Result<(), TestError> {
        block_on(self.run_script_async(script))
    }

    /// Runs a script that has a name in errors.
    ///
    /// # Errors
    ///
    /// When it is not in the format, or a record fails.
    pub fn run_script_with_name(&mut self, script: &str, name: impl Into<Arc<str>>) -> Result<(), TestError> {
        block_on(self.run_script_with_name_async(script, name))
    }

    /// Runs a file, with the files that it includes.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is not in the format, or a record fails.
    pub fn run_file(&mut self, filename: impl AsRef<Path>) -> Result<(), TestError> {
        block_on(self.run_file_async(filename))
    }
}
