//! Reads the state of processes from `/proc` on Linux. On other systems each answer is [`None`].

use std::fmt::Display;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use rustix::process::Pid;

const ROOT: Option<&str> = if cfg!(target_os = "linux") { Some("/proc") } else { None };

/// A process in the tree of processes.
pub(super) struct ProcessEntry {
    pub(super) pid: Pid,
    pub(super) parent: i32,
    pub(super) group: Pid,
}

/// Returns the processes of this machine, except those that exit during the scan.
pub(super) fn processes() -> Option<impl Iterator<Item = ProcessEntry>> {
    let entries = fs::read_dir(ROOT?).ok()?;
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.parse().ok());
    Some(pids.filter_map(|pid: i32| {
        let pid = Pid::from_raw(pid)?;
        let (parent, group) = parent_and_group(&text_of(pid, "stat")?)?;
        Some(ProcessEntry { pid, parent, group: Pid::from_raw(group)? })
    }))
}

/// Returns the initial environment of the process, as `NAME=value` with a zero byte after each variable.
pub(super) fn environment(pid: Pid) -> Option<Vec<u8>> {
    fs::read(path_of(pid.as_raw_nonzero(), "environ")?).ok()
}

/// Returns the memory that the process is using, in bytes.
pub fn memory(pid: Pid) -> Option<u64> {
    bytes_in(&text_of(pid, "status")?, "VmRSS:")
}

/// The memory of this process. Its files in `/proc` stay open, because each file that a worker runs asks.
#[derive(Debug)]
pub(super) struct OwnMemory {
    status: Option<File>,
    clear_refs: Option<File>,
}

/// The memory use of a process at a time, in bytes, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct MemoryUse {
    /// The current use.
    pub(super) current: Option<u64>,
    /// The peak since the last reset.
    pub(super) peak: Option<u64>,
}

impl OwnMemory {
    pub(super) fn open() -> Self {
        let path = |name| path_of("self", name);
        Self {
            status: path("status").and_then(|path| File::open(path).ok()),
            clear_refs: path("clear_refs").and_then(|path| File::options().write(true).open(path).ok()),
        }
    }

    /// Resets the peak to the current use. Where the system refuses, the lifetime peak stays.
    pub(super) fn reset_peak(&self) {
        self.clear_refs.as_ref().map(|file| file.write_at(b"5", 0));
    }

    /// Reads the current use and the peak since [`Self::reset_peak`].
    pub(super) fn read(&self) -> MemoryUse {
        let mut text = [0; STATUS];
        let Some(length) = self.status.as_ref().and_then(|file| file.read_at(&mut text, 0).ok()) else {
            return MemoryUse::default();
        };
        let text = String::from_utf8_lossy(&text[..length]);
        MemoryUse { current: bytes_in(&text, "VmRSS:"), peak: bytes_in(&text, "VmHWM:") }
    }
}

/// The room for the text of `status`. The fields about memory are among its first lines.
const STATUS: usize = 4096;

/// Returns the bytes of memory of the machine; `None` where the system does not tell.
pub fn total_memory() -> Option<u64> {
    bytes_in(&fs::read_to_string(format!("{}/meminfo", ROOT?)).ok()?, "MemTotal:")
}

fn path_of(process: impl Display, name: &str) -> Option<String> {
    Some(format!("{}/{process}/{name}", ROOT?))
}

fn text_of(pid: Pid, name: &str) -> Option<String> {
    fs::read_to_string(path_of(pid.as_raw_nonzero(), name)?).ok()
}

/// Parses `stat`: the number, the name in parentheses, which may contain any character, the state, the parent, the
/// group.
fn parent_and_group(stat: &str) -> Option<(i32, i32)> {
    let mut words = stat[stat.rfind(')')? + 1..].split_whitespace().skip(1);
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

/// Reads a size from a field of `status`.
fn bytes_in(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use rustix::process::getpid;

    use super::*;

    #[test]
    fn fields_of_status() {
        let status = "Name:\tcargo\nVmHWM:\t    2048 kB\nVmRSS:\t     100 kB\n";
        assert_eq!((bytes_in(status, "VmHWM:"), bytes_in(status, "VmRSS:")), (Some(2 << 20), Some(102_400)));
        assert_eq!(bytes_in("", "VmRSS:"), None);
    }

    #[test]
    fn a_name_with_parentheses_hides_no_parent() {
        assert_eq!(parent_and_group("7 (a) S (b) S 12 34 5 0 -1"), Some((12, 34)));
        assert_eq!(parent_and_group("7 (a"), None);
    }

    #[test]
    fn this_process_is_known_on_linux_and_unknown_elsewhere() {
        let is_linux = cfg!(target_os = "linux");
        assert_eq!(memory(getpid()).is_some_and(|bytes| bytes > 100_000), is_linux);
        let own = OwnMemory::open();
        own.reset_peak();
        let before = own.read();
        assert_eq!(before.current.is_some_and(|bytes| bytes > 100_000), is_linux);
        assert!(before.peak >= before.current, "{before:?}");
        // Each call reads the file again.
        let much = vec![1_u8; 64 << 20];
        assert_eq!(
            own.read().peak.is_some_and(|peak| peak >= before.current.unwrap_or(0) + (32 << 20)),
            is_linux
        );
        drop(much);
        assert_eq!(environment(getpid()).is_some(), is_linux);
        assert_eq!(processes().is_some_and(|mut found| found.any(|it| it.pid == getpid())), is_linux);
    }
}
