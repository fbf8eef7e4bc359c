//! Selects the files of `run` and `list`, and their order and split, by the settings and by earlier runs.

use std::time::Duration;

use md5::{Digest as _, Md5};

use super::args::ShardBalance;
use super::error::CliError;
use super::git;
use super::loaded_expectations::{ExpectationsSource, LoadedExpectations, note_skipped};
use super::results_location::{ResultsLocation, places_of};
use super::settings::{NewRun, SelectionSettings};
use super::suite;
use super::ui::Ui;
use slt_core::executor::Settings;
use slt_core::executor::slice::may_split;
use slt_core::location::{FileId, Source};
use slt_core::parser;
use slt_runner::parallel::schedule::{self, LastResult};
use slt_runner::parallel::{FileSource, Filters, Pattern, Shard, WorkItem};
use slt_runner::results::{History, PastResult, ResultsFolder};
use slt_runner::text::count::plural;

/// The files of a run.
pub(super) struct SelectedFiles {
    /// The files, in the order in which they are started.
    pub(super) items: Vec<WorkItem>,
    /// The number of slices of each file.
    pub(super) slices: Vec<u32>,
    pub(super) shard: Option<ChosenShard>,
    pub(super) expectations: Option<LoadedExpectations>,
    /// Whether files of the suite are left out.
    pub(super) is_part: bool,
    /// The results of earlier runs.
    pub(super) history: History,
}

/// The shard that the files are of.
pub(super) struct ChosenShard {
    pub(super) shard: Shard,
    /// A fingerprint of the shards to compare by eye. With `--balance time`, machines with different durations compute
    /// different shards, so that a file can be in two of them or in none.
    pub(super) fingerprint: String,
    /// A checksum of the identities of all files and their shards.
    pub(super) split: String,
    /// Whether all shards together exclude files of the suite.
    pub(super) is_part: bool,
    /// The files of the other shards.
    pub(super) others: Vec<FileId>,
}

/// Finds the files of a new run, and brings them into order.
pub(super) fn select(
    run: &NewRun,
    expectations: &ExpectationsSource,
    results: &ResultsFolder,
    workers: usize,
    ui: &mut Ui,
) -> Result<SelectedFiles, CliError> {
    let engine = run.setup.engine.qualified_name();
    let read = |items: &[WorkItem]| match history_of(results, &engine, items) {
        Ok(history) => Ok(history),
        // A selection by earlier runs is impossible without them; an order is not.
        Err(error) if run.selection.needs_history() => Err(error),
        Err(_) => Ok(History::default()),
    };
    let ChosenFiles { mut items, is_part, history } = choose(&run.selection, read, ui)?;
    let engine = || Ok(engine.clone());
    let mut expectations =
        take_out_skipped(expectations, &run.selection.paths, &mut items, is_part, engine, ui)?;
    let is_part = is_part || expectations.as_ref().is_some_and(|known| known.is_part);
    let shard = take_shard(&run.selection, &mut items, is_part, &history)?;
    let is_part = is_part || shard.as_ref().is_some_and(|shard| !shard.others.is_empty());
    if let Some(known) = &mut expectations {
        known.is_part = is_part;
    }
    let times = past_of(&items, &history);
    let order = schedule::order(&times, run.order);
    let items: Vec<_> = order.iter().map(|&index| items[index].clone()).collect();
    let times: Vec<_> = order.iter().map(|&index| times[index].duration).collect();
    let slices = if run.may_split {
        split(&items, &times, &run.setup.settings, workers)
    } else {
        vec![1; items.len()]
    };
    Ok(SelectedFiles { items, slices, shard, expectations, is_part, history })
}

/// Finds the files that `run` would run, in the order of their paths. `engine` returns the name of the engine, if it is
/// needed.
pub(super) fn list(
    selection: &SelectionSettings,
    expectations: &ExpectationsSource,
    location: &ResultsLocation,
    engine: impl Fn() -> Result<String, CliError>,
    ui: &mut Ui,
) -> Result<Vec<WorkItem>, CliError> {
    let read = |items: &[WorkItem]| match selection.needs_history() {
        true => history_of(location.results()?, &engine()?, items),
        false => Ok(History::default()),
    };
    let ChosenFiles { mut items, is_part, history } = choose(selection, read, ui)?;
    take_out_skipped(expectations, &selection.paths, &mut items, is_part, engine, ui)?;
    take_shard(selection, &mut items, is_part, &history)?;
    Ok(items)
}

