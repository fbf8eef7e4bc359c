//! Processes that help with a run, as its master sees them: each tells what happens to tasks in a file of its berth,
//! and holds a lock as long as it is there. Nothing else is shared, so a helper may be on another machine.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use super::berth::Berth;
use super::crew::TaskNews;
use super::queue::Claim;
use crate::jsonl::Follower;

/// Events of helpers.
pub(super) enum HelperNews {
    /// A helper has joined.
    Came(u64),
    /// It reports an event of a task.
    Task(TaskNews),
    /// It has left without ending these tasks.
    Gone(u64, BTreeSet<usize>),
}

/// All berths of the run but the master's own.
pub(super) struct Helpers {
    run: PathBuf,
    own: u64,
    known: BTreeMap<u64, Helper>,
    looked: bool,
}

struct Helper {
    berth: Berth,
    reports: Option<Follower>,
    held: bool,
    /// Its coming, or that it had been there before, is known.
    announced: bool,
    /// Tasks that it has begun and not ended.
    at: BTreeSet<usize>,
}

impl Helpers {
    pub(super) fn new(run: PathBuf, own: u64) -> Self {
        Self { run, own, known: BTreeMap::new(), looked: false }
    }

    /// Whether one is there.
    pub(super) fn any_here(&self) -> bool {
        self.known.values().any(|helper| helper.held)
    }

    /// Whether one that is there is at a task.
    pub(super) fn any_at_work(&self) -> bool {
        self.known.values().any(|helper| helper.held && !helper.at.is_empty())
    }

    /// Whether the process that has the berth is there. The master itself is.
    pub(super) fn is_held(&self, berth: u64) -> bool {
        berth == self.own || self.known.get(&berth).is_some_and(|helper| helper.held)
    }

    /// Whether the berth is that of this process.
    pub(super) fn is_own(&self, berth: u64) -> bool {
        berth == self.own
    }

    /// Looks for what has happened since the last time. Those that have gone before the first time are not told of,
    /// only what they did.
    pub(super) fn look(&mut self) -> io::Result<Vec<HelperNews>> {
        let mut news = Vec::new();
        let first = !std::mem::replace(&mut self.looked, true);
        for berth in Berth::all(&self.run)? {
            if berth.number == self.own {
                continue;
            }
            // In this order: what it wrote before it went is read after it is seen to be gone.
            let held = berth.is_held();
            let announced = first && !held;
            let new = |berth| Helper { berth, reports: None, held: false, announced, at: BTreeSet::new() };
            let helper = self.known.entry(berth.number).or_insert_with(|| new(berth));
            let before = news.len();
            helper.read(&mut news)?;
            // One that was quick may have come and gone between two looks.
            let told = news.len() > before;
            let came = !helper.announced && (held || told);
            if came {
                helper.announced = true;
                news.insert(before, HelperNews::Came(helper.berth.number));
            }
            if (helper.held || came) && !held {
                news.push(HelperNews::Gone(helper.berth.number, std::mem::take(&mut helper.at)));
            }
            helper.held = held;
        }
        Ok(news)
    }
}

impl Helper {
    fn read(&mut self, news: &mut Vec<HelperNews>) -> io::Result<()> {
        if self.reports.is_none() {
            // It makes the file when it has something to say.
            self.reports = Follower::open(&self.berth.reports()).ok();
        }
        let Some(reports) = &mut self.reports else { return Ok(()) };
        // A damaged line tells nothing: its task will be found without an end.
        for told in reports.more::<TaskNews>()?.into_iter().flatten() {
            match &told {
                TaskNews::Started { task } => {
                    self.at.insert(*task);
                }
                TaskNews::Slow { .. } => {}
                TaskNews::Finished { .. }
                | TaskNews::Stopped { .. }
                | TaskNews::Died { .. }
                | TaskNews::Innocent { .. } => {
                    self.at.remove(&told.task());
                }
            }
            news.push(HelperNews::Task(told));
        }
        Ok(())
    }
}

/// The tasks that somebody claimed who has gone since, and that have neither ended nor been given out again.
pub(super) fn orphans(
    claims: &[Claim],
    waiting: &BTreeSet<usize>,
    is_open: impl Fn(usize) -> bool,
    is_held: impl Fn(u64) -> bool,
) -> Vec<usize> {
    let last: BTreeMap<usize, Option<u64>> = claims.iter().map(|claim| (claim.task, claim.worker)).collect();
    let orphaned = |task: usize, worker: Option<u64>| {
        is_open(task)
            && !waiting.contains(&task)
            && worker.is_none_or(|worker| !is_held(Berth::number_of(worker)))
    };
    last.into_iter().filter(|&(task, worker)| orphaned(task, worker)).map(|(task, _)| task).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tasks_of_the_gone_are_orphans() {
        let claim = |task, worker| Claim { task, worker };
        let worker = |berth| Some(Berth::of("run".as_ref(), berth).worker(3));
        let (first, second) = (worker(0), worker(1));
        let claims = [
            claim(0, first),
            claim(1, second),
            claim(2, first),
            claim(3, None),
            claim(4, first),
            claim(5, first),
            claim(4, second),
        ];
        let found = |held: fn(u64) -> bool| orphans(&claims, &BTreeSet::from([2]), |task| task != 5, held);
        assert_eq!(found(|_| true), [3], "a claim that the power took");
        assert_eq!(found(|berth| berth == 1), [0, 3], "2 is waiting already, 5 has ended, 4 is at another");
        assert_eq!(found(|_| false), [0, 1, 3, 4]);
    }
}
