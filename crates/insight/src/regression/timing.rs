//! Which files, and which records, take longer than they did: silent when in doubt.
//!
//! A time is compared with the passes before it, of the same file with the same number of executed records, on one machine
//! with one engine and one number of workers; the caller sees to the latter. What makes a whole run slow, such as
//! another load of the machine, is taken out first: each time is divided by the load of its run.
//!
//! | the last passes | are |
//! |---|---|
//! | fewer than [`LEAST_BEFORE`] before them | nothing |
//! | each of the last [`RECENT`] is over the threshold, and they differ by no more than [`STEADY`] | slower |
//! | the last one is over the threshold | suspect: to be run once more |
//! | any other | nothing |
//!
//! The threshold is the largest of these: the median of the passes before, and [`DEVIATIONS`] standard deviations,
//! as their median absolute deviation has it, but at least a twentieth of the median each; [`LEAST_RATIO`] times the
//! median; the median and a least difference.

use std::collections::HashMap;
use std::time::Duration;

use slt_core::executor::{LEAST_SLOW, MOST_SLOW};
use slt_core::location::FileId;
use slt_core::outcome::SlowRecord;

/// So many passes in a row must be slow.
pub const RECENT: usize = 3;
/// So many passes before them must be known.
pub const LEAST_BEFORE: usize = 8;
/// More are not looked at.
pub const MOST_BEFORE: usize = 20;
/// So many standard deviations are no noise.
pub const DEVIATIONS: f64 = 5.0;
/// So many times the median is worth a word.
pub const LEAST_RATIO: f64 = 1.5;
/// The slow passes may differ by this share of their median; outliers differ by more.
pub const STEADY: f64 = 0.5;
/// A file that takes no longer than this in addition is not called slower.
pub const LEAST_OF_FILE: Duration = Duration::from_millis(50);
/// The same of a record.
pub const LEAST_OF_RECORD: Duration = Duration::from_millis(20);
/// The load of a run is known by so many files.
const LEAST_FILES: usize = 8;
/// Files that take less say nothing about the load.
const LEAST_TIME: f64 = 0.005;

/// A file that passed in a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pass<'h> {
    /// Its path below the root.
    pub file: &'h FileId,
    /// How many records were executed.
    pub executed: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// The slowest records, the slowest first; nothing, where nobody has looked.
    pub slowest: Option<&'h [SlowRecord]>,
}

/// What takes longer than it did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Slower<'h> {
    /// Files and records whose last passes were all slow.
    pub slower: Vec<Slowdown<'h>>,
    /// Files whose last pass was slow; whether they are, only another pass can tell.
    pub suspects: Vec<Slowdown<'h>>,
    /// How many times as long as usual the last run took as a whole; nothing, if too little is known.
    pub load: Option<f64>,
}

/// A file, or a record, that takes longer.
#[derive(Debug, Clone, PartialEq)]
pub struct Slowdown<'h> {
    /// The file.
    pub file: &'h FileId,
    /// The record, if it is not the whole file.
    pub record: Option<&'h SlowRecord>,
    /// The median of the passes before; of a record that was not among the slowest, what it took at most.
    pub before: Duration,
    /// The median of the last passes, as if the load had been the usual one.
    pub now: Duration,
    /// What a pass must exceed to be slow, with the usual load.
    pub threshold: Duration,
    /// How many passes there are before.
    pub passes: usize,
}

