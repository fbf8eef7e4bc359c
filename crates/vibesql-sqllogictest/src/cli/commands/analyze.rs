//! `analyze`: what the failures of a run come from, and what to fix first.

use std::path::{Path, PathBuf};

use crate::cli::args::{AnalysisFormat, AnalyzeArgs};
use crate::cli::baseline::find_journal;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::output::{Existing, Output};
use crate::cli::settings::repeat_command;
use crate::cli::texts::TextsOfRun;
use crate::cli::ui::Ui;
use slt_core::outcome::{FileReport, RecordId};
use slt_insight::analysis::{Analysis, analyze};
use slt_insight::report::analysis::{
    Section, View, json, markdown, members_json, members_text, members_toml, text,
};
use slt_runner::results::{Journal, ResultsFolder, RunSummary};
use slt_runner::text::count::plural;
use slt_runner::text::style::plain;
use slt_runner::text::written;

/// So many runs tell how the pass rate went.
const RUNS_OF_TREND: usize = 10;
/// Where the earlier scripts had written it.
const REPORT: &str = "target/sqllogictest_analysis.md";

pub(in crate::cli) fn run(
    args: &AnalyzeArgs,
    keeping: &Keeping,
    ui: &mut Ui,
) -> Result<ExitReason, CliError> {
    let (journal, analysis) = analyzed(&args.run, keeping, ui)?;
    let history = history(keeping.results()?, &journal)?;
    let program = ui.program.clone();
    let view = View {
        run: &journal.opened.run,
        report: &journal.report,
        analysis: &analysis,
        again: &|file, record| again(&program, &journal, file, record),
        history: &history,
    };
    let sections = sections(args);
    let format = if args.report { AnalysisFormat::Markdown } else { args.format };
    let cluster = args.fix.map(|fix| cluster_of(fix, &analysis)).transpose()?;
    let internal = |error: serde_json::Error| CliError::internal(error.to_string());
    let document = match (format, cluster) {
        (AnalysisFormat::Text, None) => written(|out| text(out, &view, &sections)),
        (AnalysisFormat::Markdown, None) => written(|out| markdown(out, &view, &sections)),
        (AnalysisFormat::Json, None) => json(&view).map_err(internal)?,
        (AnalysisFormat::Text, Some(cluster)) => written(|out| members_text(out, &view, cluster)),
        (AnalysisFormat::Json, Some(cluster)) => members_json(&view, cluster).map_err(internal)?,
        (AnalysisFormat::Toml, Some(cluster)) => written(|out| members_toml(out, &view, cluster)),
        (AnalysisFormat::Toml, None) | (AnalysisFormat::Markdown, Some(_)) => return Err(no_such_form(args)),
    };
    let output = args.output.clone().or_else(|| args.report.then(|| PathBuf::from(REPORT)));
    put(&document, output.as_deref(), format == AnalysisFormat::Text, ui)?;
    Ok(ExitReason::Success)
}

/// The place in the analysis of the cluster that the user names.
fn cluster_of(fix: u32, analysis: &Analysis) -> Result<usize, CliError> {
    let (place, clusters) = (fix as usize - 1, analysis.clusters.len());
    if place < clusters {
        return Ok(place);
    }
    let hint = "`analyze --top-fixes` lists them".to_owned();
    let found = plural(clusters as u64, "cluster");
    Err(CliError::usage(format!("--fix {fix}: the run has {found}"), vec![hint]))
}

fn no_such_form(args: &AnalyzeArgs) -> CliError {
    match args.fix {
        None => {
            let hint = "name a cluster, as in `--fix 1 --format toml`".to_owned();
            CliError::usage("--format toml is for the records of one cluster".to_owned(), vec![hint])
        }
        Some(_) => {
            let hint = "text, json and toml are there".to_owned();
            CliError::usage("--fix has no --format markdown".to_owned(), vec![hint])
        }
    }
}

/// Reads a run and analyses it.
pub(super) fn analyzed(name: &str, keeping: &Keeping, ui: &mut Ui) -> Result<(Journal, Analysis), CliError> {
    let journal = find_journal(name, keeping, ui)?;
    let dialect = journal.opened.settings.as_ref().and_then(|settings| settings.dialect.clone());
    let analysis = analyze(&journal.report, dialect.as_deref(), &mut TextsOfRun::new(&journal));
    Ok((journal, analysis))
}

/// The command that runs a record as the run did; empty if the run does not say how.
pub(super) fn again(program: &str, journal: &Journal, file: &FileReport, record: &RecordId) -> String {
    let labels = &journal.report.header.engine.labels;
    let command = |settings| repeat_command(program, settings, labels, &file.shown, record);
    journal.opened.settings.as_ref().map_or_else(String::new, command)
}

/// Writes a document to a file, or shows it, and returns whether it is in a file. What is for people may lose its colours.
pub(super) fn put(
    document: &str,
    output: Option<&Path>,
    for_people: bool,
    ui: &mut Ui,
) -> Result<bool, CliError> {
    match output.filter(|path| path.as_os_str() != "-") {
        Some(path) => {
            let text = if for_people { plain(document) } else { document.to_owned() };
            let failed = |error| CliError::io("write", &path.display().to_string(), &error);
            if path == Path::new(REPORT) {
                std::fs::create_dir_all("target").map_err(failed)?;
            }
            let place = Output::open(path, Existing::ReplaceReport)?;
            let is_standard = place.is_standard();
            place.put(text)?;
            if !is_standard {
                ui.print(&format!("written to {}\n", path.display()))?;
            }
            Ok(!is_standard)
        }
        None if for_people => ui.print(document).map(|()| false),
        None => Ui::put_raw(document).map(|()| false),
    }
}

fn sections(args: &AnalyzeArgs) -> Vec<Section> {
    let wanted = [
        (args.top_fixes, Section::Fixes),
        (args.patterns, Section::Patterns),
        (args.examples, Section::Examples),
        (args.trend, Section::Trend),
    ];
    wanted.into_iter().filter(|(wanted, _)| *wanted).map(|(_, section)| section).collect()
}

/// Complete runs of the same engine up to this one, the oldest first.
fn history(results: &ResultsFolder, journal: &Journal) -> Result<Vec<RunSummary>, CliError> {
    let names = results.runs()?;
    let own = names.iter().position(|name| *name == journal.opened.run);
    let up_to = own.map_or(0, |place| place + 1);
    // What cannot be read is passed over.
    let runs = names[..up_to].iter().rev().filter_map(|name| RunSummary::read(results, name).ok());
    let engine = &journal.report.header.engine.name;
    let alike = runs.filter(|run| run.is_complete() && run.header.engine.name == *engine);
    let mut runs: Vec<_> = alike.take(RUNS_OF_TREND).collect();
    runs.reverse();
    Ok(runs)
}
