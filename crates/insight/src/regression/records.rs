//! The records of one file in two runs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use slt_core::outcome::{Counts, FileEnd, FileReport, FileStatus, RecordId, RecordRef};

/// The kind of a failure that another tool reports without a kind.
const REPORTED: &str = "reported";

/// The change of a record that fails in one run, or in both.
///
/// | fails in | the other run | class |
/// |---|---|---|
/// | both | | still failing |
/// | the current one | reached the record, in an unchanged file | regressed |
/// | the current one | anything less, see [`MissingReason`] | new failure |
/// | the baseline | reached the record, in an unchanged file | fixed |
/// | the baseline | anything less, see [`MissingReason`] | disappeared |
///
/// Every problem that keeps a file from passing is a failure: failed, unsupported, timed out, malformed, crashed. A
/// file is unchanged if it has the same records under the same conditions, with any expectations; so a record that
/// fails after an edit of its expectation is called regressed. Reports of older versions do not identify records; there
/// a file counts as unchanged unless its counts disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordChange {
    /// It passed before, and does not now.
    Regressed,
    /// It passes now, and did not before.
    Fixed,
    /// It fails, and may never have passed.
    NewFailure(MissingReason),
    /// It failed, and may not pass now.
    Disappeared(MissingReason),
    /// It fails in both runs.
    StillFailing,
}

/// A reason why the other run says nothing about a record.
///
/// The first that applies is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MissingReason {
    /// The file was not run there, or could not be started.
    NotRun,
    /// The file is flaky in one of the runs.
    Flaky,
    /// One of the runs knows only the whole file.
    WholeOnly,
    /// The other run used other labels for conditions, which excluded records.
    OtherConditions,
    /// The file has other records or conditions there, so the record may be missing or skipped.
    FileChanged,
    /// The user excluded it there.
    LeftOut,
    /// The execution of the file ended before the record.
    NotReached,
}

/// A record that fails in one of the runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordDiff<'r> {
    /// The change.
    pub change: RecordChange,
    /// The failure in the baseline.
    pub before: Option<FailureInRun<'r>>,
    /// The failure in the current run.
    pub now: Option<FailureInRun<'r>>,
}

/// A failing record of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureInRun<'r> {
    /// Its identity.
    pub id: &'r RecordId,
    /// The kind of the failure, see [`Problem::word`](slt_core::outcome::Problem::word); `None` in reports of older
    /// versions.
    pub kind: Option<&'r str>,
    /// Whether the report is from another tool. Then only the status that follows from the kind is known.
    pub is_vague: bool,
}

impl RecordChange {
    /// Returns its name in machine-readable documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Fixed => "fixed",
            Self::NewFailure(_) => "new_failure",
            Self::Disappeared(_) => "disappeared",
            Self::StillFailing => "still_failing",
        }
    }
}

impl MissingReason {
    /// Returns its name in machine-readable documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotRun => "not_run",
            Self::Flaky => "flaky",
            Self::WholeOnly => "whole_only",
            Self::OtherConditions => "other_conditions",
            Self::FileChanged => "file_changed",
            Self::LeftOut => "left_out",
            Self::NotReached => "not_reached",
        }
    }

    /// Returns whether the record is missing or was not executed there, although the file was run.
    pub fn is_absence(self) -> bool {
        matches!(self, Self::OtherConditions | Self::FileChanged | Self::LeftOut | Self::NotReached)
    }
}

