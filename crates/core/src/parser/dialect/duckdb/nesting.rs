//! Loops in a whole file: which records stand in one, and whether each has its end.
//!
//! As DuckDB's runner does, the check leaves out records that a `mode skip` skips. A condition on an engine is judged
//! for DuckDB.

use crate::parser::condition::first_refusal;
use crate::parser::control::{Control, Requirement};
use crate::parser::error::ParseErrorKind;
use crate::parser::record::{Defect, DefectEffect, Item, Record, RecordKind, Script, StatementExpectation};

/// Checks the records of a file against those around them.
pub(super) fn check(script: &mut Script<'_>) {
    let labels = ["duckdb".to_owned()];
    let exact = script.profile.exact;
    let source = script.source;
    let mut place = Place { exact, loops: Vec::new(), skips: 0, has_tests: false, has_tags: false };
    let mut last_line = 0;
    for index in 0..script.items.len() {
        let Item::Record(record) = &mut script.items[index] else { continue };
        last_line = record.lines.end;
        if first_refusal(&record.conditions, &labels).is_some() {
            continue;
        }
        if let Some(text) = place.enter(record, index) {
            let line = record.line;
            refuse(record, source.at(line), text, exact);
        }
        if exact
            && place.skips > 0
            && matches!(record.kind, RecordKind::Query(_))
            && has_text_behind_comment(&source.bytes()[record.span.clone()])
        {
            let text = "expected a record behind the comment that ends the skipped SQL, found other text";
            let kind = ParseErrorKind::HiddenText { text: text.to_owned() };
            let location = source.at(record.line);
            record.defect.get_or_insert_with(|| Defect::new(location, kind, DefectEffect::EndsFile));
        }
        if place.skips == 0 && matches!(record.kind, RecordKind::Control(Control::Halt)) {
            break;
        }
    }
    for &(index, _) in &place.loops {
        if let Item::Record(record) = &mut script.items[index] {
            let line = if exact { last_line.max(lines_of(source.bytes())) } else { record.line };
            let text = "expected `endloop` after the records of the loop, found the end of the file";
            refuse(record, source.at(line), text.to_owned(), exact);
        }
    }
}

/// Returns whether a comment in the text of a query has other text behind it. DuckDB's runner takes that for values, except
/// in a query that it skips: there it expects the next record.
fn has_text_behind_comment(text: &[u8]) -> bool {
    let mut lines = text.split(|&byte| byte == b'\n').skip_while(|line| !line.starts_with(b"#"));
    lines.any(|line| !line.is_empty() && !line.starts_with(b"#"))
}

/// Returns the number of the line after the last.
fn lines_of(bytes: &[u8]) -> u32 {
    let ends = memchr::memchr_iter(b'\n', bytes).count();
    u32::try_from(ends + 1 + usize::from(!bytes.ends_with(b"\n"))).unwrap_or(u32::MAX)
}

fn refuse(record: &mut Record<'_>, location: crate::location::Location, text: String, exact: bool) {
    let effect = if exact { DefectEffect::EndsFile } else { DefectEffect::Dropped };
    record.defect.get_or_insert_with(|| Defect::new(location, ParseErrorKind::Other { text }, effect));
}

/// The place of a record in a file.
struct Place {
    exact: bool,
    /// The items that begin the loops around the record, and whether their iterations run at the same time.
    loops: Vec<(usize, bool)>,
    skips: u32,
    has_tests: bool,
    has_tags: bool,
}

impl Place {
    /// Goes on with a record; returns why it must not stand here.
    fn enter(&mut self, record: &Record<'_>, index: usize) -> Option<String> {
        if let RecordKind::Control(control @ (Control::BeginSkip | Control::EndSkip)) = &record.kind {
            return self.skip(control);
        }
        if let RecordKind::Statement(statement) = &record.kind
            && self.skips == 0
            && statement.expected == StatementExpectation::UncheckedBeforeSkip
        {
            self.skips = 1;
        }
        if self.skips > 0 {
            return None;
        }
        let is_concurrent = self.loops.iter().any(|(_, concurrent)| *concurrent);
        let refusal = match &record.kind {
            RecordKind::Statement(_) | RecordKind::Query(_) => {
                self.has_tests = true;
                (is_concurrent && record.connection().is_some())
                    .then_some("expected no connection in a concurrent loop: each iteration has its own")
            }
            RecordKind::Database(_) if is_concurrent => {
                Some("expected statements and queries in a concurrent loop, found a change of the database")
            }
            RecordKind::Control(control) => self.control(control, index, is_concurrent),
            _ => None,
        };
        refusal.map(str::to_owned)
    }

    fn skip(&mut self, control: &Control<'_>) -> Option<String> {
        match (control, self.skips) {
            (Control::BeginSkip, skips) => self.skips = skips.wrapping_add(1),
            // The counter of DuckDB's runner wraps around, so that it skips the rest of the file.
            (_, 0) if self.exact => self.skips = u32::MAX,
            (_, 0) => return Some("expected `mode skip` before `mode unskip`, found none".to_owned()),
            (_, skips) => self.skips = skips - 1,
        }
        None
    }

    fn control(&mut self, control: &Control<'_>, index: usize, is_concurrent: bool) -> Option<&'static str> {
        let is_in_loop = !self.loops.is_empty();
        match control {
            Control::Loop(one) => {
                self.loops.push((index, one.concurrent));
                (is_concurrent && one.concurrent).then_some(
                    "expected no concurrent loop in another one: only one of them can be concurrent",
                )
            }
            Control::EndLoop if self.loops.pop().is_none() => {
                Some("expected a loop before `endloop`, found none")
            }
            Control::Continue if !is_in_loop => Some("expected `continue` in a loop, found it outside"),
            Control::Continue if is_concurrent => {
                Some("expected no `continue` in a concurrent loop: its iterations run at the same time")
            }
            Control::Sleep(_) | Control::Comparison(_) if is_concurrent => {
                Some("expected statements and queries in a concurrent loop, found another record")
            }
            Control::Require(Requirement::Environment { .. }) | Control::TestEnvironment { .. }
                if is_in_loop =>
            {
                Some("expected environment variables outside of loops, found one inside")
            }
            Control::Tags(_) => {
                let refusal = match (self.has_tests, self.has_tags) {
                    (true, _) => Some("expected `tags` before the first statement or query"),
                    (_, true) => Some("expected one `tags`, found a second one"),
                    _ => None,
                };
                self.has_tags = true;
                refusal
            }
            _ => None,
        }
    }
}
