//! Collects the slowest records of a file.

use std::time::Duration;

use super::sql_of;
use crate::location::text_of;
use crate::outcome::{RecordId, SlowRecord};
use crate::parser::{Record, Script};

/// The number of of that the slowest records of a file are kept.
pub const MOST: usize = 5;

/// A record that takes no longer is never called slow.
pub const LEAST: Duration = Duration::from_millis(10);

/// How much of the SQL of a slow record is kept, in characters.
const LONGEST_SQL: usize = 300;

/// Enters a record on which the engine was so long, if it is among the slowest so far.
pub(super) fn enter(slowest: &mut Vec<SlowRecord>, record: &Record<'_>, elapsed: Duration) {
    let least = slowest.last().filter(|_| slowest.len() >= MOST).map_or(LEAST, |slow| slow.elapsed);
    if record.sql().is_some() && elapsed > least {
        let place = slowest.partition_point(|slow| slow.elapsed >= elapsed);
        slowest.insert(place, SlowRecord { id: RecordId::at(record.line), elapsed, sql: String::new() });
        slowest.truncate(MOST);
    }
}

/// Writes down their SQL, once it is known which they are.
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
