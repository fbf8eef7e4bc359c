//! The files of an imported run, each once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::ImportWarning;
use slt_core::location::FileId;
use slt_core::outcome::{FileReport, FileStatus};

/// Files by the path that reports show and by identity; `None` for untested ones.
#[derive(Debug, Default)]
pub(super) struct ImportedFiles(BTreeMap<(String, FileId), Option<FileReport>>);

impl ImportedFiles {
    /// Adds a file. Of two with one identity, the more severe is kept.
    pub(super) fn add(&mut self, report: FileReport, oddities: &mut Vec<ImportWarning>) {
        self.enter((report.file.path().to_owned(), report.file.clone()), Some(report), oddities);
    }

    /// Adds a file that was not run.
    pub(super) fn add_untested(&mut self, file: &str, oddities: &mut Vec<ImportWarning>) {
        // Only its path is known, which may be that of a file with an identity.
        let known = self.of_path(file).cloned();
        self.enter(known.unwrap_or_else(|| (file.to_owned(), FileId::unknown(file))), None, oddities);
    }

    /// Returns the first file with this path.
    fn of_path(&self, file: &str) -> Option<&(String, FileId)> {
        let first = (file.to_owned(), FileId::from_text(""));
        self.0.range(first..).map(|(key, _)| key).next().filter(|(path, _)| path == file)
    }

    fn enter(
        &mut self,
        file: (String, FileId),
        report: Option<FileReport>,
        oddities: &mut Vec<ImportWarning>,
    ) {
        match self.0.entry(file) {
            Entry::Vacant(place) => {
                place.insert(report);
            }
            Entry::Occupied(mut place) => {
                let [one, other] = [place.get(), &report].map(|file| file.as_ref().map(FileReport::status));
                if gravity(other) > gravity(one) {
                    place.insert(report);
                }
                let (file, kept) = (place.key().0.clone(), place.get().as_ref().map(FileReport::status));
                let [one, other, kept] = [one, other, kept].map(word);
                oddities.push(ImportWarning::Duplicate { file, one, other, kept });
            }
        }
    }

    pub(super) fn contains(&self, file: &str) -> bool {
        self.of_path(file).is_some()
    }

    /// Returns the number of files, including untested ones.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the reports, and the names of untested files.
    pub(super) fn into_parts(self) -> (Vec<FileReport>, Vec<String>) {
        let (mut tested, mut untested) = (Vec::new(), Vec::new());
        for ((file, _), report) in self.0 {
            match report {
                Some(report) => tested.push(report),
                None => untested.push(file),
            }
        }
        (tested, untested)
    }
}

fn word(status: Option<FileStatus>) -> &'static str {
    status.map_or("untested", FileStatus::word)
}

/// "Not run" is at least not a pass.
fn gravity(status: Option<FileStatus>) -> u8 {
    match status {
        Some(FileStatus::Empty) => 0,
        Some(FileStatus::Passed) => 1,
        Some(FileStatus::Flaky) => 2,
        None => 3,
        Some(FileStatus::Failed) => 4,
        Some(FileStatus::TimedOut) => 5,
        Some(FileStatus::Error) => 6,
        Some(FileStatus::OutOfMemory) => 7,
        Some(FileStatus::Crashed) => 8,
    }
}
