//! The choice of the dialect of a file.
//!
//! A request wins, then a comment of the file, then evidence in its text, then the ending of its name. Text that only one
//! of two families of dialects can read decides; a file with such text of both is refused, because any choice would run
//! a part of it with a wrong meaning.

use std::fmt;

use super::evidence::{EvidencePiece, EvidenceStrength, collect};
use super::families::{ALL, DUCKDB, DialectSet, MATERIALIZE, NAMES, RS, SQLITE};
use super::{Profile, UnknownDialect, profile};
use crate::location::{Source, text_of};

/// A dialect that was requested for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialectRequest<'r> {
    /// Its name.
    pub name: &'r str,
    /// Who has requested it.
    pub by: RequestOrigin,
}

/// Who has requested a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestOrigin {
    /// A setting for all files.
    Setting,
    /// A setting for files with this path.
    Override,
    /// The report of an earlier run.
    Report,
}

/// A dialect, and the reason for which it was chosen.
#[derive(Debug, Clone)]
pub struct ChosenDialect {
    /// Its rules.
    pub profile: &'static Profile,
    /// The reason.
    pub reason: DialectReason,
}

/// The reason for the choice of a dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialectReason {
    /// It was requested.
    Requested(RequestOrigin),
    /// A comment in the file names it.
    Comment {
        /// The line of the comment.
        line: u32,
    },
    /// The text shows it.
    Evidence(DialectEvidence),
    /// Files with this ending are usually in this dialect.
    Ending(&'static str),
    /// Nothing shows another.
    Default,
}

impl DialectReason {
    /// Returns the name of the kind of reason in documents for machines.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Requested(RequestOrigin::Setting) => "setting",
            Self::Requested(RequestOrigin::Override) => "override",
            Self::Requested(RequestOrigin::Report) => "report",
            Self::Comment { .. } => "comment",
            Self::Evidence(_) => "evidence",
            Self::Ending(_) => "ending",
            Self::Default => "default",
        }
    }

    /// Returns the line that the reason is on.
    pub fn line(&self) -> Option<u32> {
        match self {
            Self::Comment { line } | Self::Evidence(DialectEvidence { line, .. }) => Some(*line),
            _ => None,
        }
    }
}

impl fmt::Display for DialectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requested(RequestOrigin::Setting) => f.write_str("the setting `dialect`"),
            Self::Requested(RequestOrigin::Override) => f.write_str("an override of the configuration"),
            Self::Requested(RequestOrigin::Report) => f.write_str("the report of the run"),
            Self::Comment { line } => write!(f, "the comment on line {line}"),
            Self::Evidence(DialectEvidence { line, text }) => write!(f, "`{text}` on line {line}"),
            Self::Ending(ending) => write!(f, "the ending `{ending}`"),
            Self::Default => f.write_str("the default"),
        }
    }
}

/// Text of a file that shows its dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialectEvidence {
    /// The line, counted from 1.
    pub line: u32,
    /// The text of the line, or its beginning.
    pub text: String,
}

/// A reason why no dialect can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialectError {
    /// The requested dialect, or that of a comment, is unknown.
    #[error(transparent)]
    Unknown(#[from] UnknownDialect),
    /// No dialect can read the whole file.
    #[error(
        "the file mixes dialects: `{}` on line {} is {}, `{}` on line {} is {}",
        first.text, first.line, names(first_dialects), second.text, second.line, names(second_dialects)
    )]
    Mixed {
        /// The first piece of evidence.
        first: DialectEvidence,
        /// The dialects that it is evidence of.
        first_dialects: Vec<&'static str>,
        /// A piece of evidence that contradicts it.
        second: DialectEvidence,
        /// The dialects that this is evidence of.
        second_dialects: Vec<&'static str>,
    },
}

impl DialectError {
    /// Returns the line of the error in the file, if it is in the file.
    pub fn line(&self) -> Option<u32> {
        match self {
            Self::Mixed { second, .. } => Some(second.line),
            Self::Unknown(_) => None,
        }
    }
}

