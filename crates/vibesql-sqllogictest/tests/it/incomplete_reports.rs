//! Every report of a run with untested files says so.

use serde_json::Value;

use crate::reports_page::data_of;
use crate::sandbox::Sandbox;

const GOOD: &str = "statement ok\nok\n";
const BAD: &str = "statement ok\nerror bad\n";

/// A run that ends after the first of six files.
fn incomplete() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", BAD);
    for name in ["b", "c", "joins/d", "joins/e", "joins/f"] {
        sandbox.write(&format!("s/{name}.test"), GOOD);
    }
    sandbox.run("run --engine scripted --serial --order path --fail-fast s");
    sandbox
}

#[test]
fn each_untested_file_is_an_error_in_junit_or_skipped_on_demand() {
    let sandbox = incomplete();
    let junit = sandbox.run("report --format junit").stdout;
    assert!(junit.contains(r#"tests="6" failures="1" errors="5""#), "{junit}");
    let case = r#"<testcase name="joins/d.test" classname="joins" time="0.000">
      <error type="untested" message="INCOMPLETE: 5 files untested (enough failed)"></error>"#;
    assert!(junit.contains(case), "{junit}");
    assert_eq!(junit.matches(r#"type="untested""#).count(), 5, "{junit}");
    let junit = sandbox.run("report --format junit --untested skipped").stdout;
    assert!(junit.contains(r#"tests="6" failures="1" errors="0""#), "{junit}");
    assert_eq!(junit.matches(r#"<skipped type="untested""#).count(), 5, "{junit}");
    // By record as well.
    let junit = sandbox.run("report --format junit --junit-records 3").stdout;
    assert_eq!(junit.matches(r#"<error type="untested""#).count(), 5, "{junit}");
}

#[test]
fn every_report_says_incomplete_and_names_untested_files() {
    let sandbox = incomplete();
    for format in ["github", "summary", "comment", "markdown"] {
        let text = sandbox.run(&format!("report --format {format}")).stdout;
        assert!(
            text.contains("INCOMPLETE: 5 files untested")
                || text.contains("INCOMPLETE&#58; 5 files untested"),
            "{format}: {text}"
        );
        assert!(text.contains("joins/f.test"), "{format}: {text}");
    }
    let github = sandbox.run("report --format github").stdout;
    assert!(github.starts_with("::warning title=SQLLogicTest INCOMPLETE::INCOMPLETE: 5 files untested (enough failed)%0Ab.test%0A"), "{github}");
    let badge: Value = serde_json::from_str(&sandbox.run("report --format badge").stdout).unwrap();
    assert_eq!(badge["message"], "INCOMPLETE: 0.00 % of 1 of 6 files");
    let json: Value = serde_json::from_str(&sandbox.run("report --format json").stdout).unwrap();
    assert_eq!(json["summary"]["untested_files"], 5);
    assert_eq!(json["summary"]["verdict"], "INCOMPLETE");
    assert_eq!(json["untested"].as_array().unwrap().len(), 5);
    sandbox.run("report");
    let data = data_of(&sandbox.read("sqllogictest-report.html"));
    assert_eq!(data["run"]["untested"], 5);
    assert_eq!(data["run"]["untested_files"][4], "joins/f.test");
    assert!(data["run"]["sentence"].as_str().unwrap().contains("INCOMPLETE: 5 files untested"), "{data}");
    let analysis = sandbox.run("analyze").stdout;
    assert!(analysis.contains("INCOMPLETE: 5 files untested"), "{analysis}");
}
