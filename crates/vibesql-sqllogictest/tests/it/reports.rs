//! `report`: documents about runs.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Value, json};

use crate::reports_page::data_of;
use crate::sandbox::{Output, Sandbox};

const GOOD: &str = "statement ok\nok\n\nquery I nosort\nrows 1\n----\n1\n";
const BAD: &str = "statement ok\nok\n\nquery II nosort\nrows 1 2 / 3 4 / 5 6\n----\n1\n2\n3\n7\n5\n6\n\nstatement ok\nerror no such column: b1\n";
/// The same records, and all of them pass.
const SOUND: &str = "statement ok\nok\n\nquery II nosort\nrows 1 2 / 3 4 / 5 6\n----\n1\n2\n3\n4\n5\n6\n\nstatement error\nerror no such column: b1\n";
const SKIPPED: &str = "skipif scripted\nstatement ok\nok\n";
const CRASH: &str = "statement ok\nok\n\nstatement ok\npanic over\n\nstatement ok\nok\n";

/// Two runs: the second mends a file and breaks one; one crashes, one is empty.
pub(crate) fn two_runs() -> Sandbox {
    let sandbox = Sandbox::new();
    for (file, text) in
        [("a", SOUND), ("joins/b", BAD), ("joins/c", GOOD), ("joins/crash", CRASH), ("skipped", SKIPPED)]
    {
        sandbox.write(&format!("s/{file}.test"), text);
    }
    sandbox.run("run --engine scripted s");
    sandbox.write("s/a.test", BAD);
    sandbox.write("s/joins/b.test", SOUND);
    sandbox.run("run --engine scripted s");
    sandbox
}

/// Without what differs from run to run.
fn masked(sandbox: &Sandbox, text: &str) -> String {
    let mut text = sandbox.without_names(text);
    for run in sandbox.all_runs() {
        text = text.replace(run.file_name().unwrap().to_str().unwrap(), "[run]");
    }
    for attribute in ["time", "timestamp", "hostname"] {
        let begin = format!(" {attribute}=\"");
        let parts: Vec<_> = text.split(&begin).collect();
        let rest = parts[1..]
            .iter()
            .map(|part| format!("{begin}[{attribute}]\"{}", part.split_once('"').unwrap().1));
        text = parts[0].to_owned() + &rest.collect::<String>();
    }
    let seconds = |line: &str| {
        let words: Vec<_> = line.split(' ').collect();
        let is_time = |at: usize| {
            words.get(at + 1).is_some_and(|next| next.trim_end_matches('.') == "s")
                && words[at].parse::<f64>().is_ok()
        };
        let words = (0..words.len()).map(|at| if is_time(at) { "[time]" } else { words[at] });
        words.collect::<Vec<_>>().join(" ").trim_end().to_owned()
    };
    let mut lines: Vec<_> = text.lines().map(seconds).collect();
    // What is slowest is another file each time.
    if let Some(slowest) = lines.iter().position(|line| line == "### Slowest files") {
        let rows = &mut lines[slowest + 4..];
        let end = rows.iter().position(String::is_empty).unwrap_or(rows.len());
        rows[..end].sort_unstable();
    }
    // Of times by kind of statement only the number of records is the same each time.
    if let Some(times) = lines.iter().position(|line| line.starts_with("### Time in the engine")) {
        for line in lines[times + 4..].iter_mut().take_while(|line| line.starts_with('|')) {
            let columns: Vec<_> = line.split('|').take(3).collect();
            *line = format!("{}| [times] |", columns.join("|"));
        }
    }
    lines.join("\n")
}

pub(crate) fn report(sandbox: &Sandbox, words: &str) -> String {
    let output = sandbox.run(&format!("report {words}"));
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{output}");
    output.stdout
}

#[test]
fn junit_by_file() {
    let sandbox = two_runs();
    assert_snapshot!(masked(&sandbox, &report(&sandbox, "--format junit")));
}

#[test]
fn junit_by_record_has_one_case_for_the_rest() {
    let sandbox = two_runs();
    let text = report(&sandbox, "--format junit --junit-records 1");
    assert_snapshot!(masked(&sandbox, &text));
    check_schema(&text);
}

