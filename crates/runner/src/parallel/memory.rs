//! The memory that a process has in use, from `/proc`; on other systems than Linux nothing is known.

/// The memory that the process has in use now, in bytes.
pub fn in_use(pid: rustix::process::Pid) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).ok()?;
    field(&status, "VmRSS:")
}

/// The most memory that this process has had in use since [`forget_peak`].
pub(super) fn peak() -> Option<u64> {
    field(&std::fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

/// Lets the peak begin anew. Where that cannot be done, it stays that of the process.
pub(super) fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").ok();
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_status() {
        let status = "Name:\tcargo\nVmHWM:\t    2048 kB\nVmRSS:\t     100 kB\n";
        assert_eq!((field(status, "VmHWM:"), field(status, "VmRSS:")), (Some(2 << 20), Some(102_400)));
        assert_eq!(field("", "VmRSS:"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_known() {
        let own = in_use(rustix::process::getpid()).unwrap();
        assert!(own > 100_000 && peak().unwrap() > 100_000, "{own}");
    }
}
