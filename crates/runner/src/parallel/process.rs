//! Processes and signals: starts workers, reads their messages, and reaps them.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, getpgrp, getpid, getsid, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::runtime::Runtime;
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Interval, MissedTickBehavior};

use super::error::{RunError, io_error};
use super::family::{MARK, end_family, expect_child};
use super::process_dir::ProcessDir;
use super::wire::WorkerMessage;
use slt_core::outcome::ExitHow;

/// The command line of a worker.
///
/// Three arguments are added: the folder of the run, the number of the process directory, and the number of the worker.
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// The arguments before the folder.
    pub arguments: Vec<OsString>,
    /// Environment variables for workers.
    pub environment: Vec<(OsString, OsString)>,
    /// The destination of the workers' standard error.
    pub stderr: WorkerStderr,
}

/// The destination of the workers' standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerStderr {
    /// A file in the run folder; its end becomes part of the reports of files that have not passed.
    Kept,
    /// The standard error of this process.
    Shown,
}

/// A message or the end of a worker.
pub(super) enum WorkerEvent {
    /// A message.
    Message(WorkerMessage<'static>),
    /// A framed line that is not a valid message.
    InvalidMessage,
    /// The worker has exited, together with all processes that it had started.
    Ended(ExitHow),
}

/// The time for which a surviving copy of an exited worker may keep its pipe open.
const PIPE_GRACE: Duration = Duration::from_secs(1);

impl WorkerCommand {
    /// Starts a worker in its own process group.
    ///
    /// It exits when its standard input closes, and sends messages on its standard output. Before it runs an engine it
    /// replaces both.
    pub(super) fn start(
        &self,
        run: &Path,
        process_dir: &ProcessDir,
        worker: usize,
    ) -> io::Result<(Child, Pid)> {
        let stderr = match self.stderr {
            WorkerStderr::Kept => File::create(process_dir.stderr(worker))?.into(),
            WorkerStderr::Shown => Stdio::inherit(),
        };
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .arg(run)
            .arg(process_dir.number.to_string())
            .arg(worker.to_string())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env(MARK, process_dir.slot(worker))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let pid = pid.ok_or_else(|| io::Error::other("the worker has no process id"))?;
        expect_child(pid);
        Ok((child, pid))
    }
}

/// Creates the async runtime of a process with workers.
pub(super) fn runtime() -> Result<Runtime, RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(io_error("start the runtime"))
}

/// Handles a signal instead of its default action.
pub(super) fn listen(kind: SignalKind) -> Result<unix::Signal, RunError> {
    unix::signal(kind).map_err(io_error("listen for signals"))
}

/// Stops this process as Ctrl-Z does, and returns when it continues.
pub(super) async fn stop_here() -> io::Result<()> {
    // The signal may stop other threads before this one, so sending it is not enough.
    let mut go_on = unix::signal(SignalKind::from_raw(Signal::CONT.as_raw()))?;
    kill_process(getpid(), Signal::STOP)?;
    go_on.recv().await;
    Ok(())
}

/// Returns whether this process may stop: only a job of a shell can be continued.
pub(super) fn is_job() -> bool {
    getsid(None).is_ok_and(|session| session != getpgrp())
}

/// The signal of Ctrl-Z.
pub(super) const STOP: SignalKind = SignalKind::from_raw(Signal::TSTP.as_raw());

/// The interval of limit checks.
const TICK: Duration = Duration::from_millis(50);

/// Returns the ticks for limit checks. Missed ticks are skipped.
pub(super) fn ticks() -> Interval {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Forwards the messages of a worker, and finally its exit status.
pub(super) async fn follow(
    worker: usize,
    mut child: Child,
    pid: Pid,
    mark: PathBuf,
    news: UnboundedSender<(usize, WorkerEvent)>,
) {
    // If the orchestrator has ended, this is not received, and dropping the child kills it.
    let tell = |found: WorkerEvent| drop(news.send((worker, found)));
    let Some(stdout) = child.stdout.take() else { return };
    // Waiting for a child closes its standard input, which would tell this worker to exit.
    let lifeline = child.stdin.take();
    let mut lines = BufReader::new(stdout).split(b'\n');
    let status = loop {
        tokio::select! {
            biased;
            // A cancelled read loses nothing: the beginning of a line stays in `lines`.
            more = lines.next_segment() => match more {
                Ok(Some(line)) => heard(&line, &tell),
                Ok(None) | Err(_) => break child.wait().await,
            },
            status = child.wait() => break status,
        }
    };
    drop(lifeline);
    // Processes started by the worker must not outlive it.
    end_family(pid, mark.as_os_str());
    while let Ok(Ok(Some(line))) = tokio::time::timeout(PIPE_GRACE, lines.next_segment()).await {
        heard(&line, &tell);
    }
    tell(WorkerEvent::Ended(status.map_or(ExitHow::Code(-1), exit_how)));
}

fn heard(line: &[u8], tell: &impl Fn(WorkerEvent)) {
    match WorkerMessage::read(line) {
        Some(Ok(message)) => tell(WorkerEvent::Message(message)),
        Some(Err(_)) => tell(WorkerEvent::InvalidMessage),
        // Output of the program from before the worker replaced its standard output.
        None => {}
    }
}

fn exit_how(status: ExitStatus) -> ExitHow {
    match status.signal() {
        Some(signal) => ExitHow::Signal(signal),
        None => ExitHow::Code(status.code().unwrap_or(-1)),
    }
}
