//! The words that say which files are meant.

use std::path::Path;
use std::str::FromStr;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::Command;
use slt_core::location::path_text;
use slt_runner::parallel::{Filters, Pattern, Shard, ShardError};

/// Which files are meant: the same for `run` and `list`.
#[derive(Debug, Args)]
pub(in crate::cli) struct SelectionArgs {
    /// Files, directories (searched for *.test and *.slt), globs, or - for standard input; by default the shipped
    /// suite.
    #[arg(value_name = "PATH", value_parser = path_word(), help_heading = None::<&'static str>)]
    pub(in crate::cli) paths: Vec<String>,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    pub(in crate::cli) earlier: EarlierArgs,
    /// Patterns that should match something, with the words for where they are from.
    #[arg(skip)]
    pub(in crate::cli) to_match: Vec<(String, Pattern)>,
}

/// Takes any path: bytes that are no text are written as [`path_text`] writes them.
pub(in crate::cli) fn path_word() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new()
        .map(|word| word.into_string().unwrap_or_else(|word| path_text::of(Path::new(&word))))
}

impl Command {
    /// The words that say which files are meant, of a command that has them.
    pub(in crate::cli) fn selection_mut(&mut self) -> Option<&mut SelectionArgs> {
        match self {
            Self::Run(args) => Some(&mut args.selection),
            Self::List(args) => Some(&mut args.selection),
            _ => None,
        }
    }
}

impl SelectionArgs {
    /// What the words of the filters mean.
    pub(in crate::cli) fn filters(&self) -> Filters {
        let FilterArgs { filter, exclude, shard, files, .. } = &self.filter;
        let shard = match *shard {
            Some(ShardWord::Of(shard)) => Some(shard),
            // Whoever has the environment has replaced it.
            Some(ShardWord::Auto) | None => None,
        };
        Filters { files: files.clone(), only: filter.clone(), exclude: exclude.clone(), shard }
    }

    /// The patterns, by the flag that each is the value of.
    pub(in crate::cli) fn patterns(&self) -> impl Iterator<Item = (&'static str, &Pattern)> {
        let FilterArgs { filter, exclude, .. } = &self.filter;
        filter.iter().map(|one| ("filter", one)).chain(exclude.iter().map(|one| ("exclude", one)))
    }

    /// The shard as it was typed.
    pub(in crate::cli) fn shard_mut(&mut self) -> &mut Option<ShardWord> {
        &mut self.filter.shard
    }

    /// Whether earlier runs have to be known to say which files are meant.
    pub(in crate::cli) fn needs_history(&self) -> bool {
        self.earlier.failed || self.earlier.balance == Balance::Time
    }
}

/// Which of the files that were found are meant.
#[derive(Debug, Args)]
#[command(next_help_heading = "Selection")]
struct FilterArgs {
    /// Select only matching files: a part of the path, a glob, or category:NAME; may be repeated. A glob without /
    /// matches names of files and folders, one with / the path below PATH.
    #[arg(long, value_name = "PATTERN")]
    filter: Vec<Pattern>,
    /// Exclude matching files; patterns as for --filter; may be repeated.
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<Pattern>,
    /// Select only shard K of N; every machine computes the same shards. auto reads K and N from the variables of
    /// GitLab (CI_NODE_INDEX and CI_NODE_TOTAL), Heroku, CircleCI, Buildkite, Semaphore, Bitbucket or Azure.
    #[arg(long, value_name = "K/N")]
    shard: Option<ShardWord>,
    /// Select only these files, by their path below PATH; may be repeated. All of them must exist.
    #[arg(long, value_name = "PATH")]
    files: Vec<String>,
    /// Use the paths and settings of [suite.NAME] in the configuration; PATH arguments replace its paths.
    #[arg(long, value_name = "NAME", conflicts_with = "no_config")]
    suite: Option<String>,
}

/// Files that are chosen by what came of them, and by what Git says.
#[derive(Debug, Args)]
#[command(next_help_heading = "Earlier runs")]
pub(in crate::cli) struct EarlierArgs {
    /// Select only files that did not pass in their last run on this engine.
    #[arg(long)]
    pub(in crate::cli) failed: bool,
    /// Select only files that differ from the Git commit REF or are untracked; without REF, from the last commit.
    #[arg(long, value_name = "REF", num_args = 0..=1, require_equals = true, default_missing_value = "HEAD")]
    pub(in crate::cli) changed: Option<String>,
    /// Balance shards by number of files or by earlier durations. Machines with different durations compute different
    /// shards.
    #[arg(long, value_name = "WHAT", default_value = "count", requires = "shard")]
    pub(in crate::cli) balance: Balance,
}

/// What shards have equal parts of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Balance {
    Count,
    Time,
}

/// A part of a run on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum ShardWord {
    /// The part that the CI says.
    Auto,
    /// This one.
    Of(Shard),
}

impl FromStr for ShardWord {
    type Err = ShardError;

    fn from_str(word: &str) -> Result<Self, ShardError> {
        if word == "auto" { Ok(Self::Auto) } else { word.parse().map(Self::Of) }
    }
}
