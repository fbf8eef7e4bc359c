//! The PRAGMAs that VibeSQL can follow: switches of a database, which have a setter but no executor.

use vibesql::ast::{PragmaStmt, PragmaValue};
use vibesql::storage::Database;

/// A database switch: the name of its PRAGMA, its getter and its setter.
type PragmaSwitch = (&'static str, fn(&Database) -> bool, fn(&mut Database, bool));

static SWITCHES: [PragmaSwitch; 7] = [
    ("case_sensitive_like", Database::case_sensitive_like, Database::set_case_sensitive_like),
    ("defer_foreign_keys", Database::defer_foreign_keys, Database::set_defer_foreign_keys),
    ("foreign_keys", Database::foreign_keys_enabled, Database::set_foreign_keys_enabled),
    ("full_column_names", Database::full_column_names, Database::set_full_column_names),
    ("recursive_triggers", Database::recursive_triggers, Database::set_recursive_triggers),
    (
        "reverse_unordered_selects",
        Database::reverse_unordered_selects,
        Database::set_reverse_unordered_selects,
    ),
    ("short_column_names", Database::short_column_names, Database::set_short_column_names),
];

/// The request of a PRAGMA.
pub(super) enum PragmaRequest {
    /// Returns the state of the switch, by its getter.
    Get(fn(&Database) -> bool),
    /// Sets the switch, by its setter.
    Set(fn(&mut Database, bool), bool),
}

/// Parses a PRAGMA; `None` if VibeSQL lacks the switch or the value is not a boolean.
pub(super) fn request(stmt: &PragmaStmt) -> Option<PragmaRequest> {
    let (_, get, set) = SWITCHES.iter().find(|(name, ..)| stmt.name.eq_ignore_ascii_case(name))?;
    match &stmt.value {
        None => Some(PragmaRequest::Get(*get)),
        Some(value) => Some(PragmaRequest::Set(*set, parse_bool(value)?)),
    }
}

fn parse_bool(value: &PragmaValue) -> Option<bool> {
    let (PragmaValue::Identifier(word)
    | PragmaValue::String(word)
    | PragmaValue::Number(word)
    | PragmaValue::SignedNumber(word)) = value;
    match word.to_ascii_lowercase().as_str() {
        "on" | "yes" | "true" => Some(true),
        "off" | "no" | "false" => Some(false),
        number => number.parse::<i64>().ok().map(|number| number != 0),
    }
}
