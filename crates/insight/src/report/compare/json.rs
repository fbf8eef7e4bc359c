//! A comparison as JSON: the fields of VibeSQL's earlier script, which count files, and more.

use std::time::Duration;

use serde::Serialize;

use super::{Comparison, Named, Slow};
use crate::regression::{
    Account, Failing, FileChange, FileDiff, FileState, Gate, RecordChange, RecordDiff, Side, Why,
};
use slt_runner::text::document::{EngineDocument, Records, end_word};

/// The version of the document: it grows when a field appears, and stays when none goes away.
const FORMAT: u32 = 1;

/// Makes the document.
pub fn write(comparison: &Comparison<'_>) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&Document::of(comparison)).map(|text| text + "\n")
}

#[derive(Serialize)]
struct Document<'c> {
    format: u32,
    gate: &'static str,
    regressed: bool,
    baseline: Run<'c>,
    current: Run<'c>,
    notes: Vec<String>,
    summary: Summary,
    changes: Changes<'c>,
    records: Sums,
    /// How many times as long as usual the current run took.
    load: Option<f64>,
    slower: Vec<SlowDocument<'c>>,
    files: Vec<File<'c>>,
}

/// A file, or a record, that takes longer than it did.
#[derive(Serialize)]
struct SlowDocument<'c> {
    file: &'c str,
    line: Option<u32>,
    before_ms: f64,
    now_ms: f64,
    threshold_ms: f64,
    passes_before: usize,
    again_ms: Option<f64>,
}

#[derive(Serialize)]
struct Run<'c> {
    run: &'c str,
    engine: EngineDocument<'c>,
    commit: Option<&'c str>,
    branch: Option<&'c str>,
    with_changes: Option<bool>,
    end: &'static str,
    files: u64,
    files_wanted: u64,
    records: Records,
}

/// In percent, as the script had it.
#[derive(Serialize)]
struct Summary {
    baseline_pass_rate: f64,
    current_pass_rate: f64,
    pass_rate_change: f64,
    baseline_coverage: f64,
    current_coverage: f64,
    coverage_change: f64,
    baseline_passed: u64,
    current_passed: u64,
    baseline_failed: u64,
    current_failed: u64,
}

/// Files by what became of them.
#[derive(Serialize)]
struct Changes<'c> {
    new_failures: Vec<&'c str>,
    regressions: Vec<&'c str>,
    fixed_tests: Vec<&'c str>,
    disappeared: Vec<&'c str>,
    newly_untested: Vec<&'c str>,
    newly_tested: Vec<&'c str>,
    newly_flaky: Vec<&'c str>,
    no_longer_flaky: Vec<&'c str>,
    still_failing: u64,
    still_passing: u64,
    still_flaky: u64,
    still_untested: u64,
}

#[derive(Serialize)]
struct Sums {
    regressed: u64,
    fixed: u64,
    new_failures: u64,
    disappeared: u64,
    still_failing: u64,
    failing_otherwise: u64,
    still_passing: u64,
    newly_untested: u64,
    newly_tested: u64,
    unmatched_before: u64,
    unmatched_now: u64,
}

/// A file about which there is something to tell.
#[derive(Serialize)]
struct File<'c> {
    file: &'c str,
    change: &'static str,
    before: Option<&'static str>,
    now: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unmatched: Option<&'static str>,
    lost: u64,
    records: Sums,
    changed_records: Vec<Record<'c>>,
}

/// A record that fails in one of the runs only, or in two ways.
#[derive(Serialize)]
struct Record<'c> {
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    before: Option<FailingDocument<'c>>,
    now: Option<FailingDocument<'c>>,
}

#[derive(Serialize)]
struct FailingDocument<'c> {
    line: u32,
    kind: Option<&'c str>,
}

impl<'c> Document<'c> {
    fn of(comparison: &'c Comparison<'c>) -> Self {
        let diff = comparison.diff;
        let (before, now) = (&diff.baseline, &diff.current);
        Self {
            format: FORMAT,
            gate: match comparison.gate {
                Gate::Never => "none",
                Gate::Files => "files",
                Gate::Records => "records",
            },
            regressed: diff.has_regressed(comparison.gate),
            baseline: Run::of(&comparison.baseline, before),
            current: Run::of(&comparison.current, now),
            notes: comparison.caveats(),
            summary: Summary::of(before, now),
            changes: Changes::of(comparison),
            records: Sums::of(&diff.account()),
            load: comparison.load,
            slower: comparison.slower.iter().map(SlowDocument::of).collect(),
            files: diff.files.iter().filter_map(File::of).collect(),
        }
    }
}

