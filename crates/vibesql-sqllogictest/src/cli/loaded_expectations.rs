//! Finds and reads the files with expected failures.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::args::ExpectationArgs;
use super::error::CliError;
use super::exit::{self, ExitReason, VerdictRules};
use super::ui::Ui;
use slt_core::location::{FileId, path_text};
use slt_core::outcome::RunReport;
use slt_insight::expectations::{self, DocumentFiles, Expectations, FILE_NAME, Judgement, judge};
use slt_insight::report;
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::results::Opened;
use slt_runner::text::count::plural;
use slt_runner::text::written;

/// Where expected failures are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ExpectationsSource {
    /// Nowhere: every failure is unexpected.
    Off,
    /// This file.
    File(PathBuf),
    /// The files in the folders of the test files and above, where there are any.
    Suites,
}

impl From<ExpectationArgs> for ExpectationsSource {
    fn from(args: ExpectationArgs) -> Self {
        match args.expectations {
            _ if args.no_expectations => Self::Off,
            Some(path) => Self::File(path),
            None => Self::Suites,
        }
    }
}

/// The expected failures of a run, on this day.
pub(super) struct LoadedExpectations {
    pub(super) expectations: Expectations,
    pub(super) today: Date,
    /// Whether the run leaves out files of the suite; their entries are not judged.
    pub(super) is_part: bool,
    /// The folders of the files that were found.
    pub(super) folders: Vec<PathBuf>,
}

impl LoadedExpectations {
    /// Reads the expected failures of these files; `None` if there is no file with expected failures.
    pub(super) fn load<'f>(
        source: &ExpectationsSource,
        files: impl Iterator<Item = (&'f FileId, &'f Path)>,
        is_part: bool,
    ) -> Result<Option<Self>, CliError> {
        let documents: BTreeMap<PathBuf, DocumentFiles> = match source {
            ExpectationsSource::Off => BTreeMap::new(),
            ExpectationsSource::File(path) => [(path.clone(), files_of_named(path, files))].into(),
            ExpectationsSource::Suites => find(files),
        };
        let today = expectations::today(milliseconds_since_1970());
        let mut all = Expectations::default();
        for (document, files) in &documents {
            all.entries.extend(read(document, files)?.1.entries);
        }
        let is_found = *source == ExpectationsSource::Suites;
        let folders = documents.keys().filter(|_| is_found).filter_map(|path| path.parent());
        let folders = folders.map(Path::to_owned).collect();
        Ok((!documents.is_empty()).then_some(Self { expectations: all, today, is_part, folders }))
    }

    /// Reads the expected failures of a stored run.
    pub(super) fn load_for_run(
        source: &ExpectationsSource,
        opened: &Opened,
    ) -> Result<Option<Self>, CliError> {
        Self::load(source, opened.places(), opened.is_part())
    }

    /// Compares a run with the expected failures, and returns the result with its text.
    pub(super) fn judge(&self, run: &RunReport) -> (Judgement, String) {
        let judgement = judge(&self.expectations, run, self.today, self.is_part);
        let text = written(|out| report::expectations::write(out, run, &self.expectations, &judgement));
        (judgement, text)
    }
}

/// Returns the path of a file for messages, relative to the working directory where possible.
pub(super) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

/// Reads a file about these test files, and returns its text and its entries.
pub(super) fn read(path: &Path, files: &DocumentFiles) -> Result<(String, Expectations), CliError> {
    let shown = shown(path);
    let text = std::fs::read_to_string(path).map_err(|error| CliError::io("read", &shown, &error))?;
    let found = expectations::read(&shown, &text, files).map_err(|error| {
        let hint = "docs/expectations.md describes the format";
        CliError::usage(format!("{shown}:{}: {}", error.line, error.message), hint)
    })?;
    Ok((text, found))
}

/// Finds the expectations files of test files: in their folders and above, up to the root of the suite. Each test file is
/// given with its location.
pub(super) fn find<'f>(
    files: impl Iterator<Item = (&'f FileId, &'f Path)>,
) -> BTreeMap<PathBuf, DocumentFiles> {
    let mut seen = HashSet::new();
    let mut found = BTreeMap::new();
    for (file, place) in files.filter(|(_, place)| place.is_absolute()) {
        for folder in place.ancestors().skip(1) {
            // Everything above a folder that was searched was searched, too.
            let Some(prefix) = prefix(file, place, folder) else { break };
            if !seen.insert(folder.to_owned()) {
                break;
            }
            let document = folder.join(FILE_NAME);
            if document.exists() {
                found.insert(document, DocumentFiles::found(prefix));
            }
        }
    }
    found
}

/// Returns the test files of an expectations file that the user names.
pub(super) fn files_of_named<'f>(
    document: &Path,
    mut files: impl Iterator<Item = (&'f FileId, &'f Path)>,
) -> DocumentFiles {
    let folder = document.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().ok();
    let prefix = folder.and_then(|folder| files.find_map(|(file, place)| prefix(file, place, &folder)));
    DocumentFiles::named(prefix)
}

/// Returns the common prefix of the keys of the files in a folder, one of which is at `place`.
fn prefix<'f>(file: &'f FileId, place: &Path, folder: &Path) -> Option<&'f str> {
    let below = path_text::of(place.strip_prefix(folder).ok()?);
    let prefix = file.key().strip_suffix(&below)?;
    prefix.ends_with(['/', ':']).then_some(prefix)
}

/// Returns the exit reason of a run in which only unexpected failures count.
pub(super) fn exit_reason(run: &RunReport, judgement: &Judgement, rules: VerdictRules) -> ExitReason {
    let files = exit::exit_reason(&run.files, &judgement.expected_files, rules);
    if judgement.is_good() { files } else { files.max(ExitReason::TestsFailed) }
}

/// Prints how many files are skipped, and of how many files records are skipped.
pub(super) fn note_skipped(skipped: usize, shortened: usize, ui: &mut Ui) {
    let files = |count: usize| plural(count as u64, "file");
    let left_out = match (skipped, shortened) {
        (0, 0) => return,
        (_, 0) => format!("{} skipped", files(skipped)),
        (0, _) => format!("records of {} skipped", files(shortened)),
        _ => format!("{} and records of {} skipped", files(skipped), files(shortened)),
    };
    ui.note(format_args!("{left_out} (`skip` in {FILE_NAME})"));
}
