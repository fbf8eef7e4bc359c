//! Which failures are known: a file `expectations.toml` in a directory above test files says what is expected to fail, why, and until when.
//!
//! A run in which just that fails is a good one, so that an engine on its way has an honest CI from the first day. What is
//! expected changes no outcome: a failing record is a failing record. It changes what the run as a whole is worth.

mod document;
mod files;
mod judge;
mod update;

pub use document::{DocumentError, FILE_NAME, read, today};
pub use files::DocumentFiles;
pub use judge::{Judgement, NotExpected, Passes, judge};
pub use update::write_entry;
pub use update::{Note, update};

use std::sync::Arc;

use jiff::civil::Date;

use slt_core::location::FileId;
use slt_core::outcome::RecordName;
use slt_runner::parallel::{Pattern, PatternError};

/// All that is expected.
#[derive(Debug, Clone, Default)]
pub struct Expectations {
    /// The entries, in the order of the file.
    pub entries: Vec<ExpectationEntry>,
}

/// Something that is expected to fail.
#[derive(Debug, Clone)]
pub struct ExpectationEntry {
    /// The file that it is in.
    pub document: Arc<str>,
    /// Its line there.
    pub line: usize,
    /// The test files that it can be about.
    pub files: DocumentFiles,
    /// What is expected.
    pub what: ExpectationKind,
    /// The engine that it is expected of; without it any.
    pub engine: Option<String>,
    /// Where.
    pub scope: Scope,
    /// Why it fails.
    pub reason: Option<String>,
    /// Where that is discussed.
    pub issue: Option<String>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// The last day on which it holds.
    pub expires: Option<Date>,
}

/// What is expected.
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
    /// The name of its tables in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Xfail => "xfail",
            Self::Flaky => "flaky",
            Self::Skip => "skip",
        }
    }
}

/// Where something is expected.
#[derive(Debug, Clone)]
pub enum Scope {
    /// Files as a whole, whatever becomes of them.
    Files(Files),
    /// Records of files.
    Records(Files, Vec<RecordName>),
    /// Records that fail in a certain way, see [`FailureGroup::fingerprint`](slt_core::outcome::FailureGroup::fingerprint).
    Cluster(Option<Files>, u64),
}

impl Scope {
    /// Whether anything in the file with this path can be meant.
    fn is_about(&self, file: &str) -> bool {
        match self {
            Self::Files(files) | Self::Records(files, _) => files.has(file),
            Self::Cluster(files, _) => files.as_ref().is_none_or(|files| files.has(file)),
        }
    }
}

/// Files: one by its path below the directory of the expectations file, or those that a glob chooses, see [`Pattern`].
#[derive(Debug, Clone)]
pub struct Files {
    /// As it was written.
    pub word: String,
    glob: Option<Pattern>,
}

impl Files {
    /// The files that a word means: a glob if it has one of `*?[{`, otherwise a path.
    ///
    /// # Errors
    ///
    /// [`PatternError`], if it is to be a glob and is none.
    pub fn new(word: &str) -> Result<Self, PatternError> {
        let is_glob = word.contains(['*', '?', '[', '{']);
        Ok(Self { word: word.to_owned(), glob: is_glob.then(|| word.parse()).transpose()? })
    }

    /// The file with this path, whatever signs are in it.
    pub fn one(path: &str) -> Self {
        let is_special = |sign: &char| "*?[]{}".contains(*sign);
        if !path.contains(|sign| is_special(&sign)) {
            return Self { word: path.to_owned(), glob: None };
        }
        // The `/` in front makes it a path, and not a name that files of any folder may have.
        let signs = path.chars().map(|sign| match sign {
            sign if is_special(&sign) => format!("[{sign}]"),
            '\\' => "\\\\".to_owned(),
            sign => sign.to_string(),
        });
        let escaped: String = std::iter::once("/".to_owned()).chain(signs).collect();
        let glob = escaped.parse().ok();
        Self { word: escaped, glob }
    }

    /// Whether the file is among them.
    pub fn has(&self, file: &str) -> bool {
        match &self.glob {
            Some(glob) => glob.matches(file),
            None => self.word == file,
        }
    }
}

impl ExpectationEntry {
    /// Whether it holds for an engine.
    pub fn is_for(&self, engine: &str) -> bool {
        self.engine.as_deref().is_none_or(|of| of == engine)
    }

    /// Whether anything in this file can be meant.
    pub fn is_about(&self, file: &FileId) -> bool {
        self.files.any(file, |path| self.scope.is_about(path))
    }

    /// Whether its last day is over.
    pub fn has_expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|last| last < today)
    }
}

impl Expectations {
    /// Whether a file is not to be run.
    pub fn skips(&self, engine: &str, file: &FileId, today: Date) -> bool {
        self.skipping(engine, file, today).any(|entry| matches!(entry.scope, Scope::Files(_)))
    }

    /// The records of a file that are not to be executed.
    pub fn left_out(&self, engine: &str, file: &FileId, today: Date) -> Vec<RecordName> {
        let records = self.skipping(engine, file, today).filter_map(|entry| match &entry.scope {
            Scope::Records(_, records) => Some(records),
            Scope::Files(_) | Scope::Cluster(..) => None,
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
