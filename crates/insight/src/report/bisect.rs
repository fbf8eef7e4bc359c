//! Formats the commits between which a failure began, as text and as JSON.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use crate::regression::origin::IgnoredReason;
use serde::Serialize;
use slt_runner::text::count::{plural, thousands};
use slt_runner::text::object::{Object, object};
use slt_runner::text::style::Role;

/// The commit at one end of a range.
#[derive(Debug, Serialize)]
pub struct RangeEnd {
    /// Its hash.
    pub commit: String,
    /// Its date and subject, if the repository is available.
    pub brief: Option<String>,
    /// The run with this result; `None` if the commit was given on the command line.
    pub run: Option<String>,
}

/// A script in a file, or its text.
#[derive(Debug, Serialize)]
pub struct BisectScript {
    /// The script, if it goes to standard output.
    #[serde(skip)]
    pub text: Option<String>,
    /// Its path; `-` for standard output.
    pub path: String,
    /// The same, quoted for a shell.
    #[serde(skip)]
    pub word: String,
    /// The command that builds the engine.
    pub build: String,
    /// The program that runs the tests.
    pub program: String,
    /// The commands to type next.
    pub steps: Vec<String>,
}

impl BisectScript {
    /// Makes a script for standard output.
    pub fn to_output(text: String, build: String, program: String) -> Self {
        Self {
            text: Some(text),
            path: "-".to_owned(),
            word: String::new(),
            build,
            program,
            steps: Vec::new(),
        }
    }
}

/// One record, or one file as a whole.
pub struct Bisection<'b> {
    /// The run in which it fails.
    pub run: &'b str,
    /// Its name in messages.
    pub name: &'b str,
    /// The file.
    pub file: &'b str,
    /// The line of the record; `None` for the whole file.
    pub line: Option<u32>,
    /// The kind of failure, in one word.
    pub kind: &'b str,
    /// The last commit at which it is good.
    pub good: RangeEnd,
    /// The first commit at which it is bad.
    pub bad: RangeEnd,
    /// The number of commits to choose from, if the repository is available.
    pub commits: Option<u64>,
    /// The number of examined runs.
    pub runs: u64,
    /// The numbers of ignored runs, by reason.
    pub silent: &'b BTreeMap<IgnoredReason, u64>,
    /// Notes for the user.
    pub notes: Vec<String>,
    /// The script for `git bisect run`.
    pub script: Option<BisectScript>,
}

/// A range of commits in which records began to fail.
#[derive(Serialize)]
pub struct CommitRange {
    /// The last commit at which they are good.
    pub good: RangeEnd,
    /// The first commit at which they are bad.
    pub bad: RangeEnd,
    /// The number of commits to choose from, if the repository is available.
    pub commits: Option<u64>,
    /// The number of records that began to fail.
    pub records: u64,
    /// The number of their files.
    pub files: u64,
    /// The smallest of the records.
    pub example: String,
    /// The kind of failure of the example, in one word.
    pub kind: String,
    /// The command that shows the example.
    pub command: String,
}

/// All failures of a run.
pub struct BisectOverview<'b> {
    /// The run.
    pub run: &'b str,
    /// The number of examined runs.
    pub runs: u64,
    /// The ranges, the largest first.
    pub ranges: Vec<CommitRange>,
    /// The failures without a range, by reason.
    pub others: BTreeMap<&'static str, u64>,
}

/// Writes the range of one record or file, and the next commands.
pub fn write(out: &mut String, bisection: &Bisection<'_>) -> fmt::Result {
    let Bisection { name, kind, run, good, bad, script, .. } = bisection;
    let kind = kind.replace('_', " ");
    writeln!(out, "{}  {kind} in run {run}\n", Role::Strong.paint(name))?;
    write_end(out, "", "good", Role::Pass, good)?;
    write_end(out, "", "bad", Role::Fail, bad)?;
    if let Some(commits) = bisection.commits {
        writeln!(out, "{}", choice(commits))?;
    }
    if !bisection.silent.is_empty() {
        let all = bisection.silent.values().sum::<u64>();
        let of = plural(bisection.runs, "run");
        writeln!(out, "{} of {of} ignored: {}", thousands(all), silence(bisection.silent))?;
    }
    for note in &bisection.notes {
        writeln!(out, "{} {note}", Role::Warn.paint("note:"))?;
    }
    let Some(script) = script else { return Ok(()) };
    writeln!(out, "\nscript  {}", script.path)?;
    writeln!(out, "        builds with `{}` and tests with `{}`", script.build, script.program)?;
    writeln!(out, "        `{} ends` checks that both ends give the expected result", script.word)?;
    writeln!(out, "\n{}", Role::Hint.paint("next:"))?;
    script.steps.iter().try_for_each(|step| writeln!(out, "  {step}"))
}

