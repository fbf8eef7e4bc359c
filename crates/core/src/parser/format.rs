//! The canonical white space of a file: what `format` writes.
//!
//! Text that an engine gets, and lines that are compared byte for byte, stay. Whatever the rules below are, a change that
//! would give a record another meaning is not made: the formatted text is parsed, and compared record by record.

use std::ops::Range;

use super::control::Control;
use super::dialect::Matcher;
use super::lines::{LineCursor, is_space};
use super::record::{
    DefectEffect, ErrorPattern, Item, Layout, Query, QueryExpectation, Record, RecordKind, Script,
    StatementExpectation,
};
use super::{RecordPlaces, parse};
use crate::location::Source;

/// A replacement of a part of the text.
type Replacement = (Range<usize>, Vec<u8>);

/// Returns the text of a file with canonical white space. Formatting it again changes nothing.
///
/// | part | form |
/// |---|---|
/// | between records | one blank line; two after an error or output that may contain one |
/// | at the end of the file | one line end |
/// | headers and conditions | single blanks between words, up to a pattern or a comment |
/// | comments between records | no white space at the ends of lines |
/// | rows of words | columns with two blanks between them in the dialects of CockroachDB and Materialize, single blanks in those of sqllogictest-rs |
/// | hash lines | `N values hashing to H`, in lower case |
pub fn format_script(script: &Script<'_>) -> Vec<u8> {
    let replacements = replacements(script);
    let text = applied(script, &replacements);
    if keeps_meaning(script, &text) {
        return text;
    }
    // Rarely, white space has a meaning at one place: only the others are changed.
    let mut kept = Vec::new();
    for replacement in replacements {
        kept.push(replacement);
        if !keeps_meaning(script, &applied(script, &kept)) {
            kept.pop();
        }
    }
    applied(script, &kept)
}

fn applied(script: &Script<'_>, replacements: &[Replacement]) -> Vec<u8> {
    let bytes = script.source.bytes();
    let (mut text, mut at) = (Vec::with_capacity(bytes.len()), 0);
    for (span, new) in replacements {
        text.extend_from_slice(&bytes[at..span.start]);
        text.extend_from_slice(new);
        at = span.end;
    }
    text.extend_from_slice(&bytes[at..]);
    text
}

fn replacements(script: &Script<'_>) -> Vec<Replacement> {
    let mut replacements = Vec::new();
    let last = script.items.len().saturating_sub(1);
    let (mut needs_two, mut has_rows) = (false, false);
    for (index, item) in script.items.iter().enumerate() {
        match item {
            Item::ByteOrderMark(_) => {}
            Item::Blank(span) if index == last && index > 0 => replacements.push((span.clone(), Vec::new())),
            Item::Blank(span) => {
                let wanted = if needs_two { 2 } else { 1 };
                replacements.push((span.clone(), line_end(script, span.start).repeat(wanted)));
            }
            Item::Comment(span) => {
                lines(script, span, &mut replacements, |text| text.trim_ascii_end().to_vec());
            }
            Item::Record(record) => {
                needs_two = ends_with_two_blank_lines(record);
                if let RecordKind::Control(Control::ResultLayout(layout)) = record.kind {
                    has_rows = layout == Layout::Rows;
                }
                if record.defect.is_none() {
                    format_record(script, record, has_rows, &mut replacements);
                }
            }
        }
    }
    let bytes = script.source.bytes();
    let ends_in_record = matches!(script.items.last(), Some(Item::Record(_) | Item::Comment(_)));
    if ends_in_record && !bytes.ends_with(b"\n") {
        replacements.push((bytes.len()..bytes.len(), line_end(script, 0)));
    }
    replacements.retain(|(span, new)| bytes[span.clone()] != **new);
    replacements
}

/// Returns the line end of the line at an offset; that of the first line at the end of the file.
fn line_end(script: &Script<'_>, offset: usize) -> Vec<u8> {
    let bytes = script.source.bytes();
    let at = [offset, 0].into_iter().find_map(|from| Some(from + memchr::memchr(b'\n', &bytes[from..])?));
    let is_crlf = at.is_some_and(|at| bytes[..at].ends_with(b"\r"));
    if is_crlf { b"\r\n".to_vec() } else { b"\n".to_vec() }
}

/// Returns whether a record ends at the second of two empty lines, in the dialects of sqllogictest-rs.
fn ends_with_two_blank_lines(record: &Record<'_>) -> bool {
    let pattern = match &record.kind {
        RecordKind::Statement(statement) => match &statement.expected {
            StatementExpectation::Error(pattern) => pattern,
            _ => return false,
        },
        RecordKind::Query(query) => match &query.expected {
            QueryExpectation::Error(pattern) => pattern,
            _ => return false,
        },
        RecordKind::System(system) => return system.stdout.is_some(),
        _ => return false,
    };
    matches!(pattern, ErrorPattern::Exact(_))
}

/// Changes the text of each line, without its line end.
fn lines(
    script: &Script<'_>,
    span: &Range<usize>,
    replacements: &mut Vec<Replacement>,
    change: impl Fn(&[u8]) -> Vec<u8>,
) {
    let mut cursor = LineCursor::new(&script.source.bytes()[..span.end], span.start);
    while let Some(line) = cursor.take() {
        replacements.push((line.start..line.text_end(), change(line.text)));
    }
}

fn format_record(
    script: &Script<'_>,
    record: &Record<'_>,
    has_rows: bool,
    replacements: &mut Vec<Replacement>,
) {
    let bytes = &script.source.bytes()[..record.span.end];
    let mut cursor = LineCursor::new(bytes, record.span.start);
    let header = record.line.saturating_sub(record.lines.start) + 1;
    while let Some(line) = cursor.take().filter(|line| line.number <= header) {
        let text = if line.is_comment() {
            line.text.trim_ascii_end().to_vec()
        } else {
            single_blanks(line.text, has_pattern(record) && line.number == header)
        };
        replacements.push((line.start..line.text_end(), text));
    }
    let RecordKind::Query(query) = &record.kind else { return };
    let Some(places) = script.places(record) else { return };
    format_result(script, query, &places, has_rows, replacements);
}

