//! The core's defects in the words of the original.

use slt_core::parser as core;

use super::ParseErrorKind;

/// Makes a kind of the text that the core has found.
type FromFound = fn(String) -> ParseErrorKind;

/// The beginnings of the core's texts, and what the original calls these defects. The core tells more than the original, which
/// has no other words for most of them than that the line is wrong.
const KINDS: &[(&str, FromFound)] = &[
    ("expected a duration", ParseErrorKind::InvalidDuration),
    ("expected a number of attempts after `retry`, found `0`", ParseErrorKind::InvalidRetryConfig),
    ("expected a number", ParseErrorKind::InvalidNumber),
    ("expected a regular expression", ParseErrorKind::InvalidErrorMessage),
    ("expected an error behind `error` or below", |_| ParseErrorKind::DuplicatedErrorMessage),
    ("expected SQL or an empty line, found `----`", |_| ParseErrorKind::StatementHasResults),
    ("expected `retry N backoff DURATION`", retry_kind),
    ("expected `retry` or nothing", |found| {
        let first = found.split_whitespace().next().unwrap_or_default();
        ParseErrorKind::UnexpectedToken(first.to_owned())
    }),
    ("expected nosort, rowsort or valuesort", ParseErrorKind::InvalidSortMode),
    ("expected rowwise or valuewise", ParseErrorKind::InvalidSortMode),
    ("expected on or off", ParseErrorKind::InvalidControl),
    ("expected names of variables after `let`, found `", ParseErrorKind::InvalidVariableName),
];

/// Returns the kind of a defect in a line.
pub(super) fn kind_of(defect: &core::ParseErrorKind, line: &str) -> ParseErrorKind {
    let text = defect.to_string();
    let Some((_, kind)) = KINDS.iter().find(|(beginning, _)| text.starts_with(beginning)) else {
        return ParseErrorKind::InvalidLine(line.to_owned());
    };
    let found = text.split_once("found `").and_then(|(_, found)| found.rsplit_once('`'));
    kind(found.map_or(text.as_str(), |(found, _)| found).to_owned())
}

/// Returns the kind of a wrong `retry N backoff DURATION`: a word is missing, or one is wrong.
fn retry_kind(found: String) -> ParseErrorKind {
    match found.split(' ').collect::<Vec<_>>().as_slice() {
        [_, _, "backoff", _, wrong, ..] => ParseErrorKind::UnexpectedToken((*wrong).to_owned()),
        [_, _, "backoff", ..] | [] | [_] | [_, _] => ParseErrorKind::InvalidRetryConfig(found),
        [_, _, wrong, ..] => ParseErrorKind::UnexpectedToken((*wrong).to_owned()),
    }
}
