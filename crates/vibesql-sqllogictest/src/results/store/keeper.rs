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
use super::rows::{OutcomeRows, Outcomes, RunRows, rows_of};
use super::schema::{FILE_STATS, Table};
use super::segment;
use super::summary::Summary;
use crate::results::folder::{is_running, lock_with_patience};
use crate::results::{FolderError, Journal, ResultsFolder};

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
            Ok(manifest) if manifest.is_current() && self.disk.manifest().exists() => manifest,
            // Of an older version, damaged, or not there: everything is made again.
            Ok(_) | Err(StoreError::Damaged(_)) => return self.rebuild_locked(progress),
            Err(error) => return Err(error),
        };
        let unsealed = self.unsealed(&manifest)?;
        if unsealed.is_empty() {
            return Ok(Sealed::default());
        }
        self.disk.sweep(&manifest.names())?;
        let done =
            self.draft(manifest).and_then(|mut draft| self.seal_all(&mut draft, unsealed, &mut *progress));
        match done {
            // What is damaged keeps no other run out.
            Err(error) if error.is_damage() => self.rebuild_locked(progress),
            done => done,
        }
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
                Err(
                    error @ (StoreError::VibeSql { .. } | StoreError::NoNumber(_) | StoreError::Folder(_)),
                ) => {
                    let error = error.with_cause();
                    done.notes.push(format!(
                        "the store is not up to date: {error}; run {name} is read from its journal"
                    ));
                }
                Err(error) => return Err(error),
            }
            if (number + 1) % AT_ONCE == 0 {
                self.finish(draft)?;
            }
            progress(number + 1, all);
        }
        // Journals that cannot be read are no reason to write anything, however often they are tried.
        if draft.stale || !done.runs.is_empty() {
            self.finish(draft)?;
        }
        Ok(done)
    }

    /// Seals a run; says no where it has no readable journal.
    fn seal_from_journal(&self, draft: &mut Draft, name: &str) -> Result<bool, StoreError> {
        let id = RunId::of_name(name)?;
        let Some(length) = self.results.journal_bytes(name) else { return Ok(false) };
        let journal = match self.journal(name, length) {
            Ok(journal) => journal,
            Err(StoreError::Folder(FolderError::NoJournal(_))) => return Ok(false),
            // Removed meanwhile.
            Err(_) if self.results.journal_bytes(name).is_none() => return Ok(false),
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
        // An outcome is kept with the first run that had it, even if that one is sealed later than others.
        let kept_with = |outcome: &Arc<str>| draft.known.get(outcome).copied();
        let is_new = |outcome: &Arc<str>| kept_with(outcome).is_none_or(|first| first > id.0);
        let new: Vec<_> = rows.outcomes.iter().filter(|(outcome, _)| is_new(outcome)).collect();
        let later: BTreeSet<_> = new.iter().filter_map(|(outcome, _)| kept_with(outcome)).collect();
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
            draft.manifest.share_outcomes(id.0, &later);
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
        self.disk.sweep(&draft.manifest.names())
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
                let mut known: HashMap<Arc<str>, i64> = HashMap::new();
                for outcomes in &manifest.outcomes {
                    let sheets = self.read(&outcomes.file, &[&OUTCOMES])?;
                    let ids = sheets.iter().flat_map(|sheet| &sheet.rows).filter_map(|row| row[0].as_text());
                    for id in ids {
                        let first = known.entry(Arc::from(id)).or_insert(outcomes.run);
                        *first = outcomes.run.min(*first);
                    }
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

    /// The summary, made of all segments; what is damaged is made of the journal.
    pub(super) fn fold_all(&self, manifest: &Manifest) -> Result<Summary, StoreError> {
        let mut summary = Summary::default();
        let mut outcomes = BTreeMap::new();
        let mut unreadable = BTreeSet::new();
        for file in &manifest.outcomes {
            match self.read(&file.file, &[&OUTCOMES]) {
                Ok(sheets) => collect_outcomes(&mut outcomes, &sheets),
                Err(_) => drop(unreadable.insert(file.run)),
            }
        }
        for run in &manifest.runs {
            match self.read(&run.file, &[&RUN, &RESULTS, &UNTESTED]) {
                Ok(own) if run.needs.iter().all(|needed| !unreadable.contains(needed)) => {
                    let rows = RunRows { own, outcomes };
                    summary.fold(&rows);
                    outcomes = rows.outcomes;
                }
                damaged => {
                    let journal = self.journal(&run.name, run.journal);
                    let error = || damaged.err().unwrap_or_else(|| StoreError::Damaged(self.disk.segments()));
                    let journal = journal.map_err(|_| error())?;
                    summary.fold(&rows_of(&journal, RunId(run.id), false));
                }
            }
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
        let sealed: HashMap<_, _> =
            manifest.runs.iter().map(|run| (run.name.as_str(), run.journal)).collect();
        let mut names = self.results.runs()?;
        names.retain(|name| {
            let length = self.results.journal_bytes(name);
            // A journal that is shorter than it was has lost something, and the store has it.
            length > sealed.get(name.as_str()).copied()
                && RunId::of_name(name).is_ok()
                && !is_running(&self.results.run_path(name))
        });
        Ok(names)
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

/// The outcome and the run that it is kept with.
pub(super) fn known_of(row: &[Cell]) -> Option<(Arc<str>, i64)> {
    match row {
        [Cell::Text(outcome), Cell::Integer(run)] => Some((outcome.clone(), *run)),
        _ => None,
    }
}

/// Enters what the sheets of a file of outcomes have. What another file has had already stays as it is.
pub(super) fn collect_outcomes(outcomes: &mut Outcomes, sheets: &[Sheet]) {
    let mut found: BTreeMap<Arc<str>, OutcomeRows> = BTreeMap::new();
    for sheet in sheets {
        for row in &sheet.rows {
            let Cell::Text(id) = &row[0] else { continue };
            let entry = found.entry(id.clone()).or_default();
            match sheet.table.name {
                "outcomes" => entry.outcome.clone_from(row),
                "groups" => entry.groups.push(row.clone()),
                _ => entry.failures.push(row.clone()),
            }
        }
    }
    for (id, rows) in found {
        outcomes.entry(id).or_insert_with(|| Arc::new(rows));
    }
}
