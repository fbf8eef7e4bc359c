//! Executes a script in several processes that share its queries as they go.
//!
//! The owner starts to run the file alone. At any time another process can become its helper. It executes all
//! statements, and then both processes claim the remaining queries, unit by unit in the order of the file. So each
//! query is executed by one process, and the faster process executes more of them. Claims are made in one word of
//! shared memory; everything else follows from the text of the file.

use super::{QueryUnits, SetUp};
use crate::outcome::{Digest, FileReport};
use crate::parser::Script;

/// The state of the queries of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimState {
    /// The owner is alone, and has begun this many queries.
    Alone {
        /// The number of queries.
        begun: u64,
    },
    /// Units are claimed one by one.
    Shared {
        /// The first unclaimed unit.
        next: u64,
    },
    /// The owner has ended this file.
    Gone,
}

/// The word that the processes of a script have in common.
pub trait ClaimWord: Send + Sync {
    /// Returns the state.
    fn load(&self) -> ClaimState;

    /// Replaces the state, if it is still `old`. Returns whether it was.
    fn replace(&self, old: ClaimState, new: ClaimState) -> bool;
}

/// The role of a process in a shared script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareRole {
    /// It accounts for all records except the queries of helpers.
    Owner,
    /// It accounts for the queries that it claims.
    Helper,
}

/// The result of one process of a script that may be shared.
#[derive(Debug, Clone, PartialEq)]
pub struct ShareReport {
    /// The outcomes of the records that the process accounts for.
    pub report: FileReport,
    /// A digest of the text and of the statements' results; `None` if the owner was alone to the end.
    pub set_up: Option<Digest>,
}

/// What a process does of a script that others may execute, too.
#[derive(Default)]
pub(in crate::executor) struct ScriptPart<'w> {
    pub(in crate::executor) set_up: SetUp,
    /// Its share of the queries; `None` if they were selected in advance.
    pub(in crate::executor) queries: Option<QueryShare<'w>>,
}

impl ScriptPart<'_> {
    /// Returns the digest of the statements, unless one process has executed everything.
    pub(in crate::executor) fn digest(self, script: &Script<'_>) -> Option<Digest> {
        let is_alone = self.queries.as_ref().is_none_or(QueryShare::is_alone);
        (!is_alone).then(|| self.set_up.digest(script))
    }
}

/// The queries of a script as one process sees them, passed in the order of the file.
pub(in crate::executor) struct QueryShare<'w> {
    word: &'w dyn ClaimWord,
    role: ShareRole,
    /// The number of queries passed.
    passed: u64,
    /// The units, once more than one process executes the script.
    shared: Option<SharedUnits>,
}

struct SharedUnits {
    /// The unit of each query.
    of_query: Vec<usize>,
    /// Whether this process has the unit.
    own: Vec<bool>,
    /// The unit claimed last, until its first query.
    held: Option<usize>,
}

impl<'w> QueryShare<'w> {
    pub(in crate::executor) fn new(word: &'w dyn ClaimWord, role: ShareRole) -> Self {
        Self { word, role, passed: 0, shared: None }
    }

    fn is_alone(&self) -> bool {
        self.role == ShareRole::Owner && self.shared.is_none()
    }

    /// Returns whether the next query is one of this process.
    ///
    /// A helper whose file has `ended` claims nothing more: the owner accounts for the queries behind the end.
    pub(in crate::executor) fn takes(&mut self, script: &Script<'_>, labels: &[String], ended: bool) -> bool {
        let query = self.passed;
        self.passed += 1;
        let shared = match &mut self.shared {
            Some(shared) => shared,
            None => {
                let (old, new) = (ClaimState::Alone { begun: query }, ClaimState::Alone { begun: query + 1 });
                if self.role == ShareRole::Owner && self.word.replace(old, new) {
                    return true;
                }
                let mut units = SharedUnits::new(script, labels);
                match self.role {
                    // It had begun all queries so far when it was joined, and with them their units.
                    ShareRole::Owner => units.own_begun(query),
                    ShareRole::Helper if ended => return false,
                    ShareRole::Helper => units.join(self.word),
                }
                self.shared.insert(units)
            }
        };
        let may_claim = self.role == ShareRole::Owner || !ended;
        shared.takes(query as usize, self.word, may_claim)
    }
}

impl SharedUnits {
    fn new(script: &Script<'_>, labels: &[String]) -> Self {
        let units = QueryUnits::new(script, labels);
        let of_query: Vec<_> = units.of_record.into_iter().flatten().collect();
        Self { of_query, own: vec![false; units.weights.len()], held: None }
    }

    fn own_begun(&mut self, begun: u64) {
        let units = self.of_query.iter().take(begun as usize);
        units.for_each(|&unit| self.own[unit] = true);
    }

    /// Ends the owner's time alone, unless another helper has. Units are numbered in the order of their first queries, so
    /// those of the begun queries are the first ones.
    fn join(&self, word: &dyn ClaimWord) {
        while let state @ ClaimState::Alone { begun } = word.load() {
            let next = self.of_query.iter().take(begun as usize).max().map_or(0, |last| *last as u64 + 1);
            // With nothing left, the owner stays alone, and this process has claimed nothing.
            if next >= self.own.len() as u64 || word.replace(state, ClaimState::Shared { next }) {
                return;
            }
        }
    }

    /// Returns whether this process has the unit of a query, and claims the next one if it holds none.
    ///
    /// All units before the one held were claimed by somebody: when it was claimed, this process had passed the first
    /// queries of all before it.
    fn takes(&mut self, query: usize, word: &dyn ClaimWord, may_claim: bool) -> bool {
        let Some(&unit) = self.of_query.get(query) else { return false };
        if self.own[unit] {
            return true;
        }
        if self.held.is_none() && may_claim {
            self.held = Some(claim(word, self.own.len()).unwrap_or(usize::MAX));
        }
        let is_own = self.held == Some(unit);
        if is_own {
            self.own[unit] = true;
            self.held = None;
        }
        is_own
    }
}

