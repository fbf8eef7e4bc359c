//! Reads a part of a journal: how a run began, or the results of some of its files.
//!
//! A journal has a line for each file, and its first line has all their paths. What is not wanted is not parsed.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::circumstances::Circumstances;
use super::folder::{ResultsFolder, why_unreadable};
use super::folder_error::{FolderError, io_error};
use super::journal_file::{is_sound, journal_path, lines};
use super::summary::RunSummary;
use crate::event::{RunEvent, fold};
use crate::jsonl::{entry_of, unchecked_text_of};
use crate::wire::{Boxed, FORMAT, FileReportForm, RemoteForm as _, RunEndForm, RunHeaderForm};
use slt_core::location::FileId;
use slt_core::outcome::{FileReport, RunEnd, RunHeader, RunReport};

/// The beginning of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunBeginning {
    /// The properties of the run.
    pub header: RunHeader,
    /// The circumstances, if known.
    pub circumstances: Option<Circumstances>,
}

impl ResultsFolder {
    /// Reads the beginning of a run from the first lines of its journal; from the whole journal only if they are damaged.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when there is no such run, or its journal cannot be read.
    pub fn beginning_of(&self, name: &str) -> Result<RunBeginning, FolderError> {
        let path = journal_path(&self.path_of(name)?);
        if is_sound(&path)
            && let Ok(Some(beginning)) = read_beginning(&path)
        {
            return Ok(beginning);
        }
        let RunSummary { header, circumstances, .. } = RunSummary::read(self, name)?;
        Ok(RunBeginning { header, circumstances })
    }

    /// Reads the results of these files in a run, and those of files whose suite is unknown. The duration is that of the last
    /// session.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when there is no such run, or its journal cannot be read.
    pub fn report_of_files(&self, name: &str, wanted: &HashSet<&FileId>) -> Result<RunReport, FolderError> {
        let path = journal_path(&self.path_of(name)?);
        let report = read_files(&path, wanted).map_err(io_error("read", &path))?;
        report.ok_or_else(|| why_unreadable(path))
    }
}

/// A journal entry without what is needed to resume the run.
#[derive(Debug, Deserialize)]
enum PartialEntry {
    Opened(OpenedPart),
    RunStarted(#[serde(with = "RunHeaderForm")] RunHeader),
    Resumed(IgnoredAny),
    WorkerLost(IgnoredAny),
    AttemptEnded(IgnoredAny),
    FileFinished(#[serde(with = "Boxed::<FileReportForm>")] Box<FileReport>),
    RunFinished {
        elapsed: Duration,
        #[serde(with = "RunEndForm")]
        end: RunEnd,
    },
}

#[derive(Debug, Deserialize)]
struct OpenedPart {
    format: u32,
    #[serde(default)]
    circumstances: Option<Box<Circumstances>>,
}

/// Returns the beginning of a run; `None` if the first two lines do not have it.
fn read_beginning(path: &Path) -> io::Result<Option<RunBeginning>> {
    let mut lines = lines(path)?;
    let Some(PartialEntry::Opened(OpenedPart { format: FORMAT, circumstances })) =
        lines.next_line()?.and_then(entry_of)
    else {
        return Ok(None);
    };
    let Some(PartialEntry::RunStarted(header)) = lines.next_line()?.and_then(entry_of) else {
        return Ok(None);
    };
    Ok(Some(RunBeginning { header, circumstances: circumstances.map(|circumstances| *circumstances) }))
}

/// Returns the report of a run with some of its files; `None` if its first entries are unreadable.
fn read_files(path: &Path, wanted: &HashSet<&FileId>) -> io::Result<Option<RunReport>> {
    let mut lines = lines(path)?;
    let (mut format, mut events, mut seen) = (None, Vec::new(), HashSet::new());
    let is_wanted = |file: &FileId| !file.is_known() || wanted.contains(file);
    while let Some(line) = lines.next_line()? {
        if file_of(line).is_some_and(|file| !is_wanted(&file)) {
            continue;
        }
        match entry_of(line) {
            Some(PartialEntry::Opened(opened)) => format = format.or(Some(opened.format)),
            Some(PartialEntry::RunStarted(header)) => events.push(RunEvent::RunStarted(header)),
            // The first result of a file is the one that was reported.
            Some(PartialEntry::FileFinished(report)) => {
                if is_wanted(&report.file) && seen.insert(report.file.clone()) {
                    events.push(RunEvent::FileFinished(report));
                }
            }
            Some(PartialEntry::RunFinished { elapsed, end }) => {
                events.push(RunEvent::RunFinished { elapsed, end });
            }
            Some(PartialEntry::Resumed(_) | PartialEntry::WorkerLost(_) | PartialEntry::AttemptEnded(_))
            | None => {}
        }
    }
    Ok((format == Some(FORMAT)).then(|| fold(events)).flatten())
}

/// Returns the file whose result is in an undamaged line; `None` for other lines.
fn file_of(line: &[u8]) -> Option<FileId> {
    let rest = unchecked_text_of(line)?.strip_prefix(b"{\"FileFinished\":{\"file\":\"")?;
    let text = std::str::from_utf8(&rest[..memchr::memchr(b'"', rest)?]).ok()?;
    // The file of a line with an escape is found when the whole line is read.
    (!text.contains('\\')).then(|| FileId::from_text(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventSink as _;
    use crate::results::{Journal, JournalWriter, Opened};
    use slt_core::engine::EngineId;
    use slt_core::outcome::{FileEnd, FlakyResult};

    #[test]
    fn a_part_of_a_journal_is_what_the_whole_says() {
        let folder = tempfile::tempdir().unwrap();
        let results = ResultsFolder::new(folder.path());
        let run = results.run_path("20260101-000000");
        std::fs::create_dir_all(&run).unwrap();
        let engine = EngineId::new("e", "1");
        let header =
            RunHeader { engine, labels: Vec::new(), exact: false, files: 5, flaky: FlakyResult::default() };
        let circumstances = Circumstances { host: "here".to_owned(), ..Circumstances::default() };
        let opened = Opened {
            run: "20260101-000000".to_owned(),
            ..Opened::from_import(
                0,
                crate::results::Imported { from: String::new(), digest: String::new(), untested: Vec::new() },
                circumstances.clone(),
            )
        };
        let path = run.join("journal.jsonl");
        let mut writer = JournalWriter::begin(&path, opened, &header).unwrap();
        let files = [
            FileId::at("/s/a.test", "/s"),
            FileId::in_suite("s", "x/b.test"),
            FileId::at("/s/\"c\\.test", "/s"),
            FileId::at("/s/d.test", "/s/"),
            FileId::unknown("e.test"),
        ];
        for file in &files {
            let report = FileReport::new(file.clone(), FileEnd::Completed);
            writer.on_event(&RunEvent::FileFinished(Box::new(report))).unwrap();
        }
        let whole = Journal::read(&path).unwrap().unwrap().report;
        assert_eq!(whole.files.len(), files.len());
        let name = "20260101-000000";
        let beginning = results.beginning_of(name).unwrap();
        assert_eq!(beginning, RunBeginning { header, circumstances: Some(circumstances) });
        assert_eq!(results.report_of_files(name, &files.iter().collect()).unwrap(), whole);
        // Shown by another path, it is the same file.
        let wanted = files[1].shown_as("b.test");
        let part = results.report_of_files(name, &[&wanted].into()).unwrap();
        let found: Vec<_> = part.files.iter().map(|file| file.file.path()).collect();
        assert_eq!(found, ["e.test", "x/b.test"], "one without a suite may be a copy of any");
    }
}
