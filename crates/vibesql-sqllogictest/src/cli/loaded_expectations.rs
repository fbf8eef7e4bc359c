//! Finds and reads the files with expected failures.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::args::ExpectationArgs;
use super::error::CliError;
use super::exit::{self, ExitReason, VerdictRules};
use super::suite;
use super::ui::Ui;
use slt_core::location::{FileId, path_text};
use slt_core::outcome::RunReport;
use slt_insight::expectations::{
    self, DocumentFiles, ExpectationKind, ExpectationScope, Expectations, FILE_NAME, Judgement, judge,
};
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
            ExpectationsSource::Suites => find(files, None)?,
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

    /// Compares a run with the expected failures.
    ///
    /// A stored run may have been made with other entries. It lists neither the records that passed nor those that
    /// these entries would skip, so no entry that skips records is called unused.
    pub(super) fn judge_stored(&self, run: &RunReport) -> Judgement {
        let mut judgement = judge(&self.expectations, run, self.today, self.is_part);
        judgement.unused.retain(|&place| {
            let entry = &self.expectations.entries[place];
            entry.what != ExpectationKind::Skip || !matches!(entry.scope, ExpectationScope::Records(..))
        });
        judgement
    }

    /// Compares the run that has just ended with the expected failures, and returns the result with its text.
    pub(super) fn judge(&self, run: &RunReport) -> (Judgement, String) {
        let judgement = judge(&self.expectations, run, self.today, self.is_part);
        let text = self.text(run, &judgement);
        (judgement, text)
    }

    /// Describes the result of a comparison.
    pub(super) fn text(&self, run: &RunReport, judgement: &Judgement) -> String {
        written(|out| report::expectations::write(out, run, &self.expectations, judgement))
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
/// given with its location. A `planned` file is treated as if it existed.
pub(super) fn find<'f>(
    files: impl Iterator<Item = (&'f FileId, &'f Path)>,
    planned: Option<&Path>,
) -> Result<BTreeMap<PathBuf, DocumentFiles>, CliError> {
    let mut suites = suite::resolver(None);
    let mut known = HashMap::<PathBuf, bool>::new();
    let mut found = BTreeMap::<PathBuf, BTreeMap<FileId, String>>::new();
    for (file, place) in files.filter(|(_, place)| place.is_absolute()) {
        let directory = place.parent().unwrap_or(place);
        let root = if file.suite().is_some() {
            let depth = file.path_in_suite().matches('/').count();
            directory.ancestors().nth(depth).map(Path::to_owned)
        } else {
            suites.root(directory).map_err(|message| {
                CliError::usage(message, "correct the file; docs/identity.md describes how it is used")
            })?
        };
        for folder in directory.ancestors() {
            let document = folder.join(FILE_NAME);
            // A FIFO or a device is not read.
            let is_there = || document.is_file() || planned == Some(document.as_path());
            if *known.entry(folder.to_owned()).or_insert_with(is_there) {
                let below = path_text::of(place.strip_prefix(folder).unwrap_or(place));
                found.entry(document).or_default().insert(file.clone(), below);
            }
            if root.as_deref() == Some(folder) {
                break;
            }
        }
    }
    Ok(found.into_iter().map(|(document, files)| (document, DocumentFiles::found(files))).collect())
}

/// Returns the test files of an expectations file that the user names.
pub(super) fn files_of_named<'f>(
    document: &Path,
    files: impl Iterator<Item = (&'f FileId, &'f Path)>,
) -> DocumentFiles {
    let folder = document.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().ok();
    let below = |place: &Path| Some(path_text::of(place.strip_prefix(folder.as_ref()?).ok()?));
    DocumentFiles::named(files.filter_map(|(file, place)| Some((file.clone(), below(place)?))).collect())
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
