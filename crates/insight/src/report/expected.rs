//! What is expected to fail, in the documents of a run.

use super::subject::Expected;
use crate::expectations::{ExpectationEntry, Passes};
use slt_core::outcome::RecordName;
use slt_runner::text::count::plural;

/// So many lines of a file are listed.
pub(super) const LINES: usize = 8;

/// What has to be done about entries.
pub struct Notes {
    /// What they have in common.
    pub title: &'static str,
    pub entries: Vec<String>,
    /// Whether they keep the run from being as expected.
    pub matters: bool,
}

impl Expected<'_> {
    /// Whether the failing record at this place of the file at this place is expected to fail, or else the file as a whole.
    pub fn covers(&self, file: usize, record: Option<usize>) -> bool {
        let unexpected = &self.judgement.unexpected;
        match unexpected.binary_search_by_key(&file, |one| one.file) {
            Ok(place) => {
                record.is_some_and(|record| unexpected[place].records.binary_search(&record).is_err())
            }
            Err(_) => self.covers_all(file),
        }
    }

    /// Whether the file at this place has not passed, as is expected of all of it.
    pub fn covers_all(&self, file: usize) -> bool {
        self.judgement.expected_files.contains(&file)
    }

    /// How many failures are expected, and how many are not.
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

    /// What passes though it is expected to fail, what has expired, and what is about nothing; what there is none of is left
    /// out.
    pub fn notes(&self) -> Vec<Notes> {
        let entries = &self.expectations.entries;
        let passes = self.judgement.passes.iter().map(|passes| {
            let entry = &entries[passes.entry];
            format!("{} ({})", what_passes(passes), described(entry))
        });
        let about = |places: &[usize]| places.iter().map(|place| described(&entries[*place])).collect();
        let all = [
            ("expected to fail, but passes", passes.collect(), true),
            ("expired", about(&self.judgement.expired), true),
            ("about nothing in this run", about(&self.judgement.unused), false),
        ];
        let notes = all.into_iter().map(|(title, entries, matters): (_, Vec<_>, _)| Notes {
            title,
            entries,
            matters,
        });
        notes.filter(|notes| !notes.entries.is_empty()).collect()
    }
}

/// What passes though it is expected to fail.
pub(super) fn what_passes(passes: &Passes) -> String {
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

/// Where an entry is.
pub(super) fn place(entry: &ExpectationEntry) -> String {
    format!("{}:{}", entry.document, entry.line)
}

/// Where an entry is, until when it holds, and what is said of it.
pub(super) fn described(entry: &ExpectationEntry) -> String {
    let day = entry.expires.map(|day| format!(" {day}")).unwrap_or_default();
    let said = [&entry.reason, &entry.issue, &entry.owner].into_iter().flatten().cloned().collect::<Vec<_>>();
    let said = if said.is_empty() { String::new() } else { format!(": {}", said.join(", ")) };
    format!("{}{day}{said}", place(entry))
}
