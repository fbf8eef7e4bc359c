//! The list of flaky files, as text and as JSON.

use std::fmt::{self, Write as _};

use crate::regression::flaky::{Health, Steadiness};
use crate::regression::past::{FileHealth, RecordHealth};
use slt_runner::results::PastRun;
use slt_runner::text::count::{percent, plural, thousands};
use slt_runner::text::object::{Object, object};
use slt_runner::text::style::Role;

/// Writes the flaky files with their records, and how many others there are.
pub fn write(out: &mut String, engine: &str, runs: &[PastRun], files: &[FileHealth<'_>]) -> fmt::Result {
    let with = |health: Health| files.iter().filter(move |file| file.steadiness.health == health);
    for file in with(Health::Flaky) {
        let word = Role::Warn.paint("FLAKY");
        writeln!(
            out,
            "{word}  {}  {}, last {}",
            file.file,
            rate(&file.steadiness),
            file.last.word().replace('_', " ")
        )?;
        for record in &file.records {
            writeln!(out, "       line {}  {}", record.id, rate(&record.steadiness))?;
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
    let single = files.iter().filter(|file| file.steadiness.repeated == 0).count() as u64;
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

/// `deviated 2 of 12 times (16.66 %, between 4.69 % and 44.80 %)`.
fn rate(steadiness: &Steadiness<'_>) -> String {
    let Steadiness { deviating, repeated, .. } = steadiness;
    let (low, high) = steadiness.interval().unwrap_or((0.0, 1.0));
    let (low, high) = (percent(Some(low)), percent(Some(high)));
    let rate = percent(steadiness.rate());
    format!("deviated {deviating} of {repeated} times ({rate}, between {low} and {high})")
}

/// Makes the document of all files; the oldest run is the first.
pub fn json<'h>(engine: &'h str, runs: &'h [PastRun], files: &'h [FileHealth<'h>]) -> Object<'h> {
    let files = files.iter().map(|file| {
        // Changes from one state to the next.
        let turns = |good| -> Vec<_> {
            file.steadiness.turns.iter().filter(|turn| turn.good == good).map(|turn| turn.to).collect()
        };
        let record = |record: &RecordHealth<'_>| {
            with_steadiness(object! { "line": record.id.line }, &record.steadiness)
        };
        let document =
            object! { "file": file.file.path(), "last": file.last.word(), "results": file.results };
        with_steadiness(document, &file.steadiness)
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

fn with_steadiness<'h>(document: Object<'h>, steadiness: &Steadiness<'_>) -> Object<'h> {
    let interval = steadiness.interval();
    let health = match steadiness.health {
        Health::Flaky => "flaky",
        Health::Broken => "broken",
        Health::Healthy => "healthy",
    };
    document
        .with("health", health)
        .with("repeated", steadiness.repeated)
        .with("deviating", steadiness.deviating)
        .with("mixed_states", steadiness.mixed)
        .with("flake_rate", steadiness.rate())
        .with("flake_rate_low", interval.map(|(low, _)| low))
        .with("flake_rate_high", interval.map(|(_, high)| high))
}
