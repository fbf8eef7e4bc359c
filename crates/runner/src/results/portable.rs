//! Runs in one portable file: for `store export`, `store merge` and `store backup`.
//!
//! The file is a Zstandard frame of checksummed JSON lines (see `jsonl`), readable with any `zstd -dc`, followed by a
//! seal:
//!
//! ```text
//! {"Runs":{"format":1,"program":"0.1.0"}}                  the first line
//! {"Run":{"name":"20261122-214410","lines":12}}            for each run, followed by this number of journal lines
//! {"End":{"runs":1}}                                       the last line
//! ```
//!
//! The seal is a frame that decoders skip. It has the MD5 of all bytes before it, so that any change or truncation is
//! detected before a run is imported, even in bits that the decoder ignores.

mod merge;
mod read;
mod write;

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::folder_error::FolderError;

pub use merge::{ArrivedRun, MergeOutcome, merge};
pub(super) use read::{RunLines, read};
pub use read::{is_portable, load};
pub use write::{ExportSummary, write};

/// The ending of files with several runs.
pub const ENDING: &str = "runs.zst";
/// The ending of files with one run.
pub const ENDING_OF_ONE: &str = "run.zst";

/// The version of the format.
const FORMAT: u32 = 2;

/// The lines between journals.
#[derive(Debug, Serialize, Deserialize)]
enum FrameLine {
    Runs { format: u32, program: String },
    Run { name: String, lines: u64 },
    End { runs: u64 },
}

/// The beginning of a Zstandard frame.
const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();
/// The beginning of the seal: a skippable frame with the length of an MD5 in hexadecimal digits.
const SEAL: [u8; 8] = [0x5E, 0x2A, 0x4D, 0x18, 32, 0, 0, 0];
/// The length of the seal.
const SEALED: u64 = 40;

/// An error while writing or reading a file of runs.
#[derive(Debug, thiserror::Error)]
pub enum PortableError {
    /// The folder of runs cannot be read or written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The run is in progress.
    #[error("run `{0}` is still in progress")]
    Running(String),
    /// The file cannot be read or written.
    #[error("cannot {what} `{}`", path.display())]
    Io {
        /// The failed action.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
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
    /// The file is corrupt.
    #[error("`{}` is damaged: {damage}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The defect.
        damage: Damage,
    },
    /// A backup differs from the journals.
    #[error("the backup in `{}` was read back, and run `{run}` is not the same", folder.display())]
    Different {
        /// The folder of backups.
        folder: PathBuf,
        /// The run that differs.
        run: String,
    },
    /// A new backup is complete, but an older one could not be removed.
    #[error("the backup `{}` is made, but `{}` cannot be removed", made.display(), old.display())]
    NotRemoved {
        /// The new one.
        made: PathBuf,
        /// The old one.
        old: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// A defect of a file of runs.
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
    /// A line is incomplete or out of place.
    #[error("line {0} is not whole, or out of place")]
    Line(u64),
    /// The lines of a run are not a journal of this version.
    #[error("run `{0}` has a journal that this version cannot read")]
    Journal(String),
}

fn io_error<'p>(what: &'static str, path: &'p std::path::Path) -> impl Fn(io::Error) -> PortableError + 'p {
    move |source| PortableError::Io { what, path: path.to_owned(), source }
}
