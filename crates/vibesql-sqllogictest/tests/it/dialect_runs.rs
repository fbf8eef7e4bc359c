//! Includes, loops, shell commands and files in runs: places, counts, permissions.

use serde_json::Value;

use crate::sandbox::Sandbox;

/// The only file of the JSON report of a run.
fn only_file(sandbox: &Sandbox, arguments: &str) -> Value {
    sandbox.run(&format!("run {arguments} --engine sqlite --json report.json"));
    let report: Value = serde_json::from_str(&sandbox.read("report.json")).unwrap();
    let files = report["files"].as_array().unwrap();
    assert_eq!(files.len(), 1, "{report:#}");
    let records = files[0]["records"].clone();
    let sum: u64 =
        ["passed", "failed", "skipped", "unsupported", "timed_out", "malformed", "not_reached", "faulted"]
            .iter()
            .map(|word| records[*word].as_u64().unwrap_or(0))
            .sum();
    assert_eq!(sum, records["total"].as_u64().unwrap(), "{records:#}");
    files[0].clone()
}

#[test]
fn a_failure_in_an_included_file_has_its_place() {
    let sandbox = Sandbox::new();
    sandbox.write("a.slt", "statement ok\nCREATE TABLE t (a)\n\ninclude parts/*.part\n\nquery I\nSELECT count(*) FROM t\n----\n2\n");
    sandbox.write("parts/1.part", "statement ok\nINSERT INTO t VALUES (1)\n\nquery I\nSELECT 1\n----\n2\n");
    sandbox.write("parts/2.part", "statement ok\nINSERT INTO t VALUES (2)\n");
    let file = only_file(&sandbox, "a.slt");
    assert_eq!(file["records"]["passed"], 4, "{file:#}");
    let failure = &file["failures"][0];
    assert_eq!(failure["line"], 4);
    assert!(failure["source"].as_str().unwrap().ends_with("parts/1.part"), "{failure:#}");
}

#[test]
fn an_include_that_cannot_be_read_is_malformed() {
    for (text, message) in
        [("include nothing/*.part\n", "no file matches"), ("include a.slt\n", "includes itself")]
    {
        let sandbox = Sandbox::new();
        sandbox.write("a.slt", format!("{text}\nquery I\nSELECT 1\n----\n1\n"));
        let file = only_file(&sandbox, "a.slt");
        assert_eq!(
            (&file["records"]["malformed"], &file["records"]["passed"]),
            (&1.into(), &1.into()),
            "{file:#}"
        );
        let found = file["failures"][0]["message"].as_str().unwrap();
        assert!(found.contains(message), "{found}");
    }
}

#[test]
fn an_include_from_outside_of_the_suite_needs_permission() {
    let outside = Sandbox::new();
    outside.write("part", "query I\nSELECT 1\n----\n2\n");
    let sandbox = Sandbox::new();
    let include = format!("include {}\n", outside.path().join("part").display());
    sandbox.write("a.slt", format!("{include}\nquery I\nSELECT 1\n----\n1\n"));
    // The runner of the dialect ends at the first failure.
    for (arguments, passed) in [("a.slt", 1), ("--exact a.slt", 0)] {
        let file = only_file(&sandbox, arguments);
        let counts = (&file["records"]["unsupported"], &file["records"]["passed"], &file["status"]);
        assert_eq!(counts, (&1.into(), &passed.into(), &"failed".into()), "{file:#}");
        assert_eq!(file["failures"][0]["kind"], "not_allowed");
        let message = file["failures"][0]["message"].as_str().unwrap();
        assert!(message.ends_with("--allow-outside allows such paths"), "{message}");
    }
    let file = only_file(&sandbox, "--allow-outside a.slt");
    assert_eq!((&file["records"]["failed"], &file["records"]["passed"]), (&1.into(), &1.into()), "{file:#}");
}

