//! What the runner costs on top of the engine: CPU time of a whole run on SQLite, held against the floor.
//!
//! `cargo bench -p vibesql-sqllogictest-bench --bench overhead` runs both in turn, on the files that
//! `SLT_CORPUS` names, and prints the ratio of each pair and its median. The runner's time includes reading and
//! parsing the files; the floor's does not.

use std::process::ExitCode;
use std::time::Duration;

use vibesql_sqllogictest::engine::Engine as _;
use vibesql_sqllogictest::engine::sqlite::Sqlite;
use vibesql_sqllogictest::executor::parallel::WorkItem;
use vibesql_sqllogictest::executor::{DetailLimits, Options, Selection, run_script};
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::outcome::Counts;
use vibesql_sqllogictest::parser::{SQLITE, parse};
use vibesql_sqllogictest_bench::{Work, cpu_time, files, print_report};

const ROUNDS: usize = 5;

fn main() -> ExitCode {
    print_report(measure())
}

fn measure() -> Result<String, Box<dyn std::error::Error>> {
    let files = files()?;
    let mut work = Vec::new();
    for file in &files {
        work.push(Work::of(&Source::new(file.shown.as_str(), file.read()?)));
    }
    let mut pairs = Vec::new();
    let mut values = 0;
    let mut counts = Counts::default();
    // The first round warms caches and is not counted.
    for round in 0..=ROUNDS {
        let start = cpu_time();
        values = work.iter().map(Work::execute).sum::<rusqlite::Result<u64>>()?;
        let middle = cpu_time();
        counts = run_all(&files)?;
        let end = cpu_time();
        if round > 0 {
            pairs.push((middle - start, end - middle));
        }
    }
    Ok(report(files.len(), values, &counts, &pairs))
}

fn run_all(files: &[WorkItem]) -> Result<Counts, Box<dyn std::error::Error>> {
    let options = Options {
        labels: Sqlite.describe()?.labels,
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 100, values: 64 },
    };
    let mut counts = Counts::default();
    for file in files {
        let source = Source::new(file.shown.as_str(), file.read()?);
        let script = parse(&source, &SQLITE);
        counts += run_script(&script, &Sqlite, &options, Selection::All).counts;
    }
    Ok(counts)
}

fn report(files: usize, values: u64, counts: &Counts, pairs: &[(Duration, Duration)]) -> String {
    let mut lines = vec![format!(
        "{files} files, {} records executed ({} passed), {values} values; CPU seconds",
        counts.executed, counts.passed
    )];
    let mut ratios: Vec<f64> = Vec::new();
    for (floor, runner) in pairs {
        let ratio = runner.as_secs_f64() / floor.as_secs_f64();
        lines.push(format!(
            "floor {:.3}  runner {:.3}  ratio {ratio:.3}",
            floor.as_secs_f64(),
            runner.as_secs_f64()
        ));
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    lines.push(format!("median ratio runner / floor: {median:.3}"));
    lines.join("\n")
}
