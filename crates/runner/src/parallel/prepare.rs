//! Prepares the folder of a run, for a new or a resumed run.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Write as _};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{RunError, io_error};
use super::limits::{Timeouts, WorkerLimits};
use super::plan::{FileSource, WorkItem};
use super::process_dir;
use super::queue::WorkQueue;
use super::wire::{AssignedItem, Assignment, AssignmentError, Attempts, FileStamp, PROTOCOL, Task, WorkKind};
use super::worker::work_item;
use slt_core::engine::{EngineId, EngineRegistry};
use slt_core::executor::Settings;
use slt_core::executor::slice::Slice;
use slt_core::location::{FileId, path_text};
use slt_core::outcome::{Attempt, FileAttempts, FileReport, RunHeader, RunReport};

/// The contents of a run.
pub struct RunPlan<'p> {
    /// The files, in the order in which they start.
    pub items: Vec<WorkItem>,
    /// The engine that `settings` name.
    pub engine: EngineId,
    /// The settings of each file.
    pub settings: Settings,
    /// The limits of workers.
    pub limits: WorkerLimits,
    /// The time limits of files.
    pub timeouts: &'p Timeouts,
    /// The number of attempts for each file.
    pub attempts: Attempts,
    /// The work to do with each file.
    pub kind: WorkKind,
    /// The number of slices for each file; 1 is the whole file.
    ///
    /// Only a splittable file, in a run without repetitions, may have more.
    pub slices: Vec<u32>,
    /// Whether idle workers may help with running files. Runs with repetitions do not share.
    pub shares: bool,
}

/// A run whose folder is ready.
#[derive(Debug)]
pub struct PreparedRun {
    pub(super) folder: PathBuf,
    pub(super) assignment: Assignment,
    pub(super) items: Vec<WorkItem>,
    pub(super) queue: WorkQueue,
    /// Files with a report from an earlier session, by their number.
    pub(super) done: Vec<(usize, FileReport)>,
    /// Attempts of earlier sessions for files without a report, by the number of the file.
    pub(super) attempts: Vec<(usize, Vec<Attempt>)>,
    /// The time spent in earlier sessions.
    pub(super) elapsed: Duration,
}

impl PreparedRun {
    /// Writes the assignment and the queue of a new run to `folder`.
    ///
    /// # Errors
    ///
    /// [`RunError::Io`].
    pub fn new(folder: &Path, plan: RunPlan<'_>) -> Result<Self, RunError> {
        let RunPlan { items, engine, settings, limits, timeouts, attempts, kind, mut slices, shares } = plan;
        let here = std::env::current_dir().unwrap_or_default();
        let assigned: io::Result<_> = items
            .iter()
            .enumerate()
            .map(|(number, item)| assigned(item, number, timeouts.of(item), folder, &here))
            .collect();
        let assigned = assigned.map_err(io_error("keep what was read from a pipe"))?;
        let whole = slices.iter_mut().zip(&items).filter(|(_, item)| !item.left_out.is_empty());
        whole.for_each(|(slices, _)| *slices = 1);
        let (tasks, given) = tasks(&slices, attempts.repeat);
        let protocol = PROTOCOL.to_owned();
        let shares = shares && attempts.repeat == 1 && matches!(kind, WorkKind::Run);
        let assignment = Assignment {
            protocol,
            engine,
            settings,
            limits,
            attempts,
            kind,
            items: assigned,
            tasks,
            given,
            shares,
        };
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

    /// Changes the path of the run folder, after a rename.
    pub fn moved_to(&mut self, folder: &Path) {
        self.queue = WorkQueue::open(folder, self.assignment.given);
        self.folder = folder.to_owned();
    }

    /// Resumes the run in `folder`.
    ///
    /// `report` has the finished files, and `attempts` the earlier attempts of the others.
    ///
    /// # Errors
    ///
    /// [`RunError`], for instance when the run belongs to another version of this program or of the engine.
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
        // A complete run needs no queue.
        let queue =
            if complete { Ok(WorkQueue::open(folder, given)) } else { WorkQueue::reopen(folder, given) };
        let queue = queue.map_err(io_error("open the work queue of the run"))?;
        let numbers: HashMap<_, _> =
            items.iter().enumerate().map(|(number, item)| (&item.file, number)).collect();
        let number_of = |file: &FileId| numbers.get(file).copied();
        let attempts = attempts.into_iter();
        let attempts = attempts.filter_map(|(file, attempts)| Some((number_of(&file)?, attempts)));
        // Attempts at another text say nothing of this one.
        let attempts = attempts.filter(|(number, _)| !assignment.items[*number].has_changed());
        let elapsed = report.elapsed;
        let done = report.files.into_iter().filter_map(|report| Some((number_of(&report.file)?, report)));
        let (done, attempts) = (done.collect(), attempts.collect());
        let folder = folder.to_owned();
        Ok(Self { folder, assignment, items, queue, done, attempts, elapsed })
    }

