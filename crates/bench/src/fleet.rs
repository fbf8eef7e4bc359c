//! Simulates runs on many workers from recorded times.

use std::collections::VecDeque;
use std::time::Duration;

use vibesql_sqllogictest::executor::parallel::schedule::{RunningWork, work_to_share};

/// A file of a simulated run.
#[derive(Debug, Clone, Copy)]
pub struct SimulatedFile {
    /// The duration of the whole file.
    pub duration: Duration,
    /// The part of it that every slice and every helper repeats.
    pub set_up: Duration,
    /// The number of slices; 0 counts as 1.
    pub slices: u32,
    /// Whether idle workers may help with it.
    pub may_share: bool,
}

/// The interval at which the orchestrator looks for files to share.
const TICK: f64 = 0.05;
/// The time from the decision to the first statement of a helper.
const START: f64 = 0.1;
/// The records of a file, of which each is taken to last equally long.
const RECORDS: f64 = 1e6;

/// A task on one or more workers, in seconds.
struct RunningTask {
    set_up: f64,
    /// The time that its queries take in all, and the part of it that is left.
    work: f64,
    left: f64,
    may_share: bool,
    /// When each of its workers begins with queries.
    ready: Vec<f64>,
}

impl RunningTask {
    fn new(file: &SimulatedFile, now: f64) -> Self {
        let set_up = file.set_up.min(file.duration);
        let work = ((file.duration - set_up) / file.slices.max(1)).as_secs_f64();
        let set_up = set_up.as_secs_f64();
        let may_share = file.may_share && file.slices < 2;
        Self { set_up, work, left: work, may_share, ready: vec![now + set_up] }
    }

    /// Returns the number of workers that execute queries.
    fn at_work(&self, now: f64) -> usize {
        self.ready.iter().filter(|ready| **ready <= now).count()
    }

    /// Returns the next moment at which something changes.
    fn next(&self, now: f64) -> f64 {
        let ready = self.ready.iter().copied().filter(|ready| *ready > now).fold(f64::INFINITY, f64::min);
        match self.at_work(now) {
            0 => ready,
            workers => ready.min(now + self.left / workers as f64),
        }
    }

    fn to_share(&self, now: f64) -> RunningWork {
        let spent: f64 = self.ready.iter().map(|ready| (now - ready).max(0.0)).sum();
        let left = if self.may_share { self.left / self.work.max(1e-9) * RECORDS } else { 0.0 };
        RunningWork {
            set_up: Duration::from_secs_f64(self.set_up),
            spent: Duration::from_secs_f64(spent),
            settled: (RECORDS - left) as u64,
            left: left as u64,
            workers: self.ready.len() as u32,
        }
    }
}

/// Returns the duration of a run that gives each slice, in this order, to the first free worker; idle workers help where
/// they may.
pub fn makespan(files: &[SimulatedFile], workers: usize) -> Duration {
    let slices = files.iter().flat_map(|file| std::iter::repeat_n(file, file.slices.max(1) as usize));
    let mut queue: VecDeque<_> = slices.collect();
    let mut running: Vec<RunningTask> = Vec::new();
    let mut idle = workers.max(1);
    let mut now = 0.0;
    loop {
        while idle > 0
            && let Some(file) = queue.pop_front()
        {
            running.push(RunningTask::new(file, now));
            idle -= 1;
        }
        if running.is_empty() {
            return Duration::from_secs_f64(now);
        }
        while idle > 0 {
            let work: Vec<_> = running.iter().map(|task| task.to_share(now)).collect();
            let Some(chosen) = work_to_share(&work) else { break };
            let set_up = running[chosen].set_up;
            running[chosen].ready.push(now + START + set_up);
            idle -= 1;
        }
        let mut then = running.iter().map(|task| task.next(now)).fold(f64::INFINITY, f64::min);
        if idle > 0 && running.iter().any(|task| task.may_share) {
            then = then.min(now + TICK);
        }
        for task in &mut running {
            task.left -= (then - now) * task.at_work(now) as f64;
        }
        now = then;
        running.retain(|task| {
            let has_ended = task.left <= 1e-9 && task.at_work(now) > 0;
            idle += if has_ended { task.ready.len() } else { 0 };
            !has_ended
        });
    }
}
