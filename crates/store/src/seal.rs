//! Sealing: writes the rows of a run to files of the store, and names them in the manifest.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::RunId;
use super::cell::Cell;
use super::error::{StoreError, io_error};
use super::manifest::{Manifest, OutcomeFile, SealedRun};
use super::read::known_of;
use super::rows::{RunRows, rows_of};
use super::segment;
use super::segment_tables::{FAILURES, GROUPS, KNOWN, OUTCOMES, TableRows};
use super::store::{Progress, SealResult, Store};
use super::summary::StoreSummary;
use slt_runner::results::FolderError;

/// The number of runs sealed per manifest, if there are many.
const AT_ONCE: usize = 50;

/// The state in memory during a change of the store.
pub(super) struct StoreDraft {
    pub(super) manifest: Manifest,
    pub(super) summary: StoreSummary,
    /// The runs that store the outcomes.
    pub(super) known: HashMap<Arc<str>, i64>,
    /// Whether the counters must be recomputed from all runs.
    pub(super) stale: bool,
}

impl Store {
    pub(super) fn seal_all(
        &self,
        draft: &mut StoreDraft,
        names: Vec<String>,
        progress: Progress<'_>,
    ) -> Result<SealResult, StoreError> {
        let all = names.len();
        let mut done = SealResult::default();
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
        // Unreadable journals do not cause a write, even after repeated attempts.
        if draft.stale || !done.runs.is_empty() {
            self.finish(draft)?;
        }
        Ok(done)
    }

    /// Seals a run. Returns false if its journal is missing, or ends before its header is complete.
    fn seal_from_journal(&self, draft: &mut StoreDraft, name: &str) -> Result<bool, StoreError> {
        let id = RunId::from_name(name)?;
        let Some(length) = self.results.journal_bytes(name) else { return Ok(false) };
        let journal = match self.journal(name, length) {
            Ok(journal) => journal,
            Err(StoreError::Folder(FolderError::NoJournal(_))) => return Ok(false),
            // The run was removed at the same time.
            Err(_) if self.results.journal_bytes(name).is_none() => return Ok(false),
            Err(error) => return Err(error),
        };
        self.seal(draft, name, id, &rows_of(&journal, id, false), length)?;
        Ok(true)
    }

    pub(super) fn seal(
        &self,
        draft: &mut StoreDraft,
        name: &str,
        id: RunId,
        rows: &RunRows,
        journal: u64,
    ) -> Result<(), StoreError> {
        self.disk.prepare()?;
        // An outcome stays with the first run that had it, even if that run is sealed later than others.
        let kept_with = |outcome: &Arc<str>| draft.known.get(outcome).copied();
        let is_new = |outcome: &Arc<str>| kept_with(outcome).is_none_or(|first| first > id.0);
        let new: Vec<_> = rows.outcomes.iter().filter(|(outcome, _)| is_new(outcome)).collect();
        let later: BTreeSet<_> = new.iter().filter_map(|(outcome, _)| kept_with(outcome)).collect();
        if !new.is_empty() {
            let mut sheets = match draft.manifest.outcomes_of(id.0) {
                // The run was resumed; other runs may need its earlier outcomes.
                Some(file) => self.read(file, &[&OUTCOMES, &GROUPS, &FAILURES])?,
                None => {
                    [&OUTCOMES, &GROUPS, &FAILURES].map(|table| TableRows { table, rows: Vec::new() }).into()
                }
            };
            for (_, outcome) in &new {
                sheets[0].rows.push(outcome.outcome.clone());
                sheets[1].rows.extend(outcome.groups.iter().cloned());
                sheets[2].rows.extend(outcome.failures.iter().cloned());
            }
            let file = self.disk.put(&format!("{name}.outcomes"), |path| segment::write(path, &sheets))?;
            draft.manifest.add_outcomes(OutcomeFile { run: id.0, file });
            draft.manifest.share_outcomes(id.0, &later);
            draft.known.extend(new.iter().map(|(outcome, _)| ((*outcome).clone(), id.0)));
        }
        let file = self.disk.put(name, |path| segment::write(path, &rows.own))?;
        let needs: BTreeSet<_> =
            rows.outcomes.keys().filter_map(|outcome| draft.known.get(outcome)).copied().collect();
        let last = draft.summary.runs.keys().next_back().copied();
        draft.manifest.add_run(SealedRun {
            id: id.0,
            name: name.to_owned(),
            file,
            journal,
            needs: needs.into_iter().collect(),
        });
        if last.is_none_or(|last| last < id.0) && !draft.stale {
            draft.summary.fold(&rows.own, &rows.outcomes);
        } else {
            draft.stale = true;
        }
        Ok(())
    }

    /// Writes the changes. The manifest comes last and makes them visible.
    pub(super) fn finish(&self, draft: &mut StoreDraft) -> Result<(), StoreError> {
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
        let known = [TableRows { table: &KNOWN, rows: known }];
        draft.manifest.summary = Some(self.disk.put("summary", |path| segment::write(path, &summary))?);
        draft.manifest.known = Some(self.disk.put("known", |path| segment::write(path, &known))?);
        let path = self.disk.manifest();
        let line = draft.manifest.line().map_err(io_error("write", &path))?;
        self.disk.replace(&path, &line)?;
        self.disk.sweep(&draft.manifest.names())
    }

    pub(super) fn draft(&self, manifest: Manifest) -> Result<StoreDraft, StoreError> {
        let summary = self.summary(&manifest);
        let known = manifest.known.as_ref().map(|file| self.read(file, &[&KNOWN]));
        match (summary, known) {
            (Ok(summary), Some(Ok(sheets))) => {
                let known =
                    sheets.iter().flat_map(|sheet| &sheet.rows).filter_map(|row| known_of(row)).collect();
                Ok(StoreDraft { manifest, summary, known, stale: false })
            }
            (_, None) if manifest.runs.is_empty() => Ok(StoreDraft::new()),
            // One of the two is damaged. Both can be rebuilt from the segments.
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
                Ok(StoreDraft { manifest, summary: StoreSummary::default(), known, stale: true })
            }
        }
    }
}

impl StoreDraft {
    pub(super) fn new() -> Self {
        Self {
            manifest: Manifest::new(),
            summary: StoreSummary::default(),
            known: HashMap::new(),
            stale: false,
        }
    }

    pub(super) fn forget_unneeded(&mut self) {
        let gone = self.manifest.drop_unneeded();
        self.known.retain(|_, run| !gone.contains(run));
    }
}
