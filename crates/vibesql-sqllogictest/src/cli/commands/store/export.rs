//! `store export`: exports a run to a file. The tables of all runs are in `store::tables`.

use std::path::PathBuf;

use crate::cli::args::ExportArgs;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::find_run::find_stored;
use crate::cli::output::{ExistingFile, OutputFile};
use crate::cli::results_location::ResultsLocation;
use crate::cli::ui::Ui;
use slt_core::outcome::bytes;
use slt_runner::results::portable::{ENDING_OF_ONE, write};
use slt_runner::text::count::plural;

pub(super) fn run(args: &ExportArgs, location: &ResultsLocation, ui: &mut Ui) -> CommandResult {
    let existing = if args.force { ExistingFile::Replace } else { ExistingFile::Keep };
    #[cfg(feature = "store")]
    if let Some(format) = args.format {
        return super::tables::export(format, args.output.clone(), existing, location.results()?, ui);
    }
    let Some(run) = &args.run else { return Err(nothing_named()) };
    let results = location.results()?;
    let name = find_stored(run, location, ui)?;
    let path = results.path_of(&name)?;
    let shown = path.file_name().map_or_else(|| name.clone(), |name| name.to_string_lossy().into_owned());
    let default = || PathBuf::from(format!("{shown}.{ENDING_OF_ONE}"));
    let output = args.output.clone().unwrap_or_else(default);
    let place = OutputFile::open(&output, existing)?;
    let (written, in_file) = place.write(|out| Ok(write(results, &[name], out, &output)?))?;
    if in_file.is_some() {
        ui.print(&format!("run {shown} in {}, {}\n", output.display(), bytes(written.size)))?;
    }
    if written.damaged > 0 {
        let lines = plural(written.damaged as u64, "line");
        ui.warn(&format!("{lines} of the journal damaged and omitted"));
    }
    Ok(ExitReason::Success)
}

fn nothing_named() -> CliError {
    let hint = "use `store export --run` for the last run, or `store export --run RUN` for another";
    let tables = "use `store export --format sql`, `csv` or `json` for the tables of all runs";
    let error = CliError::usage("nothing to export was specified", hint);
    if cfg!(feature = "store") { error.hint(tables) } else { error }
}
