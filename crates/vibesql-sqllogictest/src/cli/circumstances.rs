//! Where and with what a run is made, for its journal: the machine, the state of the project, the CI.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::config::EnvironmentVariables;
use super::git;
use slt_runner::atomic_file;
use slt_runner::jsonl::{entry_of, line_of};
use slt_runner::results::{Circumstances, ResultsFolder};

/// What the run itself adds.
pub(super) struct RunConditions {
    pub(super) workers: usize,
    pub(super) budget: Option<Duration>,
    pub(super) seed: Option<u64>,
    /// The paths that were typed.
    pub(super) suite: Vec<String>,
    /// Whether files of the suite are left out.
    pub(super) is_part: bool,
    /// Where the first file is, if it is on the disk.
    pub(super) first: Option<PathBuf>,
}

/// Looks around.
pub(super) fn circumstances(
    environment: &EnvironmentVariables,
    conditions: RunConditions,
    results: &ResultsFolder,
) -> Circumstances {
    let commit = git::commit();
    let machine = rustix::system::uname();
    let word = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    Circumstances {
        host: word(machine.nodename()),
        system: format!("{} {}", word(machine.sysname()), word(machine.release())),
        cpus: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        workers: conditions.workers,
        budget: conditions.budget,
        seed: conditions.seed,
        corpus_commit: conditions
            .first
            .as_deref()
            .and_then(|first| git::commit_above(first, commit.as_ref())),
        commit,
        ci: environment.ci_run(),
        suite: conditions.suite,
        is_part: conditions.is_part,
        engine_hash: program_hash(&results.path().join("program.json")),
    }
}

/// Attributes of the program file. If none has changed, the file is the same and need not be hashed again.
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
    fn of(path: &Path, program: &File) -> Option<Self> {
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

/// Length and CRC-32 of this program, which holds its engines: two builds of one version can be told apart. Reading all of it
/// takes longer than a small run, so the answer is kept in `cache` as long as the file is the same.
fn program_hash(cache: &Path) -> Option<String> {
    let path = std::env::current_exe().ok()?;
    let mut program = File::open(&path).ok()?;
    let stamp = ProgramStamp::of(&path, &program)?;
    let kept: Option<(ProgramStamp, String)> = std::fs::read(cache).ok().and_then(|line| entry_of(&line));
    if let Some((known, hash)) = kept
        && known == stamp
    {
        return Some(hash);
    }
    let mut sum = crc32fast::Hasher::new();
    let (mut length, mut buffer) = (0_u64, vec![0; 1 << 20]);
    loop {
        let read = program.read(&mut buffer).ok()?;
        if read == 0 {
            break;
        }
        length += read as u64;
        sum.update(&buffer[..read]);
    }
    let hash = format!("{length:x}-{:08x}", sum.finalize());
    // What was changed while it was read is read again the next time.
    if ProgramStamp::of(&path, &program).as_ref() == Some(&stamp) {
        keep(cache, &(stamp, &hash));
    }
    Some(hash)
}

/// Where the answer cannot be kept, the next run finds it again.
fn keep(cache: &Path, answer: &impl Serialize) {
    drop(atomic_file::replace(cache, |out| out.write_all(&line_of(answer)?)));
}
