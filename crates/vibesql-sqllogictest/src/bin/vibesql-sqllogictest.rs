//! The program: the command line with the engines of this build.

use std::process::ExitCode;

use vibesql_sqllogictest::{cli, engines};

fn main() -> ExitCode {
    cli::main(engines::builtin())
}
