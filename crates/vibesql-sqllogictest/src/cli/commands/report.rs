//! `report`: writes a document about a run, for people or for other programs.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::cli::args::{ReportArgs, ReportFormat};
use crate::cli::config::EnvironmentVariables;
use crate::cli::context::CommandContext;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::find_run::{LocatedRun, RunConstraints, find_journal, find_run};
use crate::cli::git::repository_of;
use crate::cli::loaded_expectations::{ExpectationsSource, LoadedExpectations};
use crate::cli::output::{ExistingFile, OutputFile};
use crate::cli::repeat::repeat_in_run;
use crate::cli::results_location::ResultsLocation;
use crate::cli::run_texts::RunTexts;
use crate::cli::ui::Ui;
use slt_core::outcome::{FileReport, RecordId, bytes};
use slt_insight::analysis::{Analysis, analyze};
use slt_insight::regression::compare;
use slt_insight::report::markdown::MarkdownKind;
use slt_insight::report::subject::{Baseline, ExpectedFailures, Subject};
use slt_insight::report::{badge, github, html, json, junit, markdown};
use slt_runner::results::{Journal, PastRun, ResultsFolder, RunState, RunSummary};
use slt_runner::text::written;

/// Where the page is written by default.
const PAGE: &str = "sqllogictest-report.html";
/// The number of runs examined for each run of the history.
const TRIES: usize = 4;

pub(in crate::cli) fn run(
    args: &ReportArgs,
    CommandContext { location, environment, .. }: CommandContext<'_>,
    ui: &mut Ui,
) -> CommandResult {
    let results = location.results()?;
    let journal = find_journal(&args.run, location, ui)?;
    let history = history(results, &journal, args.history as usize)?;
    let found = baseline(args.baseline.as_deref(), &history, &journal, location, ui)?;
    found.iter().flat_map(|found| &found.notes).for_each(|note| ui.note(note));
    let diff = found.as_ref().map(|found| compare(&found.journal.report, &journal.report));
    let known = known(args.format, &args.expectations.clone().into(), &journal)?;
    let judgement = known.as_ref().map(|known| known.judge_stored(&journal.report));
    let analysis = analysis(args.format, &journal, environment);
    let untested = journal.untested();
    let program = ui.program.clone();
    let again = |file: &FileReport, record: &RecordId| {
        if record.is_whole_file() { None } else { repeat_in_run(&program, &journal, file, record) }
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
            .map(|(known, judgement)| ExpectedFailures { expectations: &known.expectations, judgement }),
        again: &again,
    };
    let default = if args.format == ReportFormat::Html { PAGE } else { "-" };
    let output = args.output.as_deref().unwrap_or(Path::new(default));
    let write = |out: &mut dyn Write| write(out, &subject, args, environment, &journal);
    let shown = output.display().to_string();
    let place = OutputFile::open(output, ExistingFile::ReplaceReport)?;
    let failed = |error| CliError::io("write", &shown, &error);
    if let ((), Some(size)) = place.write(|out| write(out).map_err(failed))? {
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
    environment: &EnvironmentVariables,
    journal: &Journal,
) -> std::io::Result<()> {
    let text = match args.format {
        ReportFormat::Html => return html::write(&mut out, subject),
        ReportFormat::Junit => {
            let (records, untested) = (args.junit_records as usize, args.junit_untested.into());
            return junit::write(&mut out, subject, records, untested);
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
        ReportFormat::Summary => markdown::document(subject, MarkdownKind::Summary),
        ReportFormat::Comment => markdown::document(subject, MarkdownKind::Comment),
        ReportFormat::Markdown => markdown::document(subject, MarkdownKind::Whole),
        ReportFormat::Badge => badge::document(subject),
    };
    out.write_all(text.as_bytes())
}

/// Several steps of a job may write to one file.
fn append_summary(subject: &Subject<'_>, environment: &EnvironmentVariables) -> Result<(), CliError> {
    let Some(path) = environment.step_summary() else { return Ok(()) };
    let failed = |error| CliError::io("write", &path.display().to_string(), &error);
    let mut file = File::options().append(true).create(true).open(&path).map_err(failed)?;
    file.write_all(markdown::document(subject, MarkdownKind::Summary).as_bytes()).map_err(failed)
}

/// Reads the expected failures, unless the document does not show them.
fn known(
    format: ReportFormat,
    source: &ExpectationsSource,
    journal: &Journal,
) -> Result<Option<LoadedExpectations>, CliError> {
    let is_silent = matches!(format, ReportFormat::Json | ReportFormat::Badge);
    if is_silent && !matches!(source, ExpectationsSource::File(_)) {
        return Ok(None);
    }
    LoadedExpectations::load_for_run(source, &journal.opened)
}

/// Returns the state of the run; for a run that is not stored here, by its journal.
fn state(results: &ResultsFolder, journal: &Journal) -> Result<RunState, CliError> {
    let known = RunSummary::read(results, &journal.opened.run).ok().map(|run| run.state);
    let ended = || if journal.ended { RunState::Ended(journal.report.end) } else { RunState::Killed };
    Ok(known.unwrap_or_else(ended))
}

/// Returns earlier complete runs on the same engine with mostly the same files, the oldest first.
fn history(results: &ResultsFolder, journal: &Journal, most: usize) -> Result<Vec<PastRun>, CliError> {
    let names = results.runs()?;
    let earlier = names.iter().rev().skip_while(|name| **name != journal.opened.run).skip(1);
    let mut found = Vec::new();
    for name in earlier.take(most.saturating_mul(TRIES)) {
        // Unreadable runs are skipped.
        if let Ok(past) = PastRun::read(results, name)
            && past.run.header.engine.is_same(&journal.report.header.engine)
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
    let common = files.iter().filter(|file| before.contains_key(&file.file)).count();
    common > 0 && common * 2 >= files.len().max(before.len())
}

/// Returns the run to compare with: the named one, or the last one of the history.
fn baseline(
    word: Option<&str>,
    history: &[PastRun],
    journal: &Journal,
    location: &ResultsLocation,
    ui: &mut Ui,
) -> Result<Option<LocatedRun>, CliError> {
    let before = history.last().map(|past| format!("run:{}", past.run.name));
    let Some(word) = word.map(str::to_owned).or(before) else { return Ok(None) };
    let constraints =
        RunConstraints { before: Some(&journal.opened.run), engine: Some(&journal.report.header.engine) };
    find_run(&word, location, constraints, ui).map(Some)
}

/// Analyzes the failures, for the documents that show it.
fn analysis(format: ReportFormat, journal: &Journal, environment: &EnvironmentVariables) -> Option<Analysis> {
    let is_shown = match format {
        ReportFormat::Html | ReportFormat::Summary | ReportFormat::Comment | ReportFormat::Markdown => true,
        ReportFormat::Github => environment.step_summary().is_some(),
        ReportFormat::Junit | ReportFormat::Badge | ReportFormat::Json => false,
    };
    let dialect = journal.opened.settings.as_ref().and_then(|settings| settings.dialect.as_deref());
    is_shown.then(|| analyze(&journal.report, dialect, &mut RunTexts(&journal.opened)))
}

/// Returns the path of a file below the checkout of GitHub Actions, or below its own repository.
fn path_in_repository(journal: &Journal, file: &FileReport, workspace: Option<&Path>) -> Option<String> {
    let place = journal.opened.places.get(&file.file).filter(|place| place.is_absolute())?;
    let below = |root: &Path| Some(place.strip_prefix(root).ok()?.to_str()?.to_owned());
    workspace.and_then(below).or_else(|| below(&repository_of(place)?))
}
