//! `add`: appends a record with its result to a file.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::update::writer::{lost, reason};
use super::update::{ExecutedText, UpdateRunner, disk_path, read, replace_file};
use crate::cli::args::AddArgs;
use crate::cli::context::CommandContext;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::repeat::shell_word;
use crate::cli::selection::set_dialects;
use crate::cli::suite;
use crate::cli::target::split_line;
use crate::cli::ui::Ui;
use slt_core::executor::update::{AppendRefusal, AppendedRecord, FileUpdate, UpdateScope, append_record};
use slt_core::location::{Source, path_text, text_of};
use slt_core::outcome::{Correction, FileEnd, FileReport, Mismatch, Problem, RecordId};
use slt_core::parser::{self, DialectRequest, Profile, RequestOrigin, Script};
use slt_runner::parallel::{WorkItem, file_of_path};
use slt_runner::text::failure::{headline, place};
use slt_runner::text::style::Role;

/// The maximum number of headers that are tried.
const MOST_HEADERS: usize = 40;

pub(in crate::cli) fn run(mut args: AddArgs, context: CommandContext<'_>, ui: &mut Ui) -> CommandResult {
    args.engine.engine = args.from.or(args.engine.engine);
    let sql = sql(args.sql)?;
    let (path, mut item) = file(&args.file, ui)?;
    set_dialects(std::slice::from_mut(&mut item), &context.resolved.dialects());
    let runner = UpdateRunner::new(args.engine, args.timeout, context)?;
    let old = if path.exists() { read(&item)? } else { Source::new(item.shown.as_str(), Vec::<u8>::new()) };
    let profile = runner.profile(&item, &old)?;
    // A new file keeps its dialect without the flag.
    let source = match old.bytes() {
        [] if usual_dialect(&item, &old)? != profile.name => {
            Source::new(item.shown.as_str(), format!("# slt-dialect: {}\n", profile.name))
        }
        _ => old.clone(),
    };
    let script = parser::parse(&source, profile);
    let adder = RecordAdder { runner: &runner, item: &item, script: &script, profile, sql: &sql };
    let Some(AppendedRecord { text, line }) = adder.add(ui)? else {
        ui.note("INCOMPLETE: interrupted; the file is left as it was");
        return Ok(ExitReason::Incomplete);
    };
    if !args.dry_run {
        replace_file(&path, &item, old.bytes(), &text)?;
    }
    let record = text.split_inclusive(|&byte| byte == b'\n').skip(line as usize - 1);
    let record: Vec<_> = record.flatten().copied().collect();
    let verb = if args.dry_run { "would add" } else { "added" };
    let place = place(&item.shown, Some(&RecordId::at(line)));
    ui.print(&format!("{}: {}\n", Role::Strong.paint(place), Role::Pass.paint(verb)))?;
    ui.print(&format!("{}\n", text_of(record.trim_ascii_end())))?;
    Ok(ExitReason::Success)
}

/// Returns the dialect in which a file without text is read if no flag names one.
fn usual_dialect(item: &WorkItem, source: &Source) -> Result<&'static str, CliError> {
    let own = item.dialect.as_deref().map(|name| DialectRequest { name, by: RequestOrigin::Override });
    let chosen = parser::choose(source, own, false);
    Ok(chosen.map_err(|error| CliError::dialect(&item.shown, &error))?.profile.name)
}

fn sql(word: String) -> Result<String, CliError> {
    let mut sql = word;
    if sql == "-" {
        sql.clear();
        let read = std::io::stdin().read_to_string(&mut sql);
        read.map_err(|error| CliError::io("read", "standard input", &error))?;
    }
    if sql.trim().is_empty() {
        return Err(CliError::usage("expected SQL, found nothing", "use for example `add FILE 'SELECT 1'`"));
    }
    Ok(sql)
}

/// Returns the path and the item of a file that may be missing.
fn file(word: &str, ui: &mut Ui) -> Result<(PathBuf, WorkItem), CliError> {
    let path = path_text::typed(word);
    if word.starts_with(suite::PREFIX) || path.symlink_metadata().is_ok() {
        if path.is_dir() {
            return Err(CliError::usage(format!("`{word}` is a directory"), "name a test file"));
        }
        let items = suite::select(&[word.to_owned()], None, ui)?;
        let item = items.into_iter().next();
        let item = item.ok_or_else(|| CliError::usage(format!("no file `{word}`"), "name a test file"))?;
        return Ok((disk_path(&item, "add a record to")?, item));
    }
    if let (file, Some(_)) = split_line(word) {
        let hint = format!("`add {} SQL` adds the record at the end of the file", shell_word(file));
        return Err(CliError::usage(format!("cannot create `{word}`: it reads like FILE:LINE"), hint));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if word == "-" || !folder.is_dir() {
        let hint = "name a file on disk in an existing directory";
        return Err(CliError::usage(format!("cannot create `{word}`"), hint));
    }
    let item = file_of_path(&path);
    Ok((path, item))
}

struct RecordAdder<'a> {
    runner: &'a UpdateRunner,
    item: &'a WorkItem,
    script: &'a Script<'a>,
    profile: &'static Profile,
    sql: &'a str,
}