impl FailureInRun<'_> {
    /// Returns whether it ended its engine, its process or its time limit.
    pub fn is_abrupt(&self) -> bool {
        self.status().is_some_and(|status| status != FileStatus::Failed)
    }

    /// Returns the status of a file that ends with this failure, if the kind is known.
    fn status(&self) -> Option<FileStatus> {
        Some(match self.kind? {
            "timed_out" => FileStatus::TimedOut,
            "engine_panicked" | "engine_lost" | "process_died" => FileStatus::Crashed,
            "out_of_memory" => FileStatus::OutOfMemory,
            _ => FileStatus::Failed,
        })
    }

    /// Returns whether it certainly differs from `other` in kind.
    fn differs(&self, other: &Self) -> bool {
        if self.is_vague || other.is_vague {
            self.status().zip(other.status()).is_some_and(|(one, other)| one != other)
        } else {
            self.kind.zip(other.kind).is_some_and(|(one, other)| one != other)
        }
    }
}

impl<'r> RecordDiff<'r> {
    /// Returns the identity of the record in the current run, or else in the baseline.
    pub fn id(&self) -> Option<&'r RecordId> {
        self.now.or(self.before).map(|failing| failing.id)
    }

    /// Returns whether it fails in both runs, in different ways.
    pub fn fails_otherwise(&self) -> bool {
        self.change == RecordChange::StillFailing
            && self.before.zip(self.now).is_some_and(|(before, now)| before.differs(&now))
    }

    /// Returns whether it fails in both runs, and ends engine, process or time limit only now.
    pub fn is_graver(&self) -> bool {
        self.before.is_some_and(|failing| failing.kind.is_some() && !failing.is_abrupt())
            && self.now.is_some_and(|failing| failing.is_abrupt())
    }
}

/// The way records of two runs are matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MatchedBy {
    /// By keys, which are stable when lines move.
    Keys,
    /// By lines, because one of the reports has no keys.
    Lines,
}

/// The counts of records in two runs, for a file or a run.
///
/// Invariants, where `passed` and `failing` come from the reports:
///
/// * the baseline: `passed = still_passing + regressed + newly_untested + unmatched_before`, `failing = still_failing +
///   fixed + disappeared`
/// * the current run: `passed = still_passing + fixed + newly_tested + unmatched_now`, `failing = still_failing +
///   regressed + new_failures`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChangeCounts {
    /// Records that passed before, and do not now.
    pub regressed: u64,
    /// Records that pass now, and did not before.
    pub fixed: u64,
    /// Records that fail, and may not have passed before.
    pub new_failures: u64,
    /// Records that failed, and may not pass now.
    pub disappeared: u64,
    /// Records that fail in both runs.
    pub still_failing: u64,
    /// Those among them that fail in another way.
    pub otherwise: u64,
    /// Records that pass in both runs.
    pub still_passing: u64,
    /// Records that passed, and were not reached or not run.
    pub newly_untested: u64,
    /// Records that pass, and were not reached or not run before.
    pub newly_tested: u64,
    /// Passing records that cannot be identified, for instance because the file has changed.
    pub unmatched_before: u64,
    /// Records that pass now in these files.
    pub unmatched_now: u64,
}

impl AddAssign for ChangeCounts {
    fn add_assign(&mut self, other: Self) {
        self.regressed += other.regressed;
        self.fixed += other.fixed;
        self.new_failures += other.new_failures;
        self.disappeared += other.disappeared;
        self.still_failing += other.still_failing;
        self.otherwise += other.otherwise;
        self.still_passing += other.still_passing;
        self.newly_untested += other.newly_untested;
        self.newly_tested += other.newly_tested;
        self.unmatched_before += other.unmatched_before;
        self.unmatched_now += other.unmatched_now;
    }
}

/// The matched records of a file that is in one of the runs, or in both.
pub(super) struct MatchedRecords<'r> {
    pub(super) identity: MatchedBy,
    pub(super) doubt: Option<MissingReason>,
    /// In the order of their lines.
    pub(super) records: Vec<RecordDiff<'r>>,
    pub(super) account: ChangeCounts,
    /// The number of records excluded from the current run only.
    pub(super) left_out: u64,
}

/// The relation between the conditions of two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ComparedConditions {
    /// Whether both runs use the same labels for conditions.
    pub(super) same: bool,
    /// Whether exactly one of the runs knows whole files only.
    pub(super) one_of_wholes: bool,
}

