//! `history FOLDER RUNS` fills a results folder with made-up runs up to this number, for `just bench-e2e`.

use std::error::Error;
use std::process::ExitCode;

use vibesql_sqllogictest::results::ResultsFolder;
use vibesql_sqllogictest_bench::history::{FILES, keep};
use vibesql_sqllogictest_bench::print_report;

fn main() -> ExitCode {
    print_report(fill())
}

fn fill() -> Result<String, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [folder, runs] = arguments.as_slice() else {
        return Err("expected FOLDER RUNS".into());
    };
    let results = ResultsFolder::new(folder);
    for run in results.runs()?.len() as u64..runs.parse()? {
        keep(&results, run)?;
    }
    Ok(format!("{runs} runs of {FILES} files"))
}
