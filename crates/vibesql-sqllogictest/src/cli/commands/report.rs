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
use slt_insight::analysis::analyze;
use slt_insight::regression::compare;
use slt_insight::report::junit::UntestedResult;
use slt_insight::report::markdown::MarkdownKind;
use slt_insight::report::subject::{Baseline, ExpectedFailures, Subject};
use slt_insight::report::{badge, github, html, json, junit, markdown};
use slt_runner::results::{Journal, PastRun, ResultsFolder, RunState, RunSummary};
use slt_runner::text::written;

/// Where the page is written by default.
const PAGE: &str = "sqllogictest-report.html";
/// The number of runs examined for each run of the history.
const TRIES: usize = 4;

pub(in crate::cli) fn run(args: &ReportArgs, context: CommandContext<'_>, ui: &mut Ui) -> CommandResult {
    let CommandContext { location, environment, .. } = context;
    let journal = find_journal(&args.run, location, ui)?;
    let sources = DocumentSources {
        history: args.history as usize,
        baseline: args.baseline.as_deref(),
        expectations: &args.expectations.clone().into(),
        shows_expected: !matches!(args.format, ReportFormat::Json | ReportFormat::Badge),
        shows_causes: shows_causes(args.format, environment),
    };
    let default = if args.format == ReportFormat::Html { PAGE } else { "-" };
    let output = args.output.as_deref().unwrap_or(Path::new(default));
    let shown = output.display().to_string();
    let place = OutputFile::open(output, ExistingFile::ReplaceReport)?;
    let options = DocumentOptions {
        junit_records: args.junit_records as usize,
        junit_untested: args.junit_untested.into(),
        annotations: args.annotations as usize,
    };
    let (size, summary) = with_subject(&journal, sources, location, ui, |subject| {
        let document = |out: &mut dyn Write| write(out, subject, args.format, options, environment, &journal);
        let failed = |error| CliError::io("write", &shown, &error);
        let ((), size) = place.write(|out| document(out).map_err(failed))?;
        let is_github = args.format == ReportFormat::Github;
        Ok((size, is_github.then(|| markdown::document(subject, MarkdownKind::Summary))))
    })?;
    if let Some(size) = size {
        ui.print(&format!("{shown}, {}\n", bytes(size)))?;
    }
    summary.map_or(Ok(()), |summary| append_summary(&summary, environment))?;
    Ok(ExitReason::Success)
}

/// What documents about a run are made of, besides the run.
pub(super) struct DocumentSources<'s> {
    /// The maximum number of runs in the history.
    pub(super) history: usize,
    /// The run to compare with; by default, the last one of the history.
    pub(super) baseline: Option<&'s str>,
    pub(super) expectations: &'s ExpectationsSource,
    /// Whether a document shows expected failures.
    pub(super) shows_expected: bool,
    /// Whether a document shows the causes of failures.
    pub(super) shows_causes: bool,
}

/// The options of single formats.
#[derive(Debug, Clone, Copy)]
pub(super) struct DocumentOptions {
    pub(super) junit_records: usize,
    pub(super) junit_untested: UntestedResult,
    pub(super) annotations: usize,
}

/// Collects everything that documents about a run show, and passes it to `write`.
pub(super) fn with_subject<T>(
    journal: &Journal,
    sources: DocumentSources<'_>,
    location: &ResultsLocation,
    ui: &mut Ui,
    write: impl FnOnce(&Subject<'_>) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let results = location.results()?;
    let history = history(results, journal, sources.history)?;
    let found = baseline(sources.baseline, &history, journal, location, ui)?;
    found.iter().flat_map(|found| &found.notes).for_each(|note| ui.note(note));
    let diff = found.as_ref().map(|found| compare(&found.journal.report, &journal.report));
    // A named file is read in any case, so that a mistake in it is noticed.
    let reads_expected =
        sources.shows_expected || matches!(sources.expectations, ExpectationsSource::File(_));
    let known = match reads_expected {
        true => LoadedExpectations::load_for_run(sources.expectations, &journal.opened)?,
        false => None,
    };
    let judgement = known.as_ref().map(|known| known.judge_stored(&journal.report));
    let analysis = sources.shows_causes.then(|| {
        let dialect = journal.opened.settings.as_ref().and_then(|settings| settings.dialect.as_deref());
        analyze(&journal.report, dialect, &mut RunTexts(&journal.opened))
    });
    let untested = journal.untested();
    let program = ui.program.clone();
    let again = |file: &FileReport, record: &RecordId| {
        if record.is_whole_file() { None } else { repeat_in_run(&program, journal, file, record) }
    };
    write(&Subject {
        name: &journal.opened.run,
        started: journal.opened.started,
        state: state(results, journal)?,
        report: &journal.report,
        untested: &untested,
        circumstances: journal.opened.circumstances.as_ref(),
        history: &history,
        analysis: analysis.as_ref(),
        timings: journal.timings.measured(),
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
    })
}

/// Writes a document in one of the formats.
pub(super) fn write(
    mut out: &mut dyn Write,
    subject: &Subject<'_>,
    format: ReportFormat,
    options: DocumentOptions,
    environment: &EnvironmentVariables,
    journal: &Journal,
) -> std::io::Result<()> {
    let text = match format {
        ReportFormat::Html => return html::write(&mut out, subject),
        ReportFormat::Junit => {
            return junit::write(&mut out, subject, options.junit_records, options.junit_untested);
        }
        ReportFormat::Json => {
            json::write(subject.report, subject.untested, subject.timings, &mut out)?;
            "\n".to_owned()
        }
        ReportFormat::Github => {
            let root = environment.workspace();
            let path = |file: &FileReport| path_in_repository(journal, file, root.as_deref());
            written(|text| github::annotations(text, subject, options.annotations, &path))
        }
        ReportFormat::Summary => markdown::document(subject, MarkdownKind::Summary),
        ReportFormat::Comment => markdown::document(subject, MarkdownKind::Comment),
        ReportFormat::Markdown => markdown::document(subject, MarkdownKind::Whole),
        ReportFormat::Badge => badge::document(subject),
    };
    out.write_all(text.as_bytes())
}

/// Several steps of a job may write to one file.
fn append_summary(summary: &str, environment: &EnvironmentVariables) -> Result<(), CliError> {
    let Some(path) = environment.step_summary() else { return Ok(()) };
    let failed = |error| CliError::io("write", &path.display().to_string(), &error);
    let mut file = File::options().append(true).create(true).open(&path).map_err(failed)?;
    file.write_all(summary.as_bytes()).map_err(failed)
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

/// Whether a document shows the causes of failures.
fn shows_causes(format: ReportFormat, environment: &EnvironmentVariables) -> bool {
    match format {
        ReportFormat::Html | ReportFormat::Summary | ReportFormat::Comment | ReportFormat::Markdown => true,
        ReportFormat::Github => environment.step_summary().is_some(),
        ReportFormat::Junit | ReportFormat::Badge | ReportFormat::Json => false,
    }
}

/// Returns the path of a file below the checkout of GitHub Actions, or below its own repository.
fn path_in_repository(journal: &Journal, file: &FileReport, workspace: Option<&Path>) -> Option<String> {
    let place = journal.opened.places.get(&file.file).filter(|place| place.is_absolute())?;
    let below = |root: &Path| Some(place.strip_prefix(root).ok()?.to_str()?.to_owned());
    workspace.and_then(below).or_else(|| below(&repository_of(place)?))
}
