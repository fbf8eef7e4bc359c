//! Where and with what a run is made, for its journal: the machine, the state of the project, the CI.

use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use super::config::Environment;
use super::git;
use crate::results::Circumstances;

/// What the run itself adds.
pub(super) struct Drive {
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
pub(super) fn circumstances(environment: &Environment, drive: Drive) -> Circumstances {
    let machine = rustix::system::uname();
    let word = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    Circumstances {
        host: word(machine.nodename()),
        system: format!("{} {}", word(machine.sysname()), word(machine.release())),
        cpus: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        workers: drive.workers,
        budget: drive.budget,
        seed: drive.seed,
        commit: git::commit(),
        ci: environment.ci_run(),
        suite: drive.suite,
        is_part: drive.is_part,
        corpus_commit: drive.first.as_deref().and_then(git::commit_above),
        engine_hash: program_hash(),
    }
}

/// Length and CRC-32 of this program, which holds its engines: two builds of one version can be told apart.
fn program_hash() -> Option<String> {
    let mut program = std::fs::File::open(std::env::current_exe().ok()?).ok()?;
    let mut sum = crc32fast::Hasher::new();
    let (mut length, mut buffer) = (0_u64, vec![0; 1 << 20]);
    loop {
        let read = program.read(&mut buffer).ok()?;
        if read == 0 {
            return Some(format!("{length:x}-{:08x}", sum.finalize()));
        }
        length += read as u64;
        sum.update(&buffer[..read]);
    }
}
