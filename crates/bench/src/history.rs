//! A long history of made-up runs, with failures that stay, come and go as real ones do.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use vibesql_sqllogictest::engine::{EngineId, SqlError};
use vibesql_sqllogictest::executor::{DetailLimits, Options, Permissions, Settings};
use vibesql_sqllogictest::outcome::{
    Counts, Excerpt, FailingRecord, FailureDetail, FailureGroup, FileEnd, FileReport, FlakyResult, Mismatch,
    Problem, RecordId, RecordKey, RunEnd, RunHeader, RunReport, SlowRecord,
};
use vibesql_sqllogictest::results::{Circumstances, Commit, Opened, ResultsFolder};

/// The files of a run.
pub const FILES: u64 = 622;
/// The records of a file.
const RECORDS: u64 = 9_500;
/// The failing records of a failing file: about 28,000 in all when the history begins.
const FAILING: u64 = 70;
/// Failing records with details.
const DETAILS: u64 = 10;

/// A number that looks random, and is the same each time.
fn mixed(words: [u64; 3]) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for word in words {
        state = (state ^ word).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state ^= state >> 29;
        state = state.wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 32;
    }
    state
}

fn name(file: u64) -> String {
    match file % 5 {
        0 => {
            format!("index/between/{}/slt_good_{file}.test", 10_u64.pow(u32::try_from(file % 4).unwrap_or(0)))
        }
        1 => format!("index/commute/{}/slt_good_{file}.test", 10 * (1 + file % 3)),
        2 => format!("random/expr/slt_good_{file}.test"),
        3 => format!("random/aggregates/slt_good_{file}.test"),
        _ => format!("evidence/slt_lang_{file}.test"),
    }
}

/// Keeps the run of this number: one each hour.
///
/// # Errors
///
/// When the results folder cannot be written.
pub fn keep(results: &ResultsFolder, run: u64) -> Result<(), Box<dyn Error>> {
    let started = 1_760_000_000_000 + i64::try_from(run)? * 3_600_000;
    let engine = EngineId { labels: vec!["sqlite".to_owned()], ..EngineId::new("vibesql", "0.2.0") };
    let files: Vec<_> = (0..FILES).map(|file| report(run, file, started)).collect();
    let options = Options {
        labels: engine.labels.clone(),
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: usize::try_from(DETAILS)?, values: 64 },
    };
    let settings = Settings {
        engine: "vibesql".to_owned(),
        options,
        dialect: None,
        exact: false,
        permissions: Permissions::default(),
    };
    let circumstances = Circumstances {
        host: "bench".to_owned(),
        system: "Linux".to_owned(),
        cpus: 2,
        workers: 2,
        // A commit is tested twice.
        commit: Some(Commit {
            hash: format!("{:040x}", mixed([run / 2, 0, 0])),
            branch: Some("main".to_owned()),
            dirty: false,
        }),
        ..Circumstances::default()
    };
    let places: BTreeMap<_, _> = files
        .iter()
        .map(|file| (file.file.clone(), PathBuf::from("/suite").join(file.file.path())))
        .collect();
    let command = vec!["vibesql-sqllogictest".to_owned(), "run".to_owned(), "/suite".to_owned()];
    let opened = Opened::new("", started, command, "/project".into(), settings, circumstances, places);
    let header = RunHeader {
        labels: engine.labels.clone(),
        engine,
        exact: false,
        files: files.len(),
        flaky: FlakyResult::Pass,
    };
    let elapsed = Duration::from_secs(300);
    results.keep(&opened, &RunReport { header, files, elapsed, end: RunEnd::Completed })?;
    Ok(())
}

/// Most files pass or fail as they did before; the number of failing ones goes down, some flip for a run or two.
fn report(run: u64, file: u64, started: i64) -> FileReport {
    let chance = mixed([file, 1, 0]) % 1000;
    let limit = 650_u64.saturating_sub(run / 2).max(150);
    let flips = mixed([run, file, 2]).is_multiple_of(400);
    let failing = (chance < limit) != flips;
    let mut report = FileReport::new(&name(file), FileEnd::Completed);
    let milliseconds = 50 + mixed([file, 3, 0]) % 900;
    report.elapsed = Duration::from_millis(milliseconds * (90 + mixed([run, file, 4]) % 20) / 100);
    report.engine_time = Some(report.elapsed * 9 / 10);
    report.peak_memory = Some((60 << 20) + mixed([run, file, 5]) % (40 << 20));
    report.finished = Some(started + i64::try_from(file * 480).unwrap_or(0));
    report.slowest = (0..3)
        .map(|place: u32| SlowRecord {
            id: RecordId::at(100 * place + 7),
            elapsed: report.elapsed / (place + 4),
            sql: format!("SELECT a, b, c FROM tab{place} WHERE a BETWEEN {file} AND {}", file + 10),
        })
        .collect();
    report.counts = Counts { total: RECORDS, executed: RECORDS, passed: RECORDS, ..Counts::default() };
    if failing {
        fail(&mut report, file);
    }
    report
}

fn fail(report: &mut FileReport, file: u64) {
    let kinds = ["no such function: _", "Column '_' not found", "Parse error: expected _ at #"];
    report.counts.passed -= FAILING;
    report.counts.failed += FAILING;
    report.groups = (0..3_u32)
        .map(|place| FailureGroup {
            kind: if place == 0 { "rows_differ" } else { "unexpected_error" }.to_owned(),
            what: if place == 0 { "form of a number" } else { kinds[place as usize] }.to_owned(),
            records: (0..FAILING).filter(|number| number % 3 == u64::from(place)).count() as u64,
            first: RecordId::at(11 + place * 9),
        })
        .collect();
    for number in 0..FAILING {
        let line = u32::try_from(11 + number * 9).unwrap_or(u32::MAX);
        let group = u32::try_from(number % 3).unwrap_or(0);
        let detail = (number < DETAILS).then(|| Box::new(detail(file, number, group)));
        let (id, key) = (RecordId::at(line), Some(RecordKey(mixed([file, number, 6]))));
        report.failures.push(FailingRecord { id, key, group: Some(group), detail });
    }
}

fn detail(file: u64, number: u64, group: u32) -> FailureDetail {
    let values = |ending: &str| Excerpt {
        values: (0..12).map(|value| format!("{}{ending}", mixed([file, number, value]) % 10_000)).collect(),
        ..Excerpt::default()
    };
    let problem = if group == 0 {
        Problem::Mismatch(Mismatch::Rows { expected: values(".000"), actual: values(""), columns: 3 })
    } else {
        let error = SqlError::new(format!("Column 'col{}' not found", mixed([file, number, 7]) % 9));
        Problem::UnexpectedError { error, after_rows: false }
    };
    FailureDetail {
        header: "query III rowsort".to_owned(),
        sql: format!(
            "SELECT pk, col0, col{} FROM tab{} WHERE (col3 > {number} AND col0 <= {file}) OR col4 IN (1, 2)",
            number % 5,
            file % 4
        ),
        problem,
        unhashed: None,
    }
}
