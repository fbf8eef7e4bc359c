//! The results folder: a folder of runs, each of which is a folder.
//!
//! ```text
//! RESULTS/runs/20261122-214410/journal.jsonl   the source of truth; of an old run journal.jsonl.zst
//!                              run.json        the assignment for workers
//!                              lock            held while the run is running
//!                              …               the work queue and the workers' files, until the run is complete
//! ```
//!
//! A run gets its name once its journal has a header (see `results::starting`). Other entries among the runs are
//! ignored.

use std::fs::{DirEntry, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::folder_error::{FolderError, io_error};
use super::journal::Journal;
use super::journal_file::{has_journal, journal_path, plain_path};
use super::sequence::{number_of, seconds_ahead};
use super::start::check_start;

/// The assignment, needed to resume a run.
const PLAN: &str = "run.json";

/// A folder of runs.
#[derive(Debug, Clone)]
pub struct ResultsFolder {
    path: PathBuf,
}

/// The folder of one run. While it is held, no other process can be the master of the run.
#[derive(Debug)]
pub struct RunFolder {
    /// The name of the run.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
    pub(super) _lock: HeldLock,
}

/// A lock that the OS releases when the process exits. Dropping it unlocks explicitly, because a child process that is
/// starting shares the open file for a moment.
#[derive(Debug)]
pub struct HeldLock(pub(super) File);

impl Drop for HeldLock {
    fn drop(&mut self) {
        drop(self.0.unlock());
    }
}

impl ResultsFolder {
    /// Names the folder, which is created with the first run.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Returns the folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn runs_path(&self) -> PathBuf {
        self.path.join("runs")
    }

    pub(super) fn no_name(&self, second: &str) -> FolderError {
        FolderError::NoName { second: second.to_owned(), results: self.path.clone() }
    }

    /// Returns the names of all runs, the oldest first. Other entries are skipped, see [`Self::strays`].
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`]; a missing folder has no runs.
    pub fn runs(&self) -> Result<Vec<String>, FolderError> {
        // A link would show the same run twice.
        let entries = self.entries()?.into_iter().filter(|entry| !is_link(entry));
        let runs = entries.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let number = number_of(&name)?;
            has_journal(&self.runs_path().join(&name)).then_some((number, name))
        });
        let mut runs: Vec<_> = runs.collect();
        runs.sort_unstable();
        Ok(runs.into_iter().map(|(_, name)| name).collect())
    }

    fn entries(&self) -> Result<Vec<DirEntry>, FolderError> {
        let runs = self.runs_path();
        match std::fs::read_dir(&runs) {
            Ok(entries) => Ok(entries.filter_map(Result::ok).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(io_error("list", &runs)(error)),
        }
    }

    /// Returns the entries that are not runs, with reasons, as sentences for the user.
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`] when the folder cannot be listed.
    pub fn strays(&self) -> Result<Vec<String>, FolderError> {
        let mut strays = Vec::new();
        for found in self.entries()? {
            let entry = found.file_name();
            // Hidden entries are files of other programs.
            if entry.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = self.runs_path().join(&entry);
            let why = match (entry.to_str().and_then(number_of), std::fs::read_dir(&path)) {
                (None, _) => "it is not named as a run is".to_owned(),
                _ if is_link(&found) => "it is a symbolic link".to_owned(),
                (_, Err(error)) => error.to_string(),
                (Some(_), Ok(_)) if !has_journal(&path) => "it has no journal".to_owned(),
                (Some(_), Ok(_)) => match check_start(&journal_path(&path)) {
                    Err(FolderError::NoJournal(_)) => {
                        "its journal ends before it says what the run is".to_owned()
                    }
                    Err(FolderError::Io { source, .. }) => format!("its journal cannot be read: {source}"),
                    Ok(()) | Err(_) => continue,
                },
            };
            strays.push(format!("{path:?} is ignored: {why}"));
        }
        strays.sort();
        Ok(strays)
    }

    /// Returns the path of the run with this name or path.
    ///
    /// # Errors
    ///
    /// [`FolderError::Unknown`].
    pub fn path_of(&self, name: &str) -> Result<PathBuf, FolderError> {
        let named = self.runs_path().join(name);
        let candidates = [named, PathBuf::from(name)];
        let mut found = candidates.into_iter().filter(|path| has_journal(path));
        found.next().ok_or_else(|| FolderError::Unknown { name: name.to_owned(), results: self.path.clone() })
    }

    /// Locks the named run, or the last unfinished one, for resuming.
    ///
    /// # Errors
    ///
    /// [`FolderError`], for instance when the run is still running.
    pub fn take_up(&self, name: Option<&str>) -> Result<(RunFolder, Journal), FolderError> {
        let path = match name {
            Some(name) => self.path_of(name)?,
            None => self.last_incomplete()?,
        };
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let folder = lock(name, path)?;
        let journal = read_journal(&folder.path)?;
        if !folder.path.join(PLAN).exists() {
            return Err(FolderError::NoPlan(folder.name));
        }
        Ok((folder, journal))
    }

    fn last_incomplete(&self) -> Result<PathBuf, FolderError> {
        for name in self.runs()?.into_iter().rev() {
            let path = self.runs_path().join(name);
            // A run without a readable journal has nothing to continue from, and one that comes from elsewhere has no
            // list of its files.
            if path.join(PLAN).exists()
                && let Ok(journal) = read_journal(&path)
                && journal.report.files.len() < journal.report.header.files
            {
                return Ok(path);
            }
        }
        Err(FolderError::Nothing { what: "interrupted run", results: self.path.clone() })
    }

    /// Reads the journal of the named run, or of the last run, even while it is running.
    ///
    /// # Errors
    ///
    /// [`FolderError`], for instance when there is no run.
    pub fn journal(&self, name: Option<&str>) -> Result<Journal, FolderError> {
        let path = match name {
            Some(name) => self.path_of(name)?,
            None => self.runs_path().join(self.last()?),
        };
        read_journal(&path)
    }

    /// Returns the folder of a run.
    pub fn run_path(&self, name: &str) -> PathBuf {
        self.runs_path().join(name)
    }

    /// Returns whether a run has the assignment that resuming needs.
    pub(super) fn has_plan(&self, name: &str) -> bool {
        self.run_path(name).join(PLAN).exists()
    }

    /// Returns the length of the journal of a run, compressed or not; `None` without a journal.
    pub fn journal_bytes(&self, name: &str) -> Option<u64> {
        super::journal_file::length(&self.run_path(name))
    }

    /// Reads a journal as it was when it had this length.
    pub fn journal_up_to(&self, name: &str, length: u64) -> Result<Journal, FolderError> {
        let path = journal_path(&self.run_path(name));
        let journal = Journal::read_up_to(&path, length).map_err(io_error("read", &path))?;
        journal.ok_or_else(|| why_unreadable(path))
    }

    /// Removes a run.
    ///
    /// # Errors
    ///
    /// [`FolderError`], for instance when the run is still in progress.
    pub fn remove(&self, name: &str) -> Result<(), FolderError> {
        let run = lock(name.to_owned(), self.path_of(name)?)?;
        std::fs::remove_dir_all(&run.path).map_err(io_error("remove", &run.path))
    }

    /// Returns the last run that is in progress.
    ///
    /// # Errors
    ///
    /// [`FolderError::Nothing`] if none does.
    pub fn running(&self) -> Result<PathBuf, FolderError> {
        let paths = self.runs()?.into_iter().rev().map(|name| self.runs_path().join(name));
        let mut running = paths.filter(|path| is_running(path));
        running
            .next()
            .ok_or_else(|| FolderError::Nothing { what: "run that is going on", results: self.path.clone() })
    }
}

