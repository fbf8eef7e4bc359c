//! What the processes that share a file tell each other through their slots.
//!
//! The claims of a file are one word in the slot of its owner. It contains the number of the file among those that the
//! owner has claimed, so a late helper cannot claim anything of the owner's next file.

use std::sync::atomic::Ordering;
use std::time::Duration;

use slt_core::executor::slice::{ClaimState, ClaimWord, ShareRole};

use super::{SHARING, Slot, nanoseconds};
use crate::clock;

/// The use of the worker, the task that it helps with and its claim, the claims of the running file, the start of its first
/// query, the outcomes before it, and whether the worker has claimed anything of a shared file.
pub(super) const WORDS: usize = 7;
const USE: usize = SHARING;
const HELP_TASK: usize = SHARING + 1;
const HELP_CLAIM: usize = SHARING + 2;
const CLAIMS: usize = SHARING + 3;
const FIRST_QUERY: usize = SHARING + 4;
const BEFORE_QUERIES: usize = SHARING + 5;
const HAS_CLAIMED: usize = SHARING + 6;

/// The use of a worker, set before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::parallel) enum WorkerUse {
    /// It runs the tasks of the queue by itself.
    Alone,
    /// It runs the tasks of the queue, and others may help with them.
    Owner,
    /// It helps another worker.
    Helper(HelpRequest),
}

/// The file that a worker helps with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::parallel) struct HelpRequest {
    /// The worker that runs the file.
    pub(in crate::parallel) owner: usize,
    /// The task.
    pub(in crate::parallel) task: usize,
    /// The number of tasks that the owner had claimed with it.
    pub(in crate::parallel) claim: u64,
}

/// The progress of a worker with the queries of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::parallel) struct QueryProgress {
    /// The start of the first query, by the clock that processes share.
    pub(in crate::parallel) since: Duration,
    /// The number of outcomes before it.
    pub(in crate::parallel) before: u64,
}

impl Slot {
    /// Sets the use of the worker.
    pub(in crate::parallel) fn set_use(&self, of: WorkerUse) {
        if let WorkerUse::Helper(HelpRequest { task, claim, .. }) = of {
            self.set(HELP_TASK, task as u64);
            self.set(HELP_CLAIM, claim);
        }
        let word = match of {
            WorkerUse::Alone => 0,
            WorkerUse::Owner => 1,
            WorkerUse::Helper(request) => request.owner as u64 + 2,
        };
        self.set(USE, word);
    }

    /// Returns the use of the worker.
    pub(in crate::parallel) fn worker_use(&self) -> WorkerUse {
        match self.get(USE) {
            0 => WorkerUse::Alone,
            1 => WorkerUse::Owner,
            owner => WorkerUse::Helper(HelpRequest {
                owner: (owner - 2) as usize,
                task: self.get(HELP_TASK) as usize,
                claim: self.get(HELP_CLAIM),
            }),
        }
    }

    /// Begins the claims of the file that is the worker's `claim`th, counted from 1.
    pub(in crate::parallel) fn begin_claims(&self, claim: u64) {
        self.set(FIRST_QUERY, 0);
        self.set(HAS_CLAIMED, 0);
        self.set(CLAIMS, packed(claim, ClaimState::Alone { begun: 0 }));
    }

    /// Returns how the worker gets on with queries; `None` before the first.
    pub(in crate::parallel) fn query_progress(&self) -> Option<QueryProgress> {
        let since = Some(self.get(FIRST_QUERY)).filter(|since| *since > 0)?;
        Some(QueryProgress { since: Duration::from_nanos(since), before: self.get(BEFORE_QUERIES) })
    }

    /// Returns whether the worker has claimed anything of the file that it helps with.
    pub(in crate::parallel) fn has_claimed(&self) -> bool {
        self.get(HAS_CLAIMED) > 0
    }

    fn begin_queries(&self) {
        self.set(BEFORE_QUERIES, self.read().counts.total);
        self.set(FIRST_QUERY, nanoseconds(clock::now()).max(1));
    }
}

