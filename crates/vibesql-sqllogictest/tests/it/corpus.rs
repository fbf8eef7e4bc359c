//! SQLite's public corpus, where the machine has it.

use serde_json::Value;

use vibesql_sqllogictest::outcome::Problem;

use crate::sandbox::Sandbox;
use crate::support::{run_sqlite, shared, without_measurements};

#[test]
fn the_number_of_workers_changes_no_report() {
    let sandbox = Sandbox::new();
    // Elsewhere than on developers' machines the shipped suite stands in.
    let path = shared().map_or_else(String::new, |shared| shared.join("corpus/sqlite").display().to_string());
    let report = |workers: u32| {
        let line = format!("run --engine sqlite --json out.json --shard 1/4 -q -j {workers} {path}");
        let output = sandbox.run(&line);
        // One record of the corpus is right only by a hole of the reference.
        assert!(output.code <= 1, "{output}");
        let mut report: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
        without_measurements(&mut report);
        report.to_string()
    };
    let one = report(1);
    assert_eq!(one, report(2));
    assert_eq!(one, report(8));
}

#[test]
fn sqlite_passes_its_own_corpus_with_the_reference_s_counts_but_for_one_record() {
    // The corpus is far too big to ship; elsewhere than on developers' machines the shipped suite stands in.
    let Some(shared) = shared() else { return };
    let table = std::fs::read_to_string(shared.join("corpus/expected.tsv")).unwrap();
    let (mut files, mut failures) = (0, Vec::new());
    for line in table.lines().skip(1) {
        let cells: Vec<_> = line.split('\t').collect();
        let text = std::fs::read(shared.join("corpus/sqlite").join(cells[0])).unwrap();
        // The copies have no names, so that no verdict can depend on one.
        for exact in [false, true] {
            if exact && !cells[0].starts_with("evidence") {
                continue;
            }
            let report = run_sqlite("copy.test", &text, exact);
            let counts = report.counts;
            let found = [counts.total, counts.executed, counts.skipped];
            let expected: Vec<u64> = cells[1..4].iter().map(|cell| cell.parse().unwrap()).collect();
            assert_eq!(found.as_slice(), expected, "{}: {counts:?}", cells[0]);
            assert_eq!(cells[4], "0", "the reference has an error in {}", cells[0]);
            assert!(!exact || counts.not_passed() == 0, "{}: {:#?}", cells[0], report.failures);
            assert!(report.details_omitted() == 0);
            failures.extend(report.failures);
        }
        files += 1;
    }
    assert!(files > 80, "{files} files");
    // It expects no rows of a sum that overflows, since the reference takes the error for the end of the rows.
    let [failure] = failures.as_slice() else { panic!("{failures:#?}") };
    let failure = failure.detailed().unwrap();
    assert_eq!((failure.header, failure.sql), ("query R nosort", "SELECT sum(x) FROM t1"));
    let Problem::UnexpectedError { error, after_rows: true } = failure.problem else {
        panic!("{failure:#?}")
    };
    assert_eq!(error.message, "integer overflow");
}
