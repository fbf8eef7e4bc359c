//! Resolves a typed `FILE[:LINE]` to a file and a record of a run.

use std::path::Path;

use super::past::kind;
use super::texts::with_script;
use crate::cli::error::CliError;
use crate::cli::target::split_line;
use slt_core::executor::Settings;
use slt_core::outcome::FileReport;
use slt_runner::results::Journal;
use slt_runner::text::count::plural;

/// The number of lines or files in a hint.
const MOST_LINES: usize = 3;

/// Returns the named file of a run, and the named line. A file whose name ends like a line number takes precedence.
pub(super) fn find<'j>(word: &str, journal: &'j Journal) -> Result<(&'j FileReport, Option<u32>), CliError> {
    let (path, line) = split_line(word);
    if let Some(file) = named(word, journal) {
        return Ok((file, None));
    }
    if let Some(file) = named(path, journal) {
        return Ok((file, line));
    }
    let otherwise = "run `bisect` without a file to list failures, or select another run with --run RUN";
    Err(no_result(path, journal, otherwise))
}

/// Returns the error for a file without a result in the run; the hint is `otherwise` if no file has a similar name.
pub(in crate::cli::commands) fn no_result(name: &str, journal: &Journal, otherwise: &str) -> CliError {
    let alike = journal.report.files.iter().filter(|file| file.file.path().contains(name)).take(MOST_LINES);
    let alike: Vec<_> = alike.map(|file| file.file.path()).collect();
    let hint = match alike.as_slice() {
        [] => otherwise.to_owned(),
        alike => format!("did you mean one of these: {}", alike.join(", ")),
    };
    CliError::nothing_selected(format!("no result of `{name}` in run `{}`", journal.opened.run), hint)
}

fn named<'j>(name: &str, journal: &'j Journal) -> Option<&'j FileReport> {
    let files = &journal.report.files;
    if let Some(file) =
        files.iter().find(|file| file.shown == name || [file.file.path(), file.file.key()].contains(&name))
    {
        return Some(file);
    }
    let place = Path::new(name).canonicalize().ok()?;
    files.iter().find(|file| journal.opened.places.get(&file.file) == Some(&place))
}

/// Returns the index of the failing record that contains a line.
pub(super) fn failing(
    file: &FileReport,
    line: u32,
    text: Option<&[u8]>,
    settings: &Settings,
) -> Result<usize, CliError> {
    let place_of = |line: u32| file.failures.iter().position(|record| record.id.is_on(line));
    let header = || {
        let script = |text: &[u8]| {
            let of = |script: &slt_core::parser::Script<'_>| script.record_at(line).map(|record| record.line);
            with_script(&file.shown, text.to_vec(), settings, of)
        };
        text.and_then(script).flatten()
    };
    let place = place_of(line).or_else(|| header().and_then(place_of));
    let place = place.ok_or_else(|| not_failing(file, line))?;
    if kind(file, Some(place)) == "malformed" {
        let message = format!("the record on line {line} of `{}` is malformed", file.shown);
        let hint = "its text is wrong, not the engine: find the commit that changed the file";
        return Err(CliError::nothing_selected(message, hint));
    }
    Ok(place)
}

/// Returns the error for a line without a failing record, with the nearest lines of failures.
fn not_failing(file: &FileReport, line: u32) -> CliError {
    let lines = file.failures.iter().map(|record| record.id.line);
    let mut lines: Vec<_> = lines.filter(|&known| known > 0).collect();
    let all = lines.len();
    lines.sort_by_key(|&known| known.abs_diff(line));
    lines.truncate(MOST_LINES);
    lines.sort_unstable();
    let words: Vec<_> = lines.iter().map(u32::to_string).collect();
    let hint = match lines.as_slice() {
        [] => "all executed records of the file passed".to_owned(),
        near if near.len() == all => format!("records fail on these lines: {}", words.join(", ")),
        _ => {
            format!("{} fail, the nearest on these lines: {}", plural(all as u64, "record"), words.join(", "))
        }
    };
    let message = format!("no failing record on line {line} of `{}` in the run", file.shown);
    CliError::nothing_selected(message, hint)
}
