//! Commands that repeat a record, quoted for a shell.

use std::fmt::Write as _;

use super::stream;
use slt_core::executor::Settings;
use slt_core::outcome::{FileReport, RecordId};
use slt_runner::results::Journal;
use slt_runner::text::visible::is_unseen;

/// Returns the command that repeats a record of a stored run; `None` if the settings of the run are unknown.
pub(super) fn repeat_in_run(
    program: &str,
    journal: &Journal,
    file: &FileReport,
    record: &RecordId,
) -> Option<String> {
    let settings = journal.opened.settings.as_ref()?;
    repeat_command(program, settings, &journal.report.header.engine.labels, &file.shown, record)
}

/// Returns the command that runs a record of `shown` alone, with these settings; of an included file, the file that
/// includes it. `None` if it can be read only once, like standard input. `own_labels` are those of the engine.
pub(super) fn repeat_command(
    program: &str,
    settings: &Settings,
    own_labels: &[String],
    shown: &str,
    record: &RecordId,
) -> Option<String> {
    if stream::is_read_once(shown) {
        return None;
    }
    let words = repeat_words(settings, own_labels);
    let target = match record.source {
        None => format!("{shown}:{}", record.line),
        Some(_) => shown.to_owned(),
    };
    let words = [program].into_iter().chain(words.iter().map(String::as_str)).chain([target.as_str()]);
    Some(words.map(shell_word).collect::<Vec<_>>().join(" "))
}

/// Returns the arguments of a command with these settings, without the file.
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
    if settings.permissions.shell {
        words.push("--allow-shell".to_owned());
    }
    if settings.permissions.outside {
        words.push("--allow-outside".to_owned());
    }
    words
}

/// Quotes a word for a POSIX shell, if necessary.
pub(super) fn shell_word(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:=+,@%".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else if word.contains(is_unseen) {
        // Escapes that the shell turns into the characters again, so that the command stays on one line.
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
