//! The program: the command line with the engines of this build.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use vibesql_sqllogictest::{cli, engines};

/// VibeSQL allocates for each row: docs/performance.md has the figures. SQLite keeps the allocator of the system.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::main(engines::builtin())
}
