//! Shards: the parts of a run on several machines, and the provenance of a run that was combined from them.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::wire::{FileIdForm, List, RemoteForm as _, RunEndForm};
use slt_core::location::FileId;
use slt_core::outcome::RunEnd;

/// The shard that a run has executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunShard {
    /// Its number, from 1.
    pub number: u64,
    /// The number of shards.
    pub count: u64,
    /// The name that all shards of one run share; shards without it are not combined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The attempt of the CI; a higher one replaces a lower one. 0 if unknown.
    pub attempt: u64,
    /// A checksum of all files of all shards, and of the shard of each: equal for the shards of one run.
    pub split: String,
    /// Whether all shards together exclude files of the suite.
    pub is_part: bool,
    /// The files of the other shards.
    #[serde(with = "List::<FileIdForm>")]
    pub others: Vec<FileId>,
}

/// The shards that a run was combined from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CombinedShards {
    /// The name of the group.
    pub group: String,
    /// The number of shards.
    pub count: u64,
    /// As in [`RunShard::split`].
    pub split: String,
    /// The shards with results, by their numbers.
    pub parts: Vec<ShardPart>,
    /// The files of the other shards.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "List::<FileIdForm>")]
    pub missing_files: Vec<FileId>,
}

/// A shard in a combined run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardPart {
    /// Its number, from 1.
    pub number: u64,
    /// As in [`RunShard::attempt`].
    pub attempt: u64,
    /// The name of its run.
    pub run: String,
    /// The start time of its run, in milliseconds since 1970 in UTC.
    pub started: i64,
    /// The machine.
    pub host: String,
    /// The duration.
    pub elapsed: Duration,
    /// The end of its run.
    #[serde(with = "RunEndForm")]
    pub end: RunEnd,
    /// Whether every file has a result.
    pub is_complete: bool,
    /// Its files.
    #[serde(with = "List::<FileIdForm>")]
    pub files: Vec<FileId>,
}

impl ShardPart {
    /// Returns whether both are the same execution of the shard, one of them perhaps before it was resumed.
    pub(super) fn is_same_run(&self, other: &Self) -> bool {
        let identity = |part: &Self| (part.number, part.attempt, part.started, part.host.clone());
        identity(self) == identity(other)
    }
}

impl CombinedShards {
    /// Returns the numbers of the missing shards. A shard without files is not missing.
    pub fn missing(&self) -> Vec<u64> {
        if self.missing_files.is_empty() {
            return Vec::new();
        }
        let present: BTreeSet<_> = self.parts.iter().map(|part| part.number).collect();
        (1..=self.count).filter(|number| !present.contains(number)).collect()
    }

    /// Returns the numbers of the shards that lack results.
    pub fn incomplete(&self) -> Vec<u64> {
        self.parts.iter().filter(|part| !part.is_complete).map(|part| part.number).collect()
    }
}
