//! Times by kind of statement, from the worker to the documents.

use serde_json::Value;

use crate::sandbox::Sandbox;

const SUITE: &str = "\
statement ok
CREATE TABLE t(a INTEGER)

statement ok
INSERT INTO t VALUES(1)

-- comments are no statements
statement ok
/* a */ insert into t values(2)

query I nosort
SELECT COUNT(*) FROM t
----
2

query I nosort
SELECT 1
----
2

statement ok
SELEKT

skipif sqlite
statement ok
DROP TABLE t
";

fn documents(sandbox: &Sandbox) -> (Value, String) {
    let output = sandbox.run("run --engine sqlite --json out.json s");
    assert_eq!(output.code, 1, "{output}");
    (serde_json::from_str(&sandbox.read("out.json")).unwrap(), sandbox.run("report --format markdown").stdout)
}

#[test]
fn each_executed_record_is_counted_once() {
    let sandbox = Sandbox::new();
    for file in ["a", "b"] {
        sandbox.write(&format!("s/{file}.test"), SUITE.replace("-- comments", "# comments"));
    }
    let (report, markdown) = documents(&sandbox);
    let times = report["statement_times"].as_array().unwrap();
    let mut kinds: Vec<_> = times
        .iter()
        .map(|times| (times["statement_kind"].as_str().unwrap(), times["records"].as_u64().unwrap()))
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [("CREATE TABLE", 2), ("INSERT", 4), ("SELECT", 4), ("other", 2)]);
    let executed = report["summary"]["records"]["executed"].as_u64().unwrap();
    assert_eq!(kinds.iter().map(|(_, records)| records).sum::<u64>(), executed);
    for times in times {
        let of = |name: &str| times[name].as_f64().unwrap();
        let (p50, p95, p99, longest) = (of("p50_ms"), of("p95_ms"), of("p99_ms"), of("max_ms"));
        assert!(0.0 < p50 && p50 <= p95 && p95 <= p99 && p99 <= longest, "{times}");
        // The total is exact, the others are within half a bucket.
        assert!(
            longest <= of("total_ms") * 1.04 && of("total_ms") <= longest * 1.04 * of("records"),
            "{times}"
        );
    }
    assert!(markdown.contains("| statement | records | total | p50 | p95 | p99 | longest |"), "{markdown}");
    assert!(markdown.contains("\n| INSERT | 4 | "), "{markdown}");
    sandbox.run("report --output page.html");
    assert!(sandbox.read("page.html").contains(r#"["INSERT","4","#));
}

#[cfg(feature = "store")]
#[test]
fn the_table_has_the_times_of_the_report() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", SUITE.replace("-- comments", "# comments"));
    let (report, _) = documents(&sandbox);
    let sql = "SELECT * FROM statement_times ORDER BY total_ms DESC, statement_kind";
    let output = crate::sandbox::Output::of(sandbox.command("query --format json").arg(sql));
    let rows: Value = serde_json::from_str(&output.stdout).unwrap();
    let mut rows = rows.as_array().unwrap().clone();
    rows.iter_mut().for_each(|row| drop(row.as_object_mut().unwrap().remove("run_id")));
    let near = |one: &Value, other: &Value| match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() <= one * 1e-9,
        _ => one == other,
    };
    let times = report["statement_times"].as_array().unwrap();
    assert_eq!(rows.len(), times.len());
    for (row, times) in rows.iter().zip(times) {
        let names = times.as_object().unwrap().keys();
        assert!(names.clone().all(|name| near(&row[name], &times[name])), "{row} {times}");
    }
    let preset = sandbox.run("query --preset statement-times");
    assert!(preset.stdout.contains("CREATE TABLE") && preset.code == 0, "{preset}");
}
