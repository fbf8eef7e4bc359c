//! `FILE[:LINE]` as it is typed.

use std::path::Path;

use super::error::CliError;
use super::suite;
use crate::executor::parallel::{WorkItem, file_of_path};

/// One file to test, or one record of it.
pub(super) struct Target {
    pub(super) item: WorkItem,
    /// The line the user named; any line of the record will do.
    pub(super) line: Option<u32>,
}

/// Reads a target; a file whose name ends like a line number wins over the line.
pub(super) fn parse(word: &str) -> Result<Target, CliError> {
    if Path::new(word).is_file() {
        return Ok(Target { item: file_of_path(word), line: None });
    }
    let (path, line) = split_line(word);
    if path.starts_with(suite::PREFIX) {
        let mut found = suite::select(&[path.to_owned()])?;
        return match (found.pop(), found.is_empty()) {
            (Some(item), true) => Ok(Target { item, line }),
            _ => Err(several(path)),
        };
    }
    if Path::new(path).is_dir() {
        return Err(several(path));
    }
    if !Path::new(path).exists() {
        let hint = "write FILE or FILE:LINE; shipped files are called suite:PATH, see `list`".to_owned();
        return Err(CliError::usage(format!("no such file: `{path}`"), vec![hint]));
    }
    Ok(Target { item: file_of_path(path), line })
}

fn several(path: &str) -> CliError {
    let hint = format!("run all of it with `vibesql-sqllogictest run {path}`");
    CliError::usage(format!("`{path}` is not one file"), vec![hint])
}

/// Takes a line number off the end of a word.
pub(super) fn split_line(word: &str) -> (&str, Option<u32>) {
    match word.rsplit_once(':') {
        Some((path, line)) if !path.is_empty() => match line.parse() {
            Ok(line) => (path, Some(line)),
            Err(_) => (word, None),
        },
        _ => (word, None),
    }
}
