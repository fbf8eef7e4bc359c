//! `export`: a run as a file that can be carried elsewhere. All results are in `dump`.

use std::fs::Permissions;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::cli::args::ExportArgs;
use crate::cli::baseline::find_kept;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::ui::Ui;
use crate::outcome::bytes;
use crate::results::portable::{ENDING_OF_ONE, write};
use crate::text::count::plural;

pub(in crate::cli) fn run(args: &ExportArgs, keeping: &Keeping, ui: &mut Ui) -> Result<ExitReason, CliError> {
    #[cfg(feature = "store")]
    if let Some(format) = args.format {
        return super::dump::run(format, args, keeping, ui);
    }
    let Some(run) = &args.run else { return Err(nothing_said()) };
    let results = &keeping.results;
    let name = find_kept(run, keeping, ui)?;
    let path = results.path_of(&name)?;
    let shown = path.file_name().map_or_else(|| name.clone(), |name| name.to_string_lossy().into_owned());
    let default = || PathBuf::from(format!("{shown}.{ENDING_OF_ONE}"));
    let output = args.output.clone().unwrap_or_else(default);
    let written = if output.as_os_str() == "-" {
        let mut out = BufWriter::new(Ui::raw_out());
        write(results, &[name], &mut out, Path::new("standard output"))?
    } else {
        let written = write_file(&output, args.force, |out| Ok(write(results, &[name], out, &output)?))?;
        ui.print(&format!("run {shown} in {}, {}\n", output.display(), bytes(written.size)))?;
        written
    };
    if written.damaged > 0 {
        ui.warn(&format!("{} of the journal damaged, and left out", plural(written.damaged as u64, "line")));
    }
    Ok(ExitReason::Success)
}

fn nothing_said() -> CliError {
    let mut hints = vec!["`export --run` exports the last run, and `export --run RUN` another".to_owned()];
    if cfg!(feature = "store") {
        hints.push("`export --format sql`, `csv` or `json` exports the tables of all runs".to_owned());
    }
    CliError::usage("nothing says what is to be exported".to_owned(), hints)
}

pub(super) fn there_already(path: &Path) -> CliError {
    let hint = "--force replaces it, and --output FILE names another".to_owned();
    CliError::usage(format!("`{}` is there already", path.display()), vec![hint])
}

/// The folder that a new file is to be in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a file that appears whole or not at all.
pub(super) fn write_file<T>(
    path: &Path,
    force: bool,
    write: impl FnOnce(&mut BufWriter<&std::fs::File>) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let shown = path.display().to_string();
    let failed = |error| CliError::io("write", &shown, &error);
    if !force && path.exists() {
        return Err(there_already(path));
    }
    let folder = folder_of(path);
    // What the user's umask leaves of it, as for any file.
    let mode = Permissions::from_mode(0o666);
    let file = tempfile::Builder::new().prefix(".export-").permissions(mode).tempfile_in(folder);
    // The kind alone: the message would name a file of which the user knows nothing.
    let file = file.map_err(|error| failed(error.kind().into()))?;
    let mut out = BufWriter::new(file.as_file());
    let written = write(&mut out)?;
    out.flush().map_err(failed)?;
    drop(out);
    file.as_file().sync_all().map_err(failed)?;
    let persisted = if force { file.persist(path) } else { file.persist_noclobber(path) };
    match persisted {
        Ok(_) => Ok(written),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Err(there_already(path)),
        Err(error) => Err(failed(error.error)),
    }
}
