//! The environment: a variable for each flag, and the variables of VibeSQL's earlier scripts.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;

use clap::{Arg, Command};

use super::error::ConfigError;
use super::flags::{self, FlagError, FlagValue};

/// Names that do not follow the rule, since other programs use them, too; with the flag that they set.
const OTHER_NAMES: &[(&str, &str)] = &[("VIBESQL_RESULTS_DIR", "results")];

/// Old names, and the flag that replaces each.
const OLD_NAMES: &[(&str, &str)] =
    &[("SQLLOGICTEST_TIME_BUDGET", "time"), ("SQLLOGICTEST_FILE_TIMEOUT", "timeout")];

const WORKER_ID: &str = "SQLLOGICTEST_WORKER_ID";
const TOTAL_WORKERS: &str = "SQLLOGICTEST_TOTAL_WORKERS";

/// Old variables that are ignored: the flag of the commands that note it, and the reason.
const NOT_FOLLOWED: &[(&str, &str, &str)] = &[
    (
        "SQLLOGICTEST_QUERY_TIMEOUT_MS",
        "record-timeout",
        "it made slow queries return no rows; --record-timeout SECONDS stops a record, and says so",
    ),
    ("SQLLOGICTEST_FILE", "files", "name the file: `test FILE`, or `run --files PATH`"),
];

/// The environment variables of this process.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct EnvironmentVariables(BTreeMap<String, OsString>);

impl EnvironmentVariables {
    /// Reads the environment of this process. Nothing else in the program reads it.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub(in crate::cli) fn from_process() -> Self {
        std::env::vars_os().collect()
    }
}

impl FromIterator<(OsString, OsString)> for EnvironmentVariables {
    fn from_iter<T: IntoIterator<Item = (OsString, OsString)>>(variables: T) -> Self {
        let named = variables.into_iter().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self(named.collect())
    }
}

/// A note about an old variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum VariableNote {
    /// The variable sets a flag, which replaces it.
    OldName { variable: String, flag: String },
    /// The variable is ignored.
    NotFollowed { variable: &'static str, why: &'static str },
}

impl fmt::Display for VariableNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OldName { variable, flag } => {
                let new = flags::variable(flag);
                write!(f, "{variable}: deprecated; use --{flag} or {new}")
            }
            Self::NotFollowed { variable, why } => write!(f, "{variable}: ignored; {why}"),
        }
    }
}

/// The value of a variable, or of two variables that form one setting.
#[derive(Debug)]
pub(super) struct EnvironmentValue {
    pub(super) name: String,
    pub(super) value: FlagValue,
    pub(super) note: Option<VariableNote>,
}

impl EnvironmentVariables {
    /// Returns the value of a flag in the environment.
    pub(super) fn given(&self, long: &str, arg: &Arg) -> Result<Option<EnvironmentValue>, ConfigError> {
        let names = |table: &'static [(&str, &str)]| {
            table.iter().filter(|(_, flag)| *flag == long).map(|(name, _)| (*name).to_owned())
        };
        for new in std::iter::once(flags::variable(long)).chain(names(OTHER_NAMES)) {
            let is_set = |text: &&str| !text.is_empty() || !flags::takes_value(arg);
            if let Some(text) = self.text(&new)?.filter(is_set) {
                return Ok(Some(EnvironmentValue { value: value(arg, text), note: None, name: new }));
            }
        }
        for name in names(OLD_NAMES) {
            if let Some(text) = self.text(&name)?.filter(|text| !text.is_empty()) {
                let note = VariableNote::OldName { variable: name.clone(), flag: long.to_owned() };
                return Ok(Some(EnvironmentValue { value: value(arg, text), note: Some(note), name }));
            }
        }
        if long == "shard" { self.shard() } else { Ok(None) }
    }

    /// Returns the shard in the variables of the earlier scripts, whose workers counted from 1.
    fn shard(&self) -> Result<Option<EnvironmentValue>, ConfigError> {
        match (self.text(WORKER_ID)?, self.text(TOTAL_WORKERS)?) {
            (Some(index), Some(count)) => {
                let name = format!("{WORKER_ID} and {TOTAL_WORKERS}");
                let note = VariableNote::OldName { variable: name.clone(), flag: "shard".to_owned() };
                let value = FlagValue::One(format!("{index}/{count}"));
                Ok(Some(EnvironmentValue { name, value, note: Some(note) }))
            }
            _ => Ok(None),
        }
    }

    /// Returns notes about ignored variables for a command, unless the flag that replaces one was typed.
    pub(super) fn notes(&self, command: &Command, typed: impl Fn(&str) -> bool) -> Vec<VariableNote> {
        let concerns = |flag: &str| flags::flag(command, flag).is_some() && !typed(flag);
        let mut notes: Vec<_> = NOT_FOLLOWED
            .iter()
            .filter(|(variable, flag, _)| self.0.contains_key(*variable) && concerns(flag))
            .map(|&(variable, _, why)| VariableNote::NotFollowed { variable, why })
            .collect();
        let half = match (self.0.contains_key(WORKER_ID), self.0.contains_key(TOTAL_WORKERS)) {
            (true, false) => {
                Some((WORKER_ID, "it has no effect without SQLLOGICTEST_TOTAL_WORKERS; use --shard K/N"))
            }
            (false, true) => {
                Some((TOTAL_WORKERS, "it has no effect without SQLLOGICTEST_WORKER_ID; use --shard K/N"))
            }
            _ => None,
        };
        let half = half.filter(|_| concerns("shard"));
        notes.extend(half.map(|(variable, why)| VariableNote::NotFollowed { variable, why }));
        notes
    }

    /// Returns the home directory.
    pub(in crate::cli) fn home(&self) -> Option<&OsStr> {
        self.0.get("HOME").map(OsString::as_os_str).filter(|home| !home.is_empty())
    }

    /// Returns the value of a variable, unless it is empty; invalid UTF-8 is replaced.
    pub(in crate::cli) fn non_empty(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|value| !value.is_empty()).map(|value| value.to_string_lossy().into_owned())
    }

    fn text(&self, name: &str) -> Result<Option<&str>, ConfigError> {
        let Some(raw) = self.0.get(name) else { return Ok(None) };
        let no_text = || {
            let expected = "text in UTF-8".to_owned();
            let error = FlagError { expected, found: raw.display().to_string(), reason: None };
            ConfigError::Variable { variable: name.to_owned(), error }
        };
        raw.to_str().map(Some).ok_or_else(no_text)
    }
}

fn value(arg: &Arg, text: &str) -> FlagValue {
    if flags::is_list(arg) { FlagValue::List(split(text)) } else { FlagValue::One(text.to_owned()) }
}

/// Splits at commas, except between the braces of a glob.
fn split(text: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let at_comma = |character| {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    };
    text.split(at_comma).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_split_at_commas_outside_of_braces() {
        let cases = [
            ("a,b", vec!["a", "b"]),
            (" a , b ,", vec!["a", "b"]),
            ("{a,b}/**,c", vec!["{a,b}/**", "c"]),
            ("}a,b", vec!["}a", "b"]),
            ("", vec![]),
        ];
        for (text, expected) in cases {
            assert_eq!(split(text), expected, "{text}");
        }
    }
}