fn write_end(out: &mut String, indent: &str, word: &str, role: Role, end: &RangeEnd) -> fmt::Result {
    let brief = end.brief.as_ref().map_or_else(String::new, |brief| format!("  {brief}"));
    let commit = end.commit.get(..12).unwrap_or(&end.commit);
    // Escape codes of the role would count in a width.
    writeln!(out, "{indent}{}{}{commit}{brief}", role.paint(word), &"      "[word.len()..])?;
    match &end.run {
        Some(run) => writeln!(out, "{indent}      run {run}"),
        None => writeln!(out, "{indent}      given on the command line"),
    }
}

/// Describes the number of commits and steps.
fn choice(commits: u64) -> String {
    match commits {
        0 => "Git has no commit between them".to_owned(),
        1 => "there is no commit between them: the bad one is it".to_owned(),
        more => {
            let steps = u64::from(u64::BITS - (more - 1).leading_zeros());
            format!("{} to choose from, about {}", plural(more, "commit"), plural(steps, "step"))
        }
    }
}

/// Formats the numbers of ignored runs, by reason.
pub fn silence(silent: &BTreeMap<IgnoredReason, u64>) -> String {
    let words: Vec<_> =
        silent.iter().map(|(why, &count)| format!("{} {}", thousands(count), words(*why).1)).collect();
    words.join(", ")
}

/// Returns the word for JSON, and the text after a number of runs.
fn words(silence: IgnoredReason) -> (&'static str, &'static str) {
    match silence {
        IgnoredReason::NoCommit => ("no_commit", "without a known commit"),
        IgnoredReason::Changes => ("changes", "with uncommitted changes"),
        IgnoredReason::Elsewhere => ("elsewhere", "of commits that are not ancestors"),
        IgnoredReason::NotRun => ("not_run", "without the file"),
        IgnoredReason::NotReached => ("not_reached", "that ended before the record"),
        IgnoredReason::LeftOut => ("left_out", "that left the record out"),
        IgnoredReason::Absent => ("absent", "without the record"),
        IgnoredReason::OtherText => ("other_text", "with another expectation"),
        IgnoredReason::FileChanged => ("file_changed", "of a file with other records"),
        IgnoredReason::Unnamed => ("unnamed", "without record keys"),
        IgnoredReason::Flaky => ("flaky", "in which the file was flaky"),
    }
}

/// Writes the ranges of all failures.
pub fn write_overview(out: &mut String, overview: &BisectOverview<'_>) -> fmt::Result {
    for range in &overview.ranges {
        let what = match range.records {
            0 => plural(range.files, "file"),
            records => format!("{} in {}", plural(records, "record"), plural(range.files, "file")),
        };
        writeln!(out, "{}", Role::Strong.paint(format_args!("{what} began to fail")))?;
        write_end(out, "  ", "good", Role::Pass, &range.good)?;
        write_end(out, "  ", "bad", Role::Fail, &range.bad)?;
        if let Some(commits) = range.commits {
            writeln!(out, "  {}", choice(commits))?;
        }
        writeln!(out, "  for example {}  {}", range.example, range.kind.replace('_', " "))?;
        // A range of one commit needs no search.
        if range.commits != Some(1) {
            writeln!(out, "  {} {}", Role::Hint.paint("find the commit:"), range.command)?;
        }
        writeln!(out)?;
    }
    let (run, runs) = (overview.run, plural(overview.runs, "run"));
    let count = overview.ranges.len() as u64;
    if count == 0 {
        writeln!(out, "no failure of run {run} has both a good and a bad commit in {runs}")?;
    } else {
        let ranges = plural(count, "range");
        writeln!(out, "{ranges} of commits in which what fails in run {run} began, by {runs}")?;
    }
    for (what, count) in &overview.others {
        writeln!(out, "no range: {} × {what}", thousands(*count))?;
    }
    Ok(())
}

/// Makes the JSON document of all failures.
pub fn overview_json<'b>(overview: &'b BisectOverview<'b>) -> Object<'b> {
    object! {
        "format": 1,
        "run": overview.run,
        "runs": overview.runs,
        "ranges": &overview.ranges,
        "others": &overview.others,
    }
}

/// Makes the JSON document of one record or file.
pub fn json<'b>(bisection: &'b Bisection<'b>) -> Object<'b> {
    let silent: BTreeMap<_, _> = bisection.silent.iter().map(|(why, count)| (words(*why).0, count)).collect();
    object! {
        "format": 1,
        "run": bisection.run,
        "file": bisection.file,
        "line": bisection.line,
        "kind": bisection.kind,
        "good": &bisection.good,
        "bad": &bisection.bad,
        "commits": bisection.commits,
        "runs": bisection.runs,
        "silent": silent,
        "notes": &bisection.notes,
        "script": &bisection.script,
    }
}
