//! Detects files and records that have become slower, with few false alarms.
//!
//! A time is compared with earlier passes of the same file with the same number of executed records, on one machine
//! with one engine and one number of workers; the caller ensures the latter. A different load of the machine affects
//! the whole run, so each time is first divided by the load of its run.
//!
//! | the last passes | are |
//! |---|---|
//! | fewer than [`LEAST_BEFORE`] before them | not judged |
//! | each of the last [`RECENT`] is over the threshold, and they differ by no more than [`STEADY`] | slower |
//! | the last one is over the threshold | suspect: to be run once more |
//! | any other | not slower |
//!
//! The threshold is the largest of these: the median of the passes before plus [`DEVIATIONS`] standard deviations,
//! estimated by the median absolute deviation, but at least a twentieth of the median each; [`LEAST_RATIO`] times the
//! median; the median plus a minimum difference.

use std::collections::HashMap;
use std::time::Duration;

use slt_core::executor::{LEAST_SLOW, MOST_SLOW};
use slt_core::location::FileId;
use slt_core::outcome::SlowRecord;

/// The number of consecutive passes that must be slow.
pub const RECENT: usize = 3;
/// The number of earlier passes that must be known.
pub const LEAST_BEFORE: usize = 8;
/// The maximum number of earlier passes to use.
pub const MOST_BEFORE: usize = 20;
/// The number of standard deviations above noise.
pub const DEVIATIONS: f64 = 5.0;
/// The minimum ratio to the median.
pub const LEAST_RATIO: f64 = 1.5;
/// The maximum difference of slow passes, as a share of their median; outliers differ by more.
pub const STEADY: f64 = 0.5;
/// The minimum additional time of a slower file.
pub const LEAST_OF_FILE: Duration = Duration::from_millis(50);
/// The minimum additional time of a slower record.
pub const LEAST_OF_RECORD: Duration = Duration::from_millis(20);
/// The number of files needed to estimate the load of a run.
const LEAST_FILES: usize = 8;
/// The minimum time of a file that contributes to the load, in seconds.
const LEAST_TIME: f64 = 0.005;

/// A file that passed in a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimedPass<'h> {
    /// Its identity.
    pub file: &'h FileId,
    /// The number of executed records.
    pub executed: u64,
    /// The duration.
    pub elapsed: Duration,
    /// The slowest records, the slowest first; `None` if they were not recorded.
    pub slowest: Option<&'h [SlowRecord]>,
}

/// Slower files and records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Slowdowns<'h> {
    /// Files and records whose last passes were all slow.
    pub slower: Vec<Slowdown<'h>>,
    /// Files whose last pass was slow; another pass must confirm that.
    pub suspects: Vec<Slowdown<'h>>,
    /// The load of the last run relative to the usual; `None` if unknown.
    pub load: Option<f64>,
}

/// A slower file or record.
#[derive(Debug, Clone, PartialEq)]
pub struct Slowdown<'h> {
    /// The file.
    pub file: &'h FileId,
    /// The record; `None` for the whole file.
    pub record: Option<&'h SlowRecord>,
    /// The median of the passes before; for a record outside of the slowest ones, an upper bound.
    pub before: Duration,
    /// The median of the last passes, corrected for the load.
    pub now: Duration,
    /// The threshold for a slow pass, at the usual load.
    pub threshold: Duration,
    /// The number of earlier passes.
    pub passes: usize,
}

