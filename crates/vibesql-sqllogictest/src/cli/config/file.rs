//! What is in `sqllogictest.toml`, and what may be wrong with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::ConfigError;
use super::flags::FlagValue;
use slt_runner::parallel::Pattern;

/// The name of the file.
pub(in crate::cli) const FILE_NAME: &str = "sqllogictest.toml";

/// The key with the name of the suite that is in the folder of the file.
pub(in crate::cli) const SUITE_NAME: &str = "suite-name";

/// The profile that holds when none is named.
pub(super) const DEFAULT_PROFILE: &str = "default";

/// The file, read and checked.
#[derive(Debug)]
pub(super) struct ConfigFile {
    /// What messages call it.
    pub(super) shown: String,
    /// Its folder, from here.
    pub(super) folder: PathBuf,
    pub(super) defaults: Vec<ConfigEntry>,
    pub(super) default_suite: Option<String>,
    pub(super) suites: BTreeMap<String, ConfigSuite>,
    pub(super) profiles: BTreeMap<String, ConfigProfile>,
    pub(super) overrides: Vec<TimeoutOverride>,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(super) struct ConfigEntry {
    pub(super) key: String,
    pub(super) value: FlagValue,
    /// Counted from 1.
    pub(super) line: usize,
}

/// `[suite.NAME]`
#[derive(Debug)]
pub(super) struct ConfigSuite {
    /// Where its files are, relative to the folder of the file; nothing for the shipped suite.
    pub(super) paths: Vec<String>,
    /// The line of these.
    pub(super) line: usize,
    pub(super) settings: Vec<ConfigEntry>,
}

/// `[profile.NAME]`
#[derive(Debug)]
pub(super) struct ConfigProfile {
    pub(super) inherits: Option<String>,
    pub(super) line: usize,
    pub(super) settings: Vec<ConfigEntry>,
}

/// `[[override]]`: settings for some of the files.
#[derive(Debug, Clone)]
pub(in crate::cli) struct TimeoutOverride {
    /// The pattern as it was written.
    pub(in crate::cli) files: String,
    /// Whom it concerns.
    pub(in crate::cli) pattern: Pattern,
    /// How long such a file may take; nothing for as long as it likes.
    pub(in crate::cli) timeout: Option<Duration>,
    /// Its line in the file.
    pub(in crate::cli) line: usize,
}

/// Looks for the file here and in each folder above.
pub(in crate::cli) fn find() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let mut up = PathBuf::new();
    for _ in here.ancestors() {
        let candidate = up.join(FILE_NAME);
        if candidate.is_file() {
            return Some(candidate);
        }
        up.push("..");
    }
    None
}

/// Reads the file that is named, or else the one that is found.
pub(in crate::cli) fn read(named: Option<&Path>) -> Result<Option<(PathBuf, String)>, ConfigError> {
    let Some(path) = named.map(Path::to_owned).or_else(find) else { return Ok(None) };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(source) => Err(ConfigError::Unreadable { file: path.display().to_string(), source }),
    }
}

impl ConfigFile {
    /// The profile with those that it inherits from, the nearest first. The reader has seen to it that there is an end.
    pub(super) fn chain(&self, name: &str) -> Vec<(&str, &ConfigProfile)> {
        let mut chain: Vec<(&str, &ConfigProfile)> = Vec::new();
        let mut next = self.profiles.get_key_value(name);
        while let Some((name, profile)) = next {
            if chain.iter().any(|(seen, _)| seen == name) {
                break;
            }
            chain.push((name, profile));
            next = profile.inherits.as_ref().and_then(|name| self.profiles.get_key_value(name));
        }
        chain
    }
}
