//! `bisect`: finds the commits between which failures began, and writes a script that finds the one commit.

mod past;
mod prepare;
mod repository;
mod script;
pub(super) mod subject;
mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use self::past::{BisectedFile, RunsByCommit, commit_of, kind, wanted};
use self::prepare::{ScriptRequest, prepare};
use self::repository::GitRepository;
use crate::cli::args::{BisectArgs, TextOrJson};
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::find_run::find_stored;
use crate::cli::repeat::shell_word;
use crate::cli::results_location::ResultsLocation;
use crate::cli::run_texts::read_text;
use crate::cli::ui::Ui;
use slt_core::executor::{DetailLimits, Options, Permissions, Settings};
use slt_core::location::FileId;
use slt_core::outcome::{FailingRecord, FileReport, RunHeader};
use slt_insight::regression::origin::{
    FailureOrigin, FailureTrace, Sighting, same_program, same_rules, same_state,
};
use slt_insight::report::bisect::{
    BisectOverview, Bisection, CommitRange, RangeEnd, json, overview_json, silence, write, write_overview,
};
use slt_runner::results::{Journal, PastRun, RunRef};
use slt_runner::text::count::plural;
use slt_runner::text::written;

/// The run that is bisected, with its history and its repository.
struct BisectContext<'k> {
    journal: &'k Journal,
    settings: Settings,
    past: RunsByCommit<'k>,
    /// The folder of the run.
    folder: Option<PathBuf>,
    repository: Option<GitRepository>,
}

pub(in crate::cli) fn run(args: &BisectArgs, location: &ResultsLocation, ui: &mut Ui) -> CommandResult {
    let results = location.results()?;
    let name = find_stored(&args.run, location, ui)?;
    let mut journal = results.journal(Some(&name))?;
    // Imported runs have a header, but no settings.
    let settings =
        journal.opened.settings.get_or_insert_with(|| settings_from(&journal.report.header)).clone();
    let header = &journal.report.header;
    let rules = |past: &PastRun| same_rules(&past.run.header, header);
    let runs = results.past_runs(Some(&journal.opened.run), args.last as usize, rules)?;
    let repository = GitRepository::find();
    let head = || repository.as_ref().and_then(|repository| repository.commit("HEAD"));
    let tip = commit_of(&journal).map(|commit| commit.hash.clone()).or_else(head);
    let past = RunsByCommit::new(&runs, repository.as_ref(), tip.as_deref());
    let folder = results.path_of(&journal.opened.run).ok();
    let context = BisectContext { journal: &journal, settings, past, folder, repository };
    match &args.target {
        Some(target) => one(target, args, &context, ui),
        None if args.good.is_some() || args.bad.is_some() || args.output.is_some() => {
            let message = "--good, --bad and --output are for one record or file";
            Err(CliError::usage(message, "name it: `bisect FILE:LINE`"))
        }
        None => all(&args.run, args.format, &context, ui),
    }
}

fn settings_from(header: &RunHeader) -> Settings {
    let options = Options {
        labels: header.labels.clone(),
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 0, values: 0 },
    };
    let (engine, permissions) = (header.engine.qualified_name(), Permissions::default());
    Settings { engine, options, dialect: None, exact: header.exact, permissions }
}