#[test]
fn what_passes_only_within_the_tolerance_is_counted_and_listed() {
    let sandbox = Sandbox::new();
    let query = |value: &str| format!("query R\nSELECT 3.14\n----\n{value}\n\n");
    sandbox.write("a.test", [query("3.14"), query("3.15"), query("4")].concat());
    let out = sandbox.run("run a.test --dialect duckdb --engine sqlite --json report.json");
    let told = "also: 1 record that passed only within the tolerance of the dialect: a.test:6";
    assert!(out.stdout.lines().any(|line| line == told), "{}", out.stdout);
    assert!(out.stdout.contains("2 of 3 records passed (1 only within a tolerance)"), "{}", out.stdout);
    let report: Value = serde_json::from_str(&sandbox.read("report.json")).unwrap();
    assert_eq!(report["summary"]["within_tolerance"], 1);
}

#[test]
fn shell_commands_need_permission() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "a.slt",
        "system ok\necho made > made.txt; echo done\n----\ndone\n\n\nquery I\nSELECT 1\n----\n1\n",
    );
    let file = only_file(&sandbox, "a.slt");
    let failure = &file["failures"][0];
    assert_eq!(
        (&failure["kind"], &file["records"]["passed"]),
        (&"not_allowed".into(), &1.into()),
        "{file:#}"
    );
    assert!(failure["message"].as_str().unwrap().contains("--allow-shell"), "{failure:#}");
    assert!(!sandbox.path().join("made.txt").exists());
    let file = only_file(&sandbox, "a.slt --allow-shell");
    assert_eq!(file["status"], "passed", "{file:#}");
    assert_eq!(sandbox.read("made.txt"), "made\n");
}

#[test]
fn files_outside_of_the_suite_need_permission() {
    let outside = tempfile::tempdir().unwrap();
    let path = outside.path().join("values.csv");
    std::fs::write(&path, "a\n1\n").unwrap();
    let sandbox = Sandbox::new();
    sandbox.write(
        "a.test",
        format!("# slt-dialect: duckdb\n\nquery I\nSELECT 1\n----\n<FILE>:{}\n", path.display()),
    );
    let file = only_file(&sandbox, "a.test");
    assert_eq!(file["failures"][0]["kind"], "not_allowed", "{file:#}");
    let file = only_file(&sandbox, "a.test --allow-outside");
    assert_eq!(file["status"], "passed", "{file:#}");
    // A link in the suite leads out of it as well.
    std::os::unix::fs::symlink(outside.path(), sandbox.path().join("link")).unwrap();
    sandbox.write("a.test", "# slt-dialect: duckdb\n\nquery I\nSELECT 1\n----\n<FILE>:link/values.csv\n");
    let file = only_file(&sandbox, "a.test");
    assert_eq!(file["failures"][0]["kind"], "not_allowed", "{file:#}");
}

#[test]
fn each_iteration_of_a_loop_has_its_outcomes() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "a.test",
        "# slt-dialect: duckdb\n\nloop i 0 3\n\nforeach word a b\n\nquery T\nSELECT '{i}{word}'\n----\n1a\n\nendloop\n\nendloop\n",
    );
    let file = only_file(&sandbox, "a.test");
    assert_eq!((&file["records"]["total"], &file["records"]["passed"]), (&6.into(), &1.into()), "{file:#}");
    let places: Vec<_> =
        file["failures"].as_array().unwrap().iter().map(|failure| failure["iteration"].clone()).collect();
    assert_eq!(places, ["i=0, word=a", "i=0, word=b", "i=1, word=b", "i=2, word=a", "i=2, word=b"]);
    // One line names the record in all of its iterations.
    let output = sandbox.run("test a.test:7 --engine sqlite");
    assert_eq!(output.code, 1, "{output}");
    assert!(output.stdout.contains("a.test:7 (i=2, word=b)"), "{output}");
}

#[test]
fn a_missing_requirement_skips_the_rest_of_the_file() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "a.test",
        "# slt-dialect: duckdb\n\nquery I\nSELECT 1\n----\n1\n\nrequire no_such_extension\n\nquery I\nSELECT 1\n----\n2\n",
    );
    let file = only_file(&sandbox, "a.test");
    assert_eq!((&file["records"]["passed"], &file["records"]["skipped"]), (&1.into(), &1.into()), "{file:#}");
    assert_eq!(file["status"], "empty", "{file:#}");
}
