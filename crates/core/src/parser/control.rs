//! Records that change the execution of later ones.

use std::borrow::Cow;
use std::time::Duration;

use super::record::{Layout, SortMode};

/// A record that changes the execution of later ones. It has an outcome only if it is malformed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control<'s> {
    /// The number of values above which a result is hashed; 0 means that nothing is hashed.
    HashThreshold(u64),
    /// Ends the file.
    Halt,
    /// Waits.
    Sleep(Duration),
    /// Begins a part of the file, by its name.
    Subtest(&'s [u8]),
    /// The sort mode of queries without one.
    SortMode(SortMode),
    /// The form of expected rows of later queries.
    ResultLayout(Layout),
    /// Whether variables are replaced in later records.
    Substitution(bool),
    /// Whether later queries without types show the names of their columns as the first row.
    ShowColumnNames(bool),
    /// Executes other files here; the pattern as written.
    Include(&'s [u8]),
    /// Would execute other files here, which the user has not allowed; the text says how to.
    RefusedInclude(Box<str>),
    /// Begins a loop, which ends at its [`Control::EndLoop`].
    Loop(Box<Loop<'s>>),
    /// Ends the innermost loop.
    EndLoop,
    /// Goes on with the next iteration of the innermost loop.
    Continue,
    /// Skips the rest of the file unless the engine or the machine has something.
    Require(Requirement<'s>),
    /// Makes a variable of an environment variable, with a default.
    TestEnvironment {
        /// The name of both.
        name: &'s [u8],
        /// The value, if the environment variable is not set.
        default: &'s [u8],
    },
    /// Begins to skip records.
    BeginSkip,
    /// Ends to skip records.
    EndSkip,
    /// Error messages with one of these texts end the file as skipped, in place of those by default.
    IgnoreErrors(Vec<&'s [u8]>),
    /// Error messages with one of these texts are never expected, in place of those by default.
    AlwaysFailErrors(Vec<&'s [u8]>),
    /// Sets a variable.
    SetVariable {
        /// Its name.
        name: &'s [u8],
        /// Its value.
        value: &'s [u8],
    },
    /// Seeds the random numbers of the engine, by a number between 0 and 1.
    Seed(&'s [u8]),
    /// Forgets the result of a label.
    ResetLabel(&'s [u8]),
    /// Names the tags of the file.
    Tags(Vec<&'s [u8]>),
    /// The user of later records; empty for the engine's default user.
    User(&'s [u8]),
    /// The mode of the engine that later records need.
    EngineMode(&'s [u8]),
    /// Whether results of later queries are compared.
    Comparison(bool),
    /// Known to the dialect, and without effect on a verdict.
    Ignored,
}

/// The variables of a loop and their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loop<'s> {
    /// The names of the variables: one, or one for each value of a tuple.
    pub variables: Vec<&'s [u8]>,
    /// The values of each iteration.
    pub values: LoopValues<'s>,
    /// Whether all iterations run at the same time, each with its own connection.
    pub concurrent: bool,
}

/// The values of the iterations of a loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoopValues<'s> {
    /// The numbers from `start` to below `end`; at least `start`.
    Range {
        /// The first number.
        start: i64,
        /// The number after the last.
        end: i64,
    },
    /// One list for each iteration, with one value for each variable.
    Tuples(Vec<Vec<Cow<'s, [u8]>>>),
    /// The elements of a list in a variable of the engine.
    EngineVariable {
        /// The connection; the default connection without one.
        connection: Option<&'s [u8]>,
        /// The name of the variable.
        name: &'s [u8],
    },
}

/// A condition on the engine or the machine; unless it holds, the rest of the file is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement<'s> {
    /// `require NAME [ARGUMENT]`: an extension of the engine, or a property of it or of the platform.
    Feature {
        /// The name.
        name: &'s [u8],
        /// The argument.
        argument: Option<&'s [u8]>,
    },
    /// `require-env NAME [VALUE]`: an environment variable, which becomes a variable of the file.
    Environment {
        /// The name.
        name: &'s [u8],
        /// The value that it must have; any without one.
        value: Option<&'s [u8]>,
    },
}

impl LoopValues<'_> {
    /// Returns the number of iterations, if it is known before the execution.
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::Range { start, end } => {
                Some(end.abs_diff(*start).max(1)).filter(|_| end > start).or(Some(1))
            }
            Self::Tuples(tuples) => Some(tuples.len() as u64),
            Self::EngineVariable { .. } => None,
        }
    }
}
