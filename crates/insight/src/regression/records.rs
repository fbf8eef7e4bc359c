//! The records of one file in two runs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use slt_core::outcome::{Counts, FileEnd, FileReport, FileStatus, LeftOut, RecordId};

/// The kind of a failure of which another tool tells no kind.
const REPORTED: &str = "reported";

/// What became of a record that is on the list of failing records of one run, or of both.
///
/// | fails in | what is known of the other run | class |
/// |---|---|---|
/// | both | | still failing |
/// | the current one | it reached the record, in an unchanged file | regressed |
/// | the current one | anything less, see [`Why`] | new failure |
/// | the baseline | it reached the record, in an unchanged file | fixed |
/// | the baseline | anything less, see [`Why`] | disappeared |
///
/// Failing is everything that keeps a file from having passed: failed, unsupported, timed out, malformed, crashed.
/// A file is unchanged if it has the same records under the same conditions, whatever they expect; so a record whose
/// expectation alone was edited, and fails since, is called regressed. In reports of older versions, which do not say what the
/// records were, it is taken to be unchanged as long as no count speaks against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordChange {
    /// It passed, and does not any more.
    Regressed,
    /// It passes, and did not.
    Fixed,
    /// It fails, and it is not known that it ever passed.
    NewFailure(Why),
    /// It failed, and is not known to pass now.
    Disappeared(Why),
    /// It fails as before, or in another way.
    StillFailing,
}

/// Why nothing is known of a record in the other run.
///
/// The first that holds is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// The file was not run there, or could not be started.
    NotRun,
    /// The file has passed there, and has not passed, in one run.
    Flaky,
    /// One of the runs knows the file as a whole only.
    WholeOnly,
    /// The conditions of records were held against other names there, which left records out.
    OtherConditions,
    /// The file has other records there, or other conditions: the record may not be in it, or be skipped.
    FileChanged,
    /// The user has left it out there.
    LeftOut,
    /// The execution of the file ended before the record.
    NotReached,
}

/// A record that fails in one of the runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordDiff<'r> {
    /// What became of it.
    pub change: RecordChange,
    /// Where and how it failed in the baseline.
    pub before: Option<Failing<'r>>,
    /// Where and how it fails in the current run.
    pub now: Option<Failing<'r>>,
}

/// A failing record of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing<'r> {
    /// Where it is.
    pub id: &'r RecordId,
    /// How it failed, as [`Problem::word`](slt_core::outcome::Problem::word) has it; nothing where an older version of
    /// this program has written the report.
    pub kind: Option<&'r str>,
    /// Whether another tool tells of it. Then only the status that follows from the kind is known.
    pub is_vague: bool,
}

impl RecordChange {
    /// The word for it in documents for machines.
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

impl Why {
    /// The word for it in documents for machines.
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
}

impl Why {
    /// Whether the record itself is missing there, or was not executed, though the file was run.
    pub fn is_absence(self) -> bool {
        matches!(self, Self::OtherConditions | Self::FileChanged | Self::LeftOut | Self::NotReached)
    }
}

impl Failing<'_> {
    /// Whether it took its engine, its process or all its time with it.
    pub fn is_abrupt(&self) -> bool {
        self.status().is_some_and(|status| status != FileStatus::Failed)
    }

    /// The status of a file that ends with this failure, if its kind is known.
    fn status(&self) -> Option<FileStatus> {
        Some(match self.kind? {
            "timed_out" => FileStatus::TimedOut,
            "engine_panicked" | "engine_lost" | "process_died" => FileStatus::Crashed,
            "out_of_memory" => FileStatus::OutOfMemory,
            _ => FileStatus::Failed,
        })
    }

    /// Whether it is known to be of another kind than `other`.
    fn differs(&self, other: &Self) -> bool {
        if self.is_vague || other.is_vague {
            self.status().zip(other.status()).is_some_and(|(one, other)| one != other)
        } else {
            self.kind.zip(other.kind).is_some_and(|(one, other)| one != other)
        }
    }
}

impl<'r> RecordDiff<'r> {
    /// Where the record is now, or else where it was.
    pub fn id(&self) -> Option<&'r RecordId> {
        self.now.or(self.before).map(|failing| failing.id)
    }

    /// Whether it fails in both runs, in two ways.
    pub fn fails_otherwise(&self) -> bool {
        self.change == RecordChange::StillFailing
            && self.before.zip(self.now).is_some_and(|(before, now)| before.differs(&now))
    }

    /// Whether it fails in both runs, and takes engine, process or time with it only now.
    pub fn is_graver(&self) -> bool {
        self.before.is_some_and(|failing| failing.kind.is_some() && !failing.is_abrupt())
            && self.now.is_some_and(|failing| failing.is_abrupt())
    }
}

/// How records of two runs are known to be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identity {
    /// By their keys, which stay when lines move.
    Keys,
    /// By their lines: an older version of this program, or another program, has written one of the reports.
    Lines,
}

