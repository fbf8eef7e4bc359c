//! Formats the changes between two runs, shared by the documents of `compare` and `report`.
//!
//! `sections` decides on the changes worth naming.

use crate::regression::{
    FailureInRun, FileChange, FileDiff, FileState, MissingReason, RecordChange, RecordDiff, RunDiff,
};
use slt_core::engine::EngineId;
use slt_core::location::FileId;
use slt_core::outcome::{FileStatus, RecordId};
use slt_runner::text::count::{percent, plural, thousands};
use slt_runner::text::visible::one_line;

/// The assessment of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeTone {
    /// Something became worse.
    Bad,
    /// A warning.
    Odd,
    /// Something became better.
    Good,
    /// For information.
    Plain,
}

/// A kind of change.
pub struct ChangeKind {
    /// The assessment.
    pub tone: ChangeTone,
    /// The heading.
    pub title: &'static str,
    what: ChangeFilter,
}

enum ChangeFilter {
    /// Changes of files.
    Files(fn(&FileDiff<'_>) -> bool),
    /// Changes of records in files of both runs; other records are covered by their files.
    Records(fn(&RecordDiff<'_>) -> bool),
    /// Files with fewer passing records.
    Lost,
}

impl ChangeKind {
    const fn of_files(tone: ChangeTone, title: &'static str, what: fn(&FileDiff<'_>) -> bool) -> Self {
        Self { tone, title, what: ChangeFilter::Files(what) }
    }

    const fn of_records(tone: ChangeTone, title: &'static str, what: fn(&RecordDiff<'_>) -> bool) -> Self {
        Self { tone, title, what: ChangeFilter::Records(what) }
    }

    /// Whether the changes are of files, as opposed to records.
    pub fn is_of_files(&self) -> bool {
        matches!(self.what, ChangeFilter::Files(_) | ChangeFilter::Lost)
    }

    /// Returns the changes of this kind in a file.
    pub fn entries<'d>(&self, file: &'d FileDiff<'d>) -> Vec<ChangeEntry<'d>> {
        let whole =
            |is_so: bool, about| is_so.then(|| ChangeEntry::of_file(file, about)).into_iter().collect();
        match self.what {
            ChangeFilter::Files(is_so) => whole(is_so(file), ChangeSubject::File(file)),
            ChangeFilter::Lost => whole(file.lost() > 0, ChangeSubject::Lost(file)),
            ChangeFilter::Records(is_so) => {
                let records = file.records.iter().filter(|record| file.is_common() && is_so(record));
                records.map(|record| ChangeEntry::of_record(file, record)).collect()
            }
        }
    }
}

/// All kinds, the most important first.
pub const KINDS: [ChangeKind; 16] = [
    ChangeKind::of_files(ChangeTone::Bad, "regressed files", |file| file.change == FileChange::Regressed),
    ChangeKind::of_records(ChangeTone::Bad, "regressed records", |one| one.change == RecordChange::Regressed),
    ChangeKind::of_records(ChangeTone::Bad, "records that end worse than before", |one| one.is_graver()),
    ChangeKind {
        tone: ChangeTone::Bad,
        title: "files in which fewer records are known to pass",
        what: ChangeFilter::Lost,
    },
    ChangeKind::of_files(ChangeTone::Odd, "new failures: files", |file| {
        file.change == FileChange::NewFailure
    }),
    ChangeKind::of_records(ChangeTone::Odd, "new failures: records", |one| {
        matches!(one.change, RecordChange::NewFailure(_))
    }),
    ChangeKind::of_files(ChangeTone::Odd, "newly flaky files", |file| file.change == FileChange::NewlyFlaky),
    ChangeKind::of_files(ChangeTone::Odd, "newly untested files", |file| {
        file.change == FileChange::NewlyUntested
    }),
    ChangeKind::of_files(ChangeTone::Odd, "files that end in another way", |file| file.ends_otherwise()),
    ChangeKind::of_records(ChangeTone::Odd, "records that fail in another way", |one| {
        one.fails_otherwise() && !one.is_graver()
    }),
    ChangeKind::of_files(ChangeTone::Good, "fixed files", |file| file.change == FileChange::Fixed),
    ChangeKind::of_records(ChangeTone::Good, "fixed records", |one| one.change == RecordChange::Fixed),
    ChangeKind::of_files(ChangeTone::Good, "no longer flaky files", |file| {
        file.change == FileChange::NoLongerFlaky
    }),
    ChangeKind::of_files(ChangeTone::Plain, "newly tested files", |file| {
        file.change == FileChange::NewlyTested
    }),
    ChangeKind::of_files(ChangeTone::Plain, "disappeared failures: files", |file| {
        file.change == FileChange::Disappeared
    }),
    ChangeKind::of_records(ChangeTone::Plain, "disappeared failures: records", |one| {
        matches!(one.change, RecordChange::Disappeared(_))
    }),
];

/// The changes of one kind.
pub struct ChangeSection<'d> {
    /// The assessment.
    pub tone: ChangeTone,
    /// The heading.
    pub title: &'static str,
    /// Whether the changes are of files, as opposed to records.
    pub of_files: bool,
    /// The changes.
    pub entries: Vec<ChangeEntry<'d>>,
}

/// One change.
pub struct ChangeEntry<'d> {
    /// The identity of the file.
    pub file: &'d FileId,
    /// The name of the file in messages.
    pub shown: &'d str,
    /// The changed record; `None` for a file.
    pub id: Option<&'d RecordId>,
    about: ChangeSubject<'d>,
}

