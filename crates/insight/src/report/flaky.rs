//! The list of flaky files, as text and as JSON.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::regression::flaky::{Health, Steadiness};
use crate::regression::past::FileHealth;
use slt_runner::results::PastRun;
use slt_runner::text::count::{percent, plural, thousands};
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

/// Writes all files.
pub fn write_json(engine: &str, runs: &[PastRun], files: &[FileHealth<'_>]) -> serde_json::Result<String> {
    let document = Document {
        format: 1,
        engine,
        runs: runs.iter().map(|past| past.run.name.as_str()).collect(),
        files: files.iter().map(FileDocument::of).collect(),
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}

#[derive(Serialize)]
struct Document<'h> {
    format: u32,
    engine: &'h str,
    /// The oldest first.
    runs: Vec<&'h str>,
    files: Vec<FileDocument<'h>>,
}

#[derive(Serialize)]
struct FileDocument<'h> {
    file: &'h str,
    last: &'static str,
    results: u64,
    #[serde(flatten)]
    steadiness: SteadinessDocument,
    /// Changes from one state to the next.
    regressed_at: Vec<&'h str>,
    fixed_at: Vec<&'h str>,
    records: Vec<RecordDocument>,
}

#[derive(Serialize)]
struct RecordDocument {
    line: u32,
    #[serde(flatten)]
    steadiness: SteadinessDocument,
}

#[derive(Serialize)]
struct SteadinessDocument {
    health: &'static str,
    repeated: u64,
    deviating: u64,
    mixed_states: u64,
    flake_rate: Option<f64>,
    flake_rate_low: Option<f64>,
    flake_rate_high: Option<f64>,
}

impl<'h> FileDocument<'h> {
    fn of(file: &FileHealth<'h>) -> Self {
        let turns = |good| {
            let turns = file.steadiness.turns.iter().filter(move |turn| turn.good == good);
            turns.map(|turn| turn.to).collect()
        };
        let record = |record: &crate::regression::past::RecordHealth<'_>| RecordDocument {
            line: record.id.line,
            steadiness: SteadinessDocument::of(&record.steadiness),
        };
        Self {
            file: file.file,
            last: file.last.word(),
            results: file.results,
            steadiness: SteadinessDocument::of(&file.steadiness),
            regressed_at: turns(false),
            fixed_at: turns(true),
            records: file.records.iter().map(record).collect(),
        }
    }
}

impl SteadinessDocument {
    fn of(steadiness: &Steadiness<'_>) -> Self {
        let interval = steadiness.interval();
        Self {
            health: match steadiness.health {
                Health::Flaky => "flaky",
                Health::Broken => "broken",
                Health::Healthy => "healthy",
            },
            repeated: steadiness.repeated,
            deviating: steadiness.deviating,
            mixed_states: steadiness.mixed,
            flake_rate: steadiness.rate(),
            flake_rate_low: interval.map(|(low, _)| low),
            flake_rate_high: interval.map(|(_, high)| high),
        }
    }
}
