//! What results are grouped by: the engine with its variant.

use crate::sandbox::Sandbox;

/// Passes on `scripted`, and fails on `scripted:odd`.
const BY_VARIANT: &str = "statement ok\nok\n\nquery I nosort\nin odd error no such thing\nrows 1\n----\n1\n";

/// Runs the suite `s` on both variants in turn, `scripted:odd` last.
fn two_variants() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", BY_VARIANT);
    for engine in ["scripted", "scripted:odd", "scripted", "scripted:odd"] {
        sandbox.run(&format!("run --engine {engine} s"));
    }
    sandbox
}

#[test]
fn a_variant_is_an_engine_of_its_own_for_comparisons() {
    let sandbox = two_variants();
    let compared = sandbox.run("compare");
    assert_eq!(compared.code, 0, "{compared}");
    let run = sandbox.run("run --engine scripted --baseline previous s");
    assert_eq!(run.code, 0, "{run}");
    let run = sandbox.run("run --engine scripted:odd --baseline previous s");
    assert_eq!(run.code, 1, "{run}");
    assert!(!run.stdout.contains("REGRESSED"), "{run}");
    let status = sandbox.run("status");
    assert!(!status.stdout.contains("regressed") && !status.stdout.contains("engines"), "{status}");
}

#[test]
fn different_engines_are_compared_if_both_runs_are_named() {
    let sandbox = two_variants();
    let runs = sandbox.all_runs();
    let [first, second] =
        [&runs[0], &runs[1]].map(|run| run.file_name().unwrap().to_str().unwrap().to_owned());
    let compared = sandbox.run(&format!("compare {first} {second}"));
    assert_eq!(compared.code, 4, "{compared}");
    let words = "the runs are on different engines: `scripted` and now `scripted:odd`";
    assert!(compared.stdout.contains(words), "{compared}");
}

#[test]
fn a_variant_makes_no_file_flaky() {
    let sandbox = two_variants();
    for (engine, words) in [("scripted", "0 flaky, 0 broken"), ("scripted:odd", "0 flaky")] {
        let flaky = sandbox.run(&format!("flaky --engine {engine}"));
        assert!(flaky.stdout.contains(words), "{flaky}");
        assert!(flaky.stdout.contains(&format!("in 2 runs on {engine}\n")), "{flaky}");
    }
    let unknown = sandbox.run("flaky --engine scripted:even");
    assert!(unknown.stderr.contains("scripted, scripted:odd"), "{unknown}");
}

#[test]
fn a_variant_has_failures_of_its_own() {
    let sandbox = two_variants();
    let failed = sandbox.run("list --failed --engine scripted s");
    assert_eq!(failed.code, 3, "{failed}");
    let failed = sandbox.run("list --failed --engine scripted:odd s");
    assert_eq!((failed.code, failed.stdout.lines().count()), (0, 1), "{failed}");
}

#[test]
fn a_variant_has_expectations_of_its_own() {
    let sandbox = two_variants();
    let update = sandbox.run("expectations update");
    assert_eq!(update.code, 0, "{update}");
    assert!(sandbox.read("s/expectations.toml").contains("engine = \"scripted:odd\""));
    assert_eq!(sandbox.run("run --engine scripted:odd s").code, 0);
    let run = sandbox.run("run --engine scripted s");
    assert_eq!(run.code, 0, "nothing is expected to fail that passes: {run}");
}

#[test]
fn reports_show_the_variant() {
    let sandbox = two_variants();
    for line in [
        "runs",
        "show last",
        "report --format markdown",
        "report --format html --output -",
        "report --format junit --output -",
        "report --format comment",
        "analyze",
        "report --format summary --output -",
    ] {
        let output = sandbox.run(line);
        assert!(output.stdout.contains("scripted:odd"), "{line}: {output}");
    }
    let json = sandbox.run("report --format json --output -");
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&json["engine"]["name"], &json["engine"]["variant"]), (&"scripted".into(), &"odd".into()));
    let runs = sandbox.run("runs").stdout;
    assert!(runs.contains("scripted 0") && runs.contains("scripted:odd 0"), "{runs}");
}

#[cfg(feature = "store")]
#[test]
fn queries_group_by_variant() {
    let sandbox = two_variants();
    let by_engine = sandbox.run("query --preset by-engine --format csv");
    assert!(by_engine.stdout.contains("scripted,1,2,2,0,"), "{by_engine}");
    assert!(by_engine.stdout.contains("scripted:odd,1,2,0,2,"), "{by_engine}");
    let flaky = sandbox.run("query --preset flakiest --format csv");
    assert!(!flaky.stdout.contains("a.test"), "{flaky}");
    let flaky = sandbox.run("query --preset flaky-tests --format csv");
    assert!(!flaky.stdout.contains("a.test"), "{flaky}");
}
