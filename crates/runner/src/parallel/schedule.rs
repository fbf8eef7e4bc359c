//! Scheduling by earlier results: the order of files, splitting, and shards.
//!
//! A run ends with its last worker, so slow files start early, and a file that would outlast all others is split.
//! Everything here is a pure function with the same result on every machine.

use std::cmp::Reverse;
use std::time::Duration;

/// The history of a file in earlier runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduledFile {
    /// The last result.
    pub last: LastResult,
    /// The last duration.
    pub duration: Option<Duration>,
    /// The size of its text.
    pub bytes: u64,
}

/// The result of a file in its last run, in scheduling order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LastResult {
    /// It did not pass.
    Failed,
    /// No run has tested it.
    Untested,
    /// It passed.
    Passed,
}

/// The order of the files of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileOrder {
    /// Failed files, then untested ones, then passed ones; of each, the longest first.
    History,
    /// The given order, by path.
    Path,
    /// A shuffle that depends only on the seed.
    Random(u64),
}

/// Returns the indices of the files in execution order.
///
/// The duration of an untimed file is estimated from its size, by the median speed of the timed files. Without any
/// timed file, larger files count as slower. Equal files stay in the order of their indices.
pub fn order(known: &[ScheduledFile], order: FileOrder) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..known.len()).collect();
    match order {
        FileOrder::Path => {}
        FileOrder::Random(seed) => shuffle(&mut indices, seed),
        FileOrder::History => {
            let per_byte = nanoseconds_per_byte(known).unwrap_or(1.0);
            indices.sort_by(|&a, &b| {
                let (left, right) = (known[a], known[b]);
                let longest_first = cost(right, per_byte).total_cmp(&cost(left, per_byte));
                left.last.cmp(&right.last).then(longest_first).then(a.cmp(&b))
            });
        }
    }
    indices
}

/// Returns the duration of each file, estimated as for [`order`] where unknown.
pub fn estimate(known: &[ScheduledFile]) -> Vec<Duration> {
    let per_byte = nanoseconds_per_byte(known).unwrap_or(1.0);
    known.iter().map(|known| Duration::from_nanos(cost(*known, per_byte) as u64)).collect()
}

fn cost(known: ScheduledFile, per_byte: f64) -> f64 {
    known.duration.map_or(known.bytes as f64 * per_byte, |duration| duration.as_nanos() as f64)
}

/// Returns the (upper) median speed of the files with a known duration.
fn nanoseconds_per_byte(known: &[ScheduledFile]) -> Option<f64> {
    let known = known.iter().filter(|known| known.bytes > 0);
    let mut ratios: Vec<f64> =
        known.filter_map(|known| Some(known.duration?.as_nanos() as f64 / known.bytes as f64)).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied()
}

/// Shuffles as Fisher and Yates do, in Durstenfeld's form.
fn shuffle(indices: &mut [usize], seed: u64) {
    let mut random = SplitMix64 { state: seed };
    for last in (1..indices.len()).rev() {
        indices.swap(last, random.below(last as u64 + 1) as usize);
    }
}