/// Lists all failures of the run `name` by the commits where they began.
fn all(name: &str, format: TextOrJson, context: &BisectContext<'_>, ui: &mut Ui) -> CommandResult {
    let mut again = format!("{} bisect", shell_word(&ui.program));
    if RunRef::by_order(name) != Some(RunRef::Last) {
        again = format!("{again} --run {}", shell_word(name));
    }
    let repository = context.repository.as_ref();
    let mut ranges = BTreeMap::<(String, String), FailureRange<'_>>::new();
    let mut others = BTreeMap::<&'static str, u64>::new();
    for file in context.journal.report.files.iter().filter(|file| !file.status().is_good()) {
        let history = BisectedFile::new(&context.past, context.journal, file, repository, false);
        let by_record = file.has_keys() && !file.failures.is_empty();
        let places = if by_record { (0..file.failures.len()).map(Some).collect() } else { vec![None] };
        for place in places {
            let record = place.and_then(|place| wanted(file, place));
            if place.is_some() && record.is_none() {
                *others.entry("records that other runs cannot be searched for").or_default() += 1;
                continue;
            }
            match history.trace(record).origin {
                FailureOrigin::Between { good, bad, .. } => {
                    let ends = (good.commit.hash.clone(), bad.commit.hash.clone());
                    let new = || FailureRange::new(&good, &bad, repository);
                    ranges.entry(ends).or_insert_with(new).add(file, place, &again);
                }
                origin => *others.entry(other(&origin)).or_default() += 1,
            }
        }
    }
    let mut ranges: Vec<_> = ranges.into_values().map(|found| found.range).collect();
    ranges.sort_by_key(|range| std::cmp::Reverse((range.records, range.files)));
    let reason = if ranges.is_empty() { ExitReason::NothingSelected } else { ExitReason::Success };
    let overview =
        BisectOverview { run: &context.journal.opened.run, runs: context.past.count(), ranges, others };
    match format {
        TextOrJson::Text => ui.print(&written(|out| write_overview(out, &overview)))?,
        TextOrJson::Json => Ui::put_raw(&overview_json(&overview).pretty())?,
    }
    Ok(reason)
}

/// Describes a failure without a range.
fn other(origin: &FailureOrigin<'_>) -> &'static str {
    match origin {
        FailureOrigin::NeverPassed { .. } => "failed in every run that tested it",
        FailureOrigin::Mixed { .. } => "passed and failed at one commit",
        FailureOrigin::Passes { .. } => "passed at the last commit tested without uncommitted changes",
        FailureOrigin::Between { .. } | FailureOrigin::Unknown => "not tested without uncommitted changes",
    }
}

/// The failures that began between two commits.
struct FailureRange<'h> {
    range: CommitRange,
    files: BTreeSet<&'h FileId>,
    /// The length of the SQL of the example, which is the shortest.
    length: Option<usize>,
}

impl<'h> FailureRange<'h> {
    fn new(good: &Sighting<'_>, bad: &Sighting<'_>, repository: Option<&GitRepository>) -> Self {
        let range = CommitRange {
            commits: repository.and_then(|found| found.count(&good.commit.hash, &bad.commit.hash)),
            good: end_of(good, repository),
            bad: end_of(bad, repository),
            records: 0,
            files: 0,
            command: String::new(),
            example: String::new(),
            kind: String::new(),
        };
        Self { range, files: BTreeSet::new(), length: None }
    }

    /// Adds a failure; `again` is the command that bisects it, without its name.
    fn add(&mut self, file: &'h FileReport, place: Option<usize>, again: &str) {
        self.range.records += u64::from(place.is_some());
        self.files.insert(&file.file);
        self.range.files = self.files.len() as u64;
        let failure = place.map(|place| &file.failures[place]);
        let length = failure.and_then(FailingRecord::detailed).map_or(usize::MAX, |detail| detail.sql.len());
        if self.length.is_none_or(|shortest| length < shortest) {
            self.length = Some(length);
            self.range.example = name_of(file, failure.map(|record| record.id.line));
            self.range.kind = kind(file, place).to_owned();
            self.range.command = format!("{again} {}", shell_word(&self.range.example));
        }
    }
}

fn name_of(file: &FileReport, line: Option<u32>) -> String {
    line.map_or_else(|| file.shown.clone(), |line| format!("{}:{line}", file.shown))
}

fn end_of(sighting: &Sighting<'_>, repository: Option<&GitRepository>) -> RangeEnd {
    let hash = &sighting.commit.hash;
    RangeEnd {
        brief: repository.and_then(|repository| repository.brief(hash)),
        commit: hash.clone(),
        run: Some(sighting.run.run.name.clone()),
    }
}

