//! Which files `run` runs, in which order and in how many slices: what the user says, and what earlier runs know.

use std::time::Duration;

use md5::{Digest as _, Md5};

use super::args::{Balance, OrderWord, RunArgs};
use super::error::CliError;
use super::git;
use super::keeping::place_of;
use super::suite;
use crate::clock::milliseconds_since_1970;
use crate::executor::Settings;
use crate::executor::parallel::schedule::{self, Known, LastResult, Order};
use crate::executor::parallel::{Origin, WorkItem};
use crate::executor::slice::may_split;
use crate::location::Source;
use crate::parser;
use crate::results::{History, Past, ResultsFolder};

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
}

impl Selected {
    /// Takes out what is not to be run, and says how many that were.
    pub(super) fn retain(&mut self, is_run: impl Fn(&WorkItem) -> bool) -> usize {
        let before = self.items.len();
        let both = std::mem::take(&mut self.items).into_iter().zip(std::mem::take(&mut self.slices));
        (self.items, self.slices) = both.filter(|(item, _)| is_run(item)).unzip();
        before - self.items.len()
    }
}

/// Finds the files and brings them into order.
pub(super) fn select(
    args: &RunArgs,
    results: &ResultsFolder,
    settings: &Settings,
    engine: &str,
    workers: usize,
) -> Result<Selected, CliError> {
    let history = match History::read(results, engine) {
        Ok(history) => history,
        // What is asked of earlier runs cannot be answered without them; an order can.
        Err(error) if args.history.failed || args.history.balance == Balance::Time => {
            return Err(error.into());
        }
        Err(_) => History::default(),
    };
    let mut filters = args.filter.filters();
    // By time, shards are parts of all files, and known only when these are.
    let by_time = filters.shard.take_if(|_| args.history.balance == Balance::Time);
    let mut items = suite::select_filtered(&args.paths, &filters)?;
    let mut digest = None;
    if let Some(shard) = by_time {
        let times = schedule::estimate(&known(&items, &history));
        let (index, count) = shard.place();
        let shards = schedule::balance(&times, count);
        digest = Some(digest_of(&items, &shards));
        let mut shards = shards.into_iter();
        items.retain(|_| shards.next() == Some(index));
        check(&items, "this shard", "with --balance time, there are more shards than files")?;
    }
    if args.history.failed {
        items.retain(|item| past(item, &history).good == Some(false));
        check(&items, "--failed", "no file failed when it was run last; a plain `run` runs all")?;
    }
    if let Some(reference) = &args.history.changed {
        items = git::changed(items, reference)?;
        check(&items, "--changed", "a plain `run` runs all")?;
    }
    let order = order(args);
    let seed = match order {
        Order::Random(seed) => Some(seed),
        Order::History | Order::Path => None,
    };
    let known = known(&items, &history);
    let order = schedule::order(&known, order);
    let items: Vec<_> = order.iter().map(|&index| items[index].clone()).collect();
    let times: Vec<_> = order.iter().map(|&index| known[index].duration).collect();
    let slices =
        if args.history.no_split { vec![1; items.len()] } else { split(&items, &times, settings, workers) };
    Ok(Selected { items, slices, seed, shards: digest })
}

/// Short enough to be compared by eye.
fn digest_of(items: &[WorkItem], shards: &[u64]) -> String {
    let mut md5 = Md5::new();
    for (item, shard) in items.iter().zip(shards) {
        md5.update(format!("{} {shard}\n", item.file));
    }
    md5.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn order(args: &RunArgs) -> Order {
    let word = if args.history.random { OrderWord::Random } else { args.history.order };
    match (args.history.seed, word) {
        (Some(seed), _) => Order::Random(seed),
        (None, OrderWord::Random) => Order::Random(seed_of_now()),
        (None, OrderWord::History) => Order::History,
        (None, OrderWord::Path) => Order::Path,
    }
}

fn check(items: &[WorkItem], what: &str, hint: &str) -> Result<(), CliError> {
    if !items.is_empty() {
        return Ok(());
    }
    Err(CliError::nothing_selected(format!("no file is left by {what}"), vec![hint.to_owned()]))
}

fn past(item: &WorkItem, history: &History) -> Past {
    history.of(&place_of(item), &item.file)
}

fn known(items: &[WorkItem], history: &History) -> Vec<Known> {
    let known = items.iter().map(|item| {
        let Past { good, duration } = past(item, history);
        let last = match good {
            Some(false) => LastResult::Failed,
            None => LastResult::Untested,
            Some(true) => LastResult::Passed,
        };
        Known { last, duration, bytes: length(item) }
    });
    known.collect()
}

/// A file that cannot be looked at is reported when it is run.
fn length(item: &WorkItem) -> u64 {
    match &item.origin {
        Origin::Disk(path) => path.metadata().map_or(0, |file| file.len()),
        Origin::Embedded(text) => text.len() as u64,
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
