//! `report`: a document about a run, for people elsewhere and for other programs.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cli::args::{ReportArgs, ReportFormat, UntestedWord};
use crate::cli::baseline::{Besides, Found, find, find_journal};
use crate::cli::config::Environment;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::git::repository_of;
use crate::cli::keeping::Keeping;
use crate::cli::known::Known;
use crate::cli::output::{Existing, Output};
use crate::cli::settings::repeat_command;
use crate::cli::texts::TextsOfRun;
use crate::cli::ui::Ui;
use slt_core::outcome::{FileReport, RecordId, bytes};
use slt_insight::analysis::{Analysis, analyze};
use slt_insight::expectations::judge;
use slt_insight::regression::compare;
use slt_insight::report::markdown::Form;
use slt_insight::report::subject::{Baseline, Expected, Subject};
use slt_insight::report::{badge, github, html, json, junit, markdown};
use slt_runner::results::{Journal, PastRun, ResultsFolder, RunState, RunSummary};
use slt_runner::text::written;

/// Where the page is, if nothing says where.
const PAGE: &str = "sqllogictest-report.html";
/// So many runs are looked at for each one that is like this one.
const TRIES: usize = 4;

pub(in crate::cli) fn run(
    args: &ReportArgs,
    keeping: &Keeping,
    environment: &Environment,
    ui: &mut Ui,
) -> Result<ExitReason, CliError> {
    let results = keeping.results()?;
    let journal = find_journal(&args.run, keeping, ui)?;
    let history = history(results, &journal, args.history as usize)?;
    let found = baseline(args.baseline.as_deref(), &history, &journal, keeping, ui)?;
    found.iter().flat_map(|found| &found.notes).for_each(|note| ui.note(note));
    let diff = found.as_ref().map(|found| compare(&found.report, &journal.report));
    let known = known(args, &journal)?;
    let judgement =
        known.as_ref().map(|known| judge(&known.expectations, &journal.report, known.today, known.is_part));
    let analysis = analysis(args.format, &journal, environment);
    let untested = untested(&journal);
    let program = ui.program.clone();
    let again = |file: &FileReport, record: &RecordId| {
        let settings = journal.opened.settings.as_ref().filter(|_| !record.is_whole_file())?;
        let labels = &journal.report.header.engine.labels;
        Some(repeat_command(&program, settings, labels, &file.shown, record))
    };
    let subject = Subject {
        name: &journal.opened.run,
        started: journal.opened.started,
        state: state(results, &journal)?,
        report: &journal.report,
        untested: &untested,
        circumstances: journal.opened.circumstances.as_ref(),
        history: &history,
        analysis: analysis.as_ref(),
        baseline: found.as_ref().zip(diff.as_ref()).map(|(found, diff)| Baseline {
            name: &found.name,
            commit: found.commit(),
            diff,
        }),
        expected: known
            .as_ref()
            .zip(judgement.as_ref())
            .map(|(known, judgement)| Expected { expectations: &known.expectations, judgement }),
        again: &again,
    };
    let output = match (&args.output, args.format) {
        (Some(path), _) => path.clone(),
        (None, ReportFormat::Html) => PathBuf::from(PAGE),
        (None, _) => PathBuf::from("-"),
    };
    let write = |out: &mut dyn Write| write(out, &subject, args, environment, &journal);
    let shown = output.display().to_string();
    let place = Output::open(&output, Existing::ReplaceReport)?;
    let is_standard = place.is_standard();
    let failed = |error| CliError::io("write", &shown, &error);
    let ((), size) = place.write(|out| write(out).map_err(failed))?;
    if !is_standard {
        ui.print(&format!("{shown}, {}\n", bytes(size)))?;
    }
    if args.format == ReportFormat::Github {
        append_summary(&subject, environment)?;
    }
    Ok(ExitReason::Success)
}

fn write(
    mut out: &mut dyn Write,
    subject: &Subject<'_>,
    args: &ReportArgs,
    environment: &Environment,
    journal: &Journal,
) -> std::io::Result<()> {
    let text = match args.format {
        ReportFormat::Html => return html::write(&mut out, subject),
        ReportFormat::Junit => {
            return junit::write(&mut out, subject, args.junit_records as usize, untested_as(args));
        }
        ReportFormat::Json => {
            json::write(subject.report, subject.untested, &mut out)?;
            "\n".to_owned()
        }
        ReportFormat::Github => {
            let root = environment.workspace();
            let path = |file: &FileReport| path_in_repository(journal, file, root.as_deref());
            written(|text| github::annotations(text, subject, args.annotations as usize, &path))
        }
        ReportFormat::Summary => markdown::document(subject, Form::Summary),
        ReportFormat::Comment => markdown::document(subject, Form::Comment),
        ReportFormat::Markdown => markdown::document(subject, Form::Whole),
        ReportFormat::Badge => badge::document(subject),
    };
    out.write_all(text.as_bytes())
}

