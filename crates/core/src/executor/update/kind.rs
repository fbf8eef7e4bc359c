//! Turns records that must succeed into records that must fail, and the reverse.

use super::errors::pattern_of;
use super::{TextEdit, UpdateRefusal, UpdateTarget};
use crate::engine::SqlError;
use crate::outcome::NewLine;
use crate::parser::{Matcher, RecordKind};

impl UpdateTarget<'_, '_> {
    /// Lets the record expect this error.
    pub(super) fn expect_error(&self, error: &SqlError) -> Result<Vec<TextEdit>, UpdateRefusal> {
        let is_query = match self.record.kind {
            RecordKind::Statement(_) => false,
            RecordKind::Query(_) => true,
            _ => return Err(UpdateRefusal::Problem),
        };
        // Where an error is expected, `retry` would be a part of its pattern.
        if self.record.retry().is_some() {
            return Err(UpdateRefusal::NotWritable);
        }
        let message = error.message.lines().find(|line| !line.trim().is_empty());
        let message = message.ok_or(UpdateRefusal::NotWritable)?;
        let pattern = || pattern_of(message).ok_or(UpdateRefusal::NotWritable);
        match self.script.profile.matcher {
            Matcher::ValuePerLine(_) => {
                let header = self.header("statement error".to_owned());
                Ok([header].into_iter().chain(self.remove_result()).collect())
            }
            Matcher::Duckdb => {
                let connection = self.record.connection().map(|connection| connection.name);
                let connection = connection.map(|name| format!(" {}", String::from_utf8_lossy(name)));
                let header = self.header(format!("statement error{}", connection.unwrap_or_default()));
                let lines = [NewLine::Text(message.trim_end().to_owned())];
                Ok(vec![header, self.replace_lines(&lines)?])
            }
            _ => {
                let word = if is_query { "query" } else { "statement" };
                let header = self.header(format!("{word} error {}", pattern()?));
                let result = self.remove_result().filter(|_| is_query);
                Ok([header].into_iter().chain(result).collect())
            }
        }
    }

    /// Lets a statement expect success. For a query that must fail, nothing tells the types of its columns.
    pub(super) fn expect_success(&self) -> Result<Vec<TextEdit>, UpdateRefusal> {
        if let RecordKind::Query(_) = self.record.kind {
            return Err(UpdateRefusal::NoTypes);
        }
        if self.record.retry().is_some() {
            return Err(UpdateRefusal::NotWritable);
        }
        let words = self.header_words();
        let error = words.iter().find(|word| &self.bytes()[(*word).clone()] == b"error");
        let error = error.ok_or(UpdateRefusal::NotWritable)?.clone();
        // In the dialect of DuckDB a connection follows.
        let is_duckdb = self.script.profile.matcher == Matcher::Duckdb;
        let end = if is_duckdb { error.end } else { self.header_end() };
        let header = TextEdit { span: error.start..end, text: b"ok".to_vec() };
        Ok([header].into_iter().chain(self.remove_result()).collect())
    }

    /// Replaces the words of the header.
    fn header(&self, text: String) -> TextEdit {
        let start = self.header_words().first().map_or(self.places.header.start, |word| word.start);
        TextEdit { span: start..self.header_end(), text: text.into_bytes() }
    }
}
