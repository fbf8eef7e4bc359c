//! Commands of one line.

use super::super::super::control::Control;
use super::super::super::error::LintKind;
use super::super::super::grammar::{Body, Reader};
use super::super::super::header::condition_kind;
use super::super::super::lines::words_of;
use super::super::super::record::{DatabaseAction, Layout, RecordKind};
use super::super::reading::{HeaderWords, dropped, in_words, lint, unknown};
use super::KNOWN;
use crate::location::text_of;

pub(super) fn read<'s>(reader: &mut Reader<'s>, words: &HeaderWords<'s>) -> Body<'s> {
    let (control, used) = match words.get(0) {
        b"mode" => return mode(reader, words),
        b"halt" => (Control::Halt, 1),
        b"subtest" => (Control::Subtest(words.get(1)), 2),
        b"user" | b"kv-batch-size" | b"hash-threshold" => {
            lint(reader, words.line, LintKind::WithoutEffect);
            (Control::Ignored, 2)
        }
        b"reset-server" => {
            let defect = unused(reader, words, 1);
            return (RecordKind::Database(DatabaseAction::Reset), defect);
        }
        b"copy" => return copy(reader, words),
        _ => return unknown(reader, words, KNOWN),
    };
    (RecordKind::Control(control), unused(reader, words, used))
}

fn unused(
    reader: &Reader<'_>,
    words: &HeaderWords<'_>,
    used: usize,
) -> Option<Box<super::super::super::record::Defect>> {
    let kind = words.unused(used).filter(|_| !reader.profile.exact)?;
    Some(reader.defect(words.line, kind, dropped(reader)))
}

fn mode<'s>(reader: &Reader<'s>, words: &HeaderWords<'s>) -> Body<'s> {
    let layout = match words.get(1) {
        b"cockroach" => Layout::Rows,
        b"standard" | b"sqlite" => Layout::Values,
        found => {
            let found = text_of(found);
            let text = format!("expected `cockroach`, `standard` or `sqlite` after `mode`, found `{found}`");
            let defect = reader.defect(words.line, in_words(text), dropped(reader));
            return (RecordKind::Control(Control::Ignored), Some(defect));
        }
    };
    (RecordKind::Control(Control::ResultLayout(layout)), unused(reader, words, 2))
}

fn copy<'s>(reader: &Reader<'s>, words: &HeaderWords<'s>) -> Body<'s> {
    let (table, path) = (words.get(1), words.get(2));
    let mut defect = unused(reader, words, 3);
    if table.is_empty() || path.is_empty() {
        let found = text_of(words.rest(1));
        let text = format!("expected a table and a path after `copy`, found `{found}`");
        defect = Some(reader.defect(words.line, in_words(text), dropped(reader)));
    }
    (RecordKind::Database(DatabaseAction::Copy { table, path }), defect)
}

/// Returns whether a line behind an empty one begins a record, and is not SQL of the one before.
pub(in crate::parser::dialect) fn begins_record(line: &[u8]) -> bool {
    let mut words = words_of(line);
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match first {
        b"statement" => matches!(second, b"ok" | b"OK" | b"error" | b"count"),
        b"query" => {
            second == b"error" || !second.is_empty() && second.iter().all(|letter| b"TIRBO".contains(letter))
        }
        b"simple" => second.is_empty() || second.contains(&b'='),
        b"mode" => matches!(second, b"cockroach" | b"standard" | b"sqlite"),
        b"reset-server" | b"halt" => second.is_empty(),
        b"subtest" | b"user" => !second.is_empty() && words.next().is_none(),
        _ => condition_kind(Some(first)).is_some() && !second.is_empty(),
    }
}