/// Reads the results of earlier runs for these files.
fn history_of(results: &ResultsFolder, engine: &str, items: &[WorkItem]) -> Result<History, CliError> {
    let wanted: Vec<_> = items.iter().map(|item| &item.file).collect();
    Ok(History::read(results, engine, &wanted)?)
}

/// The selected files of all shards, before expected failures are considered.
struct ChosenFiles {
    items: Vec<WorkItem>,
    is_part: bool,
    history: History,
}

fn choose(
    selection: &SelectionSettings,
    read_history: impl FnOnce(&[WorkItem]) -> Result<History, CliError>,
    ui: &mut Ui,
) -> Result<ChosenFiles, CliError> {
    if let Some(corpus) = &selection.missing_default {
        let corpus = corpus.display();
        ui.note(format_args!(
            "no `{corpus}` here: this is the shipped suite; README.md says how to get SQLite's test files"
        ));
    }
    let mut found = suite::select(&selection.paths, selection.suite_name.as_ref(), ui)?;
    set_dialects(&mut found, &selection.dialects);
    let all = found.len();
    let mut items = filtered(found, &selection.filters, &selection.must_match, ui)?;
    let history = read_history(&items)?;
    if selection.failed {
        let known = items.iter().filter(|item| history.of(&item.file).good.is_some()).count();
        let hint = match items.len() - known {
            0 => "every file passed in its last run; `run` without --failed runs all files".to_owned(),
            _ if known == 0 => {
                "there is no result of these files on this engine in the results folder; `run` without --failed runs \
                 all files"
                    .to_owned()
            }
            unknown => format!(
                "no file failed in its last run, and {} of {} have no result on this engine; `run` without --failed \
                 runs all files",
                unknown,
                plural(items.len() as u64, "file")
            ),
        };
        items.retain(|item| history.of(&item.file).good == Some(false));
        check(&items, "--failed", &hint)?;
    }
    if let Some(reference) = &selection.changed {
        items = git::changed(items, reference)?;
        check(&items, "--changed", "`run` without --changed runs all files")?;
    }
    let is_part = items.len() < all || !suite::are_whole(&selection.paths);
    Ok(ChosenFiles { items, is_part, history })
}

/// Keeps the files of the shard. This is the last step of a selection, so that all shards together have the files of a run
/// without shards.
fn take_shard(
    selection: &SelectionSettings,
    items: &mut Vec<WorkItem>,
    is_part: bool,
    history: &History,
) -> Result<Option<ChosenShard>, CliError> {
    let Some(shard) = selection.shard else { return Ok(None) };
    let (index, count) = shard.place();
    let shards = match selection.balance {
        ShardBalance::Count => items.iter().map(|item| shard.index_of(item.file.path())).collect(),
        ShardBalance::Time => schedule::balance(&schedule::estimate(&past_of(items, history)), count),
    };
    let [fingerprint, split] = [FileId::path, FileId::key].map(|name| digest_of(items, &shards, name));
    let fingerprint = fingerprint.chars().take(8).collect();
    let mut mine = shards.iter().map(|&shard| shard == index);
    let (chosen, others): (Vec<_>, Vec<_>) =
        items.drain(..).partition(|_| mine.next().is_some_and(|is_mine| is_mine));
    *items = chosen;
    let files = plural((items.len() + others.len()) as u64, "file");
    let what = format!("shard {}/{count} of {files}", index + 1);
    check(items, &what, "use fewer shards; --balance time leaves none empty if there are as many files")?;
    let others = others.into_iter().map(|item| item.file).collect();
    Ok(Some(ChosenShard { shard, fingerprint, split, is_part, others }))
}

/// Gives each file the dialect of the last pattern that matches it.
pub(super) fn set_dialects(items: &mut [WorkItem], dialects: &[(Pattern, String)]) {
    for item in items {
        let own = dialects.iter().rev().find(|(pattern, _)| pattern.chooses(item));
        item.dialect = own.map(|(_, dialect)| dialect.clone());
    }
}

