//! Resolves the name of a run as given by the user, for all commands, to the stored run, its journal or its report.

use std::path::Path;

use super::commands::import::changed;
use super::error::{CliError, ExitReason};
use super::keeping::Keeping;
use super::ui::Ui;
use slt_core::outcome::RunReport;
use slt_runner::results::import;
use slt_runner::results::portable::{self, is_portable};
use slt_runner::results::{
    Circumstances, Commit, FolderError, Journal, LastRun, Meaning, Opened, ResultsFolder, RunSummary,
    meanings,
};
use slt_runner::text::count::plural;

/// Conditions for a run in addition to its name.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Besides<'b> {
    /// It must be older than this run, unless it is named directly.
    pub(super) before: Option<&'b str>,
    /// It must be of this engine, if the name leaves a choice.
    pub(super) engine: Option<&'b str>,
}

/// A run that was found.
#[derive(Debug)]
pub(super) struct Found {
    /// The name of the run, or of the file that it was in.
    pub(super) name: String,
    /// Whether it is kept here.
    pub(super) is_kept: bool,
    /// What is known of how it was made; nothing of runs of other programs.
    pub(super) opened: Option<Opened>,
    pub(super) report: RunReport,
    /// What the user should know about it.
    pub(super) notes: Vec<String>,
}

impl Found {
    /// The state of the project that it was made in.
    pub(super) fn commit(&self) -> Option<&Commit> {
        self.circumstances()?.commit.as_ref()
    }

    pub(super) fn circumstances(&self) -> Option<&Circumstances> {
        self.opened.as_ref()?.circumstances.as_ref()
    }

    fn kept(journal: Journal) -> Self {
        let name = journal.opened.run.clone();
        let damaged = (journal.damaged > 0).then(|| {
            format!("{} of the journal of run `{name}` damaged", plural(journal.damaged as u64, "line"))
        });
        Self {
            name,
            is_kept: true,
            opened: Some(journal.opened),
            report: journal.report,
            notes: damaged.into_iter().collect(),
        }
    }
}

/// Where the run is that a word means.
enum Place {
    /// Kept here, or in another folder of a run: by its name or path.
    Kept {
        run: String,
        /// What the user should know about it.
        note: Option<String>,
    },
    /// In a file.
    File(String),
}

impl Place {
    fn kept(run: impl Into<String>) -> Self {
        Self::Kept { run: run.into(), note: None }
    }
}

/// Finds the run that `word` names, relative to another run.
pub(super) fn find(
    word: &str,
    keeping: &Keeping,
    besides: Besides<'_>,
    ui: &mut Ui,
) -> Result<Found, CliError> {
    found_at(place(word, keeping, besides, ui)?, keeping)
}

/// Finds the run that `word` means, without regard to any other.
pub(super) fn find_alone(word: &str, keeping: &Keeping, ui: &mut Ui) -> Result<Found, CliError> {
    found_at(place_alone(word, keeping, ui)?, keeping)
}

fn found_at(place: Place, keeping: &Keeping) -> Result<Found, CliError> {
    match place {
        Place::Kept { run, note } => {
            let mut found = Found::kept(keeping.results()?.journal(Some(&run))?);
            found.notes.extend(note);
            Ok(found)
        }
        Place::File(path) => in_file(&path),
    }
}

/// Reads the journal of the run that `word` means, and says what is wrong with it.
pub(super) fn find_journal(word: &str, keeping: &Keeping, ui: &mut Ui) -> Result<Journal, CliError> {
    let journal = match place_alone(word, keeping, ui)? {
        Place::Kept { run, note } => {
            note.iter().for_each(|note| ui.note(note));
            keeping.results()?.journal(Some(&run))?
        }
        Place::File(path) => journal_in_file(&path)?,
    };
    if journal.damaged > 0 {
        ui.warn(&format!("{} of the journal damaged", plural(journal.damaged as u64, "line")));
    }
    Ok(journal)
}

/// The name of the run that `word` means, or the path of its folder, for a command that needs the folder.
pub(super) fn find_kept(word: &str, keeping: &Keeping, ui: &mut Ui) -> Result<String, CliError> {
    match place_alone(word, keeping, ui)? {
        Place::Kept { run, note } => {
            note.iter().for_each(|note| ui.note(note));
            Ok(run)
        }
        Place::File(path) => {
            let hint = "add the runs of a file with `merge` or `import`; `runs` lists stored runs".to_owned();
            Err(CliError::usage(format!("`{path}` is a file; this command needs a stored run"), vec![hint]))
        }
    }
}

