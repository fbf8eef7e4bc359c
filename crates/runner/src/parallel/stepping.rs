//! The main process of a file that is executed step by step: starts the worker, sends it orders, and kills it.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::AsyncWriteExt as _;
use tokio::process::ChildStdin;
use tokio::runtime::Runtime;
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::error::{RunError, io_error};
use super::family::{end_family, signal_group};
use super::prepare::PreparedRun;
use super::process::{WorkerCommand, WorkerEvent, follow, listen, runtime, ticks};
use super::process_dir::{OwnedProcessDir, ProcessDir};
use super::slot::Slot;
use super::step::{PausePoint, SessionAnswer, StepOrder, StepVerdict};
use super::wire::WorkerMessage;
use crate::clock;
use slt_core::outcome::{ExitHow, FailingRecord, FileEnd, FileReport, RecordId};

/// Starts files that are executed step by step. Ctrl-C interrupts their steps, and not this process.
pub struct StepControl {
    runtime: Runtime,
    interrupts: unix::Signal,
}

/// A file that is executed step by step in a worker process, which waits for an order.
pub struct SteppedFile {
    /// The place where it has paused.
    pub at: PausePoint,
    /// The records that have failed before the first pause.
    pub setup_failures: Vec<FailingRecord>,
    worker: StepWorker,
}

/// The answer to an order.
#[derive(Debug, Default)]
pub struct StepReply {
    /// The outcome of the record, and its duration.
    pub settled: Option<(StepVerdict, Duration)>,
    /// The failing record.
    pub failure: Option<FailingRecord>,
    /// The results of SQL.
    pub answer: Option<SessionAnswer>,
}

/// The reason why a file is executed no further. The state of its database is lost.
#[derive(Debug)]
pub enum StepEnd {
    /// The file did not start.
    NotStarted(FileEnd),
    /// The worker was asked to end the file.
    Left,
    /// The worker died.
    Died {
        /// The record that was running.
        record: Option<RecordId>,
        /// The end of the worker.
        how: ExitHow,
    },
    /// The worker was killed after this time.
    TimedOut {
        /// The record that was running.
        record: Option<RecordId>,
        /// The limit.
        after: Duration,
    },
    /// The worker was killed because of Ctrl-C.
    Interrupted {
        /// The record that was running.
        record: Option<RecordId>,
    },
}

/// The time that a worker gets to end its file.
const GRACE: Duration = Duration::from_secs(2);
/// The number of the only worker.
const WORKER: usize = 0;

/// The worker process. Dropping it ends the process and all that it has started.
struct StepWorker {
    pid: Pid,
    mark: PathBuf,
    slot: Slot,
    orders: ChildStdin,
    news: UnboundedReceiver<(usize, WorkerEvent)>,
    /// The included file and the iteration of the running record.
    scope: RecordId,
    _held: OwnedProcessDir,
}

impl Drop for StepWorker {
    fn drop(&mut self) {
        signal_group(self.pid, Signal::KILL);
        end_family(self.pid, self.mark.as_os_str());
    }
}

/// What happens while a worker carries out an order.
enum StepNews {
    Worker(WorkerEvent),
    Interrupt,
    Tick,
}

impl StepControl {
    /// Makes Ctrl-C interrupt the running step.
    ///
    /// # Errors
    ///
    /// [`RunError::Io`].
    pub fn new() -> Result<Self, RunError> {
        let runtime = runtime()?;
        let interrupts = {
            let _within = runtime.enter();
            listen(SignalKind::interrupt())?
        };
        Ok(Self { runtime, interrupts })
    }

    /// Waits for something else than a step; `None` after Ctrl-C.
    pub fn unless_interrupted<T>(&mut self, what: impl Future<Output = T>) -> Option<T> {
        self.runtime.block_on(async {
            tokio::select! {
                found = what => Some(found),
                _ = self.interrupts.recv() => None,
            }
        })
    }

    /// Runs the prepared file up to its first pause, for no longer than `limit`.
    ///
    /// # Errors
    ///
    /// [`RunError`], if no worker can be started.
    pub fn start(
        &mut self,
        prepared: &PreparedRun,
        command: &WorkerCommand,
        limit: Option<Duration>,
    ) -> Result<Result<SteppedFile, StepEnd>, RunError> {
        self.forget_interrupts();
        let mut worker = self.start_worker(prepared, command)?;
        let mut setup_failures = Vec::new();
        let mut take = |message| {
            if let WorkerMessage::NotPassed { record, .. } = message {
                setup_failures.push(record.into_owned());
            }
        };
        let at = self.runtime.block_on(follow_step(&mut worker, &mut self.interrupts, limit, &mut take));
        Ok(at.map(|at| SteppedFile { at, setup_failures, worker }))
    }