/// The claims of a file, in the slot of its owner.
#[derive(Clone, Copy)]
pub(in crate::parallel) struct SlotClaims<'s> {
    /// The slot of this process.
    pub(in crate::parallel) own: &'s Slot,
    pub(in crate::parallel) owner: &'s Slot,
    pub(in crate::parallel) role: ShareRole,
    /// The number of the file among the claims of its owner.
    pub(in crate::parallel) claim: u64,
}

impl ClaimWord for SlotClaims<'_> {
    fn load(&self) -> ClaimState {
        unpacked(self.claim, self.owner.get(CLAIMS))
    }

    fn replace(&self, old: ClaimState, new: ClaimState) -> bool {
        if self.role == ShareRole::Helper {
            if !self.own.has_claimed() {
                self.own.begin_queries();
            }
            // Before the claim: a helper that dies must not seem to have claimed nothing.
            self.own.set(HAS_CLAIMED, 1);
        } else if old == (ClaimState::Alone { begun: 0 }) {
            self.own.begin_queries();
        }
        let (old, new) = (packed(self.claim, old), packed(self.claim, new));
        let word = &self.owner.words()[CLAIMS];
        word.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// The number of bits of a count; above them are one that says whether the file is shared, and the claim.
const COUNT_BITS: u32 = 39;

fn packed(claim: u64, state: ClaimState) -> u64 {
    let (is_shared, count) = match state {
        ClaimState::Alone { begun } => (0, begun),
        ClaimState::Shared { next } => (1, next),
        ClaimState::Gone => return u64::MAX,
    };
    (claim << (COUNT_BITS + 1)) | (is_shared << COUNT_BITS) | count
}

fn unpacked(claim: u64, word: u64) -> ClaimState {
    let count = word & ((1 << COUNT_BITS) - 1);
    // Only the low bits of the claim have room.
    if word >> (COUNT_BITS + 1) != (claim << (COUNT_BITS + 1)) >> (COUNT_BITS + 1) {
        return ClaimState::Gone;
    }
    if word >> COUNT_BITS & 1 == 1 {
        ClaimState::Shared { next: count }
    } else {
        ClaimState::Alone { begun: count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helper_claims_only_of_the_file_that_it_helps_with() {
        let folder = tempfile::tempdir().unwrap();
        let [owner, helper] =
            ["owner", "helper"].map(|name| Slot::create(&folder.path().join(name)).unwrap());
        let request = HelpRequest { owner: 3, task: 7, claim: 2 };
        assert_eq!(helper.worker_use(), WorkerUse::Alone);
        for of in [WorkerUse::Helper(request), WorkerUse::Owner] {
            helper.set_use(of);
            assert_eq!(helper.worker_use(), of);
        }
        let claims = |claim, own, role| SlotClaims { own, owner: &owner, role, claim };
        owner.begin_claims(2);
        let (mine, theirs) = (claims(2, &owner, ShareRole::Owner), claims(2, &helper, ShareRole::Helper));
        assert_eq!((mine.load(), owner.query_progress()), (ClaimState::Alone { begun: 0 }, None));
        assert!(mine.replace(ClaimState::Alone { begun: 0 }, ClaimState::Alone { begun: 1 }));
        assert!(owner.query_progress().is_some() && !helper.has_claimed());
        assert!(theirs.replace(ClaimState::Alone { begun: 1 }, ClaimState::Shared { next: 1 }));
        assert!(helper.has_claimed() && helper.query_progress().is_some());
        assert!(!mine.replace(ClaimState::Alone { begun: 1 }, ClaimState::Alone { begun: 2 }));
        assert_eq!(mine.load(), ClaimState::Shared { next: 1 });
        owner.begin_claims(3);
        assert_eq!((theirs.load(), owner.query_progress()), (ClaimState::Gone, None));
        assert!(!theirs.replace(ClaimState::Shared { next: 1 }, ClaimState::Shared { next: 2 }));
        assert!(!theirs.replace(ClaimState::Alone { begun: 0 }, ClaimState::Shared { next: 0 }));
    }
}
