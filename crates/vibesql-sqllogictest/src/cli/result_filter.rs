//! Filters for the files of a finished run, in the language of `run --filter`.

use std::collections::HashSet;
use std::path::PathBuf;

use super::args::ResultFilterArgs;
use super::error::CliError;
use super::repeat::shell_word;
use slt_core::location::{FileId, path_text};
use slt_insight::report::analysis::ResultSelection;
use slt_runner::parallel::Filters;
use slt_runner::results::Journal;
use slt_runner::text::count::plural;

/// The filters that the user typed.
pub(super) struct ResultFilter(Filters);

impl ResultFilter {
    /// Returns the filters; `None` if there are none.
    pub(super) fn new(args: &ResultFilterArgs) -> Option<Self> {
        let ResultFilterArgs { filter, exclude } = args;
        let filters = Filters { files: Vec::new(), only: filter.clone(), exclude: exclude.clone() };
        (!filter.is_empty() || !exclude.is_empty()).then_some(Self(filters))
    }

    /// Returns whether a file passes, by its identity and its place on disk.
    pub(super) fn passes(&self, file: &FileId, place: Option<&PathBuf>) -> bool {
        let shown = place.map_or_else(|| file.path().to_owned(), |place| path_text::of(place));
        self.0.passes_result(file, &shown)
    }

    /// Removes the other files from a run.
    ///
    /// # Errors
    ///
    /// A [`CliError`] if no file is left.
    pub(super) fn apply(&self, journal: &mut Journal) -> Result<ResultSelection, CliError> {
        let report = &mut journal.report;
        let files_of_run = report.header.files as u64;
        let failing_of_run = report.files.iter().map(|file| file.failures.len() as u64).sum();
        let tested: HashSet<_> = report.files.iter().map(|file| &file.file).collect();
        let untested = journal.opened.wanted_files().filter(|file| !tested.contains(file));
        let untested = untested.filter(|file| self.passes(file, journal.opened.places.get(file))).count();
        report.files.retain(|file| self.0.passes_result(&file.file, &file.shown));
        report.header.files = report.files.len() + untested;
        if report.files.is_empty() {
            let all = plural(files_of_run, "file");
            return Err(CliError::nothing_selected(
                format!("no result of the {all} in run {} passes {}", journal.opened.run, self.typed()),
                "a pattern is a part of the path, a glob, or category:NAME; `show` lists files",
            ));
        }
        let (filters, files) = (self.typed(), report.header.files as u64);
        Ok(ResultSelection { filters, files, files_of_run, failing_of_run })
    }

    /// Returns the filters as typed.
    fn typed(&self) -> String {
        let only = self.0.only.iter().map(|pattern| ("--filter", pattern));
        let exclude = self.0.exclude.iter().map(|pattern| ("--exclude", pattern));
        let words =
            only.chain(exclude).map(|(flag, pattern)| format!("{flag} {}", shell_word(&pattern.to_string())));
        words.collect::<Vec<_>>().join(" ")
    }
}
