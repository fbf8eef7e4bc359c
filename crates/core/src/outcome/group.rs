//! Groups of similar failures: the same kind, and the same message without names and numbers.

use std::borrow::Cow;
use std::collections::HashMap;

use super::difference::Difference;
use super::digest::Digest;
use super::fault::Fault;
use super::name::RecordId;
use super::problem::{Mismatch, Problem};
use super::record::FailingRecord;

/// Similar failures of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureGroup {
    /// The kind of problem, see [`Problem::word`].
    pub kind: String,
    /// The message without names and numbers, or the class of the difference.
    pub what: String,
    /// The number of records.
    pub records: u64,
    /// The first one.
    pub first: RecordId,
}

/// The longest common text that is kept, in characters.
const LONGEST: usize = 200;

/// The groups of a file while its records come in.
#[derive(Debug, Default)]
pub struct GroupBook {
    places: HashMap<(Cow<'static, str>, String), u32>,
}

impl GroupBook {
    /// Enters a failure into `groups`, and returns the place of its group.
    pub fn enter(&mut self, groups: &mut Vec<FailureGroup>, id: &RecordId, problem: &Problem) -> u32 {
        let kind = problem.word();
        let new = u32::try_from(groups.len()).unwrap_or(u32::MAX);
        let key = (Cow::Borrowed(kind), common(problem));
        let place = *self.places.entry(key).or_insert_with_key(|(kind, what)| {
            let (kind, what) = (kind.clone().into_owned(), what.clone());
            groups.push(FailureGroup { kind, what, records: 0, first: id.clone() });
            new
        });
        groups[place as usize].records += 1;
        place
    }

