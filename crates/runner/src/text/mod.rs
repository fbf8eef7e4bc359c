//! Formats outcomes for all outputs.

pub mod count;
pub mod csv;
pub mod detail;
pub mod document;
pub mod evidence;
pub mod failure;
pub mod file;
pub mod markdown;
pub mod object;
pub mod style;
pub mod table;
pub mod visible;

/// Returns the output of `write`. Writing to a string cannot fail.
pub fn written(write: impl FnOnce(&mut String) -> std::fmt::Result) -> String {
    let mut text = String::new();
    match write(&mut text) {
        Ok(()) | Err(std::fmt::Error) => text,
    }
}
