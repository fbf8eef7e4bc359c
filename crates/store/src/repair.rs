//! Repairs the store. Damaged files are moved to another folder, for analysis.

use super::RunId;
use super::error::StoreError;
use super::manifest::{Manifest, OutcomeFile, SealedRun};
use super::store::Store;

impl Store {
    /// Returns the manifest for a rebuild. Reports damaged files, and sets them aside.
    pub(super) fn old_manifest(&self, notes: &mut Vec<String>) -> Result<Manifest, StoreError> {
        let path = self.disk.manifest();
        let manifest = match Manifest::read(&path) {
            Ok(manifest) if path.exists() => manifest,
            Ok(_) => self.salvaged(),
            Err(StoreError::Damaged(_)) => {
                // The damaged manifest stays until a new one replaces it, so that the store does not look empty.
                self.disk.keep_damaged(&path)?;
                notes.push(format!("`{}` was damaged; the store was made again", path.display()));
                self.salvaged()
            }
            Err(error) => return Err(error),
        };
        for file in manifest.files() {
            match self.disk.read(file) {
                Ok(_) => {}
                Err(StoreError::Damaged(path)) => {
                    self.disk.set_aside(&path)?;
                    let damaged = self.disk.damaged();
                    notes.push(format!(
                        "`{}` was damaged, and is now in `{}`",
                        path.display(),
                        damaged.display()
                    ));
                }
                Err(error) => notes.push(error.with_cause()),
            }
        }
        Ok(manifest)
    }

    /// Builds a manifest from the names of the files, without an old manifest.
    fn salvaged(&self) -> Manifest {
        let mut manifest = Manifest::new();
        let mut runs = Vec::new();
        for (stem, file) in self.disk.whole_files() {
            let name = stem.strip_suffix(".outcomes").unwrap_or(&stem);
            let Ok(id) = RunId::from_name(name) else { continue };
            if name == stem {
                runs.push((id.0, stem, file));
            } else {
                manifest.add_outcomes(OutcomeFile { run: id.0, file });
            }
        }
        // The results of a run determine its outcomes. The length of its journal is unknown.
        let needs: Vec<_> = manifest.outcomes.iter().map(|outcomes| outcomes.run).collect();
        for (id, name, file) in runs {
            manifest.add_run(SealedRun { id, name, file, journal: 0, needs: needs.clone() });
        }
        manifest
    }
}
