//! What the definitions of the command line say about flags: their names elsewhere, and which values they take.

use std::any::TypeId;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};

/// Flags that choose where settings come from. The file cannot have them.
pub(super) const SELECTORS: &[&str] =
    &["config", "no-config", "profile", "suite", "suite-name", "resume", "join"];

/// Commands that are about this program, and run nothing.
const ABOUT_ITSELF: &[&str] = &["config", "completions", "man", "help"];

/// Commands that import or export results: the files that they read and write are typed each time.
const CARRIERS: &[&[&str]] = &[
    &["report"],
    &["store", "backup"],
    &["store", "restore"],
    &["store", "import"],
    &["store", "export"],
    &["store", "merge"],
];

/// A value as the environment or the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FlagValue {
    One(String),
    List(Vec<String>),
}

/// A value that a flag does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found `{found}`{}", reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default())]
pub(in crate::cli) struct FlagError {
    pub(super) expected: String,
    pub(super) found: String,
    pub(super) reason: Option<String>,
}

/// What may configure a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConfigScope {
    /// Nothing: it is started by this program, with all that it needs.
    Nothing,
    /// The environment, and only the options that all commands have.
    Globals,
    /// Environment and file, and only the options that all commands have.
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

/// The command at the end of a path.
pub(super) fn command_at<'c>(root: &'c Command, path: &[String]) -> Option<&'c Command> {
    path.iter().try_fold(root, |command, name| command.find_subcommand(name))
}

/// All commands that can be configured by the file, with their paths.
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

/// The flags of a command that carry a setting; hidden ones are for tests.
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

/// The flag of a command with this long name.
pub(super) fn flag<'c>(command: &'c Command, long: &str) -> Option<&'c Arg> {
    flags(command).find(|(name, _)| *name == long).map(|(_, arg)| arg)
}

/// The environment variable of a flag.
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

/// What is to be typed for a value of a flag; nothing where it switches the flag off.
pub(super) fn words(arg: &Arg, value: &FlagValue) -> Result<Vec<String>, FlagError> {
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

/// Takes a relative path of the file's for what it means from here.
pub(super) fn from_folder(arg: &Arg, value: FlagValue, folder: &Path) -> FlagValue {
    if arg.get_value_parser().type_id() != TypeId::of::<PathBuf>() {
        return value;
    }
    match value {
        // The one word that is no path where a path is wanted.
        FlagValue::One(text) if text != "-" => FlagValue::One(below(folder, &text)),
        FlagValue::List(values) => FlagValue::List(values.iter().map(|value| below(folder, value)).collect()),
        other @ FlagValue::One(_) => other,
    }
}

/// A path that is relative to a folder.
pub(super) fn below(folder: &Path, path: &str) -> String {
    folder.join(path).display().to_string()
}

/// Whether clap takes what `words` has typed for the command at `path`.
pub(super) fn check(root: &Command, path: &[String], words: &[String]) -> Result<(), FlagError> {
    let line =
        [root.get_name().to_owned()].into_iter().chain(path.iter().cloned()).chain(words.iter().cloned());
    match root.clone().try_get_matches_from(line) {
        Err(error) => is_about_a_value(&error).map_or(Ok(()), Err),
        Ok(_) => Ok(()),
    }
}

/// Whether there is a command whose flag of this name takes the value: then it is meant for that one.
pub(super) fn suits_some(root: &Command, long: &str, value: &FlagValue) -> bool {
    configurable(root).iter().any(|(path, command)| {
        let takes = |arg| words(arg, value).and_then(|words| check(root, path, &words)).is_ok();
        flag(command, long).is_some_and(takes)
    })
}

/// The value that is wrong, if that is the error: values are looked at before anything that concerns several flags.
fn is_about_a_value(error: &clap::Error) -> Option<FlagError> {
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

/// The same commands, in which nothing has to be typed: for looking at settings without running anything.
pub(in crate::cli) fn relaxed(command: Command) -> Command {
    command.mut_args(|arg| arg.required(false)).mut_subcommands(relaxed)
}
