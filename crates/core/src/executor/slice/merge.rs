//! From the reports of all slices to the report of the file.

use std::cmp::Reverse;

use super::SliceReport;
use crate::executor::DetailLimits;
use crate::executor::core::slow;
use crate::outcome::{FileEnd, FileReport, append, arrange};

/// A reason why slices cannot be merged: the whole file has to be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotMerged {
    /// They are not all slices of one file, each once.
    #[error("expected every slice of the file once, found {found} of {count}")]
    Incomplete {
        /// The number of reports.
        found: usize,
        /// The number of slices that the file was split into, as far as is known.
        count: u32,
    },
    /// A slice ended early without the others, or because of a fault or a limit. The later records were not reached in
    /// this slice, but may be in a run of the whole file.
    #[error("slice {slice} did not end as a whole file does")]
    Ended {
        /// The slice, counted from 0.
        slice: u32,
        /// How it ended.
        end: FileEnd,
    },
    /// The statements did not do the same in each slice.
    #[error("the statements had other results in slice {slice} than in the first slice")]
    SetUpDiffers {
        /// The slice, counted from 0.
        slice: u32,
    },
}

/// Merges the reports of all slices, in any order, to the report of the file.
///
/// It equals the report of a run of the whole file, except for the time, which is the sum over all slices. `limits`
/// must be those of the slices.
///
/// # Errors
///
/// [`NotMerged`], when the reports do not fit together. The result of the file is unknown then.
pub fn merge(mut slices: Vec<SliceReport>, limits: DetailLimits) -> Result<FileReport, NotMerged> {
    slices.sort_by_key(|slice| slice.slice.index());
    check(&slices)?;
    let found = slices.len();
    let mut reports = slices.into_iter().map(|slice| slice.report);
    let first = reports.next().ok_or(NotMerged::Incomplete { found, count: 0 })?;
    let mut merged = reports.fold(first, |mut merged, report| {
        merged.counts += report.counts;
        append(&mut merged.groups, &mut merged.failures, report.groups, report.failures);
        merged.slowest.extend(report.slowest);
        merged.engine_time = merged.engine_time.zip(report.engine_time).map(|(one, other)| one + other);
        merged.lints.extend(report.lints);
        merged.elapsed += report.elapsed;
        merged
    });
    merged.failures.sort_by_key(|record| record.id.line);
    arrange(&mut merged.groups, &mut merged.failures);
    merged.slowest.sort_by_key(|record| Reverse(record.elapsed));
    merged.slowest.truncate(slow::MOST);
    // Each slice has kept its first `limits.records` details. A record that is among the first of the file is among
    // the first of its slice, since every record of the slice in front of it is in front of it in the file, too.
    // So the first of all that were kept are the first of the file.
    merged.failures.iter_mut().skip(limits.records).for_each(|record| record.detail = None);
    // The parser's are in the first slice, and stay in front of those that records of the same line have.
    merged.lints.sort_by_key(|lint| lint.line);
    Ok(merged)
}

fn check(slices: &[SliceReport]) -> Result<(), NotMerged> {
    let count = slices.first().map_or(0, |first| first.slice.count());
    let in_place =
        |(place, slice): (u32, &SliceReport)| slice.slice.count() == count && slice.slice.index() == place;
    if slices.len() != count as usize || !(0..).zip(slices).all(in_place) {
        return Err(NotMerged::Incomplete { found: slices.len(), count });
    }
    let Some(first) = slices.first() else { return Err(NotMerged::Incomplete { found: 0, count }) };
    for slice in slices {
        let report = &slice.report;
        let whole = matches!(report.end, FileEnd::Completed | FileEnd::Halted { .. });
        if !whole || report.end != first.report.end {
            return Err(NotMerged::Ended { slice: slice.slice.index(), end: report.end.clone() });
        }
        if slice.set_up != first.set_up {
            return Err(NotMerged::SetUpDiffers { slice: slice.slice.index() });
        }
    }
    Ok(())
}