/// Several steps of a job may write to one file.
fn append_summary(subject: &Subject<'_>, environment: &Environment) -> Result<(), CliError> {
    let Some(path) = environment.step_summary() else { return Ok(()) };
    let failed = |error| CliError::io("write", &path.display().to_string(), &error);
    let mut file = File::options().append(true).create(true).open(&path).map_err(failed)?;
    file.write_all(markdown::document(subject, Form::Summary).as_bytes()).map_err(failed)
}

/// What is expected to fail. Documents that say nothing of it need no file that can be read.
fn known(args: &ReportArgs, journal: &Journal) -> Result<Option<Known>, CliError> {
    let is_silent = matches!(args.format, ReportFormat::Json | ReportFormat::Badge);
    if is_silent && args.expectations.expectations.is_none() {
        return Ok(None);
    }
    let places = journal.opened.places.iter().map(|(file, place)| (file.as_str(), place.as_path()));
    Known::load(&args.expectations, places, journal.opened.is_part())
}

/// The files that were to be run and have no result.
fn untested(journal: &Journal) -> Vec<&str> {
    let tested: HashSet<&str> = journal.report.files.iter().map(|file| file.file.as_str()).collect();
    journal.opened.wanted_files().filter(|file| !tested.contains(file)).collect()
}

fn untested_as(args: &ReportArgs) -> junit::Untested {
    match args.junit_untested {
        UntestedWord::Error => junit::Untested::Error,
        UntestedWord::Skipped => junit::Untested::Skipped,
    }
}

/// What the run is at; one that lies elsewhere is what its journal says.
fn state(results: &ResultsFolder, journal: &Journal) -> Result<RunState, CliError> {
    let known = RunSummary::read(results, &journal.opened.run).ok().map(|run| run.state);
    let ended = || if journal.ended { RunState::Ended(journal.report.end) } else { RunState::Killed };
    Ok(known.unwrap_or_else(ended))
}

/// Complete runs before this one on the same engine that have most files in common with it, the oldest first.
fn history(results: &ResultsFolder, journal: &Journal, most: usize) -> Result<Vec<PastRun>, CliError> {
    let names = results.runs()?;
    let earlier = names.iter().rev().skip_while(|name| **name != journal.opened.run).skip(1);
    let mut found = Vec::new();
    for name in earlier.take(most.saturating_mul(TRIES)) {
        // What cannot be read is passed over.
        if let Ok(past) = PastRun::read(results, name)
            && past.run.header.engine.name == journal.report.header.engine.name
            && past.run.is_complete()
            && is_like(&past, journal)
        {
            found.push(past);
        }
        if found.len() >= most {
            break;
        }
    }
    found.reverse();
    Ok(found)
}

fn is_like(past: &PastRun, journal: &Journal) -> bool {
    let (files, before) = (&journal.report.files, past.statuses());
    let common = files.iter().filter(|file| before.contains_key(file.file.as_str())).count();
    common > 0 && common * 2 >= files.len().max(before.len())
}

/// The run that is named, or else the last one before it that is like it.
fn baseline(
    word: Option<&str>,
    history: &[PastRun],
    journal: &Journal,
    keeping: &Keeping,
    ui: &mut Ui,
) -> Result<Option<Found>, CliError> {
    let before = history.last().map(|past| format!("run:{}", past.run.name));
    let Some(word) = word.map(str::to_owned).or(before) else { return Ok(None) };
    let besides =
        Besides { before: Some(&journal.opened.run), engine: Some(&journal.report.header.engine.name) };
    find(&word, keeping, besides, ui).map(Some)
}

/// What the failures come from, for the documents that tell it.
fn analysis(format: ReportFormat, journal: &Journal, environment: &Environment) -> Option<Analysis> {
    let is_told = match format {
        ReportFormat::Html | ReportFormat::Summary | ReportFormat::Comment | ReportFormat::Markdown => true,
        ReportFormat::Github => environment.step_summary().is_some(),
        ReportFormat::Junit | ReportFormat::Badge | ReportFormat::Json => false,
    };
    let dialect = journal.opened.settings.as_ref().and_then(|settings| settings.dialect.as_deref());
    is_told.then(|| analyze(&journal.report, dialect, &mut TextsOfRun::new(journal)))
}

/// Where a file is below the folder that GitHub has checked out, or below its own repository.
fn path_in_repository(journal: &Journal, file: &FileReport, workspace: Option<&Path>) -> Option<String> {
    let place = journal.opened.places.get(&file.file).filter(|place| place.is_absolute())?;
    let below = |root: &Path| Some(place.strip_prefix(root).ok()?.to_str()?.to_owned());
    workspace.and_then(below).or_else(|| below(&repository_of(place)?))
}
