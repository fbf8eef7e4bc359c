//! Formats the list of flaky files as text and as JSON.

use std::fmt::{self, Write as _};

use crate::regression::flaky::{Health, Stability};
use crate::regression::past::{FileHealth, RecordHealth};
use slt_runner::results::PastRun;
use slt_runner::text::count::{percent, plural, thousands};
use slt_runner::text::object::{Object, object};
use slt_runner::text::style::Role;

/// Writes the flaky files with their records, and the numbers of all files.
pub fn write(out: &mut String, engine: &str, runs: &[PastRun], files: &[FileHealth<'_>]) -> fmt::Result {
    let with = |health: Health| files.iter().filter(move |file| file.stability.health == health);
    for file in with(Health::Flaky) {
        let word = Role::Warn.paint("FLAKY");
        writeln!(
            out,
            "{word}  {}  {}, last {}",
            file.file,
            rate(&file.stability),
            file.last.word().replace('_', " ")
        )?;
        for record in &file.records {
            writeln!(out, "       line {}  {}", record.id, rate(&record.stability))?;
        }
    }
    let count = |health| thousands(with(health).count() as u64);
    writeln!(
        out,
        "{} flaky, {} broken, {} healthy of {} in {} on {engine}",
        count(Health::Flaky),
        count(Health::Broken),
        count(Health::Healthy),
        plural(files.len() as u64, "file"),
        plural(runs.len() as u64, "run")
    )?;
    let single = files.iter().filter(|file| file.stability.repeated == 0).count() as u64;
    if single > 0 {
        writeln!(
            out,
            "{} {} no two comparable results (same commit without uncommitted changes, engine and build)",
            Role::Warn.paint("note:"),
            match single {
                1 => "1 file has".to_owned(),
                more => format!("{} files have", thousands(more)),
            }
        )?;
    }
    Ok(())
}

/// Formats a rate, like `deviated 2 of 12 times (16.66 %, between 4.69 % and 44.80 %)`.
fn rate(stability: &Stability<'_>) -> String {
    let Stability { deviating, repeated, .. } = stability;
    let (low, high) = stability.interval().unwrap_or((0.0, 1.0));
    let (low, high) = (percent(Some(low)), percent(Some(high)));
    let rate = percent(stability.rate());
    format!("deviated {deviating} of {repeated} times ({rate}, between {low} and {high})")
}

/// Makes the document of all files; the oldest run is the first.
pub fn json<'h>(engine: &'h str, runs: &'h [PastRun], files: &'h [FileHealth<'h>]) -> Object<'h> {
    let files = files.iter().map(|file| {
        // Changes from one state to the next.
        let turns = |good| -> Vec<_> {
            file.stability.turns.iter().filter(|turn| turn.good == good).map(|turn| turn.to).collect()
        };
        let record =
            |record: &RecordHealth<'_>| with_stability(object! { "line": record.id.line }, &record.stability);
        let document =
            object! { "file": file.file.path(), "last": file.last.word(), "results": file.results };
        with_stability(document, &file.stability)
            .with("regressed_at", turns(false))
            .with("fixed_at", turns(true))
            .with("records", file.records.iter().map(record).collect::<Vec<_>>())
    });
    object! {
        "format": 1,
        "engine": engine,
        "runs": runs.iter().map(|past| &past.run.name).collect::<Vec<_>>(),
        "files": files.collect::<Vec<_>>(),
    }
}

fn with_stability<'h>(document: Object<'h>, stability: &Stability<'_>) -> Object<'h> {
    let interval = stability.interval();
    let health = match stability.health {
        Health::Flaky => "flaky",
        Health::Broken => "broken",
        Health::Healthy => "healthy",
    };
    document
        .with("health", health)
        .with("repeated", stability.repeated)
        .with("deviating", stability.deviating)
        .with("mixed_states", stability.mixed)
        .with("flake_rate", stability.rate())
        .with("flake_rate_low", interval.map(|(low, _)| low))
        .with("flake_rate_high", interval.map(|(_, high)| high))
}
