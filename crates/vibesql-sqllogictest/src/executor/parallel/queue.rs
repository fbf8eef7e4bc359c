//! The work queue: files in the folder of the run that any number of processes may pull from.
//!
//! The list of files never changes. A claim is one line of fixed width, appended under the lock of the operating
//! system, so how many there are is the length of the file, and a claim costs the same whatever came before. What
//! a dead worker had claimed is given out again by appending to a third file. Nothing is ever rewritten: a process
//! that dies in the midst of it all leaves a queue that can be read.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// The width of a claim: item, worker and process, and the line end.
const CLAIM_WIDTH: u64 = 32;
/// The width of a second chance: the item and the line end.
const AGAIN_WIDTH: u64 = 11;

/// A queue in a folder.
#[derive(Debug, Clone)]
pub(super) struct WorkQueue {
    claims: PathBuf,
    again: PathBuf,
    closed: PathBuf,
    items: u64,
}

impl WorkQueue {
    /// Makes the queue of `items` files in an existing folder.
    pub(super) fn create(folder: &Path, items: usize) -> io::Result<Self> {
        let queue = Self::open(folder, items);
        File::create(&queue.claims)?;
        File::create(&queue.again)?;
        Ok(queue)
    }

    /// Opens a queue that [`Self::create`] has made.
    pub(super) fn open(folder: &Path, items: usize) -> Self {
        Self {
            claims: folder.join("claims"),
            again: folder.join("again"),
            closed: folder.join("closed"),
            items: items as u64,
        }
    }

    /// Claims the next item for a worker; nothing when all are claimed.
    pub(super) fn claim(&self, worker: usize) -> io::Result<Option<usize>> {
        let mut claims = OpenOptions::new().append(true).open(&self.claims)?;
        // Released when the file is closed, by whatever end of the process.
        claims.lock()?;
        if self.closed.exists() {
            return Ok(None);
        }
        let index = claims.metadata()?.len() / CLAIM_WIDTH;
        let item = match index.checked_sub(self.items) {
            None => index as usize,
            Some(second_chance) => match self.again_at(second_chance)? {
                Some(item) => item,
                None => return Ok(None),
            },
        };
        let claim = format!("{item:10} {worker:9} {:10}\n", std::process::id());
        claims.write_all(claim.as_bytes())?;
        claims.sync_data()?;
        Ok(Some(item))
    }

    /// Ends the giving out: there is nothing left to claim from now on.
    pub(super) fn close(&self) -> io::Result<()> {
        File::create(&self.closed).map(drop)
    }

    /// The last item that a worker has claimed.
    pub(super) fn last_claim_of(&self, worker: usize) -> io::Result<Option<usize>> {
        let text = std::fs::read_to_string(&self.claims)?;
        let claims = text.lines().rev().filter_map(|line| {
            let mut words = line.split_whitespace().map(str::parse);
            Some((words.next()?.ok()?, words.next()?.ok()?))
        });
        let mut own = claims.filter(|&(_, claimer): &(usize, usize)| claimer == worker);
        Ok(own.next().map(|(item, _)| item))
    }

    /// Gives an item out once more.
    pub(super) fn give_again(&self, item: usize) -> io::Result<()> {
        let claims = File::open(&self.claims)?;
        claims.lock()?;
        let mut again = OpenOptions::new().append(true).open(&self.again)?;
        again.write_all(format!("{item:10}\n").as_bytes())?;
        again.sync_data()
    }

    fn again_at(&self, index: u64) -> io::Result<Option<usize>> {
        let mut again = File::open(&self.again)?;
        if index >= again.metadata()?.len() / AGAIN_WIDTH {
            return Ok(None);
        }
        again.seek(SeekFrom::Start(index * AGAIN_WIDTH))?;
        let mut line = [0; AGAIN_WIDTH as usize];
        again.read_exact(&mut line)?;
        let text = String::from_utf8_lossy(&line);
        let item = text.trim().parse();
        item.map(Some).map_err(|_| io::Error::other(format!("`{}` is no item of the queue", text.trim())))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn claims_have_their_width() {
        let folder = tempfile::tempdir().unwrap();
        let queue = WorkQueue::create(folder.path(), 2).unwrap();
        assert_eq!(queue.claim(7).unwrap(), Some(0));
        assert_eq!(std::fs::metadata(&queue.claims).unwrap().len(), CLAIM_WIDTH);
        queue.give_again(0).unwrap();
        assert_eq!(std::fs::metadata(&queue.again).unwrap().len(), AGAIN_WIDTH);
        assert_eq!(queue.claim(7).unwrap(), Some(1));
        assert_eq!(queue.claim(7).unwrap(), Some(0));
        assert_eq!(queue.claim(7).unwrap(), None);
        assert_eq!(queue.last_claim_of(7).unwrap(), Some(0));
        assert_eq!(queue.last_claim_of(8).unwrap(), None);
        queue.give_again(1).unwrap();
        queue.close().unwrap();
        assert_eq!(queue.claim(7).unwrap(), None);
    }

    #[test]
    fn many_claimers_get_each_item_once() {
        let folder = tempfile::tempdir().unwrap();
        let queue = WorkQueue::create(folder.path(), 200).unwrap();
        (0..10).for_each(|item| queue.give_again(item).unwrap());
        let claimed: Vec<usize> = std::thread::scope(|scope| {
            let claimers: Vec<_> = (0..4)
                .map(|worker| {
                    let queue = &queue;
                    scope.spawn(move || {
                        std::iter::from_fn(|| queue.claim(worker).unwrap()).collect::<Vec<_>>()
                    })
                })
                .collect();
            claimers.into_iter().flat_map(|claimer| claimer.join().unwrap()).collect()
        });
        let mut times = BTreeMap::<usize, u32>::new();
        claimed.iter().for_each(|item| *times.entry(*item).or_default() += 1);
        assert_eq!(times.len(), 200);
        assert!(times.iter().all(|(item, times)| *times == if *item < 10 { 2 } else { 1 }), "{times:?}");
    }
}
