//! The process of a driver, and the stream of its messages.

use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, kill_process_group};
use slt_core::clock::Stopwatch;
use slt_core::engine::{EngineError, Interrupter};

use crate::message::{CANCEL, DriverAnswer, Hello, Message, Request};

/// A running driver.
pub struct Driver {
    /// The command, as messages show it.
    shown: String,
    child: Child,
    /// Shared with the handle that cancels; `None` once the driver shall end.
    requests: Arc<Mutex<Option<ChildStdin>>>,
    answers: ChildStdout,
    /// Bytes of the driver that are not yet read as a message.
    buffer: Vec<u8>,
    /// The greeting of a driver that speaks version 2.
    hello: Option<Hello>,
    /// The number of requests so far.
    sent: u64,
    /// The time for the driver to exit after the end of its input.
    exit_limit: Duration,
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
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed(&"it has no standard streams"));
        };
        Ok(Self {
            shown: shown.to_owned(),
            child,
            requests: Arc::new(Mutex::new(Some(requests))),
            answers,
            buffer: Vec::new(),
            hello: None,
            sent: 0,
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
        self.send(PROBE).ok();
        let first = self.message(Some(limit))?;
        // It has nothing to save.
        self.exit_limit = Duration::ZERO;
        match first {
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
        match self.message(Some(limit))? {
            Message::Hello(hello) => self.hello = Some(hello),
            Message::Answer(..) => return Err(self.fault("it sent an answer before its greeting")),
        }
        Ok(())
    }

    /// Returns whether the driver speaks version 2.
    pub fn is_typed(&self) -> bool {
        self.hello.is_some()
    }

    /// Executes SQL, and waits for the answer.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the driver exits, writes anything else, or wrote something without being asked.
    pub fn execute(&mut self, sql: &str) -> Result<DriverAnswer, EngineError> {
        self.refuse_output()?;
        self.send(sql)?;
        match self.message(None)? {
            Message::Hello(_) => Err(self.fault("it sent a second greeting")),
            Message::Answer(found, answer) if found == self.request_id() => Ok(answer),
            Message::Answer(found, _) => {
                let name = |id: Option<u64>| id.map_or_else(|| "no number".to_owned(), |id| id.to_string());
                let (expected, found) = (name(self.request_id()), name(found));
                Err(self.fault(&format!("expected the answer to request {expected}, found {found}")))
            }
        }
    }

    /// Returns the number of the last request. Version 1 has no numbers.
    fn request_id(&self) -> Option<u64> {
        self.hello.as_ref().map(|_| self.sent)
    }

    fn send(&mut self, sql: &str) -> Result<(), EngineError> {
        self.sent += 1;
        let mut request =
            serde_json::to_vec(&Request { id: self.request_id(), sql }).map_err(EngineError::new)?;
        request.push(b'\n');
        let written = match lock(&self.requests).as_mut() {
            Some(requests) => requests.write_all(&request),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        written.map_err(|error| self.broken(&error))
    }

    /// Returns a handle that cancels the running SQL, if the driver can do so.
    pub fn canceller(&self) -> Option<Interrupter> {
        self.hello.as_ref()?.capabilities.iter().find(|word| *word == "cancel")?;
        let requests = self.requests.clone();
        Some(Box::new(move || {
            if let Some(requests) = lock(&requests).as_mut() {
                // A driver that reads no more has exited, which its next answer shows.
                requests.write_all(CANCEL).ok();
            }
        }))
    }

    /// Reads the next message, and waits for it for `limit` at most.
    fn message(&mut self, limit: Option<Duration>) -> Result<Message, EngineError> {
        let waiting = Stopwatch::start();
        loop {
            if let Some(message) = self.buffered_message()? {
                return Ok(message);
            }
            if limit.is_some_and(|limit| !self.has_output(limit.saturating_sub(waiting.elapsed()))) {
                return Err(self.fault("it has not answered in time"));
            }
            let start = self.buffer.len();
            self.buffer.resize(start + (1 << 16), 0);
            let read = self.answers.read(&mut self.buffer[start..]);
            self.buffer.truncate(start + read.as_ref().copied().unwrap_or(0));
            match read {
                Ok(0) => return Err(self.exited()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broken(&error)),
            }
        }
    }

    /// Takes a message out of the buffer. A driver of version 1 need not end its messages with a line end.
    fn buffered_message(&mut self) -> Result<Option<Message>, EngineError> {
        let text = self.buffer.trim_ascii_end();
        // Reading an incomplete message again and again would cost quadratic time.
        if text.is_empty() || !(text.ends_with(b"}") || self.buffer.contains(&b'\n')) {
            return Ok(None);
        }
        let mut values = serde_json::Deserializer::from_slice(&self.buffer).into_iter::<serde_json::Value>();
        match values.next() {
            None => Ok(None),
            Some(Err(error)) if error.is_eof() => Ok(None),
            Some(Err(error)) => {
                let start = String::from_utf8_lossy(&self.buffer[..self.buffer.len().min(100)]).into_owned();
                Err(self.fault(&format!("it wrote something other than JSON ({error}): {start}")))
            }
            Some(Ok(value)) => {
                let end = values.byte_offset();
                self.buffer.drain(..end);
                Message::from_json(value).map(Some).map_err(|what| self.fault(&what))
            }
        }
    }

    /// Returns whether there is something to read within this time.
    fn has_output(&self, wait: Duration) -> bool {
        let mut streams = [PollFd::new(&self.answers, PollFlags::IN)];
        let wait = Timespec::try_from(wait).ok();
        retry_on_intr(|| poll(&mut streams, wait.as_ref())).is_ok_and(|ready| ready > 0)
    }

    /// Refuses output between two requests: it would be taken for the answer to the next one.
    fn refuse_output(&mut self) -> Result<(), EngineError> {
        if self.buffer.trim_ascii().is_empty() && !self.has_output(Duration::ZERO) {
            return Ok(());
        }
        // White space after an answer may arrive late; the end of the output means that the driver has exited.
        let mut byte = [0];
        while self.buffer.trim_ascii().is_empty() && self.has_output(Duration::ZERO) {
            match self.answers.read(&mut byte) {
                Ok(0) => return Err(self.exited()),
                Ok(_) => self.buffer.push(byte[0]),
                Err(error) => return Err(self.broken(&error)),
            }
        }
        if self.buffer.trim_ascii().is_empty() {
            Ok(())
        } else {
            Err(self.fault("it wrote something without being asked"))
        }
    }

    fn fault(&self, what: &str) -> EngineError {
        EngineError::new(format_args!("the driver `{}` failed: {what}", self.shown))
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
    fn wait(&mut self) -> Option<std::process::ExitStatus> {
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
        lock(&self.requests).take();
        if self.wait().is_some() {
            return;
        }
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process_group(group, Signal::KILL).ok();
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn lock(requests: &Mutex<Option<ChildStdin>>) -> std::sync::MutexGuard<'_, Option<ChildStdin>> {
    requests.lock().unwrap_or_else(PoisonError::into_inner)
}
