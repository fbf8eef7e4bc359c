//! Which files `run` runs and `list` lists, in which order and in how many slices: what the user says, and what earlier runs know.

use std::time::Duration;

use md5::{Digest as _, Md5};

use super::args::{Balance, ExpectationArgs, ListArgs, OrderArgs, OrderWord, RunArgs, SelectionArgs};
use super::error::CliError;
use super::git;
use super::keeping::{Keeping, place_of};
use super::known::{self, Known};
use super::suite;
use super::ui::Ui;
use slt_core::executor::Settings;
use slt_core::executor::slice::may_split;
use slt_core::location::Source;
use slt_core::parser;
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::parallel::schedule::{self, FileOrder, LastResult};
use slt_runner::parallel::{FileSource, Filters, WorkItem};
use slt_runner::results::{History, PastResult, ResultsFolder};
use slt_runner::text::count::plural;

/// What is run.
pub(super) struct Selected {
    /// The files, in the order in which they are taken up.
    pub(super) items: Vec<WorkItem>,
    /// How many slices each is run in.
    pub(super) slices: Vec<u32>,
    /// What to give to `--seed` for the same order.
    pub(super) seed: Option<u64>,
    /// With `--balance time`, what tells these shards from others: machines with other times make others, in which
    /// a file may be twice or not at all.
    pub(super) shards: Option<String>,
    /// What is expected to fail.
    pub(super) known: Option<Known>,
    /// Whether files of the suite are left out.
    pub(super) is_part: bool,
    /// What earlier runs know of the files.
    pub(super) history: History,
}

/// Finds the files and brings them into order.
pub(super) fn select(
    args: &RunArgs,
    results: &ResultsFolder,
    settings: &Settings,
    engine: &str,
    workers: usize,
    ui: &mut Ui,
) -> Result<Selected, CliError> {
    let read = |items: &[WorkItem]| match history_of(results, engine, items) {
        Ok(history) => Ok(history),
        // What is asked of earlier runs cannot be answered without them; an order can.
        Err(error) if args.selection.needs_history() => Err(error),
        Err(_) => Ok(History::default()),
    };
    let Chosen { mut items, shards, is_part, history } = choose(&args.selection, read, ui)?;
    let known = take_out_skipped(&args.expectations, &mut items, is_part, || Ok(engine.to_owned()), ui)?;
    let order = order(&args.order);
    let seed = match order {
        FileOrder::Random(seed) => Some(seed),
        FileOrder::History | FileOrder::Path => None,
    };
    let times = past_of(&items, &history);
    let order = schedule::order(&times, order);
    let items: Vec<_> = order.iter().map(|&index| items[index].clone()).collect();
    let times: Vec<_> = order.iter().map(|&index| times[index].duration).collect();
    let slices =
        if args.order.no_split { vec![1; items.len()] } else { split(&items, &times, settings, workers) };
    Ok(Selected { items, slices, seed, shards, known, is_part, history })
}

/// Finds the files that `run` would run, in the order of their paths. `engine` is asked for its name if it is needed.
pub(super) fn list(
    args: &ListArgs,
    keeping: &Keeping,
    engine: impl Fn() -> Result<String, CliError>,
    ui: &mut Ui,
) -> Result<Vec<WorkItem>, CliError> {
    let read = |items: &[WorkItem]| match args.selection.needs_history() {
        true => history_of(keeping.results()?, &engine()?, items),
        false => Ok(History::default()),
    };
    let Chosen { mut items, is_part, .. } = choose(&args.selection, read, ui)?;
    take_out_skipped(&args.expectations, &mut items, is_part, engine, ui)?;
    Ok(items)
}

/// What earlier runs know of these files.
fn history_of(results: &ResultsFolder, engine: &str, items: &[WorkItem]) -> Result<History, CliError> {
    let wanted: Vec<_> = items.iter().map(|item| (place_of(item), item.file.as_str())).collect();
    Ok(History::read(results, engine, &wanted)?)
}

/// The files that are meant, before anything that is expected of them.
struct Chosen {
    items: Vec<WorkItem>,
    shards: Option<String>,
    is_part: bool,
    history: History,
}

fn choose(
    args: &SelectionArgs,
    read_history: impl FnOnce(&[WorkItem]) -> Result<History, CliError>,
    ui: &mut Ui,
) -> Result<Chosen, CliError> {
    let mut filters = args.filters();
    // By time, shards are parts of all files, and known only when these are.
    let by_time = filters.shard.take_if(|_| args.earlier.balance == Balance::Time);
    let found = suite::select(&args.paths, ui)?;
    let all = found.len();
    let mut items = filtered(found, &filters, args, ui)?;
    let history = read_history(&items)?;
    let mut digest = None;
    if let Some(shard) = by_time {
        let times = schedule::estimate(&past_of(&items, &history));
        let (index, count) = shard.place();
        let shards = schedule::balance(&times, count);
        digest = Some(digest_of(&items, &shards));
        let mut shards = shards.into_iter();
        items.retain(|_| shards.next() == Some(index));
        check(&items, "this shard", "with --balance time, there are more shards than files")?;
    }
    if args.earlier.failed {
        items.retain(|item| past(item, &history).good == Some(false));
        check(
            &items,
            "--failed",
            "every file passed in its last run; `run` without --failed runs all files",
        )?;
    }
    if let Some(reference) = &args.earlier.changed {
        items = git::changed(items, reference)?;
        check(&items, "--changed", "`run` without --changed runs all files")?;
    }
    let is_part = items.len() < all || !suite::are_whole(&args.paths);
    Ok(Chosen { items, shards: digest, is_part, history })
}

