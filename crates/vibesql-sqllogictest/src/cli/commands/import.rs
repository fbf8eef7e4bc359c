//! `import`: results of other programs, as runs.

use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::cli::args::{ImportArgs, ImportFormat};
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::ui::Ui;
use slt_core::outcome::Totals;
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::results::import::{ForeignRun, KeptRun, SourceFormat, UNKNOWN_ENGINE, keep, read};
use slt_runner::text::count::{plural, thousands};

pub(in crate::cli) fn run(args: &ImportArgs, keeping: &Keeping, ui: &mut Ui) -> Result<ExitReason, CliError> {
    let mut reason = ExitReason::Success;
    let mut new = 0;
    for file in &args.files {
        match import(file, args, keeping, ui) {
            Ok(count) => new += count,
            Err(error) => reason = reason.or_graver(ui.error(&error)),
        }
    }
    if new > 0 && args.engine.is_none() {
        ui.note(format_args!(
            "the engine of these results is `{UNKNOWN_ENGINE}`; use --engine NAME to set it"
        ));
    }
    #[cfg(feature = "store")]
    super::store::catch_up(keeping.results()?, ui);
    Ok(reason)
}

/// Takes in a file, and returns how many runs of it are new and do not say their engine.
fn import(file: &Path, args: &ImportArgs, keeping: &Keeping, ui: &mut Ui) -> Result<usize, CliError> {
    let shown = file.display().to_string();
    let unreadable = |error| CliError::io("read", &shown, &error);
    let bytes = std::fs::read(file).map_err(unreadable)?;
    let format = args.format.map(|format| match format {
        ImportFormat::Json => SourceFormat::Json,
        ImportFormat::Sql => SourceFormat::Sql,
        ImportFormat::Junit => SourceFormat::Junit,
        ImportFormat::Csv => SourceFormat::Csv,
        ImportFormat::Markdown => SourceFormat::Markdown,
    });
    let reading = read(&bytes, format, changed(file)).map_err(|error| CliError::import(&error, &shown))?;
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut new = 0;
    for run in &reading.runs {
        let kept = keep(keeping.results()?, run, &name, args.engine.as_deref())?;
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
    let totals = Totals::of(&run.files);
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

/// When a file was changed last; now, if the system does not tell.
pub(in crate::cli) fn changed(file: &Path) -> i64 {
    let time = file.metadata().and_then(|metadata| metadata.modified()).ok();
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or_else(milliseconds_since_1970)
}
