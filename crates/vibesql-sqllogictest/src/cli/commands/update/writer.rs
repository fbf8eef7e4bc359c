//! What `update` prints.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use crate::cli::error::CliError;
use slt_core::executor::diff::{DiffSide, diff_rows};
use slt_core::executor::update::{FileUpdate, RefusedRecord, TextEdit, UpdatePart, UpdateRefusal};
use slt_core::location::text_of;
use slt_core::outcome::{FileEnd, FileReport, Problem, RecordId};
use slt_core::parser::Script;
use slt_runner::text::count::plural;
use slt_runner::text::failure::{headline, place};
use slt_runner::text::style::Role;
use slt_runner::text::visible::{distinct, one_line};

/// The number of lines of the diff of one record.
const MOST_LINES: usize = 40;

/// The sums of all files.
#[derive(Debug, Default)]
pub(super) struct UpdateSums {
    pub(super) files: u64,
    changed_files: BTreeSet<String>,
    changed: BTreeMap<UpdatePart, u64>,
    refused: u64,
    not_reached: u64,
    /// Files that cannot be read or written.
    pub(super) unusable: u64,
}

impl UpdateSums {
    pub(super) fn add(&mut self, update: &FileUpdate<'_, '_>, report: &FileReport) {
        for changed in update.changed() {
            *self.changed.entry(changed.update.part).or_default() += 1;
        }
        if update.changed().next().is_some() {
            self.changed_files.insert(report.shown.clone());
        }
        self.refused += update.refused().count() as u64;
        self.not_reached += report.counts.not_reached;
    }
}

/// Writes the changes of a file, as diffs on request, and the failing records that stay.
pub(super) fn write_file(
    out: &mut String,
    script: &Script<'_>,
    update: &FileUpdate<'_, '_>,
    report: &FileReport,
    with_diff: bool,
) -> fmt::Result {
    let shown = script.source.name();
    for changed in update.changed() {
        let place = place(shown, Some(&RecordId::at(changed.line)));
        let (verb, part) = (if with_diff { "would update" } else { "updated" }, part(changed.update.part));
        writeln!(out, "{}: {} {part}", Role::Strong.paint(place), Role::Pass.paint(verb))?;
        if with_diff {
            write_diff(out, script, &changed.update.edits)?;
        }
    }
    for refused in update.refused() {
        let place = place(shown, Some(&refused.id));
        let reason = reason(&refused, &report.end);
        writeln!(out, "{}: {} {reason}", Role::Strong.paint(place), Role::Fail.paint("not updated:"))?;
    }
    if report.counts.not_reached > 0 {
        let count = plural(report.counts.not_reached, "record");
        writeln!(out, "{}: {} {count} not reached", place(shown, None), Role::Fail.paint("not updated:"))?;
    }
    if let FileEnd::NotStarted(problem) = &report.end {
        let problem = problem.to_string();
        let text = one_line(&problem);
        writeln!(out, "{}: {} {text}", place(shown, None), Role::Fail.paint("not updated:"))?;
    }
    Ok(())
}

/// Writes that a file cannot be updated.
pub(super) fn write_unusable(out: &mut String, shown: &str, error: &CliError) -> fmt::Result {
    let (text, verb) = (error.in_one_line(), Role::Fail.paint("not updated:"));
    writeln!(out, "{}: {verb} {}", place(shown, None), one_line(&text))
}

/// Writes that the only record that was to be updated is skipped.
pub(super) fn write_skipped(out: &mut String, shown: &str, line: u32) -> fmt::Result {
    let place = place(shown, Some(&RecordId::at(line)));
    let verb = Role::Fail.paint("not updated:");
    writeln!(out, "{}: {verb} it is skipped on this engine", Role::Strong.paint(place))
}

fn part(part: UpdatePart) -> &'static str {
    match part {
        UpdatePart::Results => "the result",
        UpdatePart::Errors => "the error",
        UpdatePart::Hashes => "the hash",
        UpdatePart::Order => "the order",
    }
}

