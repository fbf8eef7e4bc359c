//! What records may use besides the engine: the files of their suite, temporary files, and a shell if it is allowed.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::read::MultiGzDecoder;
use md5::{Digest as _, Md5};
use tempfile::TempDir;

use slt_core::executor::{Host, HostError, Permissions, ShellResult};
use slt_core::location::{Source, path_text, text_of};
use slt_core::parser::{IncludeError, IncludeFinder, IncludeRule};

use super::plan::{FileSource, WorkItem};
use super::procfs;

/// The host of one test file.
pub struct SuiteHost {
    /// The test file; none for embedded text and pipes.
    file: Option<PathBuf>,
    /// The directories whose files may be used, resolved when a path is checked for the first time: few files need them.
    roots: OnceLock<Vec<PathBuf>>,
    /// The directory of the suite, if it is known.
    suite: Option<PathBuf>,
    permissions: Permissions,
    /// The dialect's rule for the paths of included files.
    includes: IncludeRule,
    /// The name of the file, for `{TEST_NAME}`.
    shown: String,
    temporary: OnceLock<Option<TempDir>>,
}

impl SuiteHost {
    /// Returns the host of a file.
    pub fn new(item: &WorkItem, permissions: Permissions, includes: IncludeRule) -> Self {
        let file = match &item.source {
            FileSource::Disk(path) => Some(path.clone()),
            FileSource::Embedded(_) | FileSource::Stream(_) => None,
        };
        let suite = file.as_ref().and_then(|file| {
            let below = path_text::path(item.file.path());
            let root =
                file.ancestors().nth(below.components().count()).filter(|root| root.join(&below) == *file);
            root.or_else(|| file.parent()).map(Path::to_path_buf)
        });
        let (shown, roots, temporary) = (item.shown.clone(), OnceLock::new(), OnceLock::new());
        Self { file, roots, suite, permissions, includes, shown, temporary }
    }

    fn roots(&self) -> &[PathBuf] {
        self.roots.get_or_init(|| {
            let roots = std::env::current_dir().ok().into_iter().chain(self.suite.clone());
            roots.filter_map(|root| root.canonicalize().ok()).collect()
        })
    }

    /// Returns the temporary directory of the file, which ends with it.
    fn temporary(&self) -> Option<&Path> {
        let made = self.temporary.get_or_init(|| tempfile::Builder::new().prefix("slt-").tempdir().ok());
        made.as_ref().map(TempDir::path)
    }

    /// Returns a path if it is inside of the suite, the working directory or the temporary directory of the file, or if
    /// all paths are allowed. The path need not exist.
    fn allowed(&self, path: &Path) -> Result<PathBuf, HostError> {
        let whole = std::path::absolute(path).map_err(|error| failed(path, &error))?;
        if self.permissions.outside {
            return Ok(whole);
        }
        let real = existing_part(&whole);
        let temporary = self.temporary.get().and_then(Option::as_ref);
        let temporary = temporary.and_then(|directory| directory.path().canonicalize().ok());
        let is_inside = self.roots().iter().chain(&temporary).any(|root| real.starts_with(root));
        if is_inside {
            return Ok(whole);
        }
        Err(HostError::NotAllowed(format!(
            "`{}` is outside of the suite; --allow-outside allows such paths",
            path_text::of(path)
        )))
    }
}

/// Resolves the part of an absolute path that exists, with its symbolic links, and `..` in the rest.
fn existing_part(path: &Path) -> PathBuf {
    let mut real = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(real.pop()),
            Component::CurDir => {}
            other => {
                real.push(other);
                if let Ok(found) = real.canonicalize() {
                    real = found;
                }
            }
        }
    }
    real
}

fn failed(path: &Path, error: &io::Error) -> HostError {
    HostError::Failed(format!("cannot read `{}`: {error}", path_text::of(path)))
}

/// The most bytes that are read of the output of a command.
const MOST_OUTPUT: u64 = 64 << 20;

/// Returns the beginning of an output, with at most one byte more than the limit. The command is ended by a signal if it
/// writes more after that.
fn beginning_of(output: impl io::Read) -> Vec<u8> {
    let mut text = Vec::new();
    // What was read before an error is the output.
    output.take(MOST_OUTPUT + 1).read_to_end(&mut text).ok();
    text
}

/// Reads a file, but no device, which may never end, and no pipe, which may never begin.
fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    std::fs::read(path)
}