/// The records of a file, or of a run, in two runs.
///
/// The laws, where `passed` and `failing` are what the reports say:
///
/// * the baseline: `passed = still_passing + regressed + newly_untested + unmatched_before`,
///   `failing = still_failing + fixed + disappeared`
/// * the current run: `passed = still_passing + fixed + newly_tested + unmatched_now`,
///   `failing = still_failing + regressed + new_failures`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Account {
    /// Records that passed, and do not any more.
    pub regressed: u64,
    /// Records that pass, and did not.
    pub fixed: u64,
    /// Records that fail, and are not known to have passed.
    pub new_failures: u64,
    /// Records that failed, and are not known to pass.
    pub disappeared: u64,
    /// Records that fail in both runs.
    pub still_failing: u64,
    /// Those of them that fail in another way.
    pub otherwise: u64,
    /// Records that pass in both runs.
    pub still_passing: u64,
    /// Records that passed, and were not reached or not run.
    pub newly_untested: u64,
    /// Records that pass, and were not reached or not run before.
    pub newly_tested: u64,
    /// Records that passed in files where it cannot be told which they are, for instance because the file has changed.
    pub unmatched_before: u64,
    /// Records that pass now in these files.
    pub unmatched_now: u64,
}

impl AddAssign for Account {
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

/// What is known of the records of a file that is in one of the runs, or in both.
pub(super) struct Matched<'r> {
    pub(super) identity: Identity,
    pub(super) doubt: Option<Why>,
    /// In the order of their lines.
    pub(super) records: Vec<RecordDiff<'r>>,
    pub(super) account: Account,
    /// How many records the current run has left out that the baseline has not.
    pub(super) left_out: u64,
}

/// How the conditions of the two runs relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Conditions {
    /// Whether the names that conditions are held against are the same.
    pub(super) same: bool,
    /// Whether one of the runs, and not the other, knows files as wholes only.
    pub(super) one_of_wholes: bool,
}

/// Holds the records of a file against each other.
pub(super) fn matched<'r>(
    before: Option<&'r FileReport>,
    now: Option<&'r FileReport>,
    conditions: Conditions,
) -> Matched<'r> {
    let identity = identity(before, now);
    let (then, today) = (
        before.map(|file| KnownRecords::of(file, identity)),
        now.map(|file| KnownRecords::of(file, identity)),
    );
    let names: BTreeSet<Name<'_>> =
        then.iter().chain(&today).flat_map(|known| known.failing.keys().copied()).collect();
    let mut doubt = doubt(then.as_ref(), today.as_ref(), conditions);
    let mut records: Vec<_> =
        names.into_iter().map(|name| record(name, then.as_ref(), today.as_ref(), doubt)).collect();
    let mut account = account(&records, then.as_ref(), today.as_ref(), doubt);
    if doubt.is_none() && account.is_none() {
        // What cannot be has a cause: the records are others.
        doubt = Some(Why::FileChanged);
        let again = |known: &RecordDiff<'r>| RecordDiff { change: change(known, doubt), ..*known };
        records = records.iter().map(again).collect();
        account = self::account(&records, then.as_ref(), today.as_ref(), doubt);
    }
    records.sort_by_key(|record| (record.id(), record.before.map(|failing| failing.id)));
    let left_out = today.as_ref().map_or(0, |known| known.leaves_out_more(then.as_ref()));
    Matched { identity, doubt, records, account: account.unwrap_or_default(), left_out }
}

/// What makes a record the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Name<'r> {
    Key(u64),
    /// A record without a key.
    Place(&'r RecordId),
}

/// What a report knows of the records of a file.
struct KnownRecords<'r> {
    report: &'r FileReport,
    failing: BTreeMap<Name<'r>, Failing<'r>>,
    left_out: BTreeSet<Name<'r>>,
    /// Records behind this line were not reached.
    reach: u32,
}

impl<'r> KnownRecords<'r> {
    fn of(report: &'r FileReport, identity: Identity) -> Self {
        let mut failing = BTreeMap::new();
        for record in &report.failures {
            let key = record.key.filter(|_| identity == Identity::Keys);
            let kind = report.kind_of(record);
            let is_vague = kind == Some(REPORTED);
            let kind = if is_vague { Some(kind_of_whole(report)) } else { kind };
            // A file that is known as a whole has one record, on whatever line others have seen it fail.
            let whole = identity == Identity::Lines && report.counts.total == 1;
            let named = Name::Place(if whole { &RecordId::WHOLE_FILE } else { &record.id });
            let known = Failing { id: &record.id, kind, is_vague };
            failing.insert(key.map_or(named, |key| Name::Key(key.0)), known);
        }
        let named = |left_out: &'r LeftOut| match left_out.key.filter(|_| identity == Identity::Keys) {
            Some(key) => Name::Key(key.0),
            None => Name::Place(&left_out.id),
        };
        let left_out = report.left_out.iter().map(named).collect();
        Self {
            report,
            failing,
            left_out,
            reach: reach(&report.end, &report.counts, report.failures.iter().map(|record| &record.id)),
        }
    }

    /// Why it has no word of a record that does not fail in it, if it has none.
    fn lacks(&self, name: Name<'_>, id: &RecordId) -> Option<Why> {
        let left_out = self.left_out.contains(&name).then_some(Why::LeftOut);
        left_out.or((id.line > self.reach).then_some(Why::NotReached))
    }

    /// How many records it leaves out that the other has not left out.
    fn leaves_out_more(&self, other: Option<&Self>) -> u64 {
        let is_new = |name: &&Name<'_>| other.is_none_or(|other| !other.left_out.contains(name));
        self.left_out.iter().filter(is_new).count() as u64
    }

    fn was_run(&self) -> bool {
        !matches!(self.report.end, FileEnd::NotStarted(_)) || !self.failing.is_empty()
    }

    fn passed(&self) -> u64 {
        self.report.counts.passed
    }

    /// Whether the number of records may be larger than the report says: its worker was lost before it could tell.
    fn is_cut(&self) -> bool {
        let counts = &self.report.counts;
        let lost = matches!(self.report.end, FileEnd::TimedOut { .. } | FileEnd::Faulted { .. });
        lost && counts.not_reached == 0
    }
}