type Words = &'static [&'static str];

/// What Jenkins' `junit-10.xsd` allows: for an element, those it may be in, its attributes, and which of them it must have.
const SCHEMA: &[(&str, Words, Words, Words)] = &[
    ("testsuites", &[""], &["name", "time", "tests", "failures", "errors"], &[]),
    (
        "testsuite",
        &["testsuites"],
        &["name", "tests", "failures", "errors", "time", "skipped", "timestamp", "hostname"],
        &["name", "tests", "failures", "errors"],
    ),
    ("properties", &["testsuite"], &[], &[]),
    ("property", &["properties"], &["name", "value"], &["name", "value"]),
    ("testcase", &["testsuite"], &["name", "time", "classname"], &["name"]),
    ("failure", &["testcase"], &["type", "message"], &[]),
    ("error", &["testcase"], &["type", "message"], &[]),
    ("skipped", &["testcase"], &["type", "message"], &[]),
    ("flakyFailure", &["testcase"], &["type", "message"], &["type"]),
    ("rerunFailure", &["testcase"], &["type", "message"], &["type"]),
    ("system-err", &["testcase"], &[], &[]),
];

/// Reads a document and holds it against the schema, and its sums against its cases.
fn check_schema(text: &str) {
    let mut reader = Reader::from_str(text);
    let mut open = vec![String::new()];
    let mut sums = BTreeMap::<&str, u64>::new();
    let mut said = BTreeMap::<String, u64>::new();
    loop {
        let event = reader.read_event().unwrap();
        let is_empty = matches!(event, Event::Empty(_));
        match event {
            Event::Start(element) | Event::Empty(element) => {
                let name = element.name().as_ref().to_owned();
                let (name, parents, allowed, needed) =
                    *SCHEMA.iter().find(|(known, ..)| *known == name).unwrap_or_else(|| panic!("{name}"));
                assert!(parents.contains(&open.last().unwrap().as_str()), "{name} in {open:?}");
                let attributes: BTreeMap<_, _> = element
                    .attributes()
                    .map(|attribute| attribute.unwrap())
                    .map(|one| (one.key.as_ref().to_owned(), one.value.clone().into_owned()))
                    .collect();
                assert!(
                    attributes.keys().all(|key| allowed.contains(&key.as_str())),
                    "{name}: {attributes:?}"
                );
                assert!(needed.iter().all(|key| attributes.contains_key(*key)), "{name}: {attributes:?}");
                if let Some(time) = attributes.get("time") {
                    assert!(time.split_once('.').is_some_and(|(_, digits)| digits.len() == 3), "{time}");
                }
                *sums.entry(name).or_default() += 1;
                if name == "testsuite" {
                    for (key, value) in &attributes {
                        *said.entry(key.clone()).or_default() += value.parse::<u64>().unwrap_or(0);
                    }
                }
                if !is_empty {
                    open.push(name.to_owned());
                }
            }
            Event::End(_) => drop(open.pop()),
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(open, [""]);
    for (what, element) in
        [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]
    {
        assert_eq!(said.get(what).copied().unwrap_or(0), sums.get(element).copied().unwrap_or(0), "{what}");
    }
}

#[test]
fn junit_is_read_back() {
    let sandbox = two_runs();
    // A flaky file, and texts that XML cannot have.
    let odd = "query T nosort\nrows \u{1}\u{b}\u{7f}<a_href=\"x\">&amp;]]>\n----\nx\n";
    sandbox.write("s/odd \"<&>\u{2028}.test", odd);
    sandbox.run("run --engine scripted s");
    let expected = statuses(&sandbox);
    let text = report(&sandbox, "--format junit --output ./junit.xml");
    assert!(text.starts_with("./junit.xml, "), "{text}");
    check_schema(&sandbox.read("junit.xml"));
    let output = sandbox.run("store import junit.xml");
    assert_eq!((output.code, output.stderr.contains("note: junit.xml")), (0, false), "{output}");
    let read = statuses(&sandbox);
    assert_eq!(read, expected);
    let shown = sandbox.run("show last a.test").stdout;
    assert!(shown.contains("no such column: b1"), "{shown}");
}

/// How each file of the last run ended.
fn statuses(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let text = report(sandbox, "--format json");
    let json: Value = serde_json::from_str(&text).unwrap();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    json["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (word(&file["file"]), word(&file["status"])))
        .collect()
}

#[test]
fn annotations_are_at_the_lines_of_the_repository() {
    let sandbox = two_runs();
    sandbox.git(&["init", "-q"]);
    assert_snapshot!(report(&sandbox, "--format github"));
    assert_snapshot!(report(&sandbox, "--format github --annotations 1"), @"
    ::error file=s/a.test,line=4,title=values differ (6 expected%2C 6 found)::s/a.test:4%0Arows 1 2 / 3 4 / 5 6%0A  1 | 2%0A- 3 | 7%0A+ 3 | 4%0A  5 | 6%0Aagain: vibesql-sqllogictest test --engine scripted s/a.test:4
    ::notice title=SQLLogicTest::and 2 more failures without an annotation
    ");
}

#[test]
fn annotations_are_below_the_folder_that_github_has_checked_out() {
    let sandbox = two_runs();
    let mut command = sandbox.command("report --format github --annotations 1");
    command.env("GITHUB_WORKSPACE", sandbox.path().join("s"));
    let output = Output::of(&mut command);
    assert!(output.stdout.starts_with("::error file=a.test,line=4,"), "{output}");
    // Elsewhere no file of the repository is meant.
    let output = Output::of(sandbox.command("report --format github").env("GITHUB_WORKSPACE", "/nowhere"));
    assert!(output.stdout.starts_with("::error title="), "{output}");
}

#[test]
fn the_summary_of_a_step_is_appended() {
    let sandbox = two_runs();
    sandbox.write("summary.md", "# Build\n");
    let mut command = sandbox.command("report --format github");
    command.env("GITHUB_STEP_SUMMARY", sandbox.path().join("summary.md"));
    assert_eq!(Output::of(&mut command).code, 0);
    let written = sandbox.read("summary.md");
    let summary = written.strip_prefix("# Build\n").unwrap();
    assert_eq!(summary, report(&sandbox, "--format summary"));
    assert_snapshot!(masked(&sandbox, summary));
    let mut command = sandbox.command("report --format github");
    let output = Output::of(command.env("GITHUB_STEP_SUMMARY", sandbox.path().join("no/summary.md")));
    assert_eq!((output.code, output.stderr.contains("cannot write")), (2, true), "{output}");
}

#[test]
fn the_comment_has_a_mark_and_the_document_everything() {
    let sandbox = two_runs();
    let comment = report(&sandbox, "--format comment");
    assert!(comment.starts_with("<!-- vibesql-sqllogictest -->\n## SQLLogicTest: "), "{comment}");
    assert!(
        comment.contains("Records: **2 regressed**, 2 fixed, 1 still failing, 5 still passing."),
        "{comment}"
    );
    assert_snapshot!(masked(&sandbox, &report(&sandbox, "--format markdown")));
}

/// The clusters of a document are those of `analyze`, each failing record is in one of them, and the counts add up.
#[test]
fn clusters_are_those_of_the_analysis() {
    let sandbox = two_runs();
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let analysis = json(&sandbox.run("analyze --format json").stdout);
    let data = data_of(&report(&sandbox, "--output -"));
    let clusters = data["causes"]["clusters"].as_array().unwrap();
    let names = [
        ("title", "title"),
        ("kind", "kind"),
        ("features", "features"),
        ("records", "records"),
        ("consequences", "consequences"),
        ("alone", "files_alone"),
        ("green", "green_after"),
        ("fingerprint", "fingerprint"),
    ];
    let expected = analysis["clusters"].as_array().unwrap();
    assert_eq!((clusters.len(), expected.len()), (3, 3));
    let comment = report(&sandbox, "--format comment");
    for (one, other) in clusters.iter().zip(expected) {
        names.iter().for_each(|(here, there)| assert_eq!(one[here], other[there], "{here}"));
        assert_eq!(one["files"], other["files"].as_array().unwrap().len());
        assert_eq!(one["example"]["sql"], other["example"]["sql"]);
        assert_eq!(one["example"]["again"], other["example"]["command"]);
        for word in ["title", "fingerprint"] {
            assert!(comment.contains(one[word].as_str().unwrap()), "{word}: {comment}");
        }
    }
    let files = data["files"].as_array().unwrap();
    for (place, cluster) in clusters.iter().enumerate() {
        let own = files.iter().flat_map(|file| file["g"].as_array().into_iter().flatten());
        let records: u64 = own.filter(|one| one[0] == place).map(|one| one[1].as_u64().unwrap()).sum();
        assert_eq!(cluster["records"], records, "of the files");
        let failures = files.iter().flat_map(|file| file["f"].as_array().into_iter().flatten());
        assert_eq!(cluster["records"], failures.filter(|one| one["c"] == place).count(), "of the records");
    }
    let all: u64 = clusters.iter().map(|cluster| cluster["records"].as_u64().unwrap()).sum();
    assert_eq!(data["records"]["failing"], all);
}

/// The comparison of a document is that of `compare`.
#[test]
fn a_baseline_is_named_as_in_compare() {
    let sandbox = two_runs();
    sandbox.run("run --engine scripted s");
    let first = sandbox.all_runs()[0].file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(sandbox.run(&format!("store export --run {first} --output first.run.zst")).code, 0);
    let since = |words: &str| data_of(&report(&sandbox, &format!("--output - {words}")))["since"].clone();
    for word in [first.as_str(), "first.run.zst"] {
        let since = since(&format!("--baseline {word}"));
        let compared = sandbox.run(&format!("compare {word} --format json"));
        let compared: Value = serde_json::from_str(&compared.stdout).unwrap();
        let sums: Vec<_> = since["sums"].as_array().unwrap().iter().map(|sum| (&sum[0], &sum[2])).collect();
        let expected = [
            (&compared["records"]["regressed"], "regressed"),
            (&compared["records"]["fixed"], "fixed"),
            (&compared["records"]["still_failing"], "still failing"),
            (&compared["records"]["still_passing"], "still passing"),
        ];
        let expected: Vec<_> =
            expected.into_iter().map(|(count, words)| (count, Value::from(words))).collect();
        assert_eq!(sums, expected.iter().map(|(count, words)| (*count, words)).collect::<Vec<_>>());
        let titles: Vec<_> =
            since["kinds"].as_array().unwrap().iter().map(|kind| kind["title"].as_str().unwrap()).collect();
        assert_eq!(titles, ["regressed files", "regressed records", "fixed files", "fixed records"]);
        assert_eq!(since["kinds"][1]["places"][0]["n"], "a.test");
        assert_eq!(since["kinds"][1]["places"][0]["l"], 4);
    }
    // By default it is the run before.
    assert_eq!(since("")["kinds"], json!([]));
    sandbox.write("s/joins/c.test", CRASH);
    sandbox.run("run --engine scripted s");
    let sums = since("")["sums"].as_array().unwrap().clone();
    assert!(sums.contains(&json!([1, "worse", "file ends by CRASH and did not"])), "{sums:?}");
    assert_snapshot!(masked(&sandbox, &sandbox.run("report --baseline nothing").to_string()), @"
    exit code 2
    --- stderr
    error: no run, branch, commit or file matches `nothing`
      hint: `runs` lists all runs; `last` and `previous` are valid, too; no stored run has a branch
    ");
}

/// What is expected to fail is counted, and nobody is bothered with it.
#[test]
fn expected_failures_are_told_in_a_low_voice() {
    let sandbox = two_runs();
    let known = "[[xfail]]\nfile = \"joins/crash.test\"\nreason = \"to do\"\n[[xfail]]\nfile = \"a.test\"\nrecords = [4]\n[[xfail]]\nfile = \"joins/c.test\"\nreason = \"old\"\n[[flaky]]\nfile = \"joins/b.test\"\nexpires = 2000-01-01\n";
    sandbox.write("s/expectations.toml", known);
    assert_snapshot!(report(&sandbox, "--format github"), @"
    ::error title=unexpected error%3A no such column%3A b1::s/a.test:14%0Aerror no such column: b1%0Aagain: vibesql-sqllogictest test --engine scripted s/a.test:14
    ::error title=expected to fail%2C but does not fail::joins/c.test (s/expectations.toml:7: old)
    ::error title=expired::s/expectations.toml:10 2000-01-01
    ");
    let summary = report(&sandbox, "--format summary");
    assert_snapshot!(masked(&sandbox, summary.split("### Since").next().unwrap()), @"
    ## SQLLogicTest: 63.63 % of the records pass

    **NOT AS EXPECTED**: 2 of 4 files and 7 of 11 records passed on scripted 0.1.0 in [time] s.
    Run `[run]`, completed.

    2 failing records are expected to fail; **not expected**: 1 record in 1 file.

    expected to fail, but does not fail:

    - `joins/c.test (s/expectations.toml:7: old)`

    expired:

    - `s/expectations.toml:10 2000-01-01`
    ");
    let junit = report(&sandbox, "--format junit --junit-records 5");
    check_schema(&junit);
    assert_eq!(junit.matches("<skipped type=\"expected_failure\"").count(), 3, "{junit}");
    assert_eq!(junit.matches("<failure").count(), 1, "{junit}");
    let whole = report(&sandbox, "--format junit");
    check_schema(&whole);
    assert!(
        whole.contains("Besides, 1 record failed as is expected.") && !whole.contains("a.test:4 "),
        "{whole}"
    );
    let data = data_of(&report(&sandbox, "--output -"));
    assert_eq!(data["run"]["verdict"], "NOT AS EXPECTED");
    let shares: BTreeMap<_, _> = data["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file["n"].as_str().unwrap(), &file["x"]))
        .collect();
    assert_eq!(
        (shares["a.test"], shares["joins/crash.test"], shares["joins/c.test"]),
        (&json!(1), &json!("all"), &Value::Null)
    );
    // With all of it expected, the run is a good one.
    sandbox.write("s/expectations.toml", "[[xfail]]\nfile = \"{a,joins/crash}.test\"\n");
    assert_eq!(report(&sandbox, "--format github"), "");
    let summary = report(&sandbox, "--format summary");
    assert!(summary.contains("**AS EXPECTED**: 2 of 4 files"), "{summary}");
    let ignored = report(&sandbox, "--format summary --no-expectations");
    assert!(ignored.contains("**FAIL**: 2 of 4 files"), "{ignored}");
}

#[test]
fn a_badge() {
    let sandbox = two_runs();
    assert_snapshot!(report(&sandbox, "--format badge"), @r#"{"schemaVersion":1,"label":"sqllogictest","message":"63.63 %","color":"green"}"#);
}

#[test]
fn a_file_that_no_document_is_about_is_not_in_its_way() {
    let sandbox = two_runs();
    sandbox.write("s/expectations.toml", "[[xfail]\n");
    let code = |format: &str| sandbox.run(&format!("report --format {format} --output out")).code;
    assert_eq!(["badge", "json", "junit", "comment"].map(code), [0, 0, 2, 2]);
    assert_eq!(sandbox.run("report --format badge --expectations s/expectations.toml").code, 2);
}

#[test]
fn mistakes() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.without_names(&sandbox.run("report").to_string()), @"
    exit code 3
    --- stderr
    error: no run in `[home]/.vibesql/test_results`
      hint: use --results DIR to select another results folder
    ");
    sandbox.write("t.test", GOOD);
    sandbox.run("run --engine scripted t.test");
    assert_snapshot!(sandbox.without_names(&sandbox.run("report 1999").to_string()), @"
    exit code 2
    --- stderr
    error: no run, branch, commit or file matches `1999`
      hint: `runs` lists all runs; `last` and `previous` are valid, too; no stored run has a branch
    ");
    let output = sandbox.run("report --output nowhere/report.html");
    assert_eq!(
        (output.code, output.stderr.contains("cannot write `nowhere/report.html`")),
        (2, true),
        "{output}"
    );
}
