//! Paths as text, without loss: how reports, journals and messages name a file.
//!
//! Bytes that are not UTF-8 and characters that are not seen are written `\xHH`, so a name is text, stays on one line, and
//! can be typed. Where a name has such bytes, or looks as if it had, its backslashes are written `\x5c`. Any other path is its own text.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// Returns the text of a path.
pub fn of(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(is_unseen) && !has_escape(bytes) => text.to_owned(),
        _ => bytes.utf8_chunks().fold(String::new(), |mut out, chunk| {
            for sign in chunk.valid().chars() {
                if sign == '\\' || is_unseen(sign) {
                    sign.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| escape(&mut out, byte));
                } else {
                    out.push(sign);
                }
            }
            chunk.invalid().iter().for_each(|&byte| escape(&mut out, byte));
            out
        }),
    }
}

/// Returns the path that a text of [`of`] names.
pub fn path(text: &str) -> PathBuf {
    let mut rest = text.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((&first, others)) = rest.split_first() {
        match escaped(rest) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[4..];
            }
            None => {
                bytes.push(first);
                rest = others;
            }
        }
    }
    OsString::from_vec(bytes).into()
}

/// Returns the path that the user means: the existing path with exactly this name, or else the one that [`of`] would
/// write like this.
pub fn typed(word: &str) -> PathBuf {
    let path = PathBuf::from(word);
    if has_escape(word.as_bytes()) && path.symlink_metadata().is_err() { self::path(word) } else { path }
}

/// Returns whether a character moves the cursor, is invisible, changes the text direction, or is a noncharacter.
pub fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{fdd0}'..='\u{fdef}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{fffe}'
                | '\u{ffff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

fn escape(out: &mut String, byte: u8) {
    // Writing to a string does not fail.
    write!(out, "\\x{byte:02x}").ok();
}

fn has_escape(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|window| escaped(window).is_some())
}

/// Returns the byte that is written at the beginning as `\xHH`, in the digits of [`escape`].
fn escaped(bytes: &[u8]) -> Option<u8> {
    let digits = bytes.strip_prefix(b"\\x")?.get(..2)?;
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let digits =
        std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|byte| is_digit(&byte)))?;
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_of_paths() {
        let check = |bytes: &[u8]| of(Path::new(OsStr::from_bytes(bytes)));
        assert_eq!(check(b"a/b c.test"), "a/b c.test");
        assert_eq!(check("ä\\b.test".as_bytes()), "ä\\b.test");
        assert_eq!(check(b"caf\xe9\\.test"), "caf\\xe9\\x5c.test");
        assert_eq!(check(b"a\nb\x1b.test"), "a\\x0ab\\x1b.test");
        assert_eq!(check(b"a\\x0ab"), "a\\x5cx0ab", "it only looks like an escape");
        assert_eq!(check(b"a\\xZZ\\x1"), "a\\xZZ\\x1");
    }

    proptest! {
        #[test]
        fn a_text_names_one_path(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\\'), Just(b'x'), Just(b'0')], 0..12)) {
            let name = Path::new(OsStr::from_bytes(&bytes));
            let text = of(name);
            prop_assert_eq!(path(&text), name);
            prop_assert!(!text.contains(char::is_control));
        }
    }
}
