//! MD5 as text.

use md5::{Digest as _, Md5};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Returns a digest in hexadecimal digits.
pub(super) fn hexadecimal(md5: Md5) -> String {
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)]));
    md5.finalize().iter().flat_map(digits).collect()
}

/// Returns the digest of bytes in hexadecimal digits.
pub(super) fn of(bytes: &[u8]) -> String {
    hexadecimal(Md5::new_with_prefix(bytes))
}
