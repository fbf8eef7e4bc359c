//! The records of the file as it stands on disk: where lines lead to, and where records have moved to.

use std::collections::BTreeSet;

use crate::cli::error::CliError;
use slt_core::executor::{Settings, record_keys};
use slt_core::location::{Source, text_of};
use slt_core::outcome::{RecordId, RecordKey};
use slt_core::parser::{self, Profile, Record, Script};
use slt_runner::parallel::WorkItem;

/// A file as it was read last.
pub(super) struct FileOutline {
    source: Source,
    profile: &'static Profile,
}

/// A record in a list.
pub(super) struct ListedRecord {
    pub(super) line: u32,
    /// The header and the first line of SQL.
    pub(super) text: String,
}

/// The shortest and the longest word that is completed.
const WORD_LENGTHS: std::ops::RangeInclusive<usize> = 3..=60;
/// The maximum number of words that are completed.
const MOST_WORDS: usize = 5_000;

impl FileOutline {
    pub(super) fn read(item: &WorkItem, settings: &Settings) -> Result<Self, CliError> {
        let bytes = item.read().map_err(|error| CliError::io("read", &item.shown, &error))?;
        let source = Source::new(item.shown.as_str(), bytes);
        let request = settings.dialect_of(item.dialect.as_deref());
        let chosen = parser::choose(&source, request, settings.exact)
            .map_err(|error| CliError::dialect(&item.shown, &error))?;
        Ok(Self { source, profile: chosen.profile })
    }

    fn with_records<T>(&self, look: impl FnOnce(&Script<'_>, &[&Record<'_>]) -> T) -> T {
        let script = parser::parse(&self.source, self.profile);
        let records: Vec<_> = script.records().filter(|record| record.is_counted()).collect();
        look(&script, &records)
    }

    /// Returns the name of the dialect.
    pub(super) fn dialect(&self) -> &'static str {
        self.profile.name
    }

    /// Returns the header line of the record that contains `line`, or else of the next one.
    pub(super) fn record_at(&self, line: u32) -> Option<u32> {
        self.with_records(|_, records| {
            records.iter().find(|record| record.lines.end > line).map(|record| record.line)
        })
    }

    /// Returns the line to which the record on `line` of this file has moved in another version of the file; the same line
    /// if it is not there any more.
    pub(super) fn moved(&self, line: u32, to: &Self) -> u32 {
        let keys = |outline: &Self| {
            outline.with_records(|script, records| {
                let places: Vec<_> = records.iter().map(|record| RecordId::at(record.line)).collect();
                let keys = record_keys(script, &places.iter().collect::<Vec<_>>());
                places.iter().map(|place| place.line).zip(keys).collect::<Vec<(u32, Option<RecordKey>)>>()
            })
        };
        let key = keys(self).into_iter().find(|(place, _)| *place == line).and_then(|(_, key)| key);
        let moved = keys(to).into_iter().find(|(_, other)| key.is_some() && *other == key);
        moved.map_or(line, |(line, _)| line)
    }

    /// Returns up to `around` records before `line`, the one on it, and as many behind it.
    pub(super) fn list(&self, line: u32, around: usize) -> Vec<ListedRecord> {
        self.with_records(|script, records| {
            let at = records.iter().position(|record| record.line >= line).unwrap_or(records.len());
            let shown = at.saturating_sub(around)..records.len().min(at + around + 1);
            let listed = |record: &&Record<'_>| {
                let header = script.source.bytes()[record.span.clone()].split(|&byte| byte == b'\n');
                let before = (record.line - record.lines.start) as usize;
                let header = header.skip(before).take(2).map(|line| text_of(line.trim_ascii()));
                ListedRecord { line: record.line, text: header.collect::<Vec<_>>().join("  ") }
            };
            records[shown].iter().map(listed).collect()
        })
    }

    /// Returns words of the file for completion.
    pub(super) fn words(&self) -> BTreeSet<String> {
        let words = self.source.bytes().split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
        let words = words.filter(|word| WORD_LENGTHS.contains(&word.len()) && !word[0].is_ascii_digit());
        let mut found = BTreeSet::new();
        for word in words {
            if found.len() == MOST_WORDS {
                break;
            }
            found.insert(text_of(word));
        }
        found
    }
}
