//! The form of times by kind of statement.
//!
//! A histogram is a list of numbers: the count of each bucket from the first one, and in place of empty buckets their
//! number, negated. Counts of neighbours are usually known, so most buckets take two to four bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use slt_core::outcome::{FileTimes, StatementKind, StatementTimes, TimeHistogram};

/// The times of each kind, by its name.
pub(crate) struct StatementTimesForm;

/// The parts of the time of a file, in nanoseconds, in their order.
pub(crate) struct FileTimesForm;

impl FileTimesForm {
    pub(crate) fn serialize<S: Serializer>(times: &FileTimes, serializer: S) -> Result<S::Ok, S::Error> {
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        serializer.collect_seq(times.iter().map(|(_, time)| nanoseconds(time)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FileTimes, D::Error> {
        let parts = Vec::<u64>::deserialize(deserializer)?;
        Ok(FileTimes::from_parts(parts.into_iter().map(Duration::from_nanos)))
    }
}

#[derive(Serialize, Deserialize)]
struct HistogramForm {
    total: Duration,
    counts: Vec<i64>,
}

impl StatementTimesForm {
    pub(crate) fn serialize<S: Serializer>(times: &StatementTimes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(times.iter().map(|(kind, times)| {
            (kind.as_str(), HistogramForm { total: times.total(), counts: packed(times) })
        }))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<StatementTimes, D::Error> {
        let forms = BTreeMap::<String, HistogramForm>::deserialize(deserializer)?;
        let mut times = StatementTimes::default();
        for (kind, form) in forms {
            let histogram = TimeHistogram::from_buckets(unpacked(&form.counts), form.total);
            let histogram =
                histogram.ok_or_else(|| D::Error::custom("expected a time, found a longer one"))?;
            times.merge_kind(StatementKind::from_text(&kind), &histogram);
        }
        Ok(times)
    }
}

fn packed(times: &TimeHistogram) -> Vec<i64> {
    let (mut numbers, mut next) = (Vec::new(), 0);
    for (bucket, count) in times.buckets() {
        if bucket > next {
            numbers.push(-((bucket - next) as i64));
        }
        numbers.push(i64::try_from(count).unwrap_or(i64::MAX));
        next = bucket + 1;
    }
    numbers
}

fn unpacked(numbers: &[i64]) -> impl Iterator<Item = (usize, u64)> {
    let mut next = 0_usize;
    numbers.iter().filter_map(move |&number| {
        let bucket = next;
        let size = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
        next = next.saturating_add(if number < 0 { size } else { 1 });
        u64::try_from(number).ok().map(|count| (bucket, count))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_buckets_are_counted() {
        let counts = [(3, 7), (4, 1), (900, 2)];
        let times = TimeHistogram::from_buckets(counts, Duration::from_secs(1)).unwrap();
        let numbers = packed(&times);
        assert_eq!(numbers, [-3, 7, 1, -895, 2]);
        assert_eq!(unpacked(&numbers).collect::<Vec<_>>(), counts);
        assert_eq!(TimeHistogram::from_buckets(unpacked(&[i64::MIN, 1]), Duration::ZERO), None);
    }
}
