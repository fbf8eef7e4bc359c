//! Writes findings for people, and as JSON lines.

use std::fmt::{self, Write as _};

use serde_json::{Value, json};

use super::finding::{CheckFinding, CheckSums, CheckedContents, CheckedFile, KINDS, Severity};
use slt_runner::text::count::plural;
use slt_runner::text::style::Role;
use slt_runner::text::visible::one_line;

/// The version of the JSON lines: it grows when a field goes away or changes its meaning.
const FORMAT: u32 = 1;

/// Writes the file with its dialect and records, and the findings with help.
pub(super) fn human(out: &mut String, file: &CheckedFile) -> fmt::Result {
    let shown = one_line(&file.shown);
    match &file.contents {
        None => writeln!(out, "{}  {}", Role::Strong.paint(shown), Role::Fail.paint("refused"))?,
        Some(contents) => {
            let reason = contents.reason.to_string();
            let (dialect, reason) = (contents.dialect, one_line(&reason));
            writeln!(out, "{}  {dialect} ({reason}): {}", Role::Strong.paint(shown), kinds(contents))?;
        }
    }
    for finding in &file.findings {
        line(out, file, finding)?;
        if let Some(help) = &finding.help {
            writeln!(out, "  {} {help}", Role::Hint.paint("help:"))?;
        }
    }
    Ok(())
}

/// Writes a line for each finding.
pub(super) fn short(out: &mut String, file: &CheckedFile) -> fmt::Result {
    file.findings.iter().try_for_each(|finding| line(out, file, finding))
}

fn line(out: &mut String, file: &CheckedFile, finding: &CheckFinding) -> fmt::Result {
    let place = finding.line.map_or_else(String::new, |line| format!(":{line}"));
    let role = if finding.severity == Severity::Error { Role::Fail } else { Role::Warn };
    let kind = format!("{}[{}]:", finding.severity.word(), finding.code);
    writeln!(out, "{}{place}: {} {}", one_line(&file.shown), role.paint(kind), one_line(&finding.text))
}

fn kinds(contents: &CheckedContents) -> String {
    let counted = contents.records.iter().zip(KINDS).filter(|(count, _)| **count > 0);
    let kinds: Vec<_> = counted
        .map(|(&count, (one, several))| format!("{count} {}", if count == 1 { one } else { several }))
        .collect();
    if kinds.is_empty() { "no records".to_owned() } else { kinds.join(", ") }
}

/// Writes the sums.
pub(super) fn summary(out: &mut String, sums: &CheckSums) -> fmt::Result {
    let dialects: Vec<_> =
        sums.dialects.iter().map(|(dialect, files)| format!("{files} {dialect}")).collect();
    let mut files = plural(sums.files, "file");
    if !dialects.is_empty() {
        write!(files, " ({})", dialects.join(", "))?;
    }
    let findings = Severity::ALL.map(|severity| plural(sums.findings(severity), severity.word()));
    write!(out, "checked {files} with {}: {}", plural(sums.records, "record"), findings.join(", "))?;
    if sums.refused > 0 {
        write!(out, "; {} refused", plural(sums.refused, "file"))?;
    }
    writeln!(out)
}

/// Returns the lines of a file and its findings.
pub(super) fn json(file: &CheckedFile) -> String {
    let contents = file.contents.as_ref();
    let [statements, queries, commands, controls, malformed] =
        contents.map_or([0; KINDS.len()], |contents| contents.records);
    let head = json!({
        "type": "file",
        "file": file.shown,
        "refused": contents.is_none(),
        "dialect": contents.map(|contents| contents.dialect),
        "reason": contents.map(|contents| json!({
            "kind": contents.reason.word(),
            "line": contents.reason.line(),
            "text": contents.reason.to_string(),
        })),
        "records": {
            "statements": statements,
            "queries": queries,
            "commands": commands,
            "controls": controls,
            "malformed": malformed,
        },
    });
    let finding = |finding: &CheckFinding| {
        json!({
            "type": "finding",
            "file": file.shown,
            "line": finding.line,
            "severity": finding.severity.word(),
            "code": finding.code,
            "message": finding.text,
            "help": finding.help,
        })
    };
    lines([head].into_iter().chain(file.findings.iter().map(finding)))
}

/// Returns the line of the sums.
pub(super) fn json_summary(sums: &CheckSums) -> String {
    lines([json!({
        "type": "summary",
        "format": FORMAT,
        "files": sums.files,
        "refused": sums.refused,
        "records": sums.records,
        "dialects": sums.dialects,
        "errors": sums.findings(Severity::Error),
        "warnings": sums.findings(Severity::Warning),
        "notes": sums.findings(Severity::Note),
    })])
}

fn lines(values: impl IntoIterator<Item = Value>) -> String {
    values.into_iter().map(|value| format!("{value}\n")).collect()
}
