//! Runs in one portable file: for `store export`, `store merge` and `store backup`.
//!
//! The file is a Zstandard frame of checksummed JSON lines (see `jsonl`), which any `zstd -dc` shows, and a
//! seal behind it:
//!
//! ```text
//! {"Runs":{"format":1,"program":"0.1.0"}}                  the first line
//! {"Run":{"name":"20261122-214410","lines":12}}            for each run, and then so many lines of its journal
//! {"End":{"runs":1}}                                       the last line
//! ```
//!
//! The seal is a frame that decoders skip. It has the MD5 of all bytes before it, so that whatever is changed or cut
//! off is noticed before anything is taken in: also those bits of a frame that its decoder has no use for.

mod load;
mod merge;
mod read;
mod write;

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::folder::FolderError;

pub use load::load;
pub use merge::{Arrival, Became, merge};
pub use read::is_portable;
pub(super) use read::{Sink, read};
pub use write::{Written, write};

/// The ending of files with several runs.
pub const ENDING: &str = "runs.zst";
/// The ending of files with one run.
pub const ENDING_OF_ONE: &str = "run.zst";

/// The version of the format.
const FORMAT: u32 = 2;

/// The lines that are of no journal.
#[derive(Debug, Serialize, Deserialize)]
enum Frame {
    Runs { format: u32, program: String },
    Run { name: String, lines: u64 },
    End { runs: u64 },
}

/// The beginning of a Zstandard frame.
const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();
/// The beginning of the seal: a frame to be skipped, and that it is as long as an MD5 in hexadecimal digits.
const SEAL: [u8; 8] = [0x5E, 0x2A, 0x4D, 0x18, 32, 0, 0, 0];
/// All bytes of the seal.
const SEALED: u64 = 40;

/// Why runs cannot be written to a file, or taken from it.
#[derive(Debug, thiserror::Error)]
pub enum PortableError {
    /// The folder of runs cannot be read or written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The run goes on.
    #[error("run `{0}` is still in progress")]
    Running(String),
    /// The file cannot be read or written.
    #[error("cannot {what} `{}`", path.display())]
    Io {
        /// What was to be done.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is another kind of file.
    #[error("`{}` is not a file of exported runs", .0.display())]
    Foreign(PathBuf),
    /// Another version of this program has written the file.
    #[error("`{}` has format {found}, and this program reads format {FORMAT}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// The file is not what was written.
    #[error("`{}` is damaged: {damage}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How that is known.
        damage: Damage,
    },
}

/// What is wrong with a file of runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The seal is missing.
    #[error("its end is missing")]
    Cut,
    /// The seal is of other bytes.
    #[error("its checksum is of another content")]
    Changed,
    /// It cannot be decompressed.
    #[error("it cannot be decompressed")]
    Compression,
    /// A line is not whole, or not the one that belongs there.
    #[error("line {0} is not whole, or out of place")]
    Line(u64),
    /// The lines of a run are no journal of this version.
    #[error("run `{0}` has a journal that this version cannot read")]
    Journal(String),
}

fn io_error<'p>(what: &'static str, path: &'p std::path::Path) -> impl Fn(io::Error) -> PortableError + 'p {
    move |source| PortableError::Io { what, path: path.to_owned(), source }
}