/// The last line that was reached.
pub(super) fn reach<'r>(end: &FileEnd, counts: &Counts, failing: impl Iterator<Item = &'r RecordId>) -> u32 {
    match end {
        FileEnd::TimedOut { id: Some(id) } | FileEnd::Faulted { id: Some(id), .. } => id.line,
        _ if counts.not_reached == 0 => u32::MAX,
        FileEnd::Halted { id } | FileEnd::Malformed { id } => id.line,
        // Further than the last failing record, but nobody knows how far.
        _ => failing.map(|id| id.line).max().unwrap_or(0),
    }
}

/// The kind of the only failure of a file that another tool tells of: the file's status says it.
fn kind_of_whole(report: &FileReport) -> &'static str {
    match report.last_status() {
        _ if !report.is_whole() => REPORTED,
        FileStatus::TimedOut => "timed_out",
        FileStatus::Crashed => "process_died",
        FileStatus::OutOfMemory => "out_of_memory",
        _ => REPORTED,
    }
}

fn identity(before: Option<&FileReport>, now: Option<&FileReport>) -> Identity {
    // The JSON report has the lines of records that were left out, and no keys.
    let has_keys = |file: &FileReport| file.has_keys() && file.left_out.iter().all(|one| one.key.is_some());
    if before.is_none_or(has_keys) && now.is_none_or(has_keys) { Identity::Keys } else { Identity::Lines }
}

/// Why nothing can be said of a record of which one of the runs has no word, wherever it is in the file.
fn doubt(
    before: Option<&KnownRecords<'_>>,
    now: Option<&KnownRecords<'_>>,
    conditions: Conditions,
) -> Option<Why> {
    let (Some(before), Some(now)) = (before, now) else { return Some(Why::NotRun) };
    if !before.was_run() || !now.was_run() {
        return Some(Why::NotRun);
    }
    let is_flaky = |known: &KnownRecords<'_>| known.report.status() == FileStatus::Flaky;
    let skips = |known: &KnownRecords<'_>| known.report.counts.skipped > 0;
    if is_flaky(before) || is_flaky(now) {
        Some(Why::Flaky)
    } else if conditions.one_of_wholes && before.report.counts.total != now.report.counts.total {
        Some(Why::WholeOnly)
    } else if !conditions.same && (skips(before) || skips(now)) {
        Some(Why::OtherConditions)
    } else if has_changed(before, now) {
        Some(Why::FileChanged)
    } else if leave_out_both(before, now) {
        Some(Why::LeftOut)
    } else {
        None
    }
}

/// Whether each of the runs lacks records that the other one may have executed, for then it cannot be told how many of those
/// that pass are the same: one leaves some out, and the other one does so with others, or ended before.
fn leave_out_both(before: &KnownRecords<'_>, now: &KnownRecords<'_>) -> bool {
    let then = before.leaves_out_more(Some(now)) > 0;
    let today = now.leaves_out_more(Some(before)) > 0;
    (then && (today || now.reach < before.reach)) || (today && before.reach < now.reach)
}

/// Whether the records are others. Where the reports do not say which they had, the counts may show it, or the lines of
/// records that fail in both.
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
    // Where one of them has ended early, lines are compared with lines of the other.
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
    name: Name<'r>,
    before: Option<&KnownRecords<'r>>,
    now: Option<&KnownRecords<'r>>,
    doubt: Option<Why>,
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

/// What became of a record. Where nothing is known of it in one of the runs, `why` says so.
fn change(record: &RecordDiff<'_>, why: Option<Why>) -> RecordChange {
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

/// Sums the records up; nothing, if the counts cannot be those of one text.
fn account(
    records: &[RecordDiff<'_>],
    before: Option<&KnownRecords<'_>>,
    now: Option<&KnownRecords<'_>>,
    doubt: Option<Why>,
) -> Option<Account> {
    let mut account = Account::default();
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
        (Some(Why::NotRun), ..) => (account.newly_untested, account.newly_tested) = (then, today),
        (None, Some(before), Some(now)) => {
            // Of the records that the shorter execution reached, all are known in both.
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
