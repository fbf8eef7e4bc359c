//! Comments that silence rules: `# slt-allow: CODE, CODE`.
//!
//! A comment directly above a record silences the rules for it. In a block of comments that a blank line follows, before
//! the first record, it silences them for the file.

use super::LintFinding;
use crate::parser::record::{Item, Script};

const MARK: &[u8] = b"slt-allow:";

/// The rules that comments of a file silence.
pub(super) struct Silenced<'s> {
    everywhere: Vec<&'s [u8]>,
    /// The first and the last line of a record, and a code.
    records: Vec<(u32, u32, &'s [u8])>,
}

impl<'s> Silenced<'s> {
    pub(super) fn read(script: &Script<'s>) -> Self {
        let bytes = script.source.bytes();
        let mut silenced = Self { everywhere: Vec::new(), records: Vec::new() };
        if memchr::memmem::find(bytes, MARK).is_none() {
            return silenced;
        }
        let mut is_head = true;
        for (at, item) in script.items.iter().enumerate() {
            match (item, script.items.get(at + 1)) {
                (Item::Record(_), _) => is_head = false,
                (Item::Comment(span), Some(Item::Record(record))) => {
                    let lines = (record.lines.start, record.lines.end);
                    let codes = codes(&bytes[span.clone()]);
                    silenced.records.extend(codes.map(|code| (lines.0, lines.1, code)));
                }
                (Item::Comment(span), _) if is_head => {
                    silenced.everywhere.extend(codes(&bytes[span.clone()]));
                }
                _ => {}
            }
        }
        silenced
    }

    pub(super) fn covers(&self, finding: &LintFinding) -> bool {
        let code = finding.rule.code().as_bytes();
        self.everywhere.contains(&code)
            || self
                .records
                .iter()
                .any(|&(first, end, allowed)| (first..end).contains(&finding.line) && allowed == code)
    }
}

/// Returns the codes that comment lines allow.
fn codes(comments: &[u8]) -> impl Iterator<Item = &[u8]> {
    let allowed = |line| {
        let line: &[u8] = line;
        line.trim_ascii().strip_prefix(b"#").and_then(|comment| comment.trim_ascii().strip_prefix(MARK))
    };
    let lines = comments.split(|&byte| byte == b'\n').filter_map(allowed);
    lines.flat_map(|codes| codes.split(|&byte| byte == b',' || byte == b' ')).filter(|code| !code.is_empty())
}
