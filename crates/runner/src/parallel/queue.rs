//! The work queue: files in the run folder from which any number of processes can pull.
//!
//! The list of tasks never changes. A claim is one line of fixed width, appended under the lock of the operating
//! system. So the number of claims follows from the length of the file, and the cost of a claim is constant. Tasks to
//! be repeated are appended to a third file. Nothing is ever rewritten: a process that dies at any point leaves a
//! readable queue.
//!
//! The position of a claim determines its task: first the tasks in order, then the repeated ones. A claim also names
//! the claiming process and worker, which is used only to find the tasks of a dead process.
//!
//! `examples/claim.rs` is a process that pulls from a queue.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// The width of a claim: task, worker and process, and the line end.
const CLAIM_WIDTH: u64 = 32;
/// The width of a repeated task: the task and the line end.
const AGAIN_WIDTH: u64 = 11;

/// A queue in a folder.
#[derive(Debug, Clone)]
pub struct WorkQueue {
    claims: PathBuf,
    again: PathBuf,
    closed: PathBuf,
    tasks: u64,
}

/// A claim of a task by a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The task.
    pub task: usize,
    /// The claiming worker; `None` if a power failure kept the claim's content from reaching the disk, or if the queue
    /// was recreated.
    pub worker: Option<u64>,
}

impl WorkQueue {
    /// Creates the queue of `tasks` tasks in an existing folder.
    ///
    /// # Errors
    ///
    /// Returns the error of the file system.
    pub fn create(folder: &Path, tasks: usize) -> io::Result<Self> {
        let queue = Self::open(folder, tasks);
        File::create(&queue.claims)?;
        File::create(&queue.again)?;
        Ok(queue)
    }

    /// Opens a queue made by [`Self::create`].
    pub fn open(folder: &Path, tasks: usize) -> Self {
        Self {
            claims: folder.join("claims"),
            again: folder.join("again"),
            closed: folder.join("closed"),
            tasks: tasks as u64,
        }
    }

