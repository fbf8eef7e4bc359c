//! The words for how a file ended.

use super::Oddity;
use slt_core::outcome::FileStatus;

/// How a file ended; nothing if it was not run. A word that nobody knows is nothing at all.
pub(super) fn status_of(word: &str) -> Option<Option<FileStatus>> {
    Some(Some(match word.trim().to_ascii_uppercase().as_str() {
        "PASS" | "PASSED" => FileStatus::Passed,
        "FAIL" | "FAILED" => FileStatus::Failed,
        "TIMEOUT" | "TIMED_OUT" => FileStatus::TimedOut,
        "SKIP" | "SKIPPED" | "EMPTY" => FileStatus::Empty,
        "FLAKY" => FileStatus::Flaky,
        "OOM" => FileStatus::OutOfMemory,
        "ERROR" => FileStatus::Error,
        "CRASH" | "CRASHED" => FileStatus::Crashed,
        "UNTESTED" => return Some(None),
        _ => return None,
    }))
}

/// The same of a file; a word that nobody knows is an error.
pub(super) fn status_of_file(file: &str, word: &str, oddities: &mut Vec<Oddity>) -> Option<FileStatus> {
    status_of(word).unwrap_or_else(|| {
        let file = file.to_owned();
        oddities.push(match word.trim() {
            "" => Oddity::NoStatus(file),
            _ => Oddity::Status { file, status: word.to_owned() },
        });
        Some(FileStatus::Error)
    })
}
