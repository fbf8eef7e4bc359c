//! Formats the result of a file.

use slt_core::outcome::{Counts, FileEnd, FileReport, FileStatus};

use super::count::{plural, thousands};
use super::failure::fault_with_time;
use super::style::Role;

/// Returns a status as it stands at the start of a line.
pub fn status_word(status: FileStatus) -> (Role, &'static str) {
    let role = match status {
        FileStatus::Passed => Role::Pass,
        FileStatus::Empty | FileStatus::Flaky => Role::Warn,
        FileStatus::Failed
        | FileStatus::TimedOut
        | FileStatus::OutOfMemory
        | FileStatus::Crashed
        | FileStatus::Error => Role::Fail,
    };
    (role, status.label())
}

/// Formats the counts of a file's records.
pub fn account(report: &FileReport) -> String {
    let counts = &report.counts;
    match &report.end {
        FileEnd::NotStarted(problem) => return problem.to_string(),
        FileEnd::Faulted { id: Some(id), fault } => {
            return format!("line {id}: {}; {}", fault_with_time(fault), parts(counts));
        }
        FileEnd::Faulted { id: None, fault } => return format!("{fault}; {}", parts(counts)),
        FileEnd::TimedOut { .. }
        | FileEnd::Completed
        | FileEnd::Halted { .. }
        | FileEnd::AtFailure { .. }
        | FileEnd::Malformed { .. } => {}
    }
    let requires = report.missing.as_ref().map(|missing| format!("requires {}", missing.what));
    match report.status() {
        FileStatus::Empty => {
            let besides = requires.into_iter().chain(Some(parts(counts)).filter(|parts| !parts.is_empty()));
            let besides = besides.collect::<Vec<_>>().join("; ");
            if besides.is_empty() {
                "no records".to_owned()
            } else {
                format!("nothing was executed: {besides}")
            }
        }
        _ => parts(counts),
    }
}

/// Formats counts as `12 passed, 3 skipped`, without zeros.
fn parts(counts: &Counts) -> String {
    if counts.passed == counts.total && counts.skipped == 0 && counts.total > 0 {
        return plural(counts.total, "record");
    }
    let parts = [
        (counts.passed, "passed"),
        (counts.failed, "failed"),
        (counts.timed_out, "timed out"),
        (counts.faulted, "crashed"),
        (counts.malformed, "malformed"),
        (counts.unsupported, "unsupported"),
        (counts.skipped, "skipped"),
        (counts.not_reached, "not reached"),
    ];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", thousands(*count)))
        .collect();
    parts.join(", ")
}