/// Finds slowdowns in the last of these runs, the oldest first. Each run is given by its passing files.
pub fn slower<'h>(runs: &[Vec<TimedPass<'h>>]) -> Slowdowns<'h> {
    let Some((last, _)) = runs.split_last() else { return Slowdowns::default() };
    let mut by_file = HashMap::<(&FileId, u64), Vec<(usize, &TimedPass<'h>)>>::new();
    for (place, run) in runs.iter().enumerate() {
        for pass in run {
            by_file.entry((pass.file, pass.executed)).or_default().push((place, pass));
        }
    }
    let loads = loads(by_file.values(), runs.len());
    let mut found = Slowdowns { load: loads.last().copied().flatten(), ..Slowdowns::default() };
    for pass in last {
        let Some(passes) = by_file.get(&(pass.file, pass.executed)) else { continue };
        let usual = |place: usize, time: Duration| time.as_secs_f64() / loads[place].unwrap_or(1.0);
        let times: Vec<_> = passes.iter().map(|(place, pass)| usual(*place, pass.elapsed)).collect();
        let slowdown = |judged: SlowTimes, record| Slowdown {
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

/// Returns the load of each run relative to the usual: the median over its files, if there are enough.
fn loads<'p, 'h: 'p>(
    files: impl Iterator<Item = &'p Vec<(usize, &'p TimedPass<'h>)>>,
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

/// Returns the number of a record among those with the same SQL, which identifies it.
fn occurrence(slowest: &[SlowRecord], place: usize) -> usize {
    let same = |record: &&SlowRecord| record.sql == slowest[place].sql && record.id < slowest[place].id;
    slowest.iter().filter(same).count()
}

/// Returns the time of a record, or an upper bound if it is not among the slowest.
fn time_of(slowest: &[SlowRecord], sql: &str, number: usize) -> Duration {
    let mut same: Vec<_> = slowest.iter().filter(|record| record.sql == sql).collect();
    same.sort_by_key(|record| &record.id);
    let most = slowest.last().filter(|_| slowest.len() >= MOST_SLOW).map_or(LEAST_SLOW, |last| last.elapsed);
    same.get(number).map_or(most, |record| record.elapsed)
}

struct SlowTimes {
    before: f64,
    now: f64,
    threshold: f64,
    passes: usize,
    /// Whether all of the last passes are slow.
    certain: bool,
}

/// Judges the last of the times in seconds, the oldest first; `None` if it is not slow.
fn judge(times: &[f64], least: Duration) -> Option<SlowTimes> {
    let judged = |recent: usize| {
        let (before, recent) = times.split_at_checked(times.len().checked_sub(recent)?)?;
        let before = &before[before.len().saturating_sub(MOST_BEFORE)..];
        if before.len() < LEAST_BEFORE {
            return None;
        }
        let usual = UsualTime::from_times(before, least);
        let slow = recent.iter().all(|&time| time > usual.threshold);
        let (low, high) =
            (recent.iter().copied().reduce(f64::min)?, recent.iter().copied().reduce(f64::max)?);
        let now = median(&mut recent.to_vec());
        let steady = high - low <= STEADY * now;
        let judged = SlowTimes {
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

/// The usual times.
struct UsualTime {
    median: f64,
    /// The limit of noise.
    threshold: f64,
}

impl UsualTime {
    fn from_times(times: &[f64], least: Duration) -> Self {
        let usual = median(&mut times.to_vec());
        let mut deviations: Vec<_> = times.iter().map(|time| (time - usual).abs()).collect();
        // For normally distributed times, the factor converts it to a standard deviation.
        let deviation = 1.4826 * median(&mut deviations);
        let noise = DEVIATIONS * deviation.max(usual / 20.0);
        let threshold = (usual + noise).max(usual * LEAST_RATIO).max(usual + least.as_secs_f64());
        Self { median: usual, threshold }
    }
}

/// Returns the median; 0 without values.
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

    /// Returns whether the last of the times is certainly slow; `None` if it is not even suspect.
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
            let pass = |(place, file): (u64, _)| TimedPass {
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
            let pass = TimedPass {
                file: &file,
                executed: 5,
                elapsed: Duration::from_secs(9),
                slowest: Some(slowest),
            };
            vec![pass]
        };
        let mut runs = vec![run(&usual); 8];
        runs.extend(vec![run(&slow); 3]);
        let found = slower(&runs);
        let [one] = found.slower.as_slice() else { panic!("{found:?}") };
        assert_eq!(one.record.map(|record| record.id.line), Some(7));
        assert_eq!((one.before, one.now.as_millis()), (LEAST_SLOW, 400));
        // Unrecorded times are unknown.
        for run in &mut runs[..8] {
            run[0].slowest = None;
        }
        assert!(slower(&runs).slower.is_empty());
    }
}
