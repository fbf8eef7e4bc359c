//! Maintains the store: sealing, rebuilding, and removing runs.

use std::collections::{BTreeSet, HashMap};
use std::fs::{File, TryLockError};
use std::time::Duration;

use super::RunId;
use super::error::{StoreError, io_error};
use super::manifest::{Manifest, SealedRun};
use super::rows::{RunRows, rows_of};
use super::seal::StoreDraft;
use super::store::{Progress, SealResult, Store};
use slt_runner::results::folder::{is_running, lock_with_patience};
use slt_runner::results::{FolderError, journal_file};

/// Prevents other processes from changing the store while it exists.
#[derive(Debug)]
#[must_use]
pub struct RemovalLock {
    _lock: Option<File>,
}

/// The time to wait for a lock held by another process.
const PATIENCE: Duration = Duration::from_secs(10);

/// The time to wait for a lock without an owner: a starting child process briefly shares the locks of its parent.
const A_MOMENT: Duration = Duration::from_millis(200);

/// Returns whether sealing is worthwhile at the end of a run, given the number of runs, the size of their journals, and
/// the bytes to rewrite.
///
/// A few journals are too little, since some files cover all runs. Much text takes long and needs ten times its size in
/// memory, so it waits for a command that needs the store.
fn is_worth_sealing(runs: usize, bytes: u64, written_anew: u64) -> bool {
    const MANY: usize = 20;
    const MUCH: u64 = 1 << 20;
    const TOO_MUCH: u64 = 16 << 20;
    const SHARE: u64 = 8;
    bytes <= TOO_MUCH && (runs >= MANY || bytes >= MUCH) && bytes.saturating_mul(SHARE) >= written_anew
}

