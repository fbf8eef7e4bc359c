//! Where a setting comes from.

use std::fmt;

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum SettingOrigin {
    /// It was typed.
    CommandLine,
    /// The environment variable, or the two of them that make one setting.
    Variable(String),
    /// A key of the file.
    File {
        /// The file, as messages call it.
        file: String,
        /// The part of it.
        section: ConfigSection,
        /// The line, counted from 1.
        line: usize,
    },
    /// Nobody said anything.
    Default,
}

/// A part of the file that has settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum ConfigSection {
    /// In front of all tables.
    Defaults,
    /// `[suite.NAME]`
    Suite(String),
    /// `[profile.NAME]`
    Profile(String),
}

impl SettingOrigin {
    /// The origin with its line, for an error.
    pub(super) fn place(&self) -> String {
        match self {
            Self::File { file, section: ConfigSection::Defaults, line } => format!("{file}:{line}"),
            Self::File { file, section, line } => format!("{file}:{line}, {section}"),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for SettingOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("command line"),
            Self::Variable(name) => f.write_str(name),
            Self::File { file, section: ConfigSection::Defaults, .. } => f.write_str(file),
            Self::File { file, section, .. } => write!(f, "{file}: {section}"),
            Self::Default => f.write_str("default"),
        }
    }
}

impl fmt::Display for ConfigSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => f.write_str("defaults"),
            Self::Suite(name) => write!(f, "suite {name}"),
            Self::Profile(name) => write!(f, "profile {name}"),
        }
    }
}