/// Finds where one record, or one file, began to fail, and writes the script.
fn one(target: &str, args: &BisectArgs, context: &BisectContext<'_>, ui: &mut Ui) -> CommandResult {
    let journal = context.journal;
    let (file, line) = subject::find(target, journal)?;
    if file.status().is_good() && line.is_none() {
        let message = format!("`{}` has not failed in run `{}`", file.shown, journal.opened.run);
        let hint = "run `bisect` without a file to list failures, or select another run with --run RUN";
        return Err(CliError::nothing_selected(message, hint));
    }
    let mut history = BisectedFile::new(&context.past, journal, file, context.repository.as_ref(), true);
    let from_git = history.texts.current.is_some();
    let settings = context.settings.as_read(file.dialect.as_deref());
    if !from_git && let Some(Ok(text)) = read_text(&journal.opened, &file.file) {
        history.texts.set_current(text.into_owned(), &settings);
    }
    let text = history.texts.current.as_deref();
    let place = line.map(|line| subject::failing(file, line, text, &settings)).transpose()?;
    let line = place.map(|place| file.failures[place].id.line);
    let name = name_of(file, line);
    let record = place.and_then(|place| wanted(file, place));
    let trace = match place.is_some() && record.is_none() {
        true => FailureTrace { origin: FailureOrigin::Unknown, silent: BTreeMap::new() },
        false => history.trace(record),
    };
    let (good, bad, mut notes) = ends(args, &name, &trace, context)?;
    let repository = context.repository.as_ref();
    let commits = match repository {
        Some(repository) => Some(checked(repository, &good.commit, &bad.commit, &mut notes)?),
        None => None,
    };
    let request = ScriptRequest { args, file, place, record, from_git, history: &history };
    let script = match repository {
        // Only the bad commit can be the one.
        Some(_) if commits == Some(1) && args.output.is_none() => None,
        Some(repository) => Some(prepare(&request, context, repository, [&good, &bad], &trace, &mut notes)?),
        None => {
            notes.push(
                "no script is written outside of a Git repository; run it in that of the engine".to_owned(),
            );
            None
        }
    };
    let kind = kind(file, place);
    if let Some(text) = script.as_ref().and_then(|script| script.text.as_ref()) {
        notes.iter().for_each(|note| ui.note(note));
        Ui::put_raw(text)?;
        return Ok(ExitReason::Success);
    }
    let (run, runs, silent) = (journal.opened.run.as_str(), context.past.count(), &trace.silent);
    let (name, file) = (name.as_str(), file.file.path());
    let bisection =
        Bisection { run, name, file, line, kind, good, bad, commits, runs, silent, notes, script };
    match args.format {
        TextOrJson::Text => ui.print(&written(|out| write(out, &bisection)))?,
        TextOrJson::Json => Ui::put_raw(&json(&bisection).pretty())?,
    }
    Ok(ExitReason::Success)
}

/// Returns the ends of the range, as named by the user or found in the runs, with notes about them.
fn ends(
    args: &BisectArgs,
    name: &str,
    trace: &FailureTrace<'_>,
    context: &BisectContext<'_>,
) -> Result<(RangeEnd, RangeEnd, Vec<String>), CliError> {
    let repository = context.repository.as_ref();
    let typed = |flag: &str, word: &Option<String>| -> Result<Option<RangeEnd>, CliError> {
        let Some(word) = word else { return Ok(None) };
        let Some(repository) = repository else {
            let message = format!("{flag} {word}: this is not a Git repository");
            return Err(CliError::usage(message, "run it in the repository of the engine"));
        };
        let commit = repository.commit(word).ok_or_else(|| {
            let message = format!("{flag}: the repository has no commit `{word}`");
            CliError::usage(message, "name a commit, a branch or a tag of this repository")
        })?;
        Ok(Some(RangeEnd { brief: repository.brief(&commit), commit, run: None }))
    };
    let (good, bad) = (typed("--good", &args.good)?, typed("--bad", &args.bad)?);
    let has_word = good.is_some() || bad.is_some();
    let (known_good, known_bad) = match trace.origin {
        FailureOrigin::Between { good, bad, .. } => (Some(good), Some(bad)),
        FailureOrigin::Mixed { good, bad } if has_word => (Some(good), Some(bad)),
        FailureOrigin::NeverPassed { first } => (None, Some(first)),
        FailureOrigin::Passes { last } => (Some(last), None),
        FailureOrigin::Mixed { .. } | FailureOrigin::Unknown => (None, None),
    };
    let mut notes = Vec::new();
    if let (FailureOrigin::Between { good, bad, mixed_before }, false) = (trace.origin, has_word) {
        if same_program(good.run, bad.run) {
            notes.push("both runs used the same build of the program and of the engines in it".to_owned());
        }
        if mixed_before > 0 {
            let commits = plural(mixed_before, "earlier commit");
            notes.push(format!("it passed and failed at {commits}: it may be flaky, see `flaky`"));
        }
    }
    let known = |known: Option<Sighting<'_>>| known.map(|sighting| end_of(&sighting, repository));
    let (good, bad) = (good.or_else(|| known(known_good)), bad.or_else(|| known(known_bad)));
    match (good, bad) {
        (Some(good), Some(bad)) => Ok((good, bad, notes)),
        (good, bad) => Err(no_range(name, trace, good.is_some(), bad.is_some())),
    }
}