fn names(dialects: &[&str]) -> String {
    match dialects {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

/// Chooses the dialect of a file, with the reference runner's gaps if `exact`.
///
/// # Errors
///
/// [`DialectError`] for an unknown dialect, and for a file that mixes dialects.
pub fn choose(
    source: &Source,
    request: Option<DialectRequest<'_>>,
    exact: bool,
) -> Result<ChosenDialect, DialectError> {
    let bytes = source.bytes();
    let (name, reason) = if let Some(request) = request {
        (request.name.to_owned(), DialectReason::Requested(request.by))
    } else if let Some((line, name)) = named_in_comment(bytes) {
        (text_of(name), DialectReason::Comment { line })
    } else {
        let (name, reason) = by_evidence(bytes, source.name())?;
        (name.to_owned(), reason)
    };
    Ok(ChosenDialect { profile: profile(&name, exact)?, reason })
}

/// The number of lines in which a file may name its dialect.
const COMMENT_LINES: usize = 20;

fn named_in_comment(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = bytes.split(|&byte| byte == b'\n').take(COMMENT_LINES);
    (1..).zip(lines).find_map(|(number, line)| {
        let comment = line.strip_prefix(b"#")?.trim_ascii();
        Some((number, comment.strip_prefix(b"slt-dialect:")?.trim_ascii()))
    })
}

/// The endings of names, and the dialect of most files with them; then the next most.
const ENDINGS: &[(&str, DialectSet)] = &[
    (".slt", RS),
    (".part", RS),
    (".serial", RS),
    (".slt", MATERIALIZE),
    (".test_slow", DUCKDB),
    (".test_coverage", DUCKDB),
    (".test_template", DUCKDB),
];

fn by_evidence(bytes: &[u8], name: &str) -> Result<(&'static str, DialectReason), DialectError> {
    let pieces = collect(bytes);
    let mut possible = ALL;
    for piece in pieces.iter().filter(|piece| piece.strength == EvidenceStrength::Certain) {
        let narrowed = possible.and(piece.allows);
        if narrowed.is_empty() {
            return Err(mixed(&pieces, piece));
        }
        possible = narrowed;
    }
    let ending = |possible: DialectSet| {
        ENDINGS.iter().find(|(ending, usual)| name.ends_with(ending) && !possible.and(*usual).is_empty())
    };
    // Projects with files of such endings keep comments of files that they have converted.
    if ending(possible).is_some_and(|(_, usual)| *usual == RS) {
        possible = possible.without(DUCKDB);
    }
    // A single line that SQLite's runner rejects may be a mistake, which its dialect reports.
    let is_against_sqlite = |piece: &&EvidencePiece<'_>| {
        let is_weak = matches!(piece.strength, EvidenceStrength::Header | EvidenceStrength::Layout);
        is_weak && piece.allows.and(SQLITE).is_empty()
    };
    let against_sqlite: u32 = pieces.iter().filter(is_against_sqlite).map(|piece| piece.count).sum();
    let is_mistake = against_sqlite == 1 && !possible.and(SQLITE).is_empty();
    for strength in [EvidenceStrength::Header, EvidenceStrength::Comment, EvidenceStrength::Layout] {
        let of_strength = pieces.iter().filter(|piece| piece.strength == strength);
        for piece in of_strength.filter(|piece| !(is_mistake && is_against_sqlite(piece))) {
            let narrowed = possible.and(piece.allows);
            possible = if narrowed.is_empty() { possible } else { narrowed };
        }
    }
    let ending = ending(possible);
    let chosen = ending.map_or(possible, |(_, usual)| *usual).first();
    let supports = |piece: &&EvidencePiece<'_>| !piece.allows.and(chosen).is_empty();
    let evidence =
        pieces.iter().filter(supports).min_by_key(|piece| (piece.strength, piece.allows.len(), piece.line));
    let reason = match (evidence, ending) {
        (Some(piece), _) => DialectReason::Evidence(evidence_of(piece)),
        (None, Some((ending, _))) => DialectReason::Ending(ending),
        (None, None) => DialectReason::Default,
    };
    Ok((chosen.names().next().unwrap_or(NAMES[0]), reason))
}

/// Text that is evidence of other dialects than the one of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignText {
    /// The text.
    pub evidence: DialectEvidence,
    /// The dialects that it is evidence of.
    pub dialects: Vec<&'static str>,
}

/// Returns the first text of each kind that `dialect` reads differently than those that it is written for.
pub fn foreign_text(source: &Source, dialect: &str) -> Vec<ForeignText> {
    let reads = |piece: &EvidencePiece<'_>| piece.allows.names().any(|name| name == dialect);
    let pieces = collect(source.bytes()).into_iter();
    let foreign = pieces.filter(|piece| piece.strength <= EvidenceStrength::Header && !reads(piece));
    let found = foreign
        .map(|piece| ForeignText { evidence: evidence_of(&piece), dialects: piece.allows.names().collect() });
    found.collect()
}

/// Returns the error of a file in which nothing can read both `second` and the certain evidence before it.
fn mixed(pieces: &[EvidencePiece<'_>], second: &EvidencePiece<'_>) -> DialectError {
    let before =
        pieces.iter().filter(|piece| piece.strength == EvidenceStrength::Certain && piece.line < second.line);
    let contradicts = |piece: &EvidencePiece<'_>| !piece.allows.and(second.allows).is_empty();
    // Any two pieces of two families contradict each other; two within a family, through a third.
    let first = before.min_by_key(|piece| (contradicts(piece), piece.line)).unwrap_or(second);
    DialectError::Mixed {
        first: evidence_of(first),
        first_dialects: first.allows.names().collect(),
        second: evidence_of(second),
        second_dialects: second.allows.names().collect(),
    }
}

/// The number of characters of a line that a message shows.
const SHOWN: usize = 60;

fn evidence_of(piece: &EvidencePiece<'_>) -> DialectEvidence {
    let text = text_of(piece.text.trim_ascii());
    let text = match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    DialectEvidence { line: piece.line, text }
}

#[cfg(test)]
mod tests;
