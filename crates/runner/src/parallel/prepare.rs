//! Prepares the folder of a run, for a new or a resumed run.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Write as _};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::berth;
use super::error::{RunError, io_error};
use super::ledger::Attempts;
use super::limits::{Limits, Timeouts};
use super::plan::{Origin, WorkItem};
use super::queue::WorkQueue;
use super::wire::{AssignedItem, Assignment, AssignmentError, PROTOCOL, Stamp, Task, WorkKind};
use super::worker::work_item;
use slt_core::engine::{EngineIdentity, EngineRegistry};
use slt_core::executor::Settings;
use slt_core::executor::slice::Slice;
use slt_core::location::path_text;
use slt_core::outcome::{Attempt, FileAttempts, FileReport, RunHeader, RunReport};

/// What a run consists of.
pub struct Plan<'p> {
    /// The files, in the order in which they are taken up.
    pub items: Vec<WorkItem>,
    /// The engine that `settings` name.
    pub engine: EngineIdentity,
    /// How each file is run.
    pub settings: Settings,
    /// What workers may use.
    pub limits: Limits,
    /// How long a file may take.
    pub timeouts: &'p Timeouts,
    /// How many times each file is run.
    pub attempts: Attempts,
    /// What is done with each file.
    pub kind: WorkKind,
    /// How many slices each file is run in; 1 is the whole file. Only a file that may be split, in a run without
    /// repetitions, may have more.
    pub slices: Vec<u32>,
}

/// A run whose folder is ready.
#[derive(Debug)]
pub struct Prepared {
    pub(super) folder: PathBuf,
    pub(super) assignment: Assignment,
    pub(super) items: Vec<WorkItem>,
    pub(super) queue: WorkQueue,
    /// Files that have their report from before, by their number.
    pub(super) done: Vec<(usize, FileReport)>,
    /// Attempts from before at files that have no report, by the number of the file.
    pub(super) attempts: Vec<(usize, Vec<Attempt>)>,
    /// How long it has taken before.
    pub(super) elapsed: Duration,
}

impl Prepared {
    /// Writes into `folder` what the processes of a new run need.
    ///
    /// # Errors
    ///
    /// [`RunError::Io`].
    pub fn new(folder: &Path, plan: Plan<'_>) -> Result<Self, RunError> {
        let Plan { items, engine, settings, limits, timeouts, attempts, kind, mut slices } = plan;
        let assigned: io::Result<_> = items
            .iter()
            .enumerate()
            .map(|(number, item)| assigned(item, number, timeouts.of(item), folder))
            .collect();
        let assigned = assigned.map_err(io_error("keep what was read from a pipe"))?;
        let whole = slices.iter_mut().zip(&items).filter(|(_, item)| !item.left_out.is_empty());
        whole.for_each(|(slices, _)| *slices = 1);
        let (tasks, given) = tasks(&slices, attempts.repeat);
        let protocol = PROTOCOL.to_owned();
        let assignment =
            Assignment { protocol, engine, settings, limits, attempts, kind, items: assigned, tasks, given };
        assignment.write(folder).map_err(io_error("write the list of files"))?;
        let queue = WorkQueue::create(folder, assignment.given);
        let queue = queue.map_err(io_error("make the work queue"))?;
        let folder = folder.to_owned();
        Ok(Self {
            folder,
            assignment,
            items,
            queue,
            done: Vec::new(),
            attempts: Vec::new(),
            elapsed: Duration::ZERO,
        })
    }

    /// Says that the folder of the run has another place now.
    pub fn moved_to(&mut self, folder: &Path) {
        self.queue = WorkQueue::open(folder, self.assignment.given);
        self.folder = folder.to_owned();
    }

    /// Takes up the run in `folder`. `report` has the files that are done, and `attempts` what has happened to others.
    ///
    /// # Errors
    ///
    /// [`RunError`], for instance when the run is of another version of this program or of the engine.
    pub fn resumed(
        folder: &Path,
        report: RunReport,
        attempts: FileAttempts,
        registry: &EngineRegistry,
        embedded: &dyn Fn(&str) -> Option<&'static [u8]>,
    ) -> Result<Self, RunError> {
        let (assignment, items) = read(folder, registry, embedded)?;
        let given = assignment.given;
        let complete = report.files.len() >= items.len();
        // A run that is complete has no queue any more, and needs none.
        let queue =
            if complete { Ok(WorkQueue::open(folder, given)) } else { WorkQueue::reopen(folder, given) };
        let queue = queue.map_err(io_error("open the work queue of the run"))?;
        let numbers: HashMap<_, _> =
            items.iter().enumerate().map(|(number, item)| ((&*item.file, &*item.shown), number)).collect();
        let number_of = |file: &str, shown: &str| numbers.get(&(file, shown)).copied();
        let attempts = attempts.into_iter();
        let attempts =
            attempts.filter_map(|((file, shown), attempts)| Some((number_of(&file, &shown)?, attempts)));
        // Attempts at another text say nothing of this one.
        let attempts = attempts.filter(|(number, _)| !assignment.items[*number].has_changed());
        let elapsed = report.elapsed;
        let done = report
            .files
            .into_iter()
            .filter_map(|report| Some((number_of(&report.file, &report.shown)?, report)));
        let (done, attempts) = (done.collect(), attempts.collect());
        let folder = folder.to_owned();
        Ok(Self { folder, assignment, items, queue, done, attempts, elapsed })
    }

