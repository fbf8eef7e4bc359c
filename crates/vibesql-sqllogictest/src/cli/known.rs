//! Finding the files that say what is expected to fail.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::args::ExpectationArgs;
use super::error::{CliError, ExitReason};
use super::settings::{Rules, reason_without};
use super::ui::Ui;
use slt_core::location::path_text;
use slt_core::outcome::RunReport;
use slt_insight::expectations::{self, Expectations, FILE_NAME, Judgement, judge};
use slt_insight::report;
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::text::count::plural;
use slt_runner::text::written;

/// What is expected of a run, on this day.
pub(super) struct Known {
    pub(super) expectations: Expectations,
    pub(super) today: Date,
    /// Whether files of the suite are left out of the run: what is expected of these is not judged.
    pub(super) is_part: bool,
}

impl Known {
    /// Reads the file that the user names, or those in the folders of the suites. Nothing where there is none.
    pub(super) fn load<'f>(
        args: &ExpectationArgs,
        files: impl Iterator<Item = (&'f str, &'f Path)>,
        is_part: bool,
    ) -> Result<Option<Self>, CliError> {
        let documents: BTreeSet<PathBuf> = match &args.expectations {
            _ if args.no_expectations => BTreeSet::new(),
            Some(path) => [path.clone()].into(),
            None => documents(files).into_iter().filter(|path| path.exists()).collect(),
        };
        let today = expectations::today(milliseconds_since_1970());
        let mut all = Expectations::default();
        for document in &documents {
            all.entries.extend(read(document)?.1.entries);
        }
        Ok((!documents.is_empty()).then_some(Self { expectations: all, today, is_part }))
    }

    /// Says what is expected of a run and what is not.
    pub(super) fn judge(&self, run: &RunReport) -> (Judgement, String) {
        let judgement = judge(&self.expectations, run, self.today, self.is_part);
        let text = written(|out| report::expectations::write(out, run, &self.expectations, &judgement));
        (judgement, text)
    }
}

/// What a file is called: in short where that can be typed as well.
pub(super) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

/// The text of a file, and what it says.
pub(super) fn read(path: &Path) -> Result<(String, Expectations), CliError> {
    let shown = shown(path);
    let text = std::fs::read_to_string(path).map_err(|error| CliError::io("read", &shown, &error))?;
    let found = expectations::read(&shown, &text).map_err(|error| {
        let hint = "docs/expectations.md has what may stand there".to_owned();
        CliError::usage(format!("{shown}:{}: {}", error.line, error.message), vec![hint])
    })?;
    Ok((text, found))
}

/// Where the files of suites are, if there are any: in their folders. A file is called by its path below the folder of its
/// suite, so the rest of where it is names that.
pub(super) fn documents<'f>(files: impl Iterator<Item = (&'f str, &'f Path)>) -> BTreeSet<PathBuf> {
    let root = |(file, place): (&str, &Path)| {
        let below = path_text::path(file);
        let root = place.ancestors().nth(below.components().count())?;
        (place.is_absolute() && root.join(below) == place).then(|| root.join(FILE_NAME))
    };
    files.filter_map(root).collect()
}

/// What a run is worth: only what is not expected counts.
pub(super) fn reason(run: &RunReport, judgement: &Judgement, fail_on_empty: bool) -> ExitReason {
    let rules = Rules { fail_on_empty, flaky: run.header.flaky };
    let files = reason_without(&run.files, &judgement.expected_files, rules);
    if judgement.is_good() { files } else { files.or_graver(ExitReason::TestsFailed) }
}

/// Says how many files are not run, and how many are run without some of their records.
pub(super) fn tell_skipped(skipped: usize, shortened: usize, ui: &mut Ui) {
    let files = |count: usize| plural(count as u64, "file");
    let left_out = match (skipped, shortened) {
        (0, 0) => return,
        (_, 0) => format!("{} skipped", files(skipped)),
        (0, _) => format!("records of {} skipped", files(shortened)),
        _ => format!("{} and records of {} skipped", files(skipped), files(shortened)),
    };
    ui.note(format_args!("{left_out} (`skip` in {FILE_NAME})"));
}
