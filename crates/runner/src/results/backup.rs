//! Copies of all runs in one file, read back before they count.

use std::collections::VecDeque;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::folder::{FolderError, ResultsFolder, is_running};
use super::journal::Opened;
use super::journal_file::{JournalText, is_sound, journal_path, lines};
use super::portable::{self, ENDING, PortableError, RunSink, Written};
use super::sequence::{name_of, names, number_of};
use crate::atomic_file;
use crate::jsonl::WholeLines;

/// How the names of backups begin.
const PREFIX: &str = "results-";

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its path.
    pub path: PathBuf,
    /// Its contents.
    pub written: Written,
    /// Runs that are not in it, because they continue or their journals cannot be read.
    pub left_out: Vec<String>,
    /// Older backups that were removed.
    pub removed: Vec<PathBuf>,
}

/// A reason why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The runs cannot be read, or the file not be written.
    #[error(transparent)]
    Portable(#[from] PortableError),
    /// The backup differs from the journals.
    #[error("the backup in `{}` was read back, and run `{run}` is not the same", folder.display())]
    Different {
        /// The folder of backups.
        folder: PathBuf,
        /// The run that differs.
        run: String,
    },
    /// The new backup is complete, but an older one could not be removed.
    #[error("the backup `{}` is made, but `{}` cannot be removed", made.display(), old.display())]
    NotRemoved {
        /// The new one.
        made: PathBuf,
        /// The old one.
        old: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl From<FolderError> for BackupError {
    fn from(error: FolderError) -> Self {
        Self::Portable(error.into())
    }
}

/// Writes all ended runs to a new file in `folder`, verifies it, and removes all but the `keep` newest backups.
///
/// `now` is in milliseconds since 1970.
///
/// # Errors
///
/// [`BackupError`]; the older backups still exist then.
pub fn make(results: &ResultsFolder, folder: &Path, now: i64, keep: usize) -> Result<Backup, BackupError> {
    let is_whole = |name: &String| {
        let path = results.path_of(name).ok().filter(|path| !is_running(path));
        let journal = path.map(|path| journal_path(&path));
        journal.is_some_and(|path| matches!(Opened::read(&path), Ok(Some(_))) && is_sound(&path))
    };
    let (names, left_out): (Vec<_>, Vec<_>) = results.runs()?.into_iter().partition(is_whole);
    if names.is_empty() {
        let results = results.path().to_owned();
        return Err(FolderError::Nothing { what: "run that has ended", results }.into());
    }
    let failed = |source| PortableError::Io { what: "write a backup into", path: folder.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let temporary = atomic_file::temporary(folder, 0o666).map_err(failed)?;
    let mut out = BufWriter::new(temporary.as_file());
    let written = portable::write(results, &names, &mut out, folder)?;
    out.flush().map_err(failed)?;
    drop(out);
    temporary.as_file().sync_all().map_err(failed)?;
    let mut comparing = ComparingSink { results, names: names.into(), lines: None, folder, differs: None };
    let read = portable::read(temporary.path(), &mut comparing);
    if let Some(run) = comparing.ended_differently() {
        return Err(BackupError::Different { folder: folder.to_owned(), run });
    }
    read?;
    let path = named(temporary, folder, now)?;
    atomic_file::sync_folder(folder).map_err(failed)?;
    let removed = remove_old(folder, &path, keep)?;
    Ok(Backup { path, written, left_out, removed })
}

/// Gives a file the first free name of this second.
fn named(mut temporary: tempfile::NamedTempFile, folder: &Path, now: i64) -> Result<PathBuf, PortableError> {
    let second = name_of(now);
    for name in names(&second) {
        let path = folder.join(format!("{PREFIX}{name}.{ENDING}"));
        match temporary.persist_noclobber(&path) {
            Ok(_) => return Ok(path),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => temporary = error.file,
            Err(error) => return Err(PortableError::Io { what: "write", path, source: error.error }),
        }
    }
    Err(ResultsFolder::new(folder).no_name(&second).into())
}

/// Returns the folder where backups of these results are by default.
pub fn folder(results: &ResultsFolder) -> PathBuf {
    results.path().join("backups")
}

/// Returns the newest backup in `folder`.
///
/// # Errors
///
/// [`FolderError::Nothing`] if there is none.
pub fn newest(folder: &Path) -> Result<PathBuf, BackupError> {
    let backups = if folder.exists() { list(folder)? } else { Vec::new() };
    let none = || FolderError::Nothing { what: "backup", results: folder.to_owned() }.into();
    backups.into_iter().next_back().ok_or_else(none)
}

/// Returns all backups in `folder`, the oldest first.
fn list(folder: &Path) -> Result<Vec<PathBuf>, PortableError> {
    let unlisted = |source| PortableError::Io { what: "list", path: folder.to_owned(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unlisted)? {
        let name = entry.map_err(unlisted)?.file_name().to_string_lossy().into_owned();
        let second = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(ENDING)?.strip_suffix('.'));
        if let Some(number) = second.and_then(number_of) {
            names.push((number, folder.join(&name)));
        }
    }
    names.sort();
    Ok(names.into_iter().map(|(_, path)| path).collect())
}

/// Removes all backups but the newest; the one just made is never removed.
fn remove_old(folder: &Path, made: &Path, keep: usize) -> Result<Vec<PathBuf>, BackupError> {
    let backups = list(folder)?;
    let old = backups.len().saturating_sub(keep);
    let mut removed = Vec::new();
    for path in backups.into_iter().take(old).filter(|path| path != made) {
        std::fs::remove_file(&path).map_err(|source| BackupError::NotRemoved {
            made: made.to_owned(),
            old: path.clone(),
            source,
        })?;
        removed.push(path);
    }
    Ok(removed)
}

/// Compares the backup with the journals.
struct ComparingSink<'c> {
    results: &'c ResultsFolder,
    /// The runs that are still to come.
    names: VecDeque<String>,
    lines: Option<(String, WholeLines<JournalText>)>,
    folder: &'c Path,
    differs: Option<String>,
}

impl ComparingSink<'_> {
    fn end_last(&mut self) -> io::Result<()> {
        if let Some((name, mut lines)) = self.lines.take()
            && lines.next_line()?.is_some()
        {
            self.differs.get_or_insert(name);
        }
        Ok(())
    }

    /// Returns a run that is not the same, if there is one; to be asked at the end.
    fn ended_differently(mut self) -> Option<String> {
        drop(self.end_last());
        self.differs.take().or_else(|| self.names.pop_front())
    }

    fn unreadable(&self, source: io::Error) -> PortableError {
        PortableError::Io { what: "read", path: self.folder.to_owned(), source }
    }
}

impl RunSink for ComparingSink<'_> {
    fn run(&mut self, name: &str) -> Result<(), PortableError> {
        self.end_last().map_err(|error| self.unreadable(error))?;
        match self.names.pop_front() {
            Some(wanted) if wanted == name => {
                let path = journal_path(&self.results.path_of(name)?);
                let lines = lines(&path).map_err(|error| self.unreadable(error))?;
                self.lines = Some((wanted, lines));
            }
            other => {
                self.differs.get_or_insert(other.unwrap_or_else(|| name.to_owned()));
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), PortableError> {
        let Some((name, lines)) = &mut self.lines else { return Ok(()) };
        match lines.next_line() {
            Ok(Some(own)) if own == line => {}
            Ok(_) => {
                self.differs.get_or_insert(name.clone());
            }
            Err(error) => return Err(self.unreadable(error)),
        }
        Ok(())
    }
}
