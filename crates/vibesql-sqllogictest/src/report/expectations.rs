//! What a run is worth in the light of what is expected, in words.

use std::fmt::{self, Write};

use crate::expectations::{Entry, Expectations, Judgement, Passes};
use crate::outcome::{RecordName, RunReport};
use crate::text::count::plural;
use crate::text::style::Role;

/// So many of each are listed.
const LISTED: usize = 10;
/// So many lines of a file are listed.
const LINES: usize = 8;

/// Writes what is expected and what is not, and what has to be done about the entries.
///
/// # Errors
///
/// Only those of `out`.
pub(crate) fn write(
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
        let lines: Vec<_> = one.lines.iter().take(LINES).map(u32::to_string).collect();
        let more = one.lines.len().saturating_sub(LINES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        match lines.as_slice() {
            [] => file.shown.clone(),
            lines => format!("{}: line {}{more}", file.shown, lines.join(", ")),
        }
    });
    list(out, "not expected", unexpected)?;
    let passes = judgement.passes.iter().map(|passes| {
        let entry = &expectations.entries[passes.entry];
        format!("{} ({})", what_passes(passes), place(entry))
    });
    list(out, "expected to fail, and passes", passes)?;
    let about = |places: &[usize]| {
        places.iter().map(|place| described(&expectations.entries[*place])).collect::<Vec<_>>()
    };
    list(out, "expired", about(&judgement.expired).into_iter())?;
    list(out, "about no file or record of this run", about(&judgement.unused).into_iter())?;
    let verdict = match judgement.is_good() {
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

fn what_passes(passes: &Passes) -> String {
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

fn place(entry: &Entry) -> String {
    format!("{}:{}", entry.document, entry.line)
}

fn described(entry: &Entry) -> String {
    let day = entry.expires.map(|day| format!(" {day}")).unwrap_or_default();
    let said = [&entry.reason, &entry.issue, &entry.owner].into_iter().flatten().cloned().collect::<Vec<_>>();
    let said = if said.is_empty() { String::new() } else { format!(": {}", said.join(", ")) };
    format!("{}{day}{said}", place(entry))
}
