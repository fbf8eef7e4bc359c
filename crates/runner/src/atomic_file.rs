//! Atomic files: each is written under a hidden name and then renamed.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::NamedTempFile;

/// Creates a hidden temporary file. The user's umask applies to `mode`.
pub fn temporary(folder: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let mode = Permissions::from_mode(mode);
    let made = tempfile::Builder::new().prefix(".sqllogictest-").permissions(mode).tempfile_in(folder);
    // The kind alone, because the message would name the temporary file.
    made.map_err(|error| error.kind().into())
}

/// Replaces a file by the output of `write`. Does not wait for the disk: after a power failure the file may be empty.
pub fn replace(path: &Path, write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>) -> io::Result<()> {
    let new = temporary(folder_of(path), 0o666)?;
    let mut out = BufWriter::new(new.as_file());
    write(&mut out)?;
    out.flush()?;
    drop(out);
    new.persist(path)?;
    Ok(())
}

/// Syncs a finished file and moves it to its place. Calls `step` after each change.
pub fn commit(unfinished: &Path, path: &Path, step: &dyn Fn()) -> io::Result<()> {
    File::open(unfinished)?.sync_all()?;
    step();
    std::fs::rename(unfinished, path)?;
    step();
    sync_folder(folder_of(path))?;
    step();
    Ok(())
}

/// Waits until the names of the files in a folder are on the disk.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Returns the folder that a file is in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
