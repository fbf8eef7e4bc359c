//! Records of one line.

use super::RsFlavor;
use super::header::found;
use crate::location::text_of;
use crate::parser::blocks::{joined, number, wanted_duration};
use crate::parser::control::Control;
use crate::parser::record::{Layout, SortMode};

/// Reads a record of one line. `None` if its first word is not known.
///
/// # Errors
///
/// What is wrong.
pub(super) fn control<'s>(
    words: &[&'s [u8]],
    flavor: &RsFlavor,
    exact: bool,
) -> Option<Result<Control<'s>, String>> {
    Some(match words {
        [b"halt"] => Ok(Control::Halt),
        [b"include", pattern] => Ok(Control::Include(pattern)),
        [b"subtest", name] => Ok(Control::Subtest(name)),
        [b"sleep", time] => wanted_duration(time).map(Control::Sleep),
        [b"hash-threshold", threshold] => number(threshold).map(Control::HashThreshold).ok_or_else(|| {
            format!("expected a number after `hash-threshold`, found `{}`", text_of(threshold))
        }),
        [b"control", setting, value] => setting_of(setting, value, exact),
        [b"dialect", mode] if flavor.has_engine_modes => Ok(Control::EngineMode(mode)),
        // Records of SereneDB.
        [b"show-column-names", value] if !exact => {
            switch(value, b"true", b"false").map(Control::ShowColumnNames)
        }
        [b"flat-values", value] if !exact => switch(value, b"true", b"false")
            .map(|flat| Control::ResultLayout(if flat { Layout::Values } else { Layout::Default })),
        [b"wait"] | [b"print", ..] if !exact => Ok(Control::Ignored),
        [b"halt", behind @ ..] => Err(unused("halt", behind)),
        [name @ (b"include" | b"subtest" | b"sleep" | b"hash-threshold"), behind @ ..] => {
            let name = text_of(name);
            Err(match behind {
                [_, behind @ ..] if !behind.is_empty() => {
                    unused(&format!("{name} {}", text_of(words[1])), behind)
                }
                _ => format!("expected a word after `{name}`, found {}", found(behind.first())),
            })
        }
        [b"control", behind @ ..] => Err(format!(
            "expected a setting and its value after `control`, found `{}`",
            text_of(&joined(behind))
        )),
        _ => return None,
    })
}

fn unused(after: &str, words: &[&[u8]]) -> String {
    format!("expected nothing after `{after}`, found `{}`", text_of(&joined(words)))
}

fn setting_of<'s>(setting: &[u8], value: &[u8], exact: bool) -> Result<Control<'s>, String> {
    let wrong = |expected: &str| {
        let (setting, value) = (text_of(setting), text_of(value));
        Err(format!("expected {expected} after `control {setting}`, found `{value}`"))
    };
    match setting {
        b"sortmode" => match SortMode::from_word(value) {
            Some(sort) => Ok(Control::SortMode(sort)),
            None => wrong("nosort, rowsort or valuesort"),
        },
        b"resultmode" => match value {
            b"rowwise" => Ok(Control::ResultLayout(Layout::Rows)),
            b"valuewise" => Ok(Control::ResultLayout(Layout::Values)),
            _ => wrong("rowwise or valuewise"),
        },
        b"substitution" => switch(value, b"on", b"off").map(Control::Substitution),
        // Settings of SereneDB. Nothing is executed at the same time here.
        b"max-async-connections" if !exact => match number(value) {
            Some(_) => Ok(Control::Ignored),
            None => wrong("a number"),
        },
        b"always-async" if !exact => switch(value, b"on", b"off").map(|_| Control::Ignored),
        _ => Err(format!(
            "expected sortmode, resultmode or substitution after `control`, found `{}`",
            text_of(setting)
        )),
    }
}

fn switch(value: &[u8], on: &[u8], off: &[u8]) -> Result<bool, String> {
    match value {
        _ if value == on => Ok(true),
        _ if value == off => Ok(false),
        _ => Err(format!("expected {} or {}, found `{}`", text_of(on), text_of(off), text_of(value))),
    }
}
