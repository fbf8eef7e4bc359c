//! `show`: shows a run, or one file of a run with its failures.

use std::fmt::Write as _;
use std::path::Path;

use super::bisect::subject::no_result;
use crate::cli::args::ShowArgs;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::find_run::find_journal;
use crate::cli::repeat::{repeat_in_run, shell_word};
use crate::cli::results_location::ResultsLocation;
use crate::cli::ui::Ui;
use crate::monitor::{ResultLines, Verbosity};
use slt_core::location::path_text;
use slt_core::outcome::{FileReport, FileStatus, RecordId};
use slt_insight::report;
use slt_insight::report::shards::brief;
use slt_runner::event::{EventSink as _, RunEvent};
use slt_runner::results::{Circumstances, Journal};
use slt_runner::text::count::{duration, plural};
use slt_runner::text::detail::{write_failure, write_stderr};
use slt_runner::text::failure::place;
use slt_runner::text::file::{account, status_word};
use slt_runner::text::style::Role;
use slt_runner::text::visible::one_line;
use slt_runner::text::written;

pub(in crate::cli) fn run(args: &ShowArgs, location: &ResultsLocation, ui: &mut Ui) -> CommandResult {
    let journal = find_journal(&args.run, location, ui)?;
    match &args.file {
        Some(name) => show_file(find(&journal, name)?, &journal, ui),
        None => show_run(&journal, ui),
    }?;
    Ok(ExitReason::Success)
}

fn show_run(journal: &Journal, ui: &mut Ui) -> Result<(), CliError> {
    let opened = &journal.opened;
    let text = written(|out| {
        writeln!(out, "run      {}", opened.run)?;
        match &opened.imported {
            Some(imported) => writeln!(out, "imported from {}", imported.from)?,
            None => {
                writeln!(out, "command  {}", command_line(&opened.command))?;
                writeln!(out, "folder   {}", opened.folder.display())?;
            }
        }
        opened.circumstances.iter().try_for_each(|circumstances| write_circumstances(out, circumstances))?;
        writeln!(out)
    });
    ui.print(&text)?;
    let not_good = journal.report.files.iter().filter(|file| file.status() != FileStatus::Passed);
    {
        let mut lines = ResultLines::new(&mut ui.out, Verbosity::Normal, 0);
        for file in not_good {
            let shown = lines.on_event(&RunEvent::FileFinished(Box::new(file.clone())));
            shown.map_err(|error| CliError::io("write to", "standard output", &error.source))?;
        }
    }
    ui.print(&written(|out| {
        report::summary::write(out, &journal.report.overview(), opened.circumstances.as_ref(), false)
    }))
}

fn write_circumstances(out: &mut String, of: &Circumstances) -> std::fmt::Result {
    let (cpus, workers) = (plural(of.cpus as u64, "CPU"), plural(of.workers as u64, "worker"));
    if !of.host.is_empty() {
        writeln!(out, "machine  {}, {}, {cpus}, {workers}", of.host, of.system)?;
    }
    if let Some(commit) = &of.commit {
        let branch = commit.branch.as_ref().map_or_else(String::new, |branch| format!(" on {branch}"));
        let dirty = if commit.dirty { ", with changes" } else { "" };
        writeln!(out, "commit   {}{branch}{dirty}", commit.hash)?;
    }
    if let Some(shards) = brief(Some(of)) {
        writeln!(out, "shards   {shards}")?;
    }
    for part in of.combined.iter().flat_map(|combined| &combined.parts) {
        let (run, time, host) = (&part.run, duration(part.elapsed), &part.host);
        writeln!(
            out,
            "         {}: run {run} on {host}, {time}, {}",
            part.number,
            report::subject::end(part.end)
        )?;
    }
    if let Some(ci) = &of.ci {
        writeln!(out, "CI       {}", ci.url.as_ref().unwrap_or(&ci.id))?;
    }
    Ok(())
}

/// Returns the typed command, with the name of the program instead of its path.
fn command_line(words: &[String]) -> String {
    let program = words.first().map(|word| Path::new(word).file_name().unwrap_or_default().to_string_lossy());
    let words = program.into_iter().chain(words.iter().skip(1).map(|word| word.as_str().into()));
    words.map(|word| shell_word(&word)).collect::<Vec<_>>().join(" ")
}

/// Returns the file with this name in reports or messages, or on disk.
fn find<'j>(journal: &'j Journal, name: &str) -> Result<&'j FileReport, CliError> {
    let called = |name: &str| {
        let mut files = journal.report.files.iter();
        files.find(|file| [file.file.path(), file.file.key(), &file.shown].contains(&name))
    };
    called(name).or_else(|| called(&path_text::of(Path::new(name)))).ok_or_else(|| {
        no_result(name, journal, "run `show` without a file to list files that have not passed")
    })
}

fn show_file(file: &FileReport, journal: &Journal, ui: &mut Ui) -> Result<(), CliError> {
    let program = ui.program.clone();
    let text = written(|out| {
        for detail in file.details() {
            let again = repeat_in_run(&program, journal, file, detail.id).unwrap_or_default();
            write_failure(out, file, detail, &again)?;
            writeln!(out)?;
        }
        if file.details_omitted() > 0 {
            let others = file.failures.iter().filter(|record| record.detail.is_none());
            let lines: Vec<_> = others.map(|record| record.id.to_string()).collect();
            writeln!(out, "… and the records on these lines: {}\n", lines.join(", "))?;
        }
        if !file.left_out.is_empty() {
            let lines: Vec<_> = file.left_out.iter().map(|left_out| left_out.id.to_string()).collect();
            writeln!(out, "skipped by the run: the records on these lines: {}", lines.join(", "))?;
        }
        write_stderr(out, file, usize::MAX, "", "")?;
        for lint in &file.lints {
            let place = place(&file.shown, Some(&RecordId::at(lint.line)));
            writeln!(out, "{} {place}: {}", Role::Warn.paint("note:"), lint.kind)?;
        }
        for attempt in &file.attempts {
            let (role, word) = status_word(attempt.status);
            writeln!(out, "another attempt: {}  {}", role.paint(word), duration(attempt.elapsed))?;
        }
        let (role, word) = status_word(file.status());
        let time = Role::Faint.paint(duration(file.elapsed));
        writeln!(out, "{}  {}  {}  {time}", role.paint(word), one_line(&file.shown), account(file))
    });
    ui.print(&text)
}
