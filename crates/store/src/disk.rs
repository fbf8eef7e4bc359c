//! Atomically written files with digests in their names.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};

use super::error::{StoreError, io_error};
use slt_runner::atomic_file;
use slt_runner::results::steps::Steps;

/// A file of the store, as listed in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoreFile {
    /// Its name in the folder of segments.
    pub(super) name: String,
    /// The MD5 of its bytes, in hexadecimal digits.
    pub(super) md5: String,
    /// Its length.
    pub(super) bytes: u64,
}

/// The folder of the store. Every change on disk is a step; tests can kill the process at each of them.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    steps: Steps,
}

/// The prefix of incomplete files.
const UNFINISHED: &str = ".unfinished-";

/// The suffix of segment files.
const ENDING: &str = ".vbsqlz";

impl Disk {
    pub(super) fn new(folder: PathBuf, die_at: Option<u64>) -> Self {
        Self { folder, steps: Steps::dying_at(die_at) }
    }

    pub(super) fn manifest(&self) -> PathBuf {
        self.folder.join("manifest.json")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.folder.join("lock")
    }

    pub(super) fn segments(&self) -> PathBuf {
        self.folder.join("segments")
    }

    pub(super) fn damaged(&self) -> PathBuf {
        self.folder.join("damaged")
    }

    /// Returns the path of a segment.
    pub(super) fn path_of(&self, file: &StoreFile) -> PathBuf {
        self.segments().join(&file.name)
    }

    /// Creates the folders.
    pub(super) fn prepare(&self) -> Result<(), StoreError> {
        let segments = self.segments();
        std::fs::create_dir_all(&segments).map_err(io_error("make the folder", &segments))
    }

    /// Announces a change of the disk.
    pub(super) fn step(&self) {
        self.steps.step();
    }

    /// Writes a segment with `make`. Its name is `stem` and a digest of its bytes.
    pub(super) fn put(
        &self,
        stem: &str,
        make: impl FnOnce(&Path) -> Result<(), StoreError>,
    ) -> Result<StoreFile, StoreError> {
        let segments = self.segments();
        let unfinished = segments.join(format!("{UNFINISHED}{stem}"));
        let made = self.finish(&unfinished, stem, make);
        if made.is_err() {
            // A leftover is harmless; the next writer removes it.
            drop(std::fs::remove_file(&unfinished));
        }
        made
    }

    fn finish(
        &self,
        unfinished: &Path,
        stem: &str,
        make: impl FnOnce(&Path) -> Result<(), StoreError>,
    ) -> Result<StoreFile, StoreError> {
        self.step();
        make(unfinished)?;
        self.step();
        let bytes = std::fs::read(unfinished).map_err(io_error("read", unfinished))?;
        let md5 = digest(&bytes);
        let file =
            StoreFile { name: format!("{stem}.{}{ENDING}", &md5[..16]), md5, bytes: bytes.len() as u64 };
        let path = self.path_of(&file);
        atomic_file::commit(unfinished, &path, &|| self.step()).map_err(io_error("write", &path))?;
        Ok(file)
    }

    /// Atomically replaces a file.
    pub(super) fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let unfinished = self.segments().join(format!("{UNFINISHED}manifest"));
        self.step();
        std::fs::write(&unfinished, bytes).map_err(io_error("write", &unfinished))?;
        self.step();
        atomic_file::commit(&unfinished, path, &|| self.step()).map_err(io_error("write", path))
    }

    /// Reads a file and checks its digest.
    pub(super) fn read(&self, file: &StoreFile) -> Result<Vec<u8>, StoreError> {
        let path = self.path_of(file);
        let bytes = std::fs::read(&path).map_err(io_error("read", &path))?;
        if digest(&bytes) == file.md5 { Ok(bytes) } else { Err(StoreError::Damaged(path)) }
    }

    /// Returns whether there are unreferenced files.
    pub(super) fn has_strays(&self, wanted: &HashSet<&str>) -> bool {
        let entries = std::fs::read_dir(self.segments()).into_iter().flatten().flatten();
        let mut names = entries.map(|entry| entry.file_name());
        names.any(|name| !name.to_str().is_some_and(|name| wanted.contains(name)))
    }

    /// Returns the undamaged segments, the oldest first, with the stems of their names.
    pub(super) fn whole_files(&self) -> Vec<(String, StoreFile)> {
        let entries = std::fs::read_dir(self.segments()).into_iter().flatten().flatten();
        let mut found: Vec<_> = entries
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let (stem, short) = name.strip_suffix(ENDING)?.rsplit_once('.')?;
                let bytes = std::fs::read(entry.path()).ok()?;
                let md5 = digest(&bytes);
                let written = entry.metadata().and_then(|file| file.modified()).ok();
                let file = StoreFile { name: name.clone(), md5, bytes: bytes.len() as u64 };
                file.md5.starts_with(short).then(|| (written, stem.to_owned(), file))
            })
            .collect();
        found.sort_by(|one, other| (one.0, &one.2.name).cmp(&(other.0, &other.2.name)));
        found.into_iter().map(|(_, stem, file)| (stem, file)).collect()
    }

    /// Removes unreferenced files.
    pub(super) fn sweep(&self, wanted: &HashSet<&str>) -> Result<(), StoreError> {
        let segments = self.segments();
        for entry in std::fs::read_dir(&segments).map_err(io_error("list", &segments))?.flatten() {
            if !entry.file_name().to_str().is_some_and(|name| wanted.contains(name)) {
                self.step();
                std::fs::remove_file(entry.path()).map_err(io_error("remove", &entry.path()))?;
            }
        }
        Ok(())
    }

    /// Keeps a copy of a damaged file that is to be replaced.
    pub(super) fn keep_damaged(&self, path: &Path) -> Result<(), StoreError> {
        let copy = self.damaged_path(path)?;
        std::fs::copy(path, copy).map(drop).map_err(io_error("copy", path))
    }

    /// Moves a damaged file to another folder, for later analysis.
    pub(super) fn set_aside(&self, path: &Path) -> Result<(), StoreError> {
        match std::fs::rename(path, self.damaged_path(path)?) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(io_error("move away", path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Returns the path of a damaged file in the folder for analysis, which it creates.
    fn damaged_path(&self, path: &Path) -> Result<PathBuf, StoreError> {
        let damaged = self.damaged();
        std::fs::create_dir_all(&damaged).map_err(io_error("make the folder", &damaged))?;
        self.step();
        Ok(damaged.join(path.file_name().unwrap_or_default()))
    }
}

fn digest(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
