//! Where results are kept: a folder of runs, each of which is a folder.
//!
//! ```text
//! RESULTS/runs/20261122-214410/journal.jsonl   the truth of the run; of an old one journal.jsonl.zst
//!                              run.json        what its workers need to know
//!                              lock            held as long as the run goes on
//!                              …               the work queue and the workers' files, until the run is complete
//! ```

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::journal::Journal;
use super::journal_file::{has_journal, journal_path, plain_path};

/// So many runs may have begun in one second; more are a mistake.
const MOST_OF_A_SECOND: u32 = 99;

/// What a run needs to go on.
const PLAN: &str = "run.json";

/// A folder of runs.
#[derive(Debug, Clone)]
pub struct ResultsFolder {
    path: PathBuf,
}

/// The folder of one run, which nobody else can work on as its master while this is there.
#[derive(Debug)]
pub struct RunFolder {
    /// The name of the run.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
    _lock: Held,
}

/// A lock, given back by whatever end of the process. It is given back by name, too: a process that is being started has
/// the files of the one that starts it for a moment, and would keep it.
#[derive(Debug)]
pub(super) struct Held(File);

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.0.unlock());
    }
}

/// Why there is no such folder.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The file system does not let us.
    #[error("cannot {what} `{}`", path.display())]
    Io {
        /// What was to be done.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// No run has this name.
    #[error("no run `{name}` in `{}`", results.display())]
    Unknown {
        /// The name.
        name: String,
        /// The folder of runs.
        results: PathBuf,
    },
    /// There is no run at all, or none that was interrupted.
    #[error("no {what} in `{}`", results.display())]
    Nothing {
        /// What was looked for.
        what: &'static str,
        /// The folder of runs.
        results: PathBuf,
    },
    /// So many runs are of one second that no name is left.
    #[error("{MOST_OF_A_SECOND} runs of the second `{second}` in `{}`, and no name for one more", results.display())]
    NoName {
        /// The second.
        second: String,
        /// The folder of runs.
        results: PathBuf,
    },
    /// The run goes on.
    #[error("run `{0}` is still going on")]
    Busy(String),
    /// The run has results, and nothing to go on with.
    #[error("run `{0}` was made elsewhere, and cannot be gone on with here")]
    NoPlan(String),
    /// What is there is no run of this program.
    #[error("`{}` is no journal of this version", .0.display())]
    NoJournal(PathBuf),
}

pub(super) fn io_error<'p>(what: &'static str, path: &'p Path) -> impl Fn(io::Error) -> FolderError + 'p {
    move |source| FolderError::Io { what, path: path.to_owned(), source }
}

