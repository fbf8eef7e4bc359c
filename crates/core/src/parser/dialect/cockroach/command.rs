//! Commands of one line, and `let`.

use std::time::Duration;

use super::super::super::control::Control;
use super::super::super::error::{LintKind, ParseErrorKind};
use super::super::super::grammar::{Body, Reader};
use super::super::super::record::{
    Item, Let, MissingAbility, RecordKind, Retry, RetryRule, Statement, StatementExpectation,
};
use super::super::reading::{HeaderWords, RecordPrefix, dropped, in_words, lint, runs_sql, unknown};
use super::{ASYNC, KNOWN, SqlText, sql};
use crate::location::text_of;

/// Its own runner tries for 45 seconds.
pub(super) const RETRY: RetryRule<'static> =
    RetryRule::Fixed(Retry { attempts: 45, backoff: Duration::from_secs(1) });

const CLUSTER: MissingAbility = MissingAbility { name: "a cluster of nodes", runs_sql: false };

/// Adds `repeat N` or `retry` to the statement or query behind it; `false` if the line is neither.
pub(super) fn add_repetition<'s>(
    prefix: &mut RecordPrefix<'s>,
    reader: &Reader<'s>,
    words: &HeaderWords<'s>,
) -> bool {
    match words.get(0) {
        b"repeat" => {
            let count = number(words.get(1)).filter(|count| *count >= 2 && words.len() == 2);
            prefix.options.repetitions = count;
            if count.is_none() {
                let found = text_of(words.rest(1));
                let text = format!("expected a number of at least 2 after `repeat`, found `{found}`");
                prefix.refuse(reader, words, in_words(text));
            }
        }
        b"retry" => prefix.options.retry = Some(RETRY),
        _ => return false,
    }
    true
}

fn number(word: &[u8]) -> Option<u32> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

pub(super) fn read<'s>(
    reader: &mut Reader<'s>,
    words: &HeaderWords<'s>,
    prefix: &mut RecordPrefix<'s>,
) -> Body<'s> {
    let strict = !reader.profile.exact;
    let nothing = RecordKind::Control(Control::Ignored);
    let (kind, defect) = match words.get(0) {
        b"let" => return assignment(reader, words),
        b"copy" | b"copy-error" => return copy(reader, words, prefix),
        b"halt" | b"hash-threshold" => {
            lint(reader, words.line, LintKind::WithoutEffect);
            (nothing, None)
        }
        b"traceon" | b"traceoff" | b"kv-batch-size" | b"skip_on_retry" => (nothing, None),
        b"force-backup-restore" | b"upgrade" => {
            prefix.options.missing = Some(CLUSTER);
            (nothing, None)
        }
        b"awaitstatement" | b"awaitquery" => {
            prefix.options.missing = Some(ASYNC);
            (nothing, (words.len() != 2).then(|| in_words("expected one name after it")))
        }
        b"sleep" => match duration(words.get(1)) {
            Some(time) => (RecordKind::Control(Control::Sleep(time)), words.unused(2).filter(|_| strict)),
            None => {
                let found = text_of(words.rest(1));
                let text = format!("expected a duration as `1s` or `500ms` after `sleep`, found `{found}`");
                (nothing, Some(in_words(text)))
            }
        },
        b"subtest" => (subtest(reader, words.get(1)), (words.len() != 2).then(|| subtest_defect(words))),
        b"skip" => {
            // The next `subtest` ends it once.
            let skips = skips_in_subtest(reader);
            (RecordKind::Control(if skips { Control::Ignored } else { Control::BeginSkip }), None)
        }
        b"user" => user(words, prefix, strict),
        _ => return unknown(reader, words, KNOWN),
    };
    let effect = dropped(reader);
    (kind, defect.map(|kind| reader.defect(words.line, kind, effect)))
}

fn subtest_defect(words: &HeaderWords<'_>) -> ParseErrorKind {
    let found = text_of(words.rest(1));
    in_words(format!("expected one name after `subtest`, found `{found}`"))
}

/// Begins a subtest, and ends the skipping of the one before.
fn subtest<'s>(reader: &Reader<'s>, name: &'s [u8]) -> RecordKind<'s> {
    let skips = skips_in_subtest(reader);
    RecordKind::Control(if skips { Control::EndSkip } else { Control::Subtest(name) })
}

