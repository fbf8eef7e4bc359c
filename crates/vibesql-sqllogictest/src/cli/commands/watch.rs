//! `run --watch`: runs what changes again, until Ctrl-C.
//!
//! Each run is a process of its own with the same arguments, because the engine may be part of this program, and a new
//! version of it must be run.

mod changes;
mod sources;

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal as SignalStream, SignalKind, signal};

use self::changes::{FileStamps, KnownFiles, Rerun};
use self::sources::WatchedSources;
use crate::cli::args::RunArgs;
use crate::cli::context::CommandContext;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::settings::{NewRun, RunSettings, RunStart};
use crate::cli::ui::Ui;
use crate::cli::watched::{WatchOrder, forget_files, read_files};
use slt_core::location::path_text;
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::text::count::plural;

/// The pause between two looks at the files.
const PAUSE: Duration = Duration::from_millis(300);
/// A look at many files takes time; it is at most this share of the pause before it.
const SHARE: u32 = 20;
/// The number of changed files that are named.
const MOST_NAMED: usize = 5;
/// The flag in the arguments of this process.
const FLAG: &str = "--watch";

pub(in crate::cli) fn run(args: RunArgs, context: CommandContext<'_>, ui: &mut Ui) -> CommandResult {
    let settings = RunSettings::new(args, context)?;
    let RunStart::New(new) = settings.start else {
        return Err(CliError::usage("cannot watch a run that is resumed", ""));
    };
    let program = std::env::current_exe()
        .map_err(|error| CliError::internal(format!("cannot find this program: {error}")))?;
    let sources = WatchedSources::new(&new, &program)?;
    let folder = tempfile::tempdir().map_err(|error| CliError::temporary_folder(&error))?;
    let mut watch = Watch::new(program, folder, sources, &new)?;
    let mut rerun = Rerun::First;
    loop {
        let reason = watch.run(&rerun, ui)?;
        if watch.is_over {
            return Ok(reason);
        }
        ui.note(format_args!("watching {}; Ctrl-C ends this", watch.sources.describe(&watch.known)));
        rerun = match watch.wait(ui) {
            Some(rerun) => rerun,
            None => return Ok(reason),
        };
    }
}

struct Watch<'w> {
    runtime: Runtime,
    interrupts: SignalStream,
    terminations: SignalStream,
    program: PathBuf,
    folder: tempfile::TempDir,
    sources: WatchedSources,
    new: &'w NewRun,
    known: KnownFiles,
    /// The files as the last run has seen them.
    stamps: FileStamps,
    /// The reason with which the last run has ended.
    last: ExitReason,
    /// Whether the user has ended the watch.
    is_over: bool,
}

impl<'w> Watch<'w> {
    fn new(
        program: PathBuf,
        folder: tempfile::TempDir,
        sources: WatchedSources,
        new: &'w NewRun,
    ) -> Result<Self, CliError> {
        let failed = |error: std::io::Error| CliError::io("listen for", "Ctrl-C", &error);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (interrupts, terminations) = {
            let _within = runtime.enter();
            (
                signal(SignalKind::interrupt()).map_err(failed)?,
                signal(SignalKind::terminate()).map_err(failed)?,
            )
        };
        let known = KnownFiles::default();
        let stamps = sources.look(&known);
        let (last, is_over) = (ExitReason::Success, false);
        Ok(Self {
            runtime,
            interrupts,
            terminations,
            program,
            folder,
            sources,
            new,
            known,
            stamps,
            last,
            is_over,
        })
    }

