//! Where results are kept: what the user says, or a folder at home.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::CliError;
use crate::clock::milliseconds_since_1970;
use crate::executor::Settings;
use crate::executor::parallel::{Origin, WorkItem};
use crate::results::{FolderError, Opened, ResultsFolder, RunFolder};

/// The folder of results, whether it is there or not.
pub(super) fn results_folder(named: Option<&Path>) -> ResultsFolder {
    ResultsFolder::new(named.map_or_else(default_place, Path::to_owned))
}

#[expect(clippy::disallowed_methods, reason = "the command line knows where home is")]
fn default_place() -> PathBuf {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    home.map_or_else(elsewhere, |home| PathBuf::from(home).join(".vibesql/test_results"))
}

/// For those without a home.
fn elsewhere() -> PathBuf {
    std::env::temp_dir().join("vibesql-test_results")
}

/// Makes the folder of a new run. Where the user has not said where, and there is no place at home, it is another
/// folder, which is returned as a warning: results are kept in any case.
pub(super) fn new_run(named: Option<&Path>) -> Result<(RunFolder, Option<String>), CliError> {
    let now = milliseconds_since_1970();
    match results_folder(named).create_run(now) {
        Err(FolderError::Io { path, source, .. }) if named.is_none() => {
            let place = elsewhere();
            let run = ResultsFolder::new(&place).create_run(now)?;
            let (path, place) = (path.display(), place.display());
            Ok((run, Some(format!("cannot use `{path}` ({source}); results are kept in `{place}`"))))
        }
        run => Ok((run?, None)),
    }
}

/// What the journal of a new run says first.
pub(super) fn opened(run: &RunFolder, items: &[WorkItem], settings: &Settings) -> Opened {
    let places: BTreeMap<_, _> = items.iter().map(|item| (item.file.clone(), place_of(item))).collect();
    let command = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let folder = std::env::current_dir().unwrap_or_default();
    Opened::new(&run.name, milliseconds_since_1970(), command, folder, settings.clone(), places)
}

/// Where a file is, whatever folder one is in.
pub(super) fn place_of(item: &WorkItem) -> PathBuf {
    match &item.origin {
        Origin::Disk(path) => path.canonicalize().unwrap_or_else(|_| path.clone()),
        Origin::Embedded(_) => PathBuf::from(&item.shown),
    }
}
