//! In which order files are run, which of them are split, and how files are dealt out to shards: arithmetic on what is
//! known of earlier runs.
//!
//! A run is over when its last worker is. So what takes long begins early, and a file that would outlast all the others is
//! split. Everything here is a pure function, and gives the same on every machine.

use std::cmp::Reverse;
use std::time::Duration;

/// What earlier runs say about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// What became of it.
    pub last: LastResult,
    /// How long it took.
    pub duration: Option<Duration>,
    /// How long its text is.
    pub bytes: u64,
}

/// What became of a file in the last run that it was part of, in the order in which files are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LastResult {
    /// It did not pass.
    Failed,
    /// No run knows it.
    Untested,
    /// It passed.
    Passed,
}

/// The order of the files of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Failed files, then untested ones, then those that passed; of each, the longest first.
    History,
    /// As they were given: in the order of their paths.
    Path,
    /// In an order that depends on the seed alone.
    Random(u64),
}

/// Returns the files, by their index, in the order in which they are to be run. Each is in it once.
///
/// A file of unknown duration is taken to need as long for a byte as the files that are known, by their median; where no
/// duration is known, the longer text takes longer. Files that are alike stay in the order of their indices.
pub fn order(known: &[Known], order: Order) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..known.len()).collect();
    match order {
        Order::Path => {}
        Order::Random(seed) => shuffle(&mut indices, seed),
        Order::History => {
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

/// How long each file takes, or may take: what is not known is estimated as for [`order`].
pub fn estimate(known: &[Known]) -> Vec<Duration> {
    let per_byte = nanoseconds_per_byte(known).unwrap_or(1.0);
    known.iter().map(|known| Duration::from_nanos(cost(*known, per_byte) as u64)).collect()
}

fn cost(known: Known, per_byte: f64) -> f64 {
    known.duration.map_or(known.bytes as f64 * per_byte, |duration| duration.as_nanos() as f64)
}

/// The median over the files whose duration is known, the upper one of two.
fn nanoseconds_per_byte(known: &[Known]) -> Option<f64> {
    let known = known.iter().filter(|known| known.bytes > 0);
    let mut ratios: Vec<f64> =
        known.filter_map(|known| Some(known.duration?.as_nanos() as f64 / known.bytes as f64)).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied()
}

/// Fisher and Yates's shuffle, in Durstenfeld's form.
fn shuffle(indices: &mut [usize], seed: u64) {
    let mut random = SplitMix64 { state: seed };
    for last in (1..indices.len()).rev() {
        indices.swap(last, random.below(last as u64 + 1) as usize);
    }
}

/// The generator of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (OOPSLA 2014), with the
/// constants of Vigna's `splitmix64.c` in the public domain. A seed means the same order on every machine and in every
/// version, which no crate for random numbers promises of its default generator.
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

    /// A number below `end`. The upper half of the product favours no number by more than `end` parts in 2^64.
    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }
}

/// A file that takes less is not worth the set-up of a second worker.
const SHORTEST_TO_SPLIT: Duration = Duration::from_secs(2);

/// Returns into how many slices each file is to be split; 1 is a file that is run whole.
///
/// Only a file of known duration is split, and only if it takes longer, by a quarter, than a worker has to do if all have
/// alike: then it decides when the run ends. It gets as many slices as make each no longer than that, but not more than
/// there are workers. `may_split` is asked about these files only.
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

/// A file of a simulated run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// How long all of it takes.
    pub duration: Duration,
    /// How much of that every slice has to do again.
    pub set_up: Duration,
    /// How many slices it is split into; 0 is as good as 1.
    pub slices: u32,
}

impl Job {
    /// How long one of its slices takes, if they are alike.
    fn slice(&self) -> Duration {
        let set_up = self.set_up.min(self.duration);
        set_up + (self.duration - set_up) / self.slices.max(1)
    }
}

/// Returns how long a run takes if each slice of each file, in this order, goes to the worker that is free first.
pub fn simulate(jobs: &[Job], workers: usize) -> Duration {
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

/// Deals items out to shards, so that each has about as much to do: the longest first, each to the shard that has the
/// least so far. Returns the shard of each item, counted from 0.
///
/// The longest shard has at most 4/3 - 1/(3 m) of what it would have in the best of all ways to deal (Graham, "Bounds on
/// Multiprocessing Timing Anomalies", 1969). Every machine that knows the same durations finds the same shards.
pub fn balance(durations: &[Duration], shards: u64) -> Vec<u64> {
    let mut indices: Vec<usize> = (0..durations.len()).collect();
    indices.sort_by_key(|&index| (Reverse(durations[index]), index));
    // More shards than items stay empty.
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
