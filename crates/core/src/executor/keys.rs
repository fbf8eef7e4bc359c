//! Names of records that stay when other records come or go.

use std::collections::HashMap;

use super::folded;
use super::text_hash::TextHash;
use crate::outcome::{Digest, RecordId, RecordKey, RecordName, RecordRef};
use crate::parser::{ConditionKind, Record, Script};

/// Returns the keys of the records at these places. A place without a record has no key.
pub fn record_keys(script: &Script<'_>, places: &[&RecordId]) -> Vec<Option<RecordKey>> {
    let last = places.iter().filter(|place| place.source.is_none()).map(|place| place.line).max();
    let own = digests(script, last.unwrap_or(0));
    let mut included = HashMap::<&str, HashMap<u32, Digest>>::new();
    for name in places.iter().filter_map(|place| place.source.as_deref()) {
        if let Some(script) = script.included_script(name) {
            included.entry(name).or_insert_with(|| digests(script, u32::MAX));
        }
    }
    let key = |place: &&RecordId| {
        let source = place.source.as_deref();
        let digest = source.map_or(Some(&own), |name| included.get(name))?.get(&place.line)?;
        if source.is_none() && place.iteration.is_none() {
            return Some(RecordKey(digest.short()));
        }
        let place = [source.unwrap_or_default(), place.iteration.as_deref().unwrap_or_default()];
        let words = [digest.0.as_slice(), place[0].as_bytes(), place[1].as_bytes()];
        Some(RecordKey(Digest::from_words(words).short()))
    };
    places.iter().map(key).collect()
}

/// Returns a digest for each line up to `last` with a record: of its SQL, and of its number among the records with the
/// same SQL.
fn digests(script: &Script<'_>, last: u32) -> HashMap<u32, Digest> {
    let (mut ordinals, mut digests) = (HashMap::<Digest, u64>::new(), HashMap::new());
    let mut buffer = Vec::new();
    for record in
        script.records().take_while(|record| record.line <= last).filter(|record| record.is_counted())
    {
        let digest = Digest::from_words(words(script, record, &mut buffer));
        let ordinal = ordinals.entry(digest).or_insert(0);
        digests.insert(record.line, Digest::from_words([digest.0.as_slice(), &ordinal.to_le_bytes()]));
        *ordinal += 1;
    }
    digests
}

/// Returns a digest of the identities of all records and of the conditions under which they are executed. Control
/// records are included: a `halt` decides which others are executed.
pub fn records_digest(script: &Script<'_>) -> u64 {
    let mut digest = TextHash::default();
    let mut buffers = Default::default();
    enter_records(script, &mut digest, &mut buffers);
    digest.value()
}

fn enter_records(script: &Script<'_>, digest: &mut TextHash, buffers: &mut [Vec<u8>; 2]) {
    let [text, folded] = buffers;
    for record in script.records() {
        digest.add_number(record.conditions.len() as u64);
        for condition in &record.conditions {
            digest.add(kind_of(condition.kind));
            digest.add(condition.name);
            digest.add(condition.comparison.map_or(b"", |comparison| comparison.value));
        }
        digest.add(folded::folded(text_of(script, record, text), folded));
    }
    for included in script.included.iter().flat_map(|included| &included.scripts) {
        enter_records(included, digest, buffers);
    }
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
    let counted = script.records().filter(|record| record.is_counted());
    let places: Vec<_> = counted.map(|record| RecordId::at(record.line)).collect();
    let keys = record_keys(script, &places.iter().collect::<Vec<_>>());
    let all = places.into_iter().zip(keys).map(|(id, key)| RecordRef { id, key });
    all.filter(|record| names.iter().any(|name| name.means(&record.id, record.key))).collect()
}

/// Returns the identity of a record: the words of its SQL, or of all its text if it has none.
fn words<'b>(
    script: &'b Script<'_>,
    record: &'b Record<'_>,
    buffer: &'b mut Vec<u8>,
) -> impl Iterator<Item = &'b [u8]> + use<'b> {
    folded::words(text_of(script, record, buffer))
}

fn text_of<'b>(script: &'b Script<'_>, record: &'b Record<'_>, buffer: &'b mut Vec<u8>) -> &'b [u8] {
    record.sql().map_or(&script.source.bytes()[record.span.clone()], |sql| sql.text(buffer))
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
            let places: Vec<_> = lines.iter().map(|&line| RecordId::at(line)).collect();
            record_keys(&parse(&source, &SQLITE), &places.iter().collect::<Vec<_>>())
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
