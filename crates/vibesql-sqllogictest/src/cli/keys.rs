//! Single keys while a run goes on in a terminal: `t` asks what runs now, as SIGUSR1 does anywhere.
//!
//! A terminal hands out whole lines, so its settings are changed for as long as files are running: keys come one by
//! one and are not shown. Ctrl-C, Ctrl-Z and Ctrl-\ stay signals. Whoever comes next must find the terminal as it was:
//!
//! | what happens | who gives the terminal back |
//! |---|---|
//! | the run ends, by Ctrl-C once or twice, SIGTERM, SIGHUP, an error or a panic | the guard, when it is dropped |
//! | Ctrl-Z | the thread, before the run stops the process; it takes the terminal again when the process goes on |
//! | Ctrl-\ | the thread, before the process aborts |
//! | SIGSTOP, SIGKILL | nobody can |
//!
//! The terminal is taken up with the first file, since from then on the run listens to signals: a Ctrl-C before that
//! ends the process on the spot, and nothing may need to be put right. It is touched only while this process is in its
//! foreground, for whoever touches it from the background is stopped.

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

/// The key that asks what runs now.
const ASK: u8 = b't';
/// How often keys are looked for.
const TICK: Duration = Duration::from_millis(100);

/// Listens to keys while files are running.
pub(super) struct KeyListener {
    wanted: bool,
    listener: Option<KeyThread>,
}

impl KeyListener {
    /// Listens if it is `wanted`, and if the terminal is this program's alone: where standard output is a pipe, a pager
    /// at its other end may read keys as well.
    pub(super) fn new(wanted: bool) -> Self {
        let terminal = stdin().is_terminal() && stdout().is_terminal() && stderr().is_terminal();
        Self { wanted: wanted && terminal, listener: None }
    }
}

impl KeyListener {
    /// Gives the terminal back to the shell before a stop, or takes it again. Returns when it is done.
    fn lend(&self, lent: bool) {
        let Some(listener) = &self.listener else { return };
        let (done, wait) = sync_channel(1);
        if listener.orders.send(LendRequest { lent, done }).is_ok() {
            wait.recv().ok();
        }
    }
}

/// Whether the terminal is lent to somebody else from now on.
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

/// Has the terminal until it is dropped.
struct KeyThread {
    orders: UnboundedSender<LendRequest>,
    /// Dropped, it ends the thread.
    over: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl KeyThread {
    /// Keys are a convenience: without a thread, the run continues without them.
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
        // As long as there is a listener, the signal that is sent below ends nothing.
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
    /// Its settings from before, as long as it has others.
    found: Option<Termios>,
    /// It is somebody else's for now.
    lent: bool,
}

impl RawTerminal {
    /// Makes it hand out single keys, unless it does. Returns whether it does.
    fn take(&mut self) -> bool {
        if self.lent || !in_foreground() {
            return false;
        }
        if self.found.is_none() {
            let Ok(found) = tcgetattr(stdin()) else { return false };
            let mut single = found.clone();
            single.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
            // A read that finds no key returns at once.
            single.special_codes[SpecialCodeIndex::VMIN] = 0;
            single.special_codes[SpecialCodeIndex::VTIME] = 0;
            // Kept before it is changed, lest a change that is half done stays.
            self.found = Some(found);
            if tcsetattr(stdin(), OptionalActions::Now, &single).is_err() {
                self.give_back();
            }
        }
        self.found.is_some()
    }

    /// The keys that have been pressed.
    fn keys(&self) -> Vec<u8> {
        let mut keys = [0; 64];
        let count = rustix::io::read(stdin(), &mut keys).unwrap_or(0);
        keys[..count].to_vec()
    }

    fn give_back(&mut self) {
        let Some(found) = self.found.take() else { return };
        if in_foreground() {
            // A terminal that is gone needs no settings.
            tcsetattr(stdin(), OptionalActions::Now, &found).ok();
        }
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Whether the terminal is this process's to use.
fn in_foreground() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|group| group == getpgrp())
}
