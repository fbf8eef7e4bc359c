//! Updates the file so that the run is as expected.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::civil::Date;

use super::{
    DocumentFiles, EntryDetails, ExpectationEntry, ExpectationKind, ExpectationScope, Expectations, judge,
};
use slt_core::outcome::{FailingRecord, FileReport, RecordName, RunReport};
use slt_runner::text::written;

/// The file above this line belongs to the user, and is not changed.
const MARK: &str = "# Entries below this line are written by `expectations update`; entries above are kept.";

/// Returns the text of an expectations file with which the run is as expected, except for passing or expired entries of
/// the user. `text` is the present file, `expectations` its content, and `about` its test files.
///
/// Entries above the mark do not change. Entries below it are kept if they are for another engine or for files that the
/// run does not have; the others are replaced, and their details are kept.
pub fn update(
    text: &str,
    expectations: &Expectations,
    about: &DocumentFiles,
    run: &RunReport,
    today: Date,
    details: &EntryDetails,
) -> String {
    let (above, first_below) = match text.find(MARK) {
        Some(at) => (&text[..at], 1 + text[..at].matches('\n').count()),
        None => (text, usize::MAX),
    };
    let (users, ours): (Vec<_>, Vec<_>) =
        expectations.entries.iter().cloned().partition(|entry| entry.line < first_below);
    let engine = &run.header.engine.qualified_name();
    let is_replaced = |entry: &ExpectationEntry| {
        // The outcome of skipped records is unknown.
        entry.what != ExpectationKind::Skip
            && entry.engine.as_deref() == Some(engine)
            && run.files.iter().any(|file| entry.is_about(&file.file))
    };
    let (old, kept): (Vec<_>, Vec<_>) = ours.into_iter().partition(is_replaced);
    let covered = Expectations { entries: users.into_iter().chain(kept.iter().cloned()).collect() };
    let mut entries = kept;
    for unexpected in judge(&covered, run, today, true).unexpected {
        let file = &run.files[unexpected.file];
        let said = old.iter().find(|entry| entry.is_about(&file.file) && !entry.has_expired(today));
        entries.push(new_entry(file, about, &unexpected.records, engine, said, details));
    }
    entries.sort_by(|one, other| (&one.engine, word(one)).cmp(&(&other.engine, word(other))));
    let mut out = above.to_owned();
    if !out.is_empty() && !out.ends_with("\n\n") {
        out.push_str(if out.ends_with('\n') { "\n" } else { "\n\n" });
    }
    out.push_str(MARK);
    out.push('\n');
    for entry in &entries {
        out += &written(|out| write_entry(out, entry));
    }
    out
}

fn word(entry: &ExpectationEntry) -> &str {
    match &entry.scope {
        ExpectationScope::Files(files)
        | ExpectationScope::Records(files, _)
        | ExpectationScope::Cluster(Some(files), _) => &files.word,
        ExpectationScope::Cluster(None, _) => "",
    }
}

fn new_entry(
    file: &FileReport,
    about: &DocumentFiles,
    unexpected: &[usize],
    engine: &str,
    said: Option<&ExpectationEntry>,
    details: &EntryDetails,
) -> ExpectationEntry {
    let is_flaky = file.last_status().is_good();
    let failing = || unexpected.iter().map(|&place| &file.failures[place]);
    let records: Vec<_> = if is_flaky {
        let failed = file.attempts.iter().filter_map(|attempt| attempt.first.as_ref());
        failed
            .map(|record| record.id.line)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .map(RecordName::Line)
            .collect()
    } else {
        failing().map(FailingRecord::name).collect()
    };
    // A file without a failing record can only be covered as a whole, and so can records after its end.
    let as_a_whole = records.is_empty()
        || failing().any(|record| record.id.is_whole_file())
        || file.counts.not_reached > 0;
    let files = super::FileMatcher::one(about.name(&file.file));
    let old = said.map(|entry| entry.details.clone()).unwrap_or_default();
    ExpectationEntry {
        document: Arc::from(""),
        line: 0,
        files: about.clone(),
        what: if is_flaky {
            ExpectationKind::Flaky
        } else {
            said.map_or(ExpectationKind::Xfail, |entry| entry.what)
        },
        engine: Some(engine.to_owned()),
        scope: if as_a_whole {
            ExpectationScope::Files(files)
        } else {
            ExpectationScope::Records(files, records)
        },
        details: EntryDetails {
            reason: details.reason.clone().or(old.reason),
            issue: details.issue.clone().or(old.issue),
            owner: details.owner.clone().or(old.owner),
            expires: details.expires.or(old.expires),
        },
    }
}

/// Writes an entry in the format of the file.
pub fn write_entry(out: &mut String, entry: &ExpectationEntry) -> std::fmt::Result {
    writeln!(out, "\n[[{}]]", entry.what.word())?;
    let text = |out: &mut String, name: &str, value: &Option<String>| match value {
        Some(value) => writeln!(out, "{name} = {}", quoted(value)),
        None => Ok(()),
    };
    text(out, "engine", &entry.engine)?;
    match &entry.scope {
        ExpectationScope::Files(files) => writeln!(out, "file = {}", quoted(&files.word))?,
        ExpectationScope::Cluster(files, cluster) => {
            text(out, "file", &files.as_ref().map(|files| files.word.clone()))?;
            writeln!(out, "cluster = \"{cluster:016x}\"")?;
        }
        ExpectationScope::Records(files, records) => {
            writeln!(out, "file = {}", quoted(&files.word))?;
            out.push_str("records = [");
            for (place, record) in records.iter().enumerate() {
                out.push_str(if place == 0 {
                    ""
                } else if place % 5 == 0 {
                    ",\n    "
                } else {
                    ", "
                });
                match record {
                    RecordName::Key(key) => write!(out, "\"{key:016x}\"")?,
                    RecordName::Line(line) => write!(out, "{line}")?,
                }
            }
            out.push_str("]\n");
        }
    }
    text(out, "reason", &entry.details.reason)?;
    text(out, "issue", &entry.details.issue)?;
    text(out, "owner", &entry.details.owner)?;
    match entry.details.expires {
        Some(date) => writeln!(out, "expires = {date}"),
        None => Ok(()),
    }
}

/// Formats a TOML string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for sign in text.chars() {
        match sign {
            '"' | '\\' => out.extend(['\\', sign]),
            sign if sign.is_control() => out.extend(format!("\\u{:04x}", u32::from(sign)).chars()),
            sign => out.push(sign),
        }
    }
    out.push('"');
    out
}
