//! Measures the precision and recall of the detectors on generated histories: `cargo run -p vibesql-sqllogictest-evals
//! --example detectors`.
//!
//! Regressions, flaky files, slowdowns and clusters are measured. The table is written into the document that is named
//! on the command line, for instance docs/detectors.md, or printed.

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
