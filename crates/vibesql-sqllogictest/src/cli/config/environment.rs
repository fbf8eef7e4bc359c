//! The environment: a variable for each flag, and what is left of the variables of VibeSQL's earlier scripts.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;

use clap::{Arg, Command};

use super::error::ConfigError;
use super::flags::{self, FlagError, FlagValue};

/// Names that do not follow the rule, and the flag that they are for: other programs know them, too.
const OTHER_NAMES: &[(&str, &str)] = &[("VIBESQL_RESULTS_DIR", "results")];

/// Old names, and the flag that means the same.
const OLD_NAMES: &[(&str, &str)] =
    &[("SQLLOGICTEST_TIME_BUDGET", "time"), ("SQLLOGICTEST_FILE_TIMEOUT", "timeout")];

const WORKER_ID: &str = "SQLLOGICTEST_WORKER_ID";
const TOTAL_WORKERS: &str = "SQLLOGICTEST_TOTAL_WORKERS";

/// Old variables that are not followed: whom it concerns (the commands with this flag), and why.
const NOT_FOLLOWED: &[(&str, &str, &str)] = &[
    (
        "SQLLOGICTEST_QUERY_TIMEOUT_MS",
        "record-timeout",
        "it made slow queries return no rows; --record-timeout SECONDS stops a record, and says so",
    ),
    ("SQLLOGICTEST_FILE", "files", "name the file: `test FILE`, or `run --files PATH`"),
];

const HOME: &str = "HOME";
const PAGER: &str = "PAGER";

/// The environment variables of the process whose names are UTF-8.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct EnvironmentVariables(BTreeMap<String, OsString>);

impl EnvironmentVariables {
    /// The environment of this process. Nothing else of the program reads it.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub(in crate::cli) fn of_process() -> Self {
        std::env::vars_os().collect()
    }
}

impl FromIterator<(OsString, OsString)> for EnvironmentVariables {
    fn from_iter<T: IntoIterator<Item = (OsString, OsString)>>(variables: T) -> Self {
        let named = variables.into_iter().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self(named.collect())
    }
}

/// What there is to say about old variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum VariableNote {
    /// It is followed.
    OldName {
        /// Its name.
        variable: String,
        /// What to use.
        flag: String,
    },
    /// It is not followed.
    NotFollowed {
        /// Its name.
        variable: &'static str,
        /// Why not, and what to use.
        why: &'static str,
    },
}

impl fmt::Display for VariableNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OldName { variable, flag } => {
                let new = flags::variable(flag);
                write!(f, "{variable}: deprecated; use --{flag} or {new}")
            }
            Self::NotFollowed { variable, why } => write!(f, "{variable}: not followed; {why}"),
        }
    }
}

/// The value of a variable, or of the two that make one.
#[derive(Debug)]
pub(super) struct EnvironmentValue {
    pub(super) name: String,
    pub(super) value: FlagValue,
    pub(super) note: Option<VariableNote>,
}

impl EnvironmentVariables {
    /// What the environment says about a flag.
    pub(super) fn given(&self, long: &str, arg: &Arg) -> Result<Option<EnvironmentValue>, ConfigError> {
        let names = |table: &'static [(&str, &str)]| {
            table.iter().filter(|(_, flag)| *flag == long).map(|(name, _)| (*name).to_owned())
        };
        for new in std::iter::once(flags::variable(long)).chain(names(OTHER_NAMES)) {
            if let Some(text) = self.text(&new)? {
                let says_nothing = text.is_empty() && flags::takes_value(arg);
                if !says_nothing {
                    return Ok(Some(EnvironmentValue { name: new, value: value(arg, text), note: None }));
                }
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

    /// The workers of the earlier scripts counted themselves from 1.
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

    /// What old variables do not do for a command. Who has typed the flag that replaces one needs no word about it.
    pub(super) fn notes(&self, command: &Command, typed: impl Fn(&str) -> bool) -> Vec<VariableNote> {
        let concerns = |flag: &str| flags::flag(command, flag).is_some() && !typed(flag);
        let mut notes: Vec<_> = NOT_FOLLOWED
            .iter()
            .filter(|(variable, flag, _)| self.0.contains_key(*variable) && concerns(flag))
            .map(|&(variable, _, why)| VariableNote::NotFollowed { variable, why })
            .collect();
        let half = match (self.0.contains_key(WORKER_ID), self.0.contains_key(TOTAL_WORKERS)) {
            (true, false) => Some((
                WORKER_ID,
                "it chooses a part of the files only together with SQLLOGICTEST_TOTAL_WORKERS; use --shard K/N",
            )),
            (false, true) => Some((
                TOTAL_WORKERS,
                "it chooses a part of the files only together with SQLLOGICTEST_WORKER_ID; use --shard K/N",
            )),
            _ => None,
        };
        if concerns("shard") {
            notes.extend(half.map(|(variable, why)| VariableNote::NotFollowed { variable, why }));
        }
        notes
    }

    /// The folder of the user.
    pub(in crate::cli) fn home(&self) -> Option<&OsStr> {
        self.0.get(HOME).map(OsString::as_os_str).filter(|home| !home.is_empty())
    }

    /// What shows long texts.
    #[cfg(feature = "store")]
    pub(in crate::cli) fn pager(&self) -> Option<&str> {
        self.0.get(PAGER).and_then(|pager| pager.to_str()).filter(|pager| !pager.is_empty())
    }

    /// The value of a variable for showing it.
    pub(super) fn lossy(&self, name: &str) -> String {
        self.0.get(name).map_or_else(String::new, |value| value.to_string_lossy().into_owned())
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

/// Splits at commas, but for those between the braces of a glob.
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
