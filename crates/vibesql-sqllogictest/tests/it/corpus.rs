//! SQLite's public corpus, where the machine has it.

use serde_json::Value;

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
        assert_eq!(output.code, 0, "{output}");
        let mut report: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
        without_measurements(&mut report);
        report.to_string()
    };
    let one = report(1);
    assert_eq!(one, report(2));
    assert_eq!(one, report(8));
}

#[test]
fn sqlite_passes_its_own_corpus_with_the_reference_s_counts() {
    // The corpus is far too big to ship; elsewhere than on developers' machines the shipped suite stands in.
    let Some(shared) = shared() else { return };
    let table = std::fs::read_to_string(shared.join("corpus/expected.tsv")).unwrap();
    let mut files = 0;
    for line in table.lines().skip(1) {
        let cells: Vec<_> = line.split('\t').collect();
        let text = std::fs::read(shared.join("corpus/sqlite").join(cells[0])).unwrap();
        // The one file that needs the reference's hole, or the strict rules' word for it, is run by both.
        for exact in [false, true] {
            if exact && !cells[0].starts_with("evidence") {
                continue;
            }
            let report = run_sqlite(cells[0], &text, exact);
            let counts = report.counts;
            let found = [counts.total, counts.executed, counts.skipped, counts.not_passed()];
            let expected: Vec<u64> = cells[1..].iter().map(|cell| cell.parse().unwrap()).collect();
            assert_eq!(found.as_slice(), expected, "{}: {counts:?}", cells[0]);
            assert_eq!(report.status().word(), "passed", "{}", cells[0]);
        }
        files += 1;
    }
    assert!(files > 80, "{files} files");
}
