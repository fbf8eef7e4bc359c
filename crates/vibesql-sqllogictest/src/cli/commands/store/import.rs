//! `store import`: imports results of other programs as runs.

use std::path::Path;

use crate::cli::args::ImportArgs;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::find_run::modified_at;
use crate::cli::store::catch_up;
use crate::cli::ui::Ui;
use slt_core::outcome::Totals;
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::results::ResultsFolder;
use slt_runner::results::import::{ForeignRun, KeptRun, SourceFormat, UNKNOWN_ENGINE, keep, read};
use slt_runner::text::count::{plural, thousands};

pub(super) fn run(args: &ImportArgs, results: &ResultsFolder, ui: &mut Ui) -> CommandResult {
    let format = args.format.map(SourceFormat::from);
    let mut reason = ExitReason::Success;
    let mut new = 0;
    for file in &args.files {
        match import(file, format, args.engine.as_deref(), results, ui) {
            Ok(count) => new += count,
            Err(error) => reason = reason.max(ui.error(&error)),
        }
    }
    if new > 0 && args.engine.is_none() {
        ui.note(format_args!(
            "the engine of these results is `{UNKNOWN_ENGINE}`; use --engine NAME to set it"
        ));
    }
    catch_up(results, ui);
    Ok(reason)
}

/// Imports a file, and returns the number of new runs whose engine it does not name.
fn import(
    file: &Path,
    format: Option<SourceFormat>,
    engine: Option<&str>,
    results: &ResultsFolder,
    ui: &mut Ui,
) -> Result<usize, CliError> {
    let shown = file.display().to_string();
    let unreadable = |error| CliError::io("read", &shown, &error);
    let bytes = std::fs::read(file).map_err(unreadable)?;
    let modified = modified_at(file).unwrap_or_else(milliseconds_since_1970);
    let reading = read(&bytes, format, modified).map_err(|error| CliError::import(&error, &shown))?;
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut new = 0;
    for run in &reading.runs {
        let kept = keep(results, run, &name, engine)?;
        match kept {
            KeptRun::New(name) => {
                new += usize::from(run.origin.engine.is_none());
                ui.print(&format!("run {name} from {shown}: {}\n", account(run)))?;
            }
            KeptRun::There(name) => ui.print(&format!("run {name} already exists; nothing imported\n"))?,
        }
    }
    reading.oddities.iter().for_each(|oddity| ui.note(format_args!("{shown}: {oddity}")));
    Ok(new)
}

fn account(run: &ForeignRun) -> String {
    let totals = Totals::from_files(&run.files);
    let rest = totals.files - totals.passed - totals.failed;
    let parts = [
        plural(totals.files, "file"),
        format!("{} passed", thousands(totals.passed)),
        format!("{} failed", thousands(totals.failed)),
    ];
    let other = (rest > 0).then(|| format!("{} other", thousands(rest)));
    let missing = run.wanted as u64 - totals.files;
    let missing = (missing > 0).then(|| format!("{} without a result", thousands(missing)));
    parts.into_iter().chain(other).chain(missing).collect::<Vec<_>>().join(", ")
}