/// Writes the lines that differ.
fn write_diff(out: &mut String, script: &Script<'_>, edits: &[TextEdit]) -> fmt::Result {
    let bytes = script.source.bytes();
    for edit in edits {
        // Whole lines are shown.
        let start = bytes[..edit.span.start].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let is_line_start = |at: usize| at == 0 || bytes[at - 1] == b'\n';
        let end = match bytes[edit.span.end..].iter().position(|&byte| byte == b'\n') {
            _ if is_line_start(edit.span.end) => edit.span.end,
            Some(at) => edit.span.end + at,
            None => bytes.len(),
        };
        let lines = |text: &[u8]| text_of(text).lines().map(str::to_owned).collect::<Vec<_>>();
        let new = [&bytes[start..edit.span.start], &edit.text, &bytes[edit.span.end..end]].concat();
        let (old, new) = (lines(&bytes[start..end]), lines(&new));
        let rows = diff_rows(&old, &new, 1);
        let differing: Vec<_> = rows.iter().filter(|row| row.side != DiffSide::Both).collect();
        for row in differing.iter().take(MOST_LINES) {
            let text = distinct(&row.values.concat());
            match row.side {
                DiffSide::Actual => writeln!(out, "    {}", Role::Actual.paint(format_args!("+ {text}")))?,
                _ => writeln!(out, "    {}", Role::Expected.paint(format_args!("- {text}")))?,
            }
        }
        if differing.len() > MOST_LINES {
            let more = plural((differing.len() - MOST_LINES) as u64, "more line");
            writeln!(out, "    {}", Role::Faint.paint(format_args!("… {more}")))?;
        }
    }
    Ok(())
}

/// Returns why a record stays as it is, in a file with this end.
pub(in crate::cli::commands) fn reason(refused: &RefusedRecord, end: &FileEnd) -> String {
    let problem = refused.problem.as_ref().map(headline);
    let problem = problem.as_deref().unwrap_or_else(|| lost(end));
    match &refused.refusal {
        UpdateRefusal::Problem => problem.to_owned(),
        UpdateRefusal::OtherKind => match &refused.problem {
            Some(Problem::UnexpectedSuccess) => {
                "it succeeds, and an error is expected (--change-kind)".to_owned()
            }
            _ => format!("{problem} (--change-kind)"),
        },
        UpdateRefusal::NoTypes => {
            "the query succeeds, and an error is expected; write its type letters instead of `error`"
                .to_owned()
        }
        UpdateRefusal::Iterations => "the results of its iterations differ".to_owned(),
        UpdateRefusal::Pattern => format!("{problem}: a pattern in its expectation does not match"),
        UpdateRefusal::OtherFile if refused.id.source.is_some() => {
            "it is in an included file; update that file".to_owned()
        }
        UpdateRefusal::OtherFile => format!("{problem}: the expected values are in another file"),
        UpdateRefusal::NotText => "its result is not UTF-8".to_owned(),
        UpdateRefusal::NoCode => "the engine reports no code for the error".to_owned(),
        UpdateRefusal::NotWritable => "the dialect has no way to write its result".to_owned(),
        UpdateRefusal::HeaderInExpectation { line } => format!(
            "line {line} of its expectation looks like the header of a record; put a blank line in front of it, or two \
             behind an expected error or output of several lines"
        ),
        UpdateRefusal::StillFails => {
            format!("with its result as the expectation, it would still fail: {problem}")
        }
        UpdateRefusal::Unstable => "two executions have different results".to_owned(),
        UpdateRefusal::NotConfirmed => "the second execution ended before it".to_owned(),
        UpdateRefusal::OutOfScope(other) => format!("{} differs, which --only leaves out", part(*other)),
    }
}

/// Returns the problem of the record that was running at this end of a file.
pub(in crate::cli::commands) fn lost(end: &FileEnd) -> &'static str {
    match end {
        FileEnd::TimedOut { .. } => "it was running at the time limit of the file (--timeout)",
        _ => "it was running when the engine was lost",
    }
}

/// Writes the sums.
pub(super) fn write_sums(out: &mut String, sums: &UpdateSums, dry_run: bool) -> fmt::Result {
    let verb = if dry_run { "would update" } else { "updated" };
    let records = plural(sums.changed.values().sum(), "record");
    write!(out, "{verb} {records} in {} of {}", sums.changed_files.len(), plural(sums.files, "file"))?;
    if sums.refused > 0 {
        write!(out, "; not updated: {}", sums.refused)?;
    }
    if sums.not_reached > 0 {
        write!(out, "; not reached: {}", sums.not_reached)?;
    }
    if sums.unusable > 0 {
        write!(out, "; cannot be updated: {}", plural(sums.unusable, "file"))?;
    }
    writeln!(out)
}
