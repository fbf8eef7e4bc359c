//! Warnings about the results of other programs.

/// An inconsistency of an imported file that does not stop the import.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportWarning {
    /// A sum is not that of the list.
    #[error("{place} says {says} {what}, but there are {found}")]
    Count {
        /// The place that states the sum.
        place: String,
        /// The counted items.
        what: &'static str,
        /// The sum.
        says: u64,
        /// The length of the list.
        found: u64,
    },
    /// A file occurs more than once.
    #[error("`{file}` is listed more than once, as {one} and {other}: using {kept}")]
    Duplicate {
        /// The file.
        file: String,
        /// Its status.
        one: &'static str,
        /// Its other status.
        other: &'static str,
        /// The more severe status.
        kept: &'static str,
    },
    /// A file has an error text and is in no list.
    #[error("`{0}` has a failure text but is in no list: treated as failed")]
    Unlisted(String),
    /// A file is listed as good, and has an error text.
    #[error("`{0}` is listed as passed but has a failure text: treated as failed")]
    Contradiction(String),
    /// An unknown status.
    #[error("`{file}` has the unknown status `{status}`: treated as an error")]
    Status {
        /// The file.
        file: String,
        /// The status.
        status: String,
    },
    /// A file without a status.
    #[error("`{0}` has no status: treated as an error")]
    NoStatus(String),
    /// The run has no time.
    #[error("it has no time of the run: using the modification time of the file")]
    Undated,
    /// A run without results.
    #[error("{} has no results, and is left out", run(.0))]
    Empty(String),
    /// Results without their run.
    #[error("of {} there are only results: its time is that of the first", run(.0))]
    Headless(String),
    /// Two rows of one run.
    #[error("{} is there more than once: the last is kept", run(.0))]
    RunAgain(String),
    /// A run that was stored twice.
    #[error(
        "runs {streamed} and {processed} are one run, stored twice: the statuses of {processed} are kept, and {wrong} of \
         the other differ"
    )]
    Twice {
        /// The one whose statuses are exit codes.
        streamed: String,
        /// The one with correct statuses.
        processed: String,
        /// The number of different statuses in the first.
        wrong: usize,
    },
    /// Files that passed only by exit code.
    #[error("run {run}: {files} passed only by exit code, which says nothing: left without a result")]
    Unsure {
        /// The run.
        run: String,
        /// The number of files.
        files: usize,
    },
    /// An unsupported statement on a known table.
    #[error("line {line}: a statement `{word}` on these tables is left out")]
    Statement {
        /// The line where it begins.
        line: usize,
        /// Its first word.
        word: String,
    },
}

impl ImportWarning {
    /// Returns a warning for each stated count that differs from the found one.
    pub(super) fn wrong_counts(
        place: &str,
        counts: impl IntoIterator<Item = (&'static str, Option<u64>, u64)>,
    ) -> impl Iterator<Item = Self> {
        counts.into_iter().filter_map(move |(what, says, found)| {
            let says = says.filter(|&says| says != found)?;
            Some(Self::Count { place: place.to_owned(), what, says, found })
        })
    }
}

/// Formats the name of a run.
pub(super) fn run(identifier: &str) -> String {
    match identifier {
        "" => "a run without an identifier".to_owned(),
        identifier => format!("run {identifier}"),
    }
}
