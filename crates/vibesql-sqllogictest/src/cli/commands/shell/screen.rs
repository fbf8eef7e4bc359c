//! The text of the shell: records, outcomes, and results of SQL.

use std::fmt::{self, Write as _};

use slt_core::outcome::{FailingRecord, FileEnd, FileReport, RecordId};
use slt_runner::parallel::{PausePoint, SessionAnswer, StatementAnswer, StepReply, StepVerdict};
use slt_runner::text::count::{duration, plural, thousands};
use slt_runner::text::detail::write_failure;
use slt_runner::text::failure::{headline, place};
use slt_runner::text::style::Role;
use slt_runner::text::table::table;
use slt_runner::text::visible::one_line;
use slt_runner::text::written;

/// The lines of a record in an overview.
const FEW_LINES: usize = 12;
/// The lines of a record in full.
const MANY_LINES: usize = 500;
/// The maximum length of a value, in characters.
const LONGEST_VALUE: usize = 200;

/// Describes where the file has paused: the record that comes next, without its expectation.
pub(super) fn pause(shown: &str, at: &PausePoint) -> String {
    let Some(record) = &at.place else { return end(shown, &at.end) };
    written(|out| {
        let place = place(shown, Some(record));
        write!(out, "{} {}", Role::Faint.paint("next:"), Role::Strong.paint(place))?;
        if let Some(connection) = &at.connection {
            write!(out, " {}", Role::Faint.paint(format_args!("on connection `{connection}`")))?;
        }
        writeln!(out)?;
        let lines: Vec<_> = at.text.lines().take_while(|line| !line.starts_with("----")).collect();
        write_lines(out, &lines, FEW_LINES)
    })
}

/// Shows the record that comes next in full, and its SQL as the engine gets it.
pub(super) fn expectation(shown: &str, at: &PausePoint) -> String {
    let Some(record) = &at.place else { return end(shown, &at.end) };
    written(|out| {
        writeln!(out, "{}", Role::Strong.paint(place(shown, Some(record))))?;
        write_lines(out, &at.text.lines().collect::<Vec<_>>(), MANY_LINES)?;
        if let Some(sql) = &at.replaced_sql {
            writeln!(out, "{}", Role::Faint.paint("the SQL with its variables replaced:"))?;
            write_lines(out, &sql.lines().collect::<Vec<_>>(), MANY_LINES)?;
        }
        Ok(())
    })
}

fn write_lines(out: &mut String, lines: &[&str], most: usize) -> fmt::Result {
    for line in lines.iter().take(most) {
        writeln!(out, "      {line}")?;
    }
    if lines.len() > most {
        let more = plural((lines.len() - most) as u64, "more line");
        writeln!(out, "      {}", Role::Faint.paint(format_args!("… {more}")))?;
    }
    Ok(())
}

/// Describes the end of the file, and why records have not been reached.
fn end(shown: &str, end: &FileEnd) -> String {
    let shown = one_line(shown);
    let at = |id: &RecordId| place(&shown, Some(id));
    match end {
        FileEnd::Completed => format!("end of {shown}\n"),
        FileEnd::Halted { id } => format!("end of {shown}: it halts at {}\n", at(id)),
        FileEnd::AtFailure { id } => {
            format!("end of {shown}: its dialect ends it at the first failure, {}\n", at(id))
        }
        FileEnd::Malformed { id } => {
            format!("end of {shown}: its dialect ends it at the malformed record {}\n", at(id))
        }
        FileEnd::Faulted { id: Some(id), fault } => format!("end of {shown}: {fault} at {}\n", at(id)),
        FileEnd::Faulted { id: None, fault } => format!("end of {shown}: {fault}\n"),
        FileEnd::TimedOut { .. } => format!("end of {shown}: over the time limit\n"),
        FileEnd::NotStarted(problem) => format!("{shown} has not started: {problem}\n"),
    }
}

/// Describes the outcome of a record.
pub(super) fn outcome(shown: &str, at: &PausePoint, reply: &StepReply, again: &str) -> String {
    let Some((verdict, elapsed)) = reply.settled else { return String::new() };
    let failure = reply.failure.as_ref().and_then(FailingRecord::detailed);
    if let (StepVerdict::Failed, Some(failure)) = (verdict, failure) {
        let report = FileReport { shown: shown.to_owned(), ..FileReport::new(shown, FileEnd::Completed) };
        return written(|out| write_failure(out, &report, failure, again));
    }
    let (role, word, why) = match verdict {
        StepVerdict::Passed => (Role::Pass, "PASS", String::new()),
        StepVerdict::Failed => (Role::Fail, "FAIL", String::new()),
        StepVerdict::SkippedByCondition => (Role::Warn, "SKIP", "  by its condition".to_owned()),
        StepVerdict::SkippedByRequirement => {
            (Role::Warn, "SKIP", "  by a requirement of its file".to_owned())
        }
        StepVerdict::SkippedByMode => (Role::Warn, "SKIP", "  by `mode skip`".to_owned()),
        StepVerdict::NotReached => (Role::Warn, "NOT REACHED", String::new()),
    };
    let place = place(shown, at.place.as_ref());
    let time = Role::Faint.paint(duration(elapsed));
    format!("{}  {}{why}  {time}\n", role.paint(word), Role::Strong.paint(place))
}

