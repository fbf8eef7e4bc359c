//! What records may use besides the engine: the shell, files and environment variables.

use std::time::Duration;

/// The surroundings of an execution. The default refuses everything that reaches outside of the test file. The iterations
/// of a concurrent loop use it at the same time.
pub trait Host: Sync {
    /// Runs a shell command, and returns its result.
    ///
    /// # Errors
    ///
    /// [`HostError`] when it is not allowed or cannot be started.
    fn shell(&self, command: &[u8]) -> Result<ShellResult, HostError> {
        let _ = command;
        Err(HostError::NotAllowed("shell commands are not allowed; --allow-shell allows them".to_owned()))
    }

    /// Reads the file at a path as it is written in the test file.
    ///
    /// # Errors
    ///
    /// [`HostError`] when the path is outside of the suite or the file cannot be read.
    fn read_file(&self, path: &[u8]) -> Result<Vec<u8>, HostError> {
        Err(not_allowed(path))
    }

    /// Returns the path of a database file that a record names.
    ///
    /// # Errors
    ///
    /// [`HostError`] when the path is outside of the suite.
    fn database_path(&self, path: &[u8]) -> Result<String, HostError> {
        Err(not_allowed(path))
    }

    /// Removes the database file at a path from [`Self::database_path`], so that a new one can take its place.
    ///
    /// # Errors
    ///
    /// [`HostError`] when there is one that a record must not remove.
    fn remove_database(&self, path: &str) -> Result<(), HostError> {
        let _ = path;
        Ok(())
    }

    /// Unpacks an archive in the suite.
    ///
    /// # Errors
    ///
    /// [`HostError`] when a path is outside of the suite or the archive cannot be unpacked.
    fn unzip(&self, archive: &[u8], target: Option<&[u8]>) -> Result<(), HostError> {
        let _ = target;
        Err(not_allowed(archive))
    }

    /// Returns an environment variable of the runner.
    fn environment(&self, name: &[u8]) -> Option<Vec<u8>> {
        let _ = name;
        None
    }

    /// Returns a variable that stands for a place or the time of the run, as `__TEST_DIR__`.
    fn place(&self, name: &[u8]) -> Option<Vec<u8>> {
        let _ = name;
        None
    }

    /// Returns whether the platform or the build of the engine has what `require` names; `None` if the name is not one
    /// of these.
    fn has_feature(&self, name: &[u8], argument: Option<&[u8]>) -> Option<bool> {
        let _ = (name, argument);
        None
    }

    /// Waits.
    #[expect(clippy::disallowed_methods, reason = "test files ask for it")]
    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// A host that refuses everything.
#[derive(Debug, Clone, Copy)]
pub struct NoHost;

impl Host for NoHost {}

/// The result of a shell command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellResult {
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// How it failed, as `exit code 1` with its standard error; `None` if it succeeded.
    pub failure: Option<String>,
}

/// The reason why the host has not done something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The user has not allowed it; the text says how to.
    #[error("{0}")]
    NotAllowed(String),
    /// It failed.
    #[error("{0}")]
    Failed(String),
}

fn not_allowed(path: &[u8]) -> HostError {
    let path = crate::location::text_of(path);
    HostError::NotAllowed(format!("`{path}`: files outside of the test file are not allowed here"))
}
