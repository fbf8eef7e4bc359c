//! Digests that stand for files in indexes.

use md5::{Digest as _, Md5};

use slt_core::location::FileId;

/// A digest of the identity of a file, or of its path in reports. No other file has the same one.
pub(super) type FileKey = [u8; FILE_KEY];

/// The length of a key.
pub(super) const FILE_KEY: usize = 16;

/// Returns the key of the identity of a file.
pub(super) fn key_of_file(file: &FileId) -> FileKey {
    key(b"file", file.key())
}

/// Returns the key of the path of a file in reports, which copies of a suite without a name have in common.
pub(super) fn key_of_path(file: &FileId) -> FileKey {
    key(b"path", file.path())
}

/// Returns the key of an engine.
pub(super) fn key_of_engine(engine: &str) -> FileKey {
    key(b"engine", engine)
}

/// Returns the key of a file or of a path on an engine. Digests are random enough to be combined so.
pub(super) fn combined(engine: FileKey, file: FileKey) -> FileKey {
    (u128::from_le_bytes(engine) ^ u128::from_le_bytes(file)).to_le_bytes()
}

fn key(kind: &[u8], text: &str) -> FileKey {
    let mut md5 = Md5::new_with_prefix(kind);
    md5.update([0]);
    md5.update(text);
    md5.finalize().into()
}
