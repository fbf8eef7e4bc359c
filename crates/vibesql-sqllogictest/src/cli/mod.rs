//! The command line. Its only door is [`main`], so that an embedder can have it with engines of their own.

mod args;
mod commands;
mod error;
mod keeping;
mod keys;
mod settings;
mod suite;
mod target;
mod ui;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;

use clap::Parser as _;

use self::args::{Cli, Command};
use self::error::{CliError, ExitReason};
use self::ui::Ui;
use crate::engine::EngineRegistry;

/// Engines recurse over SQL; a stack this large lets them refuse deep SQL rather than die of it. It is address
/// space, and costs memory only where it is used.
const STACK: usize = 256 << 20;

/// Runs the command line of this process with the engines of `registry`.
///
/// ```no_run
/// use vibesql_sqllogictest::{cli, engine::EngineRegistry};
///
/// fn main() -> std::process::ExitCode {
///     cli::main(EngineRegistry::builtin())
/// }
/// ```
pub fn main(registry: EngineRegistry) -> ExitCode {
    keep_panics_quiet();
    let thread = std::thread::Builder::new().name("main loop".to_owned()).stack_size(STACK);
    let reason = match thread.spawn(move || guarded(&registry, std::env::args_os().collect())) {
        Ok(thread) => thread.join().unwrap_or(ExitReason::Internal),
        Err(error) => {
            let error = CliError::internal(format!("cannot start a thread: {error}"));
            Ui::new(clap::ColorChoice::Auto).error(&error)
        }
    };
    ExitCode::from(reason.code())
}

fn guarded(registry: &EngineRegistry, arguments: Vec<OsString>) -> ExitReason {
    let outcome = catch_unwind(AssertUnwindSafe(|| start(registry, arguments)));
    outcome.unwrap_or_else(|_| {
        let place = LAST_PANIC.lock().ok().and_then(|mut place| place.take()).unwrap_or_default();
        Ui::new(clap::ColorChoice::Auto).error(&CliError::internal(place))
    })
}

fn start(registry: &EngineRegistry, arguments: Vec<OsString>) -> ExitReason {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors of clap's, too, with an exit code of 0; a reader that is gone
            // cannot be told anything.
            drop(error.print());
            return if error.use_stderr() { ExitReason::Usage } else { ExitReason::Success };
        }
    };
    let mut ui = Ui::new(cli.color);
    let done = match cli.command {
        Command::Test(args) => commands::test::run(&args, registry, &mut ui),
        Command::Run(args) => commands::run::run(&args, cli.results.as_deref(), registry, &mut ui),
        Command::List(args) => commands::list::run(&args, &mut ui),
        Command::Engines => commands::engines::run(registry, &mut ui),
        Command::Worker(args) => commands::worker::run(&args, cli.results.as_deref(), registry, &mut ui),
    };
    done.unwrap_or_else(|error| ui.error(&error))
}

/// Where the last panic came from.
static LAST_PANIC: Mutex<Option<String>> = Mutex::new(None);

/// A panic of an engine is the outcome of a record, and is reported there; a panic of ours is reported by
/// [`guarded`]. In neither case should the default message get in between.
fn keep_panics_quiet() {
    std::panic::set_hook(Box::new(|panic| {
        if let Ok(mut last) = LAST_PANIC.lock() {
            *last = Some(panic.to_string());
        }
    }));
}