/// Returns whether a process is working on the run in this folder. Concurrent callers do not affect each other.
pub fn is_running(path: &Path) -> bool {
    let held = |lock: File| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock));
    File::open(lock_path(path)).is_ok_and(held)
}

impl RunFolder {
    /// Returns the folder of results that the run is in.
    pub fn results(&self) -> ResultsFolder {
        let results = self.path.parent().and_then(Path::parent);
        ResultsFolder::new(results.unwrap_or(&self.path))
    }

    /// Returns whether its name is of a later time than this one, by more than a second.
    pub fn is_ahead_of(&self, now: i64) -> bool {
        seconds_ahead(&self.name, now) > 1
    }

    /// Returns the path of the plain journal.
    pub fn journal(&self) -> PathBuf {
        plain_path(&self.path)
    }
}

fn lock_path(run: &Path) -> PathBuf {
    run.join("lock")
}

fn read_journal(run: &Path) -> Result<Journal, FolderError> {
    let path = journal_path(run);
    let journal = Journal::read(&path).map_err(io_error("read", &path))?;
    journal.ok_or_else(|| why_unreadable(path))
}

/// Returns whether an entry is a symbolic link.
fn is_link(entry: &DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| kind.is_symlink())
}

/// Finds the reason why a journal is unreadable.
pub(super) fn why_unreadable(path: PathBuf) -> FolderError {
    check_start(&path).err().unwrap_or(FolderError::NoHeader(path))
}

pub(super) fn lock(name: String, path: PathBuf) -> Result<RunFolder, FolderError> {
    let lock_path = lock_path(&path);
    let lock = File::create(&lock_path).map_err(io_error("make", &lock_path))?;
    match lock_with_patience(&lock, PATIENCE) {
        Ok(()) => Ok(RunFolder { name, path, _lock: HeldLock(lock) }),
        Err(TryLockError::WouldBlock) => Err(FolderError::Busy(name)),
        Err(TryLockError::Error(error)) => Err(io_error("lock", &lock_path)(error)),
    }
}

/// Prevents the run from being resumed, unless a process is working on it. [`is_running`] ignores this lock.
pub fn hold_still(path: &Path) -> Option<HeldLock> {
    let lock = File::open(lock_path(path)).or_else(|_| File::create(lock_path(path))).ok()?;
    lock.try_lock_shared().ok().map(|()| HeldLock(lock))
}

/// The time to wait for a lock. A process that is killed while it starts another leaves its lock to that one until it
/// has called `exec`.
const PATIENCE: Duration = Duration::from_secs(1);

/// Locks a file, or gives up after this time.
pub fn lock_with_patience(lock: &File, patience: Duration) -> Result<(), TryLockError> {
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => {}
        done => return done,
    }
    // The lock belongs to the open file, of which this is another handle.
    let waiting = lock.try_clone().map_err(TryLockError::Error)?;
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new().spawn(move || drop(sender.send(waiting.lock())));
    thread.map_err(TryLockError::Error)?;
    match receiver.recv_timeout(patience) {
        Ok(locked) => locked.map_err(TryLockError::Error),
        Err(_) => Err(TryLockError::WouldBlock),
    }
}