    /// Opens a queue to resume its run: truncates incomplete lines and allows claims again.
    ///
    /// The queue of a run that has ended was removed. It is recreated with all tasks claimed by no worker, so those
    /// without a result are queued again.
    ///
    /// # Errors
    ///
    /// Returns the error of the file system.
    pub fn reopen(folder: &Path, tasks: usize) -> io::Result<Self> {
        let queue = Self::open(folder, tasks);
        if !queue.exists() {
            File::create(&queue.again)?;
            let claims: String = (0..tasks).map(|task| format!("{task:10} {:20}\n", "")).collect();
            std::fs::write(&queue.claims, claims)?;
        }
        let claims = OpenOptions::new().read(true).write(true).open(&queue.claims)?;
        claims.lock()?;
        cut(&claims, CLAIM_WIDTH)?;
        cut(&OpenOptions::new().read(true).write(true).open(&queue.again)?, AGAIN_WIDTH)?;
        match std::fs::remove_file(&queue.closed) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(queue),
        }
    }

    /// Returns whether the queue exists; it is removed when its run ends.
    pub fn exists(&self) -> bool {
        self.claims.exists()
    }

    /// Claims the next task for a worker; `None` when all are claimed.
    ///
    /// # Errors
    ///
    /// Returns the error of the file system.
    pub fn claim(&self, worker: u64) -> io::Result<Option<usize>> {
        let mut claims = OpenOptions::new().append(true).open(&self.claims)?;
        // The OS releases the lock when the process exits.
        claims.lock()?;
        if self.closed.exists() {
            return Ok(None);
        }
        let Some(task) = self.task_of(claims.metadata()?.len() / CLAIM_WIDTH)? else { return Ok(None) };
        let claim = format!("{task:10} {worker:9} {:10}\n", std::process::id());
        claims.write_all(claim.as_bytes())?;
        Ok(Some(task))
    }

    /// Closes the queue: no further task can be claimed.
    ///
    /// # Errors
    ///
    /// Returns the error of the file system.
    pub fn close(&self) -> io::Result<()> {
        File::create(&self.closed).map(drop)
    }

    /// Returns the number of unclaimed tasks.
    ///
    /// # Errors
    ///
    /// Returns the error of the file system.
    pub fn left(&self) -> io::Result<usize> {
        if self.closed.exists() {
            return Ok(0);
        }
        let length = |path: &Path| Ok::<u64, io::Error>(std::fs::metadata(path)?.len());
        let wanted = self.tasks + length(&self.again)? / AGAIN_WIDTH;
        Ok(wanted.saturating_sub(length(&self.claims)? / CLAIM_WIDTH) as usize)
    }

    /// Returns all claims in order.
    ///
    /// # Errors
    ///
    /// Returns the error of the file system.
    pub fn claims(&self) -> io::Result<Vec<Claim>> {
        let text = std::fs::read(&self.claims)?;
        let mut claims = Vec::with_capacity(text.len() / CLAIM_WIDTH as usize);
        for (index, line) in text.chunks_exact(CLAIM_WIDTH as usize).enumerate() {
            let Some(task) = self.task_of(index as u64)? else { break };
            let words = String::from_utf8_lossy(line);
            let worker = words.split_whitespace().nth(1).and_then(|worker| worker.parse().ok());
            claims.push(Claim { task, worker });
        }
        Ok(claims)
    }

    /// Returns the repeated tasks that are unclaimed.
    ///
    /// # Errors
    ///
    /// Returns the error of the file system.
    pub fn waiting_again(&self) -> io::Result<Vec<usize>> {
        let claimed = std::fs::metadata(&self.claims)?.len() / CLAIM_WIDTH;
        let first = claimed.saturating_sub(self.tasks);
        (first..).map_while(|index| self.again_at(index).transpose()).collect()
    }

    /// Queues a task once more.
    ///
    /// # Errors
    ///
    /// Returns the error of the file system.
    pub fn give_again(&self, task: usize) -> io::Result<()> {
        let claims = File::open(&self.claims)?;
        claims.lock()?;
        let mut again = OpenOptions::new().append(true).open(&self.again)?;
        again.write_all(format!("{task:10}\n").as_bytes())?;
        again.sync_data()
    }

    fn task_of(&self, claim: u64) -> io::Result<Option<usize>> {
        match claim.checked_sub(self.tasks) {
            None => Ok(Some(claim as usize)),
            Some(index) => self.again_at(index),
        }
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
        let task = text.trim().parse();
        task.map(Some).map_err(|_| io::Error::other(format!("`{}` is no task of the queue", text.trim())))
    }
}

/// Truncates an incomplete last line.
fn cut(file: &File, width: u64) -> io::Result<()> {
    let length = file.metadata()?.len();
    file.set_len(length - length % width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_have_their_width() {
        let folder = tempfile::tempdir().unwrap();
        let queue = WorkQueue::create(folder.path(), 2).unwrap();
        assert_eq!(queue.left().unwrap(), 2);
        assert_eq!(queue.claim(7).unwrap(), Some(0));
        assert_eq!(std::fs::metadata(&queue.claims).unwrap().len(), CLAIM_WIDTH);
        queue.give_again(0).unwrap();
        assert_eq!(std::fs::metadata(&queue.again).unwrap().len(), AGAIN_WIDTH);
        assert_eq!((queue.left().unwrap(), queue.waiting_again().unwrap()), (2, vec![0]));
        assert_eq!(queue.claim(999_999_999).unwrap(), Some(1));
        assert_eq!(queue.claim(7).unwrap(), Some(0));
        assert_eq!((queue.claim(7).unwrap(), queue.left().unwrap()), (None, 0));
        let claims: Vec<_> =
            queue.claims().unwrap().iter().map(|claim| (claim.task, claim.worker.unwrap())).collect();
        assert_eq!(claims, [(0, 7), (1, 999_999_999), (0, 7)]);
        queue.give_again(1).unwrap();
        queue.close().unwrap();
        assert_eq!((queue.claim(7).unwrap(), queue.left().unwrap()), (None, 0));
        // A power failure during a claim leaves the rest of the queue intact.
        let mut claims = OpenOptions::new().append(true).open(&queue.claims).unwrap();
        claims.write_all(b"     1   ").unwrap();
        let queue = WorkQueue::reopen(folder.path(), 2).unwrap();
        assert_eq!((queue.left().unwrap(), queue.claims().unwrap().len()), (1, 3));
        assert_eq!(queue.claim(8).unwrap(), Some(1));
    }
}
