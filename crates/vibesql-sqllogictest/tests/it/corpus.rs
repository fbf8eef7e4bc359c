//! SQLite's public corpus, where the machine has it.

use crate::support::{run_sqlite, shared};

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
