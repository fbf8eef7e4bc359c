//! What the failures of a run come from, and what to fix first.
//!
//! One bug can be behind twenty thousand failing records. [`analyze`] puts every failing record into exactly one
//! [`Cluster`]: by what is seen of it (a message without names, the class of wrong values), by the features of its SQL
//! that passing records of the same file do not have, and by an earlier failure of the file that it follows from. The
//! clusters come in the order in which fixing them turns most files green soonest.
//!
//! All of it is a pure function of a run and of the texts of its files, which are read one after the other.

mod cascade;
mod cluster;
mod explain;
mod facts;
mod rules;
mod sql;
mod symptom;
mod texts;
mod unlock;

pub use cluster::{Analysis, Assigned, Cluster, Example, RedFile, analyze};
pub use explain::{Explanation, explain};
pub use facts::Gap;
pub use symptom::{Symptom, WHOLE_FILE, WRONG_RESULT, WRONG_VALUES};
pub use texts::{NoText, Texts};
