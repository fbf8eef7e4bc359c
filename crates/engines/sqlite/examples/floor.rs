//! Measures the runner beside its floor: the same SQL prepared, stepped and read value by value through the same SQLite,
//! and nothing else.
//!
//! * `floor PATH…` and `runner PATH…` do either once. Instructions, which are repeatable to 0.1 %:
//!   `valgrind --tool=callgrind --toggle-collect='*measured*' target/release/examples/floor runner PATH…`
//! * `pairs N PATH…` does both in turn, N times, and shows the median and the quartiles of the ratios of their CPU time.
//!
//! `cargo build --release -p vibesql-sqllogictest-engine-sqlite --example floor` compiles neither VibeSQL nor the program.

#![expect(clippy::print_stdout, reason = "shows what has been measured")]

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::{Batch, Connection};
use rustix::time::{ClockId, clock_gettime};
use slt_core::engine::Engine as _;
use slt_core::executor::{DetailLimits, Options, Selection, run_script};
use slt_core::location::Source;
use slt_core::outcome::Counts;
use slt_core::parser::{Control, RecordKind, SQLITE, Sql, first_refusal, parse};
use slt_sqlite::Sqlite;

const USAGE: &str = "floor|runner PATH… or pairs N PATH…";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["floor", paths @ ..] => {
            let work: Vec<FloorWork> = sources(paths)?.iter().map(FloorWork::of).collect();
            println!("{} values", floor_measured(&work)?);
        }
        ["runner", paths @ ..] => {
            let counts = runner_measured(&sources(paths)?)?;
            println!("{} records executed, {} passed", counts.executed, counts.passed);
        }
        ["pairs", rounds, paths @ ..] => compare(rounds.parse()?, &sources(paths)?)?,
        _ => return Err(USAGE.into()),
    }
    Ok(())
}

/// Reads the files, and all files with the extension `test` in the directories.
fn sources(paths: &[&str]) -> std::io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in paths {
        read(Path::new(path), &mut sources)?;
    }
    Ok(sources)
}

fn read(path: &Path, sources: &mut Vec<Source>) -> std::io::Result<()> {
    if path.is_dir() {
        let entries: Vec<_> = std::fs::read_dir(path)?.collect::<Result<_, _>>()?;
        let mut paths: Vec<_> = entries.iter().map(std::fs::DirEntry::path).collect();
        paths.sort_unstable();
        let is_wanted = |path: &Path| path.is_dir() || path.extension().is_some_and(|end| end == "test");
        return paths.iter().filter(|path| is_wanted(path)).try_for_each(|path| read(path, sources));
    }
    sources.push(Source::new(path.to_string_lossy(), std::fs::read(path)?));
    Ok(())
}

/// Executes the files as the runner does, from their text to their reports.
#[inline(never)]
fn runner_measured(sources: &[Source]) -> Result<Counts, Box<dyn Error>> {
    let options = Options {
        labels: Sqlite.describe()?.labels,
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 100, values: 64 },
    };
    let mut counts = Counts::default();
    for source in sources {
        counts += run_script(&parse(source, &SQLITE), &Sqlite, &options, Selection::All).counts;
    }
    Ok(counts)
}

/// The SQL of one file.
struct FloorWork {
    texts: Vec<FloorText>,
}

enum FloorText {
    Statement(String),
    Query(String),
}

impl FloorWork {
    fn of(source: &Source) -> Self {
        let labels = ["sqlite".to_owned()];
        let script = parse(source, &SQLITE);
        let (mut buffer, mut texts) = (Vec::new(), Vec::new());
        for record in script.records() {
            if first_refusal(&record.conditions, &labels).is_some() {
                continue;
            }
            let mut text = |sql: &Sql<'_>| String::from_utf8_lossy(sql.text(&mut buffer)).into_owned();
            match &record.kind {
                RecordKind::Statement(statement) => texts.push(FloorText::Statement(text(&statement.sql))),
                RecordKind::Query(query) => texts.push(FloorText::Query(text(&query.sql))),
                RecordKind::Control(Control::Halt) => break,
                // The SQLite dialect has no others.
                _ => {}
            }
        }
        Self { texts }
    }

    /// Executes it all on a fresh database and reads every value. Returns how many there are.
    fn execute(&self) -> rusqlite::Result<u64> {
        let connection = Connection::open_in_memory()?;
        let mut values = 0;
        for text in &self.texts {
            // What is wrong with the SQL is not the floor's to say.
            let done = match text {
                FloorText::Statement(sql) => connection.execute_batch(sql),
                FloorText::Query(sql) => read_values(&connection, sql, &mut values),
            };
            drop(done);
        }
        Ok(values)
    }
}

fn read_values(connection: &Connection, sql: &str, values: &mut u64) -> rusqlite::Result<()> {
    let mut batch = Batch::new(connection, sql);
    let Some(mut statement) = batch.next()? else { return Ok(()) };
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            black_box(row.get_ref(column)?);
        }
        *values += columns as u64;
    }
    Ok(())
}

#[inline(never)]
fn floor_measured(work: &[FloorWork]) -> rusqlite::Result<u64> {
    work.iter().map(FloorWork::execute).sum()
}

/// Shows the CPU time of both and their ratio, after a round that warms the caches.
fn compare(rounds: usize, sources: &[Source]) -> Result<(), Box<dyn Error>> {
    let work: Vec<FloorWork> = sources.iter().map(FloorWork::of).collect();
    let mut pairs = Vec::new();
    for round in 0..=rounds {
        let start = cpu_time();
        floor_measured(&work)?;
        let middle = cpu_time();
        runner_measured(sources)?;
        let end = cpu_time();
        if round > 0 {
            pairs.push(((middle - start).as_secs_f64(), (end - middle).as_secs_f64()));
        }
    }
    let floor = quartiles(pairs.iter().map(|(floor, _)| *floor));
    let runner = quartiles(pairs.iter().map(|(_, runner)| *runner));
    let ratio = quartiles(pairs.iter().map(|(floor, runner)| runner / floor));
    for (name, [low, median, high]) in [("floor", floor), ("runner", runner), ("ratio", ratio)] {
        println!("{name:<6} median {median:.4}, quartiles {low:.4} to {high:.4}");
    }
    Ok(())
}

fn quartiles(numbers: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_unstable_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| numbers.get(numbers.len() * quarter / 4).copied().unwrap_or(f64::NAN))
}

/// The CPU time that this process has used.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}
