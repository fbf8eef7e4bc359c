//! Completes words on the Tab key, and finds the end of a statement.

use super::names::{COMMANDS, columns, tables};
use crate::cli::prompt::{ShellLanguage, complete_sql, matching};
use slt_store::ask::presets::PRESETS;
use slt_store::ask::{is_whole, statements};

/// Queries and dot commands.
pub(super) struct QueryLanguage;

impl ShellLanguage for QueryLanguage {
    fn completions(&self, typed: &str) -> (usize, Vec<String>) {
        completions(typed)
    }

    fn is_entered(&self, text: &str) -> bool {
        is_entered(text)
    }
}

/// Returns the start of the typed word, and its completions.
fn completions(typed: &str) -> (usize, Vec<String>) {
    if !typed.starts_with('.') {
        return complete_sql(typed, tables().chain(columns()));
    }
    let command = typed.split_once(' ').map(|(command, _)| command);
    let start = command.map_or(0, |command| command.len() + 1);
    let names: Vec<&str> = match command {
        None => COMMANDS.iter().map(|(name, _, _)| *name).collect(),
        Some(".schema") => tables().collect(),
        Some(".preset") => PRESETS.iter().map(|preset| preset.name).collect(),
        Some(".format") => vec!["table", "csv", "json", "jsonl", "markdown"],
        Some(_) => Vec::new(),
    };
    (start, matching(&typed[start..], names.into_iter()))
}

/// Whether the text is complete. A dot command needs no semicolon; after SQL it is an error.
fn is_entered(text: &str) -> bool {
    let is_command = |statement: &String| statement.starts_with('.');
    text.trim().is_empty()
        || text.trim_start().starts_with('.')
        || is_whole(text)
        || statements(text).last().is_some_and(is_command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_command_needs_no_semicolon() {
        for text in
            ["", ".tables", " .tables", ".tables;", "SELECT 1;", "SELECT 1; .schema x", "SELECT ';';\n.help"]
        {
            assert!(is_entered(text), "{text}");
        }
        for text in ["SELECT 1", "SELECT 1; SELECT 2 -- ;", "SELECT '; .help", "SELECT 1\n.5"] {
            assert!(!is_entered(text), "{text}");
        }
    }

    #[test]
    fn words_are_completed() {
        for (typed, start, expected) in [
            ("SELECT * FROM test_r", 14, &["test_results", "test_runs"][..]),
            ("SELECT git_", 7, &["git_commit"]),
            ("SELECT t.git_", 9, &["git_commit"]),
            ("SELECT COUNT(*) FROM test_runs GR", 31, &["GROUP BY"]),
            ("sele", 0, &["select"]),
            (".form", 0, &[".format"]),
            (".schema slow", 8, &["slow_records"]),
            (".preset flaki", 8, &["flakiest"]),
            ("SELECT ", 7, &[]),
            ("SELECT é", 9, &[]),
        ] {
            let expected: Vec<_> = expected.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(completions(typed), (start, expected), "{typed}");
        }
    }
}