    /// Adds the groups of later records to `groups`, and returns the place of each.
    pub fn append(&mut self, groups: &mut Vec<FailureGroup>, more: Vec<FailureGroup>) -> Vec<u32> {
        let mut places = Vec::with_capacity(more.len());
        for group in more {
            let new = u32::try_from(groups.len()).unwrap_or(u32::MAX);
            let key = (Cow::Owned(group.kind.clone()), group.what.clone());
            let place = *self.places.entry(key).or_insert(new);
            match groups.get_mut(place as usize) {
                Some(known) => known.records += group.records,
                None => groups.push(group),
            }
            places.push(place);
        }
        places
    }
}

/// Adds the groups and failing records of one slice to those of another.
pub fn append(
    groups: &mut Vec<FailureGroup>,
    failures: &mut Vec<FailingRecord>,
    more_groups: Vec<FailureGroup>,
    more_failures: Vec<FailingRecord>,
) {
    let places: Vec<u32> = more_groups.into_iter().map(|more| place_of(groups, more)).collect();
    failures.extend(more_failures.into_iter().map(|record| in_groups(record, &places)));
}

/// Returns a failing record with the new place of its group.
pub fn in_groups(record: FailingRecord, places: &[u32]) -> FailingRecord {
    FailingRecord { group: record.group.and_then(|group| places.get(group as usize).copied()), ..record }
}

fn place_of(groups: &mut Vec<FailureGroup>, more: FailureGroup) -> u32 {
    let same = |group: &FailureGroup| group.kind == more.kind && group.what == more.what;
    let place = groups.iter().position(same).unwrap_or(groups.len());
    match groups.get_mut(place) {
        Some(group) => {
            group.records += more.records;
            if more.first.line < group.first.line {
                group.first = more.first;
            }
        }
        None => groups.push(more),
    }
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// Puts groups into the order of their first records, as the run of a whole file has them.
pub fn arrange(groups: &mut Vec<FailureGroup>, failures: &mut [FailingRecord]) {
    let mut order: Vec<_> = (0..groups.len()).collect();
    order.sort_by_key(|&place| groups[place].first.line);
    let mut new_places = vec![0; groups.len()];
    for (new, &old) in (0_u32..).zip(&order) {
        new_places[old] = new;
    }
    *groups = order.into_iter().map(|old| groups[old].clone()).collect();
    for record in failures {
        record.group = record.group.and_then(|group| new_places.get(group as usize).copied());
    }
}

impl FailureGroup {
    /// Returns the same number for similar failures of all files and runs.
    pub fn fingerprint(&self) -> u64 {
        Digest::from_words([self.kind.as_bytes(), self.what.as_bytes()]).short()
    }
}

/// Returns the common part of similar problems.
pub fn common(problem: &Problem) -> String {
    match problem {
        Problem::Mismatch(mismatch) => match mismatch {
            Mismatch::Rows { expected, actual, columns } => {
                Difference::of(expected, actual, *columns).word().to_owned()
            }
            Mismatch::Hash { expected, actual, .. } if expected.values == actual.values => {
                Difference::Hash.word().to_owned()
            }
            Mismatch::Hash { expected, actual, .. } => {
                Difference::of_totals(expected.values, actual.values).word().to_owned()
            }
            Mismatch::Presentation { .. } => "hash or list".to_owned(),
            Mismatch::ColumnCount { actual: 0, .. } => "no result".to_owned(),
            Mismatch::ColumnCount { expected, actual } if actual > expected => "more columns".to_owned(),
            Mismatch::ColumnCount { .. } => "fewer columns".to_owned(),
            Mismatch::RowCount { expected, actual, .. } => {
                Difference::of_totals(*expected, *actual).word().to_owned()
            }
            Mismatch::AffectedRows { .. } => "another number of affected rows".to_owned(),
            Mismatch::ColumnType { .. } => "another type of a column".to_owned(),
            Mismatch::UncertainOrder => "rows in any order".to_owned(),
            Mismatch::Error { actual, .. } => without_names(&actual.message),
            Mismatch::Label(_) => "another result under the same label".to_owned(),
        },
        Problem::UnexpectedError { error, .. } => without_names(&error.message),
        Problem::UnexpectedSuccess => "an error was expected".to_owned(),
        Problem::Unsupported(why) | Problem::NotAllowed(why) | Problem::Reported(why) => without_names(why),
        Problem::TimedOut { .. } => "over the time limit".to_owned(),
        Problem::Malformed { error, .. } => without_names(&error.kind.to_string()),
        Problem::Fault(fault) => match fault {
            Fault::Panicked(message) | Fault::Lost(message) | Fault::Adapter(message) => {
                without_names(message)
            }
            Fault::Died { how, .. } => how.to_string(),
            Fault::OutOfMemory { .. } => "over the memory limit".to_owned(),
        },
    }
}

/// Replaces quoted text by `_` and numbers by `#`.
fn without_names(message: &str) -> String {
    let mut text = String::new();
    let mut characters = message.chars().peekable();
    let mut before = ' ';
    for _ in 0..LONGEST {
        let Some(character) = characters.next() else { break };
        match character {
            // An apostrophe within a word quotes nothing.
            '\'' | '"' | '`' if !before.is_alphanumeric() => {
                text.push(character);
                text.push('_');
                if characters.by_ref().any(|next| next == character) {
                    text.push(character);
                }
            }
            digit if digit.is_ascii_digit() && !(before.is_alphabetic() || before == '_') => {
                while characters.next_if(|next| next.is_ascii_digit() || *next == '.').is_some() {}
                text.push('#');
            }
            // Of a name, which is kept whole.
            digit if digit.is_ascii_digit() => {
                text.push(digit);
                while let Some(next) = characters.next_if(char::is_ascii_digit) {
                    text.push(next);
                }
            }
            other if other.is_whitespace() => {
                while characters.next_if(|next| next.is_whitespace()).is_some() {}
                text.push(' ');
            }
            other => text.push(other),
        }
        before = character;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_taken_out() {
        let check = |message, expected| assert_eq!(without_names(message), expected);
        check("no such column: 'a b'", "no such column: '_'");
        check("column \"x1\"  at 12.5:\n7", "column \"_\" at #: #");
        check("can't find t1 in `db", "can't find t1 in `_");
        // The second digit of a name was once taken for a number.
        check("no such column: col12, t1_345 x", "no such column: col12, t1_345 x");
        check("", "");
        assert_eq!(without_names(&"é".repeat(300)).chars().count(), LONGEST);
    }
}
