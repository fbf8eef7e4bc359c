//! Claims a second from one work queue: by one process, and by sixteen at once. Each process is this program once more.
#![expect(clippy::print_stdout, reason = "what a benchmark is for")]

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use vibesql_sqllogictest::executor::parallel::queue::WorkQueue;

const TASKS: usize = 100_000;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, folder, worker] = words.as_slice()
        && word == "claim"
    {
        let queue = WorkQueue::open(Path::new(folder), TASKS);
        let worker = worker.parse()?;
        while queue.claim(worker)?.is_some() {}
        return Ok(());
    }
    println!("{TASKS} tasks, median of {ROUNDS} rounds");
    for processes in [1, 2, 16] {
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            rates.push(round(processes)?);
        }
        rates.sort_by(f64::total_cmp);
        println!("{processes:2} processes: {:8.0} claims/s", rates[ROUNDS / 2]);
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn round(processes: usize) -> Result<f64, Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("queue-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let queue = WorkQueue::create(&folder, TASKS)?;
    let start = Instant::now();
    let program = std::env::current_exe()?;
    let claim =
        |worker: usize| Command::new(&program).arg("claim").arg(&folder).arg(worker.to_string()).spawn();
    let children: Vec<_> = (0..processes).map(claim).collect::<Result<_, _>>()?;
    for mut child in children {
        if !child.wait()?.success() {
            return Err("a process failed".into());
        }
    }
    let elapsed = start.elapsed();
    if queue.claims()?.len() != TASKS {
        return Err("a task was claimed twice, or not at all".into());
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(TASKS as f64 / elapsed.as_secs_f64())
}
