//! Labels: queries of one file that must have the same result.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::canonical::digest_of_lines;
use crate::location::text_of;
use crate::outcome::{Digest, Excerpt, LabelMismatch, Mismatch, RecordId};
use crate::parser::{Query, QueryExpectation};

/// The first result of each label of a file. Clones share it, for iterations that run at the same time.
#[derive(Debug, Clone, Default)]
pub struct LabelBook {
    first: Arc<Mutex<HashMap<Vec<u8>, FirstResult>>>,
}

/// The first result of a label and its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstResult {
    pub line: u32,
    pub digest: Digest,
}

impl LabelBook {
    /// Returns a copy that shares nothing.
    pub fn copied(&self) -> Self {
        Self { first: Arc::new(Mutex::new(self.lock().clone())) }
    }

    /// Forgets the result of a label; returns whether there was one.
    pub fn forget(&mut self, label: &[u8]) -> bool {
        self.lock().remove(label).is_some()
    }

    /// Adds a result of a label; returns an earlier different one. Only `limit` bytes of the label are significant.
    pub fn enter(&mut self, label: &[u8], limit: usize, digest: Digest, line: u32) -> Option<FirstResult> {
        let key = &label[..label.len().min(limit)];
        let mut known = self.lock();
        match known.get(key) {
            Some(first) => (first.digest != digest).then_some(*first),
            None => {
                known.insert(key.to_vec(), FirstResult { line, digest });
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u8>, FirstResult>> {
        // Nothing panics while it has the lock.
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a mismatch of a result that differs from the first one of its label.
pub fn label_mismatch(
    query: &Query<'_>,
    label: &[u8],
    first: FirstResult,
    digest: Digest,
    rows: Excerpt,
) -> Mismatch {
    Mismatch::Label(Box::new(LabelMismatch {
        label: text_of(label),
        first: RecordId::at(first.line),
        first_digest: first.digest,
        digest,
        rows,
        columns: query.types.len(),
    }))
}

/// Returns the digest that a query's expectation stands for; an empty expectation stands for none.
pub fn expected_digest(query: &Query<'_>) -> Option<Digest> {
    let (hash, listed) = match &query.expected {
        QueryExpectation::Hash(hash) => return Some(Digest(hash.digest)),
        QueryExpectation::Rows(listed) => (listed.leading_hash(), listed),
        QueryExpectation::File(_) | QueryExpectation::Error(_) | QueryExpectation::Label => return None,
    };
    listed.lines().next()?;
    Some(hash.map_or_else(|| digest_of_lines(listed.lines()), |hash| Digest(hash.digest)))
}
