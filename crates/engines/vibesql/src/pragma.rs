//! The PRAGMAs that VibeSQL can follow: switches of a database, which have a setter but no executor.

use vibesql::ast::{PragmaStmt, PragmaValue};
use vibesql::storage::Database;

/// A database switch with a PRAGMA to read or set it.
pub(super) struct PragmaSwitch {
    name: &'static str,
    pub(super) get: fn(&Database) -> bool,
    pub(super) set: fn(&mut Database, bool),
}

static SWITCHES: [PragmaSwitch; 7] = [
    PragmaSwitch {
        name: "case_sensitive_like",
        get: Database::case_sensitive_like,
        set: Database::set_case_sensitive_like,
    },
    PragmaSwitch {
        name: "defer_foreign_keys",
        get: Database::defer_foreign_keys,
        set: Database::set_defer_foreign_keys,
    },
    PragmaSwitch {
        name: "foreign_keys",
        get: Database::foreign_keys_enabled,
        set: Database::set_foreign_keys_enabled,
    },
    PragmaSwitch {
        name: "full_column_names",
        get: Database::full_column_names,
        set: Database::set_full_column_names,
    },
    PragmaSwitch {
        name: "recursive_triggers",
        get: Database::recursive_triggers,
        set: Database::set_recursive_triggers,
    },
    PragmaSwitch {
        name: "reverse_unordered_selects",
        get: Database::reverse_unordered_selects,
        set: Database::set_reverse_unordered_selects,
    },
    PragmaSwitch {
        name: "short_column_names",
        get: Database::short_column_names,
        set: Database::set_short_column_names,
    },
];

/// The request of a PRAGMA.
pub(super) enum PragmaRequest {
    /// Returns the state of the switch.
    Get(&'static PragmaSwitch),
    /// Sets the switch.
    Set(&'static PragmaSwitch, bool),
}

/// Parses a PRAGMA; `None` if VibeSQL lacks the switch or the value is not a boolean.
pub(super) fn request(stmt: &PragmaStmt) -> Option<PragmaRequest> {
    let switch = SWITCHES.iter().find(|switch| stmt.name.eq_ignore_ascii_case(switch.name))?;
    match &stmt.value {
        None => Some(PragmaRequest::Get(switch)),
        Some(value) => Some(PragmaRequest::Set(switch, parse_bool(value)?)),
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
