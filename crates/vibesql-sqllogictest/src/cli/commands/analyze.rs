//! `analyze`: groups the failures of a run by probable cause, and suggests what to fix first.

use std::path::{Path, PathBuf};

use crate::cli::args::{AnalysisFormat, AnalyzeArgs};
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::find_run::find_journal;
use crate::cli::output::{ExistingFile, OutputFile};
use crate::cli::repeat::repeat_in_run;
use crate::cli::result_filter::ResultFilter;
use crate::cli::results_location::ResultsLocation;
use crate::cli::run_texts::RunTexts;
use crate::cli::ui::Ui;
use slt_insight::analysis::{Analysis, CoverageMap, analyze, coverage};
use slt_insight::report::analysis::{
    AnalysisSection, AnalysisView, PassRateTrend, ResultSelection, json, markdown, members_json,
    members_text, members_toml, text,
};
use slt_runner::results::{Journal, PastRun, ResultsFolder};
use slt_runner::text::count::plural;
use slt_runner::text::style::plain;
use slt_runner::text::written;

/// The number of runs in the trend of the pass rate.
const RUNS_OF_TREND: usize = 10;
/// The report of --report, at the path of the earlier scripts.
const REPORT: &str = "target/sqllogictest_analysis.md";

pub(in crate::cli) fn run(args: &AnalyzeArgs, location: &ResultsLocation, ui: &mut Ui) -> CommandResult {
    let filter = ResultFilter::new(&args.selection);
    let (journal, selection) = selected(&args.run, filter.as_ref(), location, ui)?;
    let analysis = analyzed(&journal);
    let coverage = (args.coverage || args.report).then(|| covered(&journal, &analysis));
    let trend = trend(location.results()?, &journal, filter.as_ref())?;
    let program = ui.program.clone();
    let view = AnalysisView {
        run: &journal.opened.run,
        report: &journal.report,
        analysis: &analysis,
        again: &|file, record| repeat_in_run(&program, &journal, file, record).unwrap_or_default(),
        trend: &trend,
        coverage: coverage.as_ref(),
        selection: selection.as_ref(),
    };
    let sections = [
        (args.top_fixes, AnalysisSection::Fixes),
        (args.patterns, AnalysisSection::Patterns),
        (args.examples, AnalysisSection::Examples),
        (args.trend, AnalysisSection::Trend),
        (args.coverage, AnalysisSection::Coverage),
    ];
    let sections = sections.into_iter().filter(|(wanted, _)| *wanted);
    let sections: Vec<_> = sections.map(|(_, section)| section).collect();
    let format = if args.report { AnalysisFormat::Markdown } else { args.format };
    let cluster = args.fix.map(|fix| cluster_of(fix, &analysis)).transpose()?;
    let document = match (format, cluster) {
        (AnalysisFormat::Text, None) => written(|out| text(out, &view, &sections)),
        (AnalysisFormat::Markdown, None) => written(|out| markdown(out, &view, &sections)),
        (AnalysisFormat::Json, None) => json(&view).pretty(),
        (AnalysisFormat::Text, Some(cluster)) => written(|out| members_text(out, &view, cluster)),
        (AnalysisFormat::Json, Some(cluster)) => members_json(&view, cluster).pretty(),
        (AnalysisFormat::Toml, Some(cluster)) => written(|out| members_toml(out, &view, cluster)),
        (AnalysisFormat::Toml, None) => {
            let hint = "name a cluster, as in `--fix 1 --format toml`";
            return Err(CliError::usage("--format toml requires --fix", hint));
        }
        (AnalysisFormat::Markdown, Some(_)) => {
            let hint = "use --format text, json or toml";
            return Err(CliError::usage("--fix does not support --format markdown", hint));
        }
    };
    let output = args.output.clone().or_else(|| args.report.then(|| PathBuf::from(REPORT)));
    put(&document, output.as_deref(), format == AnalysisFormat::Text, ui)?;
    Ok(ExitReason::Success)
}

/// Returns the index of the cluster that the user names.
fn cluster_of(fix: u32, analysis: &Analysis) -> Result<usize, CliError> {
    let (place, clusters) = (fix as usize - 1, analysis.clusters.len());
    if place < clusters {
        return Ok(place);
    }
    let found = plural(clusters as u64, "cluster");
    Err(CliError::usage(format!("--fix {fix}: the run has {found}"), "`analyze --top-fixes` lists them"))
}

/// Reads a run without the files that a filter excludes.
fn selected(
    name: &str,
    filter: Option<&ResultFilter>,
    location: &ResultsLocation,
    ui: &mut Ui,
) -> Result<(Journal, Option<ResultSelection>), CliError> {
    let mut journal = find_journal(name, location, ui)?;
    let selection = filter.map(|filter| filter.apply(&mut journal)).transpose()?;
    Ok((journal, selection))
}

/// Analyzes a run.
pub(super) fn analyzed(journal: &Journal) -> Analysis {
    analyze(&journal.report, dialect(journal), &mut RunTexts(&journal.opened))
}

fn covered(journal: &Journal, analysis: &Analysis) -> CoverageMap {
    coverage(&journal.report, dialect(journal), analysis, &mut RunTexts(&journal.opened))
}

/// Returns the dialect that the run was started with.
fn dialect(journal: &Journal) -> Option<&str> {
    journal.opened.settings.as_ref()?.dialect.as_deref()
}

/// Writes a document to a file or to standard output, and returns whether it is in a file. A text for people loses its
/// colors in a file.
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
            let in_file = OutputFile::open(path, ExistingFile::ReplaceReport)?.put(text)?.is_some();
            if in_file {
                ui.print(&format!("written to {}\n", path.display()))?;
            }
            Ok(in_file)
        }
        None if for_people => ui.print(document).map(|()| false),
        None => Ui::put_raw(document).map(|()| false),
    }
}

/// Returns the complete runs of the same engine up to this one.
fn trend(
    results: &ResultsFolder,
    journal: &Journal,
    filter: Option<&ResultFilter>,
) -> Result<PassRateTrend, CliError> {
    let names = results.runs()?;
    let up_to = names.iter().rev().skip_while(|name| **name != journal.opened.run);
    // Unreadable runs are skipped.
    let runs = up_to.filter_map(|name| PastRun::read(results, name).ok());
    let engine = &journal.report.header.engine;
    let alike = runs.filter(|past| past.run.is_complete() && past.run.header.engine.is_same(engine));
    let runs: Vec<_> = alike.take(RUNS_OF_TREND).collect();
    let mut trend = PassRateTrend::default();
    for past in runs.into_iter().rev() {
        let places = past.places.clone();
        trend.push(past, |file| filter.is_none_or(|filter| filter.passes(file, places.get(file))));
    }
    Ok(trend)
}
