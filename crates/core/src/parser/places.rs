//! The places of the parts of a record in its file, for tools that change them.

use std::ops::Range;

use super::grammar::SEPARATOR;
use super::lines::LineCursor;
use super::record::{Layout, Record, RecordKind, Script};
use super::text::{Comments, Sql};

/// The places of the parts of a record with SQL or a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPlaces {
    /// The header line without its end.
    pub header: Range<usize>,
    /// The line end of the header: LF or CRLF.
    pub line_end: &'static str,
    /// The offset after the SQL and its line end.
    pub sql_end: usize,
    /// The expected lines; `None` without a separator.
    pub result: Option<ResultPlaces>,
}

/// The places of the separator and the lines after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultPlaces {
    /// The separator with its line end.
    pub separator: Range<usize>,
    /// The lines, without comments and a line that marks their end: the text, and the text with its line end.
    pub lines: Vec<(Range<usize>, Range<usize>)>,
    /// The offset after the lines.
    pub end: usize,
}

/// The line that ends a text of several lines.
const END_OF_TEXT: &[u8] = b"EOF";

impl Script<'_> {
    /// Returns the places of the parts of a record; `None` for a record without SQL or a command.
    pub fn places(&self, record: &Record<'_>) -> Option<RecordPlaces> {
        let (sql, ends_at_mark) = match &record.kind {
            RecordKind::Statement(statement) => (&statement.sql, false),
            RecordKind::Query(query) => (&query.sql, query.layout == Layout::Text),
            RecordKind::System(system) => (&system.command, false),
            _ => return None,
        };
        let bytes = &self.source.bytes()[..record.span.end];
        let mut cursor = LineCursor::new(bytes, record.span.start);
        let mut header = cursor.take()?;
        while header.number <= record.line - record.lines.start {
            header = cursor.take()?;
        }
        let line_end = if bytes[..header.end].ends_with(b"\r\n") { "\r\n" } else { "\n" };
        let sql_end = self.offset_behind(sql)?.max(header.end);
        let mut cursor = LineCursor::new(bytes, sql_end);
        let skips_comments = sql.comments == Comments::Removed;
        let mut result: Option<ResultPlaces> = None;
        while let Some(line) = cursor.take() {
            let (text, whole) = (line.start..line.text_end(), line.start..line.end);
            match &mut result {
                None if line.text == SEPARATOR => {
                    let end = line.end;
                    result = Some(ResultPlaces { separator: whole, lines: Vec::new(), end });
                }
                None => {}
                Some(_) if ends_at_mark && line.text == END_OF_TEXT => break,
                Some(places) => {
                    if !(skips_comments && line.is_comment()) {
                        places.lines.push((text, whole));
                    }
                    places.end = line.end;
                }
            }
        }
        let header = header.start..header.text_end();
        Some(RecordPlaces { header, line_end, sql_end, result })
    }

    /// Returns the offset of the line after some SQL.
    fn offset_behind(&self, sql: &Sql<'_>) -> Option<usize> {
        let bytes = self.source.bytes();
        let end = (sql.raw.as_ptr().addr() + sql.raw.len()).checked_sub(bytes.as_ptr().addr())?;
        let behind = bytes.get(end..)?;
        // Text in one piece does not include the last line end.
        let length = match behind {
            _ if !sql.plain || sql.raw.is_empty() => 0,
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            _ => 0,
        };
        Some(end + length)
    }
}
