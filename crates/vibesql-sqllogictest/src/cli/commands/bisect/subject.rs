//! What is bisected: from `FILE[:LINE]` as it is typed to a file of a run and a record of it.

use std::path::Path;

use super::past::kind;
use super::texts::with_script;
use crate::cli::error::CliError;
use crate::cli::target::split_line;
use slt_core::executor::Settings;
use slt_core::outcome::FileReport;
use slt_runner::results::Journal;
use slt_runner::text::count::plural;

/// So many lines are named in a hint.
const MOST_LINES: usize = 3;

/// The file of a run that is meant, and the line, if one is named. A file whose name ends like a line number wins.
pub(super) fn find<'j>(word: &str, journal: &'j Journal) -> Result<(&'j FileReport, Option<u32>), CliError> {
    let (path, line) = split_line(word);
    if let Some(file) = named(word, journal) {
        return Ok((file, None));
    }
    if let Some(file) = named(path, journal) {
        return Ok((file, line));
    }
    let alike = journal.report.files.iter().filter(|file| file.file.path().contains(path)).take(MOST_LINES);
    let alike: Vec<_> = alike.map(|file| file.shown.as_str()).collect();
    let hint = match alike.as_slice() {
        [] => "run `bisect` without a file to list failures, or select another run with --run RUN".to_owned(),
        alike => format!("did you mean one of these: {}", alike.join(", ")),
    };
    let message = format!("no result of `{path}` in run `{}`", journal.opened.run);
    Err(CliError::nothing_selected(message, vec![hint]))
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

/// The place of a record in the list of those that fail in the file, by any line of it.
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
    if kind(file, place) == Some("malformed") {
        let message = format!("the record on line {line} of `{}` is malformed", file.shown);
        let hint = "its text is wrong, whatever the engine does: look where the file was changed".to_owned();
        return Err(CliError::nothing_selected(message, vec![hint]));
    }
    Ok(place)
}

/// The nearest lines that would have been right.
fn not_failing(file: &FileReport, line: u32) -> CliError {
    let lines = file.failures.iter().map(|record| record.id.line);
    let mut lines: Vec<_> = lines.filter(|&known| known > 0).collect();
    let all = lines.len();
    lines.sort_by_key(|&known| known.abs_diff(line));
    lines.truncate(MOST_LINES);
    lines.sort_unstable();
    let words: Vec<_> = lines.iter().map(u32::to_string).collect();
    let hint = match lines.as_slice() {
        [] => "all of its records that were reached have passed".to_owned(),
        near if near.len() == all => format!("records fail on these lines: {}", words.join(", ")),
        _ => {
            format!("{} fail, the nearest on these lines: {}", plural(all as u64, "record"), words.join(", "))
        }
    };
    let message = format!("no failing record on line {line} of `{}` in the run", file.shown);
    CliError::nothing_selected(message, vec![hint])
}
