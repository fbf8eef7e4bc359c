//! The suite that the program ships.

use crate::support::{manifest, run_sqlite, test_files};

#[test]
fn sqlite_passes_the_shipped_suite() {
    let files = test_files(&manifest().join("suites"));
    let mut records = 0;
    for path in &files {
        let name = path.display().to_string();
        for exact in [false, true] {
            let report = run_sqlite(&name, &std::fs::read(path).unwrap(), exact);
            assert_eq!(report.status().word(), "passed", "{name}: {:#?}", report.failures);
            assert!(report.lints.is_empty(), "{name}: {:?}", report.lints);
            assert!(report.counts.add_up(), "{name}");
            if !exact {
                records += report.counts.total;
            }
        }
    }
    assert!(files.len() >= 40, "{} files", files.len());
    assert!(records >= 3000, "{records} records");
}
