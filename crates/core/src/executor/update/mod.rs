//! Changes the expectations of failing records in the text of a file, and nothing else.
//!
//! Pure functions of a script and the problems of its records. Whether a change is right, only another execution tells:
//! the result may differ each time, or there may be no way to write it in the dialect.

mod append;
mod check;
mod errors;
mod file;
mod kind;
mod lines;

pub use append::{AppendRefusal, AppendedRecord, append_record};
pub use file::{ChangedRecord, FileUpdate, RefusedRecord};

use std::ops::Range;

use crate::location::text_of;
use crate::outcome::{Correction, Mismatch, NewLine, Problem};
use crate::parser::{QueryExpectation, Record, RecordKind, RecordPlaces, Script};

/// The expectations that may change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UpdateScope {
    /// The parts of expectations; all if empty.
    pub parts: Vec<UpdatePart>,
    /// Whether success may become an expected error, and the reverse.
    pub changes_kind: bool,
}

/// A part of an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UpdatePart {
    /// Values and counts.
    Results,
    /// Error messages and codes.
    Errors,
    /// Results that are or become a hash.
    Hashes,
    /// The order of lines that stay the same.
    Order,
}

/// A changed expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordUpdate {
    /// What is changed.
    pub part: UpdatePart,
    /// The changes of the text, in order and without overlap.
    pub edits: Vec<TextEdit>,
}

/// A change of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// The bytes that are replaced.
    pub span: Range<usize>,
    /// The new bytes.
    pub text: Vec<u8>,
}

/// A reason why an expectation stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateRefusal {
    /// Another result cannot make the record pass: its problem says why.
    Problem,
    /// It now fails with an error, or succeeds, where the other was expected.
    OtherKind,
    /// A query that was expected to fail succeeds, and its type letters are not known.
    NoTypes,
    /// Some iterations of its loop have other results than others.
    Iterations,
    /// A pattern in the expectation does not match.
    Pattern,
    /// The expected values are in another file.
    OtherFile,
    /// The result is not UTF-8.
    NotText,
    /// The engine reports no code for the error.
    NoCode,
    /// The new expectation cannot be written in the dialect.
    NotWritable,
    /// The expectation has a line like the header of a record, which would be lost.
    HeaderInExpectation {
        /// The line in the file.
        line: u32,
    },
    /// The record fails with the new expectation, too: its problem says why.
    StillFails,
    /// Its result, or its error, was another one in the next execution.
    Unstable,
    /// The next execution ended before it.
    NotConfirmed,
    /// Only other parts may be changed.
    OutOfScope(UpdatePart),
}

/// A problem of a record, with what would make its result right.
#[derive(Debug, Clone, Copy)]
pub struct RecordProblem<'p> {
    /// The problem.
    pub problem: &'p Problem,
    /// The right lines, for a wrong result.
    pub correction: Option<&'p Correction>,
}

/// Returns how the expectation of a record must change, given its problem in each iteration that failed.
///
/// # Errors
///
/// [`UpdateRefusal`], when the expectation must stay.
pub fn update_record(
    script: &Script<'_>,
    record: &Record<'_>,
    problems: &[RecordProblem<'_>],
    scope: &UpdateScope,
) -> Result<RecordUpdate, UpdateRefusal> {
    let (first, others) = problems.split_first().ok_or(UpdateRefusal::Problem)?;
    let update = update_by(script, record, *first, scope)?;
    for other in others {
        if update_by(script, record, *other, scope)? != update {
            return Err(UpdateRefusal::Iterations);
        }
    }
    if !scope.parts.is_empty() && !scope.parts.contains(&update.part) {
        return Err(UpdateRefusal::OutOfScope(update.part));
    }
    Ok(update)
}

fn update_by(
    script: &Script<'_>,
    record: &Record<'_>,
    found: RecordProblem<'_>,
    scope: &UpdateScope,
) -> Result<RecordUpdate, UpdateRefusal> {
    if record.defect.is_some() || record.missing().is_some() {
        return Err(UpdateRefusal::Problem);
    }
    let places = script.places(record).ok_or(UpdateRefusal::Problem)?;
    let target = UpdateTarget { script, record, places };
    let errors = |edits: Result<Vec<TextEdit>, UpdateRefusal>| {
        edits.map(|edits| RecordUpdate { part: UpdatePart::Errors, edits })
    };
    let update = match found.problem {
        Problem::Mismatch(Mismatch::Rows { .. } | Mismatch::Hash { .. } | Mismatch::Presentation { .. }) => {
            target.result(found.correction.ok_or(UpdateRefusal::Problem)?)
        }
        Problem::Mismatch(Mismatch::AffectedRows { actual, .. }) => target.count(*actual),
        Problem::Mismatch(Mismatch::Error { actual, .. }) => errors(target.error(actual)),
        Problem::UnexpectedError { error, .. } if scope.changes_kind => errors(target.expect_error(error)),
        Problem::UnexpectedSuccess if scope.changes_kind => errors(target.expect_success()),
        Problem::UnexpectedError { .. } | Problem::UnexpectedSuccess => Err(UpdateRefusal::OtherKind),
        _ => Err(UpdateRefusal::Problem),
    }?;
    match target.lost_header(&update.edits) {
        Some(line) => Err(UpdateRefusal::HeaderInExpectation { line }),
        None => Ok(update),
    }
}

/// Applies edits, which are in order and do not overlap.
pub fn apply_edits<'e>(bytes: &[u8], edits: impl IntoIterator<Item = &'e TextEdit>) -> Vec<u8> {
    let (mut text, mut at) = (Vec::with_capacity(bytes.len()), 0);
    for edit in edits {
        text.extend_from_slice(&bytes[at..edit.span.start]);
        text.extend_from_slice(&edit.text);
        at = edit.span.end;
    }
    text.extend_from_slice(&bytes[at..]);
    text
}