/// The item that has changed.
enum ChangeSubject<'d> {
    File(&'d FileDiff<'d>),
    Record(&'d RecordDiff<'d>),
    Lost(&'d FileDiff<'d>),
    /// Other text.
    Told(String),
}

impl<'d> ChangeEntry<'d> {
    fn of_file(file: &'d FileDiff<'d>, about: ChangeSubject<'d>) -> Self {
        Self { file: file.file, shown: file.shown, id: None, about }
    }

    fn of_record(file: &'d FileDiff<'d>, record: &'d RecordDiff<'d>) -> Self {
        let id = record.id().filter(|id| !id.is_whole_file());
        Self { id, ..Self::of_file(file, ChangeSubject::Record(record)) }
    }

    /// Creates a change with its own text.
    pub fn told(file: &'d FileId, shown: &'d str, id: Option<&'d RecordId>, what: String) -> Self {
        Self { file, shown, id, about: ChangeSubject::Told(what) }
    }

    /// Returns the record, if it fails in the current run.
    pub fn failing(&self) -> Option<&'d RecordId> {
        match self.about {
            ChangeSubject::Record(record) => record.now.map(|failing| failing.id),
            _ => None,
        }
    }

    /// Returns the file, with the record if there is one.
    pub fn place(&self) -> String {
        let shown = one_line(self.shown);
        self.id.map_or_else(|| shown.to_string(), |id| format!("{shown}:{id}"))
    }

    /// Describes the change.
    pub fn what(&self) -> String {
        match &self.about {
            ChangeSubject::File(file) => of_file(file),
            ChangeSubject::Record(record) => of_record(record),
            ChangeSubject::Lost(file) => lost(file),
            ChangeSubject::Told(what) => what.clone(),
        }
    }
}

/// Returns all changes, without empty sections.
pub fn sections<'d>(diff: &'d RunDiff<'d>) -> Vec<ChangeSection<'d>> {
    let all = KINDS.iter().map(|kind| ChangeSection {
        tone: kind.tone,
        title: kind.title,
        of_files: kind.is_of_files(),
        entries: diff.files.iter().flat_map(|file| kind.entries(file)).collect(),
    });
    all.filter(|section| !section.entries.is_empty()).collect()
}

fn of_file(file: &FileDiff<'_>) -> String {
    let word = |state: FileState| state.status.label();
    let before =
        file.before.map_or("not in the baseline".to_owned(), |state| format!("{} before", word(state)));
    let now = file.now.map_or("not in the run", word);
    let failing = file.now.map_or(0, |state| state.counts.not_passed());
    let failing = match failing {
        0 => String::new(),
        count => format!(", {} not passed", plural(count, "record")),
    };
    let left_out = match file.left_out {
        0 => String::new(),
        count => format!(", {} left out now", plural(count, "record")),
    };
    // A failure that was not known to pass before, or the reverse, although the status of the file stayed the same.
    let why = file.records.iter().find_map(|record| match (file.change, record.change) {
        (FileChange::Disappeared, RecordChange::Disappeared(why)) => Some((why, "now")),
        (FileChange::NewFailure, RecordChange::NewFailure(why)) => Some((why, "before")),
        _ => None,
    });
    let why = why.filter(|(why, _)| why.is_absence() && *why != MissingReason::LeftOut);
    let why = why.map_or_else(String::new, |(why, when)| format!("; {}", reason(why, when)));
    format!("{before}, now {now}{failing}{left_out}{why}")
}