/// Keeps the files that pass the filters, and warns about patterns that match no file.
fn filtered(
    found: Vec<WorkItem>,
    filters: &Filters,
    must_match: &[(String, Pattern)],
    ui: &mut Ui,
) -> Result<Vec<WorkItem>, CliError> {
    if let Some(name) = filters.missing(&found) {
        let hint = "--files needs complete paths, as in reports; `list` without --files shows them";
        let message = format!("no file `{name}` among the {} files found", found.len());
        return Err(CliError::usage(message, hint));
    }
    let files = plural(found.len() as u64, "file");
    for (what, pattern) in must_match {
        if !found.iter().any(|item| pattern.chooses(item)) {
            ui.warn(&format!("{what} matches none of {files}"));
        }
    }
    let items = filters.apply(found);
    if items.is_empty() {
        let message = format!("--filter, --exclude and --files select none of {files}");
        let hint =
            "run `list` without these flags to see all files; docs/configuration.md describes patterns";
        return Err(CliError::nothing_selected(message, hint));
    }
    Ok(items)
}

/// Removes the files to skip, and marks the records to skip, as expectations.toml says.
fn take_out_skipped(
    source: &ExpectationsSource,
    paths: &[String],
    items: &mut Vec<WorkItem>,
    is_part: bool,
    engine: impl Fn() -> Result<String, CliError>,
    ui: &mut Ui,
) -> Result<Option<LoadedExpectations>, CliError> {
    let places: Vec<_> = places_of(items).collect();
    let files = items.iter().zip(&places).map(|(item, place)| (&item.file, place.as_path()));
    let Some(mut known) = LoadedExpectations::load(source, files, is_part)? else { return Ok(None) };
    known.is_part |= !suite::cover(paths, &known.folders);
    let engine = engine()?;
    let before = items.len();
    items.retain(|item| !known.expectations.skips(&engine, &item.file, known.today));
    let mut shortened = 0;
    for item in items.iter_mut() {
        item.left_out = known.expectations.left_out(&engine, &item.file, known.today);
        shortened += usize::from(!item.left_out.is_empty());
    }
    note_skipped(before - items.len(), shortened, ui);
    if items.is_empty() {
        let hint = "use --no-expectations to run them";
        return Err(CliError::nothing_selected("expectations.toml skips every file", hint));
    }
    Ok(Some(known))
}

/// Returns a checksum of the files, in the order of their names, with their shards.
fn digest_of(items: &[WorkItem], shards: &[u64], name: fn(&FileId) -> &str) -> String {
    let mut md5 = Md5::new();
    for (item, shard) in items.iter().zip(shards) {
        md5.update(format!("{} {shard}\n", name(&item.file)));
    }
    md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check(items: &[WorkItem], what: &str, hint: &str) -> Result<(), CliError> {
    if !items.is_empty() {
        return Ok(());
    }
    Err(CliError::nothing_selected(format!("{what} selects no file"), hint))
}

fn past_of(items: &[WorkItem], history: &History) -> Vec<schedule::ScheduledFile> {
    let known = items.iter().map(|item| {
        let PastResult { good, duration } = history.of(&item.file);
        let last = match good {
            Some(false) => LastResult::Failed,
            None => LastResult::Untested,
            Some(true) => LastResult::Passed,
        };
        schedule::ScheduledFile { last, duration, bytes: length(item) }
    });
    known.collect()
}

/// Returns the size of a file. A missing file is reported when it is run.
fn length(item: &WorkItem) -> u64 {
    match &item.source {
        FileSource::Disk(path) => path.metadata().map_or(0, |file| file.len()),
        FileSource::Embedded(text) => text.len() as u64,
        FileSource::Stream(text) => text.len() as u64,
    }
}

fn split(items: &[WorkItem], times: &[Option<Duration>], settings: &Settings, workers: usize) -> Vec<u32> {
    let allowed = |index: usize| {
        let item: &WorkItem = &items[index];
        let Ok(text) = item.read() else { return false };
        let source = Source::new(item.shown.as_str(), text);
        let request = settings.dialect_of(item.dialect.as_deref());
        let chosen = parser::choose(&source, request, settings.exact);
        let may = |script| may_split(&script, &settings.options).is_ok();
        chosen.is_ok_and(|chosen| may(parser::parse(&source, chosen.profile)))
    };
    schedule::split_plan(times, &allowed, workers)
}
