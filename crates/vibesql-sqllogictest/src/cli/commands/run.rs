//! `run`: a suite, a line for each file, a summary.

use std::fs::Permissions;
use std::io::Write as _;
use std::num::NonZero;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::cli::args::{EngineArgs, RunArgs};
use crate::cli::error::{CliError, ExitReason};
use crate::cli::settings::{Setup, reason, repeat_command};
use crate::cli::suite;
use crate::cli::ui::Ui;
use crate::engine::EngineRegistry;
use crate::executor::DetailLimits;
use crate::executor::parallel::{self, Limits, WorkItem, WorkerCommand};
use crate::monitor::{Lines, Progress};
use crate::outcome::{Fault, NotPassed, RunEnd, RunReport};
use crate::report;
use crate::text::style::Role;
use crate::text::written;

/// Values of a result that the JSON report keeps.
const VALUES: usize = 64;
/// The widest column of files.
const WIDEST: usize = 60;

pub(in crate::cli) fn run(
    args: &RunArgs,
    registry: &EngineRegistry,
    ui: &mut Ui,
) -> Result<ExitReason, CliError> {
    let details = DetailLimits { records: args.max_details as usize, values: VALUES };
    let Setup { engine, settings } = Setup::new(&args.engine, registry, details)?;
    let items = suite::select_filtered(&args.paths, &args.filter.filters())?;
    // A report that cannot be written is better known before the run than after it.
    let json = args.json.as_deref().map(JsonFile::create).transpose()?;
    // Whoever asks for JSON on standard output gets nothing else there.
    let json_to_out = args.json.as_deref() == Some(Path::new("-"));
    let run = {
        let out: &mut dyn std::io::Write = if json_to_out { &mut ui.err } else { &mut ui.out };
        let lines = Lines::new(out, args.quiet, column_width(&items));
        let mut sink = Progress::new(lines, !args.no_progress);
        parallel::run(&items, engine.identity(), &settings, &worker_command()?, limits(args), &mut sink)?
    };
    let mut text = written(|out| report::summary::write(out, &run));
    text += &next_step(&ui.program, &run, &args.engine);
    if json_to_out {
        drop(ui.err.write_all(text.as_bytes()));
    } else {
        ui.print(&text)?;
    }
    if let Some(json) = json {
        json.finish(&run, items.len() as u64, ui)?;
    }
    let reason = reason(&run.files, args.fail_on_empty);
    Ok(if run.end == RunEnd::Interrupted { reason.or_graver(ExitReason::Incomplete) } else { reason })
}

/// How long a worker that is asked to end may take.
const GRACE: Duration = Duration::from_secs(2);

fn limits(args: &RunArgs) -> Limits {
    let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
    Limits {
        workers: if args.serial { 1 } else { args.workers.map_or_else(cores, usize::from) },
        file_timeout: (args.timeout > 0).then(|| Duration::from_secs(args.timeout)),
        timeouts: args.timeouts.clone(),
        grace: GRACE,
        most_failing: if args.fail_fast { Some(1) } else { args.max_fail.map(|most| most as usize) },
    }
}

/// Workers are this program once more, so that they have the same engines.
fn worker_command() -> Result<WorkerCommand, CliError> {
    let program = std::env::current_exe()
        .map_err(|error| CliError::internal(format!("cannot find this program: {error}")))?;
    // The workers are the threads of a run; an engine that starts more only gets in their way. A fixed locale
    // keeps an engine's words the same everywhere.
    let environment = [("RAYON_NUM_THREADS", "1"), ("LC_ALL", "C")];
    Ok(WorkerCommand {
        program,
        arguments: vec![super::worker::NAME.into()],
        environment: environment.iter().map(|(name, value)| (name.into(), value.into())).collect(),
    })
}

fn column_width(items: &[WorkItem]) -> usize {
    let widest = items.iter().map(|item| item.shown.chars().count()).max();
    widest.unwrap_or(0).min(WIDEST)
}

/// Where the JSON report goes; it appears whole or not at all.
enum JsonFile<'p> {
    StandardOutput,
    /// Written beside its place, then put there; gone if the run ends before.
    Path {
        path: &'p Path,
        beside: NamedTempFile,
    },
}

impl<'p> JsonFile<'p> {
    fn create(path: &'p Path) -> Result<Self, CliError> {
        if path == Path::new("-") {
            return Ok(Self::StandardOutput);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // What the user's umask leaves of it, as for any file.
        let mode = Permissions::from_mode(0o666);
        let beside = tempfile::Builder::new().prefix(".report-").permissions(mode).tempfile_in(folder);
        // The kind alone: the message would name the file beside, of which the user knows nothing.
        let beside = beside.map_err(|error| cannot_write(path, &error.kind().into()))?;
        Ok(Self::Path { path, beside })
    }

    fn finish(self, run: &RunReport, available: u64, ui: &mut Ui) -> Result<(), CliError> {
        let mut document = Vec::new();
        report::json::write(run, available, &mut document)
            .map_err(|error| CliError::internal(format!("cannot write the report: {error}")))?;
        document.push(b'\n');
        match self {
            Self::StandardOutput => {
                let written = ui.out.write_all(&document).and_then(|()| ui.out.flush());
                written.map_err(|error| CliError::io("write to", "standard output", &error))
            }
            Self::Path { path, mut beside } => {
                let written = beside.write_all(&document).and_then(|()| beside.as_file().sync_all());
                let placed = written.and_then(|()| Ok(beside.persist(path)?));
                placed.map(drop).map_err(|error| cannot_write(path, &error))
            }
        }
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> CliError {
    CliError::io("write", &path.display().to_string(), error)
}

/// What to type next.
fn next_step(program: &str, run: &RunReport, args: &EngineArgs) -> String {
    let first = run.files.iter().find_map(|file| Some((file, file.details.first()?)));
    match first {
        Some((file, detail)) => {
            let command = repeat_command(program, args, &file.shown, detail.line);
            // It will take that process with it, too, so it had better say where it is.
            let died = matches!(detail.what, NotPassed::Faulted(Fault::Died { .. }));
            let trace = if died { " --trace" } else { "" };
            format!("{} {command}{trace}\n", Role::Hint.paint("look at the first:"))
        }
        None => String::new(),
    }
}