fn path_of(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

impl Host for SuiteHost {
    fn shell(&self, command: &[u8]) -> Result<ShellResult, HostError> {
        if !self.permissions.shell {
            let text = "shell commands are not allowed; --allow-shell allows them";
            return Err(HostError::NotAllowed(text.to_owned()));
        }
        let cannot = |error: io::Error| HostError::Failed(format!("cannot run `bash`: {error}"));
        let mut bash = Command::new("bash");
        bash.arg("-c").arg(OsStr::from_bytes(command)).stdin(Stdio::null());
        if let Some(command) = command.trim_ascii_end().strip_suffix(b"&") {
            // All of it goes on in the background, and nobody reads what it writes.
            bash = Command::new("bash");
            bash.args(["-c", "bash -c \"$1\" &", "bash"])
                .arg(OsStr::from_bytes(command))
                .stdin(Stdio::null());
            let status = bash.stdout(Stdio::null()).stderr(Stdio::null()).status().map_err(cannot)?;
            let failure = (!status.success()).then(|| status.to_string());
            return Ok(ShellResult { stdout: Vec::new(), failure });
        }
        let mut child = bash.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(cannot)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let errors = std::thread::spawn(move || stderr.map(beginning_of).unwrap_or_default());
        let stdout = stdout.map(beginning_of).unwrap_or_default();
        if stdout.len() as u64 > MOST_OUTPUT {
            child.kill().map_err(cannot)?;
            child.wait().map_err(cannot)?;
            return Err(HostError::Failed(format!("the command wrote more than {MOST_OUTPUT} bytes")));
        }
        let status = child.wait().map_err(cannot)?;
        let stderr = errors.join().unwrap_or_default();
        let failure = (!status.success()).then(|| {
            let how = match (status.code(), status.signal()) {
                (Some(code), _) => format!("the command exited with code {code}"),
                (None, Some(signal)) => format!("the command was killed by signal {signal}"),
                (None, None) => "the command failed".to_owned(),
            };
            let said = text_of(stderr.trim_ascii());
            if said.is_empty() { how } else { format!("{how}: {said}") }
        });
        Ok(ShellResult { stdout, failure })
    }

    fn read_file(&self, path: &[u8]) -> Result<Vec<u8>, HostError> {
        let path = self.allowed(path_of(path))?;
        read_regular(&path).map_err(|error| failed(&path, &error))
    }

    fn database_path(&self, path: &[u8]) -> Result<String, HostError> {
        let path = self.allowed(path_of(path))?;
        let text = path.to_str().map(str::to_owned);
        text.ok_or_else(|| HostError::Failed(format!("the path `{}` is not UTF-8", path_text::of(&path))))
    }

    fn remove_database(&self, path: &str) -> Result<(), HostError> {
        let file = Path::new(path);
        if !file.exists() {
            return Ok(());
        }
        let temporary = self.temporary.get().and_then(Option::as_ref);
        let temporary = temporary.and_then(|directory| directory.path().canonicalize().ok());
        if !temporary.is_some_and(|directory| existing_part(file).starts_with(directory)) {
            return Err(HostError::NotAllowed(format!(
                "`{path}` exists, and only files in the temporary directory of the test file are replaced; `load {path} readonly` keeps it"
            )));
        }
        let removed = std::fs::remove_file(file);
        // It belongs to the removed database.
        std::fs::remove_file(format!("{path}.wal")).ok();
        removed.map_err(|error| HostError::Failed(format!("cannot remove `{path}`: {error}")))
    }

    fn unzip(&self, archive: &[u8], target: Option<&[u8]>) -> Result<(), HostError> {
        let archive = self.allowed(path_of(archive))?;
        let target = match target {
            Some(target) => path_of(target).to_path_buf(),
            None => archive.with_extension(""),
        };
        let target = self.allowed(&target)?;
        let unpacked = std::fs::File::open(&archive).and_then(|packed| {
            let mut text = Vec::new();
            MultiGzDecoder::new(packed).read_to_end(&mut text)?;
            std::fs::write(&target, text)
        });
        unpacked.map_err(|error| {
            HostError::Failed(format!("cannot unpack `{}`: {error}", path_text::of(&archive)))
        })
    }

    #[expect(clippy::disallowed_methods, reason = "test files name the variables that they need")]
    fn environment(&self, name: &[u8]) -> Option<Vec<u8>> {
        std::env::var_os(OsStr::from_bytes(name)).map(|value| value.as_bytes().to_vec())
    }

    fn place(&self, name: &[u8]) -> Option<Vec<u8>> {
        let bytes = |path: &Path| path.as_os_str().as_bytes().to_vec();
        match name {
            b"__TEST_DIR__" | b"TEST_DIR" | b"TEMP_DIR" => self.temporary().map(bytes),
            b"__NOW__" => Some(nanoseconds_since_1970().to_string().into_bytes()),
            b"UUID" => Some(unique_id().into_bytes()),
            b"__WORKING_DIRECTORY__"
            | b"WORKING_DIRECTORY"
            | b"__BUILD_DIRECTORY__"
            | b"BUILD_DIRECTORY"
            | b"BUILD_DIR" => std::env::current_dir().ok().map(|path| bytes(&path)),
            b"DATA_DIR" => Some(b"data".to_vec()),
            b"TEST_NAME" => Some(self.shown.clone().into_bytes()),
            b"BASE_TEST_NAME" => Some(self.shown.replace('/', "_").into_bytes()),
            _ => None,
        }
    }

    fn has_feature(&self, name: &[u8], argument: Option<&[u8]>) -> Option<bool> {
        platform_feature(&name.to_ascii_lowercase(), argument)
    }
}

#[expect(clippy::disallowed_methods, reason = "test files make unique names of it")]
fn nanoseconds_since_1970() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

/// Returns an identifier in the form of a random UUID.
fn unique_id() -> String {
    let digest = Md5::digest(format!("{} {}", std::process::id(), nanoseconds_since_1970()));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

/// Returns the number of bytes of a size like `16gb`, in decimal units.
fn bytes_of(size: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(size).ok()?.to_ascii_lowercase();
    let digits = text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len());
    let unit: u64 = match &text[digits..] {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(unit)
}

/// Returns the free bytes of the disk with the working directory.
fn free_disk() -> Option<u64> {
    let disk = rustix::fs::statvfs(".").ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

/// Returns whether this platform has what a `require` names; `None` if it names nothing of a platform or a build.
fn platform_feature(name: &[u8], argument: Option<&[u8]>) -> Option<bool> {
    let number = || std::str::from_utf8(argument?).ok()?.parse::<u64>().ok();
    Some(match name {
        b"windows" | b"mingw" | b"noforcestorage_off" => false,
        b"notwindows"
        | b"notmingw"
        | b"notmusl"
        | b"noforcestorage"
        | b"nothreadsan"
        | b"strinline"
        | b"skip_reload"
        | b"no_extension_autoloading"
        | b"no_vector_verification"
        | b"no_alternative_verify"
        | b"no_latest_storage"
        | b"allow_unsigned_extensions" => true,
        b"64bit" => cfg!(target_pointer_width = "64"),
        b"longdouble" => cfg!(target_arch = "x86_64"),
        // The sizes of DuckDB's usual builds.
        b"vector_size" => number().is_some_and(|wanted| wanted <= 2048),
        b"exact_vector_size" => number() == Some(2048),
        b"block_size" => number() == Some(262_144),
        b"ram" => argument
            .and_then(bytes_of)
            .is_some_and(|wanted| wanted <= procfs::total_memory().unwrap_or(u64::MAX)),
        b"disk_space" => {
            argument.and_then(bytes_of).is_some_and(|wanted| wanted <= free_disk().unwrap_or(u64::MAX))
        }
        _ => return None,
    })
}

impl IncludeFinder for SuiteHost {
    fn find(&self, from: &Source, pattern: &[u8]) -> Result<Vec<Source>, IncludeError> {
        let failed = |why: &dyn std::fmt::Display| IncludeError::Failed(why.to_string());
        let pattern = std::str::from_utf8(pattern).map_err(|_| failed(&"the path is not UTF-8"))?;
        let paths = match self.includes {
            IncludeRule::None | IncludeRule::Path => vec![PathBuf::from(pattern)],
            IncludeRule::Glob => {
                let from = path_text::path(from.name());
                let directory =
                    if self.file.is_none() { Path::new("") } else { from.parent().unwrap_or(Path::new("")) };
                let escaped = glob::Pattern::escape(&directory.to_string_lossy());
                let whole = if directory.as_os_str().is_empty() || Path::new(pattern).is_absolute() {
                    pattern.to_owned()
                } else {
                    format!("{escaped}/{pattern}")
                };
                let found = glob::glob(&whole).map_err(|error| failed(&error))?;
                found.collect::<Result<Vec<_>, _>>().map_err(|error| failed(&error))?
            }
        };
        if paths.is_empty() {
            return Err(failed(&"no file matches"));
        }
        let read = |path: PathBuf| {
            let allowed = self.allowed(&path).map_err(include_error)?;
            let bytes = read_regular(&allowed).map_err(|error| failed(&error))?;
            Ok(Source::new(path_text::of(&path), bytes))
        };
        paths.into_iter().map(read).collect()
    }
}

fn include_error(error: HostError) -> IncludeError {
    match error {
        HostError::NotAllowed(why) => IncludeError::NotAllowed(why),
        HostError::Failed(why) => IncludeError::Failed(why),
    }
}
