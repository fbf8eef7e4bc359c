//! `export`: a run as a file that can be carried elsewhere. All results are in `dump`.

use std::path::PathBuf;

use crate::cli::args::ExportArgs;
use crate::cli::baseline::find_kept;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::output::{Existing, Output};
use crate::cli::ui::Ui;
use slt_core::outcome::bytes;
use slt_runner::results::portable::{ENDING_OF_ONE, write};
use slt_runner::text::count::plural;

pub(in crate::cli) fn run(args: &ExportArgs, keeping: &Keeping, ui: &mut Ui) -> Result<ExitReason, CliError> {
    #[cfg(feature = "store")]
    if let Some(format) = args.format {
        return super::dump::run(format, args, keeping, ui);
    }
    let Some(run) = &args.run else { return Err(nothing_said()) };
    let results = keeping.results()?;
    let name = find_kept(run, keeping, ui)?;
    let path = results.path_of(&name)?;
    let shown = path.file_name().map_or_else(|| name.clone(), |name| name.to_string_lossy().into_owned());
    let default = || PathBuf::from(format!("{shown}.{ENDING_OF_ONE}"));
    let output = args.output.clone().unwrap_or_else(default);
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let place = Output::open(&output, existing)?;
    let is_standard = place.is_standard();
    let (written, _) = place.write(|out| Ok(write(results, &[name], out, &output)?))?;
    if !is_standard {
        ui.print(&format!("run {shown} in {}, {}\n", output.display(), bytes(written.size)))?;
    }
    if written.damaged > 0 {
        ui.warn(&format!("{} of the journal damaged, and left out", plural(written.damaged as u64, "line")));
    }
    Ok(ExitReason::Success)
}

fn nothing_said() -> CliError {
    let mut hints = vec!["use `export --run` for the last run, or `export --run RUN` for another".to_owned()];
    if cfg!(feature = "store") {
        hints.push("use `export --format sql`, `csv` or `json` for the tables of all runs".to_owned());
    }
    CliError::usage("nothing to export was specified".to_owned(), hints)
}