/// The run before the last one is that on the engine of the last one.
fn place_alone(word: &str, keeping: &Keeping, ui: &mut Ui) -> Result<Place, CliError> {
    if Meaning::by_order(word) != Some(Meaning::Previous) {
        return place(word, keeping, Besides::default(), ui);
    }
    let results = keeping.results()?;
    let last = last(results, ui)?;
    let engine = RunSummary::read(results, &last)?.header.engine.name;
    place(word, keeping, Besides { before: Some(&last), engine: Some(&engine) }, ui)
}

/// The last run that can be read.
fn last(results: &ResultsFolder, ui: &mut Ui) -> Result<String, CliError> {
    let LastRun { name, unreadable } = results.last_run()?;
    unreadable.iter().for_each(|(run, error)| skipped(run, error, ui));
    Ok(name.ok_or_else(|| results.no_run())?)
}

fn skipped(run: &str, error: &FolderError, ui: &mut Ui) {
    ui.warn(&format!("run `{run}` is skipped: {error}; run `store verify` to check all results"));
}

fn place(word: &str, keeping: &Keeping, besides: Besides<'_>, ui: &mut Ui) -> Result<Place, CliError> {
    let path = word.strip_prefix("file:").unwrap_or(word);
    let results = match keeping.results() {
        // A file needs no results here.
        Err(_) if Path::new(path).is_file() => return Ok(Place::File(path.to_owned())),
        results => results?,
    };
    let meanings = match Meaning::by_order(word) {
        // To look at every run would be for nothing.
        Some(meaning) => vec![meaning],
        None => meanings(word, &results.known_runs()?, |path| Path::new(path).is_file()),
    };
    match meanings.as_slice() {
        // No run is compared with itself.
        [Meaning::Last] if besides.before.is_some() && besides.before == Some(&results.last()?) => {
            before(results, Besides { engine: None, ..besides }, ui)
        }
        [Meaning::Last] => Ok(Place::kept(last(results, ui)?)),
        [Meaning::Previous] => before(results, besides, ui),
        [Meaning::Run(name)] => Ok(Place::kept(name)),
        [Meaning::Branch { name, runs }] => last_of(&format!("branch `{name}`"), runs, results, besides),
        [Meaning::Commit { hash, runs }] => last_of(&format!("commit {hash}"), runs, results, besides),
        [Meaning::File(path)] => Ok(Place::File(path.clone())),
        // The path of a folder of a run, which may be anywhere; or a run whose journal does not say what it is.
        [] if results.path_of(word).is_ok() => Ok(Place::kept(word)),
        [] => Err(unknown(word, results)),
        several => Err(ambiguous(word, several)),
    }
}

/// The last run before one, on an engine.
fn before(results: &ResultsFolder, besides: Besides<'_>, ui: &mut Ui) -> Result<Place, CliError> {
    let runs = results.runs()?;
    let end = besides.before.and_then(|name| runs.iter().position(|run| run == name));
    for name in runs[..end.unwrap_or(runs.len())].iter().rev() {
        match RunSummary::read(results, name) {
            Ok(run) if besides.engine.is_none_or(|engine| run.header.engine.name == engine) => {
                return Ok(Place::kept(name));
            }
            // Its process was killed before the run began.
            Ok(_) | Err(FolderError::NoJournal(_)) => {}
            Err(error) => skipped(name, &error, ui),
        }
    }
    let before = end.map_or_else(String::new, |end| format!(" before {}", runs[end]));
    let engine = besides.engine.map_or_else(String::new, |engine| format!(" on engine `{engine}`"));
    let hint = "name a run, a branch, a commit or a file; `runs` lists runs".to_owned();
    Err(CliError::nothing_selected(format!("no run{before}{engine}"), vec![hint]))
}

/// The last complete run among these; one of a state with changes only where there is no other.
fn last_of(
    what: &str,
    runs: &[String],
    results: &ResultsFolder,
    besides: Besides<'_>,
) -> Result<Place, CliError> {
    let (mut with_changes, mut incomplete, mut other_engines) = (None, 0, 0);
    for name in runs.iter().rev().filter(|&name| Some(name.as_str()) != besides.before) {
        let Ok(run) = RunSummary::read(results, name) else { continue };
        if !run.is_complete() {
            incomplete += 1;
        } else if besides.engine.is_some_and(|engine| engine != run.header.engine.name) {
            other_engines += 1;
        } else if run.commit().is_some_and(|commit| commit.dirty) {
            with_changes = with_changes.or(Some(name));
        } else {
            return Ok(Place::kept(name));
        }
    }
    if let Some(name) = with_changes {
        let note = format!("run `{name}` of {what} was made with uncommitted changes");
        return Ok(Place::Kept { run: name.clone(), note: Some(note) });
    }
    let engine = besides.engine.map_or_else(String::new, |engine| format!(" on engine `{engine}`"));
    let others = [(incomplete, "incomplete run"), (other_engines, "run on another engine")];
    let others = others.into_iter().filter(|(count, _)| *count > 0);
    let others: Vec<_> = others.map(|(count, what)| format!("{count} × {what}")).collect();
    let hints = match others.is_empty() {
        true => vec!["a run cannot be compared with itself; `runs` lists all runs".to_owned()],
        false => {
            vec![format!("existing runs: {}; to use one, name it directly (see `runs`)", others.join(", "))]
        }
    };
    Err(CliError::nothing_selected(format!("no other complete run of {what}{engine}"), hints))
}

