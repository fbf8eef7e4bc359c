//! Finds the causes of failures, and a good order of fixes.
//!
//! One bug can cause twenty thousand failing records. [`analyze`] assigns every failing record to exactly one
//! [`Cluster`]: by its symptom (a message without names, the class of wrong values), by features of its SQL that
//! passing records of the same file lack, and by an earlier failure in its file. The clusters are ordered so that
//! fixing them in turn makes files green as early as possible.
//!
//! The analysis is a pure function of a run and of the texts of its files, which are read one after the other.

mod cascade;
mod cluster;
mod coverage;
mod explain;
mod facts;
mod rules;
mod sql;
mod symptom;
mod texts;
mod unlock;

pub use cluster::{Analysis, Cluster, ClusterExample, FailingFile, RecordCluster, analyze};
pub use coverage::{ConstructCoverage, ConstructKind, ConstructPlace, CoverageMap, coverage};
pub use explain::{Explanation, explain};
pub use facts::MissingSql;
pub use symptom::{Symptom, WHOLE_FILE, WRONG_RESULT, WRONG_VALUES};
pub use texts::{SourceTexts, TextError};
