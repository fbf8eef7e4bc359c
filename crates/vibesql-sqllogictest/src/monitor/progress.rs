//! Progress in a terminal: a bar for all files, and below it the running files with their durations.
//!
//! It is drawn on standard error if that is a terminal. Another sink prints finished files above it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::layout::{ProgressView, TerminalSize, layout};
use slt_core::outcome::FlakyResult;
use slt_runner::clock;
use slt_runner::event::{EventSink, RunEvent, SinkError};
use slt_runner::text::visible::one_line;

/// How progress is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProgressLook {
    /// Not at all.
    Hidden,
    /// Without colors.
    Plain,
    /// With colors.
    Colored,
}

/// Draws progress around the lines of another sink.
pub(crate) struct ProgressDisplay<S> {
    lines: S,
    bar: ProgressBar,
    known: Arc<Mutex<RunProgress>>,
    /// Whether it is redrawn periodically.
    ticking: bool,
}

/// The state of the run, for the thread that draws.
#[derive(Debug, Default)]
struct RunProgress {
    view: ProgressView,
    /// The result of flaky files.
    flaky: FlakyResult,
    /// The running files by their tasks, with their starts.
    running: BTreeMap<usize, (Duration, String)>,
}

/// The interval between updates of the screen.
const TICK: Duration = Duration::from_millis(200);
/// The default size of a terminal.
const USUAL: TerminalSize = TerminalSize { columns: 80, rows: 24 };

impl<S: EventSink> ProgressDisplay<S> {
    /// Draws on standard error if it is a terminal.
    pub(crate) fn new(lines: S, look: ProgressLook) -> Self {
        let target = if look == ProgressLook::Hidden {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        let known = Arc::<Mutex<RunProgress>>::default();
        bar.set_style(style(Arc::clone(&known), look == ProgressLook::Colored));
        Self { lines, bar, known, ticking: false }
    }

    fn know(&self, learn: impl FnOnce(&mut RunProgress)) {
        learn(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Returns a style that draws everything as one element.
fn style(known: Arc<Mutex<RunProgress>>, color: bool) -> ProgressStyle {
    let draw = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        if !in_foreground() {
            return;
        }
        let view = known.lock().unwrap_or_else(PoisonError::into_inner).view(state);
        // A failure affects only the screen.
        out.write_str(&layout(&view, terminal_size(), color).join("\n")).ok();
    };
    let style = ProgressStyle::with_template("{all}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    style.with_key("all", draw)
}

impl RunProgress {
    fn view(&self, state: &ProgressState) -> ProgressView {
        let now = clock::now();
        let mut running: Vec<_> = self.running.values().collect();
        running.sort_by_key(|(since, _)| *since);
        let running = running.into_iter().map(|(since, file)| (now.saturating_sub(*since), file.clone()));
        // There is no estimate before the first file is finished.
        let left = Some(state.eta()).filter(|left| !left.is_zero());
        ProgressView { elapsed: state.elapsed(), left, running: running.collect(), ..self.view.clone() }
    }
}

impl<S: EventSink> EventSink for ProgressDisplay<S> {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        match event {
            RunEvent::RunStarted(header) => {
                self.know(|known| {
                    known.view.files = Some(header.files as u64);
                    known.flaky = header.flaky;
                });
                self.bar.set_length(header.files as u64);
            }
            RunEvent::Resumed { done } => {
                self.know(|known| {
                    known.view.records += done.records.total;
                    known.view.failing += done.files - done.passed_with(known.flaky) - done.empty;
                    known.view.done += done.files;
                });
                self.bar.inc(done.files);
                // Earlier work says nothing about the remaining time.
                self.bar.reset_eta();
            }
            RunEvent::TaskStarted { task, shown, slice } => {
                let part = slice.map_or_else(String::new, |slice| {
                    format!(" (slice {} of {})", slice.index() + 1, slice.count())
                });
                let shown = format!("{}{part}", one_line(shown));
                self.know(|known| drop(known.running.insert(*task, (clock::now(), shown))));
                // Each call starts a thread.
                if !self.ticking {
                    self.bar.enable_steady_tick(TICK);
                    self.ticking = true;
                }
            }
            RunEvent::TaskEnded { task } => self.know(|known| drop(known.running.remove(task))),
            RunEvent::FileFinished(report) => {
                self.know(|known| {
                    known.view.records += report.counts.total;
                    known.view.failing += u64::from(!report.is_good(known.flaky));
                    known.view.done += 1;
                });
                self.bar.inc(1);
            }
            RunEvent::RunFinished { .. } => self.bar.finish_and_clear(),
            _ => {}
        }
        self.bar.suspend(|| self.lines.on_event(event))
    }
}

impl<S> Drop for ProgressDisplay<S> {
    /// Clears the screen, also after an error.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Whether this process is in the foreground of the terminal; in the background, a shell may be reading a line.
fn in_foreground() -> bool {
    let group = rustix::termios::tcgetpgrp(std::io::stderr());
    group.map_or(true, |group| group == rustix::process::getpgrp())
}

fn terminal_size() -> TerminalSize {
    let size = rustix::termios::tcgetwinsize(std::io::stderr());
    match size {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
            TerminalSize { columns: usize::from(size.ws_col), rows: usize::from(size.ws_row) }
        }
        _ => USUAL,
    }
}
