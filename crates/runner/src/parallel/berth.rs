//! The folder of a process with workers within the folder of a run: the files of its workers, its messages to the
//! master of the run if it is a helper, and a lock that shows whether the process is alive.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The files of one process.
#[derive(Debug, Clone)]
pub(super) struct Berth {
    folder: PathBuf,
    pub(super) number: u64,
}

/// A berth owned by this process until the value is dropped.
#[derive(Debug)]
pub(super) struct HeldBerth {
    pub(super) berth: Berth,
    /// Released when the file is closed, however the process ends.
    _lock: File,
}

/// Workers of a berth are numbered below this, so that each worker of a run has a number of its own.
const MOST_WORKERS: u64 = 100_000;
/// The maximum number of berths in a run, limited by the width of a claim.
const MOST_BERTHS: u64 = 10_000;

impl Berth {
    /// Names the berth with this number.
    pub(super) fn of(run: &Path, number: u64) -> Self {
        Self { folder: berths(run).join(number.to_string()), number }
    }

    /// The berths that there are, in the order of their numbers.
    pub(super) fn all(run: &Path) -> io::Result<Vec<Self>> {
        let entries = std::fs::read_dir(berths(run))?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.parse().ok());
        let mut numbers: Vec<u64> = names.collect();
        numbers.sort_unstable();
        Ok(numbers.into_iter().map(|number| Self::of(run, number)).collect())
    }

    /// Takes the next free berth.
    pub(super) fn take(run: &Path) -> io::Result<HeldBerth> {
        std::fs::create_dir_all(berths(run))?;
        for number in 0..MOST_BERTHS {
            let berth = Self::of(run, number);
            match std::fs::create_dir(&berth.folder) {
                Ok(()) => {
                    let lock = File::create(berth.lock())?;
                    lock.lock()?;
                    return Ok(HeldBerth { berth, _lock: lock });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("the run has been taken up, or helped, too many times"))
    }

    /// Whether its process is there. One that is about to take it counts as there.
    pub(super) fn is_held(&self) -> bool {
        match File::open(self.lock()) {
            Ok(lock) => matches!(lock.try_lock(), Err(TryLockError::WouldBlock)),
            Err(_) => self.folder.is_dir(),
        }
    }

    /// The number of its worker among all workers of the run.
    pub(super) fn worker(&self, worker: usize) -> u64 {
        self.number * MOST_WORKERS + worker as u64 % MOST_WORKERS
    }

    /// The berth of a worker.
    pub(super) fn number_of(worker: u64) -> u64 {
        worker / MOST_WORKERS
    }

    pub(super) fn slot(&self, worker: usize) -> PathBuf {
        self.folder.join(format!("slot-{worker}"))
    }

    pub(super) fn stderr(&self, worker: usize) -> PathBuf {
        self.folder.join(format!("stderr-{worker}"))
    }

    /// The messages from a helper to the master.
    pub(super) fn reports(&self) -> PathBuf {
        self.folder.join("reports.jsonl")
    }

    /// Its workers take up nothing further.
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

fn berths(run: &Path) -> PathBuf {
    run.join("berths")
}

/// Removes what only a run that goes on needs.
pub(super) fn clear(run: &Path) {
    // What cannot be removed is only in the way.
    std::fs::remove_dir_all(berths(run)).ok();
    for name in ["claims", "again", "closed"] {
        std::fs::remove_file(run.join(name)).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_berth_is_held_by_one_process() {
        let run = tempfile::tempdir().unwrap();
        let first = Berth::take(run.path()).unwrap();
        let second = Berth::take(run.path()).unwrap();
        assert_eq!((first.berth.number, second.berth.number), (0, 1));
        assert_eq!(Berth::number_of(second.berth.worker(9_999)), 1);
        drop(first);
        let held: Vec<_> = Berth::all(run.path()).unwrap().iter().map(Berth::is_held).collect();
        assert_eq!(held, [false, true]);
        clear(run.path());
        assert!(Berth::all(run.path()).is_err());
    }
}
