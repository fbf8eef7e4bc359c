//! Digests that stand for files in indexes.

use md5::{Digest as _, Md5};

use slt_core::location::FileId;

/// A digest of the identity of a file, or of its path in reports. No other file has the same one.
pub(super) type FileKey = [u8; 16];

/// Returns the key of the identity of a file.
pub(super) fn key_of_file(file: &FileId) -> FileKey {
    key(b"file", file.key())
}

/// Returns the key of the path of a file in reports, which copies of a suite without a name have in common.
pub(super) fn key_of_path(file: &FileId) -> FileKey {
    key(b"path", file.path())
}

/// Returns the key of a file, or of a path, on an engine.
pub(super) fn on_engine(engine: &str, key: FileKey) -> FileKey {
    combined(key_of_engine(engine), key)
}

/// Returns the key of an engine.
pub(super) fn key_of_engine(engine: &str) -> FileKey {
    key(b"engine", engine)
}

/// Combines the keys of an engine and of a file. Digests are random enough for this.
pub(super) fn combined(engine: FileKey, file: FileKey) -> FileKey {
    (u128::from_le_bytes(engine) ^ u128::from_le_bytes(file)).to_le_bytes()
}

fn key(kind: &[u8], text: &str) -> FileKey {
    let mut md5 = Md5::new_with_prefix(kind);
    md5.update([0]);
    md5.update(text);
    md5.finalize().into()
}
