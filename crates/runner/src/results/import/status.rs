//! The names of file statuses.

use super::ImportWarning;
use slt_core::outcome::FileStatus;

/// Parses a status; the inner `None` means not run, the outer one an unknown name.
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

/// Parses the status of a file; an unknown name is an error.
pub(super) fn status_of_file(
    file: &str,
    word: &str,
    oddities: &mut Vec<ImportWarning>,
) -> Option<FileStatus> {
    status_of(word).unwrap_or_else(|| {
        let file = file.to_owned();
        oddities.push(match word.trim() {
            "" => ImportWarning::NoStatus(file),
            _ => ImportWarning::Status { file, status: word.to_owned() },
        });
        Some(FileStatus::Error)
    })
}
