//! Processes that this program starts: workers of a run, and engines of `query`. They are not part of the command line,
//! so neither environment nor configuration reaches them.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::str::FromStr;

use super::error::CommandResult;
use super::exit::ExitReason;
use super::suite;
use slt_core::engine::EngineRegistry;
use slt_runner::parallel::work;

/// The first argument of a worker; the folder of the run and two numbers follow.
pub(super) const WORK: &str = "work";
/// The first argument of an engine of `query`; the results folder and the name of the engine follow.
#[cfg(feature = "store")]
pub(super) const ASK: &str = "ask";

/// Runs such a process, if these are its arguments.
pub(super) fn run(arguments: &[OsString], registry: &EngineRegistry) -> Option<CommandResult> {
    match arguments {
        [_, name, folder, process_dir, number] if name == WORK => {
            let done =
                work(Path::new(folder), number_of(process_dir)?, number_of(number)?, registry, &suite::text);
            Some(done.map(|()| ExitReason::Success).map_err(Into::into))
        }
        #[cfg(feature = "store")]
        [_, name, results, engine] if name == ASK => {
            let engine = slt_store::ask::EngineName::of_word(engine.to_str()?)?;
            Some(answer(engine, Path::new(results)))
        }
        _ => None,
    }
}

fn number_of<T: FromStr>(word: &OsStr) -> Option<T> {
    word.to_str()?.parse().ok()
}

#[cfg(feature = "store")]
fn answer(engine: slt_store::ask::EngineName, results: &Path) -> CommandResult {
    use super::error::CliError;
    use slt_runner::parallel::stdio::{take_stdin, take_stdout};
    use slt_runner::results::ResultsFolder;
    use slt_store::ask::{Results, serve};

    // The engine gets other streams, so that nothing that it prints can be mistaken for an answer.
    let streams = take_stdin().and_then(|questions| Ok((questions, take_stdout(None)?)));
    let (questions, mut answers) =
        streams.map_err(|error| CliError::io("use", "standard streams", &error))?;
    let results = Results(ResultsFolder::new(results.to_owned()));
    let served = serve(engine, &results, std::io::BufReader::new(questions), &mut answers);
    served.map_err(|error| CliError::io("write to", "standard output", &error))?;
    Ok(ExitReason::Success)
}
