//! Keeping the store: what is to be sealed, making everything again from the journals, taking runs out.

use std::collections::{BTreeSet, HashMap};
use std::fs::{File, TryLockError};
use std::time::Duration;

use super::RunId;
use super::disk::Disk;
use super::error::{StoreError, io_error};
use super::manifest::{Manifest, SealedRun};
use super::rows::{RunRows, rows_of};
use super::seal::Draft;
use slt_runner::results::folder::{is_running, lock_with_patience};
use slt_runner::results::{FolderError, ResultsFolder, journal_file};

/// The store of a folder of results.
///
/// Runs are written by whoever makes them, into journals; the store is made of these. It holds a lock only while it
/// changes its files, for some milliseconds a run; reading needs none.
#[derive(Debug)]
pub struct Store {
    pub(super) results: ResultsFolder,
    pub(super) disk: Disk,
}

/// What was done to bring the store up to date.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sealed {
    /// The runs that were sealed.
    pub runs: Vec<String>,
    /// What could not be, and why: sentences for the user.
    pub notes: Vec<String>,
}

/// Keeps others from changing the store while it is there.
#[derive(Debug)]
#[must_use]
pub struct Removal {
    _lock: Option<File>,
}

/// How long another process may hold the lock.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it is waited for a lock that nobody may hold any more: a process that is being started has those of the one
/// that starts it, for a moment.
const A_MOMENT: Duration = Duration::from_millis(200);

/// Whether to seal so many runs, whose journals have so many bytes, when so many bytes are written anew besides.
fn is_worth_sealing(runs: usize, bytes: u64, written_anew: u64) -> bool {
    const MANY: usize = 20;
    const MUCH: u64 = 1 << 20;
    const SHARE: u64 = 8;
    (runs >= MANY || bytes >= MUCH) && bytes.saturating_mul(SHARE) >= written_anew
}

/// Says how far a long work has come: runs done, and all.
pub type Progress<'p> = &'p mut dyn FnMut(usize, usize);

impl Store {
    /// The store of a folder of results, whether it is there already or not.
    pub fn new(results: &ResultsFolder) -> Self {
        Self::dying_at(results, None)
    }

    /// A store whose process is killed at a step of its writing, for tests of what is left then.
    #[doc(hidden)]
    pub fn dying_at(results: &ResultsFolder, step: Option<u64>) -> Self {
        let disk = Disk::new(results.path().join("store"), step);
        Self { results: results.clone(), disk }
    }

