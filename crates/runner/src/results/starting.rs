//! Starting a run: its folder is created under a hidden name and renamed when the journal has its header. A process
//! that dies before that leaves no run, and its leftovers are removed when the next run starts.
//!
//! ```text
//! RESULTS/.starting/lock    held while a folder is made or removed
//!                   …/      a run that has no name yet, with its lock
//! ```

use std::fs::File;
use std::io;
use std::path::Path;

use super::folder::{HeldLock, ResultsFolder, RunFolder, lock};
use super::folder_error::{FolderError, io_error};
use super::journal::{JournalWriter, Opened};
use super::journal_file::plain_path;
use super::sequence::{name_of_number, number_of, numbers_after};
use super::steps::Steps;
use slt_core::outcome::RunHeader;

const LOCK: &str = "lock";

/// The folder of an unnamed run.
#[derive(Debug)]
pub struct StartingRun {
    results: ResultsFolder,
    /// Removed if the run is never named.
    folder: tempfile::TempDir,
    lock: RunFolder,
    steps: Steps,
}

impl ResultsFolder {
    /// Creates the folder of a new run.
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`].
    pub fn start_run(&self) -> Result<StartingRun, FolderError> {
        self.start_run_dying_at(None)
    }

    /// Starts a run whose process is killed at a step, for tests of recovery.
    #[doc(hidden)]
    pub fn start_run_dying_at(&self, step: Option<u64>) -> Result<StartingRun, FolderError> {
        let steps = Steps::dying_at(step);
        let starting = self.path().join(".starting");
        for folder in [&self.runs_path(), &starting] {
            steps.step();
            std::fs::create_dir_all(folder).map_err(io_error("make the folder", folder))?;
        }
        steps.step();
        let _others = hold_others_off(&starting)?;
        sweep(&starting);
        steps.step();
        // The umask decides who may read and join a run.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        let folder = tempfile::Builder::new().prefix("run-").permissions(mode).tempdir_in(&starting);
        let folder = folder.map_err(|error| io_error("make a folder in", &starting)(error.kind().into()))?;
        steps.step();
        let lock = lock(String::new(), folder.path().to_owned())?;
        steps.step();
        Ok(StartingRun { results: self.clone(), folder, lock, steps })
    }
}

impl StartingRun {
    /// Returns the path of the unnamed folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Begins the journal and names the run after the second `now`, in milliseconds since 1970, or after the last run if
    /// that is later. `opened` creates the first entry for a name.
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`]; then the run does not exist.
    pub fn publish(
        self,
        now: i64,
        header: &RunHeader,
        opened: &dyn Fn(&str) -> Opened,
    ) -> Result<(RunFolder, JournalWriter), FolderError> {
        let Self { results, folder, lock, steps } = self;
        let runs = results.runs_path();
        let journal = plain_path(folder.path());
        steps.step();
        let newest = results.last().ok().and_then(|name| number_of(&name));
        for number in numbers_after(newest, now) {
            let name = name_of_number(number);
            let path = runs.join(&name);
            if path.symlink_metadata().is_ok() {
                continue;
            }
            let written = || {
                // An attempt under another name may have left this journal.
                drop(std::fs::remove_file(&journal));
                JournalWriter::begin(&journal, opened(&name), header)
            };
            steps.step();
            let mut writer = written().map_err(io_error("write", &journal))?;
            steps.step();
            match std::fs::rename(folder.path(), &path) {
                Ok(()) => {}
                // Another run has taken the name.
                Err(error) if is_taken(&error) => continue,
                Err(error) => return Err(io_error("make the folder", &path)(error)),
            }
            // It was renamed.
            drop(folder.keep());
            writer.moved_to(&path);
            steps.step();
            let synced = files_of(&path, &runs).and_then(|files| writer.sync_behind(files));
            synced.map_err(io_error("write", &path))?;
            steps.step();
            return Ok((RunFolder { name, path, ..lock }, writer));
        }
        Err(results.no_name(&name_of_number(newest.unwrap_or(0))))
    }
}

/// Returns the files and folders to sync for a new run.
fn files_of(run: &Path, runs: &Path) -> io::Result<Vec<File>> {
    let entries = std::fs::read_dir(run)?.filter_map(Result::ok);
    let files = entries.map(|entry| entry.path()).filter(|path| path.is_file());
    files.chain([run.to_owned(), runs.to_owned()]).map(File::open).collect()
}

/// Returns whether a folder cannot be renamed because something else has the name.
pub(super) fn is_taken(error: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, NotADirectory};
    matches!(error.kind(), AlreadyExists | DirectoryNotEmpty | NotADirectory)
}

/// Waits until no other process creates or removes such a folder.
fn hold_others_off(starting: &Path) -> Result<HeldLock, FolderError> {
    let path = starting.join(LOCK);
    let file = File::create(&path).map_err(io_error("make", &path))?;
    file.lock().map_err(io_error("lock", &path))?;
    Ok(HeldLock(file))
}

/// Removes the leftovers of killed processes. Errors are ignored, because leftovers are harmless.
fn sweep(starting: &Path) {
    let entries = std::fs::read_dir(starting).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name() != LOCK) {
        let is_held = File::open(entry.path().join(LOCK)).is_ok_and(|lock| lock.try_lock().is_err());
        if !is_held {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}
