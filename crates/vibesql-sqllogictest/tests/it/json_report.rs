//! The JSON report: every field true.

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// A report without what differs from run to run.
fn report(sandbox: &Sandbox, line: &str) -> Value {
    let output = sandbox.run(&format!("{line} --json out.json"));
    assert!(output.code <= 3, "{output}");
    let mut report: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    blank(&mut report, "duration_ms");
    blank(&mut report, "version");
    blank(&mut report, "peak_memory");
    blank(&mut report, "id");
    for times in report["statement_times"].as_array_mut().unwrap() {
        let times = times.as_object_mut().unwrap();
        times.retain(|name, _| !name.ends_with("_ms"));
    }
    report
}

fn blank(value: &mut Value, key: &str) {
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                if name == key { *value = json!("…") } else { blank(value, key) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| blank(item, key)),
        _ => {}
    }
}

#[test]
fn all_fields() {
    let sandbox = Sandbox::new();
    sandbox.write("s/select1.test", "query I nosort\nSELECT 1\n----\n1\n\nskipif sqlite\nhalt\n");
    sandbox.write(
        "s/index/b/c.test",
        "query IT rowsort\nSELECT 1, 'x'\n----\n1\ny\n\nstatement ok\nSELEKT\n\nquery I nosort\nSELECT 1\n\nnonsense\n\nstatement ok\nx\n",
    );
    sandbox.write("s/index/empty.test", "");
    let report = serde_json::to_string_pretty(&report(&sandbox, "run --engine sqlite s")).unwrap();
    insta::assert_snapshot!(report);
}

#[test]
fn every_failing_line_is_there_even_where_details_are_not() {
    let record = "statement ok\nSELEKT\n\n";
    let sandbox = Sandbox::with(&record.repeat(5));
    let report = report(&sandbox, "run --engine sqlite --max-details 2 t.test");
    let file = &report["files"][0];
    let lines: Vec<_> = file["failures"].as_array().unwrap().iter().map(|failure| &failure["line"]).collect();
    assert_eq!(lines, [1, 4, 7, 10, 13]);
    assert_eq!(file["details_omitted"], 3);
    assert_eq!(file["failures"][1]["sql"], "SELEKT");
    assert_eq!(
        file["failures"][2],
        json!({
            "line": 7, "kind": null, "sql": null, "expected": null, "actual": null, "message": null,
            "details_omitted": true,
        })
    );
}

#[test]
fn two_roots_with_one_path_below_them_are_told_apart() {
    let sandbox = Sandbox::new();
    sandbox.write("a/x.test", "statement ok\nSELECT 1\n");
    sandbox.write("b/x.test", "statement ok\nSELECT 1\n");
    let report = report(&sandbox, "run --engine sqlite a b");
    let files: Vec<_> = report["files"].as_array().unwrap().iter().map(|file| &file["file"]).collect();
    assert_eq!(files, ["a/x.test", "b/x.test"]);
}

#[test]
fn json_on_standard_output_is_alone_there() {
    let output = Sandbox::with("statement ok\nSELECT 1\n").run("run --engine sqlite --json - t.test");
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(report["summary"]["records"]["passed"], 1);
    assert!(output.stderr.contains("PASS"), "{output}");
}
