//! `bisect`: finds the commits between which failures began, and writes a script that finds the one commit.

mod context;
mod past;
mod prepare;
mod repository;
mod script;
mod subject;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

use self::context::BisectContext;
use self::past::{FileHistory, RunsByCommit, commit_of, kind, wanted};
use self::prepare::{ScriptOptions, ScriptRequest, prepare};
use self::repository::Repository;
use crate::cli::args::{BisectArgs, TextOrJson};
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::find_run::find_stored;
use crate::cli::repeat::shell_word;
use crate::cli::results_location::ResultsLocation;
use crate::cli::run_texts::read_text;
use crate::cli::ui::Ui;
use slt_core::executor::{DetailLimits, Options, Settings};
use slt_core::location::FileId;
use slt_core::outcome::{FileReport, RunHeader};
use slt_insight::regression::origin::{Origin, Sighting, Trace, same_program, same_rules, same_state};
use slt_insight::report::bisect::{
    Bisection, End, Overview, Range, json, overview_json, silence, write, write_overview,
};
use slt_runner::results::{PastRun, RunRef};
use slt_runner::text::count::plural;
use slt_runner::text::written;

pub(in crate::cli) fn run(args: BisectArgs, location: &ResultsLocation, ui: &mut Ui) -> CommandResult {
    let results = location.results()?;
    let name = find_stored(&args.run, location, ui)?;
    let mut journal = results.journal(Some(&name))?;
    // Runs of other programs have a header, but no settings.
    let settings = journal.opened.settings.get_or_insert_with(|| settings_of(&journal.report.header)).clone();
    let header = &journal.report.header;
    let rules = |past: &PastRun| same_rules(&past.run.header, header);
    let runs = results.past_runs(Some(&journal.opened.run), args.last as usize, rules)?;
    let repository = Repository::at_hand();
    let head = || repository.as_ref().and_then(|repository| repository.commit("HEAD"));
    let tip = commit_of(&journal).map(|commit| commit.hash.clone()).or_else(head);
    let past = RunsByCommit::new(&runs, repository.as_ref(), tip.as_deref());
    let folder = results.path_of(&journal.opened.run).ok();
    let context = BisectContext { journal: &journal, settings, past, folder, repository };
    let ends = NamedEnds { good: args.good, bad: args.bad };
    match &args.target {
        Some(target) => {
            let script = ScriptOptions {
                build: args.build,
                program: args.program,
                timeout: args.timeout,
                output: args.output,
            };
            one(target, &ends, &script, args.format, &context, ui)
        }
        None if ends.good.is_some() || ends.bad.is_some() || args.output.is_some() => {
            let message = "--good, --bad and --output are for one record or file".to_owned();
            Err(CliError::usage(message, vec!["name it: `bisect FILE:LINE`".to_owned()]))
        }
        None => all(&args.run, args.format, &context, ui),
    }
}

/// The commits that the user names as good and as bad.
struct NamedEnds {
    good: Option<String>,
    bad: Option<String>,
}

fn settings_of(header: &RunHeader) -> Settings {
    let options = Options {
        labels: header.labels.clone(),
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 0, values: 0 },
    };
    Settings { engine: header.engine.qualified_name(), options, dialect: None, exact: header.exact }
}