/// Compares the records of a file in two runs.
pub(super) fn matched<'r>(
    before: Option<&'r FileReport>,
    now: Option<&'r FileReport>,
    conditions: ComparedConditions,
) -> MatchedRecords<'r> {
    let identity = identity(before, now);
    let (then, today) = (
        before.map(|file| KnownRecords::new(file, identity)),
        now.map(|file| KnownRecords::new(file, identity)),
    );
    let names: BTreeSet<RecordMatch<'_>> =
        then.iter().chain(&today).flat_map(|known| known.failing.keys().copied()).collect();
    let mut doubt = doubt(then.as_ref(), today.as_ref(), conditions);
    let mut records: Vec<_> =
        names.into_iter().map(|name| record(name, then.as_ref(), today.as_ref(), doubt)).collect();
    let mut account = account(&records, then.as_ref(), today.as_ref(), doubt);
    if doubt.is_none() && account.is_none() {
        // Impossible counts mean that the records differ.
        doubt = Some(MissingReason::FileChanged);
        let again = |known: &RecordDiff<'r>| RecordDiff { change: change(known, doubt), ..*known };
        records = records.iter().map(again).collect();
        account = self::account(&records, then.as_ref(), today.as_ref(), doubt);
    }
    records.sort_by_key(|record| (record.id(), record.before.map(|failing| failing.id)));
    let left_out = today.as_ref().map_or(0, |known| known.leaves_out_more(then.as_ref()));
    MatchedRecords { identity, doubt, records, account: account.unwrap_or_default(), left_out }
}

/// The identity of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum RecordMatch<'r> {
    Key(u64),
    /// A record without a key.
    Place(&'r RecordId),
}

/// The records of a file, as far as a report knows them.
struct KnownRecords<'r> {
    report: &'r FileReport,
    failing: BTreeMap<RecordMatch<'r>, FailureInRun<'r>>,
    left_out: BTreeSet<RecordMatch<'r>>,
    /// Records after this line were not reached.
    reach: u32,
}

impl<'r> KnownRecords<'r> {
    fn new(report: &'r FileReport, identity: MatchedBy) -> Self {
        let mut failing = BTreeMap::new();
        for record in &report.failures {
            let key = record.key.filter(|_| identity == MatchedBy::Keys);
            let kind = report.kind_of(record);
            let is_vague = kind == Some(REPORTED);
            let kind = if is_vague { Some(kind_of_whole(report)) } else { kind };
            // A file without details has one record, on any line where other reports show a failure.
            let whole = identity == MatchedBy::Lines && report.counts.total == 1;
            let named = RecordMatch::Place(if whole { &RecordId::WHOLE_FILE } else { &record.id });
            let known = FailureInRun { id: &record.id, kind, is_vague };
            failing.insert(key.map_or(named, |key| RecordMatch::Key(key.0)), known);
        }
        let named = |left_out: &'r RecordRef| match left_out.key.filter(|_| identity == MatchedBy::Keys) {
            Some(key) => RecordMatch::Key(key.0),
            None => RecordMatch::Place(&left_out.id),
        };
        let left_out = report.left_out.iter().map(named).collect();
        Self {
            report,
            failing,
            left_out,
            reach: reach(&report.end, &report.counts, report.failures.iter().map(|record| &record.id)),
        }
    }

    /// Returns the reason why a record that does not fail is unknown in this report.
    fn lacks(&self, name: RecordMatch<'_>, id: &RecordId) -> Option<MissingReason> {
        let left_out = self.left_out.contains(&name).then_some(MissingReason::LeftOut);
        left_out.or((id.line > self.reach).then_some(MissingReason::NotReached))
    }

    /// Returns the number of records excluded here and not in the other run.
    fn leaves_out_more(&self, other: Option<&Self>) -> u64 {
        let is_new = |name: &&RecordMatch<'_>| other.is_none_or(|other| !other.left_out.contains(name));
        self.left_out.iter().filter(is_new).count() as u64
    }

    fn was_run(&self) -> bool {
        !matches!(self.report.end, FileEnd::NotStarted(_)) || !self.failing.is_empty()
    }

    fn passed(&self) -> u64 {
        self.report.counts.passed
    }

    /// Returns whether the file may have more records than reported, because the worker was lost.
    fn is_cut(&self) -> bool {
        let counts = &self.report.counts;
        let lost = matches!(self.report.end, FileEnd::TimedOut { .. } | FileEnd::Faulted { .. });
        lost && counts.not_reached == 0
    }
}

