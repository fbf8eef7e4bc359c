//! How often the detectors of regressions, flaky files, slowdowns and clusters are right, on histories in which it is
//! known what there is to find: `cargo run -p vibesql-sqllogictest-evals --example detectors`.
//!
//! It writes the table of the document that it is given, docs/detectors.md for instance, or prints the table.

use std::error::Error;
use std::io::Write as _;

use slt_evals::score;

fn main() -> Result<(), Box<dyn Error>> {
    let table = score::table(&score::scores());
    let Some(path) = std::env::args_os().nth(1) else {
        return Ok(std::io::stdout().write_all(table.as_bytes())?);
    };
    let document = std::fs::read_to_string(&path)?;
    let document = score::with_table(&document, &table).ok_or("the document has no place for the table")?;
    Ok(std::fs::write(&path, document)?)
}
