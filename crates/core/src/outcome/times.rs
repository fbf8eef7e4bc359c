//! The times of records by kind of statement, as histograms.
//!
//! A histogram has the same buckets in every process, so adding the counts of two gives exactly the histogram of all
//! their times.

use std::time::Duration;

use super::statement_kind::StatementKind;

/// The buckets of each power of two, as a power of two. A bucket is at most 1/16 of its times wide.
const SUB_BITS: u32 = 4;
const SUBS: u64 = 1 << SUB_BITS;

/// The number of durations in ranges of nanoseconds.
///
/// Ranges grow with the durations, so a percentile is at most 1/32 (3.2 %) from the exact one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TimeHistogram {
    /// The first bucket that is not empty. Files with few records would need much memory for the buckets before it.
    first: usize,
    /// The number of durations of each bucket from there, without empty ones at the end.
    counts: Vec<u64>,
    total: Duration,
}

impl TimeHistogram {
    /// The number of different buckets.
    pub const BUCKETS: usize = ((64 - SUB_BITS as usize) << SUB_BITS) + SUBS as usize;

    /// Adds a duration.
    pub fn add(&mut self, time: Duration) {
        self.add_to(bucket_of(nanoseconds(time)), 1);
        self.total += time;
    }

    /// Adds all durations of another histogram.
    pub fn merge(&mut self, other: &Self) {
        other.buckets().for_each(|(bucket, count)| self.add_to(bucket, count));
        self.total += other.total;
    }

    /// Replaces a duration that was added with a shorter one; nothing happens if none in its range was added.
    pub fn shorten(&mut self, from: Duration, to: Duration) {
        let place = bucket_of(nanoseconds(from)).checked_sub(self.first);
        let Some(count) = place.and_then(|place| self.counts.get_mut(place)).filter(|count| **count > 0)
        else {
            return;
        };
        *count -= 1;
        self.add_to(bucket_of(nanoseconds(to)), 1);
        while self.counts.last() == Some(&0) {
            self.counts.pop();
        }
        let empty = self.counts.iter().take_while(|count| **count == 0).count();
        self.counts.drain(..empty);
        self.first += empty;
        self.total = (self.total + to).saturating_sub(from);
    }

    /// Returns the histogram with these counts by bucket; `None` if a bucket does not exist.
    pub fn from_buckets(counts: impl IntoIterator<Item = (usize, u64)>, total: Duration) -> Option<Self> {
        let mut histogram = Self { total, ..Self::default() };
        for (bucket, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            (bucket < Self::BUCKETS).then(|| histogram.add_to(bucket, count))?;
        }
        Some(histogram)
    }

    /// Returns the buckets that are not empty, with their counts.
    pub fn buckets(&self) -> impl Iterator<Item = (usize, u64)> {
        (self.first..).zip(self.counts.iter().copied()).filter(|(_, count)| *count > 0)
    }

    /// Returns the number of durations.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the exact sum of all durations.
    pub fn total(&self) -> Duration {
        self.total
    }

    /// Returns the duration that `percent` of all durations do not exceed (nearest rank); `None` without durations.
    pub fn percentile(&self, percent: f64) -> Option<Duration> {
        let rank = ((self.count() as f64 * percent / 100.0).ceil() as u64).max(1);
        let mut seen = 0;
        let mut buckets = self.buckets();
        let found = buckets.find(|(_, count)| {
            seen += count;
            seen >= rank
        });
        found.map(|(bucket, _)| Duration::from_nanos(middle_of(bucket)))
    }

    fn add_to(&mut self, bucket: usize, count: u64) {
        if self.counts.is_empty() {
            self.first = bucket;
        }
        if bucket < self.first {
            self.counts.splice(0..0, std::iter::repeat_n(0, self.first - bucket));
            self.first = bucket;
        }
        let place = bucket - self.first;
        if self.counts.len() <= place {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] += count;
    }
}

fn nanoseconds(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(time.subsec_nanos()))
}

/// Returns the bucket of a number: the number itself up to 16; then the power of two and the next four bits.
fn bucket_of(number: u64) -> usize {
    if number < SUBS {
        return number as usize;
    }
    let shift = number.ilog2() - SUB_BITS;
    (((u64::from(shift) + 1) << SUB_BITS) + ((number >> shift) & (SUBS - 1))) as usize
}

/// Returns the number in the middle of a bucket.
fn middle_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < SUBS {
        return bucket;
    }
    let shift = (bucket >> SUB_BITS) - 1;
    let first = (SUBS + (bucket & (SUBS - 1))) << shift;
    first + (((1 << shift) - 1) >> 1)
}

/// The times of executed records, by kind of statement.
///
/// A file has records of few kinds, so they are found by looking at each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatementTimes(Vec<(StatementKind, TimeHistogram)>);

