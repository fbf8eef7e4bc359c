//! Flags as settings: their variables and keys, the commands that accept them, and their values.

use std::any::TypeId;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};

/// Flags that select the sources of settings. They are not keys of the file.
pub(super) const SELECTORS: &[&str] =
    &["config", "no-config", "profile", "suite", "suite-name", "resume", "join", "watch"];

/// Commands about this program, which run nothing.
const ABOUT_ITSELF: &[&str] = &["config", "completions", "man", "help"];

/// Commands that import or export results. Their files are always typed.
const CARRIERS: &[&[&str]] = &[
    &["report"],
    &["store", "backup"],
    &["store", "restore"],
    &["store", "import"],
    &["store", "export"],
    &["store", "merge"],
];

/// A value in the environment or the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FlagValue {
    One(String),
    List(Vec<String>),
}

/// A value that a flag does not accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found `{found}`{}", reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default())]
pub(in crate::cli) struct FlagError {
    pub(super) expected: String,
    pub(super) found: String,
    pub(super) reason: Option<String>,
}

/// The sources that can configure a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConfigScope {
    /// None: this program starts it, with complete arguments.
    Nothing,
    /// The environment, for global options only.
    Globals,
    /// Environment and file, for global options only.
    GlobalsOfFile,
    /// Environment and file.
    Everything,
}

/// | command | scope |
/// |---|---|
/// | hidden, or below a hidden one: `work` | nothing |
/// | about this program: `config`, `completions`, `man` | globals |
/// | imports or exports results: `report`, `store import` and others | globals, also of the file |
/// | any other | everything |
pub(super) fn scope(root: &Command, path: &[String]) -> ConfigScope {
    let mut command = root;
    for name in path {
        match command.find_subcommand(name) {
            Some(next) if !next.is_hide_set() => command = next,
            _ => return ConfigScope::Nothing,
        }
    }
    match path.first() {
        Some(first) if ABOUT_ITSELF.contains(&first.as_str()) => ConfigScope::Globals,
        Some(_) if CARRIERS.iter().any(|carrier| path == *carrier) => ConfigScope::GlobalsOfFile,
        Some(_) => ConfigScope::Everything,
        None => ConfigScope::Nothing,
    }
}

/// Returns the command at the end of a path.
pub(super) fn command_at<'c>(root: &'c Command, path: &[String]) -> Option<&'c Command> {
    path.iter().try_fold(root, |command, name| command.find_subcommand(name))
}

/// Returns all commands that the file can configure, with their paths.
pub(super) fn configurable(root: &Command) -> Vec<(Vec<String>, &Command)> {
    let mut found = Vec::new();
    let mut open = vec![(Vec::new(), root)];
    while let Some((path, command)) = open.pop() {
        for next in command.get_subcommands() {
            let mut path = path.clone();
            path.push(next.get_name().to_owned());
            if scope(root, &path) == ConfigScope::Everything {
                found.push((path.clone(), next));
                open.push((path, next));
            }
        }
    }
    found
}

/// Returns the flags of a command that are settings; hidden ones are for tests.
pub(super) fn flags(command: &Command) -> impl Iterator<Item = (&str, &Arg)> {
    let carries = |arg: &&Arg| {
        !arg.is_hide_set()
            && !matches!(
                arg.get_action(),
                ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
            )
    };
    command.get_arguments().filter(carries).filter_map(|arg| Some((arg.get_long()?, arg)))
}

/// Returns the flag of a command with this long name.
pub(super) fn flag<'c>(command: &'c Command, long: &str) -> Option<&'c Arg> {
    flags(command).find(|(name, _)| *name == long).map(|(_, arg)| arg)
}

/// Returns the environment variable of a flag.
pub(super) fn variable(long: &str) -> String {
    format!("SQLLOGICTEST_{}", long.to_uppercase().replace('-', "_"))
}

