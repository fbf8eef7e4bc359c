//! Collects the slowest records of a file.

use std::time::Duration;

use super::sql_of;
use crate::location::text_of;
use crate::outcome::{RecordId, SlowRecord};
use crate::parser::Record;

/// The number of slowest records that are kept for a file.
pub const MOST: usize = 5;

/// The minimum duration of a slow record.
pub const LEAST: Duration = Duration::from_millis(10);

/// The maximum length of the kept SQL, in characters.
const LONGEST_SQL: usize = 300;

/// Adds a record with this duration, if it is among the slowest so far.
pub(super) fn enter(slowest: &mut Vec<SlowRecord>, record: &Record<'_>, place: RecordId, elapsed: Duration) {
    let least = slowest.last().filter(|_| slowest.len() >= MOST).map_or(LEAST, |slow| slow.elapsed);
    if elapsed > least {
        let at = slowest.partition_point(|slow| slow.elapsed >= elapsed);
        slowest.insert(at, SlowRecord { id: place, elapsed, sql: beginning_of(record) });
        slowest.truncate(MOST);
    }
}

/// Adds the slowest records of an iteration that ran at the same time as others.
pub(super) fn merge(slowest: &mut Vec<SlowRecord>, more: Vec<SlowRecord>) {
    slowest.extend(more);
    slowest.sort_by_key(|slow| std::cmp::Reverse(slow.elapsed));
    slowest.truncate(MOST);
}

/// Returns the beginning of the SQL of a record, with single spaces.
fn beginning_of(record: &Record<'_>) -> String {
    let mut buffer = Vec::new();
    let words: Vec<_> = text_of(sql_of(record, &mut buffer)).split_whitespace().map(str::to_owned).collect();
    words.join(" ").chars().take(LONGEST_SQL).collect()
}
