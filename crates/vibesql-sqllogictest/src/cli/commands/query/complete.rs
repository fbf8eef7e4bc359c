//! Completes words on the Tab key, and finds the end of a statement.

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::names::{COMMANDS, columns, tables};
use slt_store::ask::presets::PRESETS;
use slt_store::ask::{is_whole, statements};

/// Keywords of SQL, separated by commas.
const KEYWORDS: &str = "SELECT,FROM,WHERE,GROUP BY,ORDER BY,HAVING,LIMIT,OFFSET,JOIN,LEFT JOIN,ON,USING,AND,OR,NOT,IN,IS NULL,\
    IS NOT NULL,LIKE,BETWEEN,EXISTS,CASE,WHEN,THEN,ELSE,END,AS,DISTINCT,UNION,UNION ALL,EXCEPT,INTERSECT,WITH,VALUES,COUNT,SUM,\
    MIN,MAX,AVG,ROUND,SUBSTR,COALESCE,CAST,DESC,ASC,NULLS LAST,OVER,PARTITION BY";

/// Completes words and decides when a statement is complete.
pub(super) struct ShellHelper;

impl Completer for ShellHelper {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> Result<(usize, Vec<String>), ReadlineError> {
        Ok(completions(&line[..at]))
    }
}

/// Returns the start of the typed word, and its completions.
fn completions(typed: &str) -> (usize, Vec<String>) {
    let begins = |known: &str, word: &str| {
        known.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    if typed.starts_with('.') {
        let command = typed.split_once(' ').map(|(command, _)| command);
        let start = command.map_or(0, |command| command.len() + 1);
        let names: Vec<&str> = match command {
            None => COMMANDS.iter().map(|(name, _, _)| *name).collect(),
            Some(".schema") => tables().collect(),
            Some(".preset") => PRESETS.iter().map(|preset| preset.name).collect(),
            Some(".format") => vec!["table", "csv", "json", "jsonl", "markdown"],
            Some(_) => Vec::new(),
        };
        let word = &typed[start..];
        return (start, names.into_iter().filter(|name| begins(name, word)).map(str::to_owned).collect());
    }
    let part_of_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let start = typed.len() - typed.chars().rev().take_while(|c| part_of_name(*c)).count();
    let word = &typed[start..];
    if word.is_empty() {
        return (start, Vec::new());
    }
    let mut found: Vec<_> =
        tables().chain(columns()).filter(|name| begins(name, word)).map(str::to_owned).collect();
    // Keywords are completed in the case of the typed word.
    let small = word.chars().all(|c| !c.is_ascii_uppercase());
    let keywords = KEYWORDS.split(',').filter(|name| begins(name, word));
    found.extend(keywords.map(|name| if small { name.to_ascii_lowercase() } else { name.to_owned() }));
    found.sort();
    found.dedup();
    (start, found)
}

/// Whether the text is complete. A dot command needs no semicolon; after SQL it is an error.
fn is_entered(text: &str) -> bool {
    let is_command = |statement: &String| statement.starts_with('.');
    text.trim().is_empty()
        || text.trim_start().starts_with('.')
        || is_whole(text)
        || statements(text).last().is_some_and(is_command)
}

impl Validator for ShellHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> Result<ValidationResult, ReadlineError> {
        let text = context.input();
        Ok(if is_entered(text) { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for ShellHelper {
    type Hint = String;
}

impl Highlighter for ShellHelper {}

impl Helper for ShellHelper {}

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
