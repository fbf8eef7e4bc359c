//! Reads the state of processes from `/proc` on Linux. On other systems each answer is [`None`].

use std::fmt::Display;
use std::fs;

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

/// Returns the peak memory use of this process since [`reset_peak_memory`], in bytes.
pub(super) fn peak_memory() -> Option<u64> {
    bytes_in(&fs::read_to_string(path_of("self", "status")?).ok()?, "VmHWM:")
}

/// Resets the peak of this process to its current use. Where the system refuses, the lifetime peak stays.
pub(super) fn reset_peak_memory() {
    if let Some(path) = path_of("self", "clear_refs") {
        fs::write(path, "5").ok();
    }
}

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
        assert_eq!(peak_memory().is_some_and(|bytes| bytes > 100_000), is_linux);
        assert_eq!(environment(getpid()).is_some(), is_linux);
        assert_eq!(processes().is_some_and(|mut found| found.any(|it| it.pid == getpid())), is_linux);
    }
}