impl StatementTimes {
    /// Adds the time of a record.
    pub fn add(&mut self, kind: StatementKind, time: Duration) {
        self.of_kind(kind).add(time);
    }

    /// Adds all times of other records.
    pub fn merge(&mut self, other: &Self) {
        other.iter().for_each(|(kind, times)| self.merge_kind(kind, times));
    }

    /// Adds times of one kind.
    pub fn merge_kind(&mut self, kind: StatementKind, times: &TimeHistogram) {
        if times.buckets().next().is_some() {
            self.of_kind(kind).merge(times);
        }
    }

    /// Replaces a time that was added with a shorter one.
    pub fn shorten(&mut self, kind: StatementKind, from: Duration, to: Duration) {
        if let Some((_, times)) = self.0.iter_mut().find(|(known, _)| *known == kind) {
            times.shorten(from, to);
        }
    }

    /// Returns whether no time is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the times of each kind that occurs, in the order of the kinds.
    pub fn iter(&self) -> impl Iterator<Item = (StatementKind, &TimeHistogram)> {
        self.0.iter().map(|(kind, times)| (*kind, times))
    }

    fn of_kind(&mut self, kind: StatementKind) -> &mut TimeHistogram {
        let place = match self.0.iter().position(|(known, _)| *known >= kind) {
            Some(place) if self.0[place].0 == kind => place,
            place => {
                let place = place.unwrap_or(self.0.len());
                self.0.reserve_exact(1);
                self.0.insert(place, (kind, TimeHistogram::default()));
                place
            }
        };
        &mut self.0[place].1
    }

    /// Returns the times of each kind that occurs, the kind with the longest total first.
    pub fn by_total(&self) -> Vec<(StatementKind, &TimeHistogram)> {
        let mut kinds: Vec<_> = self.iter().collect();
        kinds.sort_by_key(|(kind, times)| (std::cmp::Reverse(times.total()), *kind));
        kinds
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn histogram(times: &[u64]) -> TimeHistogram {
        let mut histogram = TimeHistogram::default();
        times.iter().for_each(|&time| histogram.add(Duration::from_nanos(time)));
        histogram
    }

    /// Numbers of all magnitudes, below 2^60 so that sums of them fit.
    fn times() -> impl Strategy<Value = Vec<u64>> {
        vec((0_u32..60, any::<u64>()).prop_map(|(bits, number)| number & ((1 << bits) - 1)), 1..200)
    }

    #[test]
    fn buckets_follow_each_other_without_gaps() {
        for number in (0..100_000).chain([u64::MAX / 3, u64::MAX - 1]) {
            let step = bucket_of(number + 1) - bucket_of(number);
            assert!(step <= 1, "{number}");
        }
        assert_eq!(bucket_of(u64::MAX) + 1, TimeHistogram::BUCKETS);
        for bucket in 0..TimeHistogram::BUCKETS {
            assert_eq!(bucket_of(middle_of(bucket)), bucket);
        }
        assert_eq!(TimeHistogram::default().percentile(50.0), None);
        assert_eq!(TimeHistogram::from_buckets([(TimeHistogram::BUCKETS, 1)], Duration::ZERO), None);
    }

    proptest! {
        #[test]
        fn merging_gives_the_histogram_of_the_union(one in times(), other in times()) {
            let mut merged = histogram(&one);
            merged.merge(&histogram(&other));
            prop_assert_eq!(&merged, &histogram(&[one, other].concat()));
            let read = TimeHistogram::from_buckets(merged.buckets(), merged.total());
            prop_assert_eq!(read, Some(merged));
        }

        #[test]
        fn a_percentile_is_within_the_error_of_a_bucket(mut times in times(), percent in 0.0..=100.0) {
            let found = histogram(&times).percentile(percent).unwrap().as_nanos() as f64;
            times.sort_unstable();
            let rank = ((times.len() as f64 * percent / 100.0).ceil() as usize).max(1);
            let exact = times[rank - 1] as f64;
            prop_assert!((found - exact).abs() <= exact / 32.0, "{} for {}", found, exact);
        }

        #[test]
        fn a_shortened_time_is_the_time_that_was_added(mut times in times(), to in 0_u64..1000) {
            let mut shortened = histogram(&times);
            let from = times[0].max(to);
            times[0] = from;
            let mut long = histogram(&times);
            long.shorten(Duration::from_nanos(from), Duration::from_nanos(to));
            times[0] = to;
            prop_assert_eq!(&long, &histogram(&times));
            // An unknown time changes nothing.
            let before = shortened.clone();
            shortened.shorten(Duration::MAX, Duration::ZERO);
            prop_assert_eq!(shortened, before);
        }
    }
}
