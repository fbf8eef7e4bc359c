//! `punchlist`: the files of a run, those first that fixes turn green first.

use std::collections::HashSet;

use super::analyze::{again, analyzed, put};
use crate::cli::args::{PunchlistArgs, PunchlistFormat};
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::ui::Ui;
use slt_insight::report::analysis::{Punchlist, View, punchlist_csv, punchlist_json, punchlist_markdown};
use slt_runner::text::written;

pub(in crate::cli) fn run(
    args: &PunchlistArgs,
    keeping: &Keeping,
    ui: &mut Ui,
) -> Result<ExitReason, CliError> {
    let (journal, analysis) = analyzed(&args.run, keeping, ui)?;
    let program = ui.program.clone();
    let tested: HashSet<&str> = journal.report.files.iter().map(|file| file.file.as_str()).collect();
    let files = journal.opened.wanted_files();
    let list = Punchlist {
        view: View {
            run: &journal.opened.run,
            report: &journal.report,
            analysis: &analysis,
            again: &|file, record| again(&program, &journal, file, record),
            history: &[],
        },
        started: journal.opened.started,
        untested: files.filter(|file| !tested.contains(file)).collect(),
        program: &program,
    };
    let document = match args.format {
        PunchlistFormat::Markdown => written(|out| punchlist_markdown(out, &list)),
        PunchlistFormat::Csv => written(|out| punchlist_csv(out, &list)),
        PunchlistFormat::Json => {
            punchlist_json(&list).map_err(|error| CliError::internal(error.to_string()))?
        }
    };
    if put(&document, args.output.as_deref(), false, ui)? {
        ui.print(&format!("{list}\n"))?;
    }
    Ok(ExitReason::Success)
}
