//! The command line with VibeSQL as the working tree has it.

use std::process::ExitCode;

use vibesql_sqllogictest::{cli, engines};

// Workers are this program, too, so nothing may come before `cli::main`.
fn main() -> ExitCode {
    cli::main(engines::builtin())
}
