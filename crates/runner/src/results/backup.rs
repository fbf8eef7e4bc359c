//! Backups of all runs in one file, verified after writing.

use std::collections::VecDeque;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::folder::{ResultsFolder, is_running};
use super::folder_error::FolderError;
use super::journal::Opened;
use super::journal_file::{is_sound, journal_path, lines};
use super::portable::{self, ENDING, ExportSummary, PortableError, RunLines};
use super::sequence::{name_of, names, number_of};
use crate::atomic_file;

/// The prefix of the names of backups.
const PREFIX: &str = "results-";

/// A new backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its path.
    pub path: PathBuf,
    /// Its contents.
    pub written: ExportSummary,
    /// Omitted runs, which are in progress or unreadable.
    pub left_out: Vec<String>,
    /// Older backups that were removed.
    pub removed: Vec<PathBuf>,
}

/// Writes all ended runs to a new file in `folder`, verifies it, and removes all but the `keep` newest backups.
///
/// `now` is in milliseconds since 1970.
///
/// # Errors
///
/// [`PortableError`]; the older backups still exist then.
pub fn make(results: &ResultsFolder, folder: &Path, now: i64, keep: usize) -> Result<Backup, PortableError> {
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
    let (mut names, mut differs) = (VecDeque::from(names), None);
    let read = portable::read(temporary.path(), &mut |name, copied| {
        let wanted = names.pop_front();
        let is_same = if wanted.as_deref() == Some(name) {
            is_journal_of(results, name, copied, folder)
        } else {
            Ok(false)
        };
        if !matches!(is_same, Ok(true)) {
            differs.get_or_insert(wanted.unwrap_or_else(|| name.to_owned()));
        }
        is_same.map(drop)
    });
    if let Some(run) = differs.or_else(|| names.pop_front()) {
        return Err(PortableError::Different { folder: folder.to_owned(), run });
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
pub fn newest(folder: &Path) -> Result<PathBuf, PortableError> {
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
fn remove_old(folder: &Path, made: &Path, keep: usize) -> Result<Vec<PathBuf>, PortableError> {
    let backups = list(folder)?;
    let old = backups.len().saturating_sub(keep);
    let mut removed = Vec::new();
    for path in backups.into_iter().take(old).filter(|path| path != made) {
        std::fs::remove_file(&path).map_err(|source| PortableError::NotRemoved {
            made: made.to_owned(),
            old: path.clone(),
            source,
        })?;
        removed.push(path);
    }
    Ok(removed)
}

/// Returns whether these lines are the journal of a run.
fn is_journal_of(
    results: &ResultsFolder,
    name: &str,
    copied: &mut RunLines<'_>,
    folder: &Path,
) -> Result<bool, PortableError> {
    let unreadable = |source| PortableError::Io { what: "read", path: folder.to_owned(), source };
    let mut own = lines(&journal_path(&results.path_of(name)?)).map_err(unreadable)?;
    loop {
        match (own.next_line().map_err(unreadable)?, copied.next_line()?) {
            (None, None) => return Ok(true),
            (own, copied) if own == copied => {}
            _ => return Ok(false),
        }
    }
}
