//! Replaces the lines of an expectation. Comments between them, line ends, and a missing line end at the end of the file
//! stay.

use super::{TextEdit, UpdateRefusal, UpdateTarget};
use crate::outcome::NewLine;
use crate::parser::ResultPlaces;

impl UpdateTarget<'_, '_> {
    /// Replaces the expected lines. A separator (`----`) is added if the record has none.
    pub(super) fn replace_lines(&self, lines: &[NewLine]) -> Result<TextEdit, UpdateRefusal> {
        let end = self.places.sql_end;
        let none = ResultPlaces { separator: end..end, lines: Vec::new(), end };
        let places = self.places.result.as_ref().unwrap_or(&none);
        let start = places.separator.end;
        let mut out = LineWriter {
            bytes: self.bytes(),
            text: Vec::new(),
            at: start,
            line_end: self.places.line_end.as_bytes(),
            is_open: start > 0 && self.bytes()[start - 1] != b'\n',
        };
        if self.places.result.is_none() {
            out.line(b"----", None);
        }
        let mut next_old = 0;
        let mut kept = lines.iter().enumerate().filter_map(|(index, line)| match line {
            NewLine::Kept(at) => Some((index, *at)),
            NewLine::Text(_) => None,
        });
        let mut next_kept = kept.next();
        for (index, line) in lines.iter().enumerate() {
            if next_kept.is_some_and(|(place, _)| place < index) {
                next_kept = kept.next();
            }
            match line {
                NewLine::Kept(at) if *at >= next_old && *at < places.lines.len() => {
                    places.lines[next_old..*at].iter().for_each(|(_, whole)| out.drop_line(whole));
                    out.keep_to(places.lines[*at].1.end);
                    next_old = at + 1;
                }
                NewLine::Kept(_) => return Err(UpdateRefusal::NotWritable),
                NewLine::Text(text) if text.contains('\n') => return Err(UpdateRefusal::NotWritable),
                NewLine::Text(text) => {
                    // It takes the place of the next line that does not stay.
                    let is_free = next_kept.is_none_or(|(_, at)| next_old < at);
                    let replaced = places.lines.get(next_old).filter(|_| is_free);
                    if let Some((_, whole)) = replaced {
                        out.drop_line(whole);
                        next_old += 1;
                    }
                    let end = replaced.map(|(text, whole)| &self.bytes()[text.end..whole.end]);
                    out.line(text.as_bytes(), end.filter(|end| !end.is_empty()));
                }
            }
        }
        places.lines[next_old..].iter().for_each(|(_, whole)| out.drop_line(whole));
        out.keep_to(places.end);
        // The last line of a file may have no line end.
        let has_end = places.end > 0 && self.bytes()[places.end - 1] == b'\n';
        let mut text = out.text;
        if !has_end && text.ends_with(b"\n") {
            text.truncate(text.strip_suffix(b"\r\n").map_or(text.len() - 1, <[u8]>::len));
        } else if has_end && !text.is_empty() && !text.ends_with(b"\n") {
            text.extend_from_slice(self.places.line_end.as_bytes());
        }
        Ok(TextEdit { span: start..places.end, text })
    }

    /// Removes the separator and everything behind it.
    pub(super) fn remove_result(&self) -> Option<TextEdit> {
        let places = self.places.result.as_ref()?;
        Some(TextEdit { span: places.separator.start..places.end, text: Vec::new() })
    }
}

/// Writes lines one after another.
struct LineWriter<'b> {
    bytes: &'b [u8],
    text: Vec<u8>,
    /// The offset up to which the old text is done.
    at: usize,
    line_end: &'b [u8],
    /// Whether the line before has no line end.
    is_open: bool,
}

impl LineWriter<'_> {
    fn close(&mut self) {
        if self.is_open {
            self.text.extend_from_slice(self.line_end);
        }
        self.is_open = false;
    }

    /// Adds a line, with the usual line end or another.
    fn line(&mut self, text: &[u8], end: Option<&[u8]>) {
        self.close();
        self.text.extend_from_slice(text);
        self.text.extend_from_slice(end.unwrap_or(self.line_end));
    }

    /// Keeps the old text up to an offset.
    fn keep_to(&mut self, end: usize) {
        let kept = &self.bytes[self.at..end];
        if !kept.is_empty() {
            self.close();
            self.text.extend_from_slice(kept);
            self.is_open = !kept.ends_with(b"\n");
        }
        self.at = end;
    }

    /// Leaves out a line of the old text, and keeps the comments in front of it.
    fn drop_line(&mut self, whole: &std::ops::Range<usize>) {
        self.keep_to(whole.start);
        self.at = whole.end;
    }
}
