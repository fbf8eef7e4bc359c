//! Imported runs: each is completed in a hidden folder and then renamed.
//!
//! ```text
//! RESULTS/.incoming/lock    held by the importing process
//!                   …       incomplete runs; leftovers are removed by the next import
//! ```

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::folder::ResultsFolder;
use super::folder_error::{FolderError, io_error};
use super::journal::{Opened, write_whole};
use super::journal_file::{journal_path, plain_path};
use super::sequence::{name_of, names};
use super::starting::is_taken;
use crate::atomic_file::{self, sync_folder};
use slt_core::outcome::RunReport;

/// The hidden folder, for one process at a time.
#[derive(Debug)]
pub(super) struct Staging {
    results: ResultsFolder,
    path: PathBuf,
    /// Released when the file is closed, at the latest when the process exits.
    _lock: File,
}

impl Staging {
    /// Waits until no other process imports runs, and empties the folder.
    pub(super) fn new(results: &ResultsFolder) -> Result<Self, FolderError> {
        let path = results.path().join(".incoming");
        for folder in [&path, &results.runs_path()] {
            std::fs::create_dir_all(folder).map_err(io_error("make the folder", folder))?;
        }
        let lock_path = path.join("lock");
        let lock = File::create(&lock_path).map_err(io_error("make", &lock_path))?;
        lock.lock().map_err(io_error("lock", &lock_path))?;
        let staging = Self { results: results.clone(), path, _lock: lock };
        staging.sweep().map_err(io_error("clear", &staging.path))?;
        Ok(staging)
    }

    fn sweep(&self) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.path)? {
            let entry = entry?;
            match entry.file_type()? {
                kind if kind.is_dir() => std::fs::remove_dir_all(entry.path())?,
                _ if entry.file_name() == "lock" => {}
                _ => std::fs::remove_file(entry.path())?,
            }
        }
        Ok(())
    }

    /// Returns the path of a temporary file.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Creates a run with the first free one of these names. `write` writes the journal of a run with the given name, and
    /// may be called again.
    pub(super) fn place(
        &self,
        wishes: impl Iterator<Item = String>,
        write: &dyn Fn(&str, &mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<String, FolderError> {
        let staged = self.path.join("run");
        std::fs::create_dir_all(&staged).map_err(io_error("make the folder", &staged))?;
        let runs = self.results.runs_path();
        let mut last = String::new();
        for name in wishes {
            let path = runs.join(&name);
            if path.symlink_metadata().is_ok() {
                last = name;
                continue;
            }
            let journal = plain_path(&staged);
            written(&journal, |out| write(&name, out)).map_err(io_error("write", &journal))?;
            sync_folder(&staged).map_err(io_error("write", &staged))?;
            match std::fs::rename(&staged, &path) {
                Ok(()) => {}
                // A run has begun meanwhile.
                Err(error) if is_taken(&error) => continue,
                Err(error) => return Err(io_error("make the folder", &path)(error)),
            }
            sync_folder(&runs).map_err(io_error("write", &path))?;
            return Ok(name);
        }
        Err(self.results.no_name(&second_of(&last)))
    }

    /// Replaces the journal of a run atomically.
    pub(super) fn replace(
        &self,
        run: &Path,
        write: &dyn Fn(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), FolderError> {
        let staged = self.path.join("journal");
        written(&staged, write).map_err(io_error("write", &staged))?;
        atomic_file::commit(&staged, &plain_path(run), &|| {}).map_err(io_error("write", run))
    }
}

/// Returns the second in the name of a run.
fn second_of(name: &str) -> String {
    name.split('-').take(2).collect::<Vec<_>>().join("-")
}

/// Writes and syncs a file.
fn written(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    write(&mut out)?;
    out.flush()?;
    out.get_ref().sync_all()
}

impl ResultsFolder {
    /// Adds a finished run: creates a folder with its journal, and returns its name, which is the second of its start.
    /// The files of the report must have different names.
    ///
    /// A process that is killed before the end leaves no run.
    ///
    /// # Errors
    ///
    /// [`FolderError`].
    pub fn keep(&self, opened: &Opened, report: &RunReport) -> Result<String, FolderError> {
        let staging = Staging::new(self)?;
        staging.place(names(&name_of(opened.started)), &|name, out| {
            write_whole(out, Opened { run: name.to_owned(), ..opened.clone() }, report)
        })
    }

    /// Returns the name of the run that was imported from content of this digest, if there is one.
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`].
    pub fn imported(&self, digest: &str) -> Result<Option<String>, FolderError> {
        for name in self.runs()? {
            // An unreadable run is not an imported one.
            let opened = Opened::read(&journal_path(&self.runs_path().join(&name)));
            if let Ok(Some(Opened { imported: Some(imported), .. })) = opened
                && imported.digest == digest
            {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }
}
