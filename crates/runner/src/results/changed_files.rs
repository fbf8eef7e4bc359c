//! Reads the results of two runs, without the files that have equal results in both.

use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::file_key::FileKey;
use super::folder::ResultsFolder;
use super::folder_error::{FolderError, io_error};
use super::journal::JournalEntry;
use super::journal_file::{JournalText, journal_path, open};
use super::journal_index::{IndexedFile, IndexedResult, JournalIndex, LinePlace};
use crate::event::sort;
use crate::jsonl::entry_of;
use slt_core::outcome::{FileReport, RunReport};

/// Two runs, without the files that have equal results in both.
#[derive(Debug, PartialEq)]
pub struct ChangedFiles {
    /// The earlier run.
    pub before: RunReport,
    /// The later run.
    pub now: RunReport,
    /// The number of files with equal results. All of their records passed or were skipped.
    pub equal: u64,
}

impl ResultsFolder {
    /// Reads the files with different results in two runs. If the later run is a part of a suite, it says nothing about
    /// the other files, so these are omitted.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when there is no such run, or its journal cannot be read.
    pub fn changed_files(&self, before: &str, now: &str) -> Result<ChangedFiles, FolderError> {
        let runs = [self.path_of(before)?, self.path_of(now)?];
        let [before, now] = [JournalIndex::of_run(&runs[0])?, JournalIndex::of_run(&runs[1])?];
        if let Ok(Some(changed)) = read(&runs.each_ref().map(|run| run.as_path()), [&before, &now]) {
            return Ok(changed);
        }
        // A journal is not as its index says.
        let [before, now] = [JournalIndex::rebuild(&runs[0])?, JournalIndex::rebuild(&runs[1])?];
        let changed = read(&runs.each_ref().map(|run| run.as_path()), [&before, &now]);
        let is_damaged = || io::Error::from(io::ErrorKind::InvalidData);
        changed.and_then(|changed| changed.ok_or_else(is_damaged)).map_err(io_error("read", &runs[0]))
    }
}

/// Returns `None` if a journal has no results where its index says.
fn read(runs: &[&Path; 2], [before, now]: [&JournalIndex; 2]) -> io::Result<Option<ChangedFiles>> {
    let (selected, equal) = select(before, now);
    let [before_files, now_files] = selected;
    let report = |run: &Path, index: &JournalIndex, lines| {
        let files = reports(&journal_path(run), lines)?;
        let overview = index.overview();
        let (header, elapsed, end) = (overview.header.clone(), overview.elapsed, overview.end);
        io::Result::Ok(files.map(|files| RunReport { header, files, elapsed, end }))
    };
    let before = report(runs[0], before, before_files)?;
    let now = report(runs[1], now, now_files)?;
    Ok(before.zip(now).map(|(before, now)| ChangedFiles { before, now, equal }))
}

/// Selects the lines of the files to compare in each run, and counts the files with equal results.
fn select(before: &JournalIndex, now: &JournalIndex) -> ([Vec<LinePlace>; 2], u64) {
    let is_part = now.head.run.circumstances.as_ref().is_some_and(|of| of.is_part);
    // A file without a suite can be a copy of any.
    let is_part = is_part && now.files.iter().all(|(_, file)| file.is_known);
    // Other conditions of the run can make a difference.
    let [labels_before, labels_now] = [before, now].map(|index| &index.overview().header.labels);
    let is_alike = labels_before == labels_now && !before.head.run.is_imported && !now.head.run.is_imported;
    let mut equal = 0;
    let mut lines = [Vec::new(), Vec::new()];
    let mut earlier = before.files.iter().peekable();
    let take_earlier = |(_, file): &(FileKey, IndexedFile), lines: &mut Vec<LinePlace>| {
        let result = file.result.filter(|_| !is_part || !file.is_known);
        lines.extend(result.map(|result| result.line));
    };
    for (key, file) in &now.files {
        while let Some(other) = earlier.next_if(|(other, _)| other < key) {
            take_earlier(other, &mut lines[0]);
        }
        let other = earlier.next_if(|(other, _)| other == key).and_then(|(_, file)| file.result);
        if is_alike && are_equal(other.as_ref(), file.result.as_ref()) {
            equal += 1;
        } else {
            lines[0].extend(other.map(|result| result.line));
            lines[1].extend(file.result.map(|result| result.line));
        }
    }
    earlier.for_each(|other| take_earlier(other, &mut lines[0]));
    (lines, equal)
}

fn are_equal(before: Option<&IndexedResult>, now: Option<&IndexedResult>) -> bool {
    before.zip(now).is_some_and(|(before, now)| before.likeness.is_some() && before.likeness == now.likeness)
}

/// Reads the results on these lines; `None` if one of them has none.
fn reports(journal: &Path, mut lines: Vec<LinePlace>) -> io::Result<Option<Vec<FileReport>>> {
    lines.sort_unstable();
    let mut text = open(journal)?;
    let (mut files, mut line, mut position) = (Vec::with_capacity(lines.len()), Vec::new(), 0);
    for LinePlace { start, length } in lines {
        line.clear();
        match &mut text {
            JournalText::Plain(file) => {
                let Ok(length) = usize::try_from(length) else { return Ok(None) };
                line.resize(length, 0);
                file.read_exact_at(&mut line, start)?;
            }
            JournalText::Compressed(text) => {
                io::copy(&mut text.take(start - position), &mut io::sink())?;
                text.take(length).read_to_end(&mut line)?;
                position = start + length;
            }
        }
        let Some(JournalEntry::FileFinished(report)) = entry_of(&line) else { return Ok(None) };
        files.push(report.into_owned());
    }
    sort(&mut files);
    Ok(Some(files))
}