/// Returns the lines that a correction stands for, given the expected lines of its record.
pub fn corrected_lines(script: &Script<'_>, record: &Record<'_>, correction: &Correction) -> Vec<String> {
    let Correction::Lines { lines, .. } = correction else { return Vec::new() };
    let places = script.places(record).and_then(|places| places.result);
    let old = places.map_or_else(Vec::new, |places| places.lines);
    let text = |line: &NewLine| match line {
        NewLine::Kept(at) => old.get(*at).map(|(text, _)| text_of(&script.source.bytes()[text.clone()])),
        NewLine::Text(text) => Some(text.clone()),
    };
    lines.iter().filter_map(text).collect()
}

/// A record whose expectation changes.
struct UpdateTarget<'u, 's> {
    script: &'u Script<'s>,
    record: &'u Record<'s>,
    places: RecordPlaces,
}

impl UpdateTarget<'_, '_> {
    fn bytes(&self) -> &[u8] {
        self.script.source.bytes()
    }

    /// Changes the expected lines.
    fn result(&self, correction: &Correction) -> Result<RecordUpdate, UpdateRefusal> {
        let (lines, is_hash) = match correction {
            Correction::Lines { lines, is_hash, .. } => (lines, *is_hash),
            Correction::Pattern => return Err(UpdateRefusal::Pattern),
            Correction::OtherFile => return Err(UpdateRefusal::OtherFile),
            Correction::NotText => return Err(UpdateRefusal::NotText),
            Correction::ReadsAsPattern => return Err(UpdateRefusal::NotWritable),
        };
        let edit = self.replace_lines(lines)?;
        let old = self.places.result.iter().flat_map(|result| &result.lines);
        let mut old: Vec<&[u8]> = old.map(|(text, _)| &self.bytes()[text.clone()]).collect();
        let mut new: Vec<&[u8]> = lines
            .iter()
            .filter_map(|line| match line {
                NewLine::Kept(at) => old.get(*at).copied(),
                NewLine::Text(text) => Some(text.as_bytes()),
            })
            .collect();
        let was_hash = matches!(
            &self.record.kind,
            RecordKind::Query(query) if matches!(query.expected, QueryExpectation::Hash(_))
        );
        old.sort_unstable();
        new.sort_unstable();
        let part = if was_hash || is_hash {
            UpdatePart::Hashes
        } else if old == new {
            UpdatePart::Order
        } else {
            UpdatePart::Results
        };
        Ok(RecordUpdate { part, edits: vec![edit] })
    }

    /// Changes the number behind `count`.
    fn count(&self, actual: u64) -> Result<RecordUpdate, UpdateRefusal> {
        let words = self.header_words();
        let count = words.iter().position(|word| &self.bytes()[word.clone()] == b"count");
        let number = count.and_then(|at| words.get(at + 1)).ok_or(UpdateRefusal::NotWritable)?;
        let edit = TextEdit { span: number.clone(), text: actual.to_string().into_bytes() };
        Ok(RecordUpdate { part: UpdatePart::Results, edits: vec![edit] })
    }

    /// Returns the places of the words of the header.
    fn header_words(&self) -> Vec<Range<usize>> {
        let header = self.places.header.clone();
        let line = &self.bytes()[header.clone()];
        let words = line.split(|byte| byte.is_ascii_whitespace() || *byte == 0x0b);
        words
            .filter(|word| !word.is_empty())
            .map(|word| {
                let start = header.start + (word.as_ptr().addr() - line.as_ptr().addr());
                start..start + word.len()
            })
            .collect()
    }
}