/// Looks for slowdowns in the last of these runs, each given by the files that passed in it; they come the oldest first.
pub fn slower<'h>(runs: &[Vec<Pass<'h>>]) -> Slower<'h> {
    let Some((last, _)) = runs.split_last() else { return Slower::default() };
    let mut by_file = HashMap::<(&FileId, u64), Vec<(usize, &Pass<'h>)>>::new();
    for (place, run) in runs.iter().enumerate() {
        for pass in run {
            by_file.entry((pass.file, pass.executed)).or_default().push((place, pass));
        }
    }
    let loads = loads(by_file.values(), runs.len());
    let mut found = Slower { load: loads.last().copied().flatten(), ..Slower::default() };
    for pass in last {
        let Some(passes) = by_file.get(&(pass.file, pass.executed)) else { continue };
        let usual = |place: usize, time: Duration| time.as_secs_f64() / loads[place].unwrap_or(1.0);
        let times: Vec<_> = passes.iter().map(|(place, pass)| usual(*place, pass.elapsed)).collect();
        let slowdown = |judged: Judged, record| Slowdown {
            file: pass.file,
            record,
            before: Duration::from_secs_f64(judged.before),
            now: Duration::from_secs_f64(judged.now),
            threshold: Duration::from_secs_f64(judged.threshold),
            passes: judged.passes,
        };
        match judge(&times, LEAST_OF_FILE) {
            Some(judged) if judged.certain => found.slower.push(slowdown(judged, None)),
            Some(judged) => found.suspects.push(slowdown(judged, None)),
            None => {}
        }
        for (place, record) in pass.slowest.unwrap_or_default().iter().enumerate() {
            let number = occurrence(pass.slowest.unwrap_or_default(), place);
            let known = passes
                .iter()
                .filter_map(|(place, pass)| Some(usual(*place, time_of(pass.slowest?, &record.sql, number))));
            let times: Vec<_> = known.collect();
            if let Some(judged) = judge(&times, LEAST_OF_RECORD).filter(|judged| judged.certain) {
                found.slower.push(slowdown(judged, Some(record)));
            }
        }
    }
    found
}

/// How many times as long as usual each run took: the median over its files, where there are enough of them.
fn loads<'p, 'h: 'p>(
    files: impl Iterator<Item = &'p Vec<(usize, &'p Pass<'h>)>>,
    runs: usize,
) -> Vec<Option<f64>> {
    let mut ratios = vec![Vec::new(); runs];
    for passes in files.filter(|passes| passes.len() > RECENT) {
        let mut times: Vec<_> = passes.iter().map(|(_, pass)| pass.elapsed.as_secs_f64()).collect();
        let usual = median(&mut times);
        if usual >= LEAST_TIME {
            passes.iter().for_each(|(run, pass)| ratios[*run].push(pass.elapsed.as_secs_f64() / usual));
        }
    }
    let load = |mut ratios: Vec<f64>| {
        let load = (ratios.len() >= LEAST_FILES).then(|| median(&mut ratios))?;
        (load > 0.0).then_some(load)
    };
    ratios.into_iter().map(load).collect()
}

/// Records are known by their SQL, and by their number among those with the same.
fn occurrence(slowest: &[SlowRecord], place: usize) -> usize {
    let same = |record: &&SlowRecord| record.sql == slowest[place].sql && record.id < slowest[place].id;
    slowest.iter().filter(same).count()
}

/// How long a record took; of one that is not among the slowest, how long at most.
fn time_of(slowest: &[SlowRecord], sql: &str, number: usize) -> Duration {
    let mut same: Vec<_> = slowest.iter().filter(|record| record.sql == sql).collect();
    same.sort_by_key(|record| &record.id);
    let most = slowest.last().filter(|_| slowest.len() >= MOST_SLOW).map_or(LEAST_SLOW, |last| last.elapsed);
    same.get(number).map_or(most, |record| record.elapsed)
}

struct Judged {
    before: f64,
    now: f64,
    threshold: f64,
    passes: usize,
    /// All of the last ones are slow.
    certain: bool,
}

/// Judges the last of the times, in seconds, which come the oldest first; nothing, if it is not slow.
fn judge(times: &[f64], least: Duration) -> Option<Judged> {
    let judged = |recent: usize| {
        let (before, recent) = times.split_at_checked(times.len().checked_sub(recent)?)?;
        let before = &before[before.len().saturating_sub(MOST_BEFORE)..];
        if before.len() < LEAST_BEFORE {
            return None;
        }
        let usual = Usual::of(before, least);
        let slow = recent.iter().all(|&time| time > usual.threshold);
        let (low, high) =
            (recent.iter().copied().reduce(f64::min)?, recent.iter().copied().reduce(f64::max)?);
        let now = median(&mut recent.to_vec());
        let steady = high - low <= STEADY * now;
        let judged = Judged {
            before: usual.median,
            now,
            threshold: usual.threshold,
            passes: before.len(),
            certain: recent.len() == RECENT,
        };
        (slow && steady).then_some(judged)
    };
    judged(RECENT).or_else(|| judged(1))
}

/// What times usually are.
struct Usual {
    median: f64,
    /// What is no noise any more.
    threshold: f64,
}

