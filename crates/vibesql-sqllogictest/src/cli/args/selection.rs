//! The arguments that select files, for `run` and `list`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::expectations::ExpectationArgs;
use slt_core::location::file_id::SuiteName;
use slt_core::location::path_text;
use slt_runner::parallel::{Pattern, Shard, ShardError};

#[derive(Debug, Args)]
pub(in crate::cli) struct ListArgs {
    /// Also print the number of records of each file.
    #[arg(long, short)]
    pub(in crate::cli) long: bool,
    /// Use earlier runs and expected failures of this engine [default: first of `engines`].
    #[arg(long, value_name = "ENGINE")]
    pub(in crate::cli) engine: Option<String>,
    /// Count records in this dialect, overriding what the files declare.
    #[arg(long, value_name = "DIALECT")]
    pub(in crate::cli) dialect: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) selection: SelectionArgs,
    #[command(flatten)]
    pub(in crate::cli) expectations: ExpectationArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SelectionArgs {
    /// Files, directories, globs, or - for standard input [default: the shipped suite]
    ///
    /// Directories are searched for *.test and *.slt. Shipped files are named suite:PATH.
    #[arg(value_name = "PATH", value_parser = path_word(), help_heading = None::<&'static str>)]
    pub(in crate::cli) paths: Vec<String>,
    /// The directory to use without PATH, if it has files; set by scripts/sqllogictest.
    #[arg(long, value_name = "DIR", hide = true)]
    pub(in crate::cli) default_path: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) filter: FilterArgs,
    #[command(flatten)]
    pub(in crate::cli) earlier: EarlierArgs,
}

/// Accepts any path: bytes that are not UTF-8 are written as [`path_text`] writes them.
pub(super) fn path_word() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new()
        .map(|word| word.into_string().unwrap_or_else(|word| path_text::of(Path::new(&word))))
}

impl SelectionArgs {
    /// Returns the patterns with their flags.
    pub(in crate::cli) fn patterns(&self) -> impl Iterator<Item = (&'static str, &Pattern)> {
        let FilterArgs { filter, exclude, .. } = &self.filter;
        filter.iter().map(|one| ("filter", one)).chain(exclude.iter().map(|one| ("exclude", one)))
    }
}

/// Selects from the files that were found.
#[derive(Debug, Args)]
#[command(next_help_heading = "Selection")]
pub(in crate::cli) struct FilterArgs {
    /// Select only files that match PATTERN (repeatable)
    ///
    /// PATTERN is a part of the path, a glob, or category:NAME. A glob without / matches names of files and folders, one
    /// with / the path below PATH.
    #[arg(long, value_name = "PATTERN")]
    pub(in crate::cli) filter: Vec<Pattern>,
    /// Exclude files that match PATTERN, as for --filter (repeatable).
    #[arg(long, value_name = "PATTERN")]
    pub(in crate::cli) exclude: Vec<Pattern>,
    /// Select only shard K of N
    ///
    /// Every machine computes the same shards. auto reads K and N from the variables of GitLab (CI_NODE_INDEX and
    /// CI_NODE_TOTAL), Heroku, CircleCI, Buildkite, Semaphore, Bitbucket or Azure.
    #[arg(long, value_name = "K/N")]
    pub(in crate::cli) shard: Option<ShardChoice>,
    /// Select only this file, by its path below PATH (repeatable)
    ///
    /// It is an error if the file does not exist.
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) files: Vec<String>,
    /// Use the paths and settings of [suite.NAME] of the configuration
    ///
    /// PATH arguments replace its paths.
    #[arg(long, value_name = "NAME", conflicts_with = "no_config")]
    suite: Option<String>,
    /// Identify files by NAME and their path in the suite
    ///
    /// Results are then compared wherever the suite is. By default, the suite has the name that sqllogictest.toml in its
    /// directory gives it, or that of its Git repository.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) suite_name: Option<SuiteName>,
}

/// Selects files by their earlier results and by Git.
#[derive(Debug, Args)]
#[command(next_help_heading = "Earlier runs")]
pub(in crate::cli) struct EarlierArgs {
    /// Select only files that did not pass in their last run on this engine.
    #[arg(long)]
    pub(in crate::cli) failed: bool,
    /// Select only files that differ from Git commit REF [default: HEAD]
    ///
    /// Untracked files are selected as well.
    #[arg(long, value_name = "REF", num_args = 0..=1, require_equals = true, default_missing_value = "HEAD")]
    pub(in crate::cli) changed: Option<String>,
    /// Balance shards by number of files or by earlier durations
    ///
    /// Machines with different earlier durations compute different shards.
    #[arg(long, value_name = "WHAT", default_value = "count", requires = "shard")]
    pub(in crate::cli) balance: ShardBalance,
}

/// The quantity that is equal in all shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ShardBalance {
    Count,
    Time,
}

/// A shard on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum ShardChoice {
    /// The shard that the variables of the CI name.
    Auto,
    /// This shard.
    Shard(Shard),
}

impl FromStr for ShardChoice {
    type Err = ShardError;

    fn from_str(word: &str) -> Result<Self, ShardError> {
        if word == "auto" { Ok(Self::Auto) } else { word.parse().map(Self::Shard) }
    }
}
