//! What can be entered: SQL and dot commands.

use std::collections::BTreeSet;

use crate::cli::error::CliError;
use crate::cli::prompt::{DotCommand, ShellLanguage, complete_sql, matching, unknown_command};

/// The commands.
pub(super) const COMMANDS: &[DotCommand] = &[
    (".next", "[N]", "run the next record, or the next N, and show the outcome"),
    (".continue", "", "run records up to the first one that does not pass"),
    (".diff", "", "run the query of the next record and stay before it"),
    (".expect", "", "show the next record: SQL, expectation, place"),
    (".list", "", "list the records around the next one"),
    (".goto", "LINE", "rebuild the state before the record on LINE"),
    (".rerun", "", "read the file again and rebuild the state, for instance after an edit"),
    (".help", "", "this list"),
    (".quit", "", "leave the shell (also Ctrl-D)"),
];

/// An entry of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ShellEntry<'t> {
    Nothing,
    Sql(&'t str),
    Next(u32),
    Continue,
    Diff,
    Expect,
    List,
    Goto(u32),
    Rerun,
    Help,
    Quit,
}

/// Parses an entry. The beginning of a command is enough, if no other one begins with it.
pub(super) fn parse(text: &str) -> Result<ShellEntry<'_>, CliError> {
    if !text.starts_with('.') {
        // The records of most files end without a semicolon, so every engine takes SQL without it.
        let sql = text.trim_end_matches(|c: char| c == ';' || c.is_whitespace());
        return Ok(if sql.is_empty() { ShellEntry::Nothing } else { ShellEntry::Sql(sql) });
    }
    let text = text.trim_end_matches(|c: char| c == ';' || c.is_whitespace());
    let (word, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let argument = argument.trim();
    let names = || COMMANDS.iter().map(|(name, _, _)| *name).chain([".exit"]);
    let begun: Vec<_> = names().filter(|name| word.len() > 1 && name.starts_with(word)).collect();
    let command = match begun.as_slice() {
        _ if names().any(|name| name == word) => word,
        [command] => command,
        [] => return Err(unknown_command(word, COMMANDS)),
        several => {
            let hint = format!("did you mean one of {}?", several.join(", "));
            return Err(CliError::usage(format!("`{word}` is not one command"), hint));
        }
    };
    let takes_argument = [".next", ".goto"].contains(&command);
    if !takes_argument && !argument.is_empty() {
        let hint = "enter a dot command by itself";
        return Err(CliError::usage(format!("`{command}` takes no argument, found `{argument}`"), hint));
    }
    let number = |example: &str| {
        let message = format!("expected a number, found `{argument}`");
        argument
            .parse::<u32>()
            .map_err(|_| CliError::usage(message, format!("enter for example `{example}`")))
    };
    Ok(match command {
        ".next" if argument.is_empty() => ShellEntry::Next(1),
        ".next" => ShellEntry::Next(number(".next 5")?),
        ".goto" if argument.is_empty() => {
            return Err(CliError::usage("`.goto` needs a line", "enter for example `.goto 12`"));
        }
        ".goto" => ShellEntry::Goto(number(".goto 12")?),
        ".continue" => ShellEntry::Continue,
        ".diff" => ShellEntry::Diff,
        ".expect" => ShellEntry::Expect,
        ".list" => ShellEntry::List,
        ".rerun" => ShellEntry::Rerun,
        ".help" => ShellEntry::Help,
        _ => ShellEntry::Quit,
    })
}

/// SQL of any dialect, and dot commands.
pub(super) struct EngineLanguage {
    /// Words of the test file, which are the names of tables and columns among others.
    pub(super) words: BTreeSet<String>,
}

impl ShellLanguage for EngineLanguage {
    fn completions(&self, typed: &str) -> (usize, Vec<String>) {
        if typed.starts_with('.') {
            (0, matching(typed, COMMANDS.iter().map(|(name, _, _)| *name)))
        } else {
            complete_sql(typed, self.words.iter().map(String::as_str))
        }
    }

    fn is_entered(&self, text: &str) -> bool {
        is_entered(text)
    }
}

/// Whether a text is complete: SQL ends with a semicolon, a dot command with its line.
pub(super) fn is_entered(text: &str) -> bool {
    let start = text.trim_start();
    start.is_empty() || start.starts_with('.') || ends_statement(start)
}

