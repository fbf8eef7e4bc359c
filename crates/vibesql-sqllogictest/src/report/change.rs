//! What became of the files of a run since the run before it: which pass now, and which do not any more.
//!
//! | before | passes now | nothing is executed | anything else |
//! |---|---|---|---|
//! | passed | | broken | broken |
//! | nothing was executed | mended | | broken |
//! | anything else | mended | | |

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use crate::outcome::{FileStatus, RunReport};
use crate::text::count::plural;
use crate::text::style::Role;

/// What has changed for the files that are in both runs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Change<'r> {
    /// They pass now.
    pub(crate) mended: Vec<&'r str>,
    /// They have passed, and do not any more, or nothing was wrong with them, and now it is.
    pub(crate) broken: Vec<&'r str>,
    /// How many files are in both runs.
    pub(crate) common: usize,
}

impl<'r> Change<'r> {
    /// Holds `now` against `before`. A file that is in one of them only tells nothing.
    pub(crate) fn of(before: &RunReport, now: &'r RunReport) -> Self {
        let earlier = before.files.iter().map(|file| (file.file.as_str(), file.last_status())).collect();
        Self::between(&earlier, now)
    }

    /// Holds `now` against how its files ended earlier.
    pub(crate) fn between(earlier: &BTreeMap<&str, FileStatus>, now: &'r RunReport) -> Self {
        let mut change = Self::default();
        for file in &now.files {
            let Some(earlier) = earlier.get(file.file.as_str()) else { continue };
            change.common += 1;
            let (earlier, now) = (standing(*earlier), standing(file.last_status()));
            if now < earlier {
                change.broken.push(&file.file);
            } else if now > earlier && now == Standing::Passed {
                change.mended.push(&file.file);
            }
        }
        change
    }
}

/// How good a status is. A file in which nothing is executed any more is not mended, whatever was wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Bad,
    Empty,
    Passed,
}

fn standing(status: FileStatus) -> Standing {
    match status {
        FileStatus::Passed => Standing::Passed,
        FileStatus::Empty => Standing::Empty,
        _ => Standing::Bad,
    }
}

/// So many files are named.
const MOST_NAMES: usize = 10;

/// Writes what has changed since the run that is called `before`.
pub(crate) fn write(out: &mut String, before: &str, change: &Change<'_>) -> fmt::Result {
    if change.mended.is_empty() && change.broken.is_empty() {
        let files = plural(change.common as u64, "file");
        return writeln!(out, "since {before}: no change in {files} that both runs have");
    }
    let (mended, broken) =
        (plural(change.mended.len() as u64, "file"), plural(change.broken.len() as u64, "file"));
    writeln!(out, "since {before}: {mended} mended, {broken} broken")?;
    names(out, Role::Fail, "broken", &change.broken)?;
    names(out, Role::Pass, "mended", &change.mended)
}

fn names(out: &mut String, role: Role, word: &str, files: &[&str]) -> fmt::Result {
    for file in files.iter().take(MOST_NAMES) {
        writeln!(out, "  {}  {file}", role.paint(word))?;
    }
    match files.len().saturating_sub(MOST_NAMES) {
        0 => Ok(()),
        more => writeln!(out, "  … and {more} more"),
    }
}
