//! Single keys while a run goes on in a terminal: `t` asks what runs now, as SIGUSR1 does anywhere.
//!
//! A terminal hands out whole lines, so its settings are changed for as long as files are running: keys come one by
//! one and are not shown. Ctrl-C, Ctrl-Z and Ctrl-\ stay signals. Whoever comes next must find the terminal as it was:
//!
//! | what happens | who gives the terminal back |
//! |---|---|
//! | the run ends, by Ctrl-C once or twice, SIGTERM, SIGHUP, an error or a panic | the guard, when it is dropped |
//! | Ctrl-Z | the thread, before it stops the process; it takes the terminal again when the process goes on |
//! | Ctrl-\ | the thread, before the process aborts |
//! | SIGSTOP, SIGKILL | nobody can |
//!
//! The terminal is taken up with the first file, since from then on the run listens to signals: a Ctrl-C before that
//! ends the process on the spot, and nothing may need to be put right. It is touched only while this process is in its
//! foreground, for whoever touches it from the background is stopped.

use std::io::{IsTerminal as _, stderr, stdin, stdout};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Signal, getpgrp, getpid, getsid, kill_process};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::event::{EventSink, RunEvent, SinkError};

/// The key that asks what runs now.
const ASK: u8 = b't';
/// How often keys are looked for.
const TICK: Duration = Duration::from_millis(100);

/// Listens to keys while files are running.
pub(super) struct Keys {
    wanted: bool,
    listener: Option<Listener>,
}

impl Keys {
    /// Listens if it is `wanted`, and if the terminal is this program's alone: where standard output is a pipe, a pager
    /// at its other end may read keys as well.
    pub(super) fn new(wanted: bool) -> Self {
        let terminal = stdin().is_terminal() && stdout().is_terminal() && stderr().is_terminal();
        Self { wanted: wanted && terminal, listener: None }
    }
}

impl EventSink for Keys {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        match event {
            RunEvent::TaskStarted { .. } if self.wanted && self.listener.is_none() => {
                self.listener = Listener::start();
            }
            RunEvent::RunFinished { .. } => (self.wanted, self.listener) = (false, None),
            _ => {}
        }
        Ok(())
    }
}

/// Has the terminal until it is dropped.
struct Listener {
    /// Dropped, it ends the thread.
    over: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Keys are a comfort: where there can be no thread there are none.
    fn start() -> Option<Self> {
        let (over, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("keys".to_owned());
        let thread = thread.spawn(move || drop(listen(ended))).ok()?;
        Some(Self { over: Some(over), thread: Some(thread) })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn listen(mut over: oneshot::Receiver<()>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut stop = signal(kind(Signal::TSTP))?;
        let mut quit = signal(SignalKind::quit())?;
        // As long as there is a listener, the signal that is sent below ends nothing.
        let _asked = signal(SignalKind::user_defined1())?;
        let mut tick = tokio::time::interval(TICK);
        let mut terminal = Terminal { found: None };
        loop {
            tokio::select! {
                _ = &mut over => return Ok(()),
                _ = tick.tick() => {
                    if terminal.take() && terminal.keys().contains(&ASK) {
                        kill_process(getpid(), Signal::USR1)?;
                    }
                }
                _ = stop.recv() => {
                    terminal.give_back();
                    tokio::select! {
                        _ = &mut over => return Ok(()),
                        stopped = stop_here() => stopped?,
                    }
                }
                _ = quit.recv() => {
                    terminal.give_back();
                    std::process::abort()
                }
            }
        }
    })
}

fn kind(signal: Signal) -> SignalKind {
    SignalKind::from_raw(signal.as_raw())
}

/// Stops this process as Ctrl-Z does, and returns when it goes on.
async fn stop_here() -> std::io::Result<()> {
    // Nobody could make a process go on that is not a job of a shell, and there Ctrl-Z has no effect.
    if getpgrp() == getsid(None)? {
        return Ok(());
    }
    // The signal may stop other threads before this one, so that it is not enough to have sent it.
    let mut go_on = signal(kind(Signal::CONT))?;
    kill_process(getpid(), Signal::STOP)?;
    go_on.recv().await;
    Ok(())
}

/// The terminal at standard input.
struct Terminal {
    /// Its settings from before, as long as it has others.
    found: Option<Termios>,
}

impl Terminal {
    /// Makes it hand out single keys, unless it does. Returns whether it does.
    fn take(&mut self) -> bool {
        if !in_foreground() {
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

impl Drop for Terminal {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Whether the terminal is this process's to use.
fn in_foreground() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|group| group == getpgrp())
}