/// Whether SQL ends with the semicolon of a statement. That of a trigger or procedure with a body is behind its `END`.
fn ends_statement(sql: &str) -> bool {
    let mut rest = sql;
    let mut words: Vec<&str> = Vec::new();
    let mut ended = false;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' | '`' => quoted(rest, first),
            '-' if rest.starts_with("--") => match rest.find('\n') {
                Some(end) => end,
                None => return ended,
            },
            '/' if rest.starts_with("/*") => match rest[2..].find("*/") {
                Some(end) => end + 4,
                None => return false,
            },
            '$' => dollar_quoted(rest),
            first if first.is_whitespace() => first.len_utf8(),
            ';' => {
                ended = !is_open_body(&words);
                if ended {
                    words.clear();
                }
                rest = &rest[1..];
                continue;
            }
            first if first.is_alphanumeric() || first == '_' => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                words.push(&rest[..end]);
                ended = false;
                end
            }
            first => {
                ended = false;
                first.len_utf8()
            }
        };
        ended &= first.is_whitespace() || first == '-' || first == '/';
        if length > rest.len() {
            return false;
        }
        rest = &rest[length..];
    }
    ended
}

/// Whether these words begin a trigger or procedure, with a body that has not ended.
fn is_open_body(words: &[&str]) -> bool {
    let is = |word: &&str, wanted: &[&str]| wanted.iter().any(|wanted| word.eq_ignore_ascii_case(wanted));
    let creates = words.first().is_some_and(|word| is(word, &["CREATE"]))
        && words.iter().take(6).any(|word| is(word, &["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"]));
    let has_body = words.iter().any(|word| is(word, &["BEGIN"]));
    creates && has_body && !words.last().is_some_and(|word| is(word, &["END"]))
}

/// Returns the length of a quoted text, longer than the text if the end is missing. A doubled quote is two texts.
fn quoted(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(usize::MAX, |end| end + 2)
}

/// Returns the length of a text in dollar quotes, `$tag$ … $tag$`, or of a lone dollar sign.
fn dollar_quoted(text: &str) -> usize {
    let end_of_tag = text[1..].find(|c: char| !c.is_alphanumeric() && c != '_').map(|end| end + 1);
    // `$1` is a parameter.
    let is_parameter = text[1..].starts_with(|c: char| c.is_ascii_digit());
    let end_of_tag = end_of_tag.filter(|&end| text[end..].starts_with('$') && !is_parameter);
    let Some(end_of_tag) = end_of_tag else { return 1 };
    let tag = &text[..=end_of_tag];
    text[tag.len()..].find(tag).map_or(usize::MAX, |end| end + 2 * tag.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries() {
        for (text, expected) in [
            ("", ShellEntry::Nothing),
            (" ; ", ShellEntry::Nothing),
            ("SELECT 1; SELECT 2;", ShellEntry::Sql("SELECT 1; SELECT 2")),
            (".next", ShellEntry::Next(1)),
            (".n 5;", ShellEntry::Next(5)),
            (".goto 12", ShellEntry::Goto(12)),
            (".exit", ShellEntry::Quit),
            (".q", ShellEntry::Quit),
            (".exp", ShellEntry::Expect),
        ] {
            assert_eq!(parse(text).ok(), Some(expected), "{text}");
        }
        for wrong in [".", ".e", ".nonsense", ".goto", ".goto x", ".next -1", ".help me"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ends_of_statements() {
        for text in [
            "",
            ".next",
            "SELECT 1;",
            "SELECT ';';",
            "SELECT 1; -- done",
            "SELECT 1; /* done */ ",
            "SELECT 'it''s';",
            "SELECT $1$, $$;$$, $a$ $$ ; $a$;",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END;",
            "SELECT 1;\nSELECT 2;",
            "BEGIN;",
        ] {
            assert!(is_entered(text), "{text}");
        }
        for text in [
            "SELECT 1",
            "SELECT 1; SELECT 2",
            "SELECT ';",
            "SELECT 'it'';",
            "SELECT 1 -- ;",
            "SELECT 1 /* ;",
            "SELECT \";",
            "SELECT $a$ ; $$ ;",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1;",
            "CREATE TEMP TRIGGER t BEFORE DELETE ON a BEGIN DELETE FROM b; DELETE FROM c;",
        ] {
            assert!(!is_entered(text), "{text}");
        }
    }
}
