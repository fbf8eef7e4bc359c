//! Ends workers, and lets none outlive the pool.

use std::io;

use rustix::process::Signal;

use super::super::family::{end_family, signal_group};
use super::{WorkerHandle, WorkerPool};

impl WorkerPool<'_> {
    /// Stops workers from claiming further tasks.
    pub(in crate::parallel) fn close(&mut self) -> io::Result<()> {
        self.closed = true;
        self.process_dir.close()
    }

    /// Ends all workers immediately. Their running files get no result.
    pub(in crate::parallel) fn abandon(&mut self) {
        self.end(|_| true);
    }

    /// Ends the workers that are running a task; idle workers find the queue empty and exit.
    pub(in crate::parallel) fn dismiss(&mut self) {
        self.end(|worker| worker.at.is_some());
    }

    fn end(&mut self, which: impl Fn(&WorkerHandle) -> bool) {
        self.closed = true;
        for worker in self.workers.values_mut().filter(|worker| which(worker)) {
            worker.abandoned = true;
            signal_group(worker.pid, Signal::KILL);
        }
    }
}

impl Drop for WorkerPool<'_> {
    /// No worker process may outlive the pool.
    fn drop(&mut self) {
        self.workers.values().for_each(|worker| signal_group(worker.pid, Signal::KILL));
        for (number, worker) in &self.workers {
            end_family(worker.pid, self.process_dir.slot(*number).as_os_str());
        }
    }
}
