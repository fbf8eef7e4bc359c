//! `run`: a suite, a line for each file, a summary.

use std::io::Write as _;
use std::path::Path;

use crate::cli::args::{EngineArgs, RunArgs};
use crate::cli::error::{CliError, ExitReason};
use crate::cli::settings::{Setup, reason, repeat_command};
use crate::cli::suite;
use crate::cli::ui::Ui;
use crate::clock::SystemClock;
use crate::engine::EngineRegistry;
use crate::executor::DetailLimits;
use crate::executor::parallel::{self, WorkItem};
use crate::monitor::Lines;
use crate::outcome::RunReport;
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
    let details = DetailLimits { records: args.max_details.max(1), values: VALUES };
    let Setup { engine, settings } = Setup::new(&args.engine, registry, details)?;
    let items = suite::select(&args.paths)?;
    // Whoever asks for JSON on standard output gets nothing else there.
    let json_to_out = args.json.as_deref() == Some(Path::new("-"));
    let run = {
        let out: &mut dyn std::io::Write = if json_to_out { &mut ui.err } else { &mut ui.out };
        let mut lines = Lines::new(out, args.quiet, column_width(&items));
        parallel::run(&items, engine.as_ref(), &settings, &SystemClock::new(), &mut lines)?
    };
    if let Some(path) = &args.json {
        write_json(&run, items.len() as u64, path, ui)?;
    }
    let mut text = written(|out| report::summary::write(out, &run));
    text += &next_step(&run, &args.engine);
    if json_to_out {
        drop(ui.err.write_all(text.as_bytes()));
    } else {
        ui.print(&text)?;
    }
    Ok(reason(&run.files, args.fail_on_empty))
}

fn column_width(items: &[WorkItem]) -> usize {
    let widest = items.iter().map(|item| item.shown.chars().count()).max();
    widest.unwrap_or(0).min(WIDEST)
}

/// The document appears whole or not at all.
fn write_json(run: &RunReport, available: u64, path: &Path, ui: &mut Ui) -> Result<(), CliError> {
    let mut document = Vec::new();
    report::json::write(run, available, &mut document)
        .map_err(|error| CliError::internal(format!("cannot write the report: {error}")))?;
    document.push(b'\n');
    if path == Path::new("-") {
        let written = ui.out.write_all(&document).and_then(|()| ui.out.flush());
        return written.map_err(|error| CliError::io("write to", "standard output", &error));
    }
    let shown = path.display().to_string();
    let beside = path.with_extension("json.partial");
    let written = std::fs::write(&beside, &document).and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| CliError::io("write", &shown, &error))
}

/// What to type next.
fn next_step(run: &RunReport, args: &EngineArgs) -> String {
    let first = run.files.iter().find_map(|file| Some((file, file.details.first()?)));
    match first {
        Some((file, detail)) => {
            let command = repeat_command(args, &file.shown, detail.line);
            format!("{} {command}\n", Role::Hint.paint("look at the first:"))
        }
        None => String::new(),
    }
}
