//! Progress in a terminal: a bar over all files, and below it the files that are running with their times.
//!
//! It is drawn on standard error, and only where that is a terminal; what is said of finished files goes through
//! another sink, above the bar.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::event::{EventSink, RunEvent, SinkError};
use crate::text::count::plural;

/// Draws progress around the lines of another sink.
pub(crate) struct Progress<S> {
    lines: S,
    screen: MultiProgress,
    all: ProgressBar,
    running: BTreeMap<usize, ProgressBar>,
    failing: u64,
    records: u64,
}

/// How often times on the screen move on.
const TICK: Duration = Duration::from_millis(200);

impl<S: EventSink> Progress<S> {
    /// Draws on standard error if it is a terminal and `wanted`; else there are only the lines.
    pub(crate) fn new(lines: S, wanted: bool) -> Self {
        let target = if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let screen = MultiProgress::with_draw_target(target);
        let all = screen.add(ProgressBar::no_length());
        Self { lines, screen, all, running: BTreeMap::new(), failing: 0, records: 0 }
    }

    fn start(&mut self, files: usize) {
        // The look first: each of these draws.
        self.all.set_style(style("{bar:24.green} {pos}/{len} files  {msg}  {elapsed}, about {eta} left"));
        self.say_totals();
        self.all.set_length(files as u64);
        self.all.enable_steady_tick(TICK);
    }

    fn take_up(&mut self, task: usize, shown: &str) {
        let line = self.screen.add(ProgressBar::new_spinner());
        line.set_style(style("  {elapsed:>4}  {msg}"));
        line.set_message(shown.to_owned());
        line.enable_steady_tick(TICK);
        self.running.insert(task, line);
    }

    fn put_down(&mut self, task: usize) {
        if let Some(line) = self.running.remove(&task) {
            line.finish_and_clear();
            self.screen.remove(&line);
        }
    }

    fn say_totals(&self) {
        let (records, failing) = (plural(self.records, "record"), plural(self.failing, "file"));
        self.all.set_message(format!("{records}, {failing} not passed"));
    }

    fn end(&mut self) {
        self.running.values().for_each(ProgressBar::finish_and_clear);
        self.all.finish_and_clear();
    }
}

impl<S: EventSink> EventSink for Progress<S> {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        match event {
            RunEvent::RunStarted(header) => self.start(header.files),
            RunEvent::Resumed { done } => {
                self.records += done.records.total;
                self.failing += done.files - done.passed - done.empty;
                self.all.inc(done.files);
                // What was done before tells nothing of how long the rest takes.
                self.all.reset_eta();
                self.say_totals();
            }
            RunEvent::TaskStarted { task, shown, slice: None } => self.take_up(*task, shown),
            RunEvent::TaskStarted { task, shown, slice: Some(slice) } => {
                let (index, count) = (slice.index() + 1, slice.count());
                self.take_up(*task, &format!("{shown} (slice {index} of {count})"));
            }
            RunEvent::TaskEnded { task } => self.put_down(*task),
            RunEvent::FileFinished(report) => {
                self.records += report.counts.total;
                self.failing += u64::from(!report.last_status().is_good());
                self.all.inc(1);
                self.say_totals();
            }
            RunEvent::RunFinished { .. } => self.end(),
            _ => {}
        }
        self.screen.suspend(|| self.lines.on_event(event))
    }
}

impl<S> Drop for Progress<S> {
    /// A run that ends by an error leaves a clean screen as well.
    fn drop(&mut self) {
        self.running.values().for_each(ProgressBar::finish_and_clear);
        self.all.finish_and_clear();
    }
}

/// A template that is wrong would only look wrong.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
