//! Fields of CSV.

/// Returns a field as in RFC 4180. Empty text is a pair of quotes, because an empty field means NULL.
pub fn field(text: &str) -> String {
    if text.is_empty() || text.contains([',', '"', '\r', '\n']) || text.trim() != text {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
