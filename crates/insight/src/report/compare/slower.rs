//! What became slower, in words.

use std::time::Duration;

use crate::regression::RunDiff;
use crate::regression::timing::{RECENT, Slowdown};
use crate::report::changes::{ChangeEntry, ChangeSection, Tone};
use slt_runner::text::count::duration;

/// What takes longer than it did, by the history of runs and not by the baseline alone.
pub struct Slow<'c> {
    /// How much slower it is.
    pub slowdown: Slowdown<'c>,
    /// How long it took when it was run once more, which shows it; else three passes in a row do.
    pub again: Option<Duration>,
}

pub(super) fn section<'d>(diff: &'d RunDiff<'d>, slower: &'d [Slow<'d>]) -> ChangeSection<'d> {
    let entries = slower.iter().map(|slow| entry(diff, slow)).collect();
    ChangeSection { tone: Tone::Odd, title: "slower", of_files: false, entries }
}

fn entry<'d>(diff: &'d RunDiff<'d>, slow: &'d Slow<'d>) -> ChangeEntry<'d> {
    let Slow { slowdown, again } = slow;
    let known = diff.files.iter().find(|file| file.file == slowdown.file);
    let (before, now) = (duration(slowdown.before), duration(slowdown.now));
    let passes = slowdown.passes;
    let shown_by = match again {
        Some(again) => format!("and {} when it was run once more", duration(*again)),
        None => format!("in each of the last {RECENT} passes"),
    };
    let shown = known.map_or(slowdown.file.path(), |file| file.shown);
    let id = slowdown.record.map(|record| &record.id);
    let what = format!("{before} before, the median of {passes} passes; now {now}, {shown_by}");
    ChangeEntry::told(slowdown.file, shown, id, what)
}
