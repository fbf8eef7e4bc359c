//! Resolves the name of a run, as the user gives it, to a stored run, its journal or its report.

use std::collections::HashSet;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::error::CliError;
use super::results_location::ResultsLocation;
use super::ui::Ui;
use slt_core::engine::EngineId;
use slt_insight::report::shards::defect;
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::results::import;
use slt_runner::results::portable::{self, is_portable};
use slt_runner::results::{
    Circumstances, Commit, FolderError, Journal, LastRun, ResultsFolder, RunBeginning, RunRef, RunSummary,
    run_refs,
};
use slt_runner::text::count::plural;

/// Constraints on a run besides its name.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RunConstraints<'b> {
    /// It must be older than this run, unless it is named directly.
    pub(super) before: Option<&'b str>,
    /// It must be on this engine, if the name leaves a choice.
    pub(super) engine: Option<&'b EngineId>,
}

impl RunConstraints<'_> {
    /// Names the engine in a message about runs.
    fn on_engine(self) -> String {
        self.engine.map_or_else(String::new, |engine| format!(" on engine `{}`", engine.qualified_name()))
    }
}

/// A run that was found.
#[derive(Debug)]
pub(super) struct LocatedRun {
    /// The name of the run, or of the file that it was in.
    pub(super) name: String,
    /// Whether it is stored here.
    pub(super) is_stored: bool,
    /// Its journal; for results of other programs, one with what they say.
    pub(super) journal: Journal,
    /// What the user should know about it.
    pub(super) notes: Vec<String>,
}

impl LocatedRun {
    /// Returns its circumstances, if known.
    pub(super) fn circumstances(&self) -> Option<&Circumstances> {
        self.journal.opened.circumstances.as_ref()
    }

    /// Returns the commit that it was made at.
    pub(super) fn commit(&self) -> Option<&Commit> {
        self.circumstances()?.commit.as_ref()
    }

    /// Whether it is in a file of another program.
    pub(super) fn is_foreign(&self) -> bool {
        !self.is_stored && self.journal.opened.imported.is_some()
    }

    fn stored(journal: Journal) -> Self {
        let name = journal.opened.run.clone();
        let damaged = (journal.damaged > 0).then(|| {
            format!("{} of the journal of run `{name}` damaged", plural(journal.damaged as u64, "line"))
        });
        Self { name, is_stored: true, journal, notes: damaged.into_iter().collect() }
    }
}

/// Where a run is.
enum RunPlace {
    /// In a folder of its own: stored here under its name, or elsewhere at its path.
    Stored {
        run: String,
        /// What the user should know about it.
        note: Option<String>,
    },
    /// In a file.
    File(String),
}

impl RunPlace {
    fn stored(run: impl Into<String>) -> Self {
        Self::Stored { run: run.into(), note: None }
    }
}

/// Finds the run that `word` refers to, with constraints by another run.
pub(super) fn find_run(
    word: &str,
    location: &ResultsLocation,
    constraints: RunConstraints<'_>,
    ui: &mut Ui,
) -> Result<LocatedRun, CliError> {
    match resolve(word, location, constraints, ui)? {
        RunPlace::Stored { run, note } => {
            let mut found = LocatedRun::stored(location.results()?.journal(Some(&run))?);
            found.notes.extend(note);
            Ok(found)
        }
        RunPlace::File(path) => in_file(&path),
    }
}

/// Finds the run that `word` refers to, prints the notes about it, and returns its journal.
pub(super) fn find_journal(word: &str, location: &ResultsLocation, ui: &mut Ui) -> Result<Journal, CliError> {
    let found = find_run(word, location, RunConstraints::default(), ui)?;
    found.notes.iter().for_each(|note| ui.note(note));
    let journal = found.journal;
    if let Some(defect) = defect(journal.opened.circumstances.as_ref()) {
        ui.note(format_args!("run {} is INCOMPLETE: {defect}", journal.opened.run));
    }
    Ok(journal)
}

/// Finds the run that `word` refers to, for a command that needs its folder, and returns its name or the path of the folder.
pub(super) fn find_stored(word: &str, location: &ResultsLocation, ui: &mut Ui) -> Result<String, CliError> {
    match resolve(word, location, RunConstraints::default(), ui)? {
        RunPlace::Stored { run, note } => {
            note.iter().for_each(|note| ui.note(note));
            Ok(run)
        }
        RunPlace::File(path) => {
            let hint = "import the file with `store merge` or `store import`; `runs` lists stored runs";
            Err(CliError::usage(format!("`{path}` is a file; this command needs a stored run"), hint))
        }
    }
}

