//! `ask`: a process that answers queries with one engine, started by `query`.

use std::io::BufReader;

use crate::cli::args::AskArgs;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::results_location::ResultsLocation;
use slt_runner::parallel::stdio::{take_stdin, take_stdout};
use slt_store::ask::{EngineName, ResultsSource, serve};

/// The name of the command.
pub(in crate::cli) const NAME: &str = "ask";

pub(in crate::cli) fn run(args: &AskArgs, location: &ResultsLocation) -> CommandResult {
    let Some(engine) = EngineName::from_name(&args.engine) else {
        return Err(CliError::usage(format!("no engine `{}`", args.engine), ""));
    };
    // The engine gets other streams, so that its output cannot be mistaken for an answer.
    let streams = take_stdin().and_then(|questions| Ok((questions, take_stdout(None)?)));
    let (questions, mut answers) =
        streams.map_err(|error| CliError::io("use", "standard streams", &error))?;
    let served =
        serve(engine, &ResultsSource(location.results()?.clone()), BufReader::new(questions), &mut answers);
    served.map_err(|error| CliError::io("write to", "standard output", &error))?;
    Ok(ExitReason::Success)
}