impl ResultsFolder {
    /// Names the folder; it is made when the first run needs it.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn runs_path(&self) -> PathBuf {
        self.path.join("runs")
    }

    /// Makes the folder of a run that starts now, at so many milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`].
    pub fn create_run(&self, now: i64) -> Result<RunFolder, FolderError> {
        let runs = self.runs_path();
        std::fs::create_dir_all(&runs).map_err(io_error("make the folder", &runs))?;
        for name in names(&name_of(now)) {
            let path = runs.join(&name);
            match std::fs::create_dir(&path) {
                Ok(()) => {
                    // The names of a folder are on the disk when the folder is.
                    sync_folder(&runs).map_err(io_error("write", &runs))?;
                    return lock(name, path);
                }
                // Another run of the same second.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(io_error("make the folder", &path)(error)),
            }
        }
        Err(self.no_name(&name_of(now)))
    }

    pub(super) fn no_name(&self, second: &str) -> FolderError {
        FolderError::NoName { second: second.to_owned(), results: self.path.clone() }
    }

    /// The names of all runs, the oldest first.
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`]; a folder that is not there yet has no runs.
    pub fn runs(&self) -> Result<Vec<String>, FolderError> {
        let runs = self.runs_path();
        let entries = match std::fs::read_dir(&runs) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error("list", &runs)(error)),
        };
        let names = entries.filter_map(Result::ok).map(|entry| entry.file_name());
        // Hidden folders are no runs of ours.
        let names = names.filter_map(|name| name.into_string().ok()).filter(|name| !name.starts_with('.'));
        let mut names: Vec<_> = names.collect();
        names.sort_by_key(|name| age_key(name));
        Ok(names)
    }

    /// The name of the last run.
    ///
    /// # Errors
    ///
    /// [`FolderError::Nothing`] if there is none.
    pub fn last(&self) -> Result<String, FolderError> {
        let nothing = || FolderError::Nothing { what: "run", results: self.path.clone() };
        self.runs()?.pop().ok_or_else(nothing)
    }

    /// Where the run is that `name` means: its name, or the path of its folder.
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

    /// Takes up the run that `name` means, or the last one that has not ended with a result for each file.
    ///
    /// # Errors
    ///
    /// [`FolderError`], for instance when the run is going on.
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
            // A run without a readable journal has nothing to go on from, and one that comes from elsewhere has no list
            // of its files.
            if path.join(PLAN).exists()
                && let Ok(journal) = read_journal(&path)
                && journal.report.files.len() < journal.report.header.files
            {
                return Ok(path);
            }
        }
        Err(FolderError::Nothing { what: "interrupted run", results: self.path.clone() })
    }

    /// Reads the journal of the run that `name` means, or of the last run, whether it goes on or not.
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

    /// The folder of a run.
    #[cfg(feature = "store")]
    pub(super) fn run_path(&self, name: &str) -> PathBuf {
        self.runs_path().join(name)
    }

    /// The length of the journal of a run, whether it is compressed or not; nothing if it has none.
    #[cfg(feature = "store")]
    pub(super) fn journal_bytes(&self, name: &str) -> Option<u64> {
        super::journal_file::length(&self.run_path(name))
    }

    /// Reads a journal as it was when it had this length.
    #[cfg(feature = "store")]
    pub(super) fn journal_up_to(&self, name: &str, length: u64) -> Result<Journal, FolderError> {
        let path = journal_path(&self.run_path(name));
        let journal = Journal::read_up_to(&path, length).map_err(io_error("read", &path))?;
        journal.ok_or(FolderError::NoJournal(path))
    }

    /// Removes a run with all that is known of it.
    ///
    /// # Errors
    ///
    /// [`FolderError`], for instance when the run goes on.
    pub fn remove(&self, name: &str) -> Result<(), FolderError> {
        let run = lock(name.to_owned(), self.path_of(name)?)?;
        std::fs::remove_dir_all(&run.path).map_err(io_error("remove", &run.path))
    }

    /// The last run that goes on now.
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

/// Returns when the names of the files in a folder are on the disk.
pub(in crate::results) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Whether somebody works on the run in this folder. Those who ask at the same time do not take each other for that.
pub(super) fn is_running(path: &Path) -> bool {
    let held = |lock: File| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock));
    File::open(lock_path(path)).is_ok_and(held)
}

impl RunFolder {
    /// The folder of results that the run is in.
    pub fn results(&self) -> ResultsFolder {
        let results = self.path.parent().and_then(Path::parent);
        ResultsFolder::new(results.unwrap_or(&self.path))
    }

    /// Where the journal is written.
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
    journal.ok_or(FolderError::NoJournal(path))
}

pub(super) fn lock(name: String, path: PathBuf) -> Result<RunFolder, FolderError> {
    let lock_path = lock_path(&path);
    let lock = File::create(&lock_path).map_err(io_error("make", &lock_path))?;
    match try_lock(&lock) {
        Ok(()) => Ok(RunFolder { name, path, _lock: Held(lock) }),
        Err(TryLockError::WouldBlock) => Err(FolderError::Busy(name)),
        Err(TryLockError::Error(error)) => Err(io_error("lock", &lock_path)(error)),
    }
}

/// Keeps a run from being taken up, unless somebody works on it. Who looks whether it goes on is not misled by this.
#[cfg(feature = "store")]
pub(super) fn hold_still(path: &Path) -> Option<Held> {
    let lock = File::open(lock_path(path)).or_else(|_| File::create(lock_path(path))).ok()?;
    lock.try_lock_shared().ok().map(|()| Held(lock))
}

/// How long a lock is waited for. A process that is killed while it starts another leaves its lock to the other, until
/// that one has become the program that it is to be.
const PATIENCE: Duration = Duration::from_secs(1);

fn try_lock(lock: &File) -> Result<(), TryLockError> {
    lock_with_patience(lock, PATIENCE)
}

/// Locks a file, or gives up after so long.
pub(super) fn lock_with_patience(lock: &File, patience: Duration) -> Result<(), TryLockError> {
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

/// The name of a run that starts now: the second, in UTC.
pub(super) fn name_of(now: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
    time.strftime("%Y%m%d-%H%M%S").to_string()
}

/// The names that runs of this second may have.
pub(super) fn names(second: &str) -> impl Iterator<Item = String> {
    (1..=MOST_OF_A_SECOND)
        .map(move |number| if number == 1 { second.to_owned() } else { format!("{second}-{number}") })
}

/// Orders names by the second, and runs of one second by their number.
pub(super) fn age_key(name: &str) -> (String, u32) {
    let mut parts = name.splitn(3, '-');
    let second: Vec<_> = parts.by_ref().take(2).collect();
    let number = parts.next().and_then(|number| number.parse().ok());
    (second.join("-"), number.unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_named_by_their_second() {
        assert_eq!(name_of(1_795_383_850_123), "20261122-214410");
        let folder = tempfile::tempdir().unwrap();
        let results = ResultsFolder::new(folder.path().join("not/there"));
        assert_eq!(results.runs().unwrap(), Vec::<String>::new());
        let made: Vec<_> = (0..11).map(|_| results.create_run(1_000).unwrap().name).collect();
        assert_eq!(made[..2], ["19700101-000001", "19700101-000001-2"]);
        assert_eq!(results.runs().unwrap(), made, "the tenth comes after the ninth");
    }

    #[test]
    fn a_run_has_one_master() {
        let folder = tempfile::tempdir().unwrap();
        let results = ResultsFolder::new(folder.path());
        let run = results.create_run(0).unwrap();
        std::fs::write(run.journal(), "").unwrap();
        assert_eq!(results.running().unwrap(), run.path);
        let error = results.take_up(Some(&run.name)).unwrap_err();
        assert!(matches!(error, FolderError::Busy(_)), "{error}");
        drop(run);
        assert!(matches!(results.running(), Err(FolderError::Nothing { .. })));
        let error = results.take_up(Some("19700101-000000")).unwrap_err();
        assert!(matches!(error, FolderError::NoJournal(_)), "{error}");
        assert!(matches!(results.take_up(Some("x")), Err(FolderError::Unknown { .. })));
        assert!(matches!(results.take_up(None), Err(FolderError::Nothing { .. })));
    }
}