    /// Runs files, and learns which there are and which fail.
    fn run(&mut self, rerun: &Rerun, ui: &mut Ui) -> Result<ExitReason, CliError> {
        let named = |paths: Vec<PathBuf>| paths.iter().map(|path| path_text::of(path)).collect();
        let order = match rerun {
            Rerun::First => WatchOrder::First,
            Rerun::All => WatchOrder::All(named(self.known.failing())),
            Rerun::Files(files) => WatchOrder::Only(named(files.clone())),
        };
        order.write(self.folder.path())?;
        forget_files(self.folder.path());
        let started =
            SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds_since_1970().unsigned_abs());
        let code = self.run_child()?;
        let reason = ExitReason::from_code(code);
        match read_files(self.folder.path()) {
            Ok(files) => self.known.learn(files, rerun),
            // The run has not begun: no file is selected, or the engine is not available.
            Err(_) => match rerun {
                Rerun::First if reason != ExitReason::EngineUnavailable => self.is_over = true,
                Rerun::Files(files) if reason == ExitReason::NothingSelected => {
                    self.known.leave_out(files);
                    return Ok(self.last);
                }
                _ => ui.note("nothing was run; the next change starts another run"),
            },
        }
        self.known.read_includes(&self.new.setup.settings);
        // Files that are watched only now may have changed while they were running.
        let now = self.sources.look(&self.known);
        self.stamps.add_missing(&now, started);
        self.last = reason;
        Ok(reason)
    }

    fn run_child(&mut self) -> Result<i32, CliError> {
        let arguments = child_arguments(std::env::args_os().skip(1), self.folder.path().as_os_str());
        let failed = |error: std::io::Error| CliError::io("start", "this program", &error);
        let (interrupts, terminations) = (&mut self.interrupts, &mut self.terminations);
        let is_over = &mut self.is_over;
        let program = &self.program;
        self.runtime.block_on(async {
            let mut child = Command::new(program).args(arguments).spawn().map_err(failed)?;
            let status = loop {
                tokio::select! {
                    status = child.wait() => break status.map_err(failed)?,
                    // The terminal has sent it to the run as well, which ends by itself.
                    _ = interrupts.recv() => *is_over = true,
                    _ = terminations.recv() => {
                        *is_over = true;
                        end(&child);
                    }
                }
            };
            Ok(status.code().unwrap_or_else(|| i32::from(ExitReason::Incomplete.code())))
        })
    }

    /// Waits for a change, and for the end of all that follow at once; `None` if the user ends the watch.
    fn wait(&mut self, ui: &mut Ui) -> Option<Rerun> {
        loop {
            let mut seen = self.look_later()?;
            if seen == self.stamps {
                continue;
            }
            loop {
                let next = self.look_later()?;
                if next == seen && self.sources.is_complete() {
                    break;
                }
                seen = next;
            }
            let changes = self.stamps.changes(&seen);
            self.stamps = seen;
            let decision = self.known.rerun(&changes, &self.sources.engines);
            if !decision.causes.is_empty() {
                ui.note(name_changes(&decision.causes));
            }
            if decision.rerun.is_some() {
                return decision.rerun;
            }
        }
    }

    fn look_later(&mut self) -> Option<FileStamps> {
        let pause = PAUSE.max(self.sources.look_time() * SHARE);
        let (interrupts, terminations) = (&mut self.interrupts, &mut self.terminations);
        let goes_on = self.runtime.block_on(async {
            tokio::select! {
                () = tokio::time::sleep(pause) => true,
                _ = interrupts.recv() => false,
                _ = terminations.recv() => false,
            }
        });
        goes_on.then(|| self.sources.look(&self.known))
    }
}

/// Returns the arguments of a run: those of this process without the flag, and with the folder of the watch.
fn child_arguments(own: impl Iterator<Item = OsString>, folder: &OsStr) -> Vec<OsString> {
    let mut watched = OsString::from("--watched=");
    watched.push(folder);
    let mut arguments: Vec<_> = own.collect();
    // What is behind `--` is a path.
    let end = arguments.iter().position(|word| word == "--").unwrap_or(arguments.len());
    let paths = arguments.split_off(end);
    arguments.retain(|word| word != FLAG);
    arguments.push(watched);
    arguments.extend(paths);
    arguments
}

fn end(child: &Child) {
    let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(pid) = pid {
        // It may have ended.
        kill_process(pid, Signal::TERM).ok();
    }
}

/// Names what has changed: `changed: a.test; deleted: b.test`.
fn name_changes(causes: &[(&'static str, String)]) -> String {
    let named = causes.iter().take(MOST_NAMED).map(|(how, path)| format!("{how}: {path}"));
    let mut text = named.collect::<Vec<_>>().join("; ");
    if causes.len() > MOST_NAMED {
        let _ = write!(text, "; and {}", plural((causes.len() - MOST_NAMED) as u64, "more change"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_the_arguments_of_the_watch() {
        for (own, expected) in [
            (&["run", "--watch", "a"][..], &["run", "a", "--watched=f"][..]),
            (&["run", "--watch", "--", "--watch"], &["run", "--watched=f", "--", "--watch"]),
            (&["run", "a"], &["run", "a", "--watched=f"]),
        ] {
            let found = child_arguments(own.iter().map(OsString::from), OsStr::new("f"));
            assert_eq!(found, expected.iter().map(OsString::from).collect::<Vec<_>>());
        }
    }

    #[test]
    fn changes_are_named() {
        let cause = |number: u32| ("changed", format!("{number}.test"));
        assert_eq!(name_changes(&[cause(1), ("new", "a".to_owned())]), "changed: 1.test; new: a");
        let many: Vec<_> = (0..7).map(cause).collect();
        assert!(name_changes(&many).ends_with("changed: 4.test; and 2 more changes"));
    }
}
