//! Labels: queries of one file that must have the same result.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use md5::{Digest as _, Md5};

use super::canonical::{Output, digest_of_lines};
use super::text_hash::TextHash;
use crate::location::text_of;
use crate::outcome::{Digest, Excerpt, LabelMismatch, Mismatch, RecordId};
use crate::parser::{Block, Query, QueryExpectation};

/// The longest text that is kept and compared in place of its digest. Hashing costs more than a copy of it.
const LONGEST_TEXT: usize = 512;

/// The first result of each label of a file. Clones share it, for iterations that run at the same time.
#[derive(Debug, Clone, Default)]
pub struct LabelBook {
    first: Arc<Mutex<FirstResults>>,
}

/// The first result of a label and its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstResult {
    pub line: u32,
    pub digest: Digest,
}

/// A result of a query with a label, in the form that is cheapest to compare.
#[derive(Debug, Clone, Copy)]
pub enum LabelledResult<'l> {
    /// Its text, each value with an LF.
    Text(&'l [u8]),
    /// The lines of a file.
    Listed(&'l Block<'l>),
    /// The MD5 of its text.
    Digest(Digest),
}

impl<'l> LabelledResult<'l> {
    /// Returns what identifies the result of a query.
    pub fn of_output(output: &'l Output<'_>) -> Self {
        match output.text().filter(|text| text.len() <= LONGEST_TEXT && output.known_digest().is_none()) {
            Some(text) => Self::Text(text),
            None => Self::Digest(output.digest()),
        }
    }

    /// Returns what identifies the result that a query expects; an empty expectation stands for none.
    pub fn of_expectation(query: &'l Query<'_>) -> Option<Self> {
        let listed = match &query.expected {
            QueryExpectation::Hash(hash) => return Some(Self::Digest(Digest(hash.digest))),
            QueryExpectation::Rows(listed) => listed,
            QueryExpectation::File(_) | QueryExpectation::Error(_) | QueryExpectation::Label => return None,
        };
        if let Some(hash) = listed.leading_hash() {
            return Some(Self::Digest(Digest(hash.digest)));
        }
        listed.lines().next()?;
        Some(Self::Listed(listed))
    }

    /// Returns the digest of the result.
    pub fn digest(self) -> Digest {
        match self {
            Self::Text(text) => Digest(Md5::digest(text).into()),
            Self::Listed(listed) => digest_of_lines(listed.lines()),
            Self::Digest(digest) => digest,
        }
    }
}

/// The first results of all labels.
#[derive(Debug, Clone, Default)]
struct FirstResults {
    /// With a hash that is faster than the usual one for short texts.
    by_label: HashMap<Vec<u8>, KnownResult, BuildHasherDefault<TextHash>>,
    /// The texts of results, one after another: memory for each would cost more than its text.
    texts: Vec<u8>,
}

/// The first result of a label.
#[derive(Debug, Clone)]
struct KnownResult {
    line: u32,
    identity: Identity,
}

/// A result that is kept.
#[derive(Debug, Clone)]
enum Identity {
    /// The place of its text.
    Text(Range<usize>),
    Digest(Digest),
}

impl FirstResults {
    fn keep(&mut self, label: &[u8], result: LabelledResult<'_>, line: u32) {
        let start = self.texts.len();
        let identity = match result {
            LabelledResult::Text(text) => {
                self.texts.extend_from_slice(text);
                Identity::Text(start..self.texts.len())
            }
            LabelledResult::Listed(listed) if listed.most_lines() <= LONGEST_TEXT as u64 => {
                listed.append_to(&mut self.texts);
                Identity::Text(start..self.texts.len())
            }
            LabelledResult::Listed(_) | LabelledResult::Digest(_) => Identity::Digest(result.digest()),
        };
        self.by_label.insert(label.to_vec(), KnownResult { line, identity });
    }
}

impl KnownResult {
    fn is(&self, result: LabelledResult<'_>, texts: &[u8]) -> bool {
        match (&self.identity, result) {
            (Identity::Text(known), LabelledResult::Text(text)) => texts[known.clone()] == *text,
            (Identity::Text(known), LabelledResult::Listed(listed)) => listed.lists(&texts[known.clone()]),
            _ => self.digest(texts) == result.digest(),
        }
    }

    fn digest(&self, texts: &[u8]) -> Digest {
        match &self.identity {
            Identity::Text(text) => LabelledResult::Text(&texts[text.clone()]).digest(),
            Identity::Digest(digest) => *digest,
        }
    }
}

impl LabelBook {
    /// Returns a copy that shares nothing.
    pub fn copied(&self) -> Self {
        Self { first: Arc::new(Mutex::new(self.lock().clone())) }
    }

    /// Forgets the result of a label; returns whether there was one.
    pub fn forget(&mut self, label: &[u8]) -> bool {
        self.lock().by_label.remove(label).is_some()
    }

    /// Adds a result of a label; returns an earlier different one. Only `limit` bytes of the label are significant.
    pub fn enter(
        &mut self,
        label: &[u8],
        limit: usize,
        result: LabelledResult<'_>,
        line: u32,
    ) -> Option<FirstResult> {
        let key = &label[..label.len().min(limit)];
        let mut known = self.lock();
        match known.by_label.get(key) {
            Some(first) if first.is(result, &known.texts) => None,
            Some(first) => Some(FirstResult { line: first.line, digest: first.digest(&known.texts) }),
            None => {
                known.keep(key, result, line);
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, FirstResults> {
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
