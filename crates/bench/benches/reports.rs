//! What documents of a run cost in which 30,000 records have failed, all of them with details: time, and memory besides that
//! of the run.

use std::time::Duration;

use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher};
use vibesql_sqllogictest::engine::Engine as _;
use vibesql_sqllogictest::engine::sqlite::Sqlite;
use vibesql_sqllogictest::executor::{DetailLimits, Options, Selection, run_script};
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::outcome::{FileReport, RunEnd, RunHeader, RunReport};
use vibesql_sqllogictest::parser::{SQLITE, parse};
use vibesql_sqllogictest::report::markdown::{self, Form};
use vibesql_sqllogictest::report::subject::{Cluster, Subject};
use vibesql_sqllogictest::report::{html, junit};
use vibesql_sqllogictest::results::RunState;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const FILES: usize = 30;
const RECORDS: usize = 1_000;

fn main() {
    divan::main();
}

fn file(number: usize) -> FileReport {
    let record = |record: usize| {
        let long = "x".repeat(200);
        format!(
            "query TT nosort\nSELECT {record}, '{long}' UNION ALL SELECT 'b', 'c'\n----\nn\n{long}\nb\nc\n\n"
        )
    };
    let text: String = (0..RECORDS).map(record).collect();
    let source = Source::new(format!("folder/{number}.test"), text.into_bytes());
    let options = Options {
        labels: Sqlite.identity().labels,
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: RECORDS, values: 100 },
    };
    run_script(&parse(&source, &SQLITE), &Sqlite, &options, Selection::All)
}

fn run() -> RunReport {
    let engine = Sqlite.identity();
    let header = RunHeader { labels: engine.labels.clone(), engine, exact: false, files: FILES };
    let elapsed = Duration::from_secs(60);
    RunReport { header, files: (0..FILES).map(file).collect(), elapsed, end: RunEnd::Completed }
}

fn with_subject(work: impl FnOnce(&Subject<'_>)) {
    let report = run();
    let again =
        |file: &FileReport, line: u32| Some(format!("vibesql-sqllogictest test {}:{line}", file.shown));
    work(&Subject {
        name: "20261122-214410",
        started: 1_795_383_850_000,
        state: RunState::Ended(report.end),
        report: &report,
        circumstances: None,
        history: &[],
        comparison: None,
        clusters: Cluster::of_groups(&report),
        again: &again,
    });
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
        junit::write(&mut out, subject, 0).ok();
        out
    });
}

#[divan::bench]
fn junit_by_record(bencher: Bencher<'_, '_>) {
    measure(bencher, |subject| {
        let mut out = Vec::new();
        junit::write(&mut out, subject, RECORDS).ok();
        out
    });
}

#[divan::bench]
fn comment(bencher: Bencher<'_, '_>) {
    measure(bencher, |subject| markdown::document(subject, Form::Comment).into_bytes());
}
