//! Writes output files that the user names, in the same way for all commands.
//!
//! | the path | what happens |
//! |---|---|
//! | `-`, or the file that standard output goes to | standard output |
//! | a device, a FIFO, `/dev/fd/N`, `>(…)` | it is written to as it is |
//! | a regular file, or nothing yet | a file beside it takes its place when it is whole and on the disk |
//! | a regular file that cannot be replaced, only written to | its content is replaced, and put back if that fails |
//! | a symbolic link | the same for what it leads to |
//!
//! A file that is replaced keeps its mode, and its owner and group where the system lets them be set.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, BufWriter, IsTerminal as _, Read as _, Seek as _, Write};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::error::CliError;
use super::ui::Ui;
use slt_runner::atomic_file::{folder_of, sync_folder, temporary};
use slt_runner::parallel::has_test_ending;

/// How many symbolic links may follow each other, as in Linux.
const MOST_LINKS: usize = 40;

/// What to do with an existing regular file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExistingFile {
    /// It is replaced.
    Replace,
    /// It is replaced, unless it is a test file: the shell may have made the path of `--json *.test`.
    ReplaceReport,
    /// It is an error.
    Keep,
}

/// A place for a document, which can be written to as far as that is known.
pub(super) struct OutputFile {
    shown: String,
    place: OutputPlace,
    existing: ExistingFile,
}

enum OutputPlace {
    Standard,
    Through(File),
    /// A regular file, or none yet.
    File {
        path: PathBuf,
        old: Option<Metadata>,
    },
}

/// What a document is written to.
pub(super) struct OutputSink<'f> {
    to: Box<dyn Write + 'f>,
    size: u64,
    failed: Option<io::Error>,
}

impl OutputFile {
    /// Looks at `path`, and opens it if it is no regular file: a FIFO waits for its reader. A regular file stays as it is.
    pub(super) fn open(path: &Path, existing: ExistingFile) -> Result<Self, CliError> {
        let shown = path.display().to_string();
        let place = place(path).map_err(|error| cannot_write(&shown, &error))?;
        match &place {
            OutputPlace::File { old: Some(_), .. } if existing == ExistingFile::Keep => {
                return Err(there_already(path));
            }
            OutputPlace::File { path: file, old: Some(_) }
                if existing == ExistingFile::ReplaceReport && has_test_ending(file) =>
            {
                let hint = "name another file for the report".to_owned();
                return Err(CliError::usage(
                    format!("cannot replace `{shown}`: it is a test file"),
                    vec![hint],
                ));
            }
            OutputPlace::File { path, old } => {
                probe(path, old.as_ref()).map_err(|error| cannot_write(&shown, &error))?;
            }
            OutputPlace::Standard | OutputPlace::Through(_) => {}
        }
        Ok(Self { shown, place, existing })
    }

    /// Whether this is standard output, which has nothing but the document then.
    pub(super) fn is_standard(&self) -> bool {
        matches!(self.place, OutputPlace::Standard)
    }

    /// Whether this is a regular file, which a document replaces as a whole.
    #[cfg(feature = "store")]
    pub(super) fn is_file(&self) -> bool {
        matches!(self.place, OutputPlace::File { .. })
    }

    /// Writes a document that is in memory.
    pub(super) fn put(self, document: impl AsRef<[u8]>) -> Result<u64, CliError> {
        let shown = self.shown.clone();
        let put = |out: &mut BufWriter<OutputSink<'_>>| {
            out.write_all(document.as_ref()).map_err(|error| cannot_write(&shown, &error))
        };
        self.write(put).map(|((), size)| size)
    }

    /// Writes what `write` writes, and returns its size besides. If it fails, a regular file is as it was.
    pub(super) fn write<T>(
        self,
        write: impl FnOnce(&mut BufWriter<OutputSink<'_>>) -> Result<T, CliError>,
    ) -> Result<(T, u64), CliError> {
        let Self { shown, place, existing } = self;
        match place {
            OutputPlace::Standard => fill(Ui::raw_out(), "standard output", write),
            OutputPlace::Through(file) => fill(file, &shown, write),
            OutputPlace::File { path, old } => match beside(&path, old.as_ref()) {
                Ok(new) => {
                    let written = fill(new.as_file(), &shown, write)?;
                    let placed = put_in_place(new, &path, old.as_ref(), existing);
                    placed.map(|()| written).map_err(|error| match error.kind() {
                        io::ErrorKind::AlreadyExists => there_already(Path::new(&shown)),
                        _ => cannot_write(&shown, &error),
                    })
                }
                Err(error) if old.is_some() && is_refusal(&error) => {
                    let mut document = Vec::new();
                    let written = fill(&mut document, &shown, write)?;
                    overwrite(&path, &document).map_err(|error| cannot_write(&shown, &error))?;
                    Ok(written)
                }
                Err(error) => Err(cannot_write(&shown, &error)),
            },
        }
    }
}

