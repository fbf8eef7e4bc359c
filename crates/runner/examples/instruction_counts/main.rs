//! Counts the instructions of the hot paths, and compares them with a recorded baseline.
//!
//! * `cargo run --example instruction_counts` counts and compares; a path that needs 5 % more instructions than the
//!   baseline is a failure.
//! * `cargo run --example instruction_counts -- --accept` records the counts as the new baseline.
//!
//! Counts do not depend on the load of the machine, as times do. The program starts itself under valgrind's callgrind,
//! which counts only while [`counted`] is executing, and writes a file when it ends. So neither the start of the program nor
//! the preparation of a case counts. The cases (`cases`) have fixed inputs, and are built with the profile of daily work.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "shows what has been counted")]

mod baseline;
mod cases;
mod engine;

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};

use self::baseline::{CountVerdict, RecordedCounts};
use self::cases::CountedCase;

const USAGE: &str = "usage: cargo run --example instruction_counts [-- --accept]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [] => compare(),
        ["--accept"] => accept(),
        ["execute"] => execute().map(|()| ExitCode::SUCCESS),
        _ => Err(USAGE.into()),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

/// Executes all cases, each twice: the first time does what happens only once, as choosing the instructions of the processor.
fn execute() -> Result<(), Box<dyn Error>> {
    for case in cases::all()? {
        let run = &*case.run;
        run().and_then(|()| counted(run)).map_err(|error| format!("{}: {error}", case.name))?;
    }
    Ok(())
}

/// Executes a case; callgrind counts only the instructions of this function.
#[inline(never)]
fn counted(run: &dyn Fn() -> Result<(), String>) -> Result<(), String> {
    std::hint::black_box(run())
}

fn compare() -> Result<ExitCode, Box<dyn Error>> {
    let baseline = RecordedCounts::read()?;
    let counts = count()?;
    let mut failures = 0;
    for comparison in baseline.compare(&counts) {
        println!("{comparison}");
        failures += u32::from(comparison.verdict() == CountVerdict::Fail);
    }
    if failures == 0 {
        println!("{} paths are within {} % of their baseline", counts.len(), baseline::TOLERANCE_PERCENT);
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("error: {failures} of {} paths differ from their baseline", counts.len());
    eprintln!(
        "hint: if that is intended, record the new counts with `just counts --accept` (cargo run --example instruction_counts -- --accept)"
    );
    Ok(ExitCode::FAILURE)
}

fn accept() -> Result<ExitCode, Box<dyn Error>> {
    let counts = count()?;
    baseline::write(&counts)?;
    println!("recorded the counts of {} paths", counts.len());
    Ok(ExitCode::SUCCESS)
}

/// Returns the name of each case and its instructions.
fn count() -> Result<Vec<(&'static str, u64)>, Box<dyn Error>> {
    let names: Vec<&'static str> = cases::all()?.iter().map(|CountedCase { name, .. }| *name).collect();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("counts");
    let output = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--toggle-collect=*::counted", "--dump-after=*::counted"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(std::env::current_exe()?)
        .arg("execute")
        .output()
        .map_err(|error| format!("cannot start `valgrind`: {error}; install the package `valgrind`"))?;
    if !output.status.success() {
        return Err(format!("the cases have failed:\n{}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let mut counts = Vec::new();
    for (index, name) in names.iter().enumerate() {
        counts.push((*name, instructions(&folder.path().join(format!("counts.{}", index + 1)))?));
    }
    Ok(counts)
}

/// Reads the sum that a file of callgrind ends with.
fn instructions(file: &Path) -> Result<u64, Box<dyn Error>> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("callgrind has not counted a case: {error}"))?;
    let total =
        text.lines().find_map(|line| line.strip_prefix("totals: ")).and_then(|total| total.parse().ok());
    total.filter(|total| *total > 0).ok_or_else(|| "callgrind has counted nothing".into())
}
