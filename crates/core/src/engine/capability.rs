//! What not every engine can do.

/// Something that not every engine can do. What an engine has not declared is *unsupported* for the records that need
/// it, and never passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// Executes several statements in one text.
    SeveralStatements,
    /// Knows the columns of a result before it executes the statement, so that a query with the wrong number of columns
    /// has no effect.
    ColumnsFirst,
    /// Cancels a running statement at `--record-timeout`; the file continues.
    Cancel,
    /// Opens several connections to one database.
    Connections,
    /// Executes statements of several connections at the same time.
    Concurrent,
    /// Opens connections as other users.
    Users,
    /// Restarts a database with its durable data.
    Restart,
    /// Opens the database in a file.
    Load,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::SeveralStatements,
        Self::ColumnsFirst,
        Self::Cancel,
        Self::Connections,
        Self::Concurrent,
        Self::Users,
        Self::Restart,
        Self::Load,
    ];

    /// Returns its name in lists and in the greeting of an external driver.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SeveralStatements => "several-statements",
            Self::ColumnsFirst => "columns-first",
            Self::Cancel => "cancel",
            Self::Connections => "connections",
            Self::Concurrent => "concurrent",
            Self::Users => "users",
            Self::Restart => "restart",
            Self::Load => "load",
        }
    }

    /// Returns a short description.
    pub const fn about(self) -> &'static str {
        match self {
            Self::SeveralStatements => "several statements in one text",
            Self::ColumnsFirst => "a query with the wrong number of columns has no effect",
            Self::Cancel => "--record-timeout cancels the statement, and the file continues",
            Self::Connections => "several connections to one database",
            Self::Concurrent => "statements of several connections at the same time",
            Self::Users => "connections as other users",
            Self::Restart => "restarts a database with its durable data",
            Self::Load => "opens the database in a file",
        }
    }

    /// Returns the capability with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.name() == name)
    }
}
