//! Where and with what a run is made, for its journal: the machine, the state of the project, the CI.

use std::time::Duration;

use super::config::Environment;
use super::git;
use crate::results::Circumstances;

/// What the run itself adds.
pub(super) struct Drive {
    pub(super) workers: usize,
    pub(super) budget: Option<Duration>,
    pub(super) seed: Option<u64>,
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
    }
}
