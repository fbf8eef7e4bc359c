//! The command line. Its only public function is [`main`], so that embedders can use it with their own engines.

mod args;
mod circumstances;
mod commands;
mod config;
mod context;
mod error;
mod exit;
mod find_run;
mod git;
mod keys;
mod loaded_expectations;
mod one_file;
mod output;
mod prompt;
mod removed;
mod repeat;
mod result_filter;
mod results_location;
mod run_texts;
mod selection;
mod settings;
mod shards;
#[cfg_attr(not(feature = "store"), path = "no_store.rs")]
mod store;
mod stream;
mod suite;
mod target;
mod ui;
mod watched;
mod workers;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser as _};

use self::args::{Cli, CliCommand};
use self::config::{EnvironmentVariables, ResolveError};
use self::context::CommandContext;
use self::error::{CliError, CommandResult};
use self::exit::ExitReason;
use self::results_location::ResultsLocation;
use self::ui::Ui;
use slt_core::engine::EngineRegistry;

/// Engines recurse over SQL. With a stack this large, they can reject deeply nested SQL instead of crashing. Unused stack
/// takes only address space.
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
    let environment = EnvironmentVariables::from_process();
    let resolved = config::resolve(&Cli::command(), arguments.clone(), &environment, &config::read_text);
    let resolved = match resolved {
        Ok(resolved) => resolved,
        Err(ResolveError::Typed(error)) => {
            return match removed::removed_flag(&error, &arguments) {
                Some(removed) => Ui::new(clap::ColorChoice::Auto).error(&removed),
                None => print_usage_error(error),
            };
        }
        Err(ResolveError::Configuration(errors)) => {
            let mut ui = Ui::new(clap::ColorChoice::Auto);
            for error in errors {
                ui.error(&error.into());
            }
            return ExitReason::Usage;
        }
    };
    let cli = match Cli::try_parse_from(&resolved.arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let reason = print_usage_error(error);
            // The typed arguments alone have been parsed without an error.
            let note = "environment and configuration file add arguments; run `config show` to see them";
            Ui::new(clap::ColorChoice::Auto).note(note);
            return reason;
        }
    };
    let mut ui = Ui::new(cli.color);
    resolved.notes.iter().for_each(|note| ui.note(note));
    let location = ResultsLocation::new(cli.results.as_deref(), environment.home());
    let context =
        CommandContext { location: &location, environment: &environment, resolved: &resolved, registry };
    let done = execute(cli.command, context, &mut ui);
    done.unwrap_or_else(|error| ui.error(&error))
}

fn execute(command: CliCommand, context: CommandContext<'_>, ui: &mut Ui) -> CommandResult {
    let location = context.location;
    match command {
        CliCommand::Test(args) => commands::test::run(args, context, ui),
        CliCommand::Shell(args) => commands::shell::run(args, context, ui),
        CliCommand::Run(args) if args.is_watch() => commands::watch::run(*args, context, ui),
        CliCommand::Run(args) => commands::run::run(*args, context, ui),
        CliCommand::List(args) => commands::list::run(args, context, ui),
        CliCommand::Check(args) => commands::check::run(args, context, ui),
        CliCommand::Add(args) => commands::add::run(*args, context, ui),
        CliCommand::Format(args) => commands::format::run(args, context, ui),
        CliCommand::Update(args) => commands::update::run(*args, context, ui),
        CliCommand::Engines(args) => commands::engines::run(&args, context.registry, ui),
        CliCommand::Status => commands::status::run(location, ui),
        CliCommand::Compare(args) => commands::compare::run(&args, location, ui),
        CliCommand::Flaky(args) => commands::flaky::run(&args, location, context.registry, ui),
        CliCommand::Bisect(args) => commands::bisect::run(&args, location, ui),
        CliCommand::Runs(args) => commands::runs::run(&args, location, ui),
        CliCommand::Show(args) => commands::show::run(&args, location, ui),
        CliCommand::Analyze(args) => commands::analyze::run(&args, location, ui),
        CliCommand::Punchlist(args) => commands::punchlist::run(&args, location, ui),
        CliCommand::Report(args) => commands::report::run(&args, context, ui),
        #[cfg(feature = "store")]
        CliCommand::Query(args) => commands::query::run(*args, context, ui),
        CliCommand::Expectations(command) => commands::expectations::run(command, location, ui),
        CliCommand::Store(command) => commands::store::run(&command, location, ui),
        CliCommand::Worker(args) => commands::worker::run(&args, context, ui),
        CliCommand::Config(command) => commands::config::run(&command, context, ui),
        CliCommand::Completions(args) => commands::completions::run(&args, ui),
        CliCommand::Man(args) => commands::man::run(&args, ui),
        CliCommand::Work(args) => commands::work::run(&args, context.registry),
        #[cfg(feature = "store")]
        CliCommand::Ask(args) => commands::ask::run(&args, location),
    }
}

/// Prints an error of clap, which can also be the help or the version.
fn print_usage_error(error: clap::Error) -> ExitReason {
    let error = with_full_name(error);
    // A closed output is ignored.
    drop(error.print());
    if error.use_stderr() { ExitReason::Usage } else { ExitReason::Success }
}

/// Suggests `store prune` for an unknown command `prune`.
fn with_full_name(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::InvalidSubcommand
        && let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand)
    {
        let root = Cli::command();
        let group = root.get_subcommands().find(|group| group.find_subcommand(name).is_some());
        if let Some(group) = group {
            let full_names = ContextValue::Strings(vec![format!("{} {name}", group.get_name())]);
            error.insert(ContextKind::SuggestedSubcommand, full_names);
        }
    }
    error
}

/// The message and the location of the last panic.
static LAST_PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Disables the default message of panics. A panic of an engine is reported as the outcome of a record, any other by
/// [`guarded`].
fn keep_panics_quiet() {
    std::panic::set_hook(Box::new(|panic| {
        if let Ok(mut last) = LAST_PANIC.lock() {
            *last = Some(panic.to_string());
        }
    }));
}
