//! Makes the index of a journal from its entries: while they are written, or when they are read again.

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::num::NonZero;
use std::path::Path;

use md5::{Digest as _, Md5};

use super::file_key::{FileKey, key_of_file, key_of_path};
use super::journal::{JournalEntry, Opened};
use super::journal_file::{is_plain, open};
use super::journal_index::{
    IndexHead, IndexedFile, IndexedResult, JournalIndex, JournalState, LinePlace, RunFacts,
};
use super::time_worked::TimeWorked;
use crate::jsonl::{WholeLines, unchecked_text_of};
use crate::wire::FORMAT;
use slt_core::location::FileId;
use slt_core::outcome::{FileEnd, FileReport, RunEnd, RunOverview};

/// The index of a journal as far as its entries are known.
#[derive(Debug)]
pub(super) struct IndexBuilder {
    run: RunFacts,
    files: HashMap<FileKey, IndexedFile>,
    /// The overview, once the header of the run is known.
    begun: Option<RunOverview>,
    worked: TimeWorked,
    ended: Option<RunEnd>,
}

impl IndexBuilder {
    /// Begins with the first entry of a journal.
    pub(super) fn new(opened: &Opened) -> Self {
        let circumstances = opened.circumstances.clone();
        let run = RunFacts { started: opened.started, circumstances, is_imported: opened.imported.is_some() };
        let mut worked = TimeWorked::default();
        worked.session_begins(opened.started);
        let files = opened.wanted_files().map(|file| (key_of_file(file), untested(file))).collect();
        Self { run, files, begun: None, worked, ended: None }
    }

    /// Adds the next entry, which is on this line.
    pub(super) fn add(&mut self, entry: &JournalEntry<'_>, line: LinePlace) {
        match entry {
            JournalEntry::RunStarted(header) => {
                self.begun.get_or_insert_with(|| RunOverview::new(header.clone().into_owned()));
                self.ended = None;
            }
            JournalEntry::Opened(_) => {}
            JournalEntry::Resumed { at } => {
                self.worked.session_begins(*at);
                self.ended = None;
            }
            JournalEntry::FileFinished(report) => self.add_file(report, line),
            JournalEntry::RunFinished { elapsed, end } => {
                self.worked.session_ends(*elapsed);
                self.ended = Some(*end);
                if let Some(overview) = &mut self.begun {
                    overview.end = *end;
                }
            }
            JournalEntry::WorkerLost { .. }
            | JournalEntry::AttemptEnded { .. }
            | JournalEntry::TimingsStarted { .. }
            | JournalEntry::WorkerTimed(_) => {}
        }
    }

    fn add_file(&mut self, report: &FileReport, line: LinePlace) {
        self.worked.file_finishes(report.finished);
        let Some(overview) = &mut self.begun else { return };
        let known = self.files.entry(key_of_file(&report.file)).or_insert_with(|| untested(&report.file));
        // The first result of a file is the one that was reported.
        if known.result.is_some() {
            return;
        }
        overview.add(report);
        let statuses = [report.status(), report.last_status()];
        known.path = key_of_path(&report.file);
        known.result = Some(IndexedResult::new(line, statuses, report.elapsed, likeness(report)));
    }

    /// Returns the index of a journal in this state; `None` without a header of the run.
    pub(super) fn finish(self, journal: JournalState) -> Option<JournalIndex> {
        let mut overview = self.begun?;
        overview.elapsed = self.worked.sum();
        let mut files: Vec<_> = self.files.into_iter().collect();
        files.sort_unstable_by_key(|(key, _)| *key);
        let head = IndexHead::new(journal, files.len(), self.run, self.ended, overview);
        Some(JournalIndex::new(head, files))
    }
}

/// Reads a whole journal; `None` if its first entries are unreadable.
pub(super) fn read_journal(path: &Path) -> io::Result<Option<JournalIndex>> {
    // What is appended meanwhile is not read. The state is that of before: a change meanwhile makes the index useless.
    let journal = JournalState::of(path)?;
    let length = if is_plain(path) { journal.length() } else { u64::MAX };
    let mut lines = WholeLines::new(open(path)?.take(length));
    let mut builder = None;
    while let Some(line) = lines.next_line()? {
        let entry = unchecked_text_of(line).and_then(|text| serde_json::from_slice(text).ok());
        let length = line.len() as u64;
        let place = LinePlace { start: lines.position() - length, length };
        match (&mut builder, entry) {
            (None, Some(JournalEntry::Opened(opened))) if opened.format == FORMAT => {
                builder = Some(IndexBuilder::new(&opened));
            }
            (Some(builder), Some(entry)) => IndexBuilder::add(builder, &entry, place),
            _ => {}
        }
    }
    Ok(builder.and_then(|builder| builder.finish(journal)))
}

fn untested(file: &FileId) -> IndexedFile {
    IndexedFile { path: key_of_path(file), is_known: file.is_known(), result: None }
}

/// Returns a digest of what a comparison of runs looks at, if no record and no attempt of the file failed.
fn likeness(report: &FileReport) -> Option<NonZero<u64>> {
    let has_failed = !report.failures.is_empty() || !report.setup_failures.is_empty();
    let is_special = !report.left_out.is_empty() || !report.attempts.is_empty() || report.missing.is_some();
    let end = match &report.end {
        FileEnd::Completed => String::new(),
        FileEnd::Halted { id } => format!("{id}"),
        _ => return None,
    };
    if has_failed || is_special || report.counts.not_passed() > 0 {
        return None;
    }
    let mut md5 = Md5::new();
    report.counts.fields().iter().for_each(|count| md5.update(count.to_le_bytes()));
    md5.update([u8::from(report.records.is_some())]);
    md5.update(report.records.unwrap_or(0).to_le_bytes());
    md5.update(end);
    let digest: [u8; 16] = md5.finalize().into();
    // Without a likeness the file is compared in full.
    digest.first_chunk().and_then(|bytes| NonZero::new(u64::from_le_bytes(*bytes)))
}
