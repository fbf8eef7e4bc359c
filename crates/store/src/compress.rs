//! Compresses the journals of old runs to about a tenth of their size.

use super::error::StoreError;
use super::seal::StoreDraft;
use super::segment_tables::{RUN, place};
use super::store::Store;
use slt_runner::results::folder::{hold_still, is_running};
use slt_runner::results::{FolderError, journal_file};

/// The newest runs keep plain journals, because these are read most often, also by hand.
const PLAIN_RUNS: usize = 20;
/// The maximum number of journals compressed by one command, to limit its delay over a long history. Later runs
/// compress the rest.
const AT_ONCE: usize = 4;

impl Store {
    /// Compresses journals of old, finished runs that are sealed in their present state. On failure the journals stay
    /// plain, and the reason is returned.
    pub(super) fn compress_old(&self, draft: &StoreDraft) -> Result<Option<String>, StoreError> {
        let names = self.results.runs()?;
        let old = &names[..names.len().saturating_sub(PLAIN_RUNS)];
        for name in old.iter().filter(|name| self.may_be_compressed(draft, name)).take(AT_ONCE) {
            if let Err(error) = self.compress(draft, name) {
                let error = StoreError::from(error).with_cause();
                return Ok(Some(format!("the journals of old runs are not compressed: {error}")));
            }
        }
        Ok(None)
    }

    fn may_be_compressed(&self, draft: &StoreDraft, name: &str) -> bool {
        let run = self.results.run_path(name);
        let Some(sealed) = draft.manifest.run(name) else { return false };
        let Some(row) = draft.summary.runs.get(&sealed.id) else { return false };
        let is_complete = row[place(&RUN, "untested")].as_integer() == Some(0)
            && !matches!(row[place(&RUN, "state")].as_text(), None | Some("RUNNING" | "INTERRUPTED"));
        is_complete
            && journal_file::plain_path(&run).exists()
            && journal_file::length(&run) == Some(sealed.journal)
            && !is_running(&run)
    }

    fn compress(&self, draft: &StoreDraft, name: &str) -> Result<(), FolderError> {
        let run = self.results.run_path(name);
        // The run may just have been resumed.
        let Some(_held) = hold_still(&run) else { return Ok(()) };
        if journal_file::length(&run) != draft.manifest.run(name).map(|sealed| sealed.journal) {
            return Ok(());
        }
        journal_file::compress(&run, &|| self.disk.step()).map_err(|source| FolderError::Io {
            what: "compress",
            path: journal_file::plain_path(&run),
            source,
        })
    }
}
