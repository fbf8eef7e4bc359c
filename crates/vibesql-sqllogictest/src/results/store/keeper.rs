//! Keeping the store: runs are sealed into segments, everything can be made again from the journals, and what is
//! damaged is set aside.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{File, TryLockError};
use std::sync::Arc;
use std::time::Duration;

use super::RunId;
use super::cell::Cell;
use super::disk::{Disk, FileRef};
use super::error::{StoreError, io_error};
use super::manifest::{Manifest, OutcomeFile, SealedRun};
use super::parts::{FAILURES, GROUPS, KNOWN, OUTCOMES, RESULTS, RUN, SLOW, Sheet, UNTESTED, place};
use super::rows::{Outcomes, RunRows, rows_of};
use super::schema::{FILE_STATS, Table};
use super::segment;
use super::summary::Summary;
use crate::results::folder::{is_running, lock_with_patience};
use crate::results::{FolderError, Journal, ResultsFolder, journal_file};

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

/// How long another process may hold the lock.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many runs are sealed before the manifest is written, when there are many.
const AT_ONCE: usize = 50;

/// Says how far a long work has come: runs done, and all.
pub type Progress<'p> = &'p mut dyn FnMut(usize, usize);

/// What is in memory while the store is changed.
pub(super) struct Draft {
    pub(super) manifest: Manifest,
    pub(super) summary: Summary,
    /// The runs with which outcomes are kept.
    pub(super) known: HashMap<Arc<str>, i64>,
    /// Whether counters have to be made again of all runs.
    stale: bool,
}

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
            Ok(manifest) if manifest.is_current() && self.unsealed(&manifest)?.is_empty() => {
                return Ok(Sealed::default());
            }
            Ok(_) | Err(StoreError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
        let _lock = self.lock()?;
        let manifest = match Manifest::read(&self.disk.manifest()) {
            Ok(manifest) if manifest.is_current() => manifest,
            // Of an older version: everything is made again.
            Ok(_) => return self.rebuild_locked(progress),
            Err(StoreError::Damaged(path)) => {
                self.disk.set_aside(&path)?;
                let mut done = self.rebuild_locked(progress)?;
                let note =
                    format!("`{}` was damaged; the store was made again from the journals", path.display());
                done.notes.insert(0, note);
                return Ok(done);
            }
            Err(error) => return Err(error),
        };
        let unsealed = self.unsealed(&manifest)?;
        if unsealed.is_empty() {
            return Ok(Sealed::default());
        }
        self.disk.sweep(&|name| manifest.refers_to(name))?;
        let mut draft = self.draft(manifest)?;
        let mut done = self.seal_all(&mut draft, unsealed, progress)?;
        done.notes.extend(self.compress_old(&draft)?);
        Ok(done)
    }

    /// Makes everything again from the journals. A run whose journal is gone stays as the store has it.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. The store is as it was then.
    pub fn rebuild(&self, progress: Progress<'_>) -> Result<Sealed, StoreError> {
        let _lock = self.lock()?;
        if let Err(StoreError::Damaged(path)) = Manifest::read(&self.disk.manifest()) {
            self.disk.set_aside(&path)?;
        }
        self.rebuild_locked(progress)
    }

    fn rebuild_locked(&self, progress: Progress<'_>) -> Result<Sealed, StoreError> {
        let old = Manifest::read(&self.disk.manifest())?;
        let mut names: BTreeSet<(i64, String)> = BTreeSet::new();
        for name in self.results.runs()? {
            let Ok(id) = RunId::of_name(&name) else { continue };
            if !is_running(&self.results.run_path(&name)) && self.results.journal_bytes(&name).is_some() {
                names.insert((id.0, name));
            }
        }
        names.extend(old.runs.iter().map(|run| (run.id, run.name.clone())));
        let mut draft = Draft::new();
        let mut done = Sealed::default();
        let all = names.len();
        for (number, (id, name)) in names.into_iter().enumerate() {
            match self.rows_for_rebuild(&old, RunId(id), &name) {
                Ok((rows, journal)) => {
                    self.seal(&mut draft, &name, RunId(id), &rows, journal)?;
                    done.runs.push(name);
                }
                Err(error) => done.notes.push(format!("run {name} is left out: {error}")),
            }
            progress(number + 1, all);
        }
        self.finish(&mut draft)?;
        Ok(done)
    }

    /// From the journal if there is one; else from the store.
    fn rows_for_rebuild(&self, old: &Manifest, id: RunId, name: &str) -> Result<(RunRows, u64), StoreError> {
        let length = self.results.journal_bytes(name);
        let from_journal = match length {
            Some(length) => self.journal(name, length).map(|journal| (rows_of(&journal, id, false), length)),
            None => Err(StoreError::Folder(FolderError::Unknown {
                name: name.to_owned(),
                results: self.results.path().to_owned(),
            })),
        };
        match (from_journal, old.run(name)) {
            (Err(_), Some(run)) => Ok((self.read_run(old, run)?, run.journal)),
            (found, _) => found,
        }
    }

    /// Takes a run out of the store. Its journal is not touched.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. The run is still in the store then.
    pub fn remove(&self, names: &[String]) -> Result<(), StoreError> {
        let manifest = Manifest::read(&self.disk.manifest())?;
        if !names.iter().any(|name| manifest.run(name).is_some()) {
            return Ok(());
        }
        let _lock = self.lock()?;
        let manifest = Manifest::read(&self.disk.manifest())?;
        let mut draft = self.draft(manifest)?;
        draft.manifest.runs.retain(|run| !names.contains(&run.name));
        draft.forget_unneeded();
        draft.stale = true;
        self.finish(&mut draft)
    }

    /// Moves damaged files of these runs out of the way and makes them again from the journals.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn mend(&self, progress: Progress<'_>) -> Result<Sealed, StoreError> {
        let _lock = self.lock()?;
        let manifest = Manifest::read(&self.disk.manifest())?;
        let mut notes = Vec::new();
        for file in manifest.files() {
            if let Err(StoreError::Damaged(path)) = self.disk.check(file) {
                self.disk.set_aside(&path)?;
                notes.push(format!(
                    "`{}` was damaged, and is now in `{}`",
                    path.display(),
                    self.disk.damaged().display()
                ));
            }
        }
        let mut done = self.rebuild_locked(progress)?;
        notes.append(&mut done.notes);
        Ok(Sealed { notes, ..done })
    }

    fn seal_all(
        &self,
        draft: &mut Draft,
        names: Vec<String>,
        progress: Progress<'_>,
    ) -> Result<Sealed, StoreError> {
        let all = names.len();
        let mut done = Sealed::default();
        for (number, name) in names.into_iter().enumerate() {
            match self.seal_from_journal(draft, &name) {
                Ok(true) => done.runs.push(name),
                Ok(false) => {}
                // A journal that cannot be read, as when it is compressed and damaged, keeps no other run out.
                Err(StoreError::Folder(error @ FolderError::Io { .. })) => {
                    done.notes.push(format!("run {name} is left out: {error}"));
                }
                Err(error @ (StoreError::VibeSql { .. } | StoreError::NoNumber(_))) => {
                    done.notes.push(format!("run {name} is read from its journal: {error}"));
                }
                Err(error) => return Err(error),
            }
            if (number + 1) % AT_ONCE == 0 {
                self.finish(draft)?;
            }
            progress(number + 1, all);
        }
        self.finish(draft)?;
        Ok(done)
    }

    /// Seals a run; says no where it has no readable journal.
    fn seal_from_journal(&self, draft: &mut Draft, name: &str) -> Result<bool, StoreError> {
        let id = RunId::of_name(name)?;
        let Some(length) = self.results.journal_bytes(name) else { return Ok(false) };
        let journal = match self.journal(name, length) {
            Ok(journal) => journal,
            Err(StoreError::Folder(FolderError::NoJournal(_))) => return Ok(false),
            Err(error) => return Err(error),
        };
        self.seal(draft, name, id, &rows_of(&journal, id, false), length)?;
        Ok(true)
    }

    fn seal(
        &self,
        draft: &mut Draft,
        name: &str,
        id: RunId,
        rows: &RunRows,
        journal: u64,
    ) -> Result<(), StoreError> {
        self.disk.prepare()?;
        let new: Vec<_> = rows.outcomes.iter().filter(|(id, _)| !draft.known.contains_key(*id)).collect();
        if !new.is_empty() {
            let mut sheets = match draft.manifest.outcomes_of(id.0) {
                // The run was taken up again; others may need what it had before.
                Some(file) => self.read(file, &[&OUTCOMES, &GROUPS, &FAILURES])?,
                None => [&OUTCOMES, &GROUPS, &FAILURES].map(|table| Sheet { table, rows: Vec::new() }).into(),
            };
            for (_, outcome) in &new {
                sheets[0].rows.push(outcome.outcome.clone());
                sheets[1].rows.extend(outcome.groups.iter().cloned());
                sheets[2].rows.extend(outcome.failures.iter().cloned());
            }
            let file = self.disk.put(&format!("{name}.outcomes"), |path| segment::write(path, &sheets))?;
            draft.manifest.enter_outcomes(OutcomeFile { run: id.0, file });
            draft.known.extend(new.iter().map(|(outcome, _)| ((*outcome).clone(), id.0)));
        }
        let file = self.disk.put(name, |path| segment::write(path, &rows.own))?;
        let needs: BTreeSet<_> =
            rows.outcomes.keys().filter_map(|outcome| draft.known.get(outcome)).copied().collect();
        let last = draft.summary.runs.keys().next_back().copied();
        draft.manifest.enter(SealedRun {
            id: id.0,
            name: name.to_owned(),
            file,
            journal,
            needs: needs.into_iter().collect(),
        });
        if last.is_none_or(|last| last < id.0) && !draft.stale {
            draft.summary.fold(rows);
        } else {
            draft.stale = true;
        }
        Ok(())
    }

    /// Writes down what has changed. Only now is it in the store.
    fn finish(&self, draft: &mut Draft) -> Result<(), StoreError> {
        self.disk.prepare()?;
        if draft.stale {
            draft.summary = self.fold_all(&draft.manifest)?;
            draft.stale = false;
        }
        draft.forget_unneeded();
        let summary = draft.summary.sheets();
        let known =
            draft.known.iter().map(|(outcome, run)| vec![Cell::Text(outcome.clone()), Cell::from(*run)]);
        let mut known: Vec<_> = known.collect();
        known.sort_by(|one, other| one[0].as_text().cmp(&other[0].as_text()));
        let known = [Sheet { table: &KNOWN, rows: known }];
        draft.manifest.summary = Some(self.disk.put("summary", |path| segment::write(path, &summary))?);
        draft.manifest.known = Some(self.disk.put("known", |path| segment::write(path, &known))?);
        let path = self.disk.manifest();
        let line = draft.manifest.line().map_err(io_error("write", &path))?;
        self.disk.replace(&path, &line)?;
        self.disk.sweep(&|name| draft.manifest.refers_to(name))
    }

    fn draft(&self, manifest: Manifest) -> Result<Draft, StoreError> {
        let summary = self.summary(&manifest);
        let known = manifest.known.as_ref().map(|file| self.read(file, &[&KNOWN]));
        match (summary, known) {
            (Ok(summary), Some(Ok(sheets))) => {
                let known =
                    sheets.iter().flat_map(|sheet| &sheet.rows).filter_map(|row| known_of(row)).collect();
                Ok(Draft { manifest, summary, known, stale: false })
            }
            (_, None) if manifest.runs.is_empty() => Ok(Draft::new()),
            // One of the two is damaged. Both can be had from the segments.
            _ => {
                let mut known = HashMap::new();
                for outcomes in &manifest.outcomes {
                    let sheets = self.read(&outcomes.file, &[&OUTCOMES])?;
                    let ids = sheets.iter().flat_map(|sheet| &sheet.rows).filter_map(|row| row[0].as_text());
                    known.extend(ids.map(|id| (Arc::from(id), outcomes.run)));
                }
                Ok(Draft { manifest, summary: Summary::default(), known, stale: true })
            }
        }
    }

    /// The summary as it was written; an empty one where nothing is in the store.
    pub(super) fn summary(&self, manifest: &Manifest) -> Result<Summary, StoreError> {
        match &manifest.summary {
            Some(file) => Ok(Summary::of_sheets(&self.read(file, &[&RUN, &FILE_STATS])?)),
            None => Ok(Summary::default()),
        }
    }

    /// The summary, made of all segments.
    pub(super) fn fold_all(&self, manifest: &Manifest) -> Result<Summary, StoreError> {
        let mut summary = Summary::default();
        let mut outcomes = BTreeMap::new();
        for file in &manifest.outcomes {
            let sheets = self.read(&file.file, &[&OUTCOMES])?;
            collect_outcomes(&mut outcomes, &sheets);
        }
        for run in &manifest.runs {
            let own = self.read(&run.file, &[&RUN, &RESULTS, &UNTESTED])?;
            let rows = RunRows { own, outcomes };
            summary.fold(&rows);
            outcomes = rows.outcomes;
        }
        Ok(summary)
    }

    /// All rows of a run, as the store has them.
    pub(super) fn read_run(&self, manifest: &Manifest, run: &SealedRun) -> Result<RunRows, StoreError> {
        let own = self.read(&run.file, &[&RUN, &RESULTS, &UNTESTED, &SLOW])?;
        let mut outcomes = BTreeMap::new();
        for needed in &run.needs {
            let Some(file) = manifest.outcomes_of(*needed) else { continue };
            collect_outcomes(&mut outcomes, &self.read(file, &[&OUTCOMES, &GROUPS, &FAILURES])?);
        }
        let ids: BTreeSet<_> =
            own[1].rows.iter().filter_map(|row| row[place(&RESULTS, "outcome_id")].as_text()).collect();
        outcomes.retain(|id, _| ids.contains(&**id));
        Ok(RunRows { own, outcomes })
    }

    /// Reads a file that must be as it was written.
    pub(super) fn read(&self, file: &FileRef, tables: &[&'static Table]) -> Result<Vec<Sheet>, StoreError> {
        self.disk.check(file)?;
        segment::read(&self.disk.path_of(file), tables)
    }

    /// The journal of a run up to a length, so that whoever reads it twice reads the same.
    pub(super) fn journal(&self, name: &str, length: u64) -> Result<Journal, StoreError> {
        Ok(self.results.journal_up_to(name, length)?)
    }

    /// The ended runs that are not in the store as they are now.
    pub(super) fn unsealed(&self, manifest: &Manifest) -> Result<Vec<String>, StoreError> {
        let sealed: HashMap<_, _> = manifest.runs.iter().map(|run| (run.name.as_str(), run)).collect();
        let mut names = self.results.runs()?;
        names.retain(|name| {
            let sealed = sealed.get(name.as_str());
            let length = self.results.journal_bytes(name);
            length.is_some_and(|length| sealed.is_none_or(|run| !self.is_as_sealed(run, length)))
                && RunId::of_name(name).is_ok()
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

impl Draft {
    fn new() -> Self {
        Self { manifest: Manifest::new(), summary: Summary::default(), known: HashMap::new(), stale: false }
    }

    fn forget_unneeded(&mut self) {
        let gone = self.manifest.drop_unneeded();
        self.known.retain(|_, run| !gone.contains(run));
    }
}

fn known_of(row: &[Cell]) -> Option<(Arc<str>, i64)> {
    match row {
        [Cell::Text(outcome), Cell::Integer(run)] => Some((outcome.clone(), *run)),
        _ => None,
    }
}

/// Enters what sheets of outcomes have.
pub(super) fn collect_outcomes(outcomes: &mut Outcomes, sheets: &[Sheet]) {
    for sheet in sheets {
        for row in &sheet.rows {
            let Cell::Text(id) = &row[0] else { continue };
            let entry = outcomes.entry(id.clone()).or_default();
            // Not shared yet with any run.
            let entry = Arc::make_mut(entry);
            match sheet.table.name {
                "outcomes" => entry.outcome.clone_from(row),
                "groups" => entry.groups.push(row.clone()),
                _ => entry.failures.push(row.clone()),
            }
        }
    }
}
