//! Combines the runs of shards into one run.
//!
//! The combined run is an ordinary run, with a journal of its own. Combining is a union by the number of the shard, and of
//! two results of one shard the later attempt is used; so the order in which shards arrive has no influence on the
//! result, and combining again changes nothing. A run is removed only if the combined run has all of its results.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Duration;

use super::circumstances::Circumstances;
use super::folder::{ResultsFolder, is_running};
use super::folder_error::FolderError;
use super::journal::{Journal, Opened, write_whole};
use super::journal_file::journal_path;
use super::sequence::{name_of, names, number_of};
use super::shards::{CombinedShards, ShardPart};
use super::staging::Staging;
use slt_core::location::FileId;
use slt_core::outcome::{FileReport, RunEnd, RunHeader, RunReport};

/// The sets of shards to combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CombineScope {
    /// All sets.
    Any,
    /// Sets of at least two shards, and those that were combined before. A shard alone may be that of a machine.
    Several,
}

/// The result of combining.
#[derive(Debug, Default)]
pub struct Combination {
    /// The combined runs, whether new or not.
    pub runs: Vec<CombinedRun>,
    /// Runs whose results are all in a combined run.
    pub absorbed: Vec<String>,
    /// What the user should know.
    pub findings: Vec<ShardFinding>,
}

/// A combined run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CombinedRun {
    /// Its name.
    pub name: String,
    /// Its shards.
    pub shards: CombinedShards,
    /// Whether it was created or has got another shard.
    pub is_new: bool,
}

/// An unusual finding about two results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShardFinding {
    /// A later attempt has replaced the result of a shard.
    Replaced {
        /// The number of the shard, and the number of shards.
        shard: [u64; 2],
        /// The run that is used.
        used: String,
        /// The replaced run.
        replaced: String,
    },
    /// A shard has two results of one attempt, and one of them is not used.
    Twice {
        /// The number of the shard, and the number of shards.
        shard: [u64; 2],
        /// The run that is used.
        used: String,
        /// The run that is not used.
        unused: String,
    },
    /// Two runs of a group would complete each other, but differ.
    Apart {
        /// The runs.
        runs: [String; 2],
        /// The condition that differs.
        condition: &'static str,
        /// Its values.
        values: [String; 2],
    },
}

/// The condition that all shards have the same files, and each file the same shard. Its values are checksums.
pub const SPLIT: &str = "assignment of files to shards";
/// Conditions by which runs of one group are separate on purpose.
const SEPARATE: [&str; 3] = ["engine", "system", "number of shards"];