/// Returns the last line that was reached.
pub(super) fn reach<'r>(end: &FileEnd, counts: &Counts, failing: impl Iterator<Item = &'r RecordId>) -> u32 {
    match end {
        FileEnd::TimedOut { id: Some(id) } | FileEnd::Faulted { id: Some(id), .. } => id.line,
        _ if counts.not_reached == 0 => u32::MAX,
        FileEnd::Halted { id } | FileEnd::Malformed { id } => id.line,
        // Beyond the last failing record, at an unknown distance.
        _ => failing.map(|id| id.line).max().unwrap_or(0),
    }
}

/// Returns the kind of the only failure of a file from another tool, which follows from the file's status.
fn kind_of_whole(report: &FileReport) -> &'static str {
    match report.last_status() {
        _ if !report.is_whole() => REPORTED,
        FileStatus::TimedOut => "timed_out",
        FileStatus::Crashed => "process_died",
        FileStatus::OutOfMemory => "out_of_memory",
        _ => REPORTED,
    }
}

fn identity(before: Option<&FileReport>, now: Option<&FileReport>) -> MatchedBy {
    // The JSON report has lines of excluded records, but no keys.
    let has_keys = |file: &FileReport| file.has_keys() && file.left_out.iter().all(|one| one.key.is_some());
    if before.is_none_or(has_keys) && now.is_none_or(has_keys) { MatchedBy::Keys } else { MatchedBy::Lines }
}

/// Returns the reason why records that are missing in one run cannot be judged in the whole file.
fn doubt(
    before: Option<&KnownRecords<'_>>,
    now: Option<&KnownRecords<'_>>,
    conditions: ComparedConditions,
) -> Option<MissingReason> {
    let (Some(before), Some(now)) = (before, now) else { return Some(MissingReason::NotRun) };
    if !before.was_run() || !now.was_run() {
        return Some(MissingReason::NotRun);
    }
    let is_flaky = |known: &KnownRecords<'_>| known.report.status() == FileStatus::Flaky;
    let skips = |known: &KnownRecords<'_>| known.report.counts.skipped > 0;
    if is_flaky(before) || is_flaky(now) {
        Some(MissingReason::Flaky)
    } else if conditions.one_of_wholes && before.report.counts.total != now.report.counts.total {
        Some(MissingReason::WholeOnly)
    } else if !conditions.same && (skips(before) || skips(now)) {
        Some(MissingReason::OtherConditions)
    } else if has_changed(before, now) {
        Some(MissingReason::FileChanged)
    } else if leave_out_both(before, now) {
        Some(MissingReason::LeftOut)
    } else {
        None
    }
}

/// Returns whether each run lacks records that the other may have executed. Then the number of records passing in both
/// is unknown: one run excludes some, and the other excludes different ones or ended early.
fn leave_out_both(before: &KnownRecords<'_>, now: &KnownRecords<'_>) -> bool {
    let then = before.leaves_out_more(Some(now)) > 0;
    let today = now.leaves_out_more(Some(before)) > 0;
    (then && (today || now.reach < before.reach)) || (today && before.reach < now.reach)
}

