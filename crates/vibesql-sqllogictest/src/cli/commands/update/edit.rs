//! Reads and replaces test files.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::error::CliError;
use crate::cli::output::{ExistingFile, OutputFile};
use slt_core::location::Source;
use slt_runner::parallel::{FileSource, WorkItem};

/// Reads a file.
pub(in crate::cli::commands) fn read(item: &WorkItem) -> Result<Source, CliError> {
    let bytes = item.read().map_err(|error| CliError::io("read", &item.shown, &error))?;
    Ok(Source::new(item.shown.as_str(), bytes))
}

/// Returns the path of a file on disk, without symbolic links. `action` is what is to be done with it.
pub(in crate::cli::commands) fn disk_path(item: &WorkItem, action: &str) -> Result<PathBuf, CliError> {
    let what = match &item.source {
        FileSource::Disk(path) => {
            return path.canonicalize().map_err(|error| CliError::io("read", &item.shown, &error));
        }
        FileSource::Embedded(_) => "it is a part of this program",
        FileSource::Stream(_) => "it is not a file on disk",
    };
    let message = format!("cannot {action} `{}`: {what}", item.shown);
    Err(CliError::usage(message, "save its text as a file, and name that"))
}

/// Replaces the text of a file, unless somebody else has changed it.
pub(in crate::cli::commands) fn replace_file(
    path: &Path,
    item: &WorkItem,
    old: &[u8],
    new: &[u8],
) -> Result<(), CliError> {
    let file = OutputFile::open(path, ExistingFile::ReplaceWhole)?;
    let now = match item.read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Cow::Borrowed(&[] as &[u8]),
        read => read.map_err(|error| CliError::io("read", &item.shown, &error))?,
    };
    if now != old {
        let message = format!("cannot write `{}`: it has changed in the meantime", item.shown);
        return Err(CliError::usage(message, "run the command again"));
    }
    file.put(new).map(drop)
}
