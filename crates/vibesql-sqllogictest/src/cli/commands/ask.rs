//! `ask`: a process that answers questions with one engine, started by `query`.

use std::io::{BufReader, stdin, stdout};

use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::query_args::AskArgs;
use crate::results::ask::{EngineName, Results, serve};

/// The name by which it is started.
pub(in crate::cli) const NAME: &str = "ask";

pub(in crate::cli) fn run(args: &AskArgs, keeping: &Keeping) -> Result<ExitReason, CliError> {
    let Some(engine) = EngineName::of_word(&args.engine) else {
        return Err(CliError::usage(format!("no engine `{}`", args.engine), Vec::new()));
    };
    // Not through the Ui: what goes out here is read by `query`, byte for byte.
    let served = serve(engine, &Results(keeping.results.clone()), BufReader::new(stdin()), &mut stdout());
    served.map_err(|error| CliError::output(&error))?;
    Ok(ExitReason::Success)
}
