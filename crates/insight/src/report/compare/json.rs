//! Formats a comparison as JSON: the fields of VibeSQL's earlier script, which count files, and more.

use std::time::Duration;

use super::{Comparison, ConfirmedSlowdown, NamedRun};
use crate::regression::{
    ChangeCounts, ComparedRun, FailureInRun, FileChange, FileDiff, FileState, Gate, MissingReason,
    RecordChange, RecordDiff, RunDiff,
};
use slt_runner::text::document;
use slt_runner::text::document::end_word;
use slt_runner::text::object::{Object, object};

/// The version of the document, incremented for incompatible changes.
const FORMAT: u32 = 1;

/// Makes the document.
pub fn document<'c>(comparison: &'c Comparison<'c>) -> Object<'c> {
    let diff = comparison.diff;
    let gate = match comparison.gate {
        Gate::Never => "none",
        Gate::Files => "files",
        Gate::Records => "records",
    };
    object! {
        "format": FORMAT,
        "gate": gate,
        "regressed": diff.has_regressed(comparison.gate),
        "baseline": run(&comparison.baseline, &diff.baseline),
        "current": run(&comparison.current, &diff.current),
        "notes": comparison.caveats(),
        "summary": summary(&diff.baseline, &diff.current),
        "changes": changes(diff),
        "records": sums(&diff.account()),
        // The load of the current run relative to the usual.
        "load": comparison.load,
        "slower": comparison.slower.iter().map(slow).collect::<Vec<_>>(),
        "files": diff.files.iter().filter_map(file).collect::<Vec<_>>(),
    }
}

/// Formats a slower file or record.
fn slow<'c>(slow: &'c ConfirmedSlowdown<'c>) -> Object<'c> {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let ConfirmedSlowdown { slowdown, again } = slow;
    object! {
        "file": slowdown.file.path(),
        "line": slowdown.record.map(|record| record.id.line),
        "before_ms": milliseconds(slowdown.before),
        "now_ms": milliseconds(slowdown.now),
        "threshold_ms": milliseconds(slowdown.threshold),
        "passes_before": slowdown.passes,
        "again_ms": again.map(milliseconds),
    }
}

fn run<'c>(named: &'c NamedRun<'c>, side: &'c ComparedRun<'c>) -> Object<'c> {
    object! {
        "run": named.name,
        "engine": document::engine(side.engine, side.labels),
        "commit": named.commit.map(|commit| &commit.hash),
        "branch": named.commit.map(|commit| &commit.branch),
        "with_changes": named.commit.map(|commit| commit.dirty),
        "end": end_word(side.end),
        "files": side.totals.files,
        "files_wanted": side.wanted,
        "records": document::records(&side.totals.records),
    }
}

/// Returns the summary; shares are in percent, as in the earlier script.
fn summary(before: &ComparedRun<'_>, now: &ComparedRun<'_>) -> Object<'static> {
    let percent = |share: Option<f64>| share.unwrap_or(0.0) * 100.0;
    let [then, today] = [before, now].map(|side| percent(side.pass_rate()));
    let [covered_then, covered] = [before, now].map(|side| percent(side.coverage()));
    let failed = |side: &ComparedRun<'_>| side.totals.files - side.totals.passed - side.totals.empty;
    object! {
        "baseline_pass_rate": then,
        "current_pass_rate": today,
        "pass_rate_change": today - then,
        "baseline_coverage": covered_then,
        "current_coverage": covered,
        "coverage_change": covered - covered_then,
        "baseline_passed": before.totals.passed,
        "current_passed": now.totals.passed,
        "baseline_failed": failed(before),
        "current_failed": failed(now),
    }
}

/// Files by their change.
fn changes<'c>(diff: &'c RunDiff<'c>) -> Object<'c> {
    let files = |change| diff.with(change).map(|file| file.file.path()).collect::<Vec<_>>();
    let count = |change| diff.with(change).count();
    object! {
        "new_failures": files(FileChange::NewFailure),
        "regressions": files(FileChange::Regressed),
        "fixed_tests": files(FileChange::Fixed),
        "disappeared": files(FileChange::Disappeared),
        "newly_untested": files(FileChange::NewlyUntested),
        "newly_tested": files(FileChange::NewlyTested),
        "newly_flaky": files(FileChange::NewlyFlaky),
        "no_longer_flaky": files(FileChange::NoLongerFlaky),
        "still_failing": count(FileChange::StillFailing),
        "still_passing": count(FileChange::StillPassing),
        "still_flaky": count(FileChange::StillFlaky),
        "still_untested": count(FileChange::StillUntested),
    }
}

fn sums(account: &ChangeCounts) -> Object<'static> {
    object! {
        "regressed": account.regressed,
        "fixed": account.fixed,
        "new_failures": account.new_failures,
        "disappeared": account.disappeared,
        "still_failing": account.still_failing,
        "failing_otherwise": account.otherwise,
        "still_passing": account.still_passing,
        "newly_untested": account.newly_untested,
        "newly_tested": account.newly_tested,
        "unmatched_before": account.unmatched_before,
        "unmatched_now": account.unmatched_now,
    }
}

/// Returns the changes of a file; `None` if it is unchanged.
fn file<'c>(file: &'c FileDiff<'c>) -> Option<Object<'c>> {
    let records: Vec<_> = file.records.iter().filter_map(record).collect();
    let same = matches!(
        file.change,
        FileChange::StillPassing
            | FileChange::StillFailing
            | FileChange::StillFlaky
            | FileChange::StillUntested
    );
    if same && records.is_empty() && file.lost() == 0 && !file.ends_otherwise() {
        return None;
    }
    let status = |state: Option<FileState>| state.map(|state| state.status.word());
    let doubt = file.doubt.filter(|_| file.is_common());
    let document = object! {
        "file": file.file.path(),
        "change": file.change.word(),
        "before": status(file.before),
        "now": status(file.now),
    };
    let document = document.with_some("unmatched", doubt.map(MissingReason::word)).with("lost", file.lost());
    Some(document.with("records", sums(&file.account)).with("changed_records", records))
}

/// Returns the change of a record; `None` if it fails as before.
fn record<'c>(record: &RecordDiff<'c>) -> Option<Object<'c>> {
    let why = match record.change {
        RecordChange::NewFailure(why) | RecordChange::Disappeared(why) => Some(why.word()),
        RecordChange::StillFailing if !record.fails_otherwise() => return None,
        _ => None,
    };
    let side = |failing: FailureInRun<'c>| object! { "line": failing.id.line, "kind": failing.kind };
    let document = object! { "change": record.change.word() }.with_some("why", why);
    Some(document.with("before", record.before.map(side)).with("now", record.now.map(side)))
}
