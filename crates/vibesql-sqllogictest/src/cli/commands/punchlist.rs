//! `punchlist`: lists the failing files of a run in suggested fix order.

use super::analyze::{analyzed, put};
use crate::cli::args::{PunchlistArgs, PunchlistFormat};
use crate::cli::error::CommandResult;
use crate::cli::exit::ExitReason;
use crate::cli::find_run::find_journal;
use crate::cli::repeat::repeat_in_run;
use crate::cli::results_location::ResultsLocation;
use crate::cli::ui::Ui;
use slt_insight::report::analysis::{
    AnalysisView, PassRateTrend, Punchlist, punchlist_csv, punchlist_json, punchlist_markdown,
};
use slt_runner::text::written;

pub(in crate::cli) fn run(args: &PunchlistArgs, location: &ResultsLocation, ui: &mut Ui) -> CommandResult {
    let journal = find_journal(&args.run, location, ui)?;
    let analysis = analyzed(&journal);
    let program = ui.program.clone();
    let list = Punchlist {
        view: AnalysisView {
            run: &journal.opened.run,
            report: &journal.report,
            analysis: &analysis,
            again: &|file, record| repeat_in_run(&program, &journal, file, record).unwrap_or_default(),
            trend: &PassRateTrend::default(),
            coverage: None,
            selection: None,
        },
        started: journal.opened.started,
        untested: journal.untested(),
        program: &program,
    };
    let document = match args.format {
        PunchlistFormat::Markdown => written(|out| punchlist_markdown(out, &list)),
        PunchlistFormat::Csv => written(|out| punchlist_csv(out, &list)),
        PunchlistFormat::Json => punchlist_json(&list).pretty(),
    };
    if put(&document, args.output.as_deref(), false, ui)? {
        ui.print(&format!("{list}\n"))?;
    }
    Ok(ExitReason::Success)
}