/// A header that is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
enum NewHeader {
    Statement,
    /// A query with these type letters.
    Query(String),
}

impl RecordAdder<'_> {
    /// Returns the file with the new record; `None` if the user has interrupted it.
    fn add(&self, ui: &mut Ui) -> Result<Option<AppendedRecord>, CliError> {
        let mut header =
            if is_statement(self.sql) { NewHeader::Statement } else { NewHeader::Query("T".to_owned()) };
        // The first execution tells the columns, the second their values, the third confirms the letters.
        let mut has_letters = false;
        for _ in 0..MOST_HEADERS {
            let new = self.append(&header)?;
            if header == NewHeader::Statement {
                return self.with_result(&new, ui);
            }
            let done = self.runner.execute(self.item, &new.text, Some(new.line), self.profile, ui)?;
            let Some(done) = done else { return Ok(None) };
            match self.next(&header, &done, new.line, &mut has_letters)? {
                Some(next) if next != header => header = next,
                _ => return self.with_result(&new, ui),
            }
        }
        Err(self.refused("its columns have no type letters in this dialect"))
    }

    fn append(&self, header: &NewHeader) -> Result<AppendedRecord, CliError> {
        let (header, has_result) = match header {
            NewHeader::Statement => ("statement ok".to_owned(), false),
            NewHeader::Query(letters) => (format!("query {letters} {}", sort_mode(self.sql)), true),
        };
        append_record(self.script, &header, self.sql, has_result).map_err(|refusal| {
            self.refused(match refusal {
                AppendRefusal::ReadsOtherwise => {
                    "the SQL, or the end of the file, would be read as something else"
                }
                AppendRefusal::BlankLineInLiteral => {
                    "a blank line within a string or a quoted name would end the record"
                }
                AppendRefusal::CrInLiteral => "a CR at the end of a line within a string would be lost",
            })
        })
    }

    /// Returns the header after an execution; `None` if it is right. Letters are taken from the values once: if they do
    /// not fit the types, the types decide.
    fn next(
        &self,
        header: &NewHeader,
        done: &ExecutedText,
        line: u32,
        has_letters: &mut bool,
    ) -> Result<Option<NewHeader>, CliError> {
        let NewHeader::Query(letters) = header else { return Ok(None) };
        let failure = done.report.failures.iter().find(|failure| failure.id.is_on(line));
        let Some(detail) = failure.and_then(|failure| failure.detail.as_ref()) else {
            return self.check_reached(&done.report).map(|()| None);
        };
        let correction = done.corrections.iter().find(|(id, _)| id.is_on(line));
        Ok(match &detail.problem {
            Problem::UnexpectedError { .. } | Problem::Mismatch(Mismatch::ColumnCount { actual: 0, .. }) => {
                Some(NewHeader::Statement)
            }
            Problem::Mismatch(Mismatch::ColumnCount { actual, .. }) => {
                Some(NewHeader::Query("T".repeat(*actual)))
            }
            Problem::Mismatch(Mismatch::ColumnType { column, actual, .. }) => {
                let mut letters = letters.clone().into_bytes();
                if let Some(letter) = letters.get_mut(column - 1) {
                    *letter = letter_of(actual, self.profile);
                }
                Some(NewHeader::Query(String::from_utf8_lossy(&letters).into_owned()))
            }
            Problem::Mismatch(_) if *has_letters || letters.bytes().any(|letter| letter != b'T') => None,
            Problem::Mismatch(_) => match correction {
                Some((_, Correction::Lines { letters, .. })) if !letters.is_empty() => {
                    *has_letters = true;
                    Some(NewHeader::Query(letters.clone()))
                }
                _ => None,
            },
            problem => return Err(self.refused(&headline(problem))),
        })
    }

    /// Refuses a file that ends before the record, or with it.
    fn check_reached(&self, report: &FileReport) -> Result<(), CliError> {
        if let FileEnd::TimedOut { .. } | FileEnd::Faulted { .. } = report.end {
            return Err(self.refused(lost(&report.end)));
        }
        if report.counts.executed > 0 {
            return Ok(());
        }
        Err(self.refused("the file ends before it, or its records are skipped"))
    }

    /// Fills in the result, and confirms it.
    fn with_result(&self, new: &AppendedRecord, ui: &mut Ui) -> Result<Option<AppendedRecord>, CliError> {
        let source = Source::new(self.item.shown.as_str(), new.text.clone());
        let script = parser::parse(&source, self.profile);
        let scope = UpdateScope { parts: Vec::new(), changes_kind: true };
        let mut update = FileUpdate::new(&script, &scope);
        let settled = self.runner.settle(self.item, &mut update, Some(new.line), self.profile, ui)?;
        let Some(report) = settled else { return Ok(None) };
        if let Some(refused) = update.refused().next() {
            return Err(self.refused(&reason(&refused, &report.end)));
        }
        self.check_reached(&report)?;
        Ok(Some(AppendedRecord { text: update.text(), line: new.line }))
    }

    fn refused(&self, reason: &str) -> CliError {
        let message = format!("cannot add the record to `{}`: {reason}", self.item.shown);
        CliError::usage(message, "the file is left as it was; `shell` shows what an engine answers")
    }
}