/// Lists all failures of the run `name` by the commits where they began.
fn all(name: &str, format: TextOrJson, context: &BisectContext<'_>, ui: &mut Ui) -> CommandResult {
    let mut ranges = BTreeMap::<(String, String), FailureRange<'_>>::new();
    let mut others = BTreeMap::<&'static str, u64>::new();
    for file in context.journal.report.files.iter().filter(|file| !file.status().is_good()) {
        let history =
            FileHistory::new(&context.past, context.journal, file, context.repository.as_ref(), false);
        let by_record = file.has_keys() && !file.failures.is_empty();
        let places = if by_record { (0..file.failures.len()).map(Some).collect() } else { vec![None] };
        for place in places {
            let record = place.and_then(|place| wanted(file, place));
            if place.is_some() && record.is_none() {
                *others.entry("without a name that other runs know").or_default() += 1;
                continue;
            }
            let origin = history.trace(record).origin;
            match origin {
                Origin::Between { good, bad, .. } => {
                    let ends = (good.commit.hash.clone(), bad.commit.hash.clone());
                    ranges.entry(ends).or_insert_with(|| FailureRange::new(good, bad)).add(file, place);
                }
                origin => *others.entry(other(&origin)).or_default() += 1,
            }
        }
    }
    let mut again = format!("{} bisect", shell_word(&ui.program));
    if RunRef::by_order(name) != Some(RunRef::Last) {
        again = format!("{again} --run {}", shell_word(name));
    }
    let mut ranges: Vec<_> = ranges.into_values().map(|found| found.range(context, &again)).collect();
    ranges.sort_by_key(|range| std::cmp::Reverse((range.records, range.files)));
    let reason = if ranges.is_empty() { ExitReason::NothingSelected } else { ExitReason::Success };
    let overview = Overview { run: &context.journal.opened.run, runs: context.past.count(), ranges, others };
    match format {
        TextOrJson::Text => ui.print(&written(|out| write_overview(out, &overview)))?,
        TextOrJson::Json => Ui::put_raw(&overview_json(&overview).pretty())?,
    }
    Ok(reason)
}

