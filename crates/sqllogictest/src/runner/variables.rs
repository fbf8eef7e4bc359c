//! The variables of a runner.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::UNIX_EPOCH;

use slt_core::executor::{Host, SubstitutionError, Variables};
use slt_core::parser::VariableSyntax;
use tempfile::TempDir;

use super::output::AnyError;
use crate::substitution::well_known;

/// The variables of a runner.
#[derive(Default)]
pub(super) struct RunnerVariables {
    named: HashMap<String, String>,
    surroundings: Surroundings,
}

/// A variable that cannot be substituted.
#[derive(Debug, thiserror::Error)]
#[error("substitution failed: {0}")]
struct SubstitutionFailed(SubstitutionError);

impl RunnerVariables {
    /// Returns variables with the same values, and a directory of their own.
    pub fn from_other(other: &Self) -> Self {
        Self { named: other.named.clone(), surroundings: Surroundings::default() }
    }

    pub fn set(&mut self, name: String, value: String) {
        self.named.insert(name, value);
    }

    /// Replaces `$name`, `${name}` and `${name:default}` of these variables and of those of the environment.
    pub fn in_sql(&self, sql: &str) -> Result<String, AnyError> {
        let mut variables = Variables::default();
        for (name, value) in &self.named {
            variables.set(name.as_bytes(), value.as_bytes());
        }
        let text = Cow::Borrowed(sql.as_bytes());
        let replaced = variables.substitute(text, VariableSyntax::DollarOnRequest, &self.surroundings);
        match replaced {
            // Texts that are UTF-8 make one that is UTF-8.
            Ok(sql) => Ok(String::from_utf8_lossy(&sql).into_owned()),
            Err(error) => Err(Arc::new(SubstitutionFailed(error))),
        }
    }

    /// Replaces `$name` of these variables. Everything else is left to the shell, which has variables of its own.
    pub fn in_command(&self, command: &str) -> Result<String, AnyError> {
        let mut command = command.to_owned();
        let mut replace = |name: &str, value: &str| command = command.replace(&format!("${name}"), value);
        let mut longest_first: Vec<_> = self.named.iter().collect();
        longest_first.sort_by_key(|(name, _)| Reverse(name.len()));
        for (name, value) in longest_first {
            replace(name, value);
        }
        replace(well_known::NOW, &now());
        if command.contains(&format!("${}", well_known::TEST_DIR)) {
            let directory = self.surroundings.test_dir().map_err(|error| Arc::new(error) as AnyError)?;
            command = command.replace(&format!("${}", well_known::TEST_DIR), &directory);
        }
        Ok(command)
    }
}

/// Variables that are not set by a file.
#[derive(Default)]
struct Surroundings {
    test_dir: OnceLock<TempDir>,
}

impl Surroundings {
    /// Returns the path of the directory for the files of the runner.
    fn test_dir(&self) -> io::Result<String> {
        let directory = match self.test_dir.get() {
            Some(directory) => directory,
            None => {
                let new = tempfile::tempdir()?;
                self.test_dir.get_or_init(|| new)
            }
        };
        Ok(directory.path().to_string_lossy().into_owned())
    }
}

impl Host for Surroundings {
    #[expect(clippy::disallowed_methods, reason = "files name variables of the environment")]
    fn place(&self, name: &[u8]) -> Option<Vec<u8>> {
        let name = std::str::from_utf8(name).ok()?;
        let value = match name {
            well_known::TEST_DIR => self.test_dir().ok(),
            well_known::NOW => Some(now()),
            _ => std::env::var(name).ok(),
        };
        value.map(String::into_bytes)
    }
}

#[expect(clippy::disallowed_methods, reason = "files ask for the time")]
fn now() -> String {
    std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}
