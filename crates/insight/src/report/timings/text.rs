//! The timings of a run for people.

use std::fmt::{self, Write as _};
use std::time::Duration;

use super::{FileTotal, RunEnding, TimingsSummary};
use crate::report::times::short;
use slt_core::location::FileId;
use slt_core::outcome::FilePart;
use slt_runner::event::timings::RunTimings;
use slt_runner::text::count::{duration, percent, plural};
use slt_runner::text::style::Role;
use slt_runner::text::table::table;
use slt_runner::text::visible::one_line;

/// The number of files that are listed.
const MOST_FILES: usize = 10;
/// A part of the time of all workers from which on it is worth a change, as its reciprocal.
const WORTH: u32 = 10;

/// Writes where the time of a run went, and what would change it. `shown` returns the path of a file that can be typed.
pub fn write(out: &mut String, timings: &RunTimings, shown: &dyn Fn(&FileId) -> String) -> fmt::Result {
    let summary = TimingsSummary::new(timings);
    let workers = plural(summary.workers as u64, "worker");
    let title = Role::Strong.paint("where the time went");
    writeln!(out, "\n{title}: {workers}, {}\n", duration(summary.elapsed))?;
    let mut parts = summary.parts();
    parts.retain(|(_, time)| !time.is_zero());
    parts.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    let all = summary.worker_time.as_secs_f64();
    let row = |(name, time): (&str, Duration)| {
        let share = (all > 0.0).then(|| time.as_secs_f64() / all);
        vec![name.to_owned(), short(time), percent(share), meaning(name).to_owned()]
    };
    writeln!(
        out,
        "{}",
        table(&["part", "time", "share", ""], parts.into_iter().map(row), |at| at == 1 || at == 2)
    )?;
    files(out, &summary, shown)?;
    summary.ending.map_or(Ok(()), |ending| write_ending(out, &ending, shown))?;
    for step in next_steps(&summary) {
        writeln!(out, "{} {step}", Role::Hint.paint("next:"))?;
    }
    Ok(())
}

/// Describes a part.
pub(in crate::report) fn meaning(part: &str) -> &'static str {
    match part {
        "parse" => "read and parse files",
        "open" => "create databases",
        "engine" => "execute SQL",
        "render" => "make text of rows",
        "judge" => "sort and compare results",
        "host" => "shell commands and pauses in files",
        "close" => "close databases",
        "other" => "anything else in files",
        "lost" => "executions that were stopped or died",
        "start" => "start workers",
        "wait" => "wait between files",
        "idle" => "wait for the end of the run",
        _ => "",
    }
}

/// Formats the time of a part of a file.
pub(in crate::report) fn short_or_dash(time: Duration) -> String {
    if time.is_zero() { "-".to_owned() } else { short(time) }
}

/// Lists the files with the most time; a column for each part that any of them has.
fn files(out: &mut String, summary: &TimingsSummary<'_>, shown: &dyn Fn(&FileId) -> String) -> fmt::Result {
    let listed = &summary.files[..summary.files.len().min(MOST_FILES)];
    if listed.is_empty() {
        return Ok(());
    }
    let has_part = |part: &FilePart| listed.iter().any(|file| !file.times.get(*part).is_zero());
    let parts: Vec<_> = FilePart::ALL.into_iter().filter(has_part).collect();
    let names = parts.iter().map(|part| part.as_str());
    let headers: Vec<_> = ["total"].into_iter().chain(names).chain(["executions", "file"]).collect();
    let row = |file: &FileTotal<'_>| {
        let times = parts.iter().map(|part| short_or_dash(file.times.get(*part)));
        let rest = [file.executions.to_string(), one_line(&shown(file.file)).into_owned()];
        [short(file.times.total())].into_iter().chain(times).chain(rest).collect()
    };
    let last = headers.len() - 1;
    let (number, all) = (listed.len(), plural(summary.files.len() as u64, "file"));
    writeln!(out, "\n{}: {number} of {all}", Role::Strong.paint("files with the most time"))?;
    writeln!(out, "{}", table(&headers, listed.iter().map(row), |column| column < last))
}

fn write_ending(out: &mut String, ending: &RunEnding<'_>, shown: &dyn Fn(&FileId) -> String) -> fmt::Result {
    if ending.waiting == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "\n{} of {} waited up to {} for the last file, {}",
        ending.waiting,
        plural(ending.workers as u64, "worker"),
        duration(ending.longest),
        one_line(&shown(ending.file)),
    )
}

/// Says what would change the duration of the run.
///
/// | most time | step |
/// |---|---|
/// | idle, more workers than files | fewer workers |
/// | idle behind a file that did not start first | run again: its time is known then |
/// | idle behind a file that started first | divide it |
/// | start of workers | fewer workers |
/// | repeated executions | look for the reason |
pub(in crate::report) fn next_steps(summary: &TimingsSummary<'_>) -> Vec<String> {
    let matters = |time: Duration| time > summary.worker_time / WORTH;
    let mut steps = Vec::new();
    if let Some(ending) = summary.ending.filter(|ending| matters(summary.idle) && ending.waiting > 0) {
        let files = summary.files.len();
        steps.push(if files < ending.workers && !ending.is_slice {
            format!("use at most `--workers {files}`, or divide the last file")
        } else if ending.is_slice {
            "divide the last file: several workers have shared its queries, as far as possible".to_owned()
        } else if !ending.is_first {
            "run again: files with a known time start first, and are split where that is safe".to_owned()
        } else {
            "divide the last file: it was the first of its worker, and was not split".to_owned()
        });
    }
    if matters(summary.start) {
        steps.push("use fewer `--workers`: their start takes long for so little work".to_owned());
    }
    let repeated = summary.files.iter().map(|file| file.repeated).sum::<Duration>();
    if matters(repeated) {
        let repeated = duration(repeated);
        steps.push(format!(
            "find out why files are executed again, which took {repeated}: retries, repetitions or crashes"
        ));
    }
    steps
}
