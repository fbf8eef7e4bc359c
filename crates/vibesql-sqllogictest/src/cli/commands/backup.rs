//! `backup`: all runs in one file.

use crate::cli::args::BackupArgs;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::ui::Ui;
use slt_core::outcome::bytes;
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::results::backup::make;
use slt_runner::text::count::plural;

pub(in crate::cli) fn run(args: &BackupArgs, keeping: &Keeping, ui: &mut Ui) -> Result<ExitReason, CliError> {
    let results = keeping.results()?;
    let folder = args.output.clone().unwrap_or_else(|| results.path().join("backups"));
    let backup = make(results, &folder, milliseconds_since_1970(), args.keep as usize)?;
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
