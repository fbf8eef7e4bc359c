//! What workers, and the engines in them, write to standard error.
//!
//! Each worker has a file for it in the folder of its process. A report of a file that has not passed keeps the end of
//! what was written while the file was running.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// The most that a report keeps.
const MOST_BYTES: u64 = 4096;
const MOST_LINES: usize = 20;

/// Returns the number of bytes that were written so far; 0 if standard error is not in a file.
pub(super) fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

/// Returns the last lines that were written after the first `from` bytes, if there are any.
pub(super) fn tail(path: &Path, from: u64) -> Option<String> {
    let bytes = read_end(path, from).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    let text = lines[lines.len().saturating_sub(MOST_LINES)..].join("\n");
    let text = text.trim_matches('\n');
    (!text.is_empty()).then(|| text.to_owned())
}

fn read_end(path: &Path, from: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(from.max(length.saturating_sub(MOST_BYTES))))?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the last line of a text that is not blank.
pub(super) fn last_line(text: &str) -> Option<String> {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

/// Returns the error of a worker that failed to start, or the last line of its standard error.
pub(super) fn complaint(path: &Path) -> Option<String> {
    let text = std::fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&text);
    let error = text.lines().find_map(|line| line.strip_prefix("error: "));
    error.map(str::to_owned).or_else(|| last_line(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_what_was_written_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stderr");
        assert_eq!((length(&path), tail(&path, 0)), (0, None));
        std::fs::write(&path, "earlier file\n\none\ntwo \n\n").unwrap();
        assert_eq!(tail(&path, 13).as_deref(), Some("one\ntwo"));
        assert_eq!(tail(&path, length(&path)), None);
        assert_eq!(tail(&path, 1000), None);
        let many: String = (0..10_000).map(|line| format!("line {line}\n")).collect();
        std::fs::write(&path, many).unwrap();
        let kept = tail(&path, 0).unwrap();
        assert!(kept.starts_with("line 9980\n") && kept.ends_with("line 9999"), "{kept}");
        std::fs::write(&path, "x".repeat(100_000)).unwrap();
        assert_eq!(tail(&path, 0).unwrap().len() as u64, MOST_BYTES);
        std::fs::write(&path, b"\xff\n").unwrap();
        assert_eq!(tail(&path, 0).as_deref(), Some("\u{fffd}"));
    }
}