/// Leaves the files that pass the filters, and names patterns that match none of those that were found.
fn filtered(
    found: Vec<WorkItem>,
    filters: &Filters,
    args: &SelectionArgs,
    ui: &mut Ui,
) -> Result<Vec<WorkItem>, CliError> {
    if let Some(name) = filters.missing(&found) {
        let hint = "--files needs complete paths, as in reports; `list` without --files shows them";
        let message = format!("no file `{name}` among the {} files found", found.len());
        return Err(CliError::usage(message, vec![hint.to_owned()]));
    }
    let files = plural(found.len() as u64, "file");
    for (what, pattern) in &args.to_match {
        if !found.iter().any(|item| pattern.chooses(item)) {
            ui.warn(&format!("{what} matches none of {files}"));
        }
    }
    let items = filters.apply(found);
    if items.is_empty() {
        let message = format!("--filter, --exclude, --shard and --files select none of {files}");
        let hint =
            "run `list` without these flags to see all files; docs/configuration.md describes patterns";
        return Err(CliError::nothing_selected(message, vec![hint.to_owned()]));
    }
    Ok(items)
}

/// Takes out the files that are expected to be skipped, and marks records that are.
fn take_out_skipped(
    args: &ExpectationArgs,
    items: &mut Vec<WorkItem>,
    is_part: bool,
    engine: impl Fn() -> Result<String, CliError>,
    ui: &mut Ui,
) -> Result<Option<Known>, CliError> {
    let places: Vec<_> = items.iter().map(place_of).collect();
    let files = items.iter().zip(&places).map(|(item, place)| (item.file.as_str(), place.as_path()));
    let Some(known) = Known::load(args, files, is_part)? else { return Ok(None) };
    let engine = engine()?;
    let before = items.len();
    items.retain(|item| !known.expectations.skips(&engine, &item.file, known.today));
    let mut shortened = 0;
    for item in items.iter_mut() {
        item.left_out = known.expectations.left_out(&engine, &item.file, known.today);
        shortened += usize::from(!item.left_out.is_empty());
    }
    known::tell_skipped(before - items.len(), shortened, ui);
    if items.is_empty() {
        let hint = "use --no-expectations to run them".to_owned();
        return Err(CliError::nothing_selected("expectations.toml skips every file".to_owned(), vec![hint]));
    }
    Ok(Some(known))
}

/// Short enough to be compared by eye.
fn digest_of(items: &[WorkItem], shards: &[u64]) -> String {
    let mut md5 = Md5::new();
    for (item, shard) in items.iter().zip(shards) {
        md5.update(format!("{} {shard}\n", item.file));
    }
    md5.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn order(args: &OrderArgs) -> FileOrder {
    let word = if args.random { OrderWord::Random } else { args.order };
    match (args.seed, word) {
        (Some(seed), _) => FileOrder::Random(seed),
        (None, OrderWord::Random) => FileOrder::Random(seed_of_now()),
        (None, OrderWord::History) => FileOrder::History,
        (None, OrderWord::Path) => FileOrder::Path,
    }
}

fn check(items: &[WorkItem], what: &str, hint: &str) -> Result<(), CliError> {
    if !items.is_empty() {
        return Ok(());
    }
    Err(CliError::nothing_selected(format!("{what} selects no file"), vec![hint.to_owned()]))
}

fn past(item: &WorkItem, history: &History) -> PastResult {
    history.of(&place_of(item), &item.file)
}

fn past_of(items: &[WorkItem], history: &History) -> Vec<schedule::FileHistory> {
    let known = items.iter().map(|item| {
        let PastResult { good, duration } = past(item, history);
        let last = match good {
            Some(false) => LastResult::Failed,
            None => LastResult::Untested,
            Some(true) => LastResult::Passed,
        };
        schedule::FileHistory { last, duration, bytes: length(item) }
    });
    known.collect()
}

/// A file that cannot be looked at is reported when it is run.
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
        let chosen = parser::choose(&source, settings.dialect.as_deref(), settings.exact);
        chosen
            .is_ok_and(|(profile, _)| may_split(&parser::parse(&source, profile), &settings.options).is_ok())
    };
    schedule::split_plan(times, &allowed, workers)
}

/// A number that a person can type again.
fn seed_of_now() -> u64 {
    milliseconds_since_1970().unsigned_abs() % 1_000_000
}