/// Whether a flag may be repeated.
pub(super) fn is_list(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

/// Whether a flag takes a value.
pub(super) fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

/// Returns the arguments for a value of a flag; none if the value switches the flag off.
fn words(arg: &Arg, value: &FlagValue) -> Result<Vec<String>, FlagError> {
    let long = arg.get_long().unwrap_or_default();
    let wrong =
        |expected: &str, found: String| FlagError { expected: expected.to_owned(), found, reason: None };
    match (value, arg.get_action()) {
        (FlagValue::List(values), ArgAction::Append) => {
            Ok(values.iter().map(|value| format!("--{long}={value}")).collect())
        }
        (FlagValue::List(values), _) => Err(wrong("one value", format!("[{}]", values.join(", ")))),
        (FlagValue::One(text), ArgAction::SetTrue | ArgAction::SetFalse) => match switch(text) {
            Some(true) => Ok(vec![format!("--{long}")]),
            Some(false) => Ok(Vec::new()),
            None => Err(wrong("true or false", text.clone())),
        },
        (FlagValue::One(text), ArgAction::Count) => match (switch(text), text.parse::<u8>()) {
            (_, Ok(times)) => Ok(vec![format!("--{long}"); usize::from(times)]),
            (Some(true), _) => Ok(vec![format!("--{long}")]),
            (Some(false), _) => Ok(Vec::new()),
            (None, Err(_)) => Err(wrong("true, false or how often", text.clone())),
        },
        (FlagValue::One(text), _) => Ok(vec![format!("--{long}={text}")]),
    }
}

/// | word | |
/// |---|---|
/// | true, 1, yes | on |
/// | false, 0, no, nothing | off |
fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" | "" => Some(false),
        _ => None,
    }
}

/// Resolves a relative path of the file.
pub(super) fn from_folder(arg: &Arg, value: FlagValue, folder: &Path) -> FlagValue {
    if arg.get_value_parser().type_id() != TypeId::of::<PathBuf>() {
        return value;
    }
    match value {
        // The only value that is not a path.
        FlagValue::One(text) if text != "-" => FlagValue::One(below(folder, &text)),
        FlagValue::List(values) => FlagValue::List(values.iter().map(|value| below(folder, value)).collect()),
        other @ FlagValue::One(_) => other,
    }
}

/// Joins a folder and a path.
pub(super) fn below(folder: &Path, path: &str) -> String {
    folder.join(path).display().to_string()
}

/// Returns the arguments for a value of a flag, if clap accepts them for the command at `path`.
pub(super) fn accepted_words(
    root: &Command,
    path: &[String],
    arg: &Arg,
    value: &FlagValue,
) -> Result<Vec<String>, FlagError> {
    let words = words(arg, value)?;
    let line =
        [root.get_name().to_owned()].into_iter().chain(path.iter().cloned()).chain(words.iter().cloned());
    let error = root.clone().try_get_matches_from(line).err();
    error.as_ref().and_then(invalid_value).map_or(Ok(words), Err)
}

/// Whether a command has a flag of this name that accepts the value.
pub(super) fn suits_some(root: &Command, long: &str, value: &FlagValue) -> bool {
    configurable(root).iter().any(|(path, command)| {
        flag(command, long).is_some_and(|arg| accepted_words(root, path, arg, value).is_ok())
    })
}

/// Returns the invalid value that caused the error, if any: clap checks values before conflicts of flags.
fn invalid_value(error: &clap::Error) -> Option<FlagError> {
    if !matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) {
        return None;
    }
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let expected = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(valid)) if !valid.is_empty() => one_of(valid),
        _ => text(ContextKind::InvalidArg),
    };
    let reason = std::error::Error::source(error).map(ToString::to_string);
    Some(FlagError { expected, found: text(ContextKind::InvalidValue), reason })
}

fn one_of(words: &[String]) -> String {
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Makes all arguments optional, to show settings without running a command.
pub(in crate::cli) fn relaxed(command: Command) -> Command {
    command.mut_args(|arg| arg.required(false)).mut_subcommands(relaxed)
}