impl Write for OutputSink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes);
        match &written {
            Ok(count) => self.size += *count as u64,
            Err(error) if error.kind() != io::ErrorKind::Interrupted => self.failed = Some(copy_of(error)),
            Err(_) => {}
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Runs `write` on a file. An error of the file is told as one of the path that the user knows, whatever `write` says.
fn fill<'f, T>(
    to: impl Write + 'f,
    shown: &str,
    write: impl FnOnce(&mut BufWriter<OutputSink<'_>>) -> Result<T, CliError>,
) -> Result<(T, u64), CliError> {
    let mut out = BufWriter::new(OutputSink { to: Box::new(to), size: 0, failed: None });
    let written = write(&mut out);
    let flushed = if written.is_ok() { out.flush() } else { Ok(()) };
    if let Some(error) = out.get_mut().failed.take() {
        // What is left in the buffer is not tried once more.
        drop(out.into_parts());
        return Err(cannot_write(shown, &error));
    }
    flushed.map_err(|error| cannot_write(shown, &error))?;
    Ok((written?, out.get_ref().size))
}

/// What a path leads to.
fn place(path: &Path) -> io::Result<OutputPlace> {
    if path.as_os_str() == "-" {
        return Ok(OutputPlace::Standard);
    }
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let found = match path.symlink_metadata() {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(OutputPlace::File { path, old: None });
            }
            Err(error) => return Err(error),
        };
        if found.is_symlink() {
            let folder = folder_of(&path).canonicalize()?;
            // Links like /proc/self/fd/3 are open files, whatever they seem to lead to.
            if folder.starts_with("/proc") {
                return through(&path);
            }
            path = folder.join(path.read_link()?);
        } else if found.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        } else if !found.is_file() {
            return through(&path);
        } else if is_standard_output(&found) {
            return Ok(OutputPlace::Standard);
        } else {
            return Ok(OutputPlace::File { path, old: Some(found) });
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

fn through(path: &Path) -> io::Result<OutputPlace> {
    let found = path.metadata()?;
    if found.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if is_standard_output(&found) {
        return Ok(OutputPlace::Standard);
    }
    // A file that is open already may have something in it.
    let file = OpenOptions::new().write(true).append(found.is_file()).open(path)?;
    Ok(OutputPlace::Through(file))
}

/// Whether standard output goes to this file. Devices that many use, like /dev/null, are no such file.
fn is_standard_output(found: &Metadata) -> bool {
    // Not `fstat`, whose types differ between systems.
    let own = io::stdout().as_fd().try_clone_to_owned().and_then(|own| File::from(own).metadata());
    let same = own.is_ok_and(|own| (own.dev(), own.ino()) == (found.dev(), found.ino()));
    same && (!found.file_type().is_char_device() || io::stdout().is_terminal())
}

/// Whether a file can be written, as far as that is known before.
fn probe(path: &Path, old: Option<&Metadata>) -> io::Result<()> {
    if old.is_some() {
        // A file that is protected is not replaced, though its folder would allow it.
        OpenOptions::new().write(true).open(path)?;
    }
    match beside(path, old) {
        Err(error) if old.is_some() && is_refusal(&error) => Ok(()),
        made => made.map(drop),
    }
}

/// Whether no file can be made in a folder, while one that is there may be written.
fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::ResourceBusy
    )
}

/// Makes a file that can take the place of `path`.
fn beside(path: &Path, old: Option<&Metadata>) -> io::Result<NamedTempFile> {
    let mode = if old.is_some() { 0o600 } else { 0o666 };
    let made = temporary(folder_of(path), mode)?;
    if let Some(old) = old {
        let new = made.as_file().metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            let group = || fchown(made.as_file(), None, Some(old.gid()));
            // Only root may give files away; others keep the group, if it is one of theirs.
            fchown(made.as_file(), Some(old.uid()), Some(old.gid())).or_else(|_| group()).ok();
        }
        // Last, since a new owner takes special bits away.
        made.as_file().set_permissions(Permissions::from_mode(old.mode() & 0o7777))?;
    }
    Ok(made)
}

