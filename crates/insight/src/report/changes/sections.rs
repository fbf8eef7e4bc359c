//! What has changed, in the order in which somebody wants to know.

use crate::regression::{Failing, FileChange, FileDiff, FileState, RecordChange, RecordDiff, RunDiff, Why};
use slt_core::location::FileId;
use slt_core::outcome::RecordId;
use slt_runner::text::count::plural;
use slt_runner::text::visible::one_line;

/// How a change is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something became worse.
    Bad,
    /// Something is odd.
    Odd,
    /// Something became better.
    Good,
    /// Good to know.
    Plain,
}

/// Changes that have something in common.
pub struct ChangeKind {
    /// How they are to be taken.
    pub tone: Tone,
    /// What they have in common.
    pub title: &'static str,
    what: ChangeFilter,
}

enum ChangeFilter {
    /// They are of files.
    Files(fn(&FileDiff<'_>) -> bool),
    /// They are of records, of files that both runs have; those of others are told by their files.
    Records(fn(&RecordDiff<'_>) -> bool),
    /// They are of files in which fewer records pass.
    Lost,
}

impl ChangeKind {
    const fn of_files(tone: Tone, title: &'static str, what: fn(&FileDiff<'_>) -> bool) -> Self {
        Self { tone, title, what: ChangeFilter::Files(what) }
    }

    const fn of_records(tone: Tone, title: &'static str, what: fn(&RecordDiff<'_>) -> bool) -> Self {
        Self { tone, title, what: ChangeFilter::Records(what) }
    }

    /// Whether they are of files; else of records.
    pub fn is_of_files(&self) -> bool {
        matches!(self.what, ChangeFilter::Files(_) | ChangeFilter::Lost)
    }

    /// The changes of this kind in a file.
    pub fn entries<'d>(&self, file: &'d FileDiff<'d>) -> Vec<ChangeEntry<'d>> {
        let whole =
            |is_so: bool, about| is_so.then(|| ChangeEntry::of_file(file, about)).into_iter().collect();
        match self.what {
            ChangeFilter::Files(is_so) => whole(is_so(file), About::File(file)),
            ChangeFilter::Lost => whole(file.lost() > 0, About::Lost(file)),
            ChangeFilter::Records(is_so) => {
                let records = file.records.iter().filter(|record| file.is_common() && is_so(record));
                records.map(|record| ChangeEntry::of_record(file, record)).collect()
            }
        }
    }
}

/// All kinds, in the order in which somebody wants to know.
pub const KINDS: [ChangeKind; 16] = [
    ChangeKind::of_files(Tone::Bad, "regressed files", |file| file.change == FileChange::Regressed),
    ChangeKind::of_records(Tone::Bad, "regressed records", |one| one.change == RecordChange::Regressed),
    ChangeKind::of_records(Tone::Bad, "records that end worse than before", |one| one.is_graver()),
    ChangeKind {
        tone: Tone::Bad,
        title: "files in which fewer records are known to pass",
        what: ChangeFilter::Lost,
    },
    ChangeKind::of_files(Tone::Odd, "new failures: files", |file| file.change == FileChange::NewFailure),
    ChangeKind::of_records(Tone::Odd, "new failures: records", |one| {
        matches!(one.change, RecordChange::NewFailure(_))
    }),
    ChangeKind::of_files(Tone::Odd, "newly flaky files", |file| file.change == FileChange::NewlyFlaky),
    ChangeKind::of_files(Tone::Odd, "newly untested files", |file| file.change == FileChange::NewlyUntested),
    ChangeKind::of_files(Tone::Odd, "files that end in another way", |file| file.ends_otherwise()),
    ChangeKind::of_records(Tone::Odd, "records that fail in another way", |one| {
        one.fails_otherwise() && !one.is_graver()
    }),
    ChangeKind::of_files(Tone::Good, "fixed files", |file| file.change == FileChange::Fixed),
    ChangeKind::of_records(Tone::Good, "fixed records", |one| one.change == RecordChange::Fixed),
    ChangeKind::of_files(Tone::Good, "no longer flaky files", |file| {
        file.change == FileChange::NoLongerFlaky
    }),
    ChangeKind::of_files(Tone::Plain, "newly tested files", |file| file.change == FileChange::NewlyTested),
    ChangeKind::of_files(Tone::Plain, "disappeared failures: files", |file| {
        file.change == FileChange::Disappeared
    }),
    ChangeKind::of_records(Tone::Plain, "disappeared failures: records", |one| {
        matches!(one.change, RecordChange::Disappeared(_))
    }),
];

/// The changes of one kind.
pub struct ChangeSection<'d> {
    /// How they are to be taken.
    pub tone: Tone,
    /// What they have in common.
    pub title: &'static str,
    /// Whether they are of files; else of records.
    pub of_files: bool,
    /// All of them.
    pub entries: Vec<ChangeEntry<'d>>,
}

/// One change.
pub struct ChangeEntry<'d> {
    /// The identity of the file.
    pub file: &'d FileId,
    /// What messages call the file.
    pub shown: &'d str,
    /// The record, if it is of one.
    pub id: Option<&'d RecordId>,
    pub(super) about: About<'d>,
}

