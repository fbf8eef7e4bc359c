//! The laws of the reader of a driver's messages: they depend on the bytes alone, and each has one meaning.

use serde_json::Value;
use slt_external::message::Message;
use slt_external::reader::MessageReader;

/// Small, so that few bytes are enough to go beyond it.
const LIMIT: usize = 500;

/// Reads `bytes` whole and in chunks of these sizes, as lines (version 2) or as objects (version 1).
pub fn check(bytes: &[u8], chunks: &[u8], lines: bool) {
    let whole = read(bytes, &mut std::iter::repeat(bytes.len()), lines);
    let sizes = &mut chunks.iter().map(|size| usize::from(*size));
    assert_eq!(whole, read(bytes, sizes, lines), "the messages depend on how they arrive");
    let refused = whole.iter().filter(|message| message.is_none()).count();
    assert!(refused == 0 || (refused == 1 && whole.ends_with(&[None])), "a message after a refused one");
}

/// Returns the messages; `None` for what is refused, after which a reader is of no use.
fn read(bytes: &[u8], sizes: &mut dyn Iterator<Item = usize>, lines: bool) -> Vec<Option<String>> {
    let mut reader = MessageReader::new(LIMIT);
    if lines {
        reader.expect_lines();
    }
    let (mut messages, mut rest) = (Vec::new(), bytes);
    while !messages.ends_with(&[None]) {
        match reader.find() {
            Ok(Some(found)) => messages.push(shown(reader.message(found), lines)),
            Ok(None) if rest.is_empty() => return messages,
            Ok(None) => {
                // What is left over comes byte by byte.
                let (chunk, later) = rest.split_at(sizes.next().unwrap_or(1).clamp(1, rest.len()));
                reader.space()[..chunk.len()].copy_from_slice(chunk);
                reader.advance(chunk.len());
                rest = later;
            }
            Err(_) => messages.push(None),
        }
    }
    messages
}

fn shown(json: &[u8], lines: bool) -> Option<String> {
    assert!(json.len() <= LIMIT);
    let message = Message::from_json(json).ok()?;
    // Fields without a meaning may have what others refuse: numbers out of range, halves of surrogate pairs.
    if let Ok(value) = serde_json::from_slice::<Value>(json) {
        let meanings = ["hello", "result", "results", "err", "unsupported"];
        assert_eq!(meanings.iter().filter(|word| value.get(word).is_some_and(|it| !it.is_null())).count(), 1);
    }
    assert!(str::from_utf8(json).is_ok(), "a message that is not UTF-8");
    assert!(!lines || !json.trim_ascii().contains(&b'\n'), "a message of several lines");
    Some(format!("{message:?}"))
}