fn put_in_place(
    new: NamedTempFile,
    path: &Path,
    old: Option<&Metadata>,
    existing: ExistingFile,
) -> io::Result<()> {
    new.as_file().sync_all()?;
    let placed = match existing {
        ExistingFile::Replace | ExistingFile::ReplaceReport => new.persist(path),
        ExistingFile::Keep => new.persist_noclobber(path),
    };
    match placed {
        Ok(_) => {
            // Not every file system can do it; the file is there in any case.
            sync_folder(folder_of(path)).ok();
            Ok(())
        }
        // A mount point, or the file of another user in a folder like /tmp.
        Err(error) if old.is_some() && is_refusal(&error.error) => {
            let mut document = Vec::new();
            File::open(error.file.path())?.read_to_end(&mut document)?;
            overwrite(path, &document)
        }
        Err(error) => Err(error.error),
    }
}

/// Replaces the content of a file. If that fails, the old content is put back, for which there is room.
fn overwrite(path: &Path, document: &[u8]) -> io::Result<()> {
    let mut old = None;
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(mut file) => {
            let mut content = Vec::new();
            file.read_to_end(&mut content)?;
            old = Some(content);
            file
        }
        // It may be written, and not read.
        Err(_) => OpenOptions::new().write(true).open(path)?,
    };
    let mut fill = |content: &[u8]| {
        file.rewind()?;
        file.write_all(content)?;
        file.set_len(content.len() as u64)?;
        file.sync_all()
    };
    fill(document).inspect_err(|_| {
        old.map(|old| fill(&old));
    })
}

/// Writes a folder of files that appears whole or not at all. `may_replace` says whether a folder that is there is one
/// that may be replaced.
#[cfg(feature = "store")]
pub(super) fn write_folder<T>(
    path: &Path,
    may_replace: impl FnOnce(&Path) -> Result<(), CliError>,
    write: impl FnOnce(&Path) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let shown = path.display().to_string();
    let failed = |error: io::Error| cannot_write(&shown, &error);
    let typed = path;
    // What a link leads to is replaced, and not the link.
    let path = typed.canonicalize().unwrap_or_else(|_| typed.to_owned());
    let old = path.symlink_metadata().ok();
    if old.is_some() {
        may_replace(typed)?;
    }
    let mode = || Permissions::from_mode(0o777);
    let prefix = ".sqllogictest-";
    let new = || {
        let made = tempfile::Builder::new().prefix(prefix).permissions(mode()).tempdir_in(folder_of(&path));
        made.map_err(|error| failed(error.kind().into()))
    };
    let made = new()?;
    let written = write(made.path())?;
    if let Some(old) = old {
        let mode = Permissions::from_mode(old.mode() & 0o7777);
        std::fs::set_permissions(made.path(), mode).map_err(failed)?;
        let aside = new()?;
        let kept = aside.path().join("old");
        std::fs::rename(&path, &kept).map_err(failed)?;
        if let Err(error) = std::fs::rename(made.path(), &path) {
            drop(std::fs::rename(&kept, &path));
            return Err(failed(error));
        }
    } else {
        std::fs::rename(made.path(), &path).map_err(failed)?;
    }
    // It has another name now.
    drop(made.keep());
    Ok(written)
}

pub(super) fn there_already(path: &Path) -> CliError {
    let hint = "use --force to replace it, or --output FILE to write elsewhere".to_owned();
    CliError::usage(format!("`{}` already exists", path.display()), vec![hint])
}

fn cannot_write(shown: &str, error: &io::Error) -> CliError {
    if error.kind() == io::ErrorKind::BrokenPipe {
        // Unlike that of standard output, it was named, and somebody waits for what is in it.
        let hint = "start the reader again, and write once more".to_owned();
        return CliError::usage(format!("cannot write `{shown}`: its reader has closed it"), vec![hint]);
    }
    CliError::io("write", shown, error)
}

fn copy_of(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}

/// Lets a write beyond the file size limit of the process (`ulimit -f`) fail with an error, as a full disk does, instead of
/// ending the process.
pub(super) fn survive_size_limit() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let Ok(runtime) = runtime else { return };
    let signal = tokio::signal::unix::SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    // The handler stays when the runtime and this are gone. Without it, the limit ends the process, as it always did.
    drop(runtime.block_on(async { tokio::signal::unix::signal(signal) }));
}
