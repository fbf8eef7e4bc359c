//! The symptom of a failure: its kind, and its message or the class of its values.

use std::collections::HashSet;

use slt_core::outcome::Difference;

/// The common appearance of records that may have one cause.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symptom {
    /// The kind, see [`slt_core::outcome::Problem::word`]; [`WRONG_RESULT`] for wrong values, [`WHOLE_FILE`] for files
    /// that fail without a failing record.
    pub kind: String,
    /// The message without names and numbers, or how the values differ.
    pub what: String,
}

/// The kind of results with wrong values, or a wrong number of them.
pub const WRONG_RESULT: &str = "wrong_result";

/// The kind of files that fail without a failing record.
pub const WHOLE_FILE: &str = "file";

/// The symptom of wrong results whose class does not indicate the cause.
pub const WRONG_VALUES: &str = "wrong values";

/// The symptom of failing records of which only the line is known.
pub(super) const UNKNOWN: (&str, &str) = ("unknown", "no details were kept");

/// The symptom in a report if the details were lost with the worker.
const LOST: (&str, &str) = ("unsupported", "lost with the worker");

impl Symptom {
    /// Returns whether another program reported only the failure.
    pub fn is_unknown(&self) -> bool {
        self.kind == "reported" && self.what.is_empty()
    }

    /// Returns the symptom of a group of failures, and the class of its values. `names` are the names of the SQL, if
    /// known; they are removed from the message.
    pub(super) fn new(kind: &str, what: &str, names: Option<&HashSet<String>>) -> (Self, Option<Difference>) {
        if matches!(kind, "rows_differ" | "hash_differs") {
            let class = Difference::from_word(what).unwrap_or(Difference::Values);
            let what = if class.is_telling() { class.word() } else { WRONG_VALUES };
            return (Self { kind: WRONG_RESULT.to_owned(), what: what.to_owned() }, Some(class));
        }
        if (kind, what) == LOST {
            return (Self { kind: UNKNOWN.0.to_owned(), what: what.to_owned() }, None);
        }
        let is_message = matches!(
            kind,
            "unexpected_error"
                | "unsupported"
                | "engine_panicked"
                | "engine_lost"
                | "adapter_fault"
                | "reported"
        );
        let what = if is_message { without_names(what, names) } else { what.to_owned() };
        (Self { kind: kind.to_owned(), what }, None)
    }

    /// Returns the symptom with `#` in place of digits.
    pub(super) fn without_digits(&self) -> Self {
        let mut what = String::with_capacity(self.what.len());
        for character in self.what.chars() {
            match character {
                digit if digit.is_ascii_digit() && what.ends_with('#') => {}
                digit if digit.is_ascii_digit() => what.push('#'),
                other => what.push(other),
            }
        }
        Self { kind: self.kind.clone(), what }
    }

    /// Returns whether records with different causes probably have this symptom.
    pub(super) fn is_vague(&self) -> bool {
        if self.kind == WRONG_RESULT {
            return self.what == WRONG_VALUES;
        }
        if self.kind == "unexpected_error" || self.kind == "unsupported" {
            let what = self.what.to_ascii_lowercase();
            let vague =
                ["syntax", "pars", "unsupported", "not supported", "implemented", "internal", "unexpected"];
            return vague.iter().any(|word| what.contains(word));
        }
        matches!(
            self.kind.as_str(),
            "unknown"
                | "unexpected_success"
                | "timed_out"
                | "label_differs"
                | "column_count_differs"
                | "process_died"
                | "out_of_memory"
                | "engine_lost"
                | "engine_panicked"
        )
    }

    /// Returns whether the record may fail because of the content of the database. SQL that the engine cannot parse or
    /// does not support fails with any content.
    pub(super) fn may_come_of_state(&self) -> bool {
        match self.kind.as_str() {
            WRONG_RESULT | "unexpected_success" | "column_count_differs" => true,
            "unexpected_error" => !self.is_vague(),
            _ => false,
        }
    }

    /// Returns whether the engine reports that a named object is missing.
    pub(super) fn misses_something(&self) -> bool {
        const WORDS: [&str; 12] = [
            "no such",
            "not found",
            "notfound",
            "not exist",
            "n't exist",
            "unknown",
            "undefined",
            "cannot find",
            "can't find",
            "could not find",
            "invalid object",
            "missing",
        ];
        let what = self.what.to_ascii_lowercase();
        self.kind == "unexpected_error" && WORDS.iter().any(|word| what.contains(word))
    }
}

/// Words of messages that are not replaced even if a column has the same name.
const PLAIN: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "by", "column", "error", "expected", "for", "found", "from",
    "function", "in", "index", "is", "name", "near", "no", "not", "of", "on", "or", "such", "table", "the",
    "to", "type", "value", "view", "with",
];