impl Store {
    /// Seals all ended runs that are new or changed.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. Nothing is lost then: unsealed runs are read from their journals.
    pub fn catch_up(&self, progress: Progress<'_>) -> Result<SealResult, StoreError> {
        match Manifest::read(&self.disk.manifest()) {
            Ok(manifest) if self.unsealed(&manifest)?.is_empty() => {
                if self.disk.has_strays(&manifest.names()) {
                    self.tidy();
                }
                return Ok(SealResult::default());
            }
            Ok(_) | Err(StoreError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
        let _lock = self.lock()?;
        let manifest = match Manifest::read(&self.disk.manifest()) {
            Ok(manifest) if self.disk.manifest().exists() => manifest,
            // Damaged or missing: the store is rebuilt.
            Ok(_) | Err(StoreError::Damaged(_)) => return self.rebuild_locked(progress),
            Err(error) => return Err(error),
        };
        let unsealed = self.unsealed(&manifest)?;
        if unsealed.is_empty() {
            return Ok(SealResult::default());
        }
        self.disk.sweep(&manifest.names())?;
        let done = self.draft(manifest).and_then(|mut draft| {
            let mut done = self.seal_all(&mut draft, unsealed, &mut *progress)?;
            done.notes.extend(self.compress_old(&draft)?);
            Ok(done)
        });
        match done {
            // Damaged files must not prevent sealing new runs.
            Err(error) if error.is_damage() => self.rebuild_locked(progress),
            done => done,
        }
    }

    /// Seals ended runs if that is worthwhile: some files cover all runs, and rewriting them takes longer than a small
    /// run.
    ///
    /// Unsealed runs are read from their journals, and sealed by the next query.
    ///
    /// # Errors
    ///
    /// [`StoreError`], as for [`Self::catch_up`].
    pub fn catch_up_after_run(&self, progress: Progress<'_>) -> Result<SealResult, StoreError> {
        if let Ok(manifest) = Manifest::read(&self.disk.manifest()) {
            let waiting = self.unsealed(&manifest)?;
            let bytes = waiting.iter().filter_map(|name| self.results.journal_bytes(name)).sum();
            let written_anew = manifest.summary.iter().chain(&manifest.known).map(|file| file.bytes).sum();
            if !is_worth_sealing(waiting.len(), bytes, written_anew) {
                return Ok(SealResult::default());
            }
        }
        self.catch_up(progress)
    }

    /// Removes the leftovers of a killed process, unless another process is working on the store.
    fn tidy(&self) {
        let Ok(lock) = File::open(self.disk.lock()) else { return };
        if lock_with_patience(&lock, A_MOMENT).is_ok()
            && let Ok(manifest) = Manifest::read(&self.disk.manifest())
        {
            // A leftover is harmless; the next writer removes it.
            drop(self.disk.sweep(&manifest.names()));
        }
    }

    /// Recreates the store from the journals, and sets damaged files aside. Runs without a journal keep their stored
    /// rows.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. The store is unchanged then.
    pub fn rebuild(&self, progress: Progress<'_>) -> Result<SealResult, StoreError> {
        let _lock = self.lock()?;
        self.rebuild_locked(progress)
    }

    fn rebuild_locked(&self, progress: Progress<'_>) -> Result<SealResult, StoreError> {
        let mut done = SealResult::default();
        let old = self.old_manifest(&mut done.notes)?;
        let mut names: BTreeSet<(i64, String)> = BTreeSet::new();
        for name in self.results.runs()? {
            let Ok(id) = RunId::from_name(&name) else { continue };
            if !is_running(&self.results.run_path(&name)) && self.results.journal_bytes(&name).is_some() {
                names.insert((id.0, name));
            }
        }
        names.extend(old.runs.iter().map(|run| (run.id, run.name.clone())));
        let mut draft = StoreDraft::new();
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

    /// Reads the rows of a run from its whole journal if there is one; otherwise from the store.
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
            // A truncated journal does not replace the rows that were sealed from the complete one.
            (Ok((rows, length, false)), Some(run)) if length <= run.journal => {
                Ok(self.read_run(old, run).map_or((rows, length), |kept| (kept, run.journal)))
            }
            (found, _) => found.map(|(rows, length, _)| (rows, length)),
        }
    }

    /// Removes runs from the store. Until the returned value is dropped, no process adds them again, so that their
    /// journals can be removed.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. The runs are still in the store then.
    pub fn remove(&self, names: &[String]) -> Result<RemovalLock, StoreError> {
        if names.is_empty() {
            return Ok(RemovalLock { _lock: None });
        }
        let is_in = |manifest: &Manifest| names.iter().any(|name| manifest.run(name).is_some());
        let lock = match (self.lock(), Manifest::read(&self.disk.manifest())?) {
            (Ok(lock), _) => lock,
            // In a read-only folder no process can add them.
            (Err(StoreError::Io { .. }), manifest) if !is_in(&manifest) => {
                return Ok(RemovalLock { _lock: None });
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
        Ok(RemovalLock { _lock: Some(lock) })
    }

    /// Returns the ended runs that are new or changed since sealing.
    pub(super) fn unsealed(&self, manifest: &Manifest) -> Result<Vec<String>, StoreError> {
        let sealed: HashMap<_, _> = manifest.runs.iter().map(|run| (run.name.as_str(), run)).collect();
        let mut names = self.results.runs()?;
        names.retain(|name| {
            let sealed = sealed.get(name.as_str());
            let length = self.results.journal_bytes(name);
            length.is_some_and(|length| {
                // A journal shorter than before has lost entries, and the store still has them.
                sealed.is_none_or(|run| length > run.journal && !self.is_as_sealed(run, length))
            }) && RunId::from_name(name).is_ok()
                && !is_running(&self.results.run_path(name))
        });
        Ok(names)
    }

    /// Returns whether the run was sealed with a journal of this length. Only sealed journals are compressed: one with
    /// another length is damaged, and the store has the run.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_adds_neither_too_little_nor_too_much() {
        const MIB: u64 = 1 << 20;
        for (runs, bytes, written_anew, expected) in [
            (1, 1000, 0, false),
            (20, 1000, 0, true),
            (1, MIB, 0, true),
            (1, MIB, 8 * MIB, true),
            (1, MIB, 8 * MIB + 1, false),
            (1, 16 * MIB, 0, true),
            (1, 16 * MIB + 1, 0, false),
            (100, 16 * MIB + 1, 0, false),
        ] {
            assert_eq!(
                is_worth_sealing(runs, bytes, written_anew),
                expected,
                "{runs} {bytes} {written_anew}"
            );
        }
    }
}