/// Describes a failure without a range.
fn other(origin: &Origin<'_>) -> &'static str {
    match origin {
        Origin::NeverPassed { .. } => "failed in every run that tells of it",
        Origin::Mixed { .. } => "good and bad at one commit",
        Origin::Passes { .. } => "passed at the last commit that a run without changes tells of",
        Origin::Between { .. } | Origin::Unknown => "no run of a commit without changes tells of it",
    }
}

/// The failures that began between two commits.
struct FailureRange<'h> {
    good: Sighting<'h>,
    bad: Sighting<'h>,
    records: u64,
    files: BTreeSet<&'h FileId>,
    /// The one with the shortest SQL, with its length.
    example: Option<(usize, &'h FileReport, Option<usize>)>,
}

impl<'h> FailureRange<'h> {
    fn new(good: Sighting<'h>, bad: Sighting<'h>) -> Self {
        Self { good, bad, records: 0, files: BTreeSet::new(), example: None }
    }

    fn add(&mut self, file: &'h FileReport, place: Option<usize>) {
        self.records += u64::from(place.is_some());
        self.files.insert(&file.file);
        let detail = place.and_then(|place| file.failures[place].detailed());
        let length = detail.map_or(usize::MAX, |detail| detail.sql.len());
        if self.example.is_none_or(|(shortest, ..)| length < shortest) {
            self.example = Some((length, file, place));
        }
    }

    fn range(self, context: &BisectContext<'_>, again: &str) -> Range {
        let repository = context.repository.as_ref();
        let (good, bad) = (&self.good.commit.hash, &self.bad.commit.hash);
        let named = |(_, file, place): (usize, &FileReport, Option<usize>)| {
            let line = place.map(|place| file.failures[place].id.line);
            let kind = place.and_then(|place| kind(file, place)).unwrap_or(file.status().word());
            (name_of(file, line), kind.to_owned())
        };
        let (example, kind) = self.example.map(named).unwrap_or_default();
        Range {
            commits: repository.and_then(|repository| repository.count(good, bad)),
            good: end_of(&self.good, repository),
            bad: end_of(&self.bad, repository),
            records: self.records,
            files: self.files.len() as u64,
            command: format!("{again} {}", shell_word(&example)),
            example,
            kind,
        }
    }
}

fn name_of(file: &FileReport, line: Option<u32>) -> String {
    line.map_or_else(|| file.shown.clone(), |line| format!("{}:{line}", file.shown))
}

fn end_of(sighting: &Sighting<'_>, repository: Option<&Repository>) -> End {
    let hash = &sighting.commit.hash;
    End {
        brief: repository.and_then(|repository| repository.brief(hash)),
        commit: hash.clone(),
        run: Some(sighting.run.run.name.clone()),
    }
}

/// Finds where one record, or one file, began to fail, and writes the script.
fn one(
    target: &str,
    named: &NamedEnds,
    options: &ScriptOptions,
    format: TextOrJson,
    context: &BisectContext<'_>,
    ui: &mut Ui,
) -> CommandResult {
    let journal = context.journal;
    let (file, line) = subject::find(target, journal)?;
    if file.status().is_good() && line.is_none() {
        let message = format!("`{}` has not failed in run `{}`", file.shown, journal.opened.run);
        let hint =
            "run `bisect` without a file to list failures, or select another run with --run RUN".to_owned();
        return Err(CliError::nothing_selected(message, vec![hint]));
    }
    let mut history = FileHistory::new(&context.past, journal, file, context.repository.as_ref(), true);
    let from_git = history.texts.current.is_some();
    if !from_git && let Some(Ok(text)) = read_text(&journal.opened, &file.file) {
        history.texts.set_current(text.into_owned(), &context.settings);
    }
    let text = history.texts.current.as_deref();
    let place = line.map(|line| subject::failing(file, line, text, &context.settings)).transpose()?;
    let line = place.map(|place| file.failures[place].id.line);
    let name = name_of(file, line);
    let record = place.and_then(|place| wanted(file, place));
    let trace = match place.is_some() && record.is_none() {
        true => Trace { origin: Origin::Unknown, silent: BTreeMap::new() },
        false => history.trace(record),
    };
    let (good, bad, mut notes) = ends(named, &name, &trace, context)?;
    let repository = context.repository.as_ref();
    let commits = match repository {
        Some(repository) => Some(checked(repository, &good.commit, &bad.commit, &mut notes)?),
        None => None,
    };
    let request = ScriptRequest { options, file, place, record, from_git, history: &history };
    let script = match repository {
        // The bad commit is the only one that can be it.
        Some(_) if commits == Some(1) && options.output.is_none() => None,
        Some(repository) => Some(prepare(&request, context, repository, [&good, &bad], &trace, &mut notes)?),
        None => {
            notes.push(
                "this is no Git repository: no script is written; try it in that of the engine".to_owned(),
            );
            None
        }
    };
    let kind = place.and_then(|place| kind(file, place)).unwrap_or(file.status().word());
    if let Some(text) = script.as_ref().and_then(|script| script.text.as_ref()) {
        notes.iter().for_each(|note| ui.note(note));
        Ui::put_raw(text)?;
        return Ok(ExitReason::Success);
    }
    let (run, runs, silent) = (journal.opened.run.as_str(), context.past.count(), &trace.silent);
    let (name, file) = (name.as_str(), file.file.path());
    let bisection =
        Bisection { run, name, file, line, kind, good, bad, commits, runs, silent, notes, script };
    match format {
        TextOrJson::Text => ui.print(&written(|out| write(out, &bisection)))?,
        TextOrJson::Json => Ui::put_raw(&json(&bisection).pretty())?,
    }
    Ok(ExitReason::Success)
}

/// Returns the ends of the range, as named by the user or found in the runs, with notes about them.
fn ends(
    named: &NamedEnds,
    name: &str,
    trace: &Trace<'_>,
    context: &BisectContext<'_>,
) -> Result<(End, End, Vec<String>), CliError> {
    let repository = context.repository.as_ref();
    let typed = |flag: &str, word: &Option<String>| -> Result<Option<End>, CliError> {
        let Some(word) = word else { return Ok(None) };
        let Some(repository) = repository else {
            let message = format!("{flag} {word}: this is no Git repository");
            return Err(CliError::usage(message, vec!["type it in the repository of the engine".to_owned()]));
        };
        let commit = repository.commit(word).ok_or_else(|| {
            let message = format!("{flag}: the repository has no commit `{word}`");
            CliError::usage(message, vec!["name a commit, a branch or a tag of this repository".to_owned()])
        })?;
        Ok(Some(End { brief: repository.brief(&commit), commit, run: None }))
    };
    let (good, bad) = (typed("--good", &named.good)?, typed("--bad", &named.bad)?);
    let has_word = good.is_some() || bad.is_some();
    let (told_good, told_bad) = match trace.origin {
        Origin::Between { good, bad, .. } => (Some(good), Some(bad)),
        Origin::Mixed { good, bad } if has_word => (Some(good), Some(bad)),
        Origin::NeverPassed { first } => (None, Some(first)),
        Origin::Passes { last } => (Some(last), None),
        Origin::Mixed { .. } | Origin::Unknown => (None, None),
    };
    let mut notes = Vec::new();
    if let (Origin::Between { good, bad, mixed_before }, false) = (trace.origin, has_word) {
        if same_program(good.run, bad.run) {
            notes.push(
                "one build of the program has made both runs: if the engine is in it, it has not changed"
                    .to_owned(),
            );
        }
        if mixed_before > 0 {
            let commits = plural(mixed_before, "commit");
            notes.push(format!(
                "it was good one time and bad another at {commits} before: it may be flaky, see `flaky`"
            ));
        }
    }
    let told = |told: Option<Sighting<'_>>| told.map(|sighting| end_of(&sighting, repository));
    let (good, bad) = (good.or_else(|| told(told_good)), bad.or_else(|| told(told_bad)));
    match (good, bad) {
        (Some(good), Some(bad)) => Ok((good, bad, notes)),
        (good, bad) => Err(no_range(name, trace, good.is_some(), bad.is_some())),
    }
}

/// Why there is nothing to bisect.
fn no_range(name: &str, trace: &Trace<'_>, has_good: bool, has_bad: bool) -> CliError {
    let by_hand = match (has_good, has_bad) {
        (false, false) => "use --good REV and --bad REV to name known commits",
        (false, true) => "use --good REV to name a commit at which it passed",
        (true, _) => "use --bad REV to name a commit at which it fails",
    };
    let short = |sighting: &Sighting<'_>| sighting.commit.hash.get(..8).unwrap_or_default().to_owned();
    let mut hints = vec![by_hand.to_owned()];
    let message = match &trace.origin {
        Origin::NeverPassed { first } => {
            let (run, commit) = (&first.run.run.name, short(first));
            format!("`{name}` failed in every run that tested it, first in `{run}` at commit {commit}")
        }
        Origin::Mixed { good, bad } => {
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
        Origin::Passes { last } => {
            hints.push("commit the changes and run it again to have a bad commit".to_owned());
            let (run, commit) = (&last.run.run.name, short(last));
            format!(
                "`{name}` passed in run `{run}` at commit {commit}, the last commit tested without uncommitted changes"
            )
        }
        Origin::Between { .. } | Origin::Unknown => {
            format!("no run without uncommitted changes tested `{name}`")
        }
    };
    let total = trace.silent.values().sum::<u64>();
    if total > 0 {
        hints.push(format!("{} ignored: {}", plural(total, "run"), silence(&trace.silent)));
    }
    CliError::nothing_selected(message, hints)
}

/// How many commits there are to choose from.
fn checked(repository: &Repository, good: &str, bad: &str, notes: &mut Vec<String>) -> Result<u64, CliError> {
    if good == bad {
        let message = format!("commit {good} cannot be good and bad");
        return Err(CliError::usage(message, vec!["--good and --bad name two commits".to_owned()]));
    }
    if repository.is_before(bad, good) {
        let message = format!("the bad commit {bad} comes before the good one, {good}");
        return Err(CliError::usage(message, vec!["exchange --good and --bad, if that is meant".to_owned()]));
    }
    if !repository.is_before(good, bad) {
        notes
            .push("the good commit does not lead to the bad one: Git tests where they part first".to_owned());
    }
    repository.count(good, bad).ok_or_else(|| {
        let message = format!("Git cannot say what lies between {good} and {bad}");
        CliError::usage(message, vec!["fetch what is missing: is this a shallow clone?".to_owned()])
    })
}
