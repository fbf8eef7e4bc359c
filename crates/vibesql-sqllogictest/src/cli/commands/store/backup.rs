//! `store backup` writes all runs to one file; `store restore` and `store merge` import runs from files.

use std::path::Path;

use crate::cli::args::{BackupArgs, MergeArgs, RestoreArgs};
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::shards::combine_arrived;
use crate::cli::store::catch_up;
use crate::cli::ui::Ui;
use slt_core::outcome::bytes;
use slt_insight::report::shards::brief;
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::results::combine::{CombineScope, group_of};
use slt_runner::results::portable::{self, MergeOutcome};
use slt_runner::results::{ResultsFolder, backup};
use slt_runner::text::count::plural;

pub(super) fn backup(args: &BackupArgs, results: &ResultsFolder, ui: &mut Ui) -> CommandResult {
    let folder = args.output.clone().unwrap_or_else(|| backup::folder(results));
    let backup = backup::make(results, &folder, milliseconds_since_1970(), args.keep as usize)?;
    for name in &backup.left_out {
        ui.note(format_args!(
            "run {name} is not in the backup: it is in progress, or its journal is unreadable"
        ));
    }
    let damaged = backup.written.damaged as u64;
    if damaged > 0 {
        ui.warn(&format!("{} of journals damaged and omitted", plural(damaged, "line")));
    }
    let (runs, size) = (plural(backup.written.runs, "run"), bytes(backup.written.size));
    ui.print(&format!("{}: {runs}, verified, {size}\n", backup.path.display()))?;
    for old in &backup.removed {
        ui.print(&format!("removed {}\n", old.display()))?;
    }
    Ok(ExitReason::Success)
}

pub(super) fn merge(args: &MergeArgs, results: &ResultsFolder, ui: &mut Ui) -> CommandResult {
    let mut reason = ExitReason::Success;
    let mut arrived = Vec::new();
    for file in &args.files {
        match merge_file(file, results, ui) {
            Ok(names) => arrived.extend(names),
            Err(error) => reason = reason.max(ui.error(&error)),
        }
    }
    reason = reason.max(combine_arrived(results, &arrived, CombineScope::Any, ui)?);
    catch_up(results, ui);
    Ok(reason)
}

/// Merges one backup; by default the newest one.
pub(super) fn restore(args: &RestoreArgs, results: &ResultsFolder, ui: &mut Ui) -> CommandResult {
    let file = match &args.file {
        Some(file) => file.clone(),
        None => backup::newest(&backup::folder(results))?,
    };
    let arrived = merge_file(&file, results, ui)?;
    let reason = combine_arrived(results, &arrived, CombineScope::Several, ui)?;
    catch_up(results, ui);
    Ok(reason)
}

/// Imports the runs of a file, and returns their names.
fn merge_file(file: &Path, results: &ResultsFolder, ui: &mut Ui) -> Result<Vec<String>, CliError> {
    let (mut new, mut present) = (0, 0);
    let mut names = Vec::new();
    for arrival in portable::merge(results, file)? {
        let (MergeOutcome::New(name) | MergeOutcome::There(name) | MergeOutcome::Longer(name)) =
            &arrival.became;
        names.push(name.clone());
        let text = match arrival.became {
            MergeOutcome::There(_) => {
                present += 1;
                continue;
            }
            // It becomes a part of a combined run.
            MergeOutcome::New(name) if let Some(shard) = shard_of(results, &name) => {
                format!("{shard}, run {}\n", arrival.name)
            }
            MergeOutcome::New(name) if name == arrival.name => format!("run {name}\n"),
            MergeOutcome::New(name) => format!("run {name}, which is {} in the file\n", arrival.name),
            MergeOutcome::Longer(name) => format!("run {name}, of which only the beginning was present\n"),
        };
        new += 1;
        ui.print(&text)?;
    }
    let (new, present) = (plural(new, "run"), plural(present, "run"));
    ui.print(&format!("{}: {new} imported, {present} already present\n", file.display()))?;
    Ok(names)
}

/// Describes the shard of a run that can be combined with others.
fn shard_of(results: &ResultsFolder, name: &str) -> Option<String> {
    let of = results.circumstances_of(name).filter(|of| of.shard.is_some() && group_of(of).is_some())?;
    brief(Some(&of))
}
