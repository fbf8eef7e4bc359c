//! Variables in SQL and commands.

/// The names of variables that each runner has.
pub mod well_known {
    /// A new directory for the files of a runner, removed with it.
    pub const TEST_DIR: &str = "__TEST_DIR__";
    /// The current time, in nanoseconds since 1970.
    pub const NOW: &str = "__NOW__";
    /// The database of a file; known only in parallel runs.
    pub const DATABASE: &str = "__DATABASE__";
}
