//! Classifies groups of failures in the terms of VibeSQL's earlier scripts, with an estimate of the effort to fix them.

use slt_core::outcome::FailureGroup;

/// The class of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FailureClass {
    /// The error type.
    pub(super) error_type: &'static str,
    /// The pattern, finer than the type.
    pub(super) pattern: &'static str,
    pub(super) effort: FixEffort,
}

/// The effort of a fix, by the earlier scripts' rule of thumb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FixEffort {
    Low = 1,
    Medium = 2,
    High = 3,
}

impl FixEffort {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
        }
    }
}

/// Classes by patterns in a message; the first match counts. All words must occur, in any case.
const BY_MESSAGE: [(&[&str], &str, &str, FixEffort); 21] = [
    (&["result mismatch", ".000"], "Result Mismatch", "Decimal formatting (N.000 vs N)", FixEffort::Low),
    (&["result mismatch"], "Result Mismatch", "Wrong values", FixEffort::Medium),
    (&["invalidline"], "InvalidLine", "Malformed record", FixEffort::Low),
    (&["columnnotfound"], "ColumnNotFound", "Case-sensitive column resolution", FixEffort::Medium),
    (&["no such column"], "ColumnNotFound", "Column not found", FixEffort::Medium),
    (&["column", "not found"], "ColumnNotFound", "Column not found", FixEffort::Medium),
    (&["typemismatch", "not"], "TypeMismatch", "NOT NULL type mismatch", FixEffort::Medium),
    (&["typemismatch"], "TypeMismatch", "Type mismatch", FixEffort::Medium),
    (&["type mismatch"], "TypeMismatch", "Type mismatch", FixEffort::Medium),
    (&["parse", "error"], "Parse Error", "SQL parse error", FixEffort::High),
    (&["syntax error"], "Parse Error", "SQL parse error", FixEffort::High),
    (&["expected", "found"], "Parse Error", "SQL parse error", FixEffort::High),
    (&["unsupportedexpression"], "UnsupportedExpression", "Unsupported expression", FixEffort::Medium),
    (&["nullif"], "Missing Function", "Missing function: NULLIF/COALESCE", FixEffort::Low),
    (&["coalesce"], "Missing Function", "Missing function: NULLIF/COALESCE", FixEffort::Low),
    (&["no such function"], "Missing Function", "Missing function", FixEffort::Low),
    (&["function", "not found"], "Missing Function", "Missing function", FixEffort::Low),
    (&["division", "zero"], "DivisionByZero", "Division by zero", FixEffort::Low),
    (&["not implemented"], "Not Implemented", "Feature not implemented", FixEffort::High),
    (&["not supported"], "Not Implemented", "Feature not implemented", FixEffort::High),
    (&["table", "not found"], "TableNotFound", "Table not found", FixEffort::Medium),
];

/// Classifies a group.
pub(super) fn classify(group: &FailureGroup) -> FailureClass {
    let class = |error_type, pattern, effort| FailureClass { error_type, pattern, effort };
    match (group.kind.as_str(), group.what.as_str()) {
        ("rows_differ", "form of a number") => {
            class("Result Mismatch", "Decimal formatting (N.000 vs N)", FixEffort::Low)
        }
        ("rows_differ", "order of the values") => class("Result Mismatch", "Order of rows", FixEffort::Low),
        ("rows_differ" | "hash_differs", "number of values" | "rows missing" | "rows too many") => {
            class("Result Mismatch", "Number of rows", FixEffort::Medium)
        }
        ("rows_differ", "one row per line") => class("Result Mismatch", "One row per line", FixEffort::Low),
        ("rows_differ", "duplicates") => class("Result Mismatch", "Duplicate rows", FixEffort::Medium),
        ("rows_differ", "NULL or a value") => class("Result Mismatch", "NULL handling", FixEffort::Medium),
        ("rows_differ", "case of letters") => class("Result Mismatch", "Case of letters", FixEffort::Low),
        ("rows_differ", "last digits of a number") => class("Result Mismatch", "Rounding", FixEffort::Low),
        ("rows_differ" | "hash_differs", _) => class("Result Mismatch", "Wrong values", FixEffort::Medium),
        ("presentation_differs", _) => class("Result Mismatch", "Hash or list", FixEffort::Low),
        ("column_count_differs", _) => class("Result Mismatch", "Number of columns", FixEffort::Medium),
        ("label_differs", _) => class("Result Mismatch", "Results of one label differ", FixEffort::Medium),
        ("unexpected_success", _) => class("Missing Error", "An error was expected", FixEffort::Medium),
        ("timed_out", _) => class("Timeout", "Over the time limit", FixEffort::High),
        ("malformed", _) => class("InvalidLine", "Malformed record", FixEffort::Low),
        ("engine_panicked", _) => class("Crash", "Panic of the engine", FixEffort::Medium),
        ("engine_lost" | "process_died", _) => class("Crash", "Engine lost", FixEffort::High),
        ("out_of_memory", _) => class("Out Of Memory", "Over the memory limit", FixEffort::High),
        ("adapter_fault", _) => class("Adapter Fault", "Adapter fault", FixEffort::Medium),
        (kind, what) => {
            let message = what.to_ascii_lowercase();
            let fits = |words: &&[&str]| words.iter().all(|word| message.contains(word));
            match BY_MESSAGE.iter().find(|(words, ..)| fits(words)) {
                Some(&(_, error_type, pattern, effort)) => class(error_type, pattern, effort),
                None if kind == "unsupported" => {
                    class("Not Implemented", "Feature not implemented", FixEffort::High)
                }
                None => class("Other", "Other error", FixEffort::Medium),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_both_engines_are_known() {
        let check = |kind: &str, what: &str, error_type, pattern| {
            let group =
                FailureGroup { kind: kind.to_owned(), what: what.to_owned(), records: 1, first_line: 1 };
            let found = classify(&group);
            assert_eq!((found.error_type, found.pattern), (error_type, pattern), "{kind}: {what}");
        };
        check("unexpected_error", "no such column: x", "ColumnNotFound", "Column not found");
        check(
            "unexpected_error",
            "ColumnNotFound { .. }",
            "ColumnNotFound",
            "Case-sensitive column resolution",
        );
        check("unexpected_error", "Parse error: near SELECT", "Parse Error", "SQL parse error");
        check("unexpected_error", "near \"_\": syntax error", "Parse Error", "SQL parse error");
        check("unexpected_error", "Division by zero", "DivisionByZero", "Division by zero");
        check("unexpected_error", "something new", "Other", "Other error");
        check("unsupported", "PRAGMA", "Not Implemented", "Feature not implemented");
        check("rows_differ", "form of a number", "Result Mismatch", "Decimal formatting (N.000 vs N)");
    }
}