/// Returns whether white space of the header may be a part of an expected error.
fn has_pattern(record: &Record<'_>) -> bool {
    let pattern = match &record.kind {
        RecordKind::Statement(statement) => match &statement.expected {
            StatementExpectation::Error(pattern) | StatementExpectation::OkOrError(pattern) => pattern,
            _ => return false,
        },
        RecordKind::Query(query) => match &query.expected {
            QueryExpectation::Error(pattern) => pattern,
            _ => return false,
        },
        RecordKind::Control(_) => return true,
        _ => return false,
    };
    *pattern != ErrorPattern::Any
}

/// Puts single blanks between the words of a line, up to a comment or behind `error`.
fn single_blanks(line: &[u8], has_pattern: bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(line.len());
    let mut rest = line;
    loop {
        let start = rest.iter().position(|&byte| !is_space(byte)).unwrap_or(rest.len());
        if start == rest.len() {
            break;
        }
        let behind = &rest[start..];
        if behind[0] == b'#' || has_pattern && text.ends_with(b"error") {
            text.extend_from_slice(rest);
            break;
        }
        let end = behind.iter().position(|&byte| is_space(byte)).unwrap_or(behind.len());
        if !text.is_empty() {
            text.push(b' ');
        }
        text.extend_from_slice(&behind[..end]);
        rest = &behind[end..];
    }
    if has_pattern { text } else { text.trim_ascii_end().to_vec() }
}

fn format_result(
    script: &Script<'_>,
    query: &Query<'_>,
    places: &RecordPlaces,
    has_rows: bool,
    replacements: &mut Vec<Replacement>,
) {
    let Some(result) = &places.result else { return };
    let bytes = script.source.bytes();
    let mut replace = |index: usize, text: Vec<u8>| replacements.push((result.lines[index].0.clone(), text));
    if let QueryExpectation::Hash(hash) = &query.expected {
        if result.lines.len() == 1 {
            replace(0, hash.to_string().into_bytes());
        }
        return;
    }
    let gap = match script.profile.matcher {
        Matcher::Cockroach => Some(2),
        Matcher::Materialize if query.layout == Layout::Default && has_rows => Some(2),
        Matcher::SqllogictestRs | Matcher::Vibesql => None,
        _ => return,
    };
    let rows: Vec<Vec<&[u8]>> = result
        .lines
        .iter()
        .map(|(text, _)| {
            let words = bytes[text.clone()].split(|&byte| is_space(byte));
            words.filter(|word| !word.is_empty()).collect()
        })
        .collect();
    // Otherwise values may contain blanks, and lines may be values. Around a pattern, each byte counts.
    let columns = query.types.len();
    let has_pattern = rows.iter().flatten().any(|word| memchr::memmem::find(word, b"<slt:ignore>").is_some());
    if columns < 2 || has_pattern || rows.iter().any(|row| row.len() != columns) {
        return;
    }
    let width =
        |column: usize| rows.iter().map(|row| String::from_utf8_lossy(row[column]).chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    for (index, row) in rows.iter().enumerate() {
        let mut line = Vec::new();
        for (column, word) in row.iter().enumerate() {
            line.extend_from_slice(word);
            let length = String::from_utf8_lossy(word).chars().count();
            let blanks = gap.map_or(1, |gap| widths[column] - length + gap);
            if column + 1 < columns {
                line.resize(line.len() + blanks, b' ');
            }
        }
        replace(index, line);
    }
}

/// Returns whether a text has the records of a script, with the same meaning.
fn keeps_meaning(script: &Script<'_>, text: &[u8]) -> bool {
    let source = Source::new(script.source.name(), text);
    let formatted = parse(&source, script.profile);
    let same_number = script.records().count() == formatted.records().count();
    same_number && script.records().zip(formatted.records()).all(|(old, new)| meaning(old) == meaning(new))
}

/// Returns everything in a record that a run depends on, apart from the white space of rows of words.
fn meaning(record: &Record<'_>) -> String {
    let conditions: Vec<_> =
        record.conditions.iter().map(|one| (one.kind, one.name, one.comparison)).collect();
    let effect: Option<DefectEffect> = record.defect.as_ref().map(|defect| defect.effect);
    let sql = record.sql().map(|sql| sql.joined().into_owned());
    let words = |line: &[u8]| {
        let words = line.split(|&byte| is_space(byte)).filter(|word| !word.is_empty());
        words.map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    let kind = match &record.kind {
        RecordKind::Statement(statement) => format!("{:?}", statement.expected),
        RecordKind::Query(query) => {
            let expected = match &query.expected {
                QueryExpectation::Rows(block) => {
                    format!("{:?}", block.lines().map(words).collect::<Vec<_>>())
                }
                other => format!("{other:?}"),
            };
            let Query { types, sort, label, layout, shows_names, .. } = query;
            format!("{types:?} {sort:?} {label:?} {layout:?} {shows_names} {expected}")
        }
        RecordKind::Let(assignment) => format!("{:?}", assignment.names),
        RecordKind::System(system) => {
            let stdout = system.stdout.map(|stdout| stdout.lines().map(<[u8]>::to_vec).collect::<Vec<_>>());
            format!("{:?} {stdout:?}", system.command.joined())
        }
        other => format!("{other:?}"),
    };
    format!("{conditions:?} {:?} {effect:?} {sql:?} {kind}", record.options)
}
