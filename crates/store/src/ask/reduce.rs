//! Makes a disagreement small: takes rows away as long as VibeSQL does the same thing wrong.

use std::time::Duration;

use super::asker::{AskError, Asker, TryResult, VibeSqlFault};
use super::plan::QueryPlan;
use crate::LoadedTable;
use slt_runner::clock;

/// The longest that one try may take.
const LONGEST_TRY: Duration = Duration::from_secs(2);
/// The maximum number of tries for disagreements that take long or much memory.
const FEW: usize = 3;

/// Takes rows away as long as there is time.
pub(super) fn reduce(
    asker: &mut Asker,
    plan: &QueryPlan,
    tables: Vec<LoadedTable>,
    kind: &VibeSqlFault,
    time: Duration,
) -> Result<Vec<LoadedTable>, AskError> {
    let end = clock::now() + time;
    let mut tries = match kind {
        VibeSqlFault::TimesOut(_) => 0,
        VibeSqlFault::OutOfMemory(_) | VibeSqlFault::Dies(_) => FEW,
        VibeSqlFault::Differs(_) | VibeSqlFault::Refuses(_) | VibeSqlFault::Panics(_) => usize::MAX,
    };
    let mut fails = |tables: &[LoadedTable]| -> Result<Option<bool>, AskError> {
        if tries == 0 || clock::now() > end {
            return Ok(None);
        }
        tries -= 1;
        let limit = LONGEST_TRY.min(asker.limits().timeout);
        Ok(Some(match asker.try_given(plan, tables, limit)? {
            TryResult::Wrong(found, _) => found.is_like(kind),
            TryResult::Right(_) | TryResult::Unknown => false,
        }))
    };
    let mut tables = tables;
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

/// Takes away all rows of a table, then halves, quarters and so on down to single rows. False when the time is over.
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
