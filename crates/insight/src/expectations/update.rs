//! What has to be expected so that a run is a good one: the file, written anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::civil::Date;

use super::{DocumentFiles, ExpectationEntry, ExpectationKind, Expectations, Scope, judge};
use slt_core::outcome::{FailingRecord, FileReport, RecordName, RunReport};
use slt_runner::text::written;

/// Above this line the file is the user's, and stays as it is.
const MARK: &str = "# Entries below this line are written by `expectations update`; entries above are kept.";

/// What new entries say besides.
#[derive(Debug, Clone, Default)]
pub struct Note {
    /// Why it fails.
    pub reason: Option<String>,
    /// Where that is discussed.
    pub issue: Option<String>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// The last day on which it holds.
    pub expires: Option<Date>,
}

/// The text of a file `about` these files with which the run is a good one, but for entries of the user that pass or have expired. `text` is the
/// file as it is, and `expectations` what it says.
///
/// Entries above the mark stay as they are. Those below it stay if they are for another engine or for files that the run
/// does not have; the others are made anew, with what they said besides.
pub fn update(
    text: &str,
    expectations: &Expectations,
    about: &DocumentFiles,
    run: &RunReport,
    today: Date,
    note: &Note,
) -> String {
    let (above, first_below) = match text.find(MARK) {
        Some(at) => (&text[..at], 1 + text[..at].matches('\n').count()),
        None => (text, usize::MAX),
    };
    let (users, ours): (Vec<_>, Vec<_>) =
        expectations.entries.iter().cloned().partition(|entry| entry.line < first_below);
    let engine = &run.header.engine.qualified_name();
    let is_replaced = |entry: &ExpectationEntry| {
        // Of what is skipped the run does not know whether it fails.
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
        entries.push(new_entry(file, about, &unexpected.records, engine, said, note));
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
        Scope::Files(files) | Scope::Records(files, _) | Scope::Cluster(Some(files), _) => &files.word,
        Scope::Cluster(None, _) => "",
    }
}

fn new_entry(
    file: &FileReport,
    about: &DocumentFiles,
    unexpected: &[usize],
    engine: &str,
    said: Option<&ExpectationEntry>,
    note: &Note,
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
    // What has no record cannot be named by one, and neither can what comes behind the end of the file.
    let as_a_whole = records.is_empty()
        || failing().any(|record| record.id.is_whole_file())
        || file.counts.not_reached > 0;
    let files = super::Files::one(about.name(&file.file));
    let of = |note: &Option<String>, said: Option<&Option<String>>| {
        note.clone().or_else(|| said.cloned().flatten())
    };
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
        scope: if as_a_whole { Scope::Files(files) } else { Scope::Records(files, records) },
        reason: of(&note.reason, said.map(|entry| &entry.reason)),
        issue: of(&note.issue, said.map(|entry| &entry.issue)),
        owner: of(&note.owner, said.map(|entry| &entry.owner)),
        expires: note.expires.or_else(|| said.and_then(|entry| entry.expires)),
    }
}

/// Writes an entry as it stands in the file.
pub fn write_entry(out: &mut String, entry: &ExpectationEntry) -> std::fmt::Result {
    writeln!(out, "\n[[{}]]", entry.what.word())?;
    let text = |out: &mut String, name: &str, value: &Option<String>| match value {
        Some(value) => writeln!(out, "{name} = {}", quoted(value)),
        None => Ok(()),
    };
    text(out, "engine", &entry.engine)?;
    match &entry.scope {
        Scope::Files(files) => writeln!(out, "file = {}", quoted(&files.word))?,
        Scope::Cluster(files, cluster) => {
            text(out, "file", &files.as_ref().map(|files| files.word.clone()))?;
            writeln!(out, "cluster = \"{cluster:016x}\"")?;
        }
        Scope::Records(files, records) => {
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
    text(out, "reason", &entry.reason)?;
    text(out, "issue", &entry.issue)?;
    text(out, "owner", &entry.owner)?;
    match entry.expires {
        Some(date) => writeln!(out, "expires = {date}"),
        None => Ok(()),
    }
}

/// A text of TOML.
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
