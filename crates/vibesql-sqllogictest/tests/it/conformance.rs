//! The mini-cases whose verdicts were taken from the running reference runner.

use std::collections::HashMap;

use crate::support::{manifest, run_sqlite};

struct Case {
    verdict: String,
    tests: u64,
    skipped: u64,
}

/// The rows of a tab-separated table by their first column.
fn table(name: &str, verdict: usize, tests: usize) -> HashMap<String, Case> {
    let path = manifest().join("tests/fixtures/conformance").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let cells: Vec<_> = line.split('\t').collect();
        let number = |column: usize| cells[column].parse().unwrap();
        let case =
            Case { verdict: cells[verdict].to_owned(), tests: number(tests), skipped: number(tests + 1) };
        (cells[0].to_owned(), case)
    });
    rows.collect()
}

fn check(id: &str, exact: bool, expected: &Case) {
    let path = manifest().join(format!("tests/fixtures/conformance/{id}.test"));
    let report = run_sqlite(id, &std::fs::read(path).unwrap(), exact);
    assert!(report.counts.add_up(), "{id}: {:?}", report.counts);
    let found = (report.status().word(), report.counts.executed, report.counts.skipped);
    assert_eq!(found, (expected.verdict.as_str(), expected.tests, expected.skipped), "{id}: {report:#?}");
}

/// The reference calls a file without tests passed; the word for it here is empty, even with its holes.
fn reference_status(case: &Case) -> &'static str {
    match (case.verdict.as_str(), case.tests) {
        ("PASS", 0) => "empty",
        ("PASS", _) => "passed",
        ("FAIL", _) => "failed",
        (other, _) => panic!("unknown verdict {other}"),
    }
}

#[test]
fn exact_gives_the_verdicts_of_the_reference() {
    let cases = table("expected.tsv", 1, 3);
    assert!(cases.len() >= 60, "{} cases", cases.len());
    for (id, case) in cases {
        check(&id, true, &Case { verdict: reference_status(&case).to_owned(), ..case });
    }
}

#[test]
fn strict_differs_only_where_it_says() {
    let strict = table("strict.tsv", 1, 2);
    let reference = table("expected.tsv", 1, 3);
    for id in strict.keys() {
        assert!(reference.contains_key(id), "{id} is no case");
    }
    for (id, case) in reference {
        match strict.get(&id) {
            Some(case) => check(&id, false, case),
            None => check(&id, false, &Case { verdict: reference_status(&case).to_owned(), ..case }),
        }
    }
}
