//! Reads files: the core parses them, [`convert`](super::convert) makes records of what it finds.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::convert::Converter;
use super::{Injected, Location, ParseError, ParseErrorKind, Record};
use crate::column_type::ColumnType;

/// Parses a script.
///
/// # Errors
///
/// The first line that is not in the format.
pub fn parse<T: ColumnType>(script: &str) -> Result<Vec<Record<T>>, ParseError> {
    parse_with_name(script, "<unknown>")
}

/// Parses a script that has a name in locations. Records of files that it includes are not added.
///
/// # Errors
///
/// The first line that is not in the format.
pub fn parse_with_name<T: ColumnType>(
    script: &str,
    name: impl Into<Arc<str>>,
) -> Result<Vec<Record<T>>, ParseError> {
    Converter { text: script, file: name.into(), upper: None }.records()
}

/// Parses a file. The records of a file that it includes come after the `include`, between injected records.
///
/// # Errors
///
/// When a file cannot be read or includes itself, or the first line that is not in the format.
pub fn parse_file<T: ColumnType>(filename: impl AsRef<Path>) -> Result<Vec<Record<T>>, ParseError> {
    let path = filename.as_ref();
    let place = Location::new(path.to_string_lossy().into(), 0, None);
    let mut records = Vec::new();
    FileReader { records: &mut records, open: Vec::new() }.read(path, &place, None)?;
    Ok(records)
}

struct FileReader<'r, T: ColumnType> {
    records: &'r mut Vec<Record<T>>,
    /// The files around the one that is read, and this one.
    open: Vec<PathBuf>,
}

impl<T: ColumnType> FileReader<'_, T> {
    /// Reads a file; `place` is where it is named.
    fn read(
        &mut self,
        path: &Path,
        place: &Location,
        upper: Option<Arc<Location>>,
    ) -> Result<(), ParseError> {
        let unreadable = |error: io::Error| {
            let kind = match error.kind() {
                io::ErrorKind::NotFound => ParseErrorKind::FileNotFound,
                _ => ParseErrorKind::UnreadableFile(error.to_string()),
            };
            ParseError::new(kind, place.clone())
        };
        let identity = path.canonicalize().map_err(unreadable)?;
        if self.open.contains(&identity) {
            let kind = ParseErrorKind::IncludeCycle(path.to_string_lossy().into_owned());
            return Err(ParseError::new(kind, place.clone()));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let converter = Converter { text: &text, file: path.to_string_lossy().into(), upper };
        self.open.push(identity);
        for record in converter.records()? {
            let include = match &record {
                Record::Include { loc, filename } => Some((loc.clone(), filename.clone())),
                _ => None,
            };
            self.records.push(record);
            if let Some((loc, pattern)) = include {
                self.include(path, &pattern, &loc)?;
            }
        }
        self.open.pop();
        Ok(())
    }

    /// Reads the files of a pattern, which is relative to the directory of the including file.
    fn include(&mut self, including: &Path, pattern: &str, loc: &Location) -> Result<(), ParseError> {
        let error = |kind| ParseError::new(kind, loc.clone());
        let full = including.parent().unwrap_or(Path::new("")).join(pattern);
        let paths = glob::glob(&full.to_string_lossy())
            .map_err(|problem| error(ParseErrorKind::InvalidIncludeFile(problem.to_string())))?;
        let mut is_empty = true;
        for path in paths {
            let path = path.map_err(|problem| error(ParseErrorKind::UnreadableFile(problem.to_string())))?;
            let name = path.to_string_lossy().into_owned();
            self.records.push(Record::Injected(Injected::BeginInclude(name.clone())));
            self.read(&path, loc, Some(Arc::new(loc.clone())))?;
            self.records.push(Record::Injected(Injected::EndInclude(name)));
            is_empty = false;
        }
        if is_empty { Err(error(ParseErrorKind::EmptyIncludeFile(pattern.to_owned()))) } else { Ok(()) }
    }
}