/// Returns whether there is a `skip` after the last `subtest`.
fn skips_in_subtest(reader: &Reader<'_>) -> bool {
    let controls = reader.items.iter().rev().filter_map(|item| match item {
        Item::Record(record) => match &record.kind {
            RecordKind::Control(control) => Some(control),
            _ => None,
        },
        _ => None,
    });
    let mut marks = controls
        .filter(|control| matches!(control, Control::BeginSkip | Control::EndSkip | Control::Subtest(_)));
    matches!(marks.next(), Some(Control::BeginSkip))
}

/// The user of a new cluster, with whom a file begins.
const DEFAULT_USER: &[u8] = b"root";

fn user<'s>(
    words: &HeaderWords<'s>,
    prefix: &mut RecordPrefix<'s>,
    strict: bool,
) -> (RecordKind<'s>, Option<ParseErrorKind>) {
    let name = words.get(1);
    let mut defect = name.is_empty().then(|| in_words("expected a name after `user`, found nothing"));
    match words.get(2).strip_prefix(b"nodeidx=").map(other_node) {
        Some(Ok(missing)) => prefix.options.missing = missing,
        Some(Err(kind)) => defect = Some(kind),
        None => defect = defect.or(words.unused(2).filter(|_| strict)),
    }
    let name = if name == DEFAULT_USER { &[] } else { name };
    (RecordKind::Control(Control::User(name)), defect)
}

/// Returns what a record needs that names a node by its number.
pub(super) fn other_node(node: &[u8]) -> Result<Option<MissingAbility>, ParseErrorKind> {
    match number(node) {
        Some(0) => Ok(None),
        Some(_) => Ok(Some(CLUSTER)),
        None => {
            let found = text_of(node);
            Err(in_words(format!("expected the number of a node after `nodeidx=`, found `{found}`")))
        }
    }
}

fn assignment<'s>(reader: &mut Reader<'s>, words: &HeaderWords<'s>) -> Body<'s> {
    let name = words.get(1).strip_prefix(b"$").filter(|name| is_name(name) && words.len() == 2);
    let mut defect = name.is_none().then(|| {
        let found = text_of(words.rest(1));
        let text = format!("expected one variable as `$name` after `let`, found `{found}`");
        reader.defect(words.line, in_words(text), dropped(reader))
    });
    let SqlText { sql, defect: in_sql } = sql(reader, words, false);
    if let Some(kind) = in_sql {
        let effect = dropped(reader);
        defect.get_or_insert_with(|| reader.defect(words.line, kind, effect));
    }
    (RecordKind::Let(Let { names: name.into_iter().collect(), sql }), defect)
}

fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// Reads `COPY … FROM STDIN` with its rows, which need more than SQL.
fn copy<'s>(reader: &mut Reader<'s>, words: &HeaderWords<'s>, prefix: &mut RecordPrefix<'s>) -> Body<'s> {
    prefix.options.missing = Some(MissingAbility { name: "sending rows beside SQL", runs_sql: false });
    let SqlText { sql, defect } = sql(reader, words, true);
    reader.span_while(|line| !line.is_blank());
    let effect = runs_sql(reader);
    let defect = defect.map(|kind| reader.defect(words.line, kind, effect));
    (RecordKind::Statement(Statement { sql, expected: StatementExpectation::Ok }), defect)
}

/// Reads a duration as `1s`, `500ms` or `1m30s`.
fn duration(text: &[u8]) -> Option<Duration> {
    let mut rest = std::str::from_utf8(text).ok().filter(|text| !text.is_empty())?;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|one: char| !one.is_ascii_digit() && one != '.')?;
        let (number, tail) = rest.split_at(digits);
        let length = tail.find(|one: char| one.is_ascii_digit() || one == '.').unwrap_or(tail.len());
        let (unit, behind) = tail.split_at(length);
        let unit = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total = total.checked_add(Duration::try_from_secs_f64(number.parse::<f64>().ok()? * unit).ok()?)?;
        rest = behind;
    }
    Some(total)
}
