//! `export`: a run as a file that can be carried elsewhere.

use std::fs::Permissions;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::cli::args::{ExportArgs, LAST_RUN};
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::ui::Ui;
use crate::outcome::bytes;
use crate::results::portable::{ENDING_OF_ONE, PortableError, Written, write};
use crate::text::count::plural;

pub(in crate::cli) fn run(args: &ExportArgs, keeping: &Keeping, ui: &mut Ui) -> Result<ExitReason, CliError> {
    let Some(run) = &args.run else {
        let hint = "`export --run` exports the last run, and `export --run RUN` another".to_owned();
        return Err(CliError::usage("nothing says what is to be exported".to_owned(), vec![hint]));
    };
    let results = &keeping.results;
    let name = match run.as_str() {
        LAST_RUN => results.last()?,
        run => run.to_owned(),
    };
    let path = results.path_of(&name)?;
    let shown = path.file_name().map_or_else(|| name.clone(), |name| name.to_string_lossy().into_owned());
    let default = || PathBuf::from(format!("{shown}.{ENDING_OF_ONE}"));
    let output = args.output.clone().unwrap_or_else(default);
    let written = if output.as_os_str() == "-" {
        let mut out = BufWriter::new(Ui::raw_out());
        write(results, &[name], &mut out, Path::new("standard output"))?
    } else {
        let written = write_file(&output, args.force, |out| write(results, &[name], out, &output))?;
        ui.print(&format!("run {shown} in {}, {}\n", output.display(), bytes(written.size)))?;
        written
    };
    if written.damaged > 0 {
        ui.warn(&format!("{} of the journal damaged, and left out", plural(written.damaged as u64, "line")));
    }
    Ok(ExitReason::Success)
}

/// Writes a file that appears whole or not at all.
fn write_file(
    path: &Path,
    force: bool,
    write: impl FnOnce(&mut BufWriter<&std::fs::File>) -> Result<Written, PortableError>,
) -> Result<Written, CliError> {
    let shown = path.display().to_string();
    let failed = |error| CliError::io("write", &shown, &error);
    let there = || {
        let hint = "--force replaces it, and --output FILE names another".to_owned();
        CliError::usage(format!("`{shown}` is there already"), vec![hint])
    };
    if !force && path.exists() {
        return Err(there());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
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
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Err(there()),
        Err(error) => Err(failed(error.error)),
    }
}
