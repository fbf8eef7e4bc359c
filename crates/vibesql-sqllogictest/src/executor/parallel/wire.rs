//! What the processes of a run tell each other.
//!
//! The orchestrator writes one document for all workers; each worker answers on its standard output with one
//! message a line, framed as RFC 7464 has it: a record separator, JSON, a line feed. An engine that prints to
//! standard output therefore cannot break a message, and what it prints is not taken for one. The types are
//! serialised as they are, since both ends are one program in one version, and the first message makes sure of that.

use std::io::{self, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::plan::{Origin, WorkItem};
use crate::executor::Options;
use crate::outcome::{FailureDetail, FileReport};

/// What both ends must agree on: the version of the messages and of the program.
pub(super) const PROTOCOL: &str = concat!("1/", env!("CARGO_PKG_VERSION"));

/// What a run needs to know besides its files.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Settings {
    /// The engine, as the command line names it.
    pub engine: String,
    /// How scripts are executed.
    pub options: Options,
    /// The dialect to read every file in, instead of what it says of itself.
    pub dialect: Option<String>,
    /// Whether the reference runner's holes are reproduced.
    pub exact: bool,
}

/// The document that the workers of a run read.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Assignment {
    pub(super) protocol: String,
    pub(super) settings: Settings,
    pub(super) items: Vec<AssignedItem>,
}

/// A file of the run; one without a path is in the program itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AssignedItem {
    pub(super) file: String,
    pub(super) shown: String,
    pub(super) path: Option<PathBuf>,
}

impl AssignedItem {
    pub(super) fn of(item: &WorkItem) -> Self {
        let path = match &item.origin {
            Origin::Disk(path) => Some(path.clone()),
            Origin::Embedded(_) => None,
        };
        Self { file: item.file.clone(), shown: item.shown.clone(), path }
    }
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WorkerMessage {
    /// The first message.
    Hello { protocol: String },
    /// An item was claimed.
    Claimed { item: usize },
    /// The item was read and has this many records.
    Counted { item: usize, total: u64 },
    /// A record of the item has not passed.
    NotPassed { item: usize, line: u32, detail: Option<Box<FailureDetail>> },
    /// The item is done. The records that have not passed are not repeated.
    Finished { item: usize, report: Box<FileReport> },
    /// There is nothing left to claim.
    Done,
}

const RECORD_SEPARATOR: u8 = 0x1e;

impl WorkerMessage {
    /// Writes the message in its frame, in one piece.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut frame = vec![RECORD_SEPARATOR];
        serde_json::to_writer(&mut frame, self)?;
        frame.push(b'\n');
        out.write_all(&frame)?;
        out.flush()
    }

    /// Whether a worker that is at `current` of `items` files can say this. Only a worker gone wrong, or an engine that
    /// imitates one, says anything else.
    pub(super) fn makes_sense(&self, current: Option<usize>, items: usize) -> bool {
        match self {
            Self::Hello { protocol } => protocol == PROTOCOL,
            Self::Claimed { item } => current.is_none() && *item < items,
            Self::Counted { item, .. } | Self::NotPassed { item, .. } => current == Some(*item),
            Self::Finished { item, report } => current == Some(*item) && report.counts.add_up(),
            Self::Done => current.is_none(),
        }
    }

    /// Reads the message of a line; nothing if the line is no message but something else that was printed.
    pub(super) fn read(line: &[u8]) -> Option<Result<Self, serde_json::Error>> {
        // What an engine printed without a line feed stands in front of the frame.
        let start = memchr::memrchr(RECORD_SEPARATOR, line)? + 1;
        Some(serde_json::from_slice(&line[start..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_what_an_engine_prints() {
        let mut stream = b"printed without end".to_vec();
        WorkerMessage::Claimed { item: 3 }.write(&mut stream).unwrap();
        stream.extend_from_slice(b"a whole line\n");
        WorkerMessage::Done.write(&mut stream).unwrap();
        let messages: Vec<_> =
            stream.split_inclusive(|&byte| byte == b'\n').filter_map(WorkerMessage::read).collect();
        assert!(matches!(
            messages.as_slice(),
            [Ok(WorkerMessage::Claimed { item: 3 }), Ok(WorkerMessage::Done)]
        ));
    }
}
