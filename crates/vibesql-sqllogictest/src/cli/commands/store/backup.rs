//! `store backup`: writes all runs to one file.

use crate::cli::args::BackupArgs;
use crate::cli::error::CommandResult;
use crate::cli::exit::ExitReason;
use crate::cli::ui::Ui;
use slt_core::outcome::bytes;
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::results::{ResultsFolder, backup};
use slt_runner::text::count::plural;

pub(super) fn run(args: &BackupArgs, results: &ResultsFolder, ui: &mut Ui) -> CommandResult {
    let folder = args.output.clone().unwrap_or_else(|| backup::folder(results));
    let backup = backup::make(results, &folder, milliseconds_since_1970(), args.keep as usize)?;
    for name in &backup.left_out {
        ui.note(format_args!("run {name} is not in it: it goes on, or its journal cannot be read"));
    }
    let damaged = backup.written.damaged as u64;
    if damaged > 0 {
        ui.warn(&format!("{} of journals damaged, and left out", plural(damaged, "line")));
    }
    let (runs, size) = (plural(backup.written.runs, "run"), bytes(backup.written.size));
    ui.print(&format!("{}: {runs}, read back and found the same, {size}\n", backup.path.display()))?;
    for old in &backup.removed {
        ui.print(&format!("removed {}\n", old.display()))?;
    }
    Ok(ExitReason::Success)
}
