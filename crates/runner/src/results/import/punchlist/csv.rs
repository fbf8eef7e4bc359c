//! `sqllogictest_punchlist.csv`: `file,category,subcategory,status,priority`, as RFC 4180 has it.
//!
//! The category is that of the path, whatever the file says: the earlier scripts had two rules for it. The order is of no
//! account, since some of them have put first what has passed.

use std::time::Duration;

use super::super::files::ImportedFiles;
use super::super::status::status_of_file;
use super::super::{ForeignRun, ImportError, ImportResult, ImportWarning};
use slt_core::outcome::{FileReport, FileStatus};

/// Returns whether the first line names the columns of a punchlist.
pub(in super::super) fn is_csv(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    Rows::of(first).next().is_ok_and(|head| head.is_some_and(|head| Columns::of(&head.fields).is_some()))
}

pub(in super::super) fn read(text: &str, changed: i64) -> Result<ImportResult, ImportError> {
    let mut rows = Rows::of(text);
    let head = rows.next()?.ok_or(ImportError::Nothing("line with the names of the columns"))?;
    let columns = Columns::of(&head.fields).ok_or_else(|| ImportError::Csv {
        line: head.line,
        expected: "the columns `file` and `status`",
        found: format!("`{}`", head.fields.join(",")),
    })?;
    let mut oddities = vec![ImportWarning::Undated];
    let mut files = ImportedFiles::default();
    let mut tested = false;
    while let Some(row) = rows.next()? {
        if row.fields.len() != head.fields.len() {
            let (fields, columns) = (row.fields.len(), head.fields.len());
            let found = format!("{fields} fields for {columns} columns");
            return Err(ImportError::Csv { line: row.line, expected: "a field for each column", found });
        }
        tested |= add(&row, &columns, &mut files, &mut oddities)?;
    }
    match files.len() {
        0 => return Err(ImportError::Nothing("line with a file")),
        count if !tested => oddities.push(ImportWarning::AllUntested(count)),
        _ => {}
    }
    let run = ForeignRun::of_files(text, files, changed, 0);
    Ok(ImportResult { runs: vec![run], oddities })
}

/// Adds the file of a row, and returns whether it was run.
fn add(
    row: &Row,
    columns: &Columns,
    files: &mut ImportedFiles,
    oddities: &mut Vec<ImportWarning>,
) -> Result<bool, ImportError> {
    let (file, word) = (&row.fields[columns.file], &row.fields[columns.status]);
    if file.is_empty() {
        return Err(ImportError::Csv { line: row.line, expected: "a file", found: "nothing".to_owned() });
    }
    let status = status_of_file(file, word, oddities);
    let priority = columns.priority.map(|column| row.fields[column].trim());
    if let Some(priority) = priority.filter(|said| !said.is_empty() && *said != priority_of(status)) {
        let (file, status, priority) = (file.clone(), word.clone(), priority.to_owned());
        oddities.push(ImportWarning::Priority { file, status, priority });
    }
    match status {
        Some(status) => files.add(FileReport::of_whole(file, status, None, Duration::ZERO), oddities),
        None => files.add_untested(file, oddities),
    }
    Ok(status.is_some())
}

fn priority_of(status: Option<FileStatus>) -> &'static str {
    match status {
        None | Some(FileStatus::Empty) => "2",
        Some(FileStatus::Passed) => "3",
        Some(_) => "1",
    }
}

/// Where the columns are that count.
struct Columns {
    file: usize,
    status: usize,
    priority: Option<usize>,
}

impl Columns {
    fn of(head: &[String]) -> Option<Self> {
        let place = |name| head.iter().position(|field| field.trim().eq_ignore_ascii_case(name));
        Some(Self { file: place("file")?, status: place("status")?, priority: place("priority") })
    }
}

/// A row, and the line that it begins on.
struct Row {
    line: usize,
    fields: Vec<String>,
}

/// Reads rows. Lines end with CR LF or LF, and a quoted field may have some of its own.
struct Rows<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Rows<'t> {
    fn of(text: &'t str) -> Self {
        Self { rest: text, line: 1 }
    }

    /// Returns the next row that is not empty.
    fn next(&mut self) -> Result<Option<Row>, ImportError> {
        while !self.rest.is_empty() {
            if self.end_of_line() {
                continue;
            }
            let (line, mut fields) = (self.line, vec![self.field()?]);
            while let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                fields.push(self.field()?);
            }
            self.end_of_line();
            return Ok(Some(Row { line, fields }));
        }
        Ok(None)
    }

    /// Goes after the end of a line, if this is one.
    fn end_of_line(&mut self) -> bool {
        let Some(rest) = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n')) else {
            return false;
        };
        (self.rest, self.line) = (rest, self.line + 1);
        true
    }

    fn field(&mut self) -> Result<String, ImportError> {
        if let Some(rest) = self.rest.strip_prefix('"') {
            self.rest = rest;
            return self.quoted();
        }
        let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
        let is_line = self.rest[end..].starts_with('\n');
        let (field, rest) = self.rest.split_at(end);
        let field = if is_line { field.strip_suffix('\r').unwrap_or(field) } else { field };
        if field.contains('"') {
            return Err(self.wrong("quotes around a field that has some", format!("`{field}`")));
        }
        self.rest = if is_line { &self.rest[field.len()..] } else { rest };
        Ok(field.to_owned())
    }

    /// The rest of a field whose first quote has been read.
    fn quoted(&mut self) -> Result<String, ImportError> {
        let mut field = String::new();
        let line = self.line;
        loop {
            let Some((part, rest)) = self.rest.split_once('"') else {
                let (expected, found) = ("whole fields", "a quoted field without an end".to_owned());
                return Err(ImportError::Csv { line, expected, found });
            };
            field.push_str(part);
            self.line += memchr::memchr_iter(b'\n', part.as_bytes()).count();
            self.rest = rest;
            match rest.strip_prefix('"') {
                Some(rest) => {
                    field.push('"');
                    self.rest = rest;
                }
                None => break,
            }
        }
        let ends = ["", ",", "\n", "\r\n"];
        if ends
            .iter()
            .any(|end| if end.is_empty() { self.rest.is_empty() } else { self.rest.starts_with(end) })
        {
            return Ok(field);
        }
        let found = self.rest.chars().next().map_or_else(String::new, |next| format!("`{next}`"));
        Err(self.wrong("a comma or the end of the line behind a quoted field", found))
    }

    fn wrong(&self, expected: &'static str, found: String) -> ImportError {
        ImportError::Csv { line: self.line, expected, found }
    }
}
