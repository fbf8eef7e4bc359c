//! `store merge` and `store restore`: import runs from files of `store export` and `store backup`.

use std::path::Path;

use crate::cli::args::{MergeArgs, RestoreArgs};
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::store::catch_up;
use crate::cli::ui::Ui;
use slt_runner::results::portable::{MergeOutcome, merge};
use slt_runner::results::{ResultsFolder, backup};
use slt_runner::text::count::plural;

pub(super) fn run(args: &MergeArgs, results: &ResultsFolder, ui: &mut Ui) -> CommandResult {
    let mut reason = ExitReason::Success;
    for file in &args.files {
        if let Err(error) = merge_file(file, results, ui) {
            reason = reason.max(ui.error(&error));
        }
    }
    catch_up(results, ui);
    Ok(reason)
}

/// Merges one backup; by default the newest one.
pub(super) fn restore(args: &RestoreArgs, results: &ResultsFolder, ui: &mut Ui) -> CommandResult {
    let file = match &args.file {
        Some(file) => file.clone(),
        None => backup::newest(&backup::folder(results))?,
    };
    merge_file(&file, results, ui)?;
    catch_up(results, ui);
    Ok(ExitReason::Success)
}

fn merge_file(file: &Path, results: &ResultsFolder, ui: &mut Ui) -> Result<(), CliError> {
    let (mut new, mut present) = (0, 0);
    for arrival in merge(results, file)? {
        let text = match arrival.became {
            MergeOutcome::There(_) => {
                present += 1;
                continue;
            }
            MergeOutcome::New(name) if name == arrival.name => format!("run {name}\n"),
            MergeOutcome::New(name) => format!("run {name}, which is {} in the file\n", arrival.name),
            MergeOutcome::Longer(name) => format!("run {name}, of which only the beginning was present\n"),
        };
        new += 1;
        ui.print(&text)?;
    }
    let (new, present) = (plural(new, "run"), plural(present, "run"));
    ui.print(&format!("{}: {new} imported, {present} already present\n", file.display()))
}
