//! Known failures: `expectations.toml` in a directory above test files lists expected failures, with reasons and expiry
//! dates.
//!
//! A run with only these failures succeeds, so an unfinished engine has a useful CI from the first day. Expectations
//! change no outcome of a record, only the result of the run.

mod document;
mod files;
mod judge;
mod update;

pub use document::{ExpectationsError, FILE_NAME, read, today};
pub use files::DocumentFiles;
pub use judge::{Judgement, UnexpectedFailures, UnexpectedPass, judge};
pub use update::{update, write_entry};

use std::sync::Arc;

use jiff::civil::Date;

use slt_core::location::FileId;
use slt_core::outcome::RecordName;
use slt_runner::parallel::{Pattern, PatternError};

/// The entries of an expectations file.
#[derive(Debug, Clone, Default)]
pub struct Expectations {
    /// The entries, in the order of the file.
    pub entries: Vec<ExpectationEntry>,
}

/// An expected failure.
#[derive(Debug, Clone)]
pub struct ExpectationEntry {
    /// The file that contains it.
    pub document: Arc<str>,
    /// Its line there.
    pub line: usize,
    /// The test files that it can be about.
    pub files: DocumentFiles,
    /// The expectation.
    pub what: ExpectationKind,
    /// The engine that it applies to; `None` for any engine.
    pub engine: Option<String>,
    /// Its scope.
    pub scope: ExpectationScope,
    /// Its reason, issue, owner and expiry.
    pub details: EntryDetails,
}

/// The fields of an entry that explain and limit it.
#[derive(Debug, Clone, Default)]
pub struct EntryDetails {
    /// The reason for the failure.
    pub reason: Option<String>,
    /// The issue about it.
    pub issue: Option<String>,
    /// The person responsible.
    pub owner: Option<String>,
    /// The last day on which it holds.
    pub expires: Option<Date>,
}

/// The expected behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectationKind {
    /// It fails, and it is wrong if it passes.
    Xfail,
    /// It may fail or pass.
    Flaky,
    /// The file is not run, or the record is not executed.
    Skip,
}

impl ExpectationKind {
    /// Returns the name of its tables in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Xfail => "xfail",
            Self::Flaky => "flaky",
            Self::Skip => "skip",
        }
    }
}

/// The scope of an expectation.
#[derive(Debug, Clone)]
pub enum ExpectationScope {
    /// Whole files, for any outcome.
    Files(FileMatcher),
    /// Records of files.
    Records(FileMatcher, Vec<RecordName>),
    /// Records that fail in a certain way, see [`FailureGroup::fingerprint`](slt_core::outcome::FailureGroup::fingerprint).
    Cluster(Option<FileMatcher>, u64),
}

impl ExpectationScope {
    /// Returns whether the scope includes anything in the file with this path.
    fn is_about(&self, file: &str) -> bool {
        match self {
            Self::Files(files) | Self::Records(files, _) => files.has(file),
            Self::Cluster(files, _) => files.as_ref().is_none_or(|files| files.has(file)),
        }
    }
}

/// Selects a file by its path below the directory of the expectations file, or files by a glob, see [`Pattern`].
#[derive(Debug, Clone)]
pub struct FileMatcher {
    /// The text in the expectations file.
    pub word: String,
    glob: Option<Pattern>,
}

impl FileMatcher {
    /// Parses a path, or a glob if it contains one of `*?[{`.
    ///
    /// # Errors
    ///
    /// [`PatternError`], for an invalid glob.
    pub fn new(word: &str) -> Result<Self, PatternError> {
        let is_glob = word.contains(['*', '?', '[', '{']);
        Ok(Self { word: word.to_owned(), glob: is_glob.then(|| word.parse()).transpose()? })
    }

    /// Selects the file with this path, without interpreting special characters.
    pub fn one(path: &str) -> Self {
        let is_special = |sign: &char| "*?[]{}".contains(*sign);
        if !path.contains(|sign| is_special(&sign)) {
            return Self { word: path.to_owned(), glob: None };
        }
        // The leading `/` makes it a path, because a name without one matches in any folder.
        let signs = path.chars().map(|sign| match sign {
            sign if is_special(&sign) => format!("[{sign}]"),
            '\\' => "\\\\".to_owned(),
            sign => sign.to_string(),
        });
        let escaped: String = std::iter::once("/".to_owned()).chain(signs).collect();
        let glob = escaped.parse().ok();
        Self { word: escaped, glob }
    }

    /// Returns whether the file is selected.
    pub fn has(&self, file: &str) -> bool {
        match &self.glob {
            Some(glob) => glob.matches(file),
            None => self.word == file,
        }
    }
}

impl ExpectationEntry {
    /// Returns whether it applies to an engine.
    pub fn is_for(&self, engine: &str) -> bool {
        self.engine.as_deref().is_none_or(|of| of == engine)
    }

    /// Returns whether it applies to anything in this file.
    pub fn is_about(&self, file: &FileId) -> bool {
        self.files.any(file, |path| self.scope.is_about(path))
    }

    /// Returns whether it has expired.
    pub fn has_expired(&self, today: Date) -> bool {
        self.details.expires.is_some_and(|last| last < today)
    }
}

impl Expectations {
    /// Returns whether a file is skipped.
    pub fn skips(&self, engine: &str, file: &FileId, today: Date) -> bool {
        self.skipping(engine, file, today).any(|entry| matches!(entry.scope, ExpectationScope::Files(_)))
    }

    /// Returns the skipped records of a file.
    pub fn left_out(&self, engine: &str, file: &FileId, today: Date) -> Vec<RecordName> {
        let records = self.skipping(engine, file, today).filter_map(|entry| match &entry.scope {
            ExpectationScope::Records(_, records) => Some(records),
            ExpectationScope::Files(_) | ExpectationScope::Cluster(..) => None,
        });
        records.flatten().copied().collect()
    }

    fn skipping(&self, engine: &str, file: &FileId, today: Date) -> impl Iterator<Item = &ExpectationEntry> {
        self.entries.iter().filter(move |entry| {
            entry.what == ExpectationKind::Skip
                && entry.is_for(engine)
                && !entry.has_expired(today)
                && entry.is_about(file)
        })
    }
}
