//! Runs that come from elsewhere: each is made whole in a hidden folder, and then gets its name at once.
//!
//! ```text
//! RESULTS/.incoming/lock    held by the one process that takes runs in
//!                   …       what it is at; what a process that died has left is removed by the next one
//! ```

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::folder::{FolderError, ResultsFolder, io_error};
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
    /// Given back when the file is closed, when the process exits.
    _lock: File,
}

impl Staging {
    /// Waits until no other process takes runs in, and makes the folder empty.
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

    /// Where a file may be that goes with the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes a run with the first free one of these names. `write` writes the journal of a run of the name that it is
    /// given, and may have to do it again.
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

    /// Puts another journal into the folder of a run, all at once.
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

/// Returns the second that a run is named by.
fn second_of(name: &str) -> String {
    name.split('-').take(2).collect::<Vec<_>>().join("-")
}

/// Writes a file that is on the disk afterwards.
fn written(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    write(&mut out)?;
    out.flush()?;
    out.get_ref().sync_all()
}

impl ResultsFolder {
    /// Keeps a run that has ended: makes a folder with its journal, and returns its name, which is that of the second
    /// in which it began. The files of the report must have different names.
    ///
    /// A process that is killed meanwhile leaves no run.
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
            // What cannot be read is not a run of ours.
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
