//! The process of a driver, and the exchange of messages with it.

use std::io::{self, Read as _, Write as _};
use std::ops::Range;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, kill_process_group};
use slt_core::clock::Stopwatch;
use slt_core::engine::{Capability, EngineError, Interrupter};

use crate::message::{DriverAnswer, Hello, Message, Request, SHUTDOWN};
use crate::reader::{MESSAGE_LIMIT, MessageReader};

/// A running driver.
pub struct Driver {
    /// The command, as messages show it.
    shown: String,
    child: Child,
    /// Shared with the handles that cancel.
    requests: Arc<Mutex<Requests>>,
    answers: ChildStdout,
    reader: MessageReader,
    /// The greeting of a driver that speaks version 2.
    hello: Option<Hello>,
    /// The number of requests so far.
    sent: u64,
    /// Whether an answer can no longer be attributed to a request.
    is_lost: bool,
    /// The time for the driver to exit after the end of its input.
    exit_limit: Duration,
}

/// The driver's input.
struct Requests {
    /// `None` once the driver shall end.
    input: Option<ChildStdin>,
    /// The request that has no answer yet.
    running: Option<u64>,
}

/// SQL that every engine executes without an effect.
const PROBE: &str = "SELECT 1";

/// The usual time for a driver to exit after the end of its input.
const EXIT_LIMIT: Duration = Duration::from_secs(2);