/// Returns whether the records differ. If the reports do not identify records, counts and the lines of common failures
/// may show it.
fn has_changed(before: &KnownRecords<'_>, now: &KnownRecords<'_>) -> bool {
    let (then, today) = (before.report.counts.total, now.report.counts.total);
    let fits = match (before.is_cut(), now.is_cut()) {
        _ if before.report.records.is_some() && now.report.records.is_some() => {
            before.report.records == now.report.records
        }
        (false, false) => then == today,
        (true, false) => then <= today,
        (false, true) => then >= today,
        (true, true) => true,
    };
    // If one of them ended early, lines are compared with lines of the other.
    let early = before.reach != u32::MAX || now.reach != u32::MAX;
    let moved = || {
        before
            .failing
            .iter()
            .any(|(name, then)| now.failing.get(name).is_some_and(|today| then.id != today.id))
    };
    !fits || early && moved()
}

fn record<'r>(
    name: RecordMatch<'r>,
    before: Option<&KnownRecords<'r>>,
    now: Option<&KnownRecords<'r>>,
    doubt: Option<MissingReason>,
) -> RecordDiff<'r> {
    let of = |known: Option<&KnownRecords<'r>>| known.and_then(|known| known.failing.get(&name).copied());
    let diff = RecordDiff { change: RecordChange::StillFailing, before: of(before), now: of(now) };
    let why = doubt.or_else(|| match (diff.before, diff.now) {
        (None, Some(failing)) => before?.lacks(name, failing.id),
        (Some(failing), None) => now?.lacks(name, failing.id),
        _ => None,
    });
    RecordDiff { change: change(&diff, why), ..diff }
}

/// Returns the change of a record; `why` is the reason if one of the runs does not know it.
fn change(record: &RecordDiff<'_>, why: Option<MissingReason>) -> RecordChange {
    match (record.before, record.now) {
        (None, Some(_)) => match why {
            Some(why) => RecordChange::NewFailure(why),
            None => RecordChange::Regressed,
        },
        (Some(_), None) => match why {
            Some(why) => RecordChange::Disappeared(why),
            None => RecordChange::Fixed,
        },
        _ => RecordChange::StillFailing,
    }
}

/// Counts the records; `None` if the counts cannot be those of one text.
fn account(
    records: &[RecordDiff<'_>],
    before: Option<&KnownRecords<'_>>,
    now: Option<&KnownRecords<'_>>,
    doubt: Option<MissingReason>,
) -> Option<ChangeCounts> {
    let mut account = ChangeCounts::default();
    for record in records {
        *match record.change {
            RecordChange::Regressed => &mut account.regressed,
            RecordChange::Fixed => &mut account.fixed,
            RecordChange::NewFailure(_) => &mut account.new_failures,
            RecordChange::Disappeared(_) => &mut account.disappeared,
            RecordChange::StillFailing => &mut account.still_failing,
        } += 1;
        account.otherwise += u64::from(record.fails_otherwise());
    }
    let (then, today) = (before.map_or(0, KnownRecords::passed), now.map_or(0, KnownRecords::passed));
    match (doubt, before, now) {
        (Some(MissingReason::NotRun), ..) => (account.newly_untested, account.newly_tested) = (then, today),
        (None, Some(before), Some(now)) => {
            // All records reached by the shorter execution are known in both.
            let (then, today) = (then.checked_sub(account.regressed)?, today.checked_sub(account.fixed)?);
            account.still_passing = then.min(today);
            account.newly_untested = then - account.still_passing;
            account.newly_tested = today - account.still_passing;
            let lacks = |one: &KnownRecords<'_>, other: &KnownRecords<'_>| {
                one.reach < other.reach || one.leaves_out_more(Some(other)) > 0
            };
            let possible = (account.newly_untested == 0 || lacks(now, before))
                && (account.newly_tested == 0 || lacks(before, now));
            return possible.then_some(account);
        }
        _ => (account.unmatched_before, account.unmatched_now) = (then, today),
    }
    Some(account)
}
