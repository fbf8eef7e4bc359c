//! Writes the output files of all commands.
//!
//! | path | effect |
//! |---|---|
//! | `-`, or the file that standard output goes to | standard output |
//! | a device, a FIFO, `/dev/fd/N`, `>(…)` | written directly |
//! | a regular file, or none yet | replaced atomically by a complete file that is on the disk |
//! | a regular file that can only be written | its content is replaced, and restored after a failure |
//! | a symbolic link | the same for its target |
//!
//! Test files are only replaced atomically.
//!
//! A replaced file keeps its mode, and its owner and group if the system permits.

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

/// The maximum length of a chain of symbolic links, as in Linux.
const MOST_LINKS: usize = 40;

/// The treatment of an existing regular file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExistingFile {
    /// It is replaced.
    Replace,
    /// It is replaced, unless it is a test file: the shell may have made the path of `--json *.test`.
    ReplaceReport,
    /// It is replaced by a whole file, or stays: it is the only copy of its text, and a kill must not mix two versions.
    ReplaceWhole,
    /// It is an error.
    Keep,
}

impl ExistingFile {
    /// Whether the content of the file is replaced, if no file can take its place because of `error`.
    fn is_rewritten_after(self, error: &io::Error) -> bool {
        self != Self::ReplaceWhole && is_refusal(error)
    }

    fn cannot_replace(self, shown: &str, error: &io::Error) -> CliError {
        if self != Self::ReplaceWhole || !is_refusal(error) {
            return cannot_write(shown, error);
        }
        let hint = "the new text is written beside the file, so that no kill damages it; make its directory writable";
        CliError::io("replace", shown, error).hint(hint)
    }
}

/// The destination of a document, checked before it is written.
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

/// Counts the bytes of a document, and keeps the error of its file.
pub(super) struct OutputSink<'f> {
    to: Box<dyn Write + 'f>,
    size: u64,
    failed: Option<io::Error>,
}

impl OutputFile {
    /// Checks `path`, and opens it unless it is a regular file: a FIFO waits for its reader.
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
                let message = format!("cannot replace `{shown}`: it is a test file");
                return Err(CliError::usage(message, "name another file for the report"));
            }
            OutputPlace::File { path, old } => {
                probe(path, old.as_ref(), existing, &shown)?;
            }
            OutputPlace::Standard | OutputPlace::Through(_) => {}
        }
        Ok(Self { shown, place, existing })
    }

    /// Whether this is standard output, which then has only the document.
    pub(super) fn is_standard(&self) -> bool {
        matches!(self.place, OutputPlace::Standard)
    }

    /// Whether this is a regular file, which the document replaces.
    #[cfg(feature = "store")]
    pub(super) fn is_file(&self) -> bool {
        matches!(self.place, OutputPlace::File { .. })
    }

    /// Writes a document, and returns its size; `None` on standard output.
    pub(super) fn put(self, document: impl AsRef<[u8]>) -> Result<Option<u64>, CliError> {
        let shown = self.shown.clone();
        let put = |out: &mut BufWriter<OutputSink<'_>>| {
            out.write_all(document.as_ref()).map_err(|error| cannot_write(&shown, &error))
        };
        self.write(put).map(|((), size)| size)
    }

    /// Writes the output of `write`, and returns its size; `None` on standard output. A failure leaves a regular file
    /// unchanged.
    pub(super) fn write<T>(
        self,
        write: impl FnOnce(&mut BufWriter<OutputSink<'_>>) -> Result<T, CliError>,
    ) -> Result<(T, Option<u64>), CliError> {
        let Self { shown, place, existing } = self;
        let (written, size) = match place {
            OutputPlace::Standard => {
                let (written, _) = fill(Ui::raw_out(), "standard output", write)?;
                return Ok((written, None));
            }
            OutputPlace::Through(file) => fill(file, &shown, write)?,
            OutputPlace::File { path, old } => match beside(&path, old.as_ref()) {
                Ok(new) => {
                    let written = fill(new.as_file(), &shown, write)?;
                    put_in_place(new, &path, old.as_ref(), existing).map_err(|error| match error.kind() {
                        io::ErrorKind::AlreadyExists => there_already(Path::new(&shown)),
                        _ => existing.cannot_replace(&shown, &error),
                    })?;
                    written
                }
                Err(error) if old.is_some() && existing.is_rewritten_after(&error) => {
                    let mut document = Vec::new();
                    let written = fill(&mut document, &shown, write)?;
                    overwrite(&path, &document).map_err(|error| cannot_write(&shown, &error))?;
                    written
                }
                Err(error) => return Err(existing.cannot_replace(&shown, &error)),
            },
        };
        Ok((written, Some(size)))
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

/// Runs `write` on a file. An error of the file is reported with the path, in place of the error of `write`.
fn fill<'f, T>(
    to: impl Write + 'f,
    shown: &str,
    write: impl FnOnce(&mut BufWriter<OutputSink<'_>>) -> Result<T, CliError>,
) -> Result<(T, u64), CliError> {
    let mut out = BufWriter::new(OutputSink { to: Box::new(to), size: 0, failed: None });
    let written = write(&mut out);
    let flushed = if written.is_ok() { out.flush() } else { Ok(()) };
    if let Some(error) = out.get_mut().failed.take() {
        // The rest of the buffer is not written.
        drop(out.into_parts());
        return Err(cannot_write(shown, &error));
    }
    flushed.map_err(|error| cannot_write(shown, &error))?;
    Ok((written?, out.get_ref().size))
}

/// Returns the target of a path.
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
            // Links like /proc/self/fd/3 are open files, not paths.
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
    // A file that is already open may have content.
    let file = OpenOptions::new().write(true).append(found.is_file()).open(path)?;
    Ok(OutputPlace::Through(file))
}

/// Whether this file is standard output. Shared devices like /dev/null do not count.
fn is_standard_output(found: &Metadata) -> bool {
    // Not `fstat`, whose types differ between systems.
    let own = io::stdout().as_fd().try_clone_to_owned().and_then(|own| File::from(own).metadata());
    let same = own.is_ok_and(|own| (own.dev(), own.ino()) == (found.dev(), found.ino()));
    same && (!found.file_type().is_char_device() || io::stdout().is_terminal())
}

/// Checks whether a file can be written.
fn probe(path: &Path, old: Option<&Metadata>, existing: ExistingFile, shown: &str) -> Result<(), CliError> {
    if old.is_some() {
        // A protected file is not replaced, even if its folder allows it.
        let opened = OpenOptions::new().write(true).open(path);
        opened.map_err(|error| cannot_write(shown, &error))?;
    }
    match beside(path, old) {
        Err(error) if old.is_some() && existing.is_rewritten_after(&error) => Ok(()),
        made => made.map(drop).map_err(|error| existing.cannot_replace(shown, &error)),
    }
}

/// Whether files cannot be created in a folder, while existing ones may be writable.
fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::ResourceBusy
    )
}

