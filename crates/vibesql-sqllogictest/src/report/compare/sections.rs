//! What has changed, in the order in which somebody wants to know.

use super::Slow;
use crate::monitor::status_word;
use crate::regression::timing::RECENT;
use crate::regression::{Failing, FileChange, FileDiff, FileState, RecordChange, RecordDiff, RunDiff, Why};
use crate::text::count::{duration, plural};
use crate::text::style::Role;

/// Changes of one kind.
pub(super) struct Section {
    /// How it is to be taken.
    pub(super) role: Role,
    /// What they have in common.
    pub(super) title: &'static str,
    /// Whether they are of files; else of records.
    pub(super) of_files: bool,
    /// All of them.
    pub(super) entries: Vec<Entry>,
}

/// One change.
pub(super) struct Entry {
    /// The file, or the file with the line.
    pub(super) place: String,
    pub(super) what: String,
}

/// All changes; sections without an entry are left out.
///
/// Records of a file that only one of the runs has are in the entry of the file.
pub(super) fn sections(diff: &RunDiff<'_>, slower: &[Slow<'_>]) -> Vec<Section> {
    let of_files = |role, title, entries| Section { role, title, of_files: true, entries };
    let of_records = |role, title, entries| Section { role, title, of_files: false, entries };
    let files = |change: FileChange| diff.with(change).map(of_file).collect::<Vec<_>>();
    let records = |wanted: fn(&RecordDiff<'_>) -> bool| {
        let common = diff.files.iter().filter(|file| file.is_common());
        let named = common
            .flat_map(|file| file.records.iter().filter(|one| wanted(one)).map(|one| of_record(file, one)));
        named.collect::<Vec<_>>()
    };
    let all = [
        of_files(Role::Fail, "regressed files", files(FileChange::Regressed)),
        of_records(Role::Fail, "regressed records", records(|one| one.change == RecordChange::Regressed)),
        of_records(Role::Fail, "records that end worse than before", records(|one| one.is_graver())),
        of_files(Role::Fail, "files in which fewer records are known to pass", lost(diff)),
        of_files(Role::Warn, "new failures: files", files(FileChange::NewFailure)),
        of_records(
            Role::Warn,
            "new failures: records",
            records(|one| matches!(one.change, RecordChange::NewFailure(_))),
        ),
        of_files(Role::Warn, "newly flaky files", files(FileChange::NewlyFlaky)),
        of_files(Role::Warn, "newly untested files", files(FileChange::NewlyUntested)),
        of_files(
            Role::Warn,
            "files that end in another way",
            diff.files.iter().filter(|file| file.ends_otherwise()).map(of_file).collect(),
        ),
        of_records(
            Role::Warn,
            "records that fail in another way",
            records(|one| one.fails_otherwise() && !one.is_graver()),
        ),
        of_records(Role::Warn, "slower", slower.iter().map(|slow| of_slow(diff, slow)).collect()),
        of_files(Role::Pass, "fixed files", files(FileChange::Fixed)),
        of_records(Role::Pass, "fixed records", records(|one| one.change == RecordChange::Fixed)),
        of_files(Role::Pass, "no longer flaky files", files(FileChange::NoLongerFlaky)),
        of_files(Role::Hint, "newly tested files", files(FileChange::NewlyTested)),
        of_files(Role::Hint, "disappeared failures: files", files(FileChange::Disappeared)),
        of_records(
            Role::Hint,
            "disappeared failures: records",
            records(|one| matches!(one.change, RecordChange::Disappeared(_))),
        ),
    ];
    all.into_iter().filter(|section| !section.entries.is_empty()).collect()
}

fn of_file(file: &FileDiff<'_>) -> Entry {
    let word = |state: FileState| status_word(state.status).1;
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
    Entry { place: file.shown.to_owned(), what: format!("{before}, now {now}{failing}{left_out}") }
}

fn of_slow(diff: &RunDiff<'_>, slow: &Slow<'_>) -> Entry {
    let Slow { slowdown, again } = slow;
    let known = diff.files.iter().find(|file| file.file == slowdown.file);
    let shown = known.map_or(slowdown.file, |file| file.shown);
    let place = slowdown.record.map_or_else(|| shown.to_owned(), |record| format!("{shown}:{}", record.line));
    let (before, now) = (duration(slowdown.before), duration(slowdown.now));
    let passes = slowdown.passes;
    let shown_by = match again {
        Some(again) => format!("and {} when it was run once more", duration(*again)),
        None => format!("in each of the last {RECENT} passes"),
    };
    Entry { place, what: format!("{before} before, the median of {passes} passes; now {now}, {shown_by}") }
}

fn of_record(file: &FileDiff<'_>, record: &RecordDiff<'_>) -> Entry {
    let kind = |failing: Option<Failing<'_>>| {
        failing.map_or("passed", |failing| failing.kind.unwrap_or("not passed")).replace('_', " ")
    };
    let (before, now) = (kind(record.before), kind(record.now));
    let what = match record.change {
        RecordChange::Regressed => format!("passed before, now {now}"),
        RecordChange::Fixed => format!("{before} before, passes now"),
        RecordChange::StillFailing => format!("{before} before, now {now}"),
        RecordChange::NewFailure(why) => format!("{now}; {}", reason(why, "before")),
        RecordChange::Disappeared(why) => format!("{before} before; {}", reason(why, "now")),
    };
    let place = match record.line() {
        0 => file.shown.to_owned(),
        line => format!("{}:{line}", file.shown),
    };
    Entry { place, what }
}

fn reason(why: Why, when: &str) -> String {
    match why {
        Why::NotRun => format!("{when} the file was not run"),
        Why::Flaky => "the file is flaky in one of the runs".to_owned(),
        Why::WholeOnly => "one of the runs knows the file as a whole only".to_owned(),
        Why::OtherConditions => format!("{when} a condition may leave it out"),
        Why::FileChanged => "the file has changed between the runs".to_owned(),
        Why::LeftOut => format!("{when} it is left out"),
        Why::NotReached => format!("{when} it is not reached"),
    }
}

fn lost(diff: &RunDiff<'_>) -> Vec<Entry> {
    let of = |file: &FileDiff<'_>| {
        let records = match file.lost() {
            0 => return None,
            count => plural(count, "record"),
        };
        let what = match file.doubt {
            Some(Why::FileChanged) => format!("{records} fewer pass, in a file that has changed"),
            _ => format!("{records} passed before, and are not reached now"),
        };
        Some(Entry { place: file.shown.to_owned(), what })
    };
    diff.files.iter().filter_map(of).collect()
}