    /// Returns the displayed paths of files that have changed since the run began.
    pub fn changed_files(&self) -> Vec<&str> {
        let changed = self.assignment.items.iter().filter(|item| item.has_changed());
        changed.map(|item| item.shown.as_str()).collect()
    }

    /// Returns the header of the run.
    pub fn header(&self) -> RunHeader {
        RunHeader {
            engine: self.assignment.engine.clone(),
            labels: self.assignment.settings.options.labels.clone(),
            exact: self.assignment.settings.exact,
            files: self.items.len(),
            flaky: self.assignment.attempts.flaky,
        }
    }

    /// Returns the settings of each file.
    pub fn settings(&self) -> &Settings {
        &self.assignment.settings
    }

    /// Returns the files of the run.
    pub fn items(&self) -> &[WorkItem] {
        &self.items
    }

    /// Removes the files that only running processes need. The results stay.
    pub fn clear(&self) {
        process_dir::clear(&self.folder);
    }
}

/// Reads the assignment of the run in `folder`, for a process that did not begin it.
pub(super) fn read(
    folder: &Path,
    registry: &EngineRegistry,
    embedded: &dyn Fn(&str) -> Option<&'static [u8]>,
) -> Result<(Assignment, Vec<WorkItem>), AssignmentError> {
    let assignment = Assignment::read(folder)?;
    let engine = registry.make(&assignment.settings.engine)?.describe()?;
    if engine != assignment.engine {
        let (expected, found) = (assignment.engine.to_string(), engine.to_string());
        return Err(AssignmentError::OtherEngine { expected, found });
    }
    let items = assignment.items.iter().map(|item| work_item(item, embedded)).collect();
    Ok((assignment, items))
}

/// Returns the time limit of a file in the run in `folder`; `None` if it had none or it is unknown.
pub fn time_limit(folder: &Path, file: &FileId) -> Option<Duration> {
    let assignment = Assignment::read(folder).ok()?;
    assignment.items.iter().find(|item| item.file == *file)?.timeout
}

/// Returns the tasks for files with these numbers of slices, and the number of tasks that are queued at the start.
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
    /// Returns whether the file has changed since the run began.
    fn has_changed(&self) -> bool {
        let stamp = |path: &String| FileStamp::read(&path_text::path(path));
        self.path.as_ref().and_then(stamp) != self.stamp
    }
}

fn assigned(
    item: &WorkItem,
    number: usize,
    timeout: Option<Duration>,
    folder: &Path,
    here: &Path,
) -> io::Result<AssignedItem> {
    let path = match &item.source {
        // A path that cannot be made absolute stays as it is, and the file is reported as unreadable.
        FileSource::Disk(path) => Some(std::path::absolute(here.join(path)).unwrap_or_else(|_| path.clone())),
        FileSource::Embedded(_) => None,
        FileSource::Stream(text) => {
            let name = PathBuf::from(format!("input-{number}.test"));
            keep(text, &folder.join(&name))?;
            // Relative, because the folder of a starting run is renamed.
            Some(name)
        }
    };
    let stamp = path.as_deref().and_then(|path| FileStamp::read(&folder.join(path)));
    let (file, shown, left_out) = (item.file.clone(), item.shown.clone(), item.left_out.clone());
    let path = path.as_deref().map(path_text::of);
    Ok(AssignedItem { file, shown, path, timeout, left_out, dialect: item.dialect.clone(), stamp })
}

/// Saves text that can be read only once, for the workers and for resuming after a power failure.
fn keep(text: &[u8], path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text)?;
    file.sync_all()
}