/// Describes failures of the statements before the first pause.
pub(super) fn setup_failure(shown: &str, failure: &FailingRecord) -> String {
    let what = failure.detailed().map_or_else(String::new, |detail| headline(detail.problem));
    format!("in the set-up: {}: {what}", place(shown, Some(&failure.id)))
}

/// Shows the results of SQL.
pub(super) fn answer(answer: &SessionAnswer) -> String {
    let failed = answer.error.is_some() || answer.problem.is_some();
    written(|out| {
        let last = answer.statements.len();
        for (number, statement) in (1..).zip(&answer.statements) {
            if !statement.columns.is_empty() {
                out.push_str(&rows(statement));
                out.push('\n');
            }
            // SQL that fails has an error in place of its time.
            let time = (number == last && !failed).then(|| format!("; {}", duration(answer.elapsed)));
            let foot = format!("{}{}", size(statement), time.unwrap_or_default());
            if number < last || !failed || statement.count > 0 {
                writeln!(out, "{}", Role::Faint.paint(foot))?;
            }
        }
        if let Some(error) = &answer.error {
            let code = error.code.as_ref().map(|code| format!(" (code {code})")).unwrap_or_default();
            writeln!(out, "{} {}{code}", Role::Fail.paint("error:"), error.message)?;
        }
        if let Some(problem) = &answer.problem {
            writeln!(out, "{} {}", Role::Fail.paint("error:"), headline(problem))?;
        }
        if last == 0 && !failed {
            writeln!(out, "{}", Role::Faint.paint("no statement"))?;
        }
        Ok(())
    })
}

fn size(statement: &StatementAnswer) -> String {
    let shown = statement.rows.len() as u64;
    match statement.affected {
        _ if !statement.columns.is_empty() && shown < statement.count => {
            let shown = thousands(shown);
            format!("{}, the first {shown} shown (--max-rows)", plural(statement.count, "row"))
        }
        _ if !statement.columns.is_empty() => plural(statement.count, "row"),
        Some(changed) => format!("{} changed", plural(changed, "row")),
        None => "done".to_owned(),
    }
}

fn rows(statement: &StatementAnswer) -> String {
    let has_types = statement.columns.iter().any(|(_, kind)| !kind.is_empty());
    let header = |(name, kind): &(String, String)| {
        let name = if name.is_empty() { "?".into() } else { one_line(name) };
        if has_types { format!("{name}\n{kind}") } else { name.into_owned() }
    };
    let headers: Vec<_> = statement.columns.iter().map(header).collect();
    let headers: Vec<_> = headers.iter().map(String::as_str).collect();
    // Some engines do not tell the type of an expression.
    let is_number = |column: usize| {
        let mut values = statement.rows.iter().filter_map(|row| row.get(column)?.as_deref()).peekable();
        values.peek().is_some() && values.all(|value| value.parse::<f64>().is_ok())
    };
    let rows = statement.rows.iter().map(|row| row.iter().map(|cell| value(cell.as_deref())).collect());
    table(&headers, rows, is_number)
}

/// Shows a value. Text that could be taken for NULL, or that nobody could see, is in quotes.
fn value(cell: Option<&str>) -> String {
    match cell {
        None => "NULL".to_owned(),
        Some(text) if text == "NULL" || text.trim().is_empty() => format!("'{}'", one_line(text)),
        Some(text) => {
            let text = one_line(text);
            match text.char_indices().nth(LONGEST_VALUE) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text.into_owned(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slt_core::engine::SqlError;
    use std::time::Duration;

    fn statement(columns: &[(&str, &str)], rows: &[&[Option<&str>]], count: u64) -> StatementAnswer {
        let owned = |cell: &Option<&str>| cell.map(str::to_owned);
        StatementAnswer {
            columns: columns.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect(),
            rows: rows.iter().map(|row| row.iter().map(owned).collect()).collect(),
            count,
            affected: None,
        }
    }

    fn shown(answer_of: &SessionAnswer) -> String {
        let text = slt_runner::text::style::rendered(answer(answer_of).as_bytes());
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn results_of_sql() {
        let rows: [&[Option<&str>]; 3] = [&[Some("1"), Some("")], &[Some("22"), None], &[None, Some("NULL")]];
        let elapsed = Duration::from_millis(2);
        let select = statement(&[("a", "integer"), ("b", "text")], &rows, 1000);
        let insert = StatementAnswer { affected: Some(1), ..StatementAnswer::default() };
        let two = SessionAnswer { statements: vec![select, insert], elapsed, ..SessionAnswer::default() };
        let lines: Vec<_> = shown(&two).lines().map(|line| line.trim_end().to_owned()).collect();
        assert_eq!(
            lines,
            [
                "       a  b",
                " integer  text",
                "       1  ''",
                "      22  NULL",
                "    NULL  'NULL'",
                "1,000 rows, the first 3 shown (--max-rows)",
                "1 row changed; 0.002 s",
            ]
        );
    }

    #[test]
    fn an_error_stands_in_place_of_a_result() {
        let error = SqlError { message: "no such table: t".to_owned(), code: Some("42P01".to_owned()) };
        let failed = SessionAnswer { error: Some(error), ..SessionAnswer::default() };
        assert_eq!(shown(&failed), "error: no such table: t (code 42P01)\n");
        let nothing = SessionAnswer::default();
        assert_eq!(shown(&nothing), "no statement\n");
    }
}
