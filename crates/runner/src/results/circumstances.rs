//! The origin of a run, from the first line of its journal: machine, commit, CI run, or the imported file.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::shards::{CombinedShards, RunShard};
use crate::wire::{FileIdForm, List, RemoteForm as _};
use slt_core::location::FileId;

/// The source of an imported run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// The name of the file.
    pub from: String,
    /// The MD5 of the imported content in hexadecimal digits, to recognise the run when it is imported again: of the
    /// file, or of the rows of this run in a dump.
    pub digest: String,
    /// The files that it names and has no result of.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "List::<FileIdForm>")]
    pub untested: Vec<FileId>,
}

/// The circumstances of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circumstances {
    /// The name of the machine.
    pub host: String,
    /// The operating system, with its version.
    pub system: String,
    /// The number of processors that this program may use.
    pub cpus: usize,
    /// The number of workers that run at once.
    pub workers: usize,
    /// The time that the run may take.
    pub budget: Option<Duration>,
    /// The seed of a random order.
    pub seed: Option<u64>,
    /// The state of the Git repository around the working directory.
    pub commit: Option<Commit>,
    /// The run of a CI that this is part of.
    pub ci: Option<CiRun>,
    /// The paths as typed; empty for the shipped suite.
    #[serde(default)]
    pub suite: Vec<String>,
    /// Whether files of the suite were excluded: by filters, a shard, or naming single files.
    #[serde(default)]
    pub is_part: bool,
    /// The commit of the repository that the first file is in.
    #[serde(default)]
    pub corpus_commit: Option<String>,
    /// A checksum of the program that held the engine.
    #[serde(default)]
    pub engine_hash: Option<String>,
    /// The shard that it executed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<RunShard>,
    /// The shards that it was combined from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combined: Option<CombinedShards>,
}

/// A state of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The hash.
    pub hash: String,
    /// The branch; `None` for a detached HEAD, or if it is not known.
    pub branch: Option<String>,
    /// Whether tracked files differ from the commit.
    pub dirty: bool,
}

/// A run of a CI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CiRun {
    /// Its name in the CI system.
    pub id: String,
    /// Its web address.
    pub url: Option<String>,
}
