//! Fields of CSV.

/// A field as RFC 4180 has it. Text without a character is a pair of quotes: nothing at all is NULL.
pub fn field(text: &str) -> String {
    if text.is_empty() || text.contains([',', '"', '\r', '\n']) || text.trim() != text {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
