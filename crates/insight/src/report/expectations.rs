//! Formats the comparison of a run with its expectations.

use std::fmt::{self, Write};

use super::subject::ExpectedFailures;
use crate::expectations::{EntryDetails, ExpectationEntry, Expectations, Judgement, UnexpectedPass};
use slt_core::outcome::{RecordName, RunReport};
use slt_runner::text::count::plural;
use slt_runner::text::style::Role;
use slt_runner::text::visible::one_line;

/// The number of items to list in each section.
const LISTED: usize = 10;
/// The maximum number of listed lines of a file.
const LINES: usize = 8;

/// Writes expected and unexpected failures, and the entries that need attention.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(
    out: &mut impl Write,
    run: &RunReport,
    expectations: &Expectations,
    judgement: &Judgement,
) -> fmt::Result {
    if judgement.expected > 0 || !judgement.expected_files.is_empty() {
        let records = plural(judgement.expected, "record");
        let files = match judgement.expected_files.len() as u64 {
            0 => String::new(),
            files => format!(", and nothing else in {}", plural(files, "file")),
        };
        writeln!(out, "expected to fail: {records}{files}")?;
    }
    let unexpected = judgement.unexpected.iter().map(|one| {
        let file = &run.files[one.file];
        let failing = one.records.iter().map(|&place| file.failures[place].id.to_string());
        let lines: Vec<_> = failing.take(LINES).collect();
        let more = one.records.len().saturating_sub(LINES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        match lines.as_slice() {
            [] => one_line(&file.shown).into_owned(),
            lines => format!("{}: line {}{more}", one_line(&file.shown), lines.join(", ")),
        }
    });
    list(out, "not expected", unexpected)?;
    let passes = judgement.passes.iter().map(|passes| {
        let entry = &expectations.entries[passes.entry];
        format!("{} ({})", what_passes(passes), place(entry))
    });
    list(out, "expected to fail, but does not fail", passes)?;
    let about = |places: &[usize]| {
        places.iter().map(|place| described(&expectations.entries[*place])).collect::<Vec<_>>()
    };
    list(out, "expired", about(&judgement.expired).into_iter())?;
    list(out, "matching no file or record of this run", about(&judgement.unused).into_iter())?;
    let verdict = match judgement.is_good() {
        true if run.untested() > 0 => Role::Warn.paint("INCOMPLETE, as expected so far"),
        true => Role::Pass.paint("AS EXPECTED"),
        false => Role::Fail.paint("NOT AS EXPECTED"),
    };
    writeln!(out, "{verdict}")
}

fn list(out: &mut impl Write, title: &str, entries: impl ExactSizeIterator<Item = String>) -> fmt::Result {
    let count = entries.len();
    if count == 0 {
        return Ok(());
    }
    writeln!(out, "{title}:")?;
    entries.take(LISTED).try_for_each(|entry| writeln!(out, "  {entry}"))?;
    match count.saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more"),
    }
}

/// Entries that need attention.
pub struct ExpectationNotes {
    /// The heading.
    pub title: &'static str,
    /// The entries, as text.
    pub entries: Vec<String>,
    /// Whether the run is not as expected because of them.
    pub matters: bool,
}

impl ExpectedFailures<'_> {
    /// Returns whether a failing record, or the file as a whole, is expected to fail. Both are given by their places.
    pub fn covers(&self, file: usize, record: Option<usize>) -> bool {
        let unexpected = &self.judgement.unexpected;
        match unexpected.binary_search_by_key(&file, |one| one.file) {
            Ok(place) => {
                record.is_some_and(|record| unexpected[place].records.binary_search(&record).is_err())
            }
            Err(_) => self.covers_all(file),
        }
    }

    /// Returns whether the file at this place failed and all its failures are expected.
    pub fn covers_all(&self, file: usize) -> bool {
        self.judgement.expected_files.contains(&file)
    }

    /// Describes the numbers of expected and unexpected failures.
    pub fn sentence(&self) -> String {
        let judgement = self.judgement;
        let expected = match judgement.expected {
            1 => "1 failing record is expected to fail".to_owned(),
            count => format!("{} are expected to fail", plural(count, "failing record")),
        };
        let records: usize = judgement.unexpected.iter().map(|one| one.records.len()).sum();
        let wholes = judgement.unexpected.iter().filter(|one| one.records.is_empty()).count();
        let files = plural((judgement.unexpected.len() - wholes) as u64, "file");
        let records = (records > 0).then(|| format!("{} in {files}", plural(records as u64, "record")));
        let wholes = (wholes > 0).then(|| format!("{} as a whole", plural(wholes as u64, "file")));
        let unexpected: Vec<_> = records.into_iter().chain(wholes).collect();
        match unexpected.is_empty() {
            true => format!("{expected}, and nothing else fails"),
            false => format!("{expected}; not expected: {}", unexpected.join(", ")),
        }
    }

    /// Returns unexpected passes, expired entries and unused entries, without empty groups.
    pub fn notes(&self) -> Vec<ExpectationNotes> {
        let entries = &self.expectations.entries;
        let passes = self.judgement.passes.iter().map(|passes| {
            let entry = &entries[passes.entry];
            format!("{} ({})", what_passes(passes), described(entry))
        });
        let about = |places: &[usize]| places.iter().map(|place| described(&entries[*place])).collect();
        let all = [
            ("expected to fail, but does not fail", passes.collect(), true),
            ("expired", about(&self.judgement.expired), true),
            ("about nothing in this run", about(&self.judgement.unused), false),
        ];
        let notes = all.into_iter().map(|(title, entries, matters): (_, Vec<_>, _)| ExpectationNotes {
            title,
            entries,
            matters,
        });
        notes.filter(|notes| !notes.entries.is_empty()).collect()
    }
}

/// Describes an unexpected pass.
fn what_passes(passes: &UnexpectedPass) -> String {
    let records: Vec<_> = passes.records.iter().take(LINES).map(|record| record_name(*record)).collect();
    let more = passes.records.len().saturating_sub(LINES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    match (&passes.file, records.as_slice()) {
        (Some(file), []) => file.clone(),
        (Some(file), records) => format!("{file}: {}{more}", records.join(", ")),
        (None, _) => "a kind of failure that nothing fails with".to_owned(),
    }
}

fn record_name(record: RecordName) -> String {
    match record {
        RecordName::Line(line) => format!("line {line}"),
        RecordName::Key(key) => format!("record {key:016x}"),
    }
}

/// Returns the location of an entry.
fn place(entry: &ExpectationEntry) -> String {
    format!("{}:{}", entry.document, entry.line)
}

/// Describes an entry: location, expiry date and reason.
fn described(entry: &ExpectationEntry) -> String {
    let EntryDetails { reason, issue, owner, expires } = &entry.details;
    let day = expires.map(|day| format!(" {day}")).unwrap_or_default();
    let details: Vec<_> = [reason, issue, owner].into_iter().flatten().map(String::as_str).collect();
    let details = if details.is_empty() { String::new() } else { format!(": {}", details.join(", ")) };
    format!("{}{day}{details}", place(entry))
}
