//! From the words of the command line to what they mean.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use super::args::EngineArgs;
use super::error::{CliError, ExitReason};
use super::stream;
use slt_core::engine::{Engine, EngineIdentity, EngineRegistry};
use slt_core::executor::{DetailLimits, Options, Settings};
use slt_core::outcome::{Fault, FileEnd, FileProblem, FileReport, FileStatus, FlakyResult, RecordId};
use slt_core::parser;
use slt_runner::text::visible::is_unseen;

/// The engine, and how to run scripts on it.
pub(super) struct Setup {
    pub(super) engine: EngineIdentity,
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
        let (spec, engine) = engine_of(args.engine.as_deref(), registry)?;
        let engine = engine.describe()?;
        let labels =
            if args.engine_name.is_empty() { engine.labels.clone() } else { args.engine_name.clone() };
        let record_timeout = args.record_timeout.map(Duration::from_secs);
        let options = Options { labels, threshold: args.hash_threshold, record_timeout, details };
        let settings = Settings { engine: spec, options, dialect: args.dialect.clone(), exact: args.exact };
        Ok(Self { engine, settings })
    }
}

/// The engine that a word means, or the first one; with the word.
pub(super) fn engine_of(
    word: Option<&str>,
    registry: &EngineRegistry,
) -> Result<(String, Box<dyn Engine>), CliError> {
    let word = word.or(registry.default_name()).ok_or_else(CliError::no_engine)?;
    Ok((word.to_owned(), registry.make(word)?))
}

/// The command that runs a record of `shown` alone, and reads files and judges as this run did. A record of an included
/// file is run with the file that includes it. `own_labels` are those of the engine.
pub(super) fn repeat_command(
    program: &str,
    settings: &Settings,
    own_labels: &[String],
    shown: &str,
    record: &RecordId,
) -> String {
    let words = repeat_words(settings, own_labels);
    let target = match record.source {
        None => format!("{}:{}", stream::typed(shown), record.line),
        Some(_) => stream::typed(shown).to_string(),
    };
    let words = [program].into_iter().chain(words.iter().map(String::as_str)).chain([target.as_str()]);
    words.map(shell_word).collect::<Vec<_>>().join(" ")
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
    } else if word.contains(is_unseen) {
        // What a shell makes the characters of again, without an end of the line amid a command.
        let escaped = word.chars().fold(String::new(), |mut escaped, character| {
            match character {
                '\n' => escaped.push_str("\\n"),
                '\\' | '\'' => escaped.extend(['\\', character]),
                _ if !is_unseen(character) => escaped.push(character),
                // Writing to a string cannot fail.
                '\0'..='\x7f' => drop(write!(escaped, "\\{:03o}", u32::from(character))),
                _ => drop(write!(escaped, "\\U{:08x}", u32::from(character))),
            }
            escaped
        });
        format!("$'{escaped}'")
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// How strictly files are judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// Files in which nothing is executed fail.
    pub(super) fail_on_empty: bool,
    /// What flaky files count as.
    pub(super) flaky: FlakyResult,
}

/// Why to end after these files; nothing executed at all is a reason of its own.
pub(super) fn reason(files: &[FileReport], rules: Rules) -> ExitReason {
    reason_without(files, &BTreeSet::new(), rules)
}

/// The same, where all that is wrong with some files is expected; these are given by their places.
pub(super) fn reason_without(files: &[FileReport], expected: &BTreeSet<usize>, rules: Rules) -> ExitReason {
    let executed: u64 = files.iter().map(|file| file.counts.executed).sum();
    let start = if executed == 0 { ExitReason::NothingSelected } else { ExitReason::Success };
    let counted = files.iter().enumerate().filter(|(place, _)| !expected.contains(place));
    counted.map(|(_, file)| file_reason(file, rules)).fold(start, ExitReason::or_graver)
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
/// | passed in the end, but is flaky | success, or tests failed if that was asked for |
fn file_reason(file: &FileReport, rules: Rules) -> ExitReason {
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
    } else if file.counts.not_passed() > 0
        || (rules.fail_on_empty && file.status() == FileStatus::Empty)
        || (rules.flaky == FlakyResult::Fail && file.status() == FileStatus::Flaky)
    {
        ExitReason::TestsFailed
    } else {
        ExitReason::Success
    };
    end.or_graver(records)
}