fn of_record(record: &RecordDiff<'_>) -> String {
    let kind = |failing: Option<FailureInRun<'_>>| {
        failing.map_or("passed", |failing| failing.kind.unwrap_or("not passed")).replace('_', " ")
    };
    let (before, now) = (kind(record.before), kind(record.now));
    match record.change {
        RecordChange::Regressed => format!("passed before, now {now}"),
        RecordChange::Fixed => format!("{before} before, passes now"),
        RecordChange::StillFailing => format!("{before} before, now {now}"),
        RecordChange::NewFailure(why) => format!("{now}; {}", reason(why, "before")),
        RecordChange::Disappeared(why) => format!("{before} before; {}", reason(why, "now")),
    }
}

fn reason(why: MissingReason, when: &str) -> String {
    match why {
        MissingReason::NotRun => format!("{when} the file was not run"),
        MissingReason::Flaky => "the file is flaky in one of the runs".to_owned(),
        MissingReason::WholeOnly => "one of the runs knows the file as a whole only".to_owned(),
        MissingReason::OtherConditions => format!("{when} a condition may leave it out"),
        MissingReason::FileChanged if when == "now" => {
            "the file has changed, it may be gone or not executed".to_owned()
        }
        MissingReason::FileChanged => "the file has changed, it may be new".to_owned(),
        MissingReason::LeftOut => format!("{when} it is left out"),
        MissingReason::NotReached => format!("{when} it is not reached"),
    }
}

fn lost(file: &FileDiff<'_>) -> String {
    let records = plural(file.lost(), "record");
    match file.doubt {
        Some(MissingReason::FileChanged) => format!("{records} fewer pass, in a file that has changed"),
        _ => format!("{records} passed before, and are not reached now"),
    }
}

/// Returns the rows of the table of both runs: item, before, now, change.
pub fn rows(diff: &RunDiff<'_>) -> Vec<[String; 4]> {
    let (before, now) = (&diff.baseline, &diff.current);
    let (then, today) = (&before.totals, &now.totals);
    let count = |what: &str, then: u64, today: u64| {
        [what.to_owned(), thousands(then), thousands(today), more(then, today)]
    };
    let share = |what: &str, then: Option<f64>, today: Option<f64>| {
        [what.to_owned(), percent(then), percent(today), points(then, today)]
    };
    vec![
        share("pass rate of records", then.records.pass_rate(), today.records.pass_rate()),
        count("records passed", then.records.passed, today.records.passed),
        count("records not passed", then.records.not_passed(), today.records.not_passed()),
        count("records not reached", then.records.not_reached, today.records.not_reached),
        share("pass rate of files", before.pass_rate(), now.pass_rate()),
        count("files passed", then.passed_with(before.flaky), today.passed_with(now.flaky)),
        share("coverage", before.coverage(), now.coverage()),
    ]
}

/// Formats the change of a share in percentage points, like `+1.25`.
pub fn points(before: Option<f64>, now: Option<f64>) -> String {
    match before.zip(now) {
        Some((before, now)) if before == now => "=".to_owned(),
        Some((before, now)) => format!("{:+.2}", (now - before) * 100.0),
        None => "-".to_owned(),
    }
}

/// Formats the change of a count, like `+3`.
fn more(before: u64, now: u64) -> String {
    match now.cmp(&before) {
        std::cmp::Ordering::Equal => "=".to_owned(),
        std::cmp::Ordering::Greater => format!("+{}", thousands(now - before)),
        std::cmp::Ordering::Less => format!("-{}", thousands(before - now)),
    }
}

/// The number of changes of one kind.
pub struct ChangeSum {
    /// The number.
    pub count: u64,
    /// The assessment.
    pub tone: ChangeTone,
    /// The text after the number.
    pub words: String,
}

