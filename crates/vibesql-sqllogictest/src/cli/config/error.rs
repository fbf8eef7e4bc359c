//! Errors in the configuration, with their hints.

use std::borrow::Cow;
use std::io;

use super::file::FILE_NAME;
use super::flags::FlagError;
use crate::cli::error::CliError;
use crate::cli::exit::ExitReason;

/// An error in the configuration.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum ConfigError {
    #[error("cannot read `{file}`")]
    Unreadable { file: String, source: io::Error },
    #[error("{place}: {what}")]
    Syntax { place: String, what: String },
    #[error("{place}: unknown key `{key}`")]
    UnknownKey { place: String, key: String, nearest: Option<String> },
    #[error("{place}: `{key}` cannot be set here")]
    Selector { place: String, key: String },
    #[error("{place}: `{key}`: {error}")]
    Value { place: String, key: String, error: FlagError },
    #[error("{variable}: {error}")]
    Variable { variable: String, error: FlagError },
    #[error("{place}: an override without `{missing}`")]
    Incomplete { place: String, missing: &'static str },
    #[error("{place}: unknown {kind} `{name}`")]
    UnknownName { place: String, kind: &'static str, name: String, known: Vec<String> },
    #[error("{place}: profiles inherit from each other: {}", names.join(" from "))]
    Cycle { place: String, names: Vec<String> },
    #[error("{place}: cannot use {kind} `{name}` without {FILE_NAME}")]
    NoFile { place: String, kind: &'static str, name: String },
    #[error("`{first}` ({first_place}) and `{second}` ({second_place}) exclude each other")]
    Conflict { first: String, first_place: String, second: String, second_place: String },
}

fn is_switch(word: &str) -> bool {
    ["0", "1", "true", "false"].contains(&word)
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        let hint: Cow<'_, str> = match &error {
            ConfigError::Unreadable { .. } => "use --no-config to run without a configuration file".into(),
            ConfigError::UnknownKey { nearest: Some(nearest), .. } => {
                format!("did you mean `{nearest}`?").into()
            }
            ConfigError::UnknownKey { nearest: None, .. } => {
                "keys are the long flags without `--`; docs/configuration.md lists the others".into()
            }
            ConfigError::Selector { key, .. } => match key.as_str() {
                "suite" => {
                    "use --suite, SQLLOGICTEST_SUITE, or `default-suite` in front of all tables".into()
                }
                "profile" => {
                    "use --profile or SQLLOGICTEST_PROFILE; [profile.default] is used without them".into()
                }
                "suite-name" => "it applies to the whole folder; put it before all tables".into(),
                _ => "use the flag or its variable".into(),
            },
            ConfigError::Value { .. } => "see `--help` of the command for valid values".into(),
            ConfigError::Variable { variable, .. } if variable.contains("WORKER_ID") => {
                "workers are counted from 1 to the total number of workers".into()
            }
            ConfigError::Variable { .. } => {
                "see `--help` of the command for valid values, or unset the variable".into()
            }
            ConfigError::Incomplete { .. } => {
                "an override has `files`, patterns as of --filter, and `timeout` in seconds, `dialect` or both".into()
            }
            ConfigError::UnknownName { kind, known, .. } if known.is_empty() => {
                format!("the file has no {kind}").into()
            }
            ConfigError::UnknownName { kind, known, .. } => {
                format!("{kind}s of the file: {}", known.join(", ")).into()
            }
            // The earlier scripts took a switch.
            ConfigError::NoFile { place, name, .. } if place.contains("_PROFILE") && is_switch(name) => {
                "unset it: the earlier scripts measured with it; here it names a profile of sqllogictest.toml".into()
            }
            ConfigError::NoFile { .. } => {
                "the file is searched for in this folder and its parents; see --config".into()
            }
            ConfigError::Conflict { .. } => "remove one of them".into(),
            ConfigError::Cycle { .. } | ConfigError::Syntax { .. } => "".into(),
        };
        Self::new(ExitReason::Usage, &error).hint(hint)
    }
}
