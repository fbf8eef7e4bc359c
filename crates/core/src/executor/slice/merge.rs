//! Merges the reports of all slices to the report of the file.

use std::cmp::Reverse;

use super::{Slice, SliceReport};
use crate::executor::DetailLimits;
use crate::executor::core::slow;
use crate::outcome::{FileEnd, FileReport, append, arrange};

/// Merges the reports of all slices, in any order, to the report of the file.
///
/// It equals the report of a run of the whole file, except for the time, which is the sum over all slices. `limits`
/// must be those of the slices. Returns `None` if the reports do not fit together, so that the whole file has to be run.
pub fn merge(mut slices: Vec<SliceReport>, limits: DetailLimits) -> Option<FileReport> {
    slices.sort_by_key(|slice| slice.slice.index());
    if !fit_together(&slices) {
        return None;
    }
    let mut reports = slices.into_iter().map(|slice| slice.report);
    let first = reports.next()?;
    let mut merged = reports.fold(first, |mut merged, report| {
        merged.counts += report.counts;
        append(&mut merged.groups, &mut merged.failures, report.groups, report.failures);
        merged.slowest.extend(report.slowest);
        merged.times.merge(&report.times);
        merged.engine_time = merged.engine_time.zip(report.engine_time).map(|(one, other)| one + other);
        merged.lints.extend(report.lints);
        merged.elapsed += report.elapsed;
        merged.stderr = match (merged.stderr.take(), report.stderr) {
            (Some(one), Some(other)) => Some(format!("{one}\n{other}")),
            (one, other) => one.or(other),
        };
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
    Some(merged)
}

/// Returns whether these are all slices of one file, each once and in order, whose statements had the same results.
///
/// If a slice ended early without the others, or because of a fault or a limit, its later records were not reached, but
/// may be in a run of the whole file.
fn fit_together(slices: &[SliceReport]) -> bool {
    let Some(first) = slices.first() else { return false };
    let fits = |(place, slice): (u32, &SliceReport)| {
        let Slice { index, count } = slice.slice;
        (index, count) == (place, first.slice.count)
            && matches!(slice.report.end, FileEnd::Completed | FileEnd::Halted { .. })
            && slice.report.end == first.report.end
            && slice.set_up == first.set_up
    };
    slices.len() == first.slice.count() as usize && (0..).zip(slices).all(fits)
}