/// Creates a file that can replace `path`.
fn beside(path: &Path, old: Option<&Metadata>) -> io::Result<NamedTempFile> {
    let mode = if old.is_some() { 0o600 } else { 0o666 };
    let made = temporary(folder_of(path), mode)?;
    if let Some(old) = old {
        let new = made.as_file().metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            let group = || fchown(made.as_file(), None, Some(old.gid()));
            // Only root may change owners; others may set groups to which they belong.
            fchown(made.as_file(), Some(old.uid()), Some(old.gid())).or_else(|_| group()).ok();
        }
        // Last, since a change of the owner clears special bits.
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
        ExistingFile::Replace | ExistingFile::ReplaceReport | ExistingFile::ReplaceWhole => new.persist(path),
        ExistingFile::Keep => new.persist_noclobber(path),
    };
    match placed {
        Ok(_) => {
            // Some file systems do not support this; the file exists in any case.
            sync_folder(folder_of(path)).ok();
            Ok(())
        }
        // A mount point, or a file of another user in a folder like /tmp.
        Err(error) if old.is_some() && existing.is_rewritten_after(&error.error) => {
            let mut document = Vec::new();
            File::open(error.file.path())?.read_to_end(&mut document)?;
            overwrite(path, &document)
        }
        Err(error) => Err(error.error),
    }
}

/// Replaces the content of a file. After a failure, the old content is restored, for which there is space.
fn overwrite(path: &Path, document: &[u8]) -> io::Result<()> {
    let mut old = None;
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(mut file) => {
            let mut content = Vec::new();
            file.read_to_end(&mut content)?;
            old = Some(content);
            file
        }
        // It may be writable, but not readable.
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

pub(super) fn there_already(path: &Path) -> CliError {
    let hint = "use --force to replace it, or --output FILE to write elsewhere";
    CliError::usage(format!("`{}` already exists", path.display()), hint)
}

pub(super) fn cannot_write(shown: &str, error: &io::Error) -> CliError {
    if error.kind() == io::ErrorKind::BrokenPipe {
        // Unlike standard output, the document was requested by name, so its loss is an error.
        let hint = "start the reader again, and repeat the command";
        return CliError::usage(format!("cannot write `{shown}`: its reader has closed it"), hint);
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
    // The handler stays installed when the runtime is dropped. Without it, the limit ends the process.
    drop(runtime.block_on(async { tokio::signal::unix::signal(signal) }));
}