/// The generator of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (OOPSLA 2014), with the
/// constants of Vigna's `splitmix64.c` in the public domain.
///
/// A seed gives the same order on every machine and in every version; crates for random numbers do not promise that.
struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`. Taking the upper half of the product limits the bias to `end` parts in 2^64.
    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }
}

/// A shorter file does not justify the set-up of a second worker.
const SHORTEST_TO_SPLIT: Duration = Duration::from_secs(2);

/// Returns the number of slices for each file; 1 means not split.
///
/// Only a file of known duration is split, and only if it exceeds the ideal load of a worker by a quarter, because then
/// it determines the end of the run. Each slice is at most that ideal load, with at most one slice per worker.
/// `may_split` is called for these files only.
///
/// | duration                | `may_split` | slices                      |
/// |-------------------------|-------------|-----------------------------|
/// | unknown                 |             | 1                           |
/// | up to 2 s               |             | 1                           |
/// | up to 5/4 of the ideal  |             | 1                           |
/// | longer                  | no          | 1                           |
/// | longer                  | yes         | duration / ideal, rounded up |
pub fn split_plan(
    durations: &[Option<Duration>],
    may_split: &dyn Fn(usize) -> bool,
    workers: usize,
) -> Vec<u32> {
    let workers = u32::try_from(workers).unwrap_or(u32::MAX).max(1);
    let ideal = durations.iter().flatten().sum::<Duration>().as_nanos() / u128::from(workers);
    let slices = |(index, duration): (usize, &Option<Duration>)| {
        let Some(duration) = *duration else { return 1 };
        let nanoseconds = duration.as_nanos();
        let outlasts = duration > SHORTEST_TO_SPLIT && nanoseconds * 4 > ideal * 5;
        if workers == 1 || !outlasts || !may_split(index) {
            return 1;
        }
        u32::try_from(nanoseconds.div_ceil(ideal.max(1))).unwrap_or(workers).min(workers)
    };
    durations.iter().enumerate().map(slices).collect()
}

/// A running file, as far as idle workers are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningWork {
    /// The time before its first query, which each helper needs, too.
    pub set_up: Duration,
    /// The time that its workers have spent on its queries, in all.
    pub spent: Duration,
    /// The number of records that have an outcome since the first query.
    pub settled: u64,
    /// The number of records without an outcome.
    pub left: u64,
    /// The number of its workers.
    pub workers: u32,
}

/// A shorter time says too little about the rest of a file.
const SHORTEST_TO_JUDGE: Duration = Duration::from_secs(1);
/// The time from the decision to the first statement of a helper.
const START_OF_HELPER: Duration = Duration::from_millis(100);
/// A smaller share of the queries does not justify the set-up of another worker.
const SMALLEST_SHARE: Duration = Duration::from_millis(500);

/// Returns the running file that an idle worker should help with: of those with enough left for one more, the one that
/// would end last.
///
/// The rest of a file is estimated from its own pace, since a file that was never run has no other history. With R
/// seconds of queries left and n workers, it ends in R/n seconds. A helper that needs S seconds for its set-up makes that
/// (R + S)/(n + 1), and spends (R - nS)/(n + 1) of them on queries: its share.
///
/// | spent on queries | share of a helper             | helped |
/// |------------------|-------------------------------|--------|
/// | less than 1 s    |                               | no     |
/// | more             | less than 0.5 s               | no     |
/// | more             | less than S: it would mainly prepare | no |
/// | more             | more                          | yes    |
pub fn work_to_share(running: &[RunningWork]) -> Option<usize> {
    let is_worth_it = |work: &RunningWork| {
        let cost = work.set_up + START_OF_HELPER;
        let share = work.rest().saturating_sub(cost * work.workers) / (work.workers + 1);
        work.spent >= SHORTEST_TO_JUDGE && share >= SMALLEST_SHARE.max(cost)
    };
    let helped = running.iter().enumerate().filter(|(_, work)| is_worth_it(work));
    let last = helped.max_by_key(|(index, work)| (work.rest() / work.workers.max(1), Reverse(*index)));
    last.map(|(index, _)| index)
}

impl RunningWork {
    /// Returns the time that one worker would need for the rest.
    fn rest(&self) -> Duration {
        // The record in flight counts as settled, so the estimate is rather too small.
        let pace = self.spent.as_nanos() / u128::from(self.settled + 1);
        Duration::from_nanos(u64::try_from(pace * u128::from(self.left)).unwrap_or(u64::MAX))
    }
}

/// Assigns items to shards of similar load: the longest first, each to the shard with the least load.
///
/// Returns the shard of each item, counted from 0. The longest shard has at most 4/3 - 1/(3 m) of the optimum (Graham,
/// "Bounds on Multiprocessing Timing Anomalies", 1969). Machines with the same durations compute the same shards.
pub fn balance(durations: &[Duration], shards: u64) -> Vec<u64> {
    let mut indices: Vec<usize> = (0..durations.len()).collect();
    indices.sort_by_key(|&index| (Reverse(durations[index]), index));
    // With more shards than items, some shards stay empty.
    let used = shards.clamp(1, durations.len().max(1) as u64);
    let mut loads: Vec<(Duration, u64)> = (0..used).map(|shard| (Duration::ZERO, shard)).collect();
    let mut assigned = vec![0; durations.len()];
    for index in indices {
        if let Some((load, shard)) = loads.iter_mut().min() {
            *load += durations[index];
            assigned[index] = *shard;
        }
    }
    assigned
}

#[cfg(test)]
mod tests;
