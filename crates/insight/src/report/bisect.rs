//! Between which commits something began to fail, as text and as JSON.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use crate::regression::origin::Silence;
use serde::Serialize;
use slt_runner::text::count::{plural, thousands};
use slt_runner::text::object::{Object, object};
use slt_runner::text::style::Role;

/// A commit at an end of the range.
#[derive(Debug, Serialize)]
pub struct End {
    /// Its hash.
    pub commit: String,
    /// Its day and first line, where the repository is at hand.
    pub brief: Option<String>,
    /// The run that tells; nothing if the user says so.
    pub run: Option<String>,
}

/// A script on the disk, or the text of one.
#[derive(Debug, Serialize)]
pub struct Written {
    /// The script, if it goes to standard output.
    #[serde(skip)]
    pub text: Option<String>,
    /// Where it is; `-` for standard output.
    pub path: String,
    /// The same, quoted for a shell.
    #[serde(skip)]
    pub word: String,
    /// The command that builds the engine.
    pub build: String,
    /// The program that runs the tests.
    pub program: String,
    /// What to type next.
    pub steps: Vec<String>,
}

impl Written {
    /// A script for standard output.
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
    /// What messages call it.
    pub name: &'b str,
    /// The file.
    pub file: &'b str,
    /// The line of the record; `None` for the whole file.
    pub line: Option<u32>,
    /// What is wrong, in one word.
    pub kind: &'b str,
    /// The last commit at which it is good.
    pub good: End,
    /// The first commit at which it is bad.
    pub bad: End,
    /// How many commits there are to choose from, where the repository is at hand.
    pub commits: Option<u64>,
    /// How many runs were looked at.
    pub runs: u64,
    /// Why runs were ignored, with their numbers.
    pub silent: &'b BTreeMap<Silence, u64>,
    /// What the user should know besides.
    pub notes: Vec<String>,
    /// The script for `git bisect run`.
    pub script: Option<Written>,
}

/// What began to fail between two commits.
#[derive(Serialize)]
pub struct Range {
    /// The last commit at which they are good.
    pub good: End,
    /// The first commit at which they are bad.
    pub bad: End,
    /// How many commits there are to choose from, where the repository is at hand.
    pub commits: Option<u64>,
    /// How many records began to fail.
    pub records: u64,
    /// How many files they are in.
    pub files: u64,
    /// The smallest of the records.
    pub example: String,
    /// What is wrong with the example, in one word.
    pub kind: String,
    /// The command that shows the example.
    pub command: String,
}

/// All that fails in a run.
pub struct Overview<'b> {
    /// The run.
    pub run: &'b str,
    /// How many runs were looked at.
    pub runs: u64,
    /// The largest first.
    pub ranges: Vec<Range>,
    /// What has no range, and how much of it there is.
    pub others: BTreeMap<&'static str, u64>,
}

/// Writes the range of one record or file, and what to type next.
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

fn write_end(out: &mut String, indent: &str, word: &str, role: Role, end: &End) -> fmt::Result {
    let brief = end.brief.as_ref().map_or_else(String::new, |brief| format!("  {brief}"));
    let commit = end.commit.get(..12).unwrap_or(&end.commit);
    // The roles would count as letters in a width.
    writeln!(out, "{indent}{}{}{commit}{brief}", role.paint(word), &"      "[word.len()..])?;
    match &end.run {
        Some(run) => writeln!(out, "{indent}      run {run}"),
        None => writeln!(out, "{indent}      given on the command line"),
    }
}

/// How much there is to do.
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

/// Why runs tell nothing, with how many of them.
pub fn silence(silent: &BTreeMap<Silence, u64>) -> String {
    let words: Vec<_> =
        silent.iter().map(|(why, &count)| format!("{} {}", thousands(count), words(*why))).collect();
    words.join(", ")
}

fn words(silence: Silence) -> &'static str {
    match silence {
        Silence::NoCommit => "without a known commit",
        Silence::Changes => "with uncommitted changes",
        Silence::Elsewhere => "of commits that are not ancestors",
        Silence::NotRun => "without the file",
        Silence::NotReached => "that ended before the record",
        Silence::LeftOut => "that left the record out",
        Silence::Absent => "without the record",
        Silence::OtherText => "with another expectation",
        Silence::FileChanged => "of a file with other records",
        Silence::Unnamed => "without record keys",
        Silence::Flaky => "in which the file was flaky",
    }
}

fn word(silence: Silence) -> &'static str {
    match silence {
        Silence::NoCommit => "no_commit",
        Silence::Changes => "changes",
        Silence::Elsewhere => "elsewhere",
        Silence::NotRun => "not_run",
        Silence::NotReached => "not_reached",
        Silence::LeftOut => "left_out",
        Silence::Absent => "absent",
        Silence::OtherText => "other_text",
        Silence::FileChanged => "file_changed",
        Silence::Unnamed => "unnamed",
        Silence::Flaky => "flaky",
    }
}

/// Writes the ranges of all that fails.
pub fn write_overview(out: &mut String, overview: &Overview<'_>) -> fmt::Result {
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
        // Where there is one commit, it is found.
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

/// Makes the document of all that fails.
pub fn overview_json<'b>(overview: &'b Overview<'b>) -> Object<'b> {
    object! {
        "format": 1,
        "run": overview.run,
        "runs": overview.runs,
        "ranges": &overview.ranges,
        "others": &overview.others,
    }
}

/// Makes the document of one record or file.
pub fn json<'b>(bisection: &'b Bisection<'b>) -> Object<'b> {
    let silent: BTreeMap<_, _> = bisection.silent.iter().map(|(why, count)| (word(*why), count)).collect();
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
