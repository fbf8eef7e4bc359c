//! What is damaged is kept for those who want to know what happened to it, and stands in nobody's way.

use super::RunId;
use super::error::StoreError;
use super::keeper::Store;
use super::manifest::{Manifest, OutcomeFile, SealedRun};

impl Store {
    /// The manifest for making everything again; says what is damaged, and sets it aside.
    pub(super) fn old_manifest(&self, notes: &mut Vec<String>) -> Result<Manifest, StoreError> {
        let path = self.disk.manifest();
        let manifest = match Manifest::read(&path) {
            Ok(manifest) if path.exists() => manifest,
            Ok(_) => self.salvaged(),
            Err(StoreError::Damaged(_)) => {
                // It stays where it is until there is a new one, so that nothing takes the store for an empty one.
                self.disk.keep_damaged(&path)?;
                notes.push(format!("`{}` was damaged; the store was made again", path.display()));
                self.salvaged()
            }
            Err(error) => return Err(error),
        };
        for file in manifest.files() {
            match self.disk.check(file) {
                Ok(()) => {}
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

    /// A manifest of the files that are there, where none says what they are: their names do.
    fn salvaged(&self) -> Manifest {
        let mut manifest = Manifest::new();
        let mut runs = Vec::new();
        for (stem, file) in self.disk.whole_files() {
            let name = stem.strip_suffix(".outcomes").unwrap_or(&stem);
            let Ok(id) = RunId::of_name(name) else { continue };
            if name == stem {
                runs.push((id.0, stem, file));
            } else {
                manifest.enter_outcomes(OutcomeFile { run: id.0, file });
            }
        }
        // Which outcomes belong to a run, its results say. How long its journal was is not known.
        let needs: Vec<_> = manifest.outcomes.iter().map(|outcomes| outcomes.run).collect();
        for (id, name, file) in runs {
            manifest.enter(SealedRun { id, name, file, journal: 0, needs: needs.clone() });
        }
        manifest
    }
}
