//! Decides which old runs to remove.

use std::collections::HashSet;
use std::time::Duration;

/// A run that may be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PruneCandidate {
    /// Its name.
    pub name: String,
    /// The time since its start.
    pub age: Duration,
    /// Its size on the disk, in bytes.
    pub size: u64,
    /// Whether it is in progress.
    pub going: bool,
    /// Whether every file has a good result.
    pub green: bool,
    /// Its Git branch.
    pub branch: Option<String>,
}

/// The runs to keep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetentionRules {
    /// The number of newest runs.
    pub runs: Option<usize>,
    /// The maximum age.
    pub younger_than: Option<Duration>,
    /// The maximum size of all runs together, in bytes.
    pub size: Option<u64>,
}

/// A reason to keep a run against the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpareReason {
    /// It is in progress.
    Going,
    /// It is the last good run of its branch.
    LastGreen,
}

/// The decision about a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PruneDecision {
    /// The rules keep it.
    Kept,
    /// It is kept for another reason.
    Spared(SpareReason),
    /// It is removed.
    Removed,
}

/// Decides about runs, given the oldest first; the decisions have the same order.
///
/// | the run | decision |
/// |---|---|
/// | is among the newest, young enough, and fits with all newer ones into the size | kept |
/// | otherwise, is running | spared |
/// | otherwise, is the last green one of its branch | spared |
/// | otherwise | removed |
pub fn decide(runs: &[PruneCandidate], leave: RetentionRules) -> Vec<PruneDecision> {
    let mut size = 0_u64;
    let mut green_branches = HashSet::new();
    let newest_first = runs.iter().rev().enumerate().map(|(newer, run)| {
        size = size.saturating_add(run.size);
        let last_green = run.green && green_branches.insert(run.branch.clone());
        let fits = leave.runs.is_none_or(|most| newer < most)
            && leave.younger_than.is_none_or(|age| run.age <= age)
            && leave.size.is_none_or(|most| size <= most);
        match () {
            () if fits => PruneDecision::Kept,
            () if run.going => PruneDecision::Spared(SpareReason::Going),
            () if last_green => PruneDecision::Spared(SpareReason::LastGreen),
            () => PruneDecision::Removed,
        }
    });
    let mut fates: Vec<_> = newest_first.collect();
    fates.reverse();
    fates
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(days: u64, size: u64, branch: &str, green: bool) -> PruneCandidate {
        let age = Duration::from_secs(days * 86_400);
        PruneCandidate {
            name: days.to_string(),
            age,
            size,
            going: false,
            green,
            branch: Some(branch.to_owned()),
        }
    }

    #[test]
    fn the_last_green_run_of_a_branch_stays() {
        let runs = [
            run(9, 10, "main", true),
            run(8, 10, "main", true),
            run(7, 10, "topic", true),
            PruneCandidate { going: true, ..run(6, 10, "main", false) },
            run(5, 10, "main", false),
            run(1, 10, "main", false),
        ];
        let spared = PruneDecision::Spared(SpareReason::LastGreen);
        let going = PruneDecision::Spared(SpareReason::Going);
        let by_number = decide(&runs, RetentionRules { runs: Some(1), ..RetentionRules::default() });
        assert_eq!(
            by_number,
            [PruneDecision::Removed, spared, spared, going, PruneDecision::Removed, PruneDecision::Kept]
        );
        let by_age = decide(
            &runs,
            RetentionRules {
                younger_than: Some(Duration::from_secs(6 * 86_400)),
                ..RetentionRules::default()
            },
        );
        assert_eq!(
            by_age,
            [
                PruneDecision::Removed,
                spared,
                spared,
                PruneDecision::Kept,
                PruneDecision::Kept,
                PruneDecision::Kept
            ]
        );
        let by_size = decide(&runs, RetentionRules { size: Some(25), ..RetentionRules::default() });
        assert_eq!(
            by_size,
            [PruneDecision::Removed, spared, spared, going, PruneDecision::Kept, PruneDecision::Kept]
        );
        assert!(decide(&runs, RetentionRules::default()).iter().all(|fate| *fate == PruneDecision::Kept));
    }

    proptest! {
        #[test]
        fn a_green_branch_stays_green(
            runs in prop::collection::vec((0_u64..9, 0_u64..50, 0_usize..3, any::<bool>()), 0..12),
            most in 0_usize..5,
        ) {
            let branch = |index: usize| ["a", "b", "c"][index];
            let runs: Vec<_> = runs.iter().map(|&(days, size, index, green)| run(days, size, branch(index), green)).collect();
            let fates = decide(&runs, RetentionRules { runs: Some(most), ..RetentionRules::default() });
            prop_assert_eq!(fates.len(), runs.len());
            for name in ["a", "b", "c"] {
                let of_branch = |run: &PruneCandidate| run.green && run.branch.as_deref() == Some(name);
                let left = runs.iter().zip(&fates).filter(|(_, fate)| **fate != PruneDecision::Removed);
                let last = runs.iter().rposition(&of_branch);
                prop_assert_eq!(last.is_some(), left.into_iter().any(|(run, _)| of_branch(run)));
            }
        }
    }
}
