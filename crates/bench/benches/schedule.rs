//! What many workers make of SQLite's corpus on VibeSQL, by simulation from recorded times.
//!
//! `cargo bench -p vibesql-sqllogictest-bench --bench schedule` needs no VibeSQL: `data/vibesql-times.tsv` says how long each
//! file took in a real run, and how long its statements alone took in another. Whether a file may be split is asked of the
//! file itself, where it is among those that `SLT_CORPUS` names. Where none is, all may be, and the output says so.
//! The queries of a file are taken to be equally long.

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
use vibesql_sqllogictest_bench::fleet::{SimulatedFile, makespan};

const TIMES: &str = include_str!("../data/vibesql-times.tsv");

const WORKERS: [usize; 9] = [1, 2, 3, 4, 16, 64, 128, 256, 1024];
/// The files of SQLite's whole public corpus, of which the recorded ones are a selection.
const WHOLE_CORPUS: usize = 622;

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
#[derive(Clone, Copy)]
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
    let sum: Duration = times.iter().map(|time| time.duration).sum();
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
    lines.push("the recorded files".to_owned());
    lines.extend(table(&times, &allowed));
    lines.push(format!("{WHOLE_CORPUS} files: small ones are repeated"));
    let small: Vec<_> = (0..times.len()).filter(|index| !times[*index].file.starts_with("select")).collect();
    let again = small.iter().cycle().take(WHOLE_CORPUS.saturating_sub(times.len()));
    let mut indices: Vec<_> = (0..times.len()).chain(again.copied()).collect();
    indices.sort_unstable();
    let whole: Vec<_> = indices.iter().map(|index| times[*index]).collect();
    lines.extend(table(&whole, &|index| allowed(indices[index])));
    Ok(lines.join("\n"))
}

/// Makes a table of all numbers of workers, for files with the longest first.
fn table(times: &[Recorded<'_>], allowed: &dyn Fn(usize) -> bool) -> Vec<String> {
    let head =
        "workers     ideal   whole files   slices    shared    shared, nothing known   files in slices";
    let rows = WORKERS.iter().map(|workers| row(times, allowed, *workers));
    std::iter::once(head.to_owned()).chain(rows).collect()
}

fn row(times: &[Recorded<'_>], allowed: &dyn Fn(usize) -> bool, workers: usize) -> String {
    let durations: Vec<_> = times.iter().map(|time| Some(time.duration)).collect();
    let plan = split_plan(&durations, allowed, workers);
    let run = |slices: &dyn Fn(usize) -> u32, shares: bool, by_path: bool| {
        let mut indices: Vec<_> = (0..times.len()).collect();
        if by_path {
            indices.sort_by_key(|index| times[*index].file);
        }
        let file = |index: usize| {
            let Recorded { duration, set_up, .. } = times[index];
            SimulatedFile { duration, set_up, slices: slices(index), may_share: shares && allowed(index) }
        };
        let files: Vec<_> = indices.into_iter().map(file).collect();
        makespan(&files, workers).as_secs_f64()
    };
    let ideal = durations.iter().flatten().sum::<Duration>().as_secs_f64() / workers as f64;
    let whole = run(&|_| 1, false, false);
    let sliced = run(&|index| plan[index], false, false);
    let [shared, unknown] = [false, true].map(|by_path| run(&|_| 1, true, by_path));
    let named = times.iter().zip(&plan).filter(|(_, slices)| **slices > 1);
    let named: Vec<_> = named.map(|(time, slices)| format!("{} in {slices}", time.file)).take(3).collect();
    format!(
        "{workers:>7} {ideal:>7.1} s {whole:>11.1} s {sliced:>6.1} s {shared:>7.1} s {unknown:>22.1} s   {}",
        named.join(", ")
    )
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
