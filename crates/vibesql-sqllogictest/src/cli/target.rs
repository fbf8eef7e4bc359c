//! Parses `FILE[:LINE]`.

use super::error::CliError;
use super::suite;
use super::ui::Ui;
use slt_core::location::path_text;
use slt_runner::parallel::WorkItem;

/// One file to test, or one record of it.
pub(super) struct TestTarget {
    pub(super) item: WorkItem,
    /// The named line, which can be any line of the record.
    pub(super) line: Option<u32>,
}

/// Parses a word: a file, a record, or a directory or glob as for `run`. A file whose name ends like a line number takes
/// precedence over the line.
pub(super) fn parse(word: &str, ui: &mut Ui) -> Result<Vec<TestTarget>, CliError> {
    let (path, line) = match split_line(word) {
        _ if path_text::typed(word).exists() => (word, None),
        split => split,
    };
    let items = suite::select(&[path.to_owned()], None, ui)?;
    if line.is_some() && (items.len() > 1 || path_text::typed(path).is_dir()) {
        let hint = format!("name the file, or leave out the line: `vibesql-sqllogictest test {path}`");
        return Err(CliError::usage(format!("`{path}` is not one file"), hint));
    }
    Ok(items.into_iter().map(|item| TestTarget { item, line }).collect())
}

/// Splits a line number from the end of a word.
pub(super) fn split_line(word: &str) -> (&str, Option<u32>) {
    match word.rsplit_once(':') {
        Some((path, line)) if !path.is_empty() => match line.parse() {
            Ok(line) => (path, Some(line)),
            Err(_) => (word, None),
        },
        _ => (word, None),
    }
}
