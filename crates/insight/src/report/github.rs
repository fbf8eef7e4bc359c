//! Annotations of GitHub Actions: commands in the output of a step, which GitHub shows next to the lines of a file.

use std::collections::HashSet;
use std::fmt::{self, Write as _};

use super::failure::{TextLimits, write_evidence};
use super::subject::{ExpectedFailures, Subject, account, clipped};
use crate::regression::{RecordChange, RecordDiff};
use slt_core::outcome::{DetailedFailure, FailingRecord, FileReport, RecordId};
use slt_runner::text::count::plural;
use slt_runner::text::failure::headline;
use slt_runner::text::visible::{escaped, one_line};
use slt_runner::text::written;

/// The maximum number of named untested files.
const MOST_NAMES: usize = 10;
const LIMITS: TextLimits = TextLimits { characters: 400, values: 120 };

/// Writes annotations.
///
/// First comes a warning about untested files. Then come up to `most` unexpected failures, regressions first and one of
/// each file before the second ones, and the number of the others. Last come unexpected passes and expired entries.
/// `path` maps a file to its path in the repository.
///
/// # Errors
///
/// Returns the errors of `out`.
pub fn annotations(
    out: &mut String,
    subject: &Subject<'_>,
    most: usize,
    path: &dyn Fn(&FileReport) -> Option<String>,
) -> fmt::Result {
    write_untested(out, subject)?;
    let notes = notes(subject);
    for &(file, place) in notes.iter().take(most) {
        let file = &subject.report.files[file];
        write_one(out, subject, file, place, path(file).as_deref())?;
    }
    let entries = subject.expected.iter().flat_map(ExpectedFailures::notes).filter(|notes| notes.matters);
    let entries: Vec<_> =
        entries.flat_map(|notes| notes.entries.into_iter().map(move |entry| (notes.title, entry))).collect();
    for (title, entry) in entries.iter().take(most.saturating_sub(notes.len())) {
        writeln!(out, "::error title={}::{}", property(title), data(entry))?;
    }
    match (notes.len() + entries.len()).saturating_sub(most) {
        0 => Ok(()),
        more => {
            let message = format!("and {} without an annotation", plural(more as u64, "more failure"));
            writeln!(out, "::notice title=SQLLogicTest::{}", data(&message))
        }
    }
}

/// This comes first, because an incomplete run may have no other annotation.
fn write_untested(out: &mut String, subject: &Subject<'_>) -> fmt::Result {
    let count = subject.report.untested();
    if count == 0 {
        return Ok(());
    }
    let (files, why) = (plural(count, "file"), subject.state_text());
    let names: Vec<_> = subject.untested.iter().take(MOST_NAMES).copied().collect();
    let more = if names.len() < count as usize && !names.is_empty() { ", …" } else { "" };
    let names = names.iter().map(|name| one_line(name)).collect::<Vec<_>>().join(", ");
    let title = format!("SQLLogicTest {}", subject.verdict());
    let text = format!("{files} not tested ({why}): {names}{more}");
    writeln!(out, "::warning title={}::{}", property(&title), data(text.trim_end_matches([':', ' '])))
}

/// Returns the failing records of all files by their places, or the file as a whole.
fn notes(subject: &Subject<'_>) -> Vec<(usize, Option<usize>)> {
    let changes = subject.changes();
    let mut notes = Vec::new();
    for (number, file) in subject.report.files.iter().enumerate().filter(|(_, file)| !file.status().is_good())
    {
        let whole = file.failures.is_empty().then_some(None);
        let records = whole.into_iter().chain((0..file.failures.len()).map(Some));
        let told = records.filter(|place| !subject.is_expected(number, *place));
        let regressed: HashSet<&RecordId> = changes[number]
            .iter()
            .flat_map(|file| file.with(|change| change == RecordChange::Regressed))
            .filter_map(RecordDiff::id)
            .collect();
        let mut turns = [0, 0];
        for place in told {
            let is_old = place.is_none_or(|place| !regressed.contains(&file.failures[place].id));
            let turn = &mut turns[usize::from(is_old)];
            notes.push((is_old, *turn, number, place));
            *turn += 1;
        }
    }
    notes.sort_unstable();
    notes.into_iter().map(|(_, _, number, place)| (number, place)).collect()
}

fn write_one(
    out: &mut String,
    subject: &Subject<'_>,
    file: &FileReport,
    place: Option<usize>,
    path: Option<&str>,
) -> fmt::Result {
    let record = place.map(|place| &file.failures[place]);
    let id = record.map(|record| &record.id).filter(|id| !id.is_whole_file());
    let detail = record.and_then(FailingRecord::detailed);
    // A file that passed in the end is only a warning.
    let level = if subject.report.header.is_good(file) { "warning" } else { "error" };
    let (title, text) = match detail {
        Some(detail) => (headline(detail.problem), text_of(subject, file, detail)),
        None => {
            let again = id.and_then(|id| (subject.again)(file, id));
            let again = again.map_or_else(String::new, |again| format!("\nagain: {again}"));
            (format!("{} {}", file.status().label(), file.file), format!("{}{again}", account(file)))
        }
    };
    let mut properties = Vec::new();
    if let Some(path) = path {
        properties.push(format!("file={}", property(path)));
        properties.extend(id.filter(|id| id.source.is_none()).map(|id| format!("line={}", id.line)));
    }
    properties.push(format!("title={}", property(&clipped(&title, LIMITS.values))));
    let place = id.map_or_else(|| file.shown.clone(), |id| format!("{}:{id}", file.shown));
    writeln!(out, "::{level} {}::{}", properties.join(","), data(&format!("{place}\n{text}")))
}

fn text_of(subject: &Subject<'_>, file: &FileReport, detail: DetailedFailure<'_>) -> String {
    let text = written(|out| {
        writeln!(out, "{}", clipped(detail.sql, LIMITS.characters))?;
        write_evidence(out, detail, LIMITS)?;
        (subject.again)(file, detail.id).map_or(Ok(()), |again| writeln!(out, "again: {again}"))
    });
    text.trim_end().to_owned()
}

/// Escapes the text after the second pair of colons, like GitHub's own toolkit.
fn data(text: &str) -> String {
    escaped(text).replace('%', "%25").replace('\n', "%0A")
}

/// Escapes the value of a property, which ends at a comma or a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_or_begins_another() {
        assert_eq!(data("100%\r\n::set-output name=x::y"), "100%25\\r%0A::set-output name=x::y");
        assert_eq!(property("a:b,c%"), "a%3Ab%2Cc%25");
    }
}
