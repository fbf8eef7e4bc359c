//! Reads the files of the store, after checking their digests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::RunId;
use super::cell::Cell;
use super::disk::StoreFile;
use super::error::StoreError;
use super::manifest::{Manifest, SealedRun};
use super::rows::{OutcomeRows, Outcomes, RunRows, rows_of};
use super::schema::{FILE_STATS, TableSchema};
use super::segment::{self, TextPool};
use super::segment_tables::{
    FAILURES, GROUPS, OUTCOMES, RESULTS, RUN, SLOW, TIMES, TableRows, UNTESTED, place,
};
use super::store::Store;
use super::summary::StoreSummary;
use slt_runner::results::Journal;

impl Store {
    /// Reads the summary; it is empty for an empty store.
    pub(super) fn summary(&self, manifest: &Manifest) -> Result<StoreSummary, StoreError> {
        match &manifest.summary {
            Some(file) => Ok(StoreSummary::from_tables(&self.read(file, &[&RUN, &FILE_STATS])?)),
            None => Ok(StoreSummary::default()),
        }
    }

    /// Rebuilds the summary from all segments, and from the journal for damaged ones.
    pub(super) fn fold_all(&self, manifest: &Manifest) -> Result<StoreSummary, StoreError> {
        let mut summary = StoreSummary::default();
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
                    summary.fold(&own, &outcomes);
                }
                damaged => {
                    let journal = self.journal(&run.name, run.journal);
                    let error = || damaged.err().unwrap_or_else(|| StoreError::Damaged(self.disk.segments()));
                    let journal = journal.map_err(|_| error())?;
                    let rows = rows_of(&journal, RunId(run.id), false);
                    summary.fold(&rows.own, &rows.outcomes);
                }
            }
        }
        Ok(summary)
    }

    /// Reads all rows of a run from the store.
    pub(super) fn read_run(&self, manifest: &Manifest, run: &SealedRun) -> Result<RunRows, StoreError> {
        let own = self.read(&run.file, &[&RUN, &RESULTS, &UNTESTED, &SLOW, &TIMES])?;
        let mut outcomes = BTreeMap::new();
        for needed in &run.needs {
            let Some(file) = manifest.outcomes_of(*needed) else { continue };
            collect_outcomes(&mut outcomes, &self.read(file, &[&OUTCOMES, &GROUPS, &FAILURES])?);
        }
        Ok(with_outcomes(own, &outcomes))
    }

    /// Reads an undamaged file.
    pub(super) fn read(
        &self,
        file: &StoreFile,
        tables: &[&'static TableSchema],
    ) -> Result<Vec<TableRows>, StoreError> {
        self.read_texts(file, tables, &mut TextPool::default())
    }

    /// Reads an undamaged file, with some of its texts.
    pub(super) fn read_texts(
        &self,
        file: &StoreFile,
        tables: &[&'static TableSchema],
        texts: &mut TextPool,
    ) -> Result<Vec<TableRows>, StoreError> {
        let bytes = self.disk.read(file)?;
        segment::read(&bytes, &self.disk.path_of(file), tables, texts)
    }

    /// Reads the journal of a run up to a length, so that two reads give the same entries.
    pub(super) fn journal(&self, name: &str, length: u64) -> Result<Journal, StoreError> {
        Ok(self.results.journal_up_to(name, length)?)
    }
}

/// Parses a row of the table `known`: an outcome and its run.
pub(super) fn known_of(row: &[Cell]) -> Option<(Arc<str>, i64)> {
    match row {
        [Cell::Text(outcome), Cell::Integer(run)] => Some((outcome.clone(), *run)),
        _ => None,
    }
}

/// Joins the rows of a run with its outcomes, which are among those in `outcomes`.
pub(super) fn with_outcomes(own: Vec<TableRows>, outcomes: &Outcomes) -> RunRows {
    let results = own.iter().filter(|sheet| sheet.table.name == RESULTS.name).flat_map(|sheet| &sheet.rows);
    let ids = results.filter_map(|row| row[place(&RESULTS, "outcome_id")].as_text());
    let found = ids.filter_map(|id| outcomes.get_key_value(id));
    let outcomes = found.map(|(id, rows)| (id.clone(), rows.clone())).collect();
    RunRows { own, outcomes }
}

/// Adds the outcomes of a file. Outcomes from earlier files stay.
pub(super) fn collect_outcomes(outcomes: &mut Outcomes, sheets: &[TableRows]) {
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
