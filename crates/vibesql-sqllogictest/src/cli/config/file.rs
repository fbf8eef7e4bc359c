//! The contents of `sqllogictest.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::flags::FlagValue;
use slt_runner::parallel::Pattern;

/// The name of the configuration file.
pub(in crate::cli) const FILE_NAME: &str = "sqllogictest.toml";

/// The key with the name of the suite that is in the folder of the file.
pub(in crate::cli) const SUITE_NAME: &str = "suite-name";

/// The profile that is used unless another is named.
pub(super) const DEFAULT_PROFILE: &str = "default";

/// The configuration file, checked.
#[derive(Debug, Default)]
pub(super) struct ConfigFile {
    /// Its path in messages.
    pub(super) shown: String,
    /// Its folder, relative to the working directory.
    pub(super) folder: PathBuf,
    pub(super) defaults: Vec<ConfigEntry>,
    pub(super) default_suite: Option<String>,
    pub(super) suites: BTreeMap<String, ConfigSuite>,
    pub(super) profiles: BTreeMap<String, ConfigProfile>,
    pub(super) overrides: Vec<FileOverride>,
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
    /// Its paths, relative to the folder of the file; none for the shipped suite.
    pub(super) paths: Vec<String>,
    /// The line of the paths.
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
pub(in crate::cli) struct FileOverride {
    /// The text of the pattern.
    pub(in crate::cli) files: String,
    pub(in crate::cli) pattern: Pattern,
    /// The time limit of these files, if it is set; the inner `None` is no limit.
    pub(in crate::cli) timeout: Option<Option<Duration>>,
    /// The dialect of these files, if it is set.
    pub(in crate::cli) dialect: Option<String>,
    pub(in crate::cli) line: usize,
}

impl ConfigFile {
    /// Returns the profile and those that it inherits from, the nearest first. The reader rejects cycles.
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
