//! `bisect`: between which commits something began to fail, and a script that finds the one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::bisect_script::{self, Wish};
use crate::cli::args::{BisectArgs, FlakyFormat};
use crate::cli::baseline::find_kept;
use crate::cli::bisect::past::{FileHistory, Past, commit_of, kind, wanted};
use crate::cli::bisect::repository::Repository;
use crate::cli::bisect::subject;
use crate::cli::bisect::texts::text_now;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::settings::shell_word;
use crate::cli::ui::Ui;
use slt_core::executor::{DetailLimits, Options, Settings};
use slt_core::outcome::{FileReport, RunHeader};
use slt_insight::regression::origin::{Origin, Sighting, Trace, same_program, same_rules, same_state};
use slt_insight::report::bisect::{
    Bisection, End, Overview, Range, json, overview_json, silence, write, write_overview,
};
use slt_runner::results::{Journal, Meaning, PastRun};
use slt_runner::text::count::plural;
use slt_runner::text::written;

pub(in crate::cli) fn run(args: &BisectArgs, keeping: &Keeping, ui: &mut Ui) -> Result<ExitReason, CliError> {
    let name = find_kept(&args.run, keeping, ui)?;
    let mut journal = keeping.results()?.journal(Some(&name))?;
    // Runs of other programs say no more than their headers do.
    let settings = journal.opened.settings.get_or_insert_with(|| settings_of(&journal.report.header)).clone();
    let header = &journal.report.header;
    let rules = |past: &PastRun| same_rules(&past.run.header, header);
    let runs = keeping.results()?.past_runs(Some(&journal.opened.run), args.last as usize, rules)?;
    let repository = Repository::at_hand();
    let head = || repository.as_ref().and_then(|repository| repository.commit("HEAD"));
    let tip = commit_of(&journal).map(|commit| commit.hash.clone()).or_else(head);
    let past = Past::of(&runs, repository.as_ref(), tip.as_deref());
    let folder = keeping.results()?.path_of(&journal.opened.run).ok();
    let known = Known { journal: &journal, settings, past, folder, repository };
    match &args.target {
        Some(target) => one(args, target, &known, ui),
        None if args.good.is_some() || args.bad.is_some() || args.output.is_some() => {
            let message = "--good, --bad and --output are for one record or file".to_owned();
            Err(CliError::usage(message, vec!["name it: `bisect FILE:LINE`".to_owned()]))
        }
        None => all(args, &known, ui),
    }
}

/// What there is to know, whatever is asked.
pub(super) struct Known<'k> {
    pub(super) journal: &'k Journal,
    pub(super) settings: Settings,
    past: Past<'k>,
    /// The folder of the run.
    pub(super) folder: Option<PathBuf>,
    pub(super) repository: Option<Repository>,
}

fn settings_of(header: &RunHeader) -> Settings {
    let options = Options {
        labels: header.labels.clone(),
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 0, values: 0 },
    };
    Settings { engine: header.engine.name.clone(), options, dialect: None, exact: header.exact }
}

/// Everything that fails in the run, by the commits that it began between.
fn all(args: &BisectArgs, known: &Known<'_>, ui: &mut Ui) -> Result<ExitReason, CliError> {
    let mut ranges = BTreeMap::<(String, String), Found<'_>>::new();
    let mut others = BTreeMap::<&'static str, u64>::new();
    for file in known.journal.report.files.iter().filter(|file| !file.status().is_good()) {
        let history = FileHistory::of(&known.past, known.journal, file, known.repository.as_ref(), false);
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
                    ranges.entry(ends).or_insert_with(|| Found::new(good, bad)).add(file, place);
                }
                origin => *others.entry(other(&origin)).or_default() += 1,
            }
        }
    }
    let mut again = format!("{} bisect", shell_word(&ui.program));
    if Meaning::by_order(&args.run) != Some(Meaning::Last) {
        again = format!("{again} --run {}", shell_word(&args.run));
    }
    let mut ranges: Vec<_> = ranges.into_values().map(|found| found.range(known, &again)).collect();
    ranges.sort_by_key(|range| std::cmp::Reverse((range.records, range.files)));
    let reason = if ranges.is_empty() { ExitReason::NothingSelected } else { ExitReason::Success };
    let overview = Overview { run: &known.journal.opened.run, runs: known.past.count(), ranges, others };
    match args.format {
        FlakyFormat::Text => ui.print(&written(|out| write_overview(out, &overview)))?,
        FlakyFormat::Json => Ui::put_raw(&overview_json(&overview).map_err(not_written)?)?,
    }
    Ok(reason)
}

