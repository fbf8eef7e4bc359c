//! What documents of a run cost in which 30,000 records have failed, all of them with details, that passed in the run before:
//! time, and memory besides that of the runs.

use std::time::Duration;

use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher};
use vibesql_sqllogictest::analysis::{Analysis, SourceTexts, TextError, analyze};
use vibesql_sqllogictest::engine::EngineId;
use vibesql_sqllogictest::engine::sqlite::Sqlite;
use vibesql_sqllogictest::executor::{DetailLimits, Options, Selection, run_script};
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::outcome::{FileReport, FlakyResult, RecordId, RunEnd, RunHeader, RunReport};
use vibesql_sqllogictest::parser::{SQLITE, parse};
use vibesql_sqllogictest::regression::compare;
use vibesql_sqllogictest::report::markdown::{self, MarkdownKind};
use vibesql_sqllogictest::report::subject::{Baseline, Subject};
use vibesql_sqllogictest::report::{html, junit};
use vibesql_sqllogictest::results::RunState;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const FILES: usize = 30;
const RECORDS: usize = 1_000;

fn main() {
    divan::main();
}

/// The text of a file; what is expected in it is right or wrong.
fn source(number: usize, right: bool) -> Source {
    let record = |record: usize| {
        let long = "x".repeat(200);
        let expected = if right { record.to_string() } else { "n".to_owned() };
        format!(
            "query TT nosort\nSELECT {record}, '{long}' UNION ALL SELECT 'b', 'c'\n----\n{expected}\n{long}\nb\nc\n\n"
        )
    };
    let text: String = (0..RECORDS).map(record).collect();
    Source::new(format!("folder/{number}.test"), text.into_bytes())
}

fn run(right: bool) -> RunReport {
    let engine = EngineId::new("sqlite", "");
    let options = Options {
        labels: engine.labels.clone(),
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: RECORDS, values: 100 },
    };
    let file = |number| {
        let source = source(number, right);
        run_script(&parse(&source, &SQLITE), &Sqlite, &options, Selection::All)
    };
    let header = RunHeader {
        labels: engine.labels.clone(),
        engine,
        exact: false,
        files: FILES,
        flaky: FlakyResult::Pass,
    };
    let elapsed = Duration::from_secs(60);
    RunReport { header, files: (0..FILES).map(file).collect(), elapsed, end: RunEnd::Completed }
}

/// The texts of the run that fails.
struct Generated;

impl SourceTexts for Generated {
    fn text(&mut self, file: &FileReport) -> Result<Source, TextError> {
        let number = file.file.path().trim_start_matches("folder/").trim_end_matches(".test").parse();
        number.map(|number| source(number, false)).map_err(|_| TextError::Unknown)
    }
}

fn analysis(report: &RunReport) -> Analysis {
    analyze(report, None, &mut Generated)
}

fn with_subject(work: impl FnOnce(&Subject<'_>)) {
    let (before, report) = (run(true), run(false));
    let (diff, analysis) = (compare(&before, &report), analysis(&report));
    let again = |file: &FileReport, record: &RecordId| {
        Some(format!("vibesql-sqllogictest test {}:{record}", file.shown))
    };
    work(&Subject {
        name: "20261122-214410",
        started: 1_795_383_850_000,
        state: RunState::Ended(report.end),
        report: &report,
        untested: &[],
        circumstances: None,
        history: &[],
        analysis: Some(&analysis),
        timings: None,
        baseline: Some(Baseline { name: "20261122-203302", commit: None, diff: &diff }),
        expected: None,
        again: &again,
    });
}

#[divan::bench(name = "analysis")]
fn of_analysis(bencher: Bencher<'_, '_>) {
    let report = run(false);
    bencher.bench_local(|| analysis(&report));
}

#[divan::bench]
fn comparison(bencher: Bencher<'_, '_>) {
    let (before, now) = (run(true), run(false));
    bencher.bench_local(|| compare(&before, &now).files.len());
}

fn measure(bencher: Bencher<'_, '_>, document: impl Fn(&Subject<'_>) -> Vec<u8> + Sync) {
    with_subject(|subject| {
        let size = document(subject).len();
        bencher.counter(BytesCount::new(size)).bench_local(|| document(subject));
    });
}

#[divan::bench]
fn page(bencher: Bencher<'_, '_>) {
    measure(bencher, |subject| {
        let mut out = Vec::new();
        html::write(&mut out, subject).ok();
        out
    });
}

#[divan::bench]
fn junit_by_file(bencher: Bencher<'_, '_>) {
    measure(bencher, |subject| {
        let mut out = Vec::new();
        junit::write(&mut out, subject, 0, junit::UntestedResult::Error).ok();
        out
    });
}

#[divan::bench]
fn junit_by_record(bencher: Bencher<'_, '_>) {
    measure(bencher, |subject| {
        let mut out = Vec::new();
        junit::write(&mut out, subject, RECORDS, junit::UntestedResult::Error).ok();
        out
    });
}

#[divan::bench]
fn comment(bencher: Bencher<'_, '_>) {
    measure(bencher, |subject| markdown::document(subject, MarkdownKind::Comment).into_bytes());
}
