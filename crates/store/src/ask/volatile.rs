//! Detects answers that depend on more than the rows, and so cannot be compared between engines.

use super::scan::{self, SqlPiece};

/// A dependency of an answer besides the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependency {
    /// Random values.
    Chance,
    /// The current time.
    Time,
    /// Earlier statements of the connection.
    Connection,
    /// The name, version or build of the engine.
    Engine,
}

/// The date and time functions. With fewer arguments than these they take the current time.
const TIME: &[(&str, usize)] = &[
    ("date", 1),
    ("time", 1),
    ("datetime", 1),
    ("julianday", 1),
    ("unixepoch", 1),
    ("strftime", 2),
    ("timediff", 2),
];

/// Returns the dependency of a statement that calls these `functions` according to SQLite, named in lower case.
///
/// | call | depends on |
/// |---|---|
/// | `random`, `randomblob` | chance |
/// | `current_timestamp`, `current_date`, `current_time` | time |
/// | a date or time function with a literal 'now', or without a time | time |
/// | `changes`, `total_changes`, `last_insert_rowid` | connection |
/// | `sqlite_version` and similar functions | engine |
/// | any other | nothing |
pub(super) fn depends_on(sql: &str, functions: &[String]) -> Option<Dependency> {
    let by_name = functions.iter().find_map(|function| by_name(function));
    by_name.or_else(|| reads_clock(sql, functions).then_some(Dependency::Time))
}

fn by_name(function: &str) -> Option<Dependency> {
    Some(match function {
        "random" | "randomblob" => Dependency::Chance,
        "current_timestamp" | "current_date" | "current_time" => Dependency::Time,
        "changes" | "total_changes" | "last_insert_rowid" => Dependency::Connection,
        "sqlite_version" | "sqlite_source_id" | "sqlite_compileoption_get" | "sqlite_compileoption_used" => {
            Dependency::Engine
        }
        _ => return None,
    })
}

fn reads_clock(sql: &str, functions: &[String]) -> bool {
    let pieces: Vec<_> = scan::pieces(sql).into_iter().filter(|piece| *piece != SqlPiece::Space).collect();
    pieces.windows(2).enumerate().any(|(place, pair)| {
        let [name, SqlPiece::Other("(")] = pair else { return false };
        let Some(name) = name.name() else { return false };
        let function = TIME.iter().find(|(function, _)| name.eq_ignore_ascii_case(function));
        // A common table expression may have the name of a function.
        function.is_some_and(|(function, needed)| {
            functions.iter().any(|called| called == function)
                && takes_now(&arguments(&pieces[place + 2..]), *needed)
        })
    })
}

fn takes_now(arguments: &[&[SqlPiece<'_>]], needed: usize) -> bool {
    let is_literal = |piece: &SqlPiece<'_>, words: &[&str]| {
        // SQLite treats an unknown name in double quotes as a string.
        matches!(piece, SqlPiece::Text(_) | SqlPiece::Name(_))
            && piece.name().is_some_and(|text| words.iter().any(|word| text.eq_ignore_ascii_case(word)))
    };
    // This modifier in place of a time also means the current time.
    let is_subsec = |argument: &&[SqlPiece<'_>]| matches!(argument, [piece] if is_literal(piece, &["subsec", "subsecond"]));
    arguments.len() < needed
        || arguments.get(needed - 1).is_some_and(is_subsec)
        || arguments.iter().copied().flatten().any(|piece| is_literal(piece, &["now"]))
}

/// Returns the arguments of a call, from the pieces after its opening parenthesis.
fn arguments<'p, 's>(pieces: &'p [SqlPiece<'s>]) -> Vec<&'p [SqlPiece<'s>]> {
    let mut found = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    for (place, piece) in pieces.iter().enumerate() {
        match piece {
            SqlPiece::Other("(") => depth += 1,
            SqlPiece::Other("," | ")") if depth == 0 => {
                found.push(&pieces[start..place]);
                start = place + 1;
                if *piece == SqlPiece::Other(")") {
                    break;
                }
            }
            SqlPiece::Other(")") => depth -= 1,
            _ => {}
        }
    }
    found.retain(|argument| !argument.is_empty());
    found
}