/// What became of what has no range.
fn other(origin: &Origin<'_>) -> &'static str {
    match origin {
        Origin::NeverPassed { .. } => "failed in every run that tells of it",
        Origin::Mixed { .. } => "good and bad at one commit",
        Origin::Passes { .. } => "passed at the last commit that a run without changes tells of",
        Origin::Between { .. } | Origin::Unknown => "no run of a commit without changes tells of it",
    }
}

/// What began to fail between two commits.
struct Found<'h> {
    good: Sighting<'h>,
    bad: Sighting<'h>,
    records: u64,
    files: BTreeSet<&'h str>,
    /// The one with the shortest SQL, with its length.
    example: Option<(usize, &'h FileReport, Option<usize>)>,
}

impl<'h> Found<'h> {
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

    fn range(self, known: &Known<'_>, again: &str) -> Range {
        let repository = known.repository.as_ref();
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

/// One record, or one file as a whole.
fn one(args: &BisectArgs, target: &str, known: &Known<'_>, ui: &mut Ui) -> Result<ExitReason, CliError> {
    let journal = known.journal;
    let (file, line) = subject::find(target, journal)?;
    if file.status().is_good() && line.is_none() {
        let message = format!("`{}` has not failed in run `{}`", file.shown, journal.opened.run);
        let hint =
            "run `bisect` without a file to list failures, or select another run with --run RUN".to_owned();
        return Err(CliError::nothing_selected(message, vec![hint]));
    }
    let mut history = FileHistory::of(&known.past, journal, file, known.repository.as_ref(), true);
    let from_git = history.texts.current.is_some();
    if !from_git && let Some(text) = text_now(&journal.opened, &file.file) {
        history.texts.set_current(text, &known.settings);
    }
    let text = history.texts.current.as_deref();
    let place = line.map(|line| subject::failing(file, line, text, &known.settings)).transpose()?;
    let line = place.map(|place| file.failures[place].id.line);
    let name = name_of(file, line);
    let record = place.and_then(|place| wanted(file, place));
    let trace = match place.is_some() && record.is_none() {
        true => Trace { origin: Origin::Unknown, silent: BTreeMap::new() },
        false => history.trace(record),
    };
    let (good, bad, mut notes) = ends(args, &name, &trace, known)?;
    let repository = known.repository.as_ref();
    let commits = match repository {
        Some(repository) => Some(checked(repository, &good.commit, &bad.commit, &mut notes)?),
        None => None,
    };
    let wish = Wish { args, file, place, record, from_git, history: &history };
    let script = match repository {
        // The bad commit is the only one that can be it.
        Some(_) if commits == Some(1) && args.output.is_none() => None,
        Some(repository) => {
            Some(bisect_script::prepare(&wish, known, repository, [&good, &bad], &trace, &mut notes)?)
        }
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
    let (run, runs, silent) = (journal.opened.run.as_str(), known.past.count(), &trace.silent);
    let (name, file) = (name.as_str(), file.file.as_str());
    let bisection =
        Bisection { run, name, file, line, kind, good, bad, commits, runs, silent, notes, script };
    match args.format {
        FlakyFormat::Text => ui.print(&written(|out| write(out, &bisection)))?,
        FlakyFormat::Json => Ui::put_raw(&json(&bisection).map_err(not_written)?)?,
    }
    Ok(ExitReason::Success)
}

/// The ends of the range, by the words of the user or by what the runs tell, and what is to be said of them.
fn ends(
    args: &BisectArgs,
    name: &str,
    trace: &Trace<'_>,
    known: &Known<'_>,
) -> Result<(End, End, Vec<String>), CliError> {
    let repository = known.repository.as_ref();
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
    let (good, bad) = (typed("--good", &args.good)?, typed("--bad", &args.bad)?);
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

fn not_written(error: serde_json::Error) -> CliError {
    CliError::internal(format!("cannot write the result: {error}"))
}
