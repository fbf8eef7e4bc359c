//! Which old runs are removed: decided here, from what is known of all runs.

use std::collections::HashSet;
use std::time::Duration;

/// A run that may be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// How long ago it began.
    pub age: Duration,
    /// How much it takes on the disk, in bytes.
    pub size: u64,
    /// Whether it goes on.
    pub going: bool,
    /// Whether every file has its result, and all ended well.
    pub green: bool,
    /// The branch of Git that it was made on.
    pub branch: Option<String>,
}

/// What is to be left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Leave {
    /// So many runs, the newest.
    pub runs: Option<usize>,
    /// Runs that are not older.
    pub younger_than: Option<Duration>,
    /// As many of the newest runs as do not take more together, in bytes.
    pub size: Option<u64>,
}

/// Why a run stays though the rules do not keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spared {
    /// It goes on.
    Going,
    /// It is the last run of its branch in which all went well.
    LastGreen,
}

/// What is done about a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The rules keep it.
    Kept,
    /// It stays for another reason.
    Spared(Spared),
    /// It goes.
    Removed,
}

/// Decides about runs, which come the oldest first; the fates are in the same order.
///
/// | the run | fate |
/// |---|---|
/// | is among the newest, young enough, and fits with all newer ones into the size | kept |
/// | else, goes on | spared |
/// | else, is the last green one of its branch | spared |
/// | else | removed |
pub fn decide(runs: &[Candidate], leave: Leave) -> Vec<Fate> {
    let mut size = 0_u64;
    let mut green_branches = HashSet::new();
    let newest_first = runs.iter().rev().enumerate().map(|(newer, run)| {
        size = size.saturating_add(run.size);
        let last_green = run.green && green_branches.insert(run.branch.clone());
        let fits = leave.runs.is_none_or(|most| newer < most)
            && leave.younger_than.is_none_or(|age| run.age <= age)
            && leave.size.is_none_or(|most| size <= most);
        match () {
            () if fits => Fate::Kept,
            () if run.going => Fate::Spared(Spared::Going),
            () if last_green => Fate::Spared(Spared::LastGreen),
            () => Fate::Removed,
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

    fn run(days: u64, size: u64, branch: &str, green: bool) -> Candidate {
        let age = Duration::from_secs(days * 86_400);
        Candidate { name: days.to_string(), age, size, going: false, green, branch: Some(branch.to_owned()) }
    }

    #[test]
    fn the_last_green_run_of_a_branch_stays() {
        let runs = [
            run(9, 10, "main", true),
            run(8, 10, "main", true),
            run(7, 10, "topic", true),
            Candidate { going: true, ..run(6, 10, "main", false) },
            run(5, 10, "main", false),
            run(1, 10, "main", false),
        ];
        let spared = Fate::Spared(Spared::LastGreen);
        let going = Fate::Spared(Spared::Going);
        let by_number = decide(&runs, Leave { runs: Some(1), ..Leave::default() });
        assert_eq!(by_number, [Fate::Removed, spared, spared, going, Fate::Removed, Fate::Kept]);
        let by_age =
            decide(&runs, Leave { younger_than: Some(Duration::from_secs(6 * 86_400)), ..Leave::default() });
        assert_eq!(by_age, [Fate::Removed, spared, spared, Fate::Kept, Fate::Kept, Fate::Kept]);
        let by_size = decide(&runs, Leave { size: Some(25), ..Leave::default() });
        assert_eq!(by_size, [Fate::Removed, spared, spared, going, Fate::Kept, Fate::Kept]);
        assert!(decide(&runs, Leave::default()).iter().all(|fate| *fate == Fate::Kept));
    }

    proptest! {
        #[test]
        fn a_green_branch_stays_green(
            runs in prop::collection::vec((0_u64..9, 0_u64..50, 0_usize..3, any::<bool>()), 0..12),
            most in 0_usize..5,
        ) {
            let branch = |index: usize| ["a", "b", "c"][index];
            let runs: Vec<_> = runs.iter().map(|&(days, size, index, green)| run(days, size, branch(index), green)).collect();
            let fates = decide(&runs, Leave { runs: Some(most), ..Leave::default() });
            prop_assert_eq!(fates.len(), runs.len());
            for name in ["a", "b", "c"] {
                let of_branch = |run: &Candidate| run.green && run.branch.as_deref() == Some(name);
                let left = runs.iter().zip(&fates).filter(|(_, fate)| **fate != Fate::Removed);
                let last = runs.iter().rposition(&of_branch);
                prop_assert_eq!(last.is_some(), left.into_iter().any(|(run, _)| of_branch(run)));
            }
        }
    }
}
