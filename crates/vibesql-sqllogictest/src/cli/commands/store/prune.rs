//! `store prune`: removes old runs.

use std::path::Path;
use std::time::Duration;

use crate::cli::args::PruneArgs;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::ui::Ui;
use slt_core::outcome::bytes;
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::results::prune::{PruneCandidate, PruneDecision, RetentionRules, SpareReason, decide};
use slt_runner::results::{ResultsFolder, RunState, RunSummary};
use slt_runner::text::count::plural;
#[cfg(feature = "store")]
use slt_store::Store;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn run(args: &PruneArgs, results: &ResultsFolder, ui: &mut Ui) -> CommandResult {
    let leave = RetentionRules {
        runs: args.keep.map(|runs| runs as usize),
        younger_than: args.older_than.map(|days| DAY * days),
        size: args.max_size.map(|size| size.0),
    };
    let runs = candidates(results)?;
    let fates = decide(&runs, leave);
    let gone = runs.iter().zip(&fates).filter(|(_, fate)| **fate == PruneDecision::Removed && !args.dry_run);
    let gone: Vec<_> = gone.map(|(run, _)| run.name.clone()).collect();
    results.keep_outcomes_of(&gone)?;
    // The runs leave the results database before their journals are removed; otherwise a run without a journal could stay
    // in it. Until they are removed, this lock keeps other processes from adding them again.
    #[cfg(feature = "store")]
    let _removal = Store::dying_at(results, args.die_at_step).remove(&gone)?;
    let (mut removed, mut freed) = (0, 0);
    for (run, fate) in runs.iter().zip(fates) {
        let size = bytes(run.size);
        match fate {
            PruneDecision::Kept => {}
            PruneDecision::Spared(SpareReason::Going) => {
                ui.note(format_args!("run {} is in progress and is kept", run.name));
            }
            PruneDecision::Spared(SpareReason::LastGreen) => {
                let branch = run.branch.as_deref().map_or_else(String::new, |branch| format!(" of {branch}"));
                ui.note(format_args!("run {} is the last successful run{branch} and is kept", run.name));
            }
            PruneDecision::Removed if args.dry_run => {
                ui.print(&format!("would remove {}  {size}\n", run.name))?;
            }
            // Another process has removed it in the meantime.
            PruneDecision::Removed if results.path_of(&run.name).is_err() => continue,
            PruneDecision::Removed => {
                results.remove(&run.name)?;
                ui.print(&format!("removed {}  {size}\n", run.name))?;
            }
        }
        if fate == PruneDecision::Removed {
            removed += 1;
            freed += run.size;
        }
    }
    let (all, verb) = (plural(removed, "run"), if args.dry_run { "would be removed" } else { "removed" });
    ui.print(&format!("{all} {verb}, {}\n", bytes(freed)))?;
    Ok(ExitReason::Success)
}

/// Returns all runs, the oldest first.
fn candidates(results: &ResultsFolder) -> Result<Vec<PruneCandidate>, CliError> {
    let now = milliseconds_since_1970();
    let mut found = Vec::new();
    for name in results.runs()? {
        // A run without a journal of this version may belong to another version, so it is never removed.
        let Ok(run) = RunSummary::read(results, &name) else { continue };
        let age = Duration::from_millis(u64::try_from(now - run.started).unwrap_or(0));
        let totals = &run.totals;
        let green = run.is_complete() && totals.passed > 0 && totals.passed + totals.empty == totals.files;
        let going = run.state == RunState::Going;
        let Ok(folder) = results.path_of(&name) else { continue };
        let size = size_of(&folder);
        found.push(PruneCandidate { name, age, size, going, green, branch: run.branch().map(str::to_owned) });
    }
    Ok(found)
}

fn size_of(folder: &Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
    files.filter_map(|file| file.metadata().ok()).filter(|file| file.is_file()).map(|file| file.len()).sum()
}
