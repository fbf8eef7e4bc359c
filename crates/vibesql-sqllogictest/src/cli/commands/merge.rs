//! `merge`: runs from files of `export` and `backup`.

use crate::cli::args::MergeArgs;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::ui::Ui;
use slt_runner::results::portable::{MergeOutcome, merge};
use slt_runner::text::count::plural;

pub(in crate::cli) fn run(args: &MergeArgs, keeping: &Keeping, ui: &mut Ui) -> Result<ExitReason, CliError> {
    let mut reason = ExitReason::Success;
    for file in &args.files {
        let arrivals = match merge(keeping.results()?, file) {
            Ok(arrivals) => arrivals,
            Err(error) => {
                reason = reason.or_graver(ui.error(&error.into()));
                continue;
            }
        };
        let (mut new, mut there) = (0, 0);
        for arrival in &arrivals {
            let text = match &arrival.became {
                MergeOutcome::New(name) if *name == arrival.name => format!("run {name}\n"),
                MergeOutcome::New(name) => format!("run {name}, which is {} in the file\n", arrival.name),
                MergeOutcome::Longer(name) => {
                    format!("run {name}, of which only the beginning was present\n")
                }
                MergeOutcome::There(_) => String::new(),
            };
            ui.print(&text)?;
            match arrival.became {
                MergeOutcome::There(_) => there += 1,
                MergeOutcome::New(_) | MergeOutcome::Longer(_) => new += 1,
            }
        }
        let (new, there) = (plural(new, "run"), plural(there, "run"));
        ui.print(&format!("{}: {new} imported, {there} already present\n", file.display()))?;
    }
    #[cfg(feature = "store")]
    super::store::catch_up(keeping.results()?, ui);
    Ok(reason)
}
