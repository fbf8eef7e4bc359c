//! Each file of `tests/sql` is a test: `cargo test`, `cargo test joins`, `cargo nextest run`.
//!
//! Copy this file, replace `ENGINE`, and add to Cargo.toml what the Cargo.toml of this example has. `SQL_TESTS=FOLDER`
//! runs the files of another folder.
//!
//! Files are executed in this process: an engine that hangs stops the tests, and one that crashes ends them. Under
//! `cargo nextest run`, each file has a process of its own, with the time limit of nextest's configuration.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use slt_core::engine::Engine as _;
use slt_core::executor::{DetailLimits, Options, Selection, run_script};
use slt_core::location::Source;
use slt_core::outcome::{FileReport, FileStatus};
use slt_core::parser::{choose, parse};
use slt_runner::text::{detail::write_failure, file::account, style::plain};
use walkdir::WalkDir;

/// The engine under test.
const ENGINE: slt_sqlite::Sqlite = slt_sqlite::Sqlite;

/// Runs the tests that the arguments select.
pub fn main() -> Result<ExitCode, walkdir::Error> {
    let arguments = Arguments::from_args();
    let trials = trials(&folder())?;
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

fn folder() -> PathBuf {
    let other = std::env::var_os("SQL_TESTS").map(PathBuf::from);
    other.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql"))
}

/// Returns a test for each file of a folder, named by its path in the folder.
fn trials(folder: &Path) -> walkdir::Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let path = entry?.into_path();
        if path.extension().is_some_and(|extension| extension == "test" || extension == "slt") {
            let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
            trials.push(Trial::ignorable_test(name.clone(), move || execute(&name, &path)));
        }
    }
    Ok(trials)
}

/// Executes a file. A file of which nothing was executed has not passed: it is ignored.
fn execute(name: &str, path: &Path) -> Result<Completion, Failed> {
    let source = Source::new(name, std::fs::read(path)?);
    let script = parse(&source, choose(&source, None, false)?.profile);
    let options = Options {
        labels: ENGINE.describe()?.labels,
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 20, values: 200 },
    };
    let report = run_script(&script, &ENGINE, &options, Selection::All);
    match report.status() {
        FileStatus::Passed => Ok(Completion::Completed),
        FileStatus::Empty => Ok(Completion::ignored_with(account(&report))),
        _ => Err(failures(&report)?.into()),
    }
}

/// Returns the failing records as `run` and `test` show them.
fn failures(report: &FileReport) -> Result<String, std::fmt::Error> {
    let again = format!("cargo test --test sql -- --exact '{}'", report.shown);
    let mut text = String::new();
    for detail in report.details() {
        write_failure(&mut text, report, detail, &again)?;
    }
    Ok(plain(&format!("{text}{}: {}", report.shown, account(report))))
}
