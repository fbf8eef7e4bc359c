//! MD5 as text.

use md5::{Digest as _, Md5};

/// Returns a digest in hexadecimal digits.
pub(super) fn hexadecimal(md5: Md5) -> String {
    md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the digest of bytes in hexadecimal digits.
pub(super) fn of(bytes: &[u8]) -> String {
    hexadecimal(Md5::new_with_prefix(bytes))
}
