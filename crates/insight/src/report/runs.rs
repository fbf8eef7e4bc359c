//! Formats a list of runs for the screen.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use super::shards::brief;
use slt_runner::results::RunSummary;
use slt_runner::text::count::{duration, percent, thousands};
use slt_runner::text::style::Role;
use slt_runner::text::table::table;

const HEADERS: &[&str] =
    &["run", "engine", "files", "passed", "rate", "records", "passed", "rate", "time", "end"];
/// The columns with numbers.
const NUMBERS: std::ops::Range<usize> = 2..9;

/// Writes a table of the runs, the oldest first, and below it the pass rate of each engine over time.
pub fn write(out: &mut String, runs: &[RunSummary]) -> fmt::Result {
    let has_shards = runs.iter().any(|run| brief(run.circumstances.as_ref()).is_some());
    let headers = if has_shards { [HEADERS, &["shards"]].concat() } else { HEADERS.to_vec() };
    let rows = runs.iter().map(|run| {
        let shards = has_shards.then(|| brief(run.circumstances.as_ref()).unwrap_or_default());
        row(run).into_iter().chain(shards).collect()
    });
    writeln!(out, "{}\n", table(&headers, rows, |column| NUMBERS.contains(&column)))?;
    let mut engines = BTreeMap::<String, Vec<f64>>::new();
    for run in runs.iter().filter(|run| run.is_complete()) {
        let rates = engines.entry(run.header.engine.qualified_name()).or_default();
        rates.extend(run.totals.records.pass_rate());
    }
    for (engine, rates) in engines.iter().filter(|(_, rates)| rates.len() > 1) {
        let last = rates.last().copied();
        let line = Role::Strong.paint(sparkline(rates));
        writeln!(out, "{engine}: {line}  {} of the records in the last complete run", percent(last))?;
    }
    Ok(())
}

fn row(run: &RunSummary) -> Vec<String> {
    let (totals, records) = (&run.totals, &run.totals.records);
    let files = match run.header.files as u64 {
        all if all == totals.files => thousands(all),
        all => format!("{} of {}", thousands(totals.files), thousands(all)),
    };
    vec![
        run.name.clone(),
        run.header.engine.to_string(),
        files,
        thousands(totals.passed_with(run.header.flaky)),
        percent(totals.pass_rate_with(run.header.flaky)),
        thousands(records.total),
        thousands(records.passed),
        percent(records.pass_rate()),
        duration(run.elapsed),
        state(run),
    ]
}

/// Returns the name of a run's state.
pub fn state(run: &RunSummary) -> String {
    super::subject::state_with(run.state, run.circumstances.as_ref())
}

/// Returns bars between the lowest and the highest rate; equal rates have full bars.
pub fn sparkline(rates: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let lowest = rates.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = rates.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let bar = |rate: &f64| {
        let share = if highest > lowest { (rate - lowest) / (highest - lowest) } else { 1.0 };
        BARS[(share * 7.0).round() as usize]
    };
    rates.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_go_from_the_lowest_to_the_highest() {
        assert_eq!(sparkline(&[0.5, 0.75, 1.0]), "▁▅█");
        assert_eq!(sparkline(&[0.3, 0.3]), "██");
    }
}
