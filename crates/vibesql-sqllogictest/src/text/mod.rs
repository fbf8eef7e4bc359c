//! Words: how outcomes read, in one place for every audience that reads sentences.

pub(crate) mod count;
pub(crate) mod document;
pub(crate) mod evidence;
pub(crate) mod failure;
pub(crate) mod markdown;
pub(crate) mod visible;

#[cfg(feature = "cli")]
pub(crate) mod detail;
#[cfg(feature = "cli")]
pub(crate) mod style;

/// Returns what `write` writes. Writing to a string cannot fail.
pub(crate) fn written(write: impl FnOnce(&mut String) -> std::fmt::Result) -> String {
    let mut text = String::new();
    match write(&mut text) {
        Ok(()) | Err(std::fmt::Error) => text,
    }
}
