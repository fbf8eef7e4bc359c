//! The comparison of two runs as JSON: what VibeSQL's earlier script wrote, and what `compare --format json` writes.
//!
//! It names the files that ended otherwise than before, and has numbers for the others. So the current run is known in
//! part. `coverage_rate` and its kin are always 0 in the files of the script, and are not looked at.

use std::collections::HashMap;

use serde::Deserialize;

use super::files::ImportedFiles;
use super::{ForeignRun, ImportError, ImportResult, ImportWarning};
use slt_core::outcome::{FileReport, FileStatus};

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    summary: Sums,
    changes: Changes,
    /// How files ended; the earlier script did not say it.
    #[serde(default)]
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    file: String,
    now: Option<String>,
}

#[derive(Default, Deserialize)]
struct Sums {
    current_passed: Option<u64>,
    current_failed: Option<u64>,
}

/// Of what the script did not know there is nothing in its files.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Changes {
    new_failures: Vec<String>,
    regressions: Vec<String>,
    fixed_tests: Vec<String>,
    still_failing: u64,
    still_passing: u64,
    newly_flaky: Vec<String>,
    newly_tested: Vec<String>,
    no_longer_flaky: Vec<String>,
    still_flaky: u64,
}

pub(super) fn read(text: &str, changed: i64) -> Result<ImportResult, ImportError> {
    let Document { summary, changes, files: told } = serde_json::from_str(text).map_err(ImportError::Json)?;
    let mut oddities = vec![ImportWarning::Undated];
    let told = told
        .iter()
        .filter_map(|file| Some((file.file.as_str(), FileStatus::from_word(file.now.as_deref()?)?)));
    let told: HashMap<_, _> = told.collect();
    let mut files = ImportedFiles::default();
    for (named, status) in [
        (&changes.regressions, FileStatus::Failed),
        (&changes.new_failures, FileStatus::Failed),
        (&changes.newly_flaky, FileStatus::Flaky),
        (&changes.fixed_tests, FileStatus::Passed),
    ] {
        for file in named {
            let status = told.get(file.as_str()).copied().unwrap_or(status);
            files.add(FileReport::of_whole(file, status, None, std::time::Duration::ZERO), &mut oddities);
        }
    }
    if files.len() == 0 {
        return Err(ImportError::Sums("a comparison that names no file"));
    }
    let [failing, passing] = changes.by_number(&summary, &mut oddities);
    for (count, what) in [(failing, "failing"), (passing, "passing")] {
        if count > 0 {
            oddities.push(ImportWarning::Unnamed { count, what });
        }
    }
    let wanted = (files.len() as u64).saturating_add(failing).saturating_add(passing);
    let run = ForeignRun::of_files(text, files, changed, wanted);
    Ok(ImportResult { runs: vec![run], oddities })
}

impl Changes {
    /// Returns the number of failing that and passing files are known by number only, as far as the sums say.
    fn by_number(&self, sums: &Sums, oddities: &mut Vec<ImportWarning>) -> [u64; 2] {
        let named_failing = (self.new_failures.len() + self.regressions.len()) as u64;
        let named_passing = self.fixed_tests.len() as u64;
        // Files of which the lists do not say how they ended, or that only some sums count.
        let unclear = [&self.newly_flaky, &self.newly_tested, &self.no_longer_flaky];
        let unclear =
            unclear.iter().map(|files| files.len() as u64).fold(self.still_flaky, u64::saturating_add);
        let failing = named_failing.saturating_add(self.still_failing);
        let passing = named_passing.saturating_add(self.still_passing);
        // Of files that pass and were not there before the script says nothing at all.
        let fits = [
            sums.current_failed
                .is_none_or(|says| (failing..=failing.saturating_add(unclear)).contains(&says)),
            sums.current_passed.is_none_or(|says| says >= passing),
        ];
        let said = [
            (fits[0], "failed files", sums.current_failed, failing),
            (fits[1], "passed files", sums.current_passed, passing),
        ];
        for (_, what, says, found) in said.into_iter().filter(|(fits, ..)| !fits) {
            let (place, says) = ("the summary".to_owned(), says.unwrap_or(0));
            oddities.push(ImportWarning::Count { place, what, says, found });
        }
        let flaky = self.newly_flaky.len() as u64;
        let all_failing = sums.current_failed.map_or(failing, |says| says.saturating_sub(flaky).max(failing));
        let all_passing = sums.current_passed.unwrap_or(0).max(passing);
        [all_failing - named_failing, all_passing - named_passing]
    }
}