    /// Lets the worker carry out an order, for no longer than `limit`. The file is where it was, or before the next record.
    ///
    /// # Errors
    ///
    /// [`StepEnd`], if the worker has ended.
    pub fn order(
        &mut self,
        mut file: SteppedFile,
        order: &StepOrder,
        limit: Option<Duration>,
    ) -> Result<(SteppedFile, StepReply), StepEnd> {
        self.forget_interrupts();
        let mut reply = StepReply::default();
        let mut take = |message| match message {
            WorkerMessage::Settled { verdict, elapsed, .. } => reply.settled = Some((verdict, elapsed)),
            WorkerMessage::NotPassed { record, .. } => reply.failure = Some(record.into_owned()),
            WorkerMessage::Answered { answer, .. } => reply.answer = Some(*answer),
            _ => {}
        };
        let (worker, interrupts) = (&mut file.worker, &mut self.interrupts);
        let done = self.runtime.block_on(async {
            // A worker that cannot be written to has ended, which is the next news of it.
            drop(send(&mut worker.orders, order).await);
            follow_step(worker, interrupts, limit, &mut take).await
        });
        file.at = done?;
        Ok((file, reply))
    }

    /// Ends the file, so that the engine closes its database.
    pub fn leave(&mut self, file: SteppedFile) {
        // A worker that does not end in time is killed.
        drop(self.order(file, &StepOrder::Leave, Some(GRACE)));
    }

    /// Forgets a Ctrl-C that was pressed while no step was running.
    fn forget_interrupts(&mut self) {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                _ = self.interrupts.recv() => {}
                () = std::future::ready(()) => {}
            }
        });
    }

    fn start_worker(&self, prepared: &PreparedRun, command: &WorkerCommand) -> Result<StepWorker, RunError> {
        let _within = self.runtime.enter();
        let held = ProcessDir::take(&prepared.folder).map_err(io_error("make a folder for workers"))?;
        let mark = held.process_dir.slot(WORKER);
        let slot = Slot::create(&mark).map_err(io_error("make a flight recorder"))?;
        slot.allow_claims(u64::MAX);
        let started = command.start(&prepared.folder, &held.process_dir, WORKER);
        let (mut child, pid) = started.map_err(io_error("start a worker process"))?;
        let no_pipe = || io_error("start a worker process")(io::Error::other("it has no pipe"));
        let orders = child.stdin.take().ok_or_else(no_pipe)?;
        let (sender, news) = unbounded_channel();
        self.runtime.spawn(follow(WORKER, child, pid, mark.clone(), sender));
        Ok(StepWorker { pid, mark, slot, orders, news, scope: RecordId::WHOLE_FILE, _held: held })
    }
}

async fn send(orders: &mut ChildStdin, order: &StepOrder) -> io::Result<()> {
    let mut line = serde_json::to_vec(order)?;
    line.push(b'\n');
    orders.write_all(&line).await?;
    orders.flush().await
}

/// Passes on the messages of a worker until it pauses or ends. Kills it after the limit and on Ctrl-C.
async fn follow_step(
    worker: &mut StepWorker,
    interrupts: &mut unix::Signal,
    limit: Option<Duration>,
    take: &mut dyn FnMut(WorkerMessage<'static>),
) -> Result<PausePoint, StepEnd> {
    let start = clock::now();
    let mut tick = ticks();
    let mut finished: Option<FileReport> = None;
    let mut killed: Option<StepEnd> = None;
    loop {
        let news = tokio::select! {
            news = worker.news.recv() => match news {
                Some((_, event)) => StepNews::Worker(event),
                None => StepNews::Worker(WorkerEvent::Ended(ExitHow::Code(-1))),
            },
            _ = interrupts.recv() => StepNews::Interrupt,
            _ = tick.tick() => StepNews::Tick,
        };
        let end = match news {
            StepNews::Worker(WorkerEvent::Message(WorkerMessage::Paused { point, .. })) => {
                if killed.is_none() {
                    return Ok(*point);
                }
                None
            }
            StepNews::Worker(WorkerEvent::Message(WorkerMessage::Finished { result, .. })) => {
                finished = Some(result.report);
                None
            }
            StepNews::Worker(WorkerEvent::Message(WorkerMessage::Entered { scope, .. })) => {
                worker.scope = scope;
                None
            }
            StepNews::Worker(WorkerEvent::Message(message)) => {
                take(message);
                None
            }
            // Nothing that follows can be trusted; its end is the next news.
            StepNews::Worker(WorkerEvent::InvalidMessage) => {
                signal_group(worker.pid, Signal::KILL);
                None
            }
            StepNews::Worker(WorkerEvent::Ended(how)) => {
                let record = running_record(worker);
                return Err(killed.unwrap_or(match finished {
                    Some(report) if matches!(report.end, FileEnd::NotStarted(_)) => {
                        StepEnd::NotStarted(report.end)
                    }
                    Some(_) => StepEnd::Left,
                    None => StepEnd::Died { record, how },
                }));
            }
            StepNews::Interrupt => Some(StepEnd::Interrupted { record: running_record(worker) }),
            StepNews::Tick => {
                let over = limit.filter(|&limit| clock::now().saturating_sub(start) >= limit);
                over.map(|after| StepEnd::TimedOut { record: running_record(worker), after })
            }
        };
        if let Some(end) = end.filter(|_| killed.is_none()) {
            killed = Some(end);
            signal_group(worker.pid, Signal::KILL);
        }
    }
}

/// Returns the record that the worker is executing.
fn running_record(worker: &StepWorker) -> Option<RecordId> {
    worker.slot.read().in_scope(&worker.scope).record
}
