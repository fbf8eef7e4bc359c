//! Formats the lists at the end of a run: failed files, and the slowest files.

use std::fmt::{self, Write as _};

use slt_core::outcome::{DetailedFailure, FileReport};
use slt_runner::text::count::{duration, plural};
use slt_runner::text::detail::{write_first_difference, write_stderr};
use slt_runner::text::failure::{headline, other_attempt, place_of};
use slt_runner::text::file::{account, status_word};
use slt_runner::text::style::Role;
use slt_runner::text::visible::one_line;

/// The number of failed files to list.
const MOST_FAILED: usize = 20;
/// The number of those that are shown with their first difference and the command that repeats it.
const MOST_SHOWN: usize = 10;
/// The lines of standard error that are shown of each.
const MOST_STDERR: usize = 3;
const INDENT: &str = "            ";

/// A failed file, with its earlier result.
pub struct FailedFile<'r> {
    /// Its report.
    pub file: &'r FileReport,
    /// The failing record to show.
    pub first: Option<DetailedFailure<'r>>,
    /// The command that repeats this record.
    pub again: Option<String>,
    /// Whether it was good in its previous run; `None` if unknown.
    pub was_good: Option<bool>,
    /// Whether it counts as passed because it is flaky.
    pub passes: bool,
}

/// The groups of failed files, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum FailedGroup {
    New,
    FirstRun,
    Still,
    Flaky,
}

impl FailedFile<'_> {
    /// | passes | was good | group |
    /// |---|---|---|
    /// | yes | any | flaky |
    /// | no | yes | new |
    /// | no | not known | run for the first time |
    /// | no | no | still failing |
    fn group(&self) -> FailedGroup {
        match self.was_good {
            _ if self.passes => FailedGroup::Flaky,
            Some(true) => FailedGroup::New,
            None => FailedGroup::FirstRun,
            Some(false) => FailedGroup::Still,
        }
    }
}

/// Writes the failed files, those that passed before first; `see_all` is the command that lists all.
pub fn write_failed(out: &mut String, files: &mut [FailedFile<'_>], see_all: &str) -> fmt::Result {
    // The order of files stays within a group.
    files.sort_by_key(FailedFile::group);
    let any_known = files.iter().any(|file| file.was_good.is_some());
    let (mut room, mut shown) = (MOST_FAILED, MOST_SHOWN);
    for files in files.chunk_by(|one, next| one.group() == next.group()) {
        let Some(first) = files.first() else { continue };
        let (role, title) = match first.group() {
            FailedGroup::New => (Role::Fail, "newly failing"),
            FailedGroup::FirstRun if any_known => (Role::Fail, "failing in their first run"),
            FailedGroup::FirstRun => (Role::Fail, "failed"),
            FailedGroup::Still => (Role::Fail, "still failing"),
            FailedGroup::Flaky => (Role::Warn, "flaky"),
        };
        writeln!(out, "\n{}: {}", role.paint(title), plural(files.len() as u64, "file"))?;
        for (place, file) in files.iter().take(room).enumerate() {
            write_line(out, file)?;
            if place < shown {
                write_first(out, file)?;
            }
        }
        if files.len() > room {
            writeln!(
                out,
                "  … and {}; `{see_all}` lists all",
                plural((files.len() - room) as u64, "more file")
            )?;
        }
        (room, shown) = (room.saturating_sub(files.len()), shown.saturating_sub(files.len()));
    }
    Ok(())
}

fn write_line(out: &mut String, FailedFile { file, first, .. }: &FailedFile<'_>) -> fmt::Result {
    let (role, word) = status_word(file.status());
    let word = role.paint(format!("{word:<7}"));
    match first {
        Some(first) => {
            let place = place_of(file, first.id);
            let more = match file.failures.len() {
                0 | 1 => String::new(),
                more => format!(" (and {})", plural(more as u64 - 1, "more record")),
            };
            writeln!(out, "  {word} {place}: {}{more}", headline(first.problem))
        }
        None => {
            let other = || format!("{}: {}", one_line(&file.shown), account(file));
            writeln!(out, "  {word} {}", other_attempt(file).unwrap_or_else(other))
        }
    }
}

fn write_first(out: &mut String, FailedFile { file, first, again, .. }: &FailedFile<'_>) -> fmt::Result {
    if let Some(first) = first {
        write_first_difference(out, *first, INDENT)?;
    }
    let said = first.map(|first| headline(first.problem)).unwrap_or_default();
    write_stderr(out, file, MOST_STDERR, &said, INDENT)?;
    match again {
        Some(again) => writeln!(out, "{INDENT}{} {again}", Role::Hint.paint("again:")),
        None => Ok(()),
    }
}

/// Writes the `most` slowest files, or all with 0, with the slowest record of each.
pub fn write_slowest(out: &mut String, files: &[FileReport], most: usize) -> fmt::Result {
    let most = if most == 0 { usize::MAX } else { most };
    let mut slowest: Vec<_> = files.iter().collect();
    slowest.sort_by_key(|file| std::cmp::Reverse(file.elapsed));
    slowest.truncate(most);
    let all = plural(files.len() as u64, "file");
    writeln!(out, "\n{}: {} of {all}", Role::Strong.paint("slowest files"), slowest.len())?;
    for file in slowest {
        let record = file.slowest.first().map_or_else(String::new, |record| {
            format!("  line {} took {}", record.id, duration(record.elapsed))
        });
        writeln!(
            out,
            "  {:>10}  {}{}",
            duration(file.elapsed),
            one_line(&file.shown),
            Role::Faint.paint(record)
        )?;
    }
    Ok(())
}
