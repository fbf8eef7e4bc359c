//! The laws of the executor: every record ends in one outcome, and the account says so.

use slt_core::executor::diff::diff_rows;
use slt_core::executor::{DetailLimits, Options, Selection, run_script, unhash};
use slt_core::location::Source;
use slt_core::outcome::{FileEnd, FileReport};
use slt_core::parser::{Script, parse};

use crate::engine::{Echo, LABEL};
use crate::text::PROFILES;

/// Small, so that few records are enough to go beyond them.
const LIMITS: DetailLimits = DetailLimits { records: 3, values: 5 };

/// How many records of a script are also run alone; each such run starts from the top.
const ALONE: usize = 4;

/// Runs `bytes` as a script by both profiles of SQLite's dialect and holds the reports against the laws.
pub fn check(bytes: &[u8]) {
    let source = Source::new("fuzz.test", bytes);
    let engine = Echo { turn: 0 };
    for profile in PROFILES[0] {
        let script = parse(&source, profile);
        for threshold in [None, Some(2)] {
            let labels = vec![LABEL.to_owned()];
            let options = Options { labels, threshold, record_timeout: None, details: LIMITS };
            let report = run_script(&script, &engine, &options, Selection::All);
            check_whole(&script, &report);
            assert_eq!(report, run_script(&script, &engine, &options, Selection::All), "not repeatable");
            check_details(report, &script, &options);
        }
        check_alone(&script, &engine);
    }
}

fn check_whole(script: &Script<'_>, report: &FileReport) {
    let counts = report.counts;
    check_account(report);
    assert_eq!(counts.total, script.total(), "records without an outcome, or with two: {counts:?}");
    let detailed = report.failures.iter().take_while(|record| record.detail.is_some()).count();
    assert_eq!(detailed, report.failures.len().min(LIMITS.records));
    assert_eq!(report.details_omitted(), (report.failures.len() - detailed) as u64);
    assert!(counts.pass_rate().is_none_or(|rate| (0.0..=1.0).contains(&rate)));
    assert!(report.setup_failures.is_empty());
    if report.end == FileEnd::Completed {
        assert_eq!(counts.not_reached, 0, "{counts:?}");
    }
    for failing in &report.failures {
        assert!(script.record_at(failing.id.line).is_some_and(|record| failing.id.is_on(record.line)));
    }
}

fn check_account(report: &FileReport) {
    let counts = report.counts;
    assert!(counts.add_up(), "{counts:?}");
    assert_eq!(report.failures.len() as u64, counts.not_passed(), "{counts:?}");
    assert!(report.failures.is_sorted_by(|a, b| a.id < b.id), "{:?}", report.failures);
    assert!(counts.passed <= counts.executed && counts.executed <= counts.total, "{counts:?}");
    assert_eq!(counts.timed_out, 0, "{counts:?}");
}

/// What is shown of a failing record must be had without a panic as well.
fn check_details(mut report: FileReport, script: &Script<'_>, options: &Options) {
    unhash(&mut report, script, &Echo { turn: 1 }, options);
    for detail in report.details() {
        assert!(!detail.header.contains('\n'), "{}", detail.header);
        let Some(rows) = detail.unhashed else { continue };
        let (expected, actual) = (&rows.expected.values, &rows.actual.values);
        let shown: usize = diff_rows(expected, actual, 2).iter().map(|row| row.values.len()).sum();
        assert!(shown >= expected.len().max(actual.len()));
    }
}

fn check_alone(script: &Script<'_>, engine: &Echo) {
    let options = Options { labels: Vec::new(), threshold: None, record_timeout: None, details: LIMITS };
    for record in script.records().take(ALONE) {
        let report = run_script(script, engine, &options, Selection::Only(record.line));
        check_account(&report);
        assert!(report.counts.total <= u64::from(record.is_counted()), "{:?}", report.counts);
        assert!(report.failures.iter().all(|failing| failing.id.is_on(record.line)));
    }
}