impl Driver {
    /// Starts a driver with a command of the shell, which messages show as `shown`.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the shell cannot be started.
    pub fn start(command: &str, shown: &str) -> Result<Self, EngineError> {
        let mut shell = Command::new("sh");
        // A group of its own can be ended with all processes that the command starts.
        shell.arg("-c").arg(command).process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let failed = |error: &dyn std::fmt::Display| {
            EngineError::new(format_args!("cannot start the driver `{shown}`: {error}"))
        };
        let mut child = shell.spawn().map_err(|error| failed(&error))?;
        let (input @ Some(_), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed(&"it has no standard streams"));
        };
        Ok(Self {
            shown: shown.to_owned(),
            child,
            requests: Arc::new(Mutex::new(Requests { input, running: None })),
            answers,
            reader: MessageReader::new(MESSAGE_LIMIT),
            hello: None,
            sent: 0,
            is_lost: false,
            exit_limit: EXIT_LIMIT,
        })
    }

    /// Learns whether the driver speaks version 2: then its first message is a greeting, and otherwise an answer.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the driver exits, writes anything else, or exceeds the limit.
    pub fn probe(mut self, limit: Duration) -> Result<Option<Hello>, EngineError> {
        // If the driver has exited, its output and its exit status say why.
        self.send(Request { sql: Some(PROBE), ..Request::default() }).ok();
        let found = self.find_message(Some(limit))?;
        // It has nothing to save.
        self.exit_limit = Duration::ZERO;
        match self.read(found)? {
            Message::Hello(hello) => Ok(Some(hello)),
            Message::Answer(..) => Ok(None),
        }
    }

    /// Waits for the greeting of a driver that speaks version 2.
    ///
    /// # Errors
    ///
    /// Like [`Self::probe`].
    pub fn greet(&mut self, limit: Duration) -> Result<(), EngineError> {
        let found = self.find_message(Some(limit))?;
        let Message::Hello(hello) = self.read(found)? else {
            return Err(self.fault("it sent an answer before its greeting"));
        };
        self.hello = Some(hello);
        self.reader.expect_lines();
        Ok(())
    }

    /// Returns whether the driver speaks version 2.
    pub fn is_typed(&self) -> bool {
        self.hello.is_some()
    }

    /// Returns whether the driver has declared a capability.
    pub fn can(&self, capability: Capability) -> bool {
        self.hello.as_ref().is_some_and(|hello| hello.capabilities().any(|declared| declared == capability))
    }

    /// Sends a request, and waits for the answer.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the driver exits, writes anything else, or wrote something without being asked. Then no
    /// further request is sent.
    pub fn request(&mut self, request: Request<'_>) -> Result<DriverAnswer<'_>, EngineError> {
        if self.is_lost {
            return Err(EngineError::new("the driver failed before"));
        }
        // Until the answer is there.
        self.is_lost = true;
        self.refuse_output()?;
        self.send(request)?;
        let found = self.find_message(None);
        lock(&self.requests).running = None;
        let (found, expected) = (found?, self.request_id());
        let Self { reader, shown, is_lost, .. } = self;
        match Message::from_json(reader.message(found)).map_err(|what| fault(shown, &what))? {
            Message::Answer(id, answer) if id == expected => {
                *is_lost = false;
                Ok(answer)
            }
            Message::Answer(id, _) => {
                let name = |id: Option<u64>| id.map_or_else(|| "no number".to_owned(), |id| id.to_string());
                let (expected, found) = (name(expected), name(id));
                Err(fault(shown, &format!("expected the answer to request {expected}, found {found}")))
            }
            Message::Hello(_) => Err(fault(shown, "it sent a second greeting")),
        }
    }

    /// Returns the number of the last request. Version 1 has no numbers.
    fn request_id(&self) -> Option<u64> {
        self.hello.as_ref().map(|_| self.sent)
    }

    fn send(&mut self, request: Request<'_>) -> Result<(), EngineError> {
        self.sent += 1;
        let id = self.request_id();
        let mut line = serde_json::to_vec(&Request { id, ..request }).map_err(EngineError::new)?;
        line.push(b'\n');
        let mut requests = lock(&self.requests);
        requests.running = id;
        let written = match requests.input.as_mut() {
            Some(input) => input.write_all(&line),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        drop(requests);
        written.map_err(|error| self.broken(&error))
    }

    /// Returns a handle that cancels the running request, if the driver can do so.
    pub fn canceller(&self) -> Option<Interrupter> {
        let requests = self.can(Capability::Cancel).then(|| self.requests.clone())?;
        Some(Box::new(move || {
            let mut requests = lock(&requests);
            let Requests { input: Some(input), running: Some(id) } = &mut *requests else { return };
            // A driver that does not read its input must not block the caller, which tries again.
            if is_ready(input, PollFlags::OUT, Duration::ZERO) {
                // A driver that reads no more has exited, which its next answer shows.
                input.write_all(format!("{{\"cancel\":{id}}}\n").as_bytes()).ok();
            }
        }))
    }

    /// Waits for the next message, for `limit` at most.
    fn find_message(&mut self, limit: Option<Duration>) -> Result<Range<usize>, EngineError> {
        let waiting = Stopwatch::start();
        loop {
            if let Some(found) = self.reader.find().map_err(|what| self.fault(&what))? {
                return Ok(found);
            }
            if let Some(limit) = limit {
                let left = limit.saturating_sub(waiting.elapsed());
                if left.is_zero() || !self.has_output(left) {
                    return Err(self.fault("it has not answered in time"));
                }
            }
            self.fill()?;
        }
    }

    fn read(&self, found: Range<usize>) -> Result<Message<'_>, EngineError> {
        Message::from_json(self.reader.message(found)).map_err(|what| self.fault(&what))
    }

    /// Reads what the driver has written, and waits for it.
    fn fill(&mut self) -> Result<(), EngineError> {
        match self.answers.read(self.reader.space()) {
            Ok(0) => Err(self.exited()),
            Ok(bytes) => {
                self.reader.advance(bytes);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(self.broken(&error)),
        }
    }

    /// Returns whether there is something to read within this time.
    fn has_output(&self, wait: Duration) -> bool {
        is_ready(&self.answers, PollFlags::IN, wait)
    }

    /// Refuses output between two requests: it would be taken for the answer to the next one.
    fn refuse_output(&mut self) -> Result<(), EngineError> {
        // White space after an answer may arrive late; the end of the output means that the driver has exited.
        while self.reader.is_blank() && self.has_output(Duration::ZERO) {
            self.fill()?;
        }
        if self.reader.is_blank() {
            Ok(())
        } else {
            Err(self.fault("it wrote something without being asked"))
        }
    }

    /// Ends the driver, which has answered all requests.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when it did not exit and was killed: parts of its database may remain.
    pub fn shut_down(&mut self) -> Result<(), EngineError> {
        if self.end().is_some() {
            return Ok(());
        }
        let limit = self.exit_limit.as_secs();
        Err(self.fault(&format!("it did not exit within {limit} seconds after the end of its input")))
    }

    /// Ends the driver, and returns its exit status unless it had to be killed.
    fn end(&mut self) -> Option<ExitStatus> {
        let input = lock(&self.requests).input.take();
        if let Some(mut input) = input
            && self.hello.is_some()
            && is_ready(&input, PollFlags::OUT, Duration::ZERO)
        {
            // A driver that reads no more has exited, or is about to.
            input.write_all(SHUTDOWN).ok();
        }
        let status = self.wait();
        if status.is_none() {
            if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
                kill_process_group(group, Signal::KILL).ok();
            }
            self.child.kill().ok();
            self.child.wait().ok();
        }
        status
    }

    fn fault(&self, what: &str) -> EngineError {
        fault(&self.shown, what)
    }

    fn broken(&mut self, error: &io::Error) -> EngineError {
        if error.kind() == io::ErrorKind::BrokenPipe { self.exited() } else { self.fault(&error.to_string()) }
    }

    /// Describes the exit of the driver.
    fn exited(&mut self) -> EngineError {
        match self.wait() {
            Some(status) => self.fault(&format!("it exited ({status})")),
            None => self.fault("it closed its output"),
        }
    }

    /// Waits a limited time for the driver to exit.
    #[expect(clippy::disallowed_methods, reason = "the standard library has no wait with a limit")]
    fn wait(&mut self) -> Option<ExitStatus> {
        let waiting = Stopwatch::start();
        loop {
            match self.child.try_wait() {
                Ok(None) if waiting.elapsed() < self.exit_limit => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                status => return status.ok().flatten(),
            }
        }
    }
}

/// Ends the driver: it shall exit at the end of its input, and is killed if it does not.
impl Drop for Driver {
    fn drop(&mut self) {
        self.end();
    }
}

fn fault(shown: &str, what: &str) -> EngineError {
    EngineError::new(format_args!("the driver `{shown}` failed: {what}"))
}

fn is_ready(stream: &impl AsFd, event: PollFlags, wait: Duration) -> bool {
    let mut streams = [PollFd::new(stream, event)];
    let wait = Timespec::try_from(wait).ok();
    retry_on_intr(|| poll(&mut streams, wait.as_ref())).is_ok_and(|ready| ready > 0)
}

fn lock(requests: &Mutex<Requests>) -> MutexGuard<'_, Requests> {
    requests.lock().unwrap_or_else(PoisonError::into_inner)
}
