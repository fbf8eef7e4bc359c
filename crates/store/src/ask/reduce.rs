//! Reduces a disagreement: removes rows as long as VibeSQL has the same fault.

use std::time::Duration;

use super::error::{AskError, VibeSqlFault};
use crate::LoadedTable;
use slt_runner::clock;

/// The maximum number of tries for queries that take too much memory or end the child.
const FEW: usize = 3;

/// Removes rows until the time is over; `fails` returns whether fewer rows still show the fault.
pub(super) fn reduce(
    mut tables: Vec<LoadedTable>,
    kind: &VibeSqlFault,
    time: Duration,
    mut fails: impl FnMut(&[LoadedTable]) -> Result<bool, AskError>,
) -> Result<Vec<LoadedTable>, AskError> {
    let end = clock::now() + time;
    let mut tries = match kind {
        VibeSqlFault::TimesOut(_) => 0,
        VibeSqlFault::OutOfMemory(_) | VibeSqlFault::Dies(_) => FEW,
        VibeSqlFault::Differs(_) | VibeSqlFault::Refuses(_) | VibeSqlFault::Panics(_) => usize::MAX,
    };
    let mut fails = |tables: &[LoadedTable]| {
        if tries == 0 || clock::now() > end {
            return Ok(None);
        }
        tries -= 1;
        fails(tables).map(Some)
    };
    loop {
        let before = count(&tables);
        for place in 0..tables.len() {
            if !shrink(&mut tables, place, &mut fails)? {
                return Ok(tables);
            }
        }
        if count(&tables) == before {
            return Ok(tables);
        }
    }
}

fn count(tables: &[LoadedTable]) -> usize {
    tables.iter().map(|table| table.rows.len()).sum()
}

/// Removes all rows of a table, then halves, quarters and so on down to single rows. Returns false if the time is over.
fn shrink(
    tables: &mut [LoadedTable],
    place: usize,
    fails: &mut impl FnMut(&[LoadedTable]) -> Result<Option<bool>, AskError>,
) -> Result<bool, AskError> {
    let mut size = tables[place].rows.len();
    while size > 0 {
        let mut start = 0;
        while start < tables[place].rows.len() {
            let end = (start + size).min(tables[place].rows.len());
            let mut tail = tables[place].rows.split_off(start);
            let rest = tail.split_off(end - start);
            tables[place].rows.extend_from_slice(&rest);
            let verdict = fails(tables)?;
            if verdict != Some(true) {
                tables[place].rows.truncate(start);
                tables[place].rows.append(&mut tail);
                tables[place].rows.extend(rest);
                start = end;
            }
            if verdict.is_none() {
                return Ok(false);
            }
        }
        size /= 2;
    }
    Ok(true)
}
