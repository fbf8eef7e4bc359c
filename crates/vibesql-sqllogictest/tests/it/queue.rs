//! The work queue under many processes.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use vibesql_sqllogictest::executor::parallel::queue::WorkQueue;

/// The example that claims; cargo builds examples with the tests.
fn claimer() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("examples/claim");
    assert!(program.exists(), "`cargo test` without --test builds it, or `cargo build --example claim`");
    program
}

#[test]
fn sixteen_processes_get_each_of_100_000_tasks_once() {
    const TASKS: usize = 100_000;
    let folder = tempfile::tempdir().unwrap();
    let queue = WorkQueue::create(folder.path(), TASKS).unwrap();
    let processes: Vec<_> = (0..16)
        .map(|worker: u32| {
            let mut command = Command::new(claimer());
            command.arg(folder.path()).arg(TASKS.to_string()).arg(worker.to_string());
            command.stdout(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut times = vec![0_u32; TASKS];
    for process in processes {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success());
        let claimed = String::from_utf8(output.stdout).unwrap();
        claimed.lines().for_each(|task| times[task.parse::<usize>().unwrap()] += 1);
    }
    assert!(times.iter().all(|&times| times == 1));
    assert_eq!((queue.left().unwrap(), queue.claims().unwrap().len()), (0, TASKS));
}
