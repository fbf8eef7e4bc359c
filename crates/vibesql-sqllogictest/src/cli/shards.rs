//! Combines the shards of a run, and reports what was found.

use std::collections::BTreeSet;

use super::config::GroupSettings;
use super::error::CliError;
use super::exit::ExitReason;
use super::selection::ChosenShard;
use super::store;
use super::ui::Ui;
use slt_insight::report::shards::{brief, defect};
use slt_runner::results::combine::{self, CombineScope, CombinedRun, SPLIT, ShardFinding, group_of};
use slt_runner::results::{Circumstances, ResultsFolder, RunShard};
use slt_runner::text::count::plural;

/// Returns the shard of a new run for its journal.
pub(super) fn of_run(chosen: ChosenShard, group: Option<&GroupSettings>) -> RunShard {
    let (index, count) = chosen.shard.place();
    RunShard {
        number: index + 1,
        count,
        group: group.map(|group| group.name.clone()),
        attempt: group.map_or(0, |group| group.attempt),
        split: chosen.split,
        is_part: chosen.is_part,
        others: chosen.others,
    }
}

/// Combines the shards among these runs, which were imported, with all others of their groups, and prints the results.
pub(super) fn combine_arrived(
    results: &ResultsFolder,
    arrived: &[String],
    scope: CombineScope,
    ui: &mut Ui,
) -> Result<ExitReason, CliError> {
    let (mut groups, mut alone) = (BTreeSet::new(), BTreeSet::new());
    for name in arrived {
        let Some(of) = results.circumstances_of(name) else { continue };
        match group_of(&of) {
            Some(group) => drop(groups.insert(group.to_owned())),
            None if of.shard.is_some() => drop(alone.insert(name)),
            None => {}
        }
    }
    if !alone.is_empty() {
        let shards = plural(alone.len() as u64, "shard");
        ui.note(format_args!("not combined: {shards} without a group; name one with `run --group NAME`"));
    }
    let (runs, reason) = combine(results, &groups, scope, ui)?;
    for run in runs {
        let CombinedRun { name, shards, is_new } = run;
        let of = Circumstances { combined: Some(shards), ..Circumstances::default() };
        let unchanged = if is_new { "" } else { ", unchanged" };
        let shards = brief(Some(&of)).unwrap_or_default();
        ui.print(&format!("run {name} combines {shards}{unchanged}\n"))?;
        if let Some(defect) = defect(Some(&of)) {
            ui.warn(&format!("run {name} is INCOMPLETE: {defect}"));
        }
    }
    Ok(reason)
}

/// Combines the shards of a group that are in this folder.
pub(super) fn combine_present(results: &ResultsFolder, group: &str, ui: &mut Ui) -> Result<(), CliError> {
    let (runs, _) = combine(results, &[group.to_owned()].into(), CombineScope::Several, ui)?;
    for CombinedRun { name, shards, .. } in runs.into_iter().filter(|run| run.is_new) {
        let of = Circumstances { combined: Some(shards), ..Circumstances::default() };
        match (defect(Some(&of)), brief(Some(&of)).unwrap_or_default()) {
            (None, _) => ui.note(format_args!("this was the last shard of {group}; run {name} combines all")),
            (Some(defect), shards) => ui.note(format_args!("run {name} combines {shards}; {defect}")),
        }
    }
    Ok(())
}

fn combine(
    results: &ResultsFolder,
    groups: &BTreeSet<String>,
    scope: CombineScope,
    ui: &mut Ui,
) -> Result<(Vec<CombinedRun>, ExitReason), CliError> {
    let done = combine::combine(results, groups, scope)?;
    // As for `store prune`: the runs leave the index and the store first.
    results.keep_outcomes_of(&done.absorbed)?;
    {
        let _removal = store::forget(results, &done.absorbed)?;
        done.absorbed.iter().try_for_each(|name| results.remove(name))?;
    }
    let mut reason = ExitReason::Success;
    for finding in &done.findings {
        match finding {
            ShardFinding::Twice { .. } => reason = reason.max(ui.error(&twice(finding))),
            ShardFinding::Replaced { shard: [number, count], used, replaced } => ui.note(format_args!(
                "shard {number}/{count}: run {used} is used, which is a later attempt than run {replaced}"
            )),
            ShardFinding::Apart { .. } => ui.warn(&describe(finding)),
        }
    }
    Ok((done.runs, reason))
}

fn twice(finding: &ShardFinding) -> CliError {
    let hint = "give runs that do not belong together different names with `run --group NAME`";
    CliError::usage(describe(finding), hint)
}

fn describe(finding: &ShardFinding) -> String {
    match finding {
        ShardFinding::Twice { shard: [number, count], used, unused } => {
            format!(
                "shard {number}/{count} has two results of one attempt: run {used} is used, run {unused} is not"
            )
        }
        ShardFinding::Replaced { .. } => String::new(),
        ShardFinding::Apart { runs: [one, other], condition, .. } if *condition == SPLIT => format!(
            "runs {one} and {other} are shards of one group, but not combined: they have different files, or other \
             durations for --balance time"
        ),
        ShardFinding::Apart { runs: [one, other], condition, values: [here, there] } => format!(
            "runs {one} and {other} are shards of one group, but not combined: the {condition} is `{here}` and \
             `{there}`"
        ),
    }
}
