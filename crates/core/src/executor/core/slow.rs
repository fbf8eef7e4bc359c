//! Collects the slowest records of a file.

use std::time::Duration;

use super::sql_of;
use crate::location::text_of;
use crate::outcome::{RecordId, SlowRecord};
use crate::parser::{Record, Script};

/// The number of slowest records that are kept for a file.
pub const MOST: usize = 5;

/// The minimum duration of a slow record.
pub const LEAST: Duration = Duration::from_millis(10);

/// The maximum length of the kept SQL, in characters.
const LONGEST_SQL: usize = 300;

/// Adds a record with this duration, if it is among the slowest so far.
pub(super) fn enter(slowest: &mut Vec<SlowRecord>, record: &Record<'_>, elapsed: Duration) {
    let least = slowest.last().filter(|_| slowest.len() >= MOST).map_or(LEAST, |slow| slow.elapsed);
    if record.sql().is_some() && elapsed > least {
        let place = slowest.partition_point(|slow| slow.elapsed >= elapsed);
        slowest.insert(place, SlowRecord { id: RecordId::at(record.line), elapsed, sql: String::new() });
        slowest.truncate(MOST);
    }
}

/// Adds the SQL of the slowest records.
pub(super) fn write_sql(slowest: &mut [SlowRecord], script: &Script<'_>) {
    slowest.iter_mut().for_each(|slow| slow.sql = beginning_of(script, slow.id.line));
}

/// Returns the beginning of the SQL of the record on `line`, with single spaces.
fn beginning_of(script: &Script<'_>, line: u32) -> String {
    let mut buffer = Vec::new();
    let record = script.records().find(|record| record.line == line);
    let sql = record.map_or(&[][..], |record| sql_of(record, &mut buffer));
    let words: Vec<_> = text_of(sql).split_whitespace().map(str::to_owned).collect();
    words.join(" ").chars().take(LONGEST_SQL).collect()
}
