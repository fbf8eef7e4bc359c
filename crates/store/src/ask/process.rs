//! A child process, as seen by its parent: started in its own process group, read by a thread, and killed with its
//! descendants.

use std::ffi::OsString;
use std::io::{self, BufReader};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child as Process, ChildStdin, Command, Stdio};
use std::sync::mpsc::Sender;

use rustix::process::{Pid, Signal, kill_process_group};

use super::wire::{AskReply, AskRequest, EngineName, receive, send};
use slt_core::outcome::ExitHow;
use slt_runner::parallel::procfs;

/// The command line of a child. The name of the engine is appended.
#[derive(Debug, Clone)]
pub struct AskCommand {
    /// The program.
    pub program: PathBuf,
    /// The arguments before the engine.
    pub arguments: Vec<OsString>,
}

/// An event of a child.
pub(super) enum ChildEvent {
    /// A message of the child with this number.
    Reply(u64, AskReply),
    /// The end of a child's messages.
    Closed(u64),
    /// The user interrupts the query.
    Interrupt,
}

/// A child that answers queries.
pub(super) struct ChildProcess {
    /// Its number in events.
    pub(super) number: u64,
    process: Process,
    pid: Option<Pid>,
    stdin: Option<ChildStdin>,
}

impl ChildProcess {
    pub(super) fn start(
        command: &AskCommand,
        engine: EngineName,
        number: u64,
        events: Sender<ChildEvent>,
    ) -> io::Result<Self> {
        let mut process = Command::new(&command.program)
            .args(&command.arguments)
            .arg(engine.as_str())
            // VibeSQL's messages depend on the locale.
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Libraries may print to it; that does not concern the user.
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take());
        let child = Self { number, process, pid, stdin };
        if let Some(stdout) = stdout {
            let listen = move || {
                let mut from = BufReader::new(stdout);
                while let Ok(Some(reply)) = receive(&mut from) {
                    if events.send(ChildEvent::Reply(number, reply)).is_err() {
                        return;
                    }
                }
                drop(events.send(ChildEvent::Closed(number)));
            };
            let thread = std::thread::Builder::new().name("answers".to_owned()).spawn(listen);
            // Without the thread, dropping the value kills the child.
            thread?;
        }
        Ok(child)
    }

    /// Sends a request. If the child has exited, an event reports that.
    pub(super) fn ask(&mut self, request: &AskRequest) {
        if let Some(stdin) = &mut self.stdin {
            drop(send(request, stdin));
        }
    }

    /// Returns its memory in use, in bytes, if the system reports that.
    pub(super) fn memory(&self) -> Option<u64> {
        procfs::memory(self.pid?)
    }

    /// Waits for the exit of a silent child.
    pub(super) fn wait(mut self) -> ExitHow {
        self.stdin = None;
        match self.process.wait() {
            Ok(status) => status.signal().map_or(ExitHow::Code(status.code().unwrap_or(-1)), ExitHow::Signal),
            Err(_) => ExitHow::Code(-1),
        }
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        // The number of an exited child may belong to another process.
        if matches!(self.process.try_wait(), Ok(None)) {
            if let Some(pid) = self.pid {
                kill_process_group(pid, Signal::KILL).ok();
            }
            self.process.wait().ok();
        }
    }
}