/// What a change is about.
pub(super) enum About<'d> {
    File(&'d FileDiff<'d>),
    Record(&'d RecordDiff<'d>),
    Lost(&'d FileDiff<'d>),
    /// It is told already.
    Told(String),
}

impl<'d> ChangeEntry<'d> {
    fn of_file(file: &'d FileDiff<'d>, about: About<'d>) -> Self {
        Self { file: file.file, shown: file.shown, id: None, about }
    }

    fn of_record(file: &'d FileDiff<'d>, record: &'d RecordDiff<'d>) -> Self {
        let id = record.id().filter(|id| !id.is_whole_file());
        Self { id, ..Self::of_file(file, About::Record(record)) }
    }

    /// A change in the words of its own.
    pub fn told(file: &'d FileId, shown: &'d str, id: Option<&'d RecordId>, what: String) -> Self {
        Self { file, shown, id, about: About::Told(what) }
    }

    /// The record, if it fails in the current run.
    pub fn failing(&self) -> Option<&'d RecordId> {
        match self.about {
            About::Record(record) => record.now.map(|failing| failing.id),
            _ => None,
        }
    }

    /// The file, or the file with the record.
    pub fn place(&self) -> String {
        let shown = one_line(self.shown);
        self.id.map_or_else(|| shown.to_string(), |id| format!("{shown}:{id}"))
    }

    /// What has changed.
    pub fn what(&self) -> String {
        match &self.about {
            About::File(file) => of_file(file),
            About::Record(record) => of_record(record),
            About::Lost(file) => lost(file),
            About::Told(what) => what.clone(),
        }
    }
}

/// All changes; sections without an entry are left out.
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
    // What has failed and is not known to pass, or the reverse, though the file ended so in both.
    let why = file.records.iter().find_map(|record| match (file.change, record.change) {
        (FileChange::Disappeared, RecordChange::Disappeared(why)) => Some((why, "now")),
        (FileChange::NewFailure, RecordChange::NewFailure(why)) => Some((why, "before")),
        _ => None,
    });
    let why = why.filter(|(why, _)| why.is_absence() && *why != Why::LeftOut);
    let why = why.map_or_else(String::new, |(why, when)| format!("; {}", reason(why, when)));
    format!("{before}, now {now}{failing}{left_out}{why}")
}

fn of_record(record: &RecordDiff<'_>) -> String {
    let kind = |failing: Option<Failing<'_>>| {
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

fn reason(why: Why, when: &str) -> String {
    match why {
        Why::NotRun => format!("{when} the file was not run"),
        Why::Flaky => "the file is flaky in one of the runs".to_owned(),
        Why::WholeOnly => "one of the runs knows the file as a whole only".to_owned(),
        Why::OtherConditions => format!("{when} a condition may leave it out"),
        Why::FileChanged if when == "now" => {
            "the file has changed, it may be gone or not executed".to_owned()
        }
        Why::FileChanged => "the file has changed, it may be new".to_owned(),
        Why::LeftOut => format!("{when} it is left out"),
        Why::NotReached => format!("{when} it is not reached"),
    }
}

fn lost(file: &FileDiff<'_>) -> String {
    let records = plural(file.lost(), "record");
    match file.doubt {
        Some(Why::FileChanged) => format!("{records} fewer pass, in a file that has changed"),
        _ => format!("{records} passed before, and are not reached now"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_of_one_kind_and_what_fails_as_before_is_of_none() {
        let sides = [None, Some("rows_differ"), Some("hash_differs"), Some("timed_out")];
        let failing = |kind: Option<&'static str>| {
            kind.map(|kind| Failing { id: &RecordId::WHOLE_FILE, kind: Some(kind), is_vague: false })
        };
        for (before, now) in sides.iter().flat_map(|before| sides.map(|now| (*before, now))) {
            let changes = match (before, now) {
                (None, None) => continue,
                (None, Some(_)) => vec![RecordChange::Regressed, RecordChange::NewFailure(Why::Flaky)],
                (Some(_), None) => vec![RecordChange::Fixed, RecordChange::Disappeared(Why::NotReached)],
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
