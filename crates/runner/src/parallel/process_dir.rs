//! The directory of a process with workers, within the run folder.
//!
//! It has the files of the workers, the events of a helper for the master of the run, and a lock that shows whether the
//! process is alive.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The directory of one process.
#[derive(Debug, Clone)]
pub(super) struct ProcessDir {
    folder: PathBuf,
    pub(super) number: u64,
}

/// A process directory owned by this process until the value is dropped.
#[derive(Debug)]
pub(super) struct OwnedProcessDir {
    pub(super) process_dir: ProcessDir,
    /// Released by the OS when the process exits.
    _lock: File,
}

/// The maximum number of workers in a process directory, so that each worker of a run has its own number.
const MAX_WORKERS: u64 = 100_000;
/// The maximum number of processes in a run, limited by the width of a claim.
const MAX_PROCESSES: u64 = 10_000;

impl ProcessDir {
    /// Names the process directory with this number.
    pub(super) fn new(run: &Path, number: u64) -> Self {
        Self { folder: process_dirs(run).join(number.to_string()), number }
    }

    /// Returns the existing process directories, ordered by number.
    pub(super) fn all(run: &Path) -> io::Result<Vec<Self>> {
        let entries = std::fs::read_dir(process_dirs(run))?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.parse().ok());
        let mut numbers: Vec<u64> = names.collect();
        numbers.sort_unstable();
        Ok(numbers.into_iter().map(|number| Self::new(run, number)).collect())
    }

    /// Creates and locks the next free process directory.
    pub(super) fn take(run: &Path) -> io::Result<OwnedProcessDir> {
        std::fs::create_dir_all(process_dirs(run))?;
        for number in 0..MAX_PROCESSES {
            let process_dir = Self::new(run, number);
            match std::fs::create_dir(&process_dir.folder) {
                Ok(()) => {
                    let lock = File::create(process_dir.lock())?;
                    lock.lock()?;
                    return Ok(OwnedProcessDir { process_dir, _lock: lock });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("the run was resumed or joined too many times"))
    }

    /// Returns whether its process is alive. A process that is about to lock it counts as alive.
    pub(super) fn is_held(&self) -> bool {
        match File::open(self.lock()) {
            Ok(lock) => matches!(lock.try_lock(), Err(TryLockError::WouldBlock)),
            Err(_) => self.folder.is_dir(),
        }
    }

    /// Returns the number of its worker among all workers of the run.
    pub(super) fn worker(&self, worker: usize) -> u64 {
        self.number * MAX_WORKERS + worker as u64 % MAX_WORKERS
    }

    /// Returns the number of the process directory of a worker.
    pub(super) fn number_of(worker: u64) -> u64 {
        worker / MAX_WORKERS
    }

    pub(super) fn slot(&self, worker: usize) -> PathBuf {
        self.folder.join(format!("slot-{worker}"))
    }

    pub(super) fn stderr(&self, worker: usize) -> PathBuf {
        self.folder.join(format!("stderr-{worker}"))
    }

    /// Returns the path of the file with a helper's events.
    pub(super) fn reports(&self) -> PathBuf {
        self.folder.join("reports.jsonl")
    }

    /// Stops its workers from claiming further tasks.
    pub(super) fn close(&self) -> io::Result<()> {
        File::create(self.closed()).map(drop)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed().exists()
    }

    fn closed(&self) -> PathBuf {
        self.folder.join("closed")
    }

    fn lock(&self) -> PathBuf {
        self.folder.join("lock")
    }
}

fn process_dirs(run: &Path) -> PathBuf {
    run.join("processes")
}

/// Removes the files that only an unfinished run needs.
pub(super) fn clear(run: &Path) {
    // Leftovers are harmless, so errors are ignored.
    std::fs::remove_dir_all(process_dirs(run)).ok();
    for name in ["claims", "again", "closed"] {
        std::fs::remove_file(run.join(name)).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_dir_is_held_by_one_process() {
        let run = tempfile::tempdir().unwrap();
        let first = ProcessDir::take(run.path()).unwrap();
        let second = ProcessDir::take(run.path()).unwrap();
        assert_eq!((first.process_dir.number, second.process_dir.number), (0, 1));
        assert_eq!(ProcessDir::number_of(second.process_dir.worker(9_999)), 1);
        drop(first);
        let held: Vec<_> = ProcessDir::all(run.path()).unwrap().iter().map(ProcessDir::is_held).collect();
        assert_eq!(held, [false, true]);
        clear(run.path());
        assert!(ProcessDir::all(run.path()).is_err());
    }
}
