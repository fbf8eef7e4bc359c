//! Records behind a missing blank line, which are read as expected values.

use super::{LintFinding, LintRule};
use crate::parser::dialect::begins_record;
use crate::parser::error::LintKind;
use crate::parser::record::Script;

pub(super) fn find(script: &Script<'_>, found: &mut Vec<LintFinding>) {
    let bytes = script.source.bytes();
    for record in script.records().filter(|record| record.defect.is_none()) {
        let Some(places) = script.places(record) else { continue };
        let lines = places.result.into_iter().flat_map(|result| result.lines);
        let headers = lines.filter(|(text, _)| begins_record(&bytes[text.clone()], script.profile));
        found.extend(headers.map(|(text, _)| {
            let before = memchr::memchr_iter(b'\n', &bytes[record.span.start..text.start]).count();
            let line = record.lines.start + before as u32;
            LintFinding::new(line, LintRule::HeaderInValues, LintKind::HeaderInValues.to_string())
        }));
    }
}
