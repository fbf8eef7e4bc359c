//! `compare`: compares two runs record by record.

use crate::cli::args::{CompareArgs, CompareFormat};
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::find_run::{LocatedRun, RunConstraints, find_run};
use crate::cli::output::{ExistingFile, OutputFile};
use crate::cli::repeat::repeat_command;
use crate::cli::results_location::ResultsLocation;
use crate::cli::ui::Ui;
use slt_core::executor::Settings;
use slt_core::outcome::RunReport;
use slt_insight::regression::past::timed;
use slt_insight::regression::timing::{Slowdowns, slower};
use slt_insight::regression::{RecordChange, RunDiff, compare};
use slt_insight::report::compare::{Comparison, ConfirmedSlowdown, NamedRun, json, write, write_markdown};
use slt_insight::report::shards::defect;
use slt_runner::results::{PastRun, ResultsFolder};
use slt_runner::text::style::plain;
use slt_runner::text::written;

/// The number of runs by which durations are judged.
const MOST_PAST: usize = 40;

pub(in crate::cli) fn run(args: &CompareArgs, location: &ResultsLocation, ui: &mut Ui) -> CommandResult {
    let current = find_run(&args.current, location, RunConstraints::default(), ui)?;
    let constraints = RunConstraints {
        before: Some(current.name.as_str()).filter(|_| current.is_stored),
        engine: (!current.is_foreign()).then_some(&current.journal.report.header.engine),
    };
    let baseline = find_run(&args.baseline, location, constraints, ui)?;
    baseline.notes.iter().chain(&current.notes).for_each(|note| ui.note(note));
    let report = &current.journal.report;
    let diff = compare(&baseline.journal.report, report);
    let past = match current.is_stored {
        true => past_of(location.results()?, &current.name, report)?,
        false => Vec::new(),
    };
    let Slowdowns { slower, load, .. } = slower(&timed(&past));
    let settings = current.journal.opened.settings.as_ref();
    let comparison = Comparison {
        diff: &diff,
        baseline: named(&baseline),
        current: named(&current),
        gate: args.gate.into(),
        limit: limit(args.limit),
        slower: slower.into_iter().map(|slowdown| ConfirmedSlowdown { slowdown, again: None }).collect(),
        load,
        again: settings.and_then(|settings| again(&ui.program, settings, report, &diff)),
    };
    let text = match args.format {
        CompareFormat::Text => written(|out| write(out, &comparison)),
        CompareFormat::Markdown => written(|out| write_markdown(out, &comparison)),
        CompareFormat::Json => json(&comparison).pretty(),
    };
    match &args.output {
        Some(path) => {
            let text = if args.format == CompareFormat::Text { plain(&text) } else { text };
            OutputFile::open(path, ExistingFile::ReplaceReport)?.put(text)?;
        }
        None if args.format == CompareFormat::Text => ui.print(&text)?,
        None => Ui::put_raw(&text)?,
    }
    Ok(ExitReason::from_comparison(diff.has_regressed(comparison.gate), diff.common()))
}

/// Returns the runs by which the durations of a run are judged, and the run itself.
pub(super) fn past_of(
    results: &ResultsFolder,
    name: &str,
    run: &RunReport,
) -> Result<Vec<PastRun>, CliError> {
    Ok(results.past_runs(Some(name), MOST_PAST, |past| past.run.header.engine.is_same(&run.header.engine))?)
}

/// Returns a limit; 0 is no limit.
fn limit(count: usize) -> usize {
    if count == 0 { usize::MAX } else { count }
}

/// Returns a run as reports name it.
pub(super) fn named(found: &LocatedRun) -> NamedRun<'_> {
    NamedRun { name: &found.name, commit: found.commit(), defect: defect(found.circumstances()) }
}

/// Returns the command that shows the first record that has regressed.
pub(super) fn again(
    program: &str,
    settings: &Settings,
    current: &RunReport,
    diff: &RunDiff<'_>,
) -> Option<String> {
    let mut regressed = diff.records_with(|change| change == RecordChange::Regressed);
    let (file, id) =
        regressed.find_map(|(file, record)| Some((file, record.id().filter(|id| !id.is_whole_file())?)))?;
    repeat_command(program, settings, &current.header.engine.labels, file.shown, id)
}
