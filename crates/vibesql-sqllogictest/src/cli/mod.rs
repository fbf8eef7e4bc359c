//! The command line. Its only door is [`main`], so that an embedder can have it with engines of their own.

mod args;
mod baseline;
mod circumstances;
mod commands;
mod config;
mod error;
mod git;
mod keeping;
mod keys;
mod known;
mod output;
#[cfg(feature = "store")]
mod query_args;
mod selection;
mod settings;
mod stream;
mod suite;
mod target;
mod texts;
mod ui;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;

use clap::{CommandFactory as _, Parser as _};

use self::args::{Cli, Command};
use self::config::{Environment, ResolveError};
use self::error::{CliError, ExitReason};
use self::keeping::Keeping;
use self::ui::Ui;
use slt_core::engine::EngineRegistry;

/// Engines recurse over SQL; a stack this large lets them refuse deep SQL rather than die of it. It is address
/// space, and costs memory only where it is used.
const STACK: usize = 256 << 20;

/// Runs the command line of this process with the engines of `registry`.
///
/// ```no_run
/// use vibesql_sqllogictest::{cli, engines};
///
/// fn main() -> std::process::ExitCode {
///     cli::main(engines::builtin())
/// }
/// ```
pub fn main(registry: EngineRegistry) -> ExitCode {
    keep_panics_quiet();
    let thread = std::thread::Builder::new().name("main loop".to_owned()).stack_size(STACK);
    let reason = match thread.spawn(move || guarded(&registry, std::env::args_os().collect())) {
        Ok(thread) => thread.join().unwrap_or(ExitReason::Internal),
        Err(error) => {
            let error = CliError::no_thread(format!("{error} (its stack takes {} MiB)", STACK >> 20));
            Ui::new(clap::ColorChoice::Auto).error(&error)
        }
    };
    ExitCode::from(reason.code())
}

fn guarded(registry: &EngineRegistry, arguments: Vec<OsString>) -> ExitReason {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        output::survive_size_limit();
        start(registry, arguments)
    }));
    outcome.unwrap_or_else(|_| {
        let place = LAST_PANIC.lock().ok().and_then(|mut place| place.take()).unwrap_or_default();
        Ui::new(clap::ColorChoice::Auto).error(&CliError::panic(place))
    })
}

fn start(registry: &EngineRegistry, arguments: Vec<OsString>) -> ExitReason {
    let environment = Environment::of_process();
    let resolved = config::resolve(&Cli::command(), arguments, &environment, &config::read);
    let resolved = match resolved {
        Ok(resolved) => resolved,
        Err(ResolveError::Typed(error)) => return wrong_words(&error),
        Err(ResolveError::Configuration(mistakes)) => {
            let mut ui = Ui::new(clap::ColorChoice::Auto);
            for mistake in mistakes {
                ui.error(&mistake.into());
            }
            return ExitReason::Usage;
        }
    };
    let mut cli = match Cli::try_parse_from(&resolved.arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let reason = wrong_words(&error);
            // What was typed has been parsed before, without complaint.
            let note =
                "environment and configuration file are part of this; `config show` has their settings";
            Ui::new(clap::ColorChoice::Auto).note(note);
            return reason;
        }
    };
    let mut ui = Ui::new(cli.color);
    resolved.notes.iter().for_each(|note| ui.note(note));
    if let Err(error) = environment.fill_in_shard(&mut cli.command) {
        return ui.error(&error);
    }
    cli.command.selection_mut().into_iter().for_each(|selection| resolved.tell_patterns(selection));
    let timeouts = resolved.overrides.iter().map(|one| (one.pattern.clone(), one.timeout)).collect();
    match &mut cli.command {
        Command::Run(args) => args.timeouts = timeouts,
        Command::Test(args) => args.timeouts = timeouts,
        _ => {}
    }
    let keeping = Keeping::new(cli.results.as_deref(), environment.home());
    let done = match cli.command {
        Command::Test(args) => commands::test::run(&args, registry, &mut ui),
        Command::Run(args) => commands::run::run(&args, &keeping, &environment, registry, &mut ui),
        Command::List(args) => commands::list::run(&args, &keeping, registry, &mut ui),
        Command::Engines => commands::engines::run(registry, &mut ui),
        Command::Ledger(command) => commands::ledger::run(&command, &keeping, &mut ui),
        Command::Prune(args) => commands::prune::run(&args, &keeping, &mut ui),
        #[cfg(feature = "store")]
        Command::Store(command) => commands::store::run(&command, &keeping, &mut ui),
        Command::Import(args) => commands::import::run(&args, &keeping, &mut ui),
        Command::Export(args) => commands::export::run(&args, &keeping, &mut ui),
        Command::Merge(args) => commands::merge::run(&args, &keeping, &mut ui),
        Command::Backup(args) => commands::backup::run(&args, &keeping, &mut ui),
        Command::Status => commands::status::run(&keeping, &mut ui),
        Command::Compare(args) => commands::compare::run(&args, &keeping, &mut ui),
        Command::Flaky(args) => commands::flaky::run(&args, &keeping, &mut ui),
        Command::Bisect(args) => commands::bisect::run(&args, &keeping, &mut ui),
        Command::Runs(args) => commands::runs::run(&args, &keeping, &mut ui),
        Command::Show(args) => commands::show::run(&args, &keeping, &mut ui),
        Command::Analyze(args) => commands::analyze::run(&args, &keeping, &mut ui),
        Command::Punchlist(args) => commands::punchlist::run(&args, &keeping, &mut ui),
        Command::Report(args) => commands::report::run(&args, &keeping, &environment, &mut ui),
        Command::Worker(args) => commands::worker::run(&args, &keeping, registry, &mut ui),
        Command::Config(args) => commands::config::run(&args, &resolved, &environment, &mut ui),
        Command::Completions(args) => commands::completions::run(&args, &mut ui),
        Command::Man(args) => commands::man::run(&args, &mut ui),
        #[cfg(feature = "store")]
        Command::Query(args) => commands::query::run(&args, &keeping, &environment, &mut ui),
        #[cfg(feature = "store")]
        Command::Ask(args) => commands::ask::run(&args, &keeping),
        Command::Work(args) => commands::work::run(&args, registry),
    };
    done.unwrap_or_else(|error| ui.error(&error))
}

/// Help and version are errors of clap's, too, with an exit code of 0; a reader that is gone cannot be told anything.
fn wrong_words(error: &clap::Error) -> ExitReason {
    drop(error.print());
    if error.use_stderr() { ExitReason::Usage } else { ExitReason::Success }
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
