use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;

use super::{
    FileOrder, LastResult, RunningWork, ScheduledFile, SplitMix64, balance, order, split_plan, work_to_share,
};

const SECOND: Duration = Duration::from_secs(1);

fn known(last: LastResult, seconds: Option<u64>, bytes: u64) -> ScheduledFile {
    ScheduledFile { last, duration: seconds.map(Duration::from_secs), bytes }
}

fn seconds(list: &[u64]) -> Vec<Duration> {
    list.iter().map(|&seconds| Duration::from_secs(seconds)).collect()
}

fn plan(list: &[u64], workers: usize) -> Vec<u32> {
    let durations: Vec<_> = seconds(list).into_iter().map(Some).collect();
    split_plan(&durations, &|_| true, workers)
}

#[test]
fn failed_before_untested_before_passed_and_the_longest_first() {
    use LastResult::{Failed, Passed, Untested};
    let files = [
        known(Passed, Some(90), 1),
        known(Passed, Some(100), 1),
        known(Untested, None, 10),
        known(Untested, None, 30),
        known(Failed, Some(1), 1),
        known(Failed, Some(2), 1),
        known(Failed, Some(2), 1),
    ];
    assert_eq!(order(&files, FileOrder::History), [5, 6, 4, 3, 2, 1, 0]);
    assert_eq!(order(&files, FileOrder::Path), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(order(&[], FileOrder::History), [0; 0]);
}

#[test]
fn an_unknown_duration_is_estimated_by_the_median() {
    use LastResult::{Failed, Passed};
    // One second, two and a hundred for a byte: the median is two, so 10 bytes are between 19 and 21 seconds. A file
    // without text says nothing.
    let files = [
        known(Failed, Some(19), 19),
        known(Failed, None, 10),
        known(Failed, Some(21), 21 / 2 + 1),
        known(Passed, Some(100), 1),
        known(Passed, Some(4), 2),
        known(Passed, Some(3), 0),
    ];
    assert_eq!(order(&files, FileOrder::History), [2, 1, 0, 3, 4, 5]);
    let nothing_known = [known(Failed, None, 3), known(Failed, None, 5), known(Failed, None, 3)];
    assert_eq!(order(&nothing_known, FileOrder::History), [1, 0, 2]);
}

#[test]
fn a_seed_means_the_same_order_everywhere() {
    // The first numbers of the published generator for this seed.
    let mut random = SplitMix64 { state: 1_234_567 };
    let first: Vec<u64> = (0..3).map(|_| random.next()).collect();
    assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    let files = vec![known(LastResult::Untested, None, 1); 10];
    let shuffled = |seed| order(&files, FileOrder::Random(seed));
    assert_eq!(shuffled(1), [9, 0, 1, 4, 8, 2, 3, 7, 6, 5]);
    assert_ne!(shuffled(1), shuffled(2));
}

#[test]
fn what_outlasts_the_rest_is_split_and_nothing_else() {
    // Sum 200: the ideal of 4 workers is 50.
    assert_eq!(plan(&[120, 40, 40], 4), [3, 1, 1]);
    assert_eq!(plan(&[62, 69, 69], 4), [1, 2, 2], "62 is within a quarter of 50");
    assert_eq!(plan(&[120, 40, 40], 1), [1, 1, 1]);
    assert_eq!(plan(&[120, 40, 40], 0), [1, 1, 1]);
    assert_eq!(plan(&[200], 4), [4], "never more slices than workers");
    assert_eq!(plan(&[2], 4), [1], "not worth it");
    assert_eq!(plan(&[0, 0], 4), [1, 1]);
    let durations = [Some(120 * SECOND), None, Some(80 * SECOND)];
    assert_eq!(split_plan(&durations, &|index| index != 0, 4), [1, 1, 2]);
}

#[test]
fn shards_get_about_as_much_to_do() {
    assert_eq!(balance(&seconds(&[3, 3, 2, 2, 2]), 2), [0, 1, 0, 1, 0]);
    assert_eq!(balance(&seconds(&[1, 5, 1, 1, 1, 1]), 2), [1, 0, 1, 1, 1, 1]);
    assert_eq!(balance(&seconds(&[4, 4]), u64::MAX), [0, 1]);
    assert_eq!(balance(&seconds(&[4, 4]), 0), [0, 0]);
    assert_eq!(balance(&[], 3), [0; 0]);
}

/// Returns the shortest possible time of the longest shard, by trying every way to deal.
fn optimum(durations: &[u64], loads: &mut [u64]) -> u64 {
    let Some((first, rest)) = durations.split_first() else {
        return loads.iter().copied().max().unwrap_or(0);
    };
    let tries = (0..loads.len()).map(|shard| {
        loads[shard] += first;
        let found = optimum(rest, loads);
        loads[shard] -= first;
        found
    });
    tries.min().unwrap_or(0)
}

fn longest_shard(durations: &[u64], shards: u64) -> u64 {
    let assigned = balance(&seconds(durations), shards);
    assert!(assigned.iter().all(|shard| *shard < shards));
    assert_eq!(assigned.len(), durations.len());
    let load = |shard| {
        let own = assigned.iter().zip(durations).filter(|(of, _)| **of == shard);
        own.map(|(_, duration)| *duration).sum::<u64>()
    };
    (0..shards).map(load).max().unwrap_or(0)
}

fn any_known() -> impl Strategy<Value = ScheduledFile> {
    let last = prop::sample::select(vec![LastResult::Failed, LastResult::Untested, LastResult::Passed]);
    (last, prop::option::of(0..50_u64), 0..50_u64)
        .prop_map(|(last, duration, bytes)| known(last, duration, bytes))
}

#[test]
fn a_helper_is_not_started_for_a_rest_that_it_would_only_prepare() {
    let work = |set_up: u32, settled, left| RunningWork {
        set_up: SECOND * set_up / 10,
        spent: 10 * SECOND,
        settled,
        left,
        workers: 1,
    };
    // 10 s of work are left.
    assert_eq!(work_to_share(&[work(0, 99, 100)]), Some(0));
    assert_eq!(work_to_share(&[work(32, 99, 100)]), Some(0));
    assert_eq!(work_to_share(&[work(33, 99, 100)]), None);
    assert_eq!(work_to_share(&[work(0, 99, 10)]), None);
    assert_eq!(
        work_to_share(&[work(0, 99, 50), work(0, 99, 100), work(32, 99, 200), work(0, 99, 100)]),
        Some(2)
    );
    assert_eq!(work_to_share(&[]), None);
}

proptest! {
    #[test]
    fn every_order_has_every_file_once(files in prop::collection::vec(any_known(), 0..30), seed: u64) {
        for how in [FileOrder::History, FileOrder::Path, FileOrder::Random(seed)] {
            let found = order(&files, how);
            prop_assert_eq!(found.len(), files.len());
            prop_assert_eq!(found.iter().collect::<HashSet<_>>().len(), files.len());
            prop_assert_eq!(&found, &order(&files, how));
        }
        let found = order(&files, FileOrder::History);
        for pair in found.windows(2) {
            let (first, second) = (files[pair[0]], files[pair[1]]);
            prop_assert!(first.last <= second.last);
            if let (true, Some(a), Some(b)) = (first.last == second.last, first.duration, second.duration) {
                prop_assert!(a >= b);
            }
        }
    }

    #[test]
    fn balanced_shards_are_within_graham_s_bound(
        durations in prop::collection::vec(0..100_u64, 0..8), shards in 1..4_u64,
    ) {
        let best = optimum(&durations, &mut vec![0; shards as usize]);
        let found = longest_shard(&durations, shards);
        // 4/3 - 1/(3 m), without fractions.
        prop_assert!(found * 3 * shards <= best * (4 * shards - 1), "{} instead of {}", found, best);
    }

    #[test]
    fn balanced_shards_of_many_items_are_within_the_bound_of_any_list(
        durations in prop::collection::vec(0..1000_u64, 0..200), shards in 1..40_u64,
    ) {
        let total: u64 = durations.iter().sum();
        let longest = durations.iter().copied().max().unwrap_or(0);
        // Before its last item, a shard had at most the average load of all shards.
        prop_assert!(longest_shard(&durations, shards) * shards <= total + longest * (shards - 1));
    }

    #[test]
    fn a_helper_saves_time_and_goes_where_most_is_left(
        running in prop::collection::vec((0..20_u64, 0..60_u64, 0..99_u64, 0..99_u64, 1..9_u32), 0..6),
    ) {
        let running: Vec<_> = running.into_iter().map(|(set_up, spent, settled, left, workers)| RunningWork {
            set_up: Duration::from_secs(set_up), spent: Duration::from_secs(spent), settled, left, workers,
        }).collect();
        let rest = |work: &RunningWork| work.spent.as_secs_f64() * work.left as f64 / (work.settled + 1) as f64;
        let cost = |work: &RunningWork| work.set_up.as_secs_f64() + 0.1;
        let end = |work: &RunningWork| rest(work) / f64::from(work.workers);
        let helped_end = |work: &RunningWork| (rest(work) + cost(work)) / f64::from(work.workers + 1);
        // What is left of its time after the set-up, in seconds more than needed.
        let spare = |work: &RunningWork| helped_end(work) - cost(work) - cost(work).max(0.5);
        let chosen = work_to_share(&running);
        for (index, work) in running.iter().enumerate().filter(|(_, work)| work.spent >= SECOND) {
            if chosen == Some(index) {
                prop_assert!(spare(work) >= -1e-6 && helped_end(work) < end(work));
            } else if spare(work) >= 1e-6 {
                prop_assert!(chosen.is_some_and(|chosen| end(&running[chosen]) >= end(work) - 1e-6), "{:?}", chosen);
            }
        }
        prop_assert!(chosen.is_none_or(|chosen| running[chosen].spent >= SECOND));
    }

    #[test]
    fn a_plan_splits_only_what_may_be_and_makes_no_slice_too_long(
        list in prop::collection::vec(prop::option::of(0..1000_u64), 0..30), workers in 1..70_usize,
    ) {
        let durations: Vec<_> = list.iter().map(|seconds| seconds.map(Duration::from_secs)).collect();
        let slices = split_plan(&durations, &|index| index % 2 == 0, workers);
        let ideal = durations.iter().flatten().sum::<Duration>() / workers as u32;
        for (index, (&slices, duration)) in slices.iter().zip(&durations).enumerate() {
            prop_assert!((1..=workers as u32).contains(&slices));
            let Some(duration) = *duration else {
                prop_assert_eq!(slices, 1);
                continue;
            };
            if slices > 1 {
                prop_assert!(index % 2 == 0 && duration > 2 * SECOND && duration * 4 > ideal * 5);
                // The division of the ideal has cut off less than a nanosecond.
                prop_assert!(duration / slices <= ideal + Duration::from_nanos(1));
            }
        }
    }
}
