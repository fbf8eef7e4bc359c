//! From the words of the command line to what they mean.

use std::collections::BTreeSet;

use std::time::Duration;

use super::args::EngineArgs;
use super::error::{CliError, ExitReason};
use crate::engine::{Engine, EngineRegistry};
use crate::executor::{DetailLimits, Options, Settings};
use crate::outcome::{Fault, FileEnd, FileProblem, FileReport, FileStatus};
use crate::parser;
use crate::text::visible::is_invisible;

/// The engine, and how to run scripts on it.
pub(super) struct Setup {
    pub(super) engine: Box<dyn Engine>,
    pub(super) settings: Settings,
}

impl Setup {
    pub(super) fn new(
        args: &EngineArgs,
        registry: &EngineRegistry,
        details: DetailLimits,
    ) -> Result<Self, CliError> {
        if let Some(dialect) = &args.dialect {
            parser::profile(dialect, args.exact)?;
        }
        let spec = match args.engine.as_deref().or(registry.default_name()) {
            Some(spec) => spec.to_owned(),
            None => return Err(CliError::no_engine()),
        };
        let engine = registry.make(&spec)?;
        let labels =
            if args.engine_name.is_empty() { engine.identity().labels } else { args.engine_name.clone() };
        let record_timeout = args.record_timeout.map(Duration::from_secs);
        let options = Options { labels, threshold: args.hash_threshold, record_timeout, details };
        let settings = Settings { engine: spec, options, dialect: args.dialect.clone(), exact: args.exact };
        Ok(Self { engine, settings })
    }
}

/// The command that runs the record at `line` of `shown` alone, and reads files and judges as this run did. `own_labels`
/// are those of the engine.
pub(super) fn repeat_command(
    program: &str,
    settings: &Settings,
    own_labels: &[String],
    shown: &str,
    line: u32,
) -> String {
    let words = repeat_words(settings, own_labels);
    let target = format!("{shown}:{line}");
    let words = [program].into_iter().chain(words.iter().map(String::as_str)).chain([target.as_str()]);
    words.map(typed_word).collect::<Vec<_>>().join(" ")
}

/// The words between the program and the file of a command that reads files and judges as a run did.
pub(super) fn repeat_words(settings: &Settings, own_labels: &[String]) -> Vec<String> {
    let options = &settings.options;
    let mut words = vec!["test".to_owned()];
    let mut flag = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
    flag("--engine", &settings.engine);
    if options.labels != own_labels {
        options.labels.iter().for_each(|name| flag("--engine-name", name));
    }
    settings.dialect.iter().for_each(|dialect| flag("--dialect", dialect));
    options.threshold.iter().for_each(|threshold| flag("--hash-threshold", &threshold.to_string()));
    options.record_timeout.iter().for_each(|time| flag("--record-timeout", &time.as_secs().to_string()));
    if settings.exact {
        words.push("--exact".to_owned());
    }
    words
}

/// Quotes a word where a POSIX shell would take it apart.
pub(super) fn shell_word(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:=+,@%".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The same for a command that a user is to type: what cannot be seen is written as bash, zsh and ksh read it.
pub(super) fn typed_word(word: &str) -> String {
    if !word.chars().any(is_invisible) {
        return shell_word(word);
    }
    let mut typed = "$'".to_owned();
    for character in word.chars() {
        match character {
            '\'' | '\\' => typed.extend(['\\', character]),
            // As bytes, which the file system has as well.
            character if is_invisible(character) => {
                let bytes = character.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("\\x{byte:02x}"));
                typed.extend(bytes);
            }
            _ => typed.push(character),
        }
    }
    typed + "'"
}

/// Why to end after these files; nothing executed at all is a reason of its own.
pub(super) fn reason(files: &[FileReport], fail_on_empty: bool) -> ExitReason {
    reason_without(files, &BTreeSet::new(), fail_on_empty)
}

/// The same, where all that is wrong with some files is expected; these are given by their places.
pub(super) fn reason_without(
    files: &[FileReport],
    expected: &BTreeSet<usize>,
    fail_on_empty: bool,
) -> ExitReason {
    let executed: u64 = files.iter().map(|file| file.counts.executed).sum();
    let start = if executed == 0 { ExitReason::NothingSelected } else { ExitReason::Success };
    let counted = files.iter().enumerate().filter(|(place, _)| !expected.contains(place));
    counted.map(|(_, file)| file_reason(file, fail_on_empty)).fold(start, ExitReason::or_graver)
}

/// | file | reason |
/// |---|---|
/// | cannot be read, or names an unknown dialect | usage |
/// | engine does not open | engine unavailable |
/// | engine or worker lost amid the file | incomplete |
/// | over the limit of time or memory | tests failed |
/// | malformed records | usage |
/// | any other record that has not passed | tests failed |
/// | nothing executed | success, or tests failed if that was asked for |
fn file_reason(file: &FileReport, fail_on_empty: bool) -> ExitReason {
    let end = match &file.end {
        FileEnd::NotStarted(FileProblem::Unreadable(_) | FileProblem::Dialect(_)) => ExitReason::Usage,
        FileEnd::NotStarted(FileProblem::Engine(_)) => ExitReason::EngineUnavailable,
        FileEnd::Faulted { fault: Fault::Lost(_) | Fault::Died { .. }, .. }
        | FileEnd::NotStarted(FileProblem::Died(_) | FileProblem::Reported) => ExitReason::Incomplete,
        FileEnd::NotStarted(FileProblem::TimedOut | FileProblem::OutOfMemory { .. })
        | FileEnd::TimedOut { .. }
        | FileEnd::Faulted { .. } => ExitReason::TestsFailed,
        FileEnd::Completed | FileEnd::Halted { .. } | FileEnd::Malformed { .. } => ExitReason::Success,
    };
    let records = if file.counts.malformed > 0 {
        ExitReason::Usage
    } else if file.counts.not_passed() > 0 || (fail_on_empty && file.status() == FileStatus::Empty) {
        ExitReason::TestsFailed
    } else {
        ExitReason::Success
    };
    end.or_graver(records)
}
