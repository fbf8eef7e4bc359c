//! Two runs side by side, and what stands in the way of comparing all of them.

use super::sections::Tone;
use crate::regression::{FileDiff, FileState, RunDiff};
use slt_core::engine::EngineId;
use slt_core::outcome::FileStatus;
use slt_runner::text::count::{percent, plural, thousands};

/// The rows of the table of both runs: what, then, now, change.
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

/// The change of a share, in percentage points: `+1.25`.
pub fn points(before: Option<f64>, now: Option<f64>) -> String {
    match before.zip(now) {
        Some((before, now)) if before == now => "=".to_owned(),
        Some((before, now)) => format!("{:+.2}", (now - before) * 100.0),
        None => "-".to_owned(),
    }
}

/// The change of a count: `+3`.
fn more(before: u64, now: u64) -> String {
    match now.cmp(&before) {
        std::cmp::Ordering::Equal => "=".to_owned(),
        std::cmp::Ordering::Greater => format!("+{}", thousands(now - before)),
        std::cmp::Ordering::Less => format!("-{}", thousands(before - now)),
    }
}

/// How much there is of a change.
pub struct Sum {
    pub count: u64,
    pub tone: Tone,
    /// What follows the number.
    pub words: String,
}

/// What became of the records, and which files take their engine with them now; what there is none of is left out.
pub fn sums(diff: &RunDiff<'_>) -> Vec<Sum> {
    let account = diff.account();
    let (unmatched, now) = (account.unmatched_before, account.unmatched_now);
    let records = [
        (account.regressed, Tone::Bad, "regressed"),
        (account.new_failures, Tone::Odd, "newly failing"),
        (account.newly_untested, Tone::Odd, "passed, and are not reached or run now"),
        (account.fixed, Tone::Good, "fixed"),
        (account.newly_tested, Tone::Good, "pass, and were not reached or run before"),
        (account.still_failing, Tone::Plain, "still failing"),
        (account.otherwise, Tone::Plain, "of them in another way"),
        (account.disappeared, Tone::Plain, "failed, and are not known to pass now"),
        (unmatched.max(now), Tone::Plain, "passing in files that cannot be matched"),
        (account.still_passing, Tone::Plain, "still passing"),
    ];
    let records = records.map(|(count, tone, words)| Sum { count, tone, words: words.to_owned() });
    let abrupt = [FileStatus::TimedOut, FileStatus::Crashed, FileStatus::OutOfMemory].map(|status| {
        let is_new = |file: &&FileDiff<'_>| {
            let is = |state: Option<FileState>| state.is_some_and(|of| of.status == status);
            file.is_common() && is(file.now) && !is(file.before)
        };
        let count = diff.files.iter().filter(is_new).count() as u64;
        let files = if count == 1 { "file ends" } else { "files end" };
        Sum { count, tone: Tone::Bad, words: format!("{files} by {} and did not", status.label()) }
    });
    records.into_iter().chain(abrupt).filter(|sum| sum.count > 0).collect()
}

/// What stands in the way of comparing all of it, in sentences.
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
        caveats.push(format!("conditions were held against `{then}`, and now against `{today}`"));
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