/// Returns the changes of records, and the files that now kill their engine, without zeros.
pub fn sums(diff: &RunDiff<'_>) -> Vec<ChangeSum> {
    let account = diff.account();
    let (unmatched, now) = (account.unmatched_before, account.unmatched_now);
    let records = [
        (account.regressed, ChangeTone::Bad, "regressed"),
        (account.new_failures, ChangeTone::Odd, "newly failing"),
        (account.newly_untested, ChangeTone::Odd, "passed, and are not reached or run now"),
        (account.fixed, ChangeTone::Good, "fixed"),
        (account.newly_tested, ChangeTone::Good, "pass, and were not reached or run before"),
        (account.still_failing, ChangeTone::Plain, "still failing"),
        (account.otherwise, ChangeTone::Plain, "of them in another way"),
        (account.disappeared, ChangeTone::Plain, "failed, and are not known to pass now"),
        (unmatched.max(now), ChangeTone::Plain, "passing in files that cannot be matched"),
        (account.still_passing, ChangeTone::Plain, "still passing"),
    ];
    let records = records.map(|(count, tone, words)| ChangeSum { count, tone, words: words.to_owned() });
    let abrupt = [FileStatus::TimedOut, FileStatus::Crashed, FileStatus::OutOfMemory].map(|status| {
        let is_new = |file: &&FileDiff<'_>| {
            let is = |state: Option<FileState>| state.is_some_and(|of| of.status == status);
            file.is_common() && is(file.now) && !is(file.before)
        };
        let count = diff.files.iter().filter(is_new).count() as u64;
        let files = if count == 1 { "file ends" } else { "files end" };
        ChangeSum {
            count,
            tone: ChangeTone::Bad,
            words: format!("{files} by {} and did not", status.label()),
        }
    });
    records.into_iter().chain(abrupt).filter(|sum| sum.count > 0).collect()
}

/// Returns the obstacles to a complete comparison, as sentences.
pub fn caveats(diff: &RunDiff<'_>) -> Vec<String> {
    let (before, now) = (&diff.baseline, &diff.current);
    let mut caveats = Vec::new();
    let of_wholes = before.wholes || now.wholes;
    if !before.engine.is_same(now.engine) && !of_wholes {
        let [then, today] = [before.engine, now.engine].map(EngineId::qualified_name);
        caveats.push(format!("the runs are on different engines: `{then}` and now `{today}`"));
    }
    if before.labels != now.labels && !of_wholes {
        let (then, today) = (before.labels.join(", "), now.labels.join(", "));
        caveats.push(format!("conditions were evaluated for `{then}`, and now for `{today}`"));
    }
    if before.exact != now.exact && !of_wholes {
        caveats.push("one of the runs is strict, and one exact".to_owned());
    }
    for (word, side) in [("baseline", before), ("current", now)] {
        if !side.is_complete() {
            let missing = plural(side.wanted - side.totals.files, "file");
            caveats.push(format!("the {word} run is incomplete: {missing} without a result"));
        }
        if side.wholes {
            caveats.push(format!("the {word} run knows files as wholes only, not their records"));
        }
    }
    let by_lines = diff.by_lines();
    if by_lines > 0 && !of_wholes {
        let files = plural(by_lines, "file");
        caveats.push(format!("records of {files} are known by their lines only, which may have moved"));
    }
    if diff.common() == 0 {
        caveats.push("the runs have no file in common".to_owned());
    }
    caveats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_of_one_kind_and_what_fails_as_before_is_of_none() {
        let sides = [None, Some("rows_differ"), Some("hash_differs"), Some("timed_out")];
        let failing = |kind: Option<&'static str>| {
            kind.map(|kind| FailureInRun { id: &RecordId::WHOLE_FILE, kind: Some(kind), is_vague: false })
        };
        for (before, now) in sides.iter().flat_map(|before| sides.map(|now| (*before, now))) {
            let changes = match (before, now) {
                (None, None) => continue,
                (None, Some(_)) => {
                    vec![RecordChange::Regressed, RecordChange::NewFailure(MissingReason::Flaky)]
                }
                (Some(_), None) => {
                    vec![RecordChange::Fixed, RecordChange::Disappeared(MissingReason::NotReached)]
                }
                (Some(_), Some(_)) => vec![RecordChange::StillFailing],
            };
            for change in changes {
                let record = RecordDiff { change, before: failing(before), now: failing(now) };
                let is_so =
                    |kind: &&ChangeKind| matches!(kind.what, ChangeFilter::Records(is_so) if is_so(&record));
                let kinds = KINDS.iter().filter(is_so).count();
                assert_eq!(kinds, usize::from(before != now), "{record:?}");
            }
        }
    }
}
