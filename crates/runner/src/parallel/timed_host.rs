//! A host whose time is measured.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock;
use slt_core::executor::{Host, HostError, ShellResult};

/// Passes everything on to a host, and measures what may take long: shell commands, archives and pauses.
pub(super) struct TimedHost<'h> {
    host: &'h dyn Host,
    nanoseconds: AtomicU64,
}

impl<'h> TimedHost<'h> {
    pub(super) fn new(host: &'h dyn Host) -> Self {
        Self { host, nanoseconds: AtomicU64::new(0) }
    }

    /// Returns the time that it has taken.
    pub(super) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }

    fn measure<T>(&self, work: impl FnOnce() -> T) -> T {
        let start = clock::now();
        let result = work();
        let taken = clock::now().saturating_sub(start).as_nanos();
        self.nanoseconds.fetch_add(u64::try_from(taken).unwrap_or(u64::MAX), Ordering::Relaxed);
        result
    }
}

impl Host for TimedHost<'_> {
    fn shell(&self, command: &[u8]) -> Result<ShellResult, HostError> {
        self.measure(|| self.host.shell(command))
    }

    fn read_file(&self, path: &[u8]) -> Result<Vec<u8>, HostError> {
        self.host.read_file(path)
    }

    fn database_path(&self, path: &[u8]) -> Result<String, HostError> {
        self.host.database_path(path)
    }

    fn remove_database(&self, path: &str) -> Result<(), HostError> {
        self.host.remove_database(path)
    }

    fn unzip(&self, archive: &[u8], target: Option<&[u8]>) -> Result<(), HostError> {
        self.measure(|| self.host.unzip(archive, target))
    }

    fn environment(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.host.environment(name)
    }

    fn place(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.host.place(name)
    }

    fn has_feature(&self, name: &[u8], argument: Option<&[u8]>) -> Option<bool> {
        self.host.has_feature(name, argument)
    }

    fn sleep(&self, time: Duration) {
        self.measure(|| self.host.sleep(time));
    }
}
