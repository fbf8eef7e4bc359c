//! Finds and reads the files with expected failures.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::args::ExpectationArgs;
use super::error::CliError;
use super::exit::{ExitReason, VerdictRules, exit_reason_without};
use super::ui::Ui;
use slt_core::location::path_text;
use slt_core::outcome::RunReport;
use slt_insight::expectations::{self, Expectations, FILE_NAME, Judgement, judge};
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
    /// The files in the folders of the suites, where there are any.
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
}

impl LoadedExpectations {
    /// Reads the expected failures of these files; `None` if there is no file with expected failures.
    pub(super) fn load<'f>(
        source: &ExpectationsSource,
        files: impl Iterator<Item = (&'f str, &'f Path)>,
        is_part: bool,
    ) -> Result<Option<Self>, CliError> {
        let documents: BTreeSet<PathBuf> = match source {
            ExpectationsSource::Off => BTreeSet::new(),
            ExpectationsSource::File(path) => [path.clone()].into(),
            ExpectationsSource::Suites => documents(files).into_iter().filter(|path| path.exists()).collect(),
        };
        let today = expectations::today(milliseconds_since_1970());
        let mut all = Expectations::default();
        for document in &documents {
            all.entries.extend(read(document)?.1.entries);
        }
        Ok((!documents.is_empty()).then_some(Self { expectations: all, today, is_part }))
    }

    /// Reads the expected failures of a stored run.
    pub(super) fn load_for_run(
        source: &ExpectationsSource,
        opened: &Opened,
    ) -> Result<Option<Self>, CliError> {
        Self::load(source, places(opened), opened.is_part())
    }

    /// Compares a run with the expected failures, and returns the result with its text.
    pub(super) fn judge(&self, run: &RunReport) -> (Judgement, String) {
        let judgement = judge(&self.expectations, run, self.today, self.is_part);
        let text = written(|out| report::expectations::write(out, run, &self.expectations, &judgement));
        (judgement, text)
    }
}

/// Returns the files of a run with their locations.
fn places(opened: &Opened) -> impl Iterator<Item = (&str, &Path)> {
    opened.places.iter().map(|(file, place)| (file.as_str(), place.as_path()))
}

/// Returns the paths of the expectations files of a stored run, whether they exist or not.
pub(super) fn documents_of_run(opened: &Opened) -> BTreeSet<PathBuf> {
    documents(places(opened))
}

/// Returns the path of a file for messages, relative to the working directory where possible.
pub(super) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

/// Reads a file, and returns its text and its entries.
pub(super) fn read(path: &Path) -> Result<(String, Expectations), CliError> {
    let shown = shown(path);
    let text = std::fs::read_to_string(path).map_err(|error| CliError::io("read", &shown, &error))?;
    let found = expectations::read(&shown, &text).map_err(|error| {
        let hint = "docs/expectations.md describes the format".to_owned();
        CliError::usage(format!("{shown}:{}: {}", error.line, error.message), vec![hint])
    })?;
    Ok((text, found))
}

/// Returns the paths of the expectations files of suites, whether they exist or not: one in the folder of each suite.
// A file is identified by its path below the folder of its suite, so the rest of its absolute path is that folder.
fn documents<'f>(files: impl Iterator<Item = (&'f str, &'f Path)>) -> BTreeSet<PathBuf> {
    let root = |(file, place): (&str, &Path)| {
        let below = path_text::path(file);
        let root = place.ancestors().nth(below.components().count())?;
        (place.is_absolute() && root.join(below) == place).then(|| root.join(FILE_NAME))
    };
    files.filter_map(root).collect()
}

/// Returns the exit reason of a run in which only unexpected failures count.
pub(super) fn exit_reason(run: &RunReport, judgement: &Judgement, rules: VerdictRules) -> ExitReason {
    let files = exit_reason_without(&run.files, &judgement.expected_files, rules);
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
