//! What many workers make of SQLite's corpus on VibeSQL, by simulation from recorded times.
//!
//! `cargo bench -p vibesql-sqllogictest-bench --bench schedule` needs no VibeSQL: `data/vibesql-times.tsv` says how long each
//! file took in a real run, and how long its statements alone took in another. Whether a file may be split is asked of the
//! file itself, where it is among those that `SLT_CORPUS` names. Where none is, all may be, and the output says so.
//! The slices of a file are taken to be equally long.

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use vibesql_sqllogictest::executor::parallel::WorkItem;
use vibesql_sqllogictest::executor::parallel::schedule::{
    FileOrder, LastResult, ScheduledFile, order, split_plan,
};
use vibesql_sqllogictest::executor::slice::may_split;
use vibesql_sqllogictest::executor::{DetailLimits, Options};
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::parser::{SQLITE, parse};
use vibesql_sqllogictest_bench::files;

const TIMES: &str = include_str!("../data/vibesql-times.tsv");

const WORKERS: [usize; 6] = [1, 2, 3, 4, 16, 64];

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]
fn main() -> ExitCode {
    match report() {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A file of the recorded run.
struct Recorded<'t> {
    file: &'t str,
    duration: Duration,
    set_up: Duration,
}

fn recorded() -> Result<Vec<Recorded<'static>>, Box<dyn std::error::Error>> {
    let lines = TIMES.lines().skip(1);
    lines.map(|line| read(line).ok_or_else(|| format!("no recorded time: `{line}`").into())).collect()
}

fn read(line: &'static str) -> Option<Recorded<'static>> {
    let mut cells = line.split('\t');
    let file = cells.next()?;
    let mut seconds = || Duration::try_from_secs_f64(cells.next()?.parse().ok()?).ok();
    Some(Recorded { file, duration: seconds()?, set_up: seconds()? })
}

fn report() -> Result<String, Box<dyn std::error::Error>> {
    let mut times = recorded()?;
    let known: Vec<_> = times
        .iter()
        .map(|time| ScheduledFile { last: LastResult::Passed, duration: Some(time.duration), bytes: 0 })
        .collect();
    let mut places = vec![0; times.len()];
    order(&known, FileOrder::History)
        .into_iter()
        .enumerate()
        .for_each(|(place, index)| places[index] = place);
    let mut place = places.into_iter();
    times.sort_by_cached_key(|_| place.next());

    let sources = sources()?;
    let answers: Vec<_> = times.iter().map(|time| answer(sources.get(time.file))).collect();
    let durations: Vec<_> = times.iter().map(|time| Some(time.duration)).collect();
    let sum: Duration = durations.iter().flatten().sum();
    let mut lines = vec![format!("{} files, {:.1} s in all", times.len(), sum.as_secs_f64())];
    if answers.iter().all(Option::is_none) {
        lines.push(
            "the files are not there (SLT_CORPUS): each is taken to be one that may be split".to_owned(),
        );
    } else {
        lines.push("the longest files, and whether they may be split".to_owned());
        for (time, answer) in times.iter().zip(&answers).take(8) {
            let answer = answer.as_deref().unwrap_or("not there, and not split");
            lines.push(format!(
                "{:>9.3} s, statements {:.3} s  {}: {answer}",
                time.duration.as_secs_f64(),
                time.set_up.as_secs_f64(),
                time.file
            ));
        }
    }
    let none_there = answers.iter().all(Option::is_none);
    let allowed = |index: usize| none_there || answers[index].as_deref() == Some(YES);
    lines.push("workers     ideal     whole  efficiency     split  efficiency  files in slices".to_owned());
    for workers in WORKERS {
        let plan = split_plan(&durations, &allowed, workers);
        lines.push(row(&times, &plan, sum, workers));
    }
    Ok(lines.join("\n"))
}

fn row(times: &[Recorded<'_>], plan: &[u32], sum: Duration, workers: usize) -> String {
    let job =
        |time: &Recorded<'_>, slices| SimulatedFile { duration: time.duration, set_up: time.set_up, slices };
    let whole: Vec<_> = times.iter().map(|time| job(time, 1)).collect();
    let split: Vec<_> = times.iter().zip(plan).map(|(time, slices)| job(time, *slices)).collect();
    let ideal = sum.as_secs_f64() / workers as f64;
    let [whole, split] = [whole, split].map(|jobs| simulate(&jobs, workers).as_secs_f64());
    let named = times.iter().zip(plan).filter(|(_, slices)| **slices > 1);
    let named: Vec<_> = named.map(|(time, slices)| format!("{} in {slices}", time.file)).collect();
    format!(
        "{workers:>7} {ideal:>7.1} s {whole:>7.1} s {:>9.0} % {split:>7.1} s {:>9.0} %  {}",
        100.0 * ideal / whole,
        100.0 * ideal / split,
        named.join(", ")
    )
}

/// A file of a simulated run.
#[derive(Clone, Copy)]
struct SimulatedFile {
    /// The duration of the whole file.
    duration: Duration,
    /// The part of it that every slice repeats.
    set_up: Duration,
    /// The number of slices; 0 counts as 1.
    slices: u32,
}

impl SimulatedFile {
    /// Returns the duration of one of its equal slices.
    fn slice(&self) -> Duration {
        let set_up = self.set_up.min(self.duration);
        set_up + (self.duration - set_up) / self.slices.max(1)
    }
}

/// Returns the duration of a run that assigns each slice, in this order, to the first free worker.
fn simulate(jobs: &[SimulatedFile], workers: usize) -> Duration {
    let mut busy = vec![Duration::ZERO; workers.max(1)];
    for job in jobs {
        for _ in 0..job.slices.max(1) {
            if let Some(first) = busy.iter_mut().min() {
                *first += job.slice();
            }
        }
    }
    busy.into_iter().max().unwrap_or_default()
}

const YES: &str = "yes";

/// The files that the times are of, as far as they are there.
fn sources() -> Result<HashMap<String, WorkItem>, Box<dyn std::error::Error>> {
    Ok(files()?.into_iter().map(|item| (item.file.path().to_owned(), item)).collect())
}

/// Whether a file may be split; nothing, if it is not there.
fn answer(item: Option<&WorkItem>) -> Option<String> {
    let options = Options {
        // The name that VibeSQL answers to.
        labels: vec!["sqlite".to_owned()],
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 0, values: 0 },
    };
    let source = Source::new("corpus.test", item?.read().ok()?);
    let answer = may_split(&parse(&source, &SQLITE), &options);
    Some(answer.map_or_else(|why| why.to_string(), |()| YES.to_owned()))
}
