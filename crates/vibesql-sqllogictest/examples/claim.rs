//! A process that pulls from a work queue until nothing is left: `claim FOLDER TASKS WORKER`. It prints what it got, a
//! task a line. Any number of these may pull from one queue at once, and each task goes to one of them.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;

use vibesql_sqllogictest::executor::parallel::queue::WorkQueue;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, tasks, worker] = words.as_slice() else {
        return Err("expected FOLDER TASKS WORKER".into());
    };
    let queue = WorkQueue::open(Path::new(folder), tasks.parse()?);
    let worker = worker.parse()?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    while let Some(task) = queue.claim(worker)? {
        writeln!(out, "{task}")?;
    }
    Ok(())
}
