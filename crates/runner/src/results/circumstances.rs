//! What the first line of a journal says of the origin of a run: machine, commit, CI run, or the imported file.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::wire::{FileIdForm, List};
use slt_core::location::FileId;

/// Where a run comes from that another program made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// The name of the file.
    pub from: String,
    /// The MD5 of what was taken in, in hexadecimal digits: the same again is recognised.
    pub digest: String,
    /// The files that it names and has no result of.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "List::<FileIdForm>")]
    pub untested: Vec<FileId>,
}

/// Where and with what a run was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circumstances {
    /// The name of the machine.
    pub host: String,
    /// The operating system, with its version.
    pub system: String,
    /// How many processors this program may use.
    pub cpus: usize,
    /// How many workers run at once.
    pub workers: usize,
    /// The time that the run may take.
    pub budget: Option<Duration>,
    /// The seed of a random order.
    pub seed: Option<u64>,
    /// What Git says of the folder in which the run was started.
    pub commit: Option<Commit>,
    /// The run of a CI that this is part of.
    pub ci: Option<CiRun>,
    /// What was to be run, as it was typed: paths, or nothing for the shipped suite.
    #[serde(default)]
    pub suite: Vec<String>,
    /// Whether files of the suite were left out: by filters, by a shard, or because single files were named.
    #[serde(default)]
    pub is_part: bool,
    /// The commit of the repository that the first file is in.
    #[serde(default)]
    pub corpus_commit: Option<String>,
    /// A checksum of the program that held the engine.
    #[serde(default)]
    pub engine_hash: Option<String>,
}

/// A state of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The hash.
    pub hash: String,
    /// The branch; nothing if it is none.
    pub branch: Option<String>,
    /// Whether tracked files differ from the commit.
    pub dirty: bool,
}

/// A run of a CI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CiRun {
    /// What the system calls it.
    pub id: String,
    /// Where it can be looked at.
    pub url: Option<String>,
}
