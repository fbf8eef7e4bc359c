//! What is expected to fail, in the documents of a run.

use super::expectations::{described, what_passes};
use super::subject::Expected;
use crate::text::count::plural;

/// What has to be done about entries.
pub(crate) struct Notes {
    /// What they have in common.
    pub(crate) title: &'static str,
    pub(crate) entries: Vec<String>,
    /// Whether they keep the run from being as expected.
    pub(crate) matters: bool,
}

impl Expected<'_> {
    /// Whether this failing record of the file at this place is expected to fail; line 0 is the file as a whole.
    pub(crate) fn covers(&self, file: usize, line: u32) -> bool {
        let unexpected = &self.judgement.unexpected;
        match unexpected.binary_search_by_key(&file, |one| one.file) {
            Ok(place) => line > 0 && unexpected[place].lines.binary_search(&line).is_err(),
            Err(_) => self.covers_all(file),
        }
    }

    /// Whether the file at this place has not passed, as is expected of all of it.
    pub(crate) fn covers_all(&self, file: usize) -> bool {
        self.judgement.expected_files.contains(&file)
    }

    /// How many failures are expected, and how many are not.
    pub(crate) fn sentence(&self) -> String {
        let judgement = self.judgement;
        let expected = match judgement.expected {
            1 => "1 failing record is expected to fail".to_owned(),
            count => format!("{} are expected to fail", plural(count, "failing record")),
        };
        let records: usize = judgement.unexpected.iter().map(|one| one.lines.len()).sum();
        let wholes = judgement.unexpected.iter().filter(|one| one.lines.is_empty()).count();
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
    pub(crate) fn notes(&self) -> Vec<Notes> {
        let entries = &self.expectations.entries;
        let passes = self.judgement.passes.iter().map(|passes| {
            let entry = &entries[passes.entry];
            format!("{} ({})", what_passes(passes), described(entry))
        });
        let about = |places: &[usize]| places.iter().map(|place| described(&entries[*place])).collect();
        let all = [
            ("expected to fail, and passes", passes.collect(), true),
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