impl<'c> SlowDocument<'c> {
    fn of(slow: &'c Slow<'c>) -> Self {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        let Slow { slowdown, again } = slow;
        Self {
            file: slowdown.file,
            line: slowdown.record.map(|record| record.id.line),
            before_ms: milliseconds(slowdown.before),
            now_ms: milliseconds(slowdown.now),
            threshold_ms: milliseconds(slowdown.threshold),
            passes_before: slowdown.passes,
            again_ms: again.map(milliseconds),
        }
    }
}

impl<'c> Run<'c> {
    fn of(named: &'c Named<'c>, side: &'c Side<'c>) -> Self {
        Self {
            run: named.name,
            engine: EngineDocument::new(side.engine, side.labels),
            commit: named.commit.map(|commit| commit.hash.as_str()),
            branch: named.commit.and_then(|commit| commit.branch.as_deref()),
            with_changes: named.commit.map(|commit| commit.dirty),
            end: end_word(side.end),
            files: side.totals.files,
            files_wanted: side.wanted,
            records: Records::of(&side.totals.records),
        }
    }
}

impl Summary {
    fn of(before: &Side<'_>, now: &Side<'_>) -> Self {
        let percent = |share: Option<f64>| share.unwrap_or(0.0) * 100.0;
        let [then, today] = [before, now].map(|side| percent(side.pass_rate()));
        let [covered_then, covered] = [before, now].map(|side| percent(side.coverage()));
        let failed = |side: &Side<'_>| side.totals.files - side.totals.passed - side.totals.empty;
        Self {
            baseline_pass_rate: then,
            current_pass_rate: today,
            pass_rate_change: today - then,
            baseline_coverage: covered_then,
            current_coverage: covered,
            coverage_change: covered - covered_then,
            baseline_passed: before.totals.passed,
            current_passed: now.totals.passed,
            baseline_failed: failed(before),
            current_failed: failed(now),
        }
    }
}

impl<'c> Changes<'c> {
    fn of(comparison: &'c Comparison<'c>) -> Self {
        let diff = comparison.diff;
        let files = |change| diff.with(change).map(|file| file.file).collect();
        let count = |change| diff.with(change).count() as u64;
        Self {
            new_failures: files(FileChange::NewFailure),
            regressions: files(FileChange::Regressed),
            fixed_tests: files(FileChange::Fixed),
            disappeared: files(FileChange::Disappeared),
            newly_untested: files(FileChange::NewlyUntested),
            newly_tested: files(FileChange::NewlyTested),
            newly_flaky: files(FileChange::NewlyFlaky),
            no_longer_flaky: files(FileChange::NoLongerFlaky),
            still_failing: count(FileChange::StillFailing),
            still_passing: count(FileChange::StillPassing),
            still_flaky: count(FileChange::StillFlaky),
            still_untested: count(FileChange::StillUntested),
        }
    }
}

impl Sums {
    fn of(account: &Account) -> Self {
        Self {
            regressed: account.regressed,
            fixed: account.fixed,
            new_failures: account.new_failures,
            disappeared: account.disappeared,
            still_failing: account.still_failing,
            failing_otherwise: account.otherwise,
            still_passing: account.still_passing,
            newly_untested: account.newly_untested,
            newly_tested: account.newly_tested,
            unmatched_before: account.unmatched_before,
            unmatched_now: account.unmatched_now,
        }
    }
}

impl<'c> File<'c> {
    /// Nothing, if all is as it was.
    fn of(file: &'c FileDiff<'c>) -> Option<Self> {
        let records: Vec<_> = file.records.iter().filter_map(Record::of).collect();
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
        Some(Self {
            file: file.file,
            change: file.change.word(),
            before: status(file.before),
            now: status(file.now),
            unmatched: file.doubt.filter(|_| file.is_common()).map(Why::word),
            lost: file.lost(),
            records: Sums::of(&file.account),
            changed_records: records,
        })
    }
}

impl<'c> Record<'c> {
    /// Nothing, if it fails as before.
    fn of(record: &RecordDiff<'c>) -> Option<Self> {
        let why = match record.change {
            RecordChange::NewFailure(why) | RecordChange::Disappeared(why) => Some(why.word()),
            RecordChange::StillFailing if !record.fails_otherwise() => return None,
            _ => None,
        };
        let side = |failing: Failing<'c>| FailingDocument { line: failing.id.line, kind: failing.kind };
        Some(Self {
            change: record.change.word(),
            why,
            before: record.before.map(side),
            now: record.now.map(side),
        })
    }
}