/// Returns the letter for the kind of a value that has another one.
fn letter_of(kind: &str, profile: &Profile) -> u8 {
    let is_cockroach = profile.name == "cockroach";
    match kind {
        "an integer" => b'I',
        "a floating-point number" if is_cockroach => b'F',
        "a floating-point number" | "a decimal number" => b'R',
        "a truth value" => b'B',
        "a value of another type" => b'O',
        _ => b'T',
    }
}

/// The first words of SQL that is executed for its effect.
const STATEMENTS: [&str; 16] = [
    "alter", "analyze", "attach", "begin", "commit", "copy", "create", "delete", "drop", "insert", "replace",
    "rollback", "set", "truncate", "update", "vacuum",
];

/// Returns whether SQL is a statement by its first word. Anything else is tried as a query.
fn is_statement(sql: &str) -> bool {
    let words: Vec<_> = words(sql).collect();
    let is_effect = words.first().is_some_and(|first| STATEMENTS.contains(&first.as_str()));
    is_effect && !words.iter().any(|word| word == "returning")
}

/// Returns the sort mode for the result of SQL: only ORDER BY at its end makes the order certain.
fn sort_mode(sql: &str) -> &'static str {
    let words: Vec<_> = words(sql).collect();
    let (mut depth, mut is_ordered) = (0_i32, false);
    for pair in words.windows(2) {
        match pair[0].as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            "order" => is_ordered |= depth == 0 && pair[1] == "by",
            _ => {}
        }
    }
    if is_ordered { "nosort" } else { "rowsort" }
}

/// Returns the words of SQL in lower case, and its parentheses, without strings and comments.
fn words(sql: &str) -> impl Iterator<Item = String> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start();
            let first = rest.chars().next()?;
            let length = match first {
                '\'' | '"' | '`' => {
                    let inside = &rest[1..];
                    rest = inside.find(first).map_or("", |end| &inside[end + 1..]);
                    continue;
                }
                '-' if rest.starts_with("--") => {
                    rest = rest.find('\n').map_or("", |end| &rest[end..]);
                    continue;
                }
                '/' if rest.starts_with("/*") => {
                    rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
                    continue;
                }
                _ if first.is_alphanumeric() || first == '_' => {
                    rest.find(|sign: char| !sign.is_alphanumeric() && sign != '_').unwrap_or(rest.len())
                }
                _ => first.len_utf8(),
            };
            let (word, behind) = rest.split_at(length);
            rest = behind;
            return Some(word.to_lowercase());
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_is_told_apart_by_its_words() {
        for (sql, statement, sort) in [
            ("SELECT a FROM t", false, "rowsort"),
            ("SELECT a FROM t ORDER BY a", false, "nosort"),
            ("select a from (select a from t order  by a)", false, "rowsort"),
            ("SELECT 'order by'", false, "rowsort"),
            ("SELECT a -- order by a\n", false, "rowsort"),
            ("SELECT rank() OVER (ORDER BY a) FROM t", false, "rowsort"),
            ("/* SELECT */ insert into t values (1)", true, "rowsort"),
            ("INSERT INTO t VALUES (1) RETURNING a", false, "rowsort"),
            ("VALUES (1)", false, "rowsort"),
        ] {
            assert_eq!((is_statement(sql), sort_mode(sql)), (statement, sort), "{sql}");
        }
    }
}
