//! What the shells of `query` and `shell` have in common: a line editor with history and completion, and dot commands.

use std::path::PathBuf;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::error::CliError;
use super::ui::Ui;

/// Keywords of SQL, separated by commas.
const KEYWORDS: &str = "SELECT,FROM,WHERE,GROUP BY,ORDER BY,HAVING,LIMIT,OFFSET,JOIN,LEFT JOIN,ON,USING,AND,OR,NOT,IN,IS NULL,\
    IS NOT NULL,LIKE,BETWEEN,EXISTS,CASE,WHEN,THEN,ELSE,END,AS,DISTINCT,UNION,UNION ALL,EXCEPT,INTERSECT,WITH,VALUES,COUNT,SUM,\
    MIN,MAX,AVG,ROUND,SUBSTR,COALESCE,CAST,DESC,ASC,NULLS LAST,OVER,PARTITION BY";

/// The language of a shell.
pub(super) trait ShellLanguage {
    /// Returns the start of the word at the end of `typed`, and its completions.
    fn completions(&self, typed: &str) -> (usize, Vec<String>);

    /// Returns whether the text is complete, so that the Enter key ends it.
    fn is_entered(&self, text: &str) -> bool;
}

/// A line editor with a history.
pub(super) struct LineEditor<L: ShellLanguage> {
    editor: Editor<EditorHelper<L>, FileHistory>,
    history: Option<PathBuf>,
}

/// The text that the user has entered.
pub(super) enum EnteredText {
    /// A statement or a command.
    Text(String),
    /// The user has discarded the line.
    Discarded,
    /// The user has left.
    End,
}

impl<L: ShellLanguage> LineEditor<L> {
    /// Opens an editor; `history` is the file of its history.
    pub(super) fn open(history: Option<PathBuf>, language: L) -> Result<Self, CliError> {
        let config = Config::builder().completion_type(CompletionType::List).auto_add_history(true).build();
        let editor = Editor::with_config(config);
        let mut editor = editor.map_err(|error| CliError::internal(error.to_string()))?;
        editor.set_helper(Some(EditorHelper(language)));
        // It does not exist before the first session.
        history.iter().for_each(|history| drop(editor.load_history(history)));
        Ok(Self { editor, history })
    }

    /// Reads a text.
    pub(super) fn read(&mut self, prompt: &str) -> Result<EnteredText, CliError> {
        match self.editor.readline(prompt) {
            Ok(text) => Ok(EnteredText::Text(text)),
            Err(ReadlineError::Interrupted) => Ok(EnteredText::Discarded),
            Err(ReadlineError::Eof) => Ok(EnteredText::End),
            Err(error) => Err(CliError::internal(error.to_string())),
        }
    }

    /// Saves the history.
    pub(super) fn save(&mut self, ui: &mut Ui) {
        let Some(history) = &self.history else { return };
        let folder = history.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(ReadlineError::from);
        if let Err(error) = folder.and_then(|()| self.editor.save_history(history)) {
            ui.note(format_args!("cannot save the history of the shell: {error}"));
        }
    }
}

struct EditorHelper<L>(L);

impl<L: ShellLanguage> Completer for EditorHelper<L> {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> Result<(usize, Vec<String>), ReadlineError> {
        Ok(self.0.completions(&line[..at]))
    }
}

impl<L: ShellLanguage> Validator for EditorHelper<L> {
    fn validate(&self, context: &mut ValidationContext<'_>) -> Result<ValidationResult, ReadlineError> {
        let is_entered = self.0.is_entered(context.input());
        Ok(if is_entered { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl<L: ShellLanguage> Hinter for EditorHelper<L> {
    type Hint = String;
}

impl<L: ShellLanguage> Highlighter for EditorHelper<L> {}

impl<L: ShellLanguage> Helper for EditorHelper<L> {}

/// Returns the known words that begin with `word`.
pub(super) fn matching<'n>(word: &str, known: impl Iterator<Item = &'n str>) -> Vec<String> {
    let begins = |known: &&str| known.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    known.filter(begins).map(str::to_owned).collect()
}

/// Returns the start of the word of SQL at the end of `typed`, and its completions: names, and keywords in the case of the
/// typed word.
pub(super) fn complete_sql<'n>(typed: &str, names: impl Iterator<Item = &'n str>) -> (usize, Vec<String>) {
    let part_of_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let start = typed.len() - typed.chars().rev().take_while(|c| part_of_name(*c)).count();
    let word = &typed[start..];
    if word.is_empty() {
        return (start, Vec::new());
    }
    let mut found = matching(word, names);
    let small = word.chars().all(|c| !c.is_ascii_uppercase());
    let keywords = matching(word, KEYWORDS.split(',')).into_iter();
    found.extend(keywords.map(|name| if small { name.to_ascii_lowercase() } else { name }));
    found.sort();
    found.dedup();
    (start, found)
}

/// A command of a shell: name, argument and description.
pub(super) type DotCommand = (&'static str, &'static str, &'static str);

/// Returns the list of commands.
pub(super) fn list_commands(commands: &[DotCommand]) -> String {
    let line =
        |(name, argument, about): &DotCommand| format!("{:<18}  {about}\n", format!("{name} {argument}"));
    commands.iter().map(line).collect()
}

/// Returns the error for a command that is not among `commands`.
pub(super) fn unknown_command(command: &str, commands: &[DotCommand]) -> CliError {
    let nearest = nearest(command, commands.iter().map(|(name, _, _)| *name));
    let hint =
        nearest.map_or_else(|| "`.help` lists them".to_owned(), |name| format!("did you mean `{name}`?"));
    CliError::usage(format!("no command `{command}`"), hint)
}

/// Returns the most similar name, if one is similar enough.
pub(super) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let lower = name.to_ascii_lowercase();
    let scored =
        names.map(|known| (strsim::jaro_winkler(&lower, known), known)).filter(|(score, _)| *score > 0.8);
    scored.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, known)| known)
}
