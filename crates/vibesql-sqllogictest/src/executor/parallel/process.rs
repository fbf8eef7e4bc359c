//! Processes and signals: starting workers, following what they say, ending them with all that they started.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::runtime::Runtime;
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::mpsc::UnboundedSender;

use super::berth::Berth;
use super::error::{RunError, io_error};
use super::wire::WorkerMessage;
use crate::outcome::ExitHow;

/// How to start a worker: this program, by arguments to which the folder of the run, the number of
/// the process's berth in it and the worker's number are added.
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// What comes before the folder.
    pub arguments: Vec<OsString>,
    /// Variables that are set for workers.
    pub environment: Vec<(OsString, OsString)>,
}

/// What is heard of a worker.
pub(super) enum News {
    /// It said something.
    Message(WorkerMessage),
    /// It said something in the right frame that is no message.
    Nonsense,
    /// It has ended, and with it all processes of its group.
    Ended(ExitHow),
}

/// How long the pipe of a worker that has ended may stay open, in the hands of a process that left its group.
const PIPE_GRACE: Duration = Duration::from_secs(1);

impl WorkerCommand {
    /// Starts a worker in a process group of its own; its standard error goes to a file of the run's folder.
    pub(super) fn start(&self, run: &Path, berth: &Berth, worker: usize) -> io::Result<(Child, Pid)> {
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .arg(run)
            .arg(berth.number.to_string())
            .arg(worker.to_string())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(berth.stderr(worker))?)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let pid = pid.ok_or_else(|| io::Error::other("the worker has no process id"))?;
        Ok((child, pid))
    }
}

/// What a process with workers runs in.
pub(super) fn runtime() -> Result<Runtime, RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(io_error("start the runtime"))
}

/// Takes a signal in place of its usual effect.
pub(super) fn listen(kind: SignalKind) -> Result<unix::Signal, RunError> {
    unix::signal(kind).map_err(io_error("listen for signals"))
}

/// How often limits are looked at.
pub(super) const TICK: Duration = Duration::from_millis(50);

/// Ends a worker's process group; one that is gone already is what was wanted.
pub(super) fn signal_group(pid: Pid, signal: Signal) {
    kill_process_group(pid, signal).ok();
}

/// The last line that a worker wrote to its standard error.
pub(super) fn last_words(berth: &Berth, worker: usize) -> Option<String> {
    let text = std::fs::read(berth.stderr(worker)).ok()?;
    let text = String::from_utf8_lossy(&text);
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

/// Passes on all that a worker says, and in the end how it ended.
pub(super) async fn follow(worker: usize, mut child: Child, pid: Pid, news: UnboundedSender<(usize, News)>) {
    // Once the orchestrator has gone there is nobody to tell, and the child is killed when it is dropped.
    let tell = |found: News| drop(news.send((worker, found)));
    let Some(stdout) = child.stdout.take() else { return };
    let mut lines = Lines { pipe: BufReader::new(stdout), line: Vec::new() };
    let status = loop {
        tokio::select! {
            biased;
            more = lines.next() => match more {
                Some(line) => heard(&line, &tell),
                None => break child.wait().await,
            },
            status = child.wait() => break status,
        }
    };
    // What the worker started must not outlive it, nor keep its pipe open.
    signal_group(pid, Signal::KILL);
    while let Ok(Some(line)) = tokio::time::timeout(PIPE_GRACE, lines.next()).await {
        heard(&line, &tell);
    }
    tell(News::Ended(status.map_or(ExitHow::Code(-1), exit_how)));
}

struct Lines {
    pipe: BufReader<ChildStdout>,
    /// The beginning of a line that was not whole when something else happened.
    line: Vec<u8>,
}

impl Lines {
    async fn next(&mut self) -> Option<Vec<u8>> {
        match self.pipe.read_until(b'\n', &mut self.line).await {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(std::mem::take(&mut self.line)),
        }
    }
}

fn heard(line: &[u8], tell: &impl Fn(News)) {
    match WorkerMessage::read(line) {
        Some(Ok(message)) => tell(News::Message(message)),
        Some(Err(_)) => tell(News::Nonsense),
        // The engine printed something; that is its own affair.
        None => {}
    }
}

fn exit_how(status: ExitStatus) -> ExitHow {
    match status.signal() {
        Some(signal) => ExitHow::Signal(signal),
        None => ExitHow::Code(status.code().unwrap_or(-1)),
    }
}
