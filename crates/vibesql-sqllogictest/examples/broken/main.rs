//! Our command line, an engine with a bug: `cargo run --example broken -- run --engine broken:sqlite/BETWEEN SUITE`.
//!
//! For trying how a bug is found: run a suite on the sound engine and on this one, then `compare` and `analyze`. The
//! engine is called like the sound one, so that the runs are held against each other, with another version.
//! `ENGINE/WORD/LOG` appends the SQL of each query with a wrong answer to the file LOG, one line each.

use std::process::ExitCode;

use vibesql_sqllogictest::cli;
use vibesql_sqllogictest::engines;

mod engine;

fn main() -> ExitCode {
    let mut registry = engines::builtin();
    let sound = engines::builtin();
    registry.add_with(
        "broken",
        "ENGINE/WORD: answers of queries with WORD lack their first row",
        move |of| {
            let mut parts = of.text.splitn(3, '/');
            let (name, word, log) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
            let Some(word) = word.filter(|word| !word.is_empty()) else {
                return Err(of.unexpected("broken", "ENGINE/WORD, such as sqlite/BETWEEN"));
            };
            Ok(Box::new(engine::Broken::new(sound.make(name)?, word, log.map(Into::into))))
        },
    );
    cli::main(registry)
}