/// Replaces each name of the SQL in the message by `_`; several in a row become one. Without the SQL, letters followed
/// by digits count as names.
fn without_names(message: &str, names: Option<&HashSet<String>>) -> String {
    let is_name = |word: &str| {
        let small = word.to_ascii_lowercase();
        let looks_so = || {
            word.ends_with(|last: char| last.is_ascii_digit())
                && !word.starts_with(|first: char| first.is_ascii_digit())
        };
        !PLAIN.contains(&small.as_str()) && names.map_or_else(looks_so, |names| names.contains(&small))
    };
    let mut text = String::with_capacity(message.len());
    let mut rest = message;
    while !rest.is_empty() {
        let belongs = |c: char| c.is_alphanumeric() || c == '_';
        let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(length);
        // Older versions of this program have cut the digits of names, and left a mark.
        let is_cut = behind.starts_with('#') && word.ends_with(|last: char| last.is_ascii_digit());
        let behind = if is_cut { &behind[1..] } else { behind };
        text.push_str(if is_cut || is_name(word) { "_" } else { word });
        let other = behind.find(belongs).unwrap_or(behind.len());
        text.push_str(&behind[..other]);
        rest = &behind[other..];
    }
    for quoted in ["'_'", "\"_\"", "`_`"] {
        text = text.replace(quoted, "_");
    }
    text = without_lists(&text);
    while text.contains("_, _") {
        text = text.replace("_, _", "_");
    }
    text
}

/// Replaces further names in the message by `_`: names joined by a point, and lists of any length after a colon. Words
/// in capitals are SQL keywords and stay.
fn without_lists(message: &str) -> String {
    let belongs = |c: char| c.is_alphanumeric() || c == '_';
    let mut pieces: Vec<&str> = Vec::new();
    let mut rest = message;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| belongs(c) != belongs(first)).unwrap_or(rest.len());
        pieces.push(&rest[..end]);
        rest = &rest[end..];
    }
    let is_word =
        |piece: &str| piece.starts_with(belongs) && !piece.starts_with(|c: char| c.is_ascii_digit());
    let is_small = |piece: &str| {
        is_word(piece) && !piece.contains(char::is_uppercase) && !["and", "or"].contains(&piece)
    };
    let mut text = String::with_capacity(message.len());
    let mut at = 0;
    while at < pieces.len() {
        let run = |joint: &str, fits: &dyn Fn(&str) -> bool| {
            let pairs = pieces[at + 1..].chunks_exact(2);
            pairs.take_while(|pair| pair[0] == joint && fits(pair[1])).count()
        };
        let (path, list) = (run(".", &is_word), run(", ", &is_small));
        if is_word(pieces[at]) && path > 0 {
            text.push('_');
            at += 1 + 2 * path;
        } else if text.ends_with(": ") && is_small(pieces[at]) && list > 0 {
            text.push('_');
            at += 1 + 2 * list;
        } else {
            text.push_str(pieces[at]);
            at += 1;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_sql_are_taken_out() {
        let names: HashSet<String> = ["t1", "cola", "a", "main"].map(str::to_owned).into();
        let check = |message, expected| assert_eq!(without_names(message, Some(&names)), expected);
        check("no such table: t1", "no such table: _");
        check("no such table: main.t1", "no such table: _");
        check("no such function: FOO", "no such function: FOO");
        check("Column 'ColA' of a table", "Column _ of a table");
        check("one of \"_\", '_', cola", "one of _");
        check("no such column: col1#", "no such column: _");
        check(
            "Column x not found. Available columns: id, name, a",
            "Column x not found. Available columns: _",
        );
        check("UNIQUE constraint failed: a.id", "UNIQUE constraint failed: _");
        check("UNIQUE constraint failed: a.x, a.y", "UNIQUE constraint failed: _");
        check("no such column: s.b", "no such column: _");
        check("expected one of: SELECT, VALUES", "expected one of: SELECT, VALUES");
        check("too long, sorry; 1.5 of 3.25", "too long, sorry; 1.5 of 3.25");
        check("", "");
        check("é t1 ü", "é _ ü");
        assert_eq!(without_names("no such table: t1, or INT", None), "no such table: _, or INT");
    }

    #[test]
    fn symptoms() {
        let check = |kind, what, expected: (&str, &str), class| {
            let (symptom, found) = Symptom::new(kind, what, None);
            assert_eq!((symptom.kind.as_str(), symptom.what.as_str()), expected);
            assert_eq!(found, class);
        };
        check("rows_differ", "rows missing", (WRONG_RESULT, WRONG_VALUES), Some(Difference::Missing));
        check("hash_differs", "values behind a hash", (WRONG_RESULT, WRONG_VALUES), Some(Difference::Hash));
        check("rows_differ", "form of a number", (WRONG_RESULT, "form of a number"), Some(Difference::Form));
        check("rows_differ", "of the future", (WRONG_RESULT, WRONG_VALUES), Some(Difference::Values));
        check("unexpected_error", "no such x1", ("unexpected_error", "no such _"), None);
        check("timed_out", "over the time limit", ("timed_out", "over the time limit"), None);
    }
}