fn unknown(word: &str, results: &ResultsFolder) -> CliError {
    let mut branches: Vec<_> = results.known_runs().unwrap_or_default();
    branches.reverse();
    let names = branches.into_iter().filter_map(|run| run.commit?.branch);
    let mut branches = Vec::<String>::new();
    for name in names {
        if !branches.contains(&name) {
            branches.push(name);
        }
    }
    let known = match branches.as_slice() {
        [] => "no run here was made on a branch".to_owned(),
        branches => format!("branches with runs: {}", branches.join(", ")),
    };
    let message = format!("no run, branch, commit or file matches `{word}`");
    let words = format!("`runs` lists all runs; `last` and `previous` are valid, too; {known}");
    CliError::usage(message, vec![words])
}

fn ambiguous(word: &str, several: &[Meaning]) -> CliError {
    let meaning = |meaning: &Meaning| match meaning {
        Meaning::Last => "last".to_owned(),
        Meaning::Previous => "previous".to_owned(),
        Meaning::Run(name) => format!("run:{name}"),
        Meaning::Branch { name, .. } => format!("branch:{name}"),
        Meaning::Commit { hash, .. } => format!("commit:{hash}"),
        Meaning::File(path) => format!("file:{path}"),
    };
    let meanings: Vec<_> = several.iter().map(meaning).collect();
    CliError::usage(
        format!("`{word}` can mean several things"),
        vec![format!("write one of these: {}", meanings.join(", "))],
    )
}

/// The run in a file of `export`.
fn journal_in_file(path: &str) -> Result<Journal, CliError> {
    let bytes = std::fs::read(path).map_err(|error| CliError::io("read", path, &error))?;
    if !is_portable(&bytes) {
        let hint = "use `import` for results of other programs; `runs` then lists the run".to_owned();
        return Err(CliError::usage(format!("`{path}` is not a file of `export`"), vec![hint]));
    }
    portable_run(path)
}

fn portable_run(path: &str) -> Result<Journal, CliError> {
    let mut runs = portable::load(Path::new(path))?;
    match (runs.pop(), runs.len()) {
        (Some((_, journal)), 0) => Ok(journal),
        (_, more) => {
            Err(several_runs(path, more + 1, "use `merge` to import it; `runs` then lists its runs"))
        }
    }
}

/// The run in a file of `export`, or of another program.
fn in_file(path: &str) -> Result<Found, CliError> {
    let bytes = std::fs::read(path).map_err(|error| CliError::io("read", path, &error))?;
    if is_portable(&bytes) {
        let found = Found::kept(portable_run(path)?);
        return Ok(Found { name: format!("{} in {path}", found.name), is_kept: false, ..found });
    }
    let reading = import::read(&bytes, None, changed(Path::new(path)))
        .map_err(|error| CliError::import(&error, path))?;
    let notes = reading.oddities.iter().map(|oddity| format!("{path}: {oddity}")).collect();
    let count = reading.runs.len();
    let mut runs = reading.runs;
    match (runs.pop(), count) {
        (Some(run), 1) => {
            Ok(Found { name: path.to_owned(), is_kept: false, opened: None, report: run.report(None), notes })
        }
        _ => Err(several_runs(path, count, "use `import` to import it; `runs` then lists its runs")),
    }
}

fn several_runs(path: &str, count: usize, hint: &str) -> CliError {
    let message = format!("`{path}` contains {}, expected one", plural(count as u64, "run"));
    CliError::usage(message, vec![hint.to_owned()])
}

impl ExitReason {
    /// The reason of a comparison.
    pub(super) fn of_comparison(regressed: bool, common: u64) -> Self {
        match (regressed, common) {
            (true, _) => Self::Regressed,
            (false, 0) => Self::NothingSelected,
            (false, _) => Self::Success,
        }
    }
}
