//! Headers of records in expected results, as after a missing blank line.

use super::super::header::is_header;
use super::super::lines::{Line, words_of};
use super::{Matcher, Profile, duckdb, materialize};

/// Returns whether a line begins a record of the dialect, or a record that most dialects have. A value rarely does.
pub fn begins_record(line: &[u8], profile: &Profile) -> bool {
    // This decides for most values.
    if !line.trim_ascii_start().first().is_some_and(u8::is_ascii_lowercase) {
        return false;
    }
    let whole = Line { number: 1, start: 0, end: line.len(), text: line };
    is_header(whole, profile)
        || match profile.matcher {
            Matcher::ValuePerLine(_) => false,
            Matcher::Duckdb => duckdb::is_header(whole),
            Matcher::Materialize => materialize::begins_record(line),
            Matcher::Cockroach => words_of(line).next() == Some(b"subtest"),
            Matcher::SqllogictestRs | Matcher::Vibesql => begins_rs_record(line),
        }
}

fn begins_rs_record(line: &[u8]) -> bool {
    let mut words = words_of(line);
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match first {
        b"system" => matches!(second, b"ok" | b"error"),
        b"control" => matches!(second, b"sortmode" | b"resultmode" | b"substitution"),
        b"include" | b"subtest" | b"connection" => !second.is_empty() && words.next().is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DIALECTS, profile};
    use super::*;

    #[test]
    fn headers_are_told_from_values() {
        for dialect in DIALECTS {
            let profile = profile(dialect, false).expect("a known dialect");
            for line in
                ["query I", "query IT rowsort", "statement ok", "statement error x", "  halt", "onlyif x"]
            {
                assert!(begins_record(line.as_bytes(), profile), "{dialect}: {line}");
            }
            for line in ["", "1", "query", "query plan of it", "a statement ok", "QUERY I", "system tables"] {
                assert!(!begins_record(line.as_bytes(), profile), "{dialect}: {line}");
            }
        }
        for (dialect, line) in [
            ("rs", "system ok"),
            ("vibesql", "control sortmode rowsort"),
            ("duckdb", "loop i 0 3"),
            ("cockroach", "subtest x"),
            ("materialize", "simple"),
        ] {
            let profile = profile(dialect, false).expect("a known dialect");
            assert!(begins_record(line.as_bytes(), profile), "{dialect}: {line}");
        }
    }
}
