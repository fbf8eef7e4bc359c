//! Records the circumstances of a run for its journal: the machine, the commit, the CI.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::config::EnvironmentVariables;
use super::git;
use super::workers::cores;
use slt_runner::atomic_file;
use slt_runner::jsonl::{entry_of, line_of};
use slt_runner::results::{Circumstances, ResultsFolder};

/// Returns the circumstances that do not depend on the settings of a run. `first` is the location of the first file on disk.
pub(super) fn circumstances(
    environment: &EnvironmentVariables,
    first: Option<&Path>,
    results: &ResultsFolder,
) -> Circumstances {
    let commit = git::commit();
    let machine = rustix::system::uname();
    let word = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    Circumstances {
        host: word(machine.nodename()),
        system: format!("{} {}", word(machine.sysname()), word(machine.release())),
        cpus: cores(),
        corpus_commit: first.and_then(|first| git::commit_above(first, commit.as_ref())),
        commit,
        ci: environment.ci_run(),
        engine_hash: program_hash(&results.path().join("program.json")),
        ..Circumstances::default()
    }
}

/// Attributes of the program file. If none has changed, the file need not be hashed again.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ProgramStamp {
    path: PathBuf,
    device: u64,
    inode: u64,
    length: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

impl ProgramStamp {
    fn new(path: &Path, program: &File) -> Option<Self> {
        let file = program.metadata().ok()?;
        Some(Self {
            path: path.to_owned(),
            device: file.dev(),
            inode: file.ino(),
            length: file.len(),
            written: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        })
    }
}

/// Returns length and CRC-32 of this program with its engines, to distinguish builds of one version. Reading it takes longer
/// than a small run, so the result is kept in `cache` while the file is unchanged.
fn program_hash(cache: &Path) -> Option<String> {
    let path = std::env::current_exe().ok()?;
    let mut program = File::open(&path).ok()?;
    let stamp = ProgramStamp::new(&path, &program)?;
    let kept: Option<(ProgramStamp, String)> = std::fs::read(cache).ok().and_then(|line| entry_of(&line));
    if let Some((known, hash)) = kept
        && known == stamp
    {
        return Some(hash);
    }
    let mut sum = crc32fast::Hasher::new();
    let (mut length, mut buffer) = (0_u64, vec![0; 1 << 20]);
    while let read @ 1.. = program.read(&mut buffer).ok()? {
        length += read as u64;
        sum.update(&buffer[..read]);
    }
    let hash = format!("{length:x}-{:08x}", sum.finalize());
    // A file that was changed while it was read is read again the next time.
    if ProgramStamp::new(&path, &program).as_ref() == Some(&stamp) {
        // Without the cache, the next run reads the program again.
        drop(atomic_file::replace(cache, |out| out.write_all(&line_of(&(stamp, &hash))?)));
    }
    Some(hash)
}