/// Conditions with their values. Runs are combined if all of them are equal.
type Conditions = Vec<(&'static str, String)>;

fn conditions(opened: &Opened, header: &RunHeader, count: u64, split: &str) -> Conditions {
    let circumstances = opened.circumstances.clone().unwrap_or_default();
    let commit = circumstances.commit.as_ref();
    let settings = opened.settings.as_ref();
    // Like `3`, `5s` or `None`.
    let debug = |value: &dyn Debug| format!("{value:?}").replace("Some(", "").replace(')', "");
    vec![
        ("engine", header.engine.qualified_name()),
        // Another release of the kernel is the same system.
        ("system", circumstances.system.split(' ').next().unwrap_or_default().to_owned()),
        ("number of shards", count.to_string()),
        ("version of the engine", header.engine.to_string()),
        ("version of this program", opened.program.clone()),
        ("commit", commit.map_or_else(|| "none".to_owned(), |commit| commit.hash.clone())),
        ("state of uncommitted changes", commit.is_some_and(|commit| commit.dirty).to_string()),
        ("list of engine names", header.labels.join(", ")),
        ("value of --exact", header.exact.to_string()),
        ("value of --flaky", header.flaky.as_str().to_owned()),
        (
            "dialect",
            settings.and_then(|of| of.dialect.clone()).unwrap_or_else(|| "the one of each file".to_owned()),
        ),
        ("hash threshold", debug(&settings.and_then(|of| of.options.threshold))),
        ("record timeout", debug(&settings.and_then(|of| of.options.record_timeout))),
        ("value of --max-details", debug(&settings.map(|of| of.options.details.records))),
        ("value of --allow-shell", debug(&settings.map(|of| of.permissions.shell))),
        ("value of --allow-outside", debug(&settings.map(|of| of.permissions.outside))),
        ("selection of files", is_part(&circumstances).to_string()),
        (SPLIT, split.to_owned()),
    ]
}

/// Returns whether all shards together exclude files of the suite.
fn is_part(circumstances: &Circumstances) -> bool {
    circumstances.shard.as_ref().map_or(circumstances.is_part, |shard| shard.is_part)
}

/// A shard with its results.
#[derive(Debug, Clone)]
struct HeldPart {
    part: ShardPart,
    files: Vec<FileReport>,
    places: BTreeMap<FileId, PathBuf>,
    /// The run that it is from, by its place in the list.
    from: usize,
}

/// A run of a shard, or one that was combined from shards.
#[derive(Debug)]
struct ShardRun {
    name: String,
    opened: Opened,
    header: RunHeader,
    conditions: Conditions,
    count: u64,
    split: String,
    /// All files of all shards.
    wanted: BTreeSet<FileId>,
    /// Its shards.
    own: Vec<ShardPart>,
    /// The results of its shards, until they are combined.
    parts: Vec<HeldPart>,
    is_combined: bool,
    /// Whether it can still be resumed here.
    is_resumable: bool,
}

impl ShardRun {
    fn read(results: &ResultsFolder, name: &str) -> Result<Option<Self>, FolderError> {
        let Journal { opened, report, .. } = results.journal(Some(name))?;
        let Some(circumstances) = &opened.circumstances else { return Ok(None) };
        let untested = report.untested();
        let RunReport { header, files, elapsed, end } = report;
        let (count, split, parts, others) = match (&circumstances.shard, &circumstances.combined) {
            (Some(shard), _) => {
                let part = ShardPart {
                    number: shard.number,
                    attempt: shard.attempt,
                    run: name.to_owned(),
                    started: opened.started,
                    host: circumstances.host.clone(),
                    elapsed,
                    end,
                    is_complete: untested == 0,
                    files: opened.places.keys().cloned().collect(),
                };
                (shard.count, shard.split.clone(), vec![part], &shard.others)
            }
            (None, Some(of)) => (of.count, of.split.clone(), of.parts.clone(), &of.missing_files),
            (None, None) => return Ok(None),
        };
        let wanted = opened.places.keys().chain(others).cloned().collect();
        let mut by_file: BTreeMap<_, _> = files.into_iter().map(|file| (file.file.clone(), file)).collect();
        let mut held = |part: ShardPart| {
            let files = part.files.iter().filter_map(|file| by_file.remove(file)).collect();
            let place = |file: &FileId| Some((file.clone(), opened.places.get(file)?.clone()));
            let places = part.files.iter().filter_map(place).collect();
            HeldPart { part, files, places, from: 0 }
        };
        let own = parts.clone();
        let parts = parts.into_iter().map(&mut held).collect();
        Ok(Some(Self {
            conditions: conditions(&opened, &header, count, &split),
            is_combined: circumstances.combined.is_some(),
            is_resumable: untested > 0 && results.has_plan(name),
            name: name.to_owned(),
            wanted,
            own,
            parts,
            count,
            split,
            header,
            opened,
        }))
    }
}

/// Returns the group of a run of a shard, or of one that was combined from shards.
pub fn group_of(circumstances: &Circumstances) -> Option<&str> {
    let combined = circumstances.combined.as_ref().map(|combined| combined.group.as_str());
    combined.or_else(|| circumstances.shard.as_ref()?.group.as_deref())
}

impl ResultsFolder {
    /// Returns the circumstances of a run, from the first line of its journal; `None` if they are unknown.
    pub fn circumstances_of(&self, name: &str) -> Option<Circumstances> {
        Opened::read(&journal_path(&self.run_path(name))).ok()??.circumstances
    }
}

/// Combines the runs of these groups. The caller should remove the absorbed runs.
///
/// # Errors
///
/// [`FolderError`]; the runs are unchanged then.
pub fn combine(
    results: &ResultsFolder,
    groups: &BTreeSet<String>,
    scope: CombineScope,
) -> Result<Combination, FolderError> {
    let mut done = Combination::default();
    if groups.is_empty() {
        return Ok(done);
    }
    let staging = Staging::new(results)?;
    let mut by_group = BTreeMap::<String, Vec<String>>::new();
    for name in results.runs()? {
        let path = results.run_path(&name);
        // An unreadable run is in no group.
        let Ok(Some(opened)) = Opened::read(&journal_path(&path)) else { continue };
        let group = opened.circumstances.as_ref().and_then(group_of);
        if let Some(group) = group.filter(|group| groups.contains(*group) && !is_running(&path)) {
            by_group.entry(group.to_owned()).or_default().push(name);
        }
    }
    for (group, names) in by_group {
        let mut sets = Vec::<(Conditions, Vec<ShardRun>)>::new();
        for name in names {
            let Some(run) = ShardRun::read(results, &name)? else { continue };
            match sets.iter_mut().find(|(conditions, _)| *conditions == run.conditions) {
                Some((_, runs)) => runs.push(run),
                None => sets.push((run.conditions.clone(), vec![run])),
            }
        }
        for (_, runs) in &mut sets {
            combine_set(&staging, &group, runs, scope, &mut done)?;
        }
        done.findings.extend(apart(&sets));
    }
    Ok(done)
}

/// Combines runs with equal conditions.
fn combine_set(
    staging: &Staging,
    group: &str,
    runs: &mut [ShardRun],
    scope: CombineScope,
    done: &mut Combination,
) -> Result<(), FolderError> {
    // What was combined before comes first, so that it is kept in doubt.
    runs.sort_by_key(|run| (!run.is_combined, run.opened.started));
    let (mut union, mut findings) = (BTreeMap::<u64, HeldPart>::new(), Vec::new());
    for (from, run) in runs.iter_mut().enumerate() {
        for mut part in std::mem::take(&mut run.parts) {
            part.from = from;
            let number = part.part.number;
            let held = match union.remove(&number) {
                Some(held) => later(held, part, run.count, &mut findings),
                None => part,
            };
            union.insert(number, held);
        }
    }
    let Some(run) = union.values().next().map(|first| &runs[first.from]) else { return Ok(()) };
    let known: BTreeSet<_> = union.values().flat_map(|held| &held.part.files).collect();
    let missing_files = run.wanted.iter().filter(|file| !known.contains(file));
    let shards = CombinedShards {
        group: group.to_owned(),
        count: run.count,
        split: run.split.clone(),
        missing_files: missing_files.cloned().collect(),
        parts: union.values().map(|held| held.part.clone()).collect(),
    };
    let is_complete = shards.missing_files.is_empty() && shards.incomplete().is_empty();
    let is_alone = union.len() == 1 && !runs.iter().any(|run| run.is_combined);
    if is_alone && !is_complete && scope == CombineScope::Several {
        return Ok(());
    }
    let is_there = |run: &&ShardRun| run.is_combined && run.own == shards.parts;
    let existing = runs.iter().find(is_there).map(|run| run.name.clone());
    let is_new = existing.is_none();
    let name = match existing {
        Some(name) => name,
        None => place(staging, run, &shards, union, runs)?,
    };
    done.absorbed.extend(absorbed(&name, &shards, runs));
    findings.retain(|finding| is_new || matches!(finding, ShardFinding::Twice { .. }));
    done.findings.extend(findings);
    done.runs.push(CombinedRun { name, shards, is_new });
    Ok(())
}

/// Returns the runs with no result that is in no combined run. An earlier combined run stays if one of its shards was
/// replaced.
fn absorbed(name: &str, shards: &CombinedShards, runs: &[ShardRun]) -> Vec<String> {
    let has = |parts: &[ShardPart], part: &ShardPart| parts.iter().any(|used| used.is_same_run(part));
    let in_result = |run: &&ShardRun| run.own.iter().all(|part| has(&shards.parts, part));
    let earlier: Vec<_> = runs.iter().filter(|run| run.is_combined && !in_result(run)).collect();
    let in_earlier =
        |run: &&ShardRun| earlier.iter().any(|all| run.own.iter().all(|part| has(&all.own, part)));
    let others = runs.iter().filter(|run| run.name != name && !run.is_resumable);
    let absorbed = others.filter(|run| in_result(run) || (!run.is_combined && in_earlier(run)));
    absorbed.map(|run| run.name.clone()).collect()
}

/// Returns the result to use of two results of a shard, the first of which is kept in doubt.
///
/// | the second | used |
/// |---|---|
/// | is the same run | the one with more results |
/// | has another attempt | the later attempt |
/// | has the same known attempt | the first |
/// | has an unknown attempt, too | the one that started later |
fn later(held: HeldPart, other: HeldPart, count: u64, findings: &mut Vec<ShardFinding>) -> HeldPart {
    let (one, two) = (&held.part, &other.part);
    let shard = [one.number, count];
    if one.is_same_run(two) {
        return if other.files.len() > held.files.len() { other } else { held };
    }
    if one.attempt == two.attempt && one.attempt > 0 {
        findings.push(ShardFinding::Twice { shard, used: one.run.clone(), unused: two.run.clone() });
        return held;
    }
    let order = |part: &ShardPart| (part.attempt, part.started);
    let (used, replaced) = if order(two) > order(one) { (other, held) } else { (held, other) };
    let (used_run, replaced) = (used.part.run.clone(), replaced.part.run);
    findings.push(ShardFinding::Replaced { shard, used: used_run, replaced });
    used
}

/// Creates the combined run and returns its name: that of the start of its last shard, behind the shards.
fn place(
    staging: &Staging,
    first: &ShardRun,
    shards: &CombinedShards,
    union: BTreeMap<u64, HeldPart>,
    runs: &[ShardRun],
) -> Result<String, FolderError> {
    let started = union.values().map(|held| held.part.started);
    let (began, last) = (started.clone().min().unwrap_or(0), started.max().unwrap_or(0));
    let hosts: BTreeSet<_> = union.values().map(|held| held.part.host.clone()).collect();
    let circumstances = first.opened.circumstances.clone().unwrap_or_default();
    let circumstances = Circumstances {
        is_part: is_part(&circumstances),
        host: hosts.into_iter().reduce(|_, _| String::new()).unwrap_or_default(),
        shard: None,
        combined: Some(shards.clone()),
        ..circumstances
    };
    let (mut files, mut places) = (Vec::new(), BTreeMap::new());
    for held in union.into_values() {
        files.extend(held.files);
        places.extend(held.places);
    }
    files.sort_by(|a, b| (a.file.path(), &a.shown).cmp(&(b.file.path(), &b.shown)));
    let header = RunHeader { files: first.wanted.len(), ..first.header.clone() };
    // The shards run side by side.
    let elapsed = shards.parts.iter().map(|part| part.elapsed).max().unwrap_or(Duration::ZERO);
    let report = RunReport { header, files, elapsed, end: end_of(shards) };
    let opened =
        Opened { started: began, circumstances: Some(circumstances), places, ..first.opened.clone() };
    // A name that one of these runs has is not used again when it is free: the store may still know it.
    let second = name_of(last);
    let taken =
        runs.iter().filter(|run| run.name.starts_with(&second)).filter_map(|run| number_of(&run.name));
    let taken = taken.max();
    let free = names(&second).filter(|name| number_of(name) > taken);
    staging.place(free, &|name, out| {
        write_whole(out, Opened { run: name.to_owned(), ..opened.clone() }, &report)
    })
}

/// | the shards | end of the run |
/// |---|---|
/// | some are missing | interrupted |
/// | otherwise | that of the shard with the worst end |
fn end_of(shards: &CombinedShards) -> RunEnd {
    let rank = |end: RunEnd| match end {
        RunEnd::Completed => 0,
        RunEnd::EnoughFailed => 1,
        RunEnd::BudgetSpent => 2,
        RunEnd::Interrupted => 3,
    };
    if !shards.missing_files.is_empty() {
        return RunEnd::Interrupted;
    }
    shards.parts.iter().map(|part| part.end).max_by_key(|end| rank(*end)).unwrap_or(RunEnd::Interrupted)
}

/// Finds runs of a group that would complete each other if they had equal conditions.
fn apart(sets: &[(Conditions, Vec<ShardRun>)]) -> Vec<ShardFinding> {
    let mut findings = Vec::new();
    for (at, (one, runs)) in sets.iter().enumerate() {
        for (other, more) in &sets[at + 1..] {
            let differs = one.iter().zip(other).find(|(one, other)| one != other);
            let Some(((condition, here), (_, there))) = differs else { continue };
            let numbers = |runs: &[ShardRun]| -> BTreeSet<u64> {
                runs.iter().flat_map(|run| run.own.iter().map(|part| part.number)).collect()
            };
            let is_disjoint = numbers(runs).is_disjoint(&numbers(more));
            if let (false, true, [first, ..], [second, ..]) =
                (SEPARATE.contains(condition), is_disjoint, &runs[..], &more[..])
            {
                findings.push(ShardFinding::Apart {
                    runs: [first.name.clone(), second.name.clone()],
                    condition,
                    values: [here.clone(), there.clone()],
                });
            }
        }
    }
    findings
}
