//! `tests/sql.rs` as a program, because cargo does not tell a test where another one is.

use std::process::ExitCode;

#[path = "../tests/sql.rs"]
mod sql;

fn main() -> Result<ExitCode, walkdir::Error> {
    sql::main()
}
