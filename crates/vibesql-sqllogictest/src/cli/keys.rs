//! Single keys during a run in a terminal: `t` shows the running files, as SIGUSR1 does anywhere.
//!
//! By default, a terminal returns whole lines. While files are running, its settings are changed: it returns single keys,
//! and does not show them. Ctrl-C, Ctrl-Z and Ctrl-\ stay signals. The settings must be restored in every case:
//!
//! | event | restored by |
//! |---|---|
//! | the run ends, also by Ctrl-C, SIGTERM, SIGHUP, an error or a panic | the guard, when it is dropped |
//! | Ctrl-Z | the thread, before the run stops the process; changed again when the process continues |
//! | Ctrl-\ | the thread, before the process aborts |
//! | SIGSTOP, SIGKILL | impossible |
//!
//! The settings are changed at the first file, when the run handles signals: an earlier Ctrl-C ends the process at once.
//! They are changed only while this process is in the foreground, since the system stops background processes that do it.

use std::io::{IsTerminal as _, stderr, stdin, stdout};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Signal, getpgrp, getpid, kill_process};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use slt_runner::event::{EventSink, RunEvent, SinkError};

/// The key that shows the running files.
const ASK: u8 = b't';
/// The interval between reads of keys.
const TICK: Duration = Duration::from_millis(100);

/// Listens to keys while files are running.
pub(super) struct KeyListener {
    wanted: bool,
    listener: Option<KeyThread>,
}

impl KeyListener {
    /// Listens if it is `wanted`, and if all standard streams are the terminal: if standard output is a pipe, a pager may
    /// read keys, too.
    pub(super) fn new(wanted: bool) -> Self {
        let terminal = stdin().is_terminal() && stdout().is_terminal() && stderr().is_terminal();
        Self { wanted: wanted && terminal, listener: None }
    }

    /// Restores the terminal for the shell before a stop, or changes it again. Returns when it is done.
    fn lend(&self, lent: bool) {
        let Some(listener) = &self.listener else { return };
        let (done, wait) = sync_channel(1);
        if listener.orders.send(LendRequest { lent, done }).is_ok() {
            wait.recv().ok();
        }
    }
}

/// Requests to restore the terminal for other processes, or to change it again.
struct LendRequest {
    lent: bool,
    done: SyncSender<()>,
}

impl EventSink for KeyListener {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        match event {
            RunEvent::TaskStarted { .. } if self.wanted && self.listener.is_none() => {
                self.listener = KeyThread::start();
            }
            RunEvent::Suspended => self.lend(true),
            RunEvent::Continued => self.lend(false),
            RunEvent::RunFinished { .. } => (self.wanted, self.listener) = (false, None),
            _ => {}
        }
        Ok(())
    }
}

/// Reads keys until it is dropped.
struct KeyThread {
    orders: UnboundedSender<LendRequest>,
    /// Ends the thread when it is dropped.
    over: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl KeyThread {
    /// Starts the thread. Without a thread, there are no keys, which is not an error.
    fn start() -> Option<Self> {
        let (over, ended) = oneshot::channel();
        let (orders, ordered) = unbounded_channel();
        let thread = std::thread::Builder::new().name("keys".to_owned());
        let thread = thread.spawn(move || drop(listen(ended, ordered))).ok()?;
        Some(Self { orders, over: Some(over), thread: Some(thread) })
    }
}

impl Drop for KeyThread {
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn listen(
    mut over: oneshot::Receiver<()>,
    mut orders: UnboundedReceiver<LendRequest>,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut quit = signal(SignalKind::quit())?;
        // Without a listener, the signal that is sent below would end the process.
        let _asked = signal(SignalKind::user_defined1())?;
        let mut tick = tokio::time::interval(TICK);
        let mut terminal = RawTerminal { found: None, lent: false };
        loop {
            tokio::select! {
                _ = &mut over => return Ok(()),
                _ = tick.tick() => {
                    if terminal.take() && terminal.keys().contains(&ASK) {
                        kill_process(getpid(), Signal::USR1)?;
                    }
                }
                Some(order) = orders.recv() => {
                    terminal.lent = order.lent;
                    terminal.give_back();
                    order.done.send(()).ok();
                }
                _ = quit.recv() => {
                    terminal.give_back();
                    std::process::abort()
                }
            }
        }
    })
}

/// The terminal at standard input.
struct RawTerminal {
    /// The original settings, while they are changed.
    found: Option<Termios>,
    /// Whether other processes use it.
    lent: bool,
}

impl RawTerminal {
    /// Changes the terminal to single keys, and returns whether that has succeeded.
    fn take(&mut self) -> bool {
        if self.lent || !in_foreground() {
            return false;
        }
        if self.found.is_none() {
            let Ok(found) = tcgetattr(stdin()) else { return false };
            let mut single = found.clone();
            single.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
            // A read without a key returns at once.
            single.special_codes[SpecialCodeIndex::VMIN] = 0;
            single.special_codes[SpecialCodeIndex::VTIME] = 0;
            // Kept before the change, so that a partial change is undone.
            self.found = Some(found);
            if tcsetattr(stdin(), OptionalActions::Now, &single).is_err() {
                self.give_back();
            }
        }
        self.found.is_some()
    }

    /// Returns the pressed keys.
    fn keys(&self) -> Vec<u8> {
        let mut keys = [0; 64];
        let count = rustix::io::read(stdin(), &mut keys).unwrap_or(0);
        keys[..count].to_vec()
    }

    fn give_back(&mut self) {
        let Some(found) = self.found.take() else { return };
        if in_foreground() {
            // A terminal that no longer exists needs no settings.
            tcsetattr(stdin(), OptionalActions::Now, &found).ok();
        }
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Whether this process is in the foreground of the terminal.
fn in_foreground() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|group| group == getpgrp())
}