/// Returns the error for a failure without a range.
fn no_range(name: &str, trace: &FailureTrace<'_>, has_good: bool, has_bad: bool) -> CliError {
    let by_hand = match (has_good, has_bad) {
        (false, false) => "use --good REV and --bad REV to name known commits",
        (false, true) => "use --good REV to name a commit at which it passed",
        (true, _) => "use --bad REV to name a commit at which it fails",
    };
    let short = |sighting: &Sighting<'_>| sighting.commit.hash.get(..8).unwrap_or_default().to_owned();
    let mut hints = Vec::new();
    let message = match &trace.origin {
        FailureOrigin::NeverPassed { first } => {
            let (run, commit) = (&first.run.run.name, short(first));
            format!("`{name}` failed in every run that tested it, first in `{run}` at commit {commit}")
        }
        FailureOrigin::Mixed { good, bad } => {
            let why = match same_state(good.run, bad.run) {
                true => "nothing else had changed: it is flaky, and bisecting it would mislead",
                false => "the engine, its build or the test files were not the same",
            };
            hints.push("`flaky` shows how often; `run --repeat N` repeats the file".to_owned());
            let (good_run, bad_run) = (&good.run.run.name, &bad.run.run.name);
            format!(
                "`{name}` passed in run `{good_run}` and failed in `{bad_run}`, both at commit {}; {why}",
                short(good)
            )
        }
        FailureOrigin::Passes { last } => {
            hints.push("commit the changes and run it again to have a bad commit".to_owned());
            let (run, commit) = (&last.run.run.name, short(last));
            format!(
                "`{name}` passed in run `{run}` at commit {commit}, the last commit tested without uncommitted changes"
            )
        }
        FailureOrigin::Between { .. } | FailureOrigin::Unknown => {
            format!("no run without uncommitted changes tested `{name}`")
        }
    };
    let total = trace.silent.values().sum::<u64>();
    if total > 0 {
        hints.push(format!("{} ignored: {}", plural(total, "run"), silence(&trace.silent)));
    }
    hints.into_iter().fold(CliError::nothing_selected(message, by_hand), CliError::hint)
}

/// Checks the ends of the range, and returns the number of commits in it.
fn checked(
    repository: &GitRepository,
    good: &str,
    bad: &str,
    notes: &mut Vec<String>,
) -> Result<u64, CliError> {
    if good == bad {
        let message = format!("commit {good} cannot be good and bad");
        return Err(CliError::usage(message, "--good and --bad name two commits"));
    }
    if repository.is_before(bad, good) {
        let message = format!("the bad commit {bad} comes before the good one, {good}");
        return Err(CliError::usage(message, "exchange --good and --bad"));
    }
    if !repository.is_before(good, bad) {
        notes.push(
            "the good commit is not an ancestor of the bad one: Git tests their merge base first".to_owned(),
        );
    }
    repository.count(good, bad).ok_or_else(|| {
        let message = format!("Git cannot list the commits between {good} and {bad}");
        CliError::usage(message, "fetch the missing commits, if this is a shallow clone")
    })
}