/// Finds the last run before one, on the same engine, and returns its name.
pub(super) fn find_previous(
    name: &str,
    engine: &EngineId,
    results: &ResultsFolder,
    ui: &mut Ui,
) -> Result<String, CliError> {
    before(results, RunConstraints { before: Some(name), engine: Some(engine) }, ui)
}

/// Returns the last readable run.
fn last(results: &ResultsFolder, ui: &mut Ui) -> Result<String, CliError> {
    let LastRun { name, unreadable } = results.last_run()?;
    unreadable.iter().for_each(|(run, error)| warn_skipped(run, error, ui));
    Ok(name.ok_or_else(|| results.no_run())?)
}

fn warn_skipped(run: &str, error: &FolderError, ui: &mut Ui) {
    ui.warn(&format!("run `{run}` is skipped: {error}; run `store verify` to check all results"));
}

/// Resolves `word`. Without constraints, `previous` is the run before the last one, on the same engine.
fn resolve(
    word: &str,
    location: &ResultsLocation,
    constraints: RunConstraints<'_>,
    ui: &mut Ui,
) -> Result<RunPlace, CliError> {
    let path = word.strip_prefix("file:").unwrap_or(word);
    let results = match location.results() {
        // A file needs no results folder.
        Err(_) if Path::new(path).is_file() => return Ok(RunPlace::File(path.to_owned())),
        results => results?,
    };
    let run_refs = match RunRef::by_order(word) {
        // The list of runs is not needed.
        Some(run_ref) => vec![run_ref],
        None => run_refs(word, &results.known_runs()?, |path| Path::new(path).is_file()),
    };
    match run_refs.as_slice() {
        // A run is not compared with itself.
        [RunRef::Last] if constraints.before.is_some() && constraints.before == Some(&results.last()?) => {
            before(results, RunConstraints { engine: None, ..constraints }, ui).map(RunPlace::stored)
        }
        [RunRef::Last] => Ok(RunPlace::stored(last(results, ui)?)),
        [RunRef::Previous] if constraints.before.is_none() && constraints.engine.is_none() => {
            let last = last(results, ui)?;
            let engine = results.beginning_of(&last)?.header.engine;
            before(results, RunConstraints { before: Some(&last), engine: Some(&engine) }, ui)
                .map(RunPlace::stored)
        }
        [RunRef::Previous] => before(results, constraints, ui).map(RunPlace::stored),
        [RunRef::Run(name)] => Ok(RunPlace::stored(name)),
        [RunRef::Branch { name, runs }] => last_of(&format!("branch `{name}`"), runs, results, constraints),
        [RunRef::Commit { hash, runs }] => last_of(&format!("commit {hash}"), runs, results, constraints),
        [RunRef::File(path)] => Ok(RunPlace::File(path.clone())),
        // The path of the folder of a run, which may be anywhere, or a run whose journal has no readable first line.
        [] if results.path_of(word).is_ok() => Ok(RunPlace::stored(word)),
        [] => Err(unknown(word, results)),
        several => Err(ambiguous(word, several)),
    }
}

/// Returns the last run before one, on an engine.
fn before(results: &ResultsFolder, constraints: RunConstraints<'_>, ui: &mut Ui) -> Result<String, CliError> {
    let runs = results.runs()?;
    let end = constraints.before.and_then(|name| runs.iter().position(|run| run == name));
    for name in runs[..end.unwrap_or(runs.len())].iter().rev() {
        // Another shard of a run has other files.
        let is_comparable = |run: &RunBeginning| {
            let of = |run: Option<Circumstances>| run.and_then(|of| of.shard).map(|of| (of.number, of.count));
            let shard = of(run.circumstances.clone());
            shard.is_none() || shard == constraints.before.and_then(|name| of(results.circumstances_of(name)))
        };
        match results.beginning_of(name) {
            Ok(run)
                if constraints.engine.is_none_or(|engine| run.header.engine.is_same(engine))
                    && is_comparable(&run) =>
            {
                return Ok(name.clone());
            }
            // Its process was killed before the run started.
            Ok(_) | Err(FolderError::NoJournal(_)) => {}
            Err(error) => warn_skipped(name, &error, ui),
        }
    }
    let before = end.map_or_else(String::new, |end| format!(" before {}", runs[end]));
    let engine = constraints.on_engine();
    let hint = "name a run, a branch, a commit or a file; `runs` lists runs";
    Err(CliError::nothing_selected(format!("no run{before}{engine}"), hint))
}