    /// Seals all ended runs that are not in the store as they are now.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. Nothing is lost then: what is not sealed is read from its journal.
    pub fn catch_up(&self, progress: Progress<'_>) -> Result<Sealed, StoreError> {
        match Manifest::read(&self.disk.manifest()) {
            Ok(manifest) if self.unsealed(&manifest)?.is_empty() => {
                if self.disk.has_strays(&manifest.names()) {
                    self.tidy();
                }
                return Ok(Sealed::default());
            }
            Ok(_) | Err(StoreError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
        let _lock = self.lock()?;
        let manifest = match Manifest::read(&self.disk.manifest()) {
            Ok(manifest) if self.disk.manifest().exists() => manifest,
            // Damaged, or not there: everything is made again.
            Ok(_) | Err(StoreError::Damaged(_)) => return self.rebuild_locked(progress),
            Err(error) => return Err(error),
        };
        let unsealed = self.unsealed(&manifest)?;
        if unsealed.is_empty() {
            return Ok(Sealed::default());
        }
        self.disk.sweep(&manifest.names())?;
        let done = self.draft(manifest).and_then(|mut draft| {
            let mut done = self.seal_all(&mut draft, unsealed, &mut *progress)?;
            done.notes.extend(self.compress_old(&draft)?);
            Ok(done)
        });
        match done {
            // What is damaged keeps no other run out.
            Err(error) if error.is_damage() => self.rebuild_locked(progress),
            done => done,
        }
    }

    /// Seals ended runs if that is worth the work: the store is written anew where it covers all runs, which takes longer than
    /// a small run does. What waits is read from its journal, and sealed when somebody asks.
    ///
    /// # Errors
    ///
    /// [`StoreError`], as of [`Self::catch_up`].
    pub fn catch_up_after_run(&self, progress: Progress<'_>) -> Result<Sealed, StoreError> {
        if let Ok(manifest) = Manifest::read(&self.disk.manifest()) {
            let waiting = self.unsealed(&manifest)?;
            let bytes = waiting.iter().filter_map(|name| self.results.journal_bytes(name)).sum();
            let written_anew = manifest.summary.iter().chain(&manifest.known).map(|file| file.bytes).sum();
            if !is_worth_sealing(waiting.len(), bytes, written_anew) {
                return Ok(Sealed::default());
            }
        }
        self.catch_up(progress)
    }

    /// Removes what a killed process has left, unless somebody is at work now.
    fn tidy(&self) {
        let Ok(lock) = File::open(self.disk.lock()) else { return };
        if lock_with_patience(&lock, A_MOMENT).is_ok()
            && let Ok(manifest) = Manifest::read(&self.disk.manifest())
        {
            // What cannot be removed now is removed by the next that writes.
            drop(self.disk.sweep(&manifest.names()));
        }
    }

    /// Makes everything again from the journals, and sets aside what is damaged. A run whose journal is gone stays as
    /// the store has it.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. The store is as it was then.
    pub fn rebuild(&self, progress: Progress<'_>) -> Result<Sealed, StoreError> {
        let _lock = self.lock()?;
        self.rebuild_locked(progress)
    }

    fn rebuild_locked(&self, progress: Progress<'_>) -> Result<Sealed, StoreError> {
        let mut done = Sealed::default();
        let old = self.old_manifest(&mut done.notes)?;
        let mut names: BTreeSet<(i64, String)> = BTreeSet::new();
        for name in self.results.runs()? {
            let Ok(id) = RunId::of_name(&name) else { continue };
            if !is_running(&self.results.run_path(&name)) && self.results.journal_bytes(&name).is_some() {
                names.insert((id.0, name));
            }
        }
        names.extend(old.runs.iter().map(|run| (run.id, run.name.clone())));
        let mut draft = Draft::new();
        let all = names.len();
        for (number, (id, name)) in names.into_iter().enumerate() {
            match self.rows_for_rebuild(&old, RunId(id), &name) {
                Ok((rows, journal)) => {
                    self.seal(&mut draft, &name, RunId(id), &rows, journal)?;
                    done.runs.push(name);
                }
                Err(error) => done.notes.push(format!("run {name} is left out: {}", error.with_cause())),
            }
            progress(number + 1, all);
        }
        self.finish(&mut draft)?;
        done.notes.extend(self.compress_old(&draft)?);
        Ok(done)
    }

    /// From the journal if there is one, and all of it; else from the store.
    fn rows_for_rebuild(&self, old: &Manifest, id: RunId, name: &str) -> Result<(RunRows, u64), StoreError> {
        let length = self.results.journal_bytes(name);
        let from_journal = match length {
            Some(length) => self.journal(name, length).map(|journal| {
                let grown = old.run(name).is_none_or(|run| length >= run.journal);
                (rows_of(&journal, id, false), length, grown && journal.damaged == 0)
            }),
            None => Err(StoreError::Folder(FolderError::Unknown {
                name: name.to_owned(),
                results: self.results.path().to_owned(),
            })),
        };
        match (from_journal, old.run(name)) {
            (Ok((rows, length, true)), _) => Ok((rows, length)),
            (Err(_), Some(run)) => Ok((self.read_run(old, run)?, run.journal)),
            // A journal that has lost something takes nothing away from what was sealed when it was whole.
            (Ok((rows, length, false)), Some(run)) if length <= run.journal => {
                Ok(self.read_run(old, run).map_or((rows, length), |kept| (kept, run.journal)))
            }
            (found, _) => found.map(|(rows, length, _)| (rows, length)),
        }
    }

    /// Takes runs out of the store. As long as what is returned is there nobody takes them in again, so that their
    /// journals can be removed.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. The runs are still in the store then.
    pub fn remove(&self, names: &[String]) -> Result<Removal, StoreError> {
        if names.is_empty() {
            return Ok(Removal { _lock: None });
        }
        let is_in = |manifest: &Manifest| names.iter().any(|name| manifest.run(name).is_some());
        let lock = match (self.lock(), Manifest::read(&self.disk.manifest())?) {
            (Ok(lock), _) => lock,
            // Where nobody can write, nobody takes them in.
            (Err(StoreError::Io { .. }), manifest) if !is_in(&manifest) => {
                return Ok(Removal { _lock: None });
            }
            (Err(error), _) => return Err(error),
        };
        let manifest = Manifest::read(&self.disk.manifest())?;
        if is_in(&manifest) {
            let mut draft = self.draft(manifest)?;
            draft.manifest.runs.retain(|run| !names.contains(&run.name));
            draft.forget_unneeded();
            draft.stale = true;
            self.finish(&mut draft)?;
        }
        Ok(Removal { _lock: Some(lock) })
    }

    /// The ended runs that are not in the store as they are now.
    pub(super) fn unsealed(&self, manifest: &Manifest) -> Result<Vec<String>, StoreError> {
        let sealed: HashMap<_, _> = manifest.runs.iter().map(|run| (run.name.as_str(), run)).collect();
        let mut names = self.results.runs()?;
        names.retain(|name| {
            let sealed = sealed.get(name.as_str());
            let length = self.results.journal_bytes(name);
            length.is_some_and(|length| {
                // A journal that is shorter than it was has lost something, and the store has it.
                sealed.is_none_or(|run| length > run.journal && !self.is_as_sealed(run, length))
            }) && RunId::of_name(name).is_ok()
                && !is_running(&self.results.run_path(name))
        });
        Ok(names)
    }

    /// Whether a run whose journal has this length is the one that was sealed. Only sealed journals are compressed: where
    /// such a one says another length it is damaged, and the store has the run.
    pub(super) fn is_as_sealed(&self, sealed: &SealedRun, length: u64) -> bool {
        sealed.journal == length || journal_file::is_only_compressed(&self.results.run_path(&sealed.name))
    }

    fn lock(&self) -> Result<File, StoreError> {
        self.disk.prepare()?;
        let path = self.disk.lock();
        let lock = File::create(&path).map_err(io_error("make", &path))?;
        match lock_with_patience(&lock, PATIENCE) {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => Err(StoreError::Busy(PATIENCE.as_secs())),
            Err(TryLockError::Error(error)) => Err(io_error("lock", &path)(error)),
        }
    }
}
