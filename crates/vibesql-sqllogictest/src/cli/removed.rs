//! Flags of VibeSQL's earlier scripts that do not exist here: each is an error that names its replacement.
//!
//! They are not part of the command line's definition, so that help, completions and suggestions do not know them.

use std::ffi::OsString;

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::args::Cli;
use super::error::CliError;

/// A flag that was removed.
struct RemovedFlag {
    command: &'static str,
    flag: &'static str,
    hint: &'static str,
}

const REMOVED: &[RemovedFlag] = &[
    RemovedFlag {
        command: "run",
        flag: "--debug",
        hint: "it selected a debug build: `cargo run -- run` is one; `run --verbose` prints more about each file",
    },
    RemovedFlag {
        command: "query",
        flag: "--query",
        hint: "write the statement without a flag: `query \"SELECT …\"`",
    },
    RemovedFlag {
        command: "query",
        flag: "--database",
        hint: "import the results with `store import FILE`, and select another results folder with --results DIR",
    },
    RemovedFlag {
        command: "punchlist",
        flag: "--from",
        hint: "write the file without a flag: `punchlist FILE`",
    },
];

/// Returns the error for a removed flag, in place of clap's error about these arguments.
pub(super) fn removed_flag(error: &clap::Error, arguments: &[OsString]) -> Option<CliError> {
    let Some(ContextValue::String(found)) = error.get(ContextKind::InvalidArg) else { return None };
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let matches = Cli::command().ignore_errors(true).try_get_matches_from(arguments).ok()?;
    let command = matches.subcommand_name()?;
    let RemovedFlag { hint, .. } =
        REMOVED.iter().find(|removed| removed.command == command && removed.flag == found)?;
    let message = format!("`{command} {found}`: the flag of the earlier scripts does not exist any more");
    Some(CliError::usage(message, *hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removed_flags_are_not_defined() {
        for RemovedFlag { command, flag, .. } in REMOVED {
            let root = Cli::command();
            // Some builds have no `query`.
            let Some(command) = root.find_subcommand(command) else { continue };
            let mut flags = command.get_arguments().filter_map(clap::Arg::get_long);
            assert!(!flags.any(|long| flag.strip_prefix("--") == Some(long)), "{flag}");
        }
    }
}
