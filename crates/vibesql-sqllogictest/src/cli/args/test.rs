//! The arguments of `test`, and those that select the engine and the dialect.

use clap::Args;

use super::selection::path_word;

#[derive(Debug, Args)]
pub(in crate::cli) struct TestArgs {
    /// Test files, directories, globs, or single records (FILE:LINE)
    ///
    /// FILE:LINE runs the statements before that line, then only the record on it. Shipped files are named suite:PATH;
    /// standard input is - or /dev/stdin:LINE.
    #[arg(required = true, value_name = "FILE[:LINE]", value_parser = path_word())]
    pub(in crate::cli) targets: Vec<String>,
    /// Print each record to standard error before it runs
    ///
    /// This locates a hang or a crash.
    #[arg(long)]
    pub(in crate::cli) trace: bool,
    /// Show at most N failures per file.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(in crate::cli) max_failures: usize,
    /// Stop a file after SECONDS; 0 disables the limit.
    #[arg(long, value_name = "SECONDS", default_value_t = 500)]
    pub(in crate::cli) timeout: u64,
    #[command(flatten)]
    pub(in crate::cli) engine: EngineArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Engine and dialect")]
pub(in crate::cli) struct EngineArgs {
    /// Engine under test [default: first of `engines`].
    #[arg(long, value_name = "ENGINE")]
    pub(in crate::cli) engine: Option<String>,
    /// Match skipif and onlyif against NAME instead of the engine's own names (repeatable).
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) engine_name: Vec<String>,
    /// Dialect of all files, as `check` lists them
    ///
    /// One of sqlite, rs, vibesql, duckdb, cockroach and materialize. Without it each file has its own: the one that the configuration, a comment, its text or its ending says.
    #[arg(long, value_name = "DIALECT")]
    pub(in crate::cli) dialect: Option<String>,
    /// Behave exactly like the reference runner, including what it silently ignores.
    #[arg(long)]
    pub(in crate::cli) exact: bool,
    /// Allow records that run shell commands, as `system` does.
    #[arg(long)]
    pub(in crate::cli) allow_shell: bool,
    /// Allow records that use files outside of the suite
    ///
    /// Files in the working directory and in the temporary directory of a test file are always allowed.
    #[arg(long)]
    pub(in crate::cli) allow_outside: bool,
    /// Stop a record after SECONDS
    ///
    /// The file continues with the next record if the engine can be interrupted, as SQLite can; otherwise it ends there.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) record_timeout: Option<u64>,
    /// Expect results of more than N values to be hashed, overriding the files
    ///
    /// 0 means that no result is expected to be hashed.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) hash_threshold: Option<u64>,
}

/// Arguments of `engines`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct EnginesArgs {
    /// Engine to show; it is started or connected to [default: list all engines].
    #[arg(value_name = "ENGINE")]
    pub(in crate::cli) engine: Option<String>,
    /// List what each engine can do.
    #[arg(short, long)]
    pub(in crate::cli) verbose: bool,
}
