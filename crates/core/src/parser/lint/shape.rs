//! The number of expected values: beside the number of type letters, and beside the threshold.

use super::rows::{FileState, ValueForm, words};
use super::{LintFinding, LintRule};
use crate::parser::dialect::Matcher;

pub(super) fn find(queries: &[FileState<'_, '_>], found: &mut Vec<LintFinding>) {
    for query in queries {
        if let Some(text) = wrong_types(query) {
            found.push(LintFinding::new(query.line(), LintRule::WrongTypeCount, text));
        }
        threshold(query, found);
    }
}

fn wrong_types(query: &FileState<'_, '_>) -> Option<String> {
    let columns = query.query.types.len();
    if columns == 0 {
        return None;
    }
    let letters = plural(columns, "type letter");
    if let Some(hash) = query.hash() {
        let is_whole = hash.values % columns as u64 == 0;
        return (!is_whole).then(|| format!("{letters}, and the hash is of {} values", hash.values));
    }
    let block = query.listed()?;
    match query.form(block)? {
        ValueForm::Values => {
            let values = block.lines().count();
            (values % columns != 0).then(|| format!("{letters}, and {}", plural(values, "expected value")))
        }
        ValueForm::Tabs => {
            let cells = |line: &[u8]| line.iter().filter(|&&byte| byte == b'\t').count() + 1;
            let wrong = block.lines().map(cells).find(|&cells| cells != columns)?;
            Some(format!("{letters}, and a row of {}", plural(wrong, "value")))
        }
        ValueForm::Words => {
            // A value can have several words, and an empty value has no word; fewer words than letters everywhere are no accident.
            let most = block.lines().map(|line| words(line).count()).max()?;
            (most < columns).then(|| format!("{letters}, and rows of at most {}", plural(most, "value")))
        }
    }
}

fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn threshold(query: &FileState<'_, '_>, found: &mut Vec<LintFinding>) {
    let threshold = query.threshold();
    let mut add = |rule, text: String| found.push(LintFinding::new(query.line(), rule, text));
    match (query.profile.matcher, query.hash()) {
        (Matcher::SqllogictestRs, Some(hash)) if threshold == 0 => {
            let text = format!("a hash of {} values, and no `hash-threshold` before it", hash.values);
            add(LintRule::HashWithoutThreshold, text);
        }
        (Matcher::ValuePerLine(_), Some(hash)) if threshold == 0 || hash.values <= threshold => {
            let text = format!("a hash of {} values, and the threshold is {threshold}", hash.values);
            add(LintRule::HashBelowThreshold, text);
        }
        (Matcher::ValuePerLine(_), None) if threshold > 0 => {
            let values = query.listed().map_or(0, |block| block.lines().count());
            if values as u64 > threshold {
                let text = format!("{values} listed values, and the threshold is {threshold}");
                add(LintRule::ValuesAboveThreshold, text);
            }
        }
        _ => {}
    }
}
