//! Errors in the configuration, with their hints.

use std::io;

use super::flags::FlagError;
use crate::cli::error::CliError;
use crate::cli::exit::ExitReason;

/// The name of the configuration file.
pub(in crate::cli) const FILE_NAME: &str = "sqllogictest.toml";

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
    #[error("{place}: there is no {kind} `{name}`, since there is no {FILE_NAME}")]
    NoFile { place: String, kind: &'static str, name: String },
    #[error("`{first}` ({first_place}) and `{second}` ({second_place}) exclude each other")]
    Conflict { first: String, first_place: String, second: String, second_place: String },
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        let hint = match &error {
            ConfigError::Unreadable { .. } => {
                Some("use --no-config to run without a configuration file".to_owned())
            }
            ConfigError::UnknownKey { nearest: Some(nearest), .. } => {
                Some(format!("did you mean `{nearest}`?"))
            }
            ConfigError::UnknownKey { nearest: None, .. } => {
                Some("keys are the long flags without `--`; docs/configuration.md has the others".to_owned())
            }
            ConfigError::Selector { key, .. } => Some(match key.as_str() {
                "suite" => {
                    "use --suite, SQLLOGICTEST_SUITE, or `default-suite` in front of all tables".to_owned()
                }
                "profile" => {
                    "use --profile or SQLLOGICTEST_PROFILE; without them [profile.default] holds".to_owned()
                }
                _ => "this says where the file is; use the flag or its variable".to_owned(),
            }),
            ConfigError::Value { .. } => Some("see `--help` of the command for valid values".to_owned()),
            ConfigError::Variable { variable, .. } if variable.contains("WORKER_ID") => {
                Some("workers are counted from 1 to the number of all of them".to_owned())
            }
            ConfigError::Variable { .. } => {
                Some("see `--help` of the command for valid values, or unset the variable".to_owned())
            }
            ConfigError::Incomplete { .. } => {
                Some("an override has `files`, patterns as of --filter, and `timeout` in seconds".to_owned())
            }
            ConfigError::UnknownName { kind, known, .. } if known.is_empty() => {
                Some(format!("the file has no {kind}"))
            }
            ConfigError::UnknownName { kind, known, .. } => {
                Some(format!("{kind}s of the file: {}", known.join(", ")))
            }
            ConfigError::NoFile { .. } => {
                Some("the file is searched for in this folder and its parents; see --config".to_owned())
            }
            ConfigError::Conflict { .. } => Some("remove one of them".to_owned()),
            ConfigError::Cycle { .. } | ConfigError::Syntax { .. } => None,
        };
        Self::new(ExitReason::Usage, &error, hint.into_iter().collect())
    }
}
