//! Ends the processes that an engine has started: a process group and, on Linux, processes that have left it.
//!
//! A worker is the leader of a process group. Where the system supports it, orphans become children of the nearest
//! ancestor that asked for them ([`adopt_orphans`]). Each worker asks, and so does the main process of a command. So a
//! process that left the group of a worker is a descendant of the worker while that lives, and of the main process
//! afterwards.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, getpgrp, getpid, kill_current_process_group,
    kill_process, kill_process_group, waitid, waitpid,
};

use super::procfs::{self, ProcessEntry};

/// The variable that marks processes started by a worker; other children of the main process lack it.
pub const MARK: &str = "VIBESQL_SQLLOGICTEST_STARTED_BY";

/// Sends a signal to a process group. Ignores errors, because the group may have exited.
pub fn signal_group(pid: Pid, signal: Signal) {
    kill_process_group(pid, signal).ok();
}

/// Makes orphaned descendants children of this process (Linux only).
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(getpid())).ok();
}

/// The worker processes of this process, if all its other children are orphans of workers.
static OWN: Mutex<Option<HashSet<i32>>> = Mutex::new(None);

/// Makes orphans children of this process.
///
/// If it has no children yet, every later child without [`expect_child`] is an orphan of a worker. Otherwise orphans
/// may be descendants of the earlier children: a shell may have started them before it became this process.
pub fn own_orphans() {
    let has_children = !children().is_empty();
    adopt_orphans();
    // The first process of a container gets the orphans of all other processes.
    if !has_children && getpid() != Pid::INIT {
        OWN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
    }
}

/// Registers a process as a child that is not an orphan.
pub fn expect_child(pid: Pid) {
    if let Some(own) = OWN.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        own.insert(raw(pid));
    }
}

/// Returns whether the child is an adopted orphan.
fn is_orphan(pid: Pid) -> bool {
    let own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    own.as_ref().is_some_and(|own| !own.contains(&raw(pid)))
}

fn raw(pid: Pid) -> i32 {
    pid.as_raw_nonzero().get()
}

/// Ends this process and its descendants when `lifeline` is closed, which happens when the parent exits. Until then, each
/// line that the parent writes is passed to `hear`.
///
/// # Errors
///
/// When the waiting thread cannot be started.
pub fn end_with_parent(lifeline: File, mut hear: impl FnMut(Vec<u8>) + Send + 'static) -> io::Result<()> {
    adopt_orphans();
    // A stopped process would not notice the end of its parent.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::CONT))?;
    let wait = move || {
        BufReader::new(lifeline).split(b'\n').map_while(Result::ok).for_each(&mut hear);
        end_all();
    };
    std::thread::Builder::new().name("lifeline".to_owned()).stack_size(SMALL_STACK).spawn(wait).map(drop)
}

const SMALL_STACK: usize = 128 << 10;

/// The maximum number of searches for children: the children of a killed child become children of this process.
const ROUNDS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(1);

/// Ends this process and its descendants.
pub fn end_all() {
    end_children(|_| true);
    // A process that does not lead its group was started by hand: the group belongs to somebody else.
    if getpgrp() == getpid() {
        kill_current_process_group(Signal::KILL).ok();
    }
    kill_process(getpid(), Signal::KILL).ok();
}

/// Ends the remains of a worker: its process group, and orphans that have left the group.
///
/// Orphans of living workers are children of those workers, so all orphans here belong to ended workers. A program that
/// has not called [`own_orphans`] may have other children; there the mark of the worker decides.
pub fn end_family(worker: Pid, mark: &OsStr) {
    signal_group(worker, Signal::KILL);
    end_children(|child| child.group == worker || is_orphan(child.pid) || has_mark(child.pid, mark));
}

/// Kills and reaps the matching children until none is left.
fn end_children(is_meant: impl Fn(&ProcessEntry) -> bool) {
    for _ in 0..ROUNDS {
        let mut meant = children();
        meant.retain(&is_meant);
        if meant.is_empty() {
            return;
        }
        for child in meant {
            kill_process(child.pid, Signal::KILL).ok();
            waitpid(Some(child.pid), WaitOptions::NOHANG).ok();
        }
        std::thread::park_timeout(PAUSE);
    }
}

/// Returns the children of this process; empty if unknown.
fn children() -> Vec<ProcessEntry> {
    // The usual case, which needs no scan of all processes.
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    if matches!(waitid(WaitId::All, look), Err(rustix::io::Errno::CHILD)) {
        return Vec::new();
    }
    let own = raw(getpid());
    procfs::processes().into_iter().flatten().filter(|process| process.parent == own).collect()
}

/// Returns whether the process was started with [`MARK`] set to `mark`.
fn has_mark(pid: Pid, mark: &OsStr) -> bool {
    use std::os::unix::ffi::OsStrExt as _;
    let wanted = [MARK.as_bytes(), b"=", mark.as_bytes()].concat();
    let environment = procfs::environment(pid).unwrap_or_default();
    environment.split(|&byte| byte == 0).any(|variable| variable == wanted)
}