impl Usual {
    fn of(times: &[f64], least: Duration) -> Self {
        let usual = median(&mut times.to_vec());
        let mut deviations: Vec<_> = times.iter().map(|time| (time - usual).abs()).collect();
        // The factor makes a standard deviation of it, for times that are distributed normally.
        let deviation = 1.4826 * median(&mut deviations);
        let noise = DEVIATIONS * deviation.max(usual / 20.0);
        let threshold = (usual + noise).max(usual * LEAST_RATIO).max(usual + least.as_secs_f64());
        Self { median: usual, threshold }
    }
}

/// The median; 0 of nothing.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slt_core::outcome::RecordId;

    fn times(milliseconds: &[u64]) -> Vec<f64> {
        milliseconds.iter().map(|&time| Duration::from_millis(time).as_secs_f64()).collect()
    }

    /// Whether the last of the times is certainly slow, or suspect.
    fn check(before: &[u64], last: &[u64]) -> Option<bool> {
        judge(&times(&[before, last].concat()), LEAST_OF_FILE).map(|judged| judged.certain)
    }

    #[test]
    fn what_is_slow() {
        let usual = [200, 210, 190, 205, 195, 200, 202, 198];
        assert_eq!(check(&usual, &[400, 410, 390]), Some(true));
        assert_eq!(check(&usual, &[200, 400, 390]), Some(false), "two are not enough");
        assert_eq!(check(&usual, &[400, 390, 200]), None, "and it is over");
        assert_eq!(check(&usual, &[320, 400, 900]), Some(false), "these are outliers");
        assert_eq!(check(&usual, &[280, 285, 290]), None, "less than half as much again");
        assert_eq!(check(&usual[1..], &[400, 410, 390]), Some(false), "too little is known");
        assert_eq!(check(&usual[3..], &[400, 410, 390]), None, "and even less");
        assert_eq!(check(&[2, 2, 2, 2, 2, 2, 2, 2], &[30, 30, 30]), None, "too short to care");
        assert_eq!(check(&[100, 200, 300, 100, 200, 300, 100, 200], &[500, 500, 500]), None, "noise");
        assert_eq!(check(&[], &[]), None);
    }

    #[test]
    fn a_slow_machine_is_no_slow_file() {
        let names: Vec<_> = (0..10).map(|number| FileId::unknown(&format!("{number}.test"))).collect();
        let run = |factor: u64, first: u64| -> Vec<_> {
            let pass = |(place, file): (u64, _)| Pass {
                file,
                executed: 5,
                elapsed: Duration::from_millis(
                    (100 + 10 * place) * factor * if place == 0 { first } else { 1 },
                ),
                slowest: None,
            };
            (0..).zip(&names).map(pass).collect()
        };
        let mut runs = vec![run(1, 1); 10];
        runs.extend(vec![run(3, 1); 3]);
        let found = slower(&runs);
        assert!(found.slower.is_empty() && found.suspects.is_empty(), "{found:?}");
        assert!(found.load.is_some_and(|load| (load - 3.0).abs() < 0.01), "{found:?}");
        runs.truncate(10);
        runs.extend(vec![run(3, 2); 3]);
        let found = slower(&runs);
        assert_eq!(found.slower.len(), 1, "{found:?}");
        assert_eq!((found.slower[0].file.path(), found.slower[0].now.as_millis()), ("0.test", 200));
    }

    #[test]
    fn a_record_that_was_never_slow_is_found() {
        let record = |line, milliseconds, sql: &str| SlowRecord {
            id: RecordId::at(line),
            elapsed: Duration::from_millis(milliseconds),
            sql: sql.to_owned(),
        };
        let usual = vec![record(3, 60, "SELECT 1"), record(9, 50, "SELECT 1")];
        // Lines have moved, and there is one more.
        let slow = vec![record(7, 400, "SELECT 2"), record(4, 60, "SELECT 1"), record(10, 50, "SELECT 1")];
        let file = FileId::unknown("a.test");
        let run = |slowest| {
            let pass =
                Pass { file: &file, executed: 5, elapsed: Duration::from_secs(9), slowest: Some(slowest) };
            vec![pass]
        };
        let mut runs = vec![run(&usual); 8];
        runs.extend(vec![run(&slow); 3]);
        let found = slower(&runs);
        let [one] = found.slower.as_slice() else { panic!("{found:?}") };
        assert_eq!(one.record.map(|record| record.id.line), Some(7));
        assert_eq!((one.before, one.now.as_millis()), (LEAST_SLOW, 400));
        // Where nobody has looked, nothing is known.
        for run in &mut runs[..8] {
            run[0].slowest = None;
        }
        assert!(slower(&runs).slower.is_empty());
    }
}
