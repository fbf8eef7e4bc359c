//! Labels: queries with the same one must have the same result.

use std::collections::HashMap;

use md5::{Digest as _, Md5};

use super::rows::FileState;
use super::{LintFinding, LintRule};
use crate::location::text_of;
use crate::parser::control::Control;
use crate::parser::record::{RecordKind, Script};

/// The use of a label so far.
struct LabelUse {
    /// The line of its first query.
    first: u32,
    uses: u32,
    /// The first expectation: its line, its number of values and their digest.
    expected: Option<(u32, u64, [u8; 16])>,
}

pub(super) fn find(script: &Script<'_>, queries: &[FileState<'_, '_>], found: &mut Vec<LintFinding>) {
    if !script.profile.labels_compare {
        return;
    }
    let mut labels: HashMap<&[u8], LabelUse> = HashMap::new();
    let mut queries = queries.iter().peekable();
    let unused = |label: &[u8], used: &LabelUse, found: &mut Vec<LintFinding>| {
        if used.uses == 1 {
            let text = format!("no other query has the label `{}`", text_of(label));
            found.push(LintFinding::new(used.first, LintRule::UnusedLabel, text));
        }
    };
    for record in script.records() {
        if let RecordKind::Control(Control::ResetLabel(label)) = record.kind
            && let Some(used) = labels.remove(label)
        {
            unused(label, &used, found);
        }
        let Some(query) = queries.next_if(|query| query.line() == record.line) else { continue };
        let Some(label) = query.query.label else { continue };
        let line = query.line();
        let used = labels.entry(label).or_insert(LabelUse { first: line, uses: 0, expected: None });
        used.uses += 1;
        let Some((values, digest)) = expected(query) else { continue };
        match used.expected {
            Some((other, _, before)) if before != digest => {
                let text =
                    format!("another result is expected for the label `{}` on line {other}", text_of(label));
                found.push(LintFinding::new(line, LintRule::ContradictoryLabels, text));
            }
            Some(_) => {}
            None => used.expected = Some((line, values, digest)),
        }
    }
    labels.iter().for_each(|(label, used)| unused(label, used, found));
}

/// Returns the number and the digest of the expected values; `None` if nothing is listed, which compares nothing.
fn expected(query: &FileState<'_, '_>) -> Option<(u64, [u8; 16])> {
    if let Some(hash) = query.hash() {
        return Some((hash.values, hash.digest));
    }
    let rows = query.rows().filter(|rows| !rows.is_empty())?;
    let (mut md5, mut values) = (Md5::new(), 0);
    for value in rows.iter().flatten() {
        md5.update(value);
        md5.update(b"\n");
        values += 1;
    }
    Some((values, md5.finalize().into()))
}
