//! Names of records that stay when other records come or go.

use std::collections::HashMap;

use super::folded;
use crate::outcome::{Digest, RecordId, RecordKey, RecordName, RecordRef};
use crate::parser::{ConditionKind, Record, Script};

/// Returns the keys of the records on `lines`, which are in the order of the script. A line without a record has no key.
pub fn record_keys(script: &Script<'_>, lines: &[u32]) -> Vec<Option<RecordKey>> {
    let (mut ordinals, mut keys) = (HashMap::<Digest, u64>::new(), HashMap::new());
    let last = lines.iter().max().copied().unwrap_or(0);
    let mut buffer = Vec::new();
    for record in
        script.records().take_while(|record| record.line <= last).filter(|record| record.is_counted())
    {
        let digest = Digest::from_words(words(script, record, &mut buffer));
        let ordinal = ordinals.entry(digest).or_insert(0);
        let key = Digest::from_words([digest.0.as_slice(), &ordinal.to_le_bytes()]).short();
        *ordinal += 1;
        keys.insert(record.line, RecordKey(key));
    }
    lines.iter().map(|line| keys.get(line).copied()).collect()
}

/// Returns a digest of the identities of all records and of the conditions under which they are executed. Control
/// records are included: a `halt` decides which others are executed.
pub fn records_digest(script: &Script<'_>) -> u64 {
    let mut buffer = Vec::new();
    let digests = script.records().map(|record| {
        let conditions: Vec<_> =
            record.conditions.iter().flat_map(|one| [kind_of(one.kind), one.name]).collect();
        let words = words(script, record, &mut buffer);
        Digest::from_words(conditions.into_iter().chain(words)).0
    });
    let digests: Vec<_> = digests.collect();
    Digest::from_words(digests.iter().map(|digest| digest.as_slice())).short()
}

fn kind_of(kind: ConditionKind) -> &'static [u8] {
    match kind {
        ConditionKind::SkipIf => b"skipif",
        ConditionKind::OnlyIf => b"onlyif",
    }
}

/// Returns the records that have one of these names, in the order of the script.
pub fn records_named(script: &Script<'_>, names: &[RecordName]) -> Vec<RecordRef> {
    if names.is_empty() {
        return Vec::new();
    }
    let lines: Vec<_> =
        script.records().filter(|record| record.is_counted()).map(|record| record.line).collect();
    let keys = record_keys(script, &lines);
    let all = lines.into_iter().zip(keys).map(|(line, key)| RecordRef { id: RecordId::at(line), key });
    all.filter(|record| names.iter().any(|name| name.means(&record.id, record.key))).collect()
}

/// Returns the identity of a record: the words of its SQL, or of all its text if it has none.
fn words<'b>(
    script: &'b Script<'_>,
    record: &'b Record<'_>,
    buffer: &'b mut Vec<u8>,
) -> impl Iterator<Item = &'b [u8]> + use<'b> {
    let text = record.sql().map_or(&script.source.bytes()[record.span.clone()], |sql| sql.text(buffer));
    folded::words(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::Source;
    use crate::parser::{SQLITE, parse};

    #[test]
    fn a_key_stays_when_lines_move() {
        let keys = |text: &str, lines: &[u32]| {
            let source = Source::new("keys.test", text);
            record_keys(&parse(&source, &SQLITE), lines)
        };
        let first =
            keys("statement ok\nSELECT 1\n\nstatement ok\nSELECT 1\n\nstatement ok\nSELECT 2\n", &[1, 4, 7]);
        let moved = keys(
            "# new\n\nstatement ok\nSELECT 3\n\nstatement ok\nSELECT  1\n\nstatement error\nSELECT\n1\n",
            &[6, 9],
        );
        assert_eq!(first[..2], moved);
        assert!(first[0] != first[1] && first[1] != first[2]);
        let of_sql = |sql: &str| keys(&format!("statement ok\n{sql}\n"), &[1]);
        assert_ne!(of_sql("SELECT length('a  b')"), of_sql("SELECT length('a b')"));
        assert_ne!(of_sql("SELECT 1 --a\n+1"), of_sql("SELECT 1 --a +1"));
        assert_eq!(keys("statement ok\nSELECT 1\n", &[5]), [None], "no record on this line");
    }
}