    /// What messages call the files that are no longer as they were when the run began.
    pub fn changed_files(&self) -> Vec<&str> {
        let changed = self.assignment.items.iter().filter(|item| item.has_changed());
        changed.map(|item| item.shown.as_str()).collect()
    }

    /// What is known of the run before it starts.
    pub fn header(&self) -> RunHeader {
        RunHeader {
            engine: self.assignment.engine.clone(),
            labels: self.assignment.settings.options.labels.clone(),
            exact: self.assignment.settings.exact,
            files: self.items.len(),
            flaky: self.assignment.attempts.flaky,
        }
    }

    /// How each file is run.
    pub fn settings(&self) -> &Settings {
        &self.assignment.settings
    }

    /// The files of the run.
    pub fn items(&self) -> &[WorkItem] {
        &self.items
    }

    /// Removes what only the processes of the run needed. What is left tells of it.
    pub fn clear(&self) {
        berth::clear(&self.folder);
    }
}

/// Reads what the run in `folder` is about, for a process that did not begin it.
pub(super) fn read(
    folder: &Path,
    registry: &EngineRegistry,
    embedded: &dyn Fn(&str) -> Option<&'static [u8]>,
) -> Result<(Assignment, Vec<WorkItem>), AssignmentError> {
    let assignment = Assignment::read(folder)?;
    let engine = registry.make(&assignment.settings.engine)?.describe()?;
    if engine != assignment.engine {
        let words = |engine: &EngineIdentity| format!("{} {}", engine.name, engine.version);
        let (expected, found) = (words(&assignment.engine), words(&engine));
        return Err(AssignmentError::OtherEngine { expected, found });
    }
    let items = assignment.items.iter().map(|item| work_item(item, embedded)).collect();
    Ok((assignment, items))
}

/// How long the run in `folder` let a file take; nothing if it had no limit, or nobody knows any more.
pub fn time_limit(folder: &Path, file: &str) -> Option<Duration> {
    let assignment = Assignment::read(folder).ok()?;
    assignment.items.iter().find(|item| item.file == file)?.timeout
}

/// The tasks for files in so many slices each, and how many of them are given out from the beginning.
fn tasks(slices: &[u32], repeat: u32) -> (Vec<Task>, usize) {
    let parts = |item: usize, count: u32| match NonZeroU32::new(count) {
        Some(count) if count.get() > 1 && repeat == 1 => {
            Slice::all(count).map(|slice| Task { item, slice: Some(slice) }).collect()
        }
        _ => vec![Task::whole(item)],
    };
    let once: Vec<_> = slices.iter().enumerate().flat_map(|(item, &count)| parts(item, count)).collect();
    let mut tasks: Vec<_> = (0..repeat).flat_map(|_| once.iter().copied()).collect();
    let given = tasks.len();
    let split: BTreeSet<_> = once.iter().filter(|task| task.slice.is_some()).map(|task| task.item).collect();
    tasks.extend(split.into_iter().map(Task::whole));
    (tasks, given)
}

impl AssignedItem {
    /// Whether the file is no longer as it was when the run began.
    fn has_changed(&self) -> bool {
        let stamp = |path: &String| Stamp::of(&path_text::path(path));
        self.path.as_ref().and_then(stamp) != self.stamp
    }
}

fn assigned(
    item: &WorkItem,
    number: usize,
    timeout: Option<Duration>,
    folder: &Path,
) -> io::Result<AssignedItem> {
    let path = match &item.origin {
        // A path that cannot be made absolute is left as it is, and the file is reported as unreadable.
        Origin::Disk(path) => Some(std::path::absolute(path).unwrap_or_else(|_| path.clone())),
        Origin::Embedded(_) => None,
        Origin::Stream(text) => {
            let name = PathBuf::from(format!("input-{number}.test"));
            keep(text, &folder.join(&name))?;
            // Relative: the folder of a run that starts is renamed.
            Some(name)
        }
    };
    let stamp = path.as_deref().and_then(|path| Stamp::of(&folder.join(path)));
    let (file, shown, left_out) = (item.file.clone(), item.shown.clone(), item.left_out.clone());
    let path = path.as_deref().map(path_text::of);
    Ok(AssignedItem { file, shown, path, timeout, left_out, stamp })
}

/// Keeps what can be read only once, for the workers, and for when the run goes on after a power cut.
fn keep(text: &[u8], path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text)?;
    file.sync_all()
}