/// Returns the last complete run among these; one with uncommitted changes only if there is no other.
fn last_of(
    what: &str,
    runs: &[String],
    results: &ResultsFolder,
    constraints: RunConstraints<'_>,
) -> Result<RunPlace, CliError> {
    let (mut with_changes, mut incomplete, mut other_engines) = (None, 0, 0);
    for name in runs.iter().rev().filter(|&name| Some(name.as_str()) != constraints.before) {
        let Ok(run) = RunSummary::read(results, name) else { continue };
        if !run.is_complete() {
            incomplete += 1;
        } else if constraints.engine.is_some_and(|engine| !engine.is_same(&run.header.engine)) {
            other_engines += 1;
        } else if run.commit().is_some_and(|commit| commit.dirty) {
            with_changes = with_changes.or(Some(name));
        } else {
            return Ok(RunPlace::stored(name));
        }
    }
    if let Some(name) = with_changes {
        let note = format!("run `{name}` of {what} was made with uncommitted changes");
        return Ok(RunPlace::Stored { run: name.clone(), note: Some(note) });
    }
    let engine = constraints.on_engine();
    let others = [(incomplete, "incomplete run"), (other_engines, "run on another engine")];
    let others = others.into_iter().filter(|(count, _)| *count > 0);
    let others: Vec<_> = others.map(|(count, what)| format!("{count} × {what}")).collect();
    let hint = match others.is_empty() {
        true => "a run cannot be compared with itself; `runs` lists all runs".to_owned(),
        false => format!("existing runs: {}; to use one, name it directly (see `runs`)", others.join(", ")),
    };
    Err(CliError::nothing_selected(format!("no other complete run of {what}{engine}"), hint))
}

fn unknown(word: &str, results: &ResultsFolder) -> CliError {
    let runs = results.known_runs().unwrap_or_default().into_iter().rev();
    let mut seen = HashSet::new();
    let branches = runs.filter_map(|run| run.commit?.branch).filter(|branch| seen.insert(branch.clone()));
    let branches: Vec<_> = branches.collect();
    let known = match branches.as_slice() {
        [] => "no stored run has a branch".to_owned(),
        branches => format!("branches with runs: {}", branches.join(", ")),
    };
    let words = format!("`runs` lists all runs; `last` and `previous` are valid, too; {known}");
    CliError::usage(format!("no run, branch, commit or file matches `{word}`"), words)
}

fn ambiguous(word: &str, several: &[RunRef]) -> CliError {
    let names: Vec<_> = several.iter().map(RunRef::to_string).collect();
    CliError::usage(format!("`{word}` is ambiguous"), format!("use one of these: {}", names.join(", ")))
}

fn read_file(path: &str) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|error| CliError::io("read", path, &error))
}

fn portable_run(path: &str) -> Result<Journal, CliError> {
    let mut runs = portable::load(Path::new(path))?;
    match (runs.pop(), runs.len()) {
        (Some((_, journal)), 0) => Ok(journal),
        (_, more) => {
            Err(several_runs(path, more + 1, "import it with `store merge`; `runs` then lists its runs"))
        }
    }
}

/// Reads the run in a file of `store export` or of another program.
fn in_file(path: &str) -> Result<LocatedRun, CliError> {
    let bytes = read_file(path)?;
    if is_portable(&bytes) {
        let found = LocatedRun::stored(portable_run(path)?);
        return Ok(LocatedRun { name: format!("{} in {path}", found.name), is_stored: false, ..found });
    }
    let modified = modified_at(Path::new(path)).unwrap_or_else(milliseconds_since_1970);
    let reading = import::read(&bytes, None, modified).map_err(|error| CliError::import(&error, path))?;
    let notes = reading.oddities.iter().map(|oddity| format!("{path}: {oddity}")).collect();
    let count = reading.runs.len();
    let mut runs = reading.runs;
    match (runs.pop(), count) {
        (Some(run), 1) => {
            Ok(LocatedRun { name: path.to_owned(), is_stored: false, journal: run.to_journal(path), notes })
        }
        _ => Err(several_runs(path, count, "import it with `store import`; `runs` then lists its runs")),
    }
}

fn several_runs(path: &str, count: usize, hint: &str) -> CliError {
    CliError::usage(format!("`{path}` contains {}, expected one", plural(count as u64, "run")), hint)
}

/// Returns when a file was last modified, in milliseconds since 1970.
pub(super) fn modified_at(file: &Path) -> Option<i64> {
    let since = file.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}