/// Claims the next unit; `None` if all `units` are claimed, or the file is no longer shared.
fn claim(word: &dyn ClaimWord, units: usize) -> Option<usize> {
    while let state @ ClaimState::Shared { next } = word.load()
        && next < units as u64
    {
        if word.replace(state, ClaimState::Shared { next: next + 1 }) {
            return usize::try_from(next).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;
    use crate::location::Source;
    use crate::parser::{SQLITE, parse};

    struct TestWord(Mutex<ClaimState>);

    impl ClaimWord for TestWord {
        fn load(&self) -> ClaimState {
            *self.0.lock().unwrap()
        }

        fn replace(&self, old: ClaimState, new: ClaimState) -> bool {
            let mut state = self.0.lock().unwrap();
            let is_old = *state == old;
            if is_old {
                *state = new;
            }
            is_old
        }
    }

    /// A script whose queries have these labels; 0 stands for none.
    fn text(labels: &[u8]) -> String {
        let query = |label: &u8| match label {
            0 => "query I nosort\nSELECT 1\n----\n1\n\n".to_owned(),
            label => format!("query I nosort l{label}\nSELECT 1\n----\n1\n\n"),
        };
        labels.iter().map(query).collect()
    }

    proptest! {
        /// Whoever goes on when: every query is executed once, and those of a label by one process.
        #[test]
        fn every_query_has_one_process(
            labels in prop::collection::vec(0_u8..4, 1..40),
            turns in prop::collection::vec(0_usize..4, 0..200),
            helpers in 0_usize..4,
            ends in prop::collection::vec(0_usize..60, 3),
        ) {
            let source = Source::new("t.test", text(&labels));
            let script = parse(&source, &SQLITE);
            let word = TestWord(Mutex::new(ClaimState::Alone { begun: 0 }));
            let mut processes = vec![(QueryShare::new(&word, ShareRole::Owner), usize::MAX)];
            processes.extend((0..helpers).map(|helper| (QueryShare::new(&word, ShareRole::Helper), ends[helper])));
            let mut takers = vec![Vec::new(); labels.len()];
            let to_the_end = (0..=helpers).flat_map(|process| (0..labels.len()).map(move |_| process));
            for process in turns.into_iter().chain(to_the_end) {
                let Some((share, end)) = processes.get_mut(process) else { continue };
                let query = share.passed as usize;
                if query < labels.len() && share.takes(&script, &[], query >= *end) {
                    takers[query].push(process);
                }
            }
            // A helper that is not stopped in front of the owner's end takes what it has claimed.
            for (query, takers) in takers.iter().enumerate() {
                prop_assert_eq!(takers.len(), 1, "query {} of {:?}", query, labels);
            }
            for (first, label) in labels.iter().enumerate().filter(|(_, label)| **label > 0) {
                let same = (first..labels.len()).find(|&query| query > first && labels[query] == *label);
                prop_assert!(same.is_none_or(|same| takers[same] == takers[first]));
            }
        }
    }

    #[test]
    fn nobody_joins_an_owner_that_has_gone() {
        let source = Source::new("t.test", text(&[0; 9]));
        let script = parse(&source, &SQLITE);
        let word = TestWord(Mutex::new(ClaimState::Gone));
        let mut helper = QueryShare::new(&word, ShareRole::Helper);
        assert!((0..9).all(|_| !helper.takes(&script, &[], false)));
        assert_eq!(word.load(), ClaimState::Gone);
    }

    #[test]
    fn a_helper_claims_nothing_where_nothing_is_left() {
        let source = Source::new("t.test", text(&[1, 1, 0, 1]));
        let script = parse(&source, &SQLITE);
        let word = TestWord(Mutex::new(ClaimState::Alone { begun: 0 }));
        let mut owner = QueryShare::new(&word, ShareRole::Owner);
        assert!((0..3).all(|_| owner.takes(&script, &[], false)));
        let before = word.load();
        let mut helper = QueryShare::new(&word, ShareRole::Helper);
        assert!((0..4).all(|_| !helper.takes(&script, &[], false)));
        assert_eq!(word.load(), before, "the last query belongs to a unit that the owner has begun");
        assert!(owner.takes(&script, &[], false) && owner.is_alone());

        let shared = TestWord(Mutex::new(ClaimState::Shared { next: 2 }));
        let mut helper = QueryShare::new(&shared, ShareRole::Helper);
        assert!((0..4).all(|_| !helper.takes(&script, &[], false)));
        assert_eq!(shared.load(), ClaimState::Shared { next: 2 });
    }

    #[test]
    fn the_joined_owner_keeps_what_it_has_begun() {
        let source = Source::new("t.test", text(&[1, 2, 0, 1, 0, 2, 3]));
        let script = parse(&source, &SQLITE);
        let word = TestWord(Mutex::new(ClaimState::Alone { begun: 0 }));
        let mut owner = QueryShare::new(&word, ShareRole::Owner);
        let mut helper = QueryShare::new(&word, ShareRole::Helper);
        assert!(owner.takes(&script, &[], false) && owner.takes(&script, &[], false));
        let helped: Vec<_> = (0..7).map(|_| helper.takes(&script, &[], false)).collect();
        assert_eq!(helped, [false, false, true, false, true, false, true]);
        let owned: Vec<_> = (2..7).map(|_| owner.takes(&script, &[], false)).collect();
        assert_eq!(owned, [false, true, false, true, false]);
    }
}
