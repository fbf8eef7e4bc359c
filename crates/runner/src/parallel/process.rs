//! Processes and signals: starting workers, following what they say, seeing how they end.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, getpgrp, getpid, getsid, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::runtime::Runtime;
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Interval, MissedTickBehavior};

use super::berth::Berth;
use super::error::{RunError, io_error};
use super::family::{MARK, end_family, expect_child};
use super::wire::WorkerMessage;
use slt_core::outcome::ExitHow;

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
    /// Where the standard error of workers goes.
    pub stderr: WorkerStderr,
}

/// Where the standard error of workers goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerStderr {
    /// To a file in the folder of the run; the last line of a worker that dies is part of the report.
    Kept,
    /// To the standard error of this process.
    Shown,
}

/// Messages and the end of a worker.
pub(super) enum News {
    /// It said something.
    Message(WorkerMessage<'static>),
    /// It sent a framed line that is not a valid message.
    Nonsense,
    /// It has ended, together with all processes that it had started.
    Ended(ExitHow),
}

/// How long the pipe of a worker that has ended may stay open, in the hands of a copy of it that could not be ended.
const PIPE_GRACE: Duration = Duration::from_secs(1);

impl WorkerCommand {
    /// Starts a worker in a process group of its own. It ends when its standard input does, and its messages come on its
    /// standard output; before it runs an engine it puts both away.
    pub(super) fn start(&self, run: &Path, berth: &Berth, worker: usize) -> io::Result<(Child, Pid)> {
        let stderr = match self.stderr {
            WorkerStderr::Kept => File::create(berth.stderr(worker))?.into(),
            WorkerStderr::Shown => Stdio::inherit(),
        };
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .arg(run)
            .arg(berth.number.to_string())
            .arg(worker.to_string())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env(MARK, berth.slot(worker))
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

/// What a process with workers runs in.
pub(super) fn runtime() -> Result<Runtime, RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(io_error("start the runtime"))
}

/// Takes a signal in place of its usual effect.
pub(super) fn listen(kind: SignalKind) -> Result<unix::Signal, RunError> {
    unix::signal(kind).map_err(io_error("listen for signals"))
}

/// Stops this process as Ctrl-Z does, and returns when it goes on.
pub(super) async fn stop_here() -> io::Result<()> {
    // The signal may stop other threads before this one, so that it is not enough to have sent it.
    let mut go_on = unix::signal(SignalKind::from_raw(Signal::CONT.as_raw()))?;
    kill_process(getpid(), Signal::STOP)?;
    go_on.recv().await;
    Ok(())
}

/// Whether this process can be stopped: nobody could make one go on that is not a job of a shell.
pub(super) fn is_job() -> bool {
    getsid(None).is_ok_and(|session| session != getpgrp())
}

/// What Ctrl-Z sends.
pub(super) const STOP: SignalKind = SignalKind::from_raw(Signal::TSTP.as_raw());

/// How often limits are looked at.
const TICK: Duration = Duration::from_millis(50);

/// The moments at which limits are looked at. Those that were missed are not made up for.
pub(super) fn ticks() -> Interval {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// The last line that a worker wrote to its standard error.
pub(super) fn last_words(berth: &Berth, worker: usize) -> Option<String> {
    let text = std::fs::read(berth.stderr(worker)).ok()?;
    let text = String::from_utf8_lossy(&text);
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

/// What a worker said that could not work: its error, or the last line that it wrote.
pub(super) fn complaint(berth: &Berth, worker: usize) -> Option<String> {
    let text = std::fs::read(berth.stderr(worker)).ok()?;
    let text = String::from_utf8_lossy(&text);
    let error = text.lines().find_map(|line| line.strip_prefix("error: "));
    error.map(str::to_owned).or_else(|| last_words(berth, worker))
}

/// Passes on all that a worker says, and in the end how it ended.
pub(super) async fn follow(
    worker: usize,
    mut child: Child,
    pid: Pid,
    mark: PathBuf,
    news: UnboundedSender<(usize, News)>,
) {
    // Once the orchestrator has gone there is nobody to tell, and the child is killed when it is dropped.
    let tell = |found: News| drop(news.send((worker, found)));
    let Some(stdout) = child.stdout.take() else { return };
    // Waiting for a child closes its standard input, by which this one is told that nobody needs it any more.
    let lifeline = child.stdin.take();
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
    drop(lifeline);
    // What the worker started must not outlive it.
    end_family(pid, mark.as_os_str());
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
        // Something that the program printed before the worker put its standard output away.
        None => {}
    }
}

fn exit_how(status: ExitStatus) -> ExitHow {
    match status.signal() {
        Some(signal) => ExitHow::Signal(signal),
        None => ExitHow::Code(status.code().unwrap_or(-1)),
    }
}
