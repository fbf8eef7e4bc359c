//! `report`: documents about runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use insta::assert_snapshot;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::sandbox::{Output, Sandbox};

const GOOD: &str = "statement ok\nok\n\nquery I nosort\nrows 1\n----\n1\n";
const BAD: &str = "statement ok\nok\n\nquery II nosort\nrows 1 2 / 3 4 / 5 6\n----\n1\n2\n3\n7\n5\n6\n\nstatement ok\nerror no such column: b1\n";
const SKIPPED: &str = "skipif scripted\nstatement ok\nok\n";
const CRASH: &str = "statement ok\nok\n\nstatement ok\npanic over\n\nstatement ok\nok\n";

/// Two runs: the second mends a file and breaks one; one crashes, one is empty.
fn two_runs() -> Sandbox {
    let sandbox = Sandbox::new();
    for (file, text) in
        [("a", GOOD), ("joins/b", BAD), ("joins/c", GOOD), ("joins/crash", CRASH), ("skipped", SKIPPED)]
    {
        sandbox.write(&format!("s/{file}.test"), text);
    }
    sandbox.run("run --engine scripted s");
    sandbox.write("s/a.test", BAD);
    sandbox.write("s/joins/b.test", GOOD);
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
    lines.join("\n")
}

fn report(sandbox: &Sandbox, words: &str) -> String {
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
    let output = sandbox.run("import junit.xml");
    assert_eq!((output.code, output.stderr.contains("note: junit.xml")), (0, false), "{output}");
    let read = statuses(&sandbox);
    let expected = expected.into_iter().map(|(file, status)| match status.as_str() {
        // JUnit has one word for all that broke.
        "crashed" => (file, "error".to_owned()),
        _ => (file, status),
    });
    assert_eq!(read, expected.collect());
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
    ::error file=s/a.test,line=4,title=6 values expected and found%2C but not the same::s/a.test:4%0Arows 1 2 / 3 4 / 5 6%0A  1 | 2%0A- 3 | 7%0A+ 3 | 4%0A  5 | 6%0Aagain: vibesql-sqllogictest test --engine scripted s/a.test:4
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
    assert!(comment.contains("1 file broken**, 1 file mended."), "{comment}");
    assert_snapshot!(masked(&sandbox, &report(&sandbox, "--format markdown")));
}

#[test]
fn a_badge() {
    let sandbox = two_runs();
    assert_snapshot!(report(&sandbox, "--format badge"), @r#"{"schemaVersion":1,"label":"sqllogictest","message":"60.00 %","color":"green"}"#);
}

#[test]
fn mistakes() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.without_names(&sandbox.run("report").to_string()), @"
    exit code 3
    --- stderr
    error: no run in `[home]/.vibesql/test_results`
      hint: --results DIR names another place for results
    ");
    sandbox.write("t.test", GOOD);
    sandbox.run("run --engine scripted t.test");
    assert_snapshot!(sandbox.without_names(&sandbox.run("report 1999").to_string()), @"
    exit code 2
    --- stderr
    error: no run `1999` in `[home]/.vibesql/test_results`
      hint: a run is named by the folder that it has in `runs`, or by its path
    ");
    let output = sandbox.run("report --output nowhere/report.html");
    assert_eq!(
        (output.code, output.stderr.contains("cannot write `nowhere/report.html`")),
        (2, true),
        "{output}"
    );
}

/// A run with 30,000 failing records in 30 files, each of which has its own SQL.
fn much_fails() -> Sandbox {
    let sandbox = Sandbox::new();
    for file in 0..30 {
        let records = (0..1000).map(|record| {
            let long = "x".repeat(200);
            format!("query TT nosort\nrows {record} {long} / b c\n----\nn{file}\n{long}\nb\nc\n\n")
        });
        sandbox.write(&format!("s/{file}.test"), records.collect::<String>());
    }
    let output = sandbox.run("run --engine scripted --max-details 1000 --quiet s");
    assert_eq!(output.code, 1, "{output}");
    sandbox
}

#[test]
fn documents_are_bounded_and_say_what_they_leave_out() {
    let sandbox = much_fails();
    let comment = report(&sandbox, "--format comment");
    assert!(comment.chars().count() < 65_536, "{}", comment.len());
    assert!(comment.contains("more failing records."), "{comment}");
    let summary = report(&sandbox, "--format summary");
    assert!(summary.len() < 1 << 20 && summary.contains("more failing records."), "{}", summary.len());
    let junit = report(&sandbox, "--format junit");
    assert!(junit.len() < 1 << 20 && junit.contains("… and 990 records: "), "{}", junit.len());
    let page = report(&sandbox, "--output -");
    assert!(page.len() < 5 << 20, "{}", page.len());
    let data = data_of(&page);
    let [shown, left_out] = ["details", "details_left_out"].map(|name| data[name].as_u64().unwrap());
    assert!(shown > 1_000 && shown + left_out == 30_000, "{shown} and {left_out}");
    let named =
        data["files"].as_array().unwrap().iter().map(|file| file["rest"].as_array().unwrap().len() as u64);
    assert_eq!(named.sum::<u64>(), left_out, "the others are named by their lines");
}

/// The data in a page.
fn data_of(page: &str) -> Value {
    let (_, data) = page.split_once("id=\"data\"").unwrap();
    let data = data.split_once('>').unwrap().1.split_once("</script>").unwrap().0;
    serde_json::from_str(data).unwrap()
}

#[test]
fn the_page_is_written_again_and_again() {
    let sandbox = two_runs();
    for _ in 0..2 {
        let output = sandbox.run("report");
        assert!(output.code == 0 && output.stdout.starts_with("sqllogictest-report.html, "), "{output}");
    }
    let page = sandbox.read("sqllogictest-report.html");
    let noscript = page.split_once("<noscript>").unwrap().1.split_once("</noscript>").unwrap().0;
    assert!(noscript.contains("2 of 4 files"), "{noscript}");
    assert_eq!(page, report(&sandbox, "--output -"));
    let data = data_of(&page);
    assert_eq!(data["comparison"]["broken_places"], json!([["a.test", null]]));
    assert_eq!(data["history"].as_array().unwrap().len(), 2);
    assert_eq!(data["categories"][0]["rates"].as_array().unwrap().len(), 2);
}

#[test]
fn runs_of_other_files_are_no_history() {
    let sandbox = two_runs();
    sandbox.run("run --engine scripted s/joins/c.test");
    let data = data_of(&report(&sandbox, "--output -"));
    assert_eq!((&data["history"].as_array().unwrap().len(), &data["comparison"]), (&1, &Value::Null));
    sandbox.run("run --engine scripted s");
    let data = data_of(&report(&sandbox, "--output -"));
    assert_eq!(data["history"].as_array().unwrap().len(), 3, "two before, and this one");
    let data = data_of(&report(&sandbox, "--output - --history 1"));
    assert_eq!(data["history"].as_array().unwrap().len(), 2);
}

fn page(sandbox: &Sandbox) -> PathBuf {
    report(sandbox, "--output page.html");
    sandbox.path().join("page.html")
}

#[test]
fn in_a_browser_one_searches_and_drills_down() {
    let sandbox = two_runs();
    let page = page(&sandbox);
    let Some(mut browser) = Browser::start() else { return };
    browser.open(&page, "");
    let names = "[...document.querySelectorAll('.file .name')].map((name) => name.textContent).join()";
    assert_eq!(browser.text(names), "a.test,joins/crash.test", "what has passed is not in the way");
    assert_eq!(browser.text("document.title"), "60.00 % of records pass on scripted 0.1.0");
    // With keys alone: search, and open the file and the record.
    browser.press("/");
    browser.type_text("B1");
    browser.until("document.querySelectorAll('.file').length === 1 && document.querySelector('.file').open");
    assert_eq!(
        browser.text("document.querySelector('.count').textContent"),
        "1 file, 1 failing record with details"
    );
    assert_eq!(browser.text("document.querySelector('.failure mark').textContent"), "b1");
    browser.press("Escape");
    browser.until("document.querySelectorAll('.file').length === 2");
    browser.until("document.activeElement.id === 'search'");
    while browser.value("document.activeElement.matches('.file > summary')") == false {
        browser.press("Tab");
    }
    browser.press("Enter");
    browser.until("document.querySelectorAll('.failure').length === 2");
    browser.press("Tab");
    while browser.value("document.activeElement.matches('.failure > summary')") == false {
        browser.press("Tab");
    }
    browser.press("Enter");
    browser.until("document.querySelector('.failure .diff') !== null");
    let cells = "[...document.querySelectorAll('.diff tr')].map((row) => row.className + ' ' + [...row.cells].map((cell) => cell.textContent).join(' ')).join('; ')";
    assert_eq!(browser.text(cells), "both  1 2; expected − 3 7; found + 3 4; both  5 6");
    let differing = "[...document.querySelectorAll('.differs')].map((cell) => cell.textContent).join()";
    assert_eq!(browser.text(differing), "7,4");
    let again = browser.text("document.querySelector('.again pre').textContent");
    assert_eq!(again, "vibesql-sqllogictest test --engine scripted s/a.test:4");
    browser.value("document.querySelector('.again .copy').click()");
    browser.until("document.querySelector('.again .copy').textContent === 'Copied'");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn in_a_browser_one_filters_and_sends_addresses() {
    let sandbox = two_runs();
    let page = page(&sandbox);
    let Some(mut browser) = Browser::start() else { return };
    let files = "[...document.querySelectorAll('.file')].map((file) => file.dataset.file).join()";
    browser.open(&page, "#s=PASS,EMPTY&by=name");
    assert_eq!(browser.text(files), "joins/b.test,joins/c.test,skipped.test");
    browser.value("document.querySelector('.chip[data-status=EMPTY]').click()");
    assert_eq!(browser.text(files), "joins/b.test,joins/c.test");
    assert_eq!(browser.text("location.hash"), "#s=PASS&by=name");
    // A kind of failure, and a category, by their links.
    browser.value("document.querySelector('.cluster .kind').click()");
    browser.until("location.hash.startsWith('#g=0') && document.querySelectorAll('.file').length === 1");
    browser.value("document.querySelector('.heat a').click()");
    browser.until("location.hash.startsWith('#c=joins') && document.querySelectorAll('.file').length === 3");
    // The address of a record shows it.
    browser.open(&page, "#f=a.test&l=14");
    assert_eq!(browser.text("document.querySelector('.failure[open]').dataset.line"), "14");
    assert_eq!(browser.text("document.activeElement.parentElement.dataset.line"), "14");
    assert_eq!(browser.text("location.hash"), "#f=a.test&l=14");
    let broken = "document.querySelector('.change.broken').textContent";
    assert_eq!(browser.text(broken), "1 file brokena.test");
    // An address that says nonsense does no harm.
    browser.open(&page, "#g=99&c=nowhere&s=%3Cb%3E&f=%3Cscript%3E&l=x");
    assert_eq!(browser.text(files), "");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn in_a_browser_it_fits_phones_the_dark_and_paper() {
    let sandbox = two_runs();
    let page = page(&sandbox);
    let Some(mut browser) = Browser::start() else { return };
    let phone = json!({"width": 360, "height": 700, "deviceScaleFactor": 2, "mobile": true});
    browser.call("Emulation.setDeviceMetricsOverride", phone);
    browser.open(&page, "#f=a.test&l=4");
    assert_eq!(browser.value("document.documentElement.scrollWidth <= 360"), true);
    let light =
        "const [red] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g); Number(red) > 127";
    for (scheme, is_light) in [("light", true), ("dark", false)] {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.call("Emulation.setEmulatedMedia", features);
        assert_eq!(browser.value(&format!("{{ {light} }}")), is_light, "{scheme}");
    }
    browser.call("Emulation.setEmulatedMedia", json!({"media": "print"}));
    assert_eq!(browser.text("getComputedStyle(document.querySelector('.tools')).display"), "none");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Would be markup, code or another direction of writing, if it were no text.
const HOSTILE: [&str; 6] = [
    "<script>window.hacked=1</script>",
    "</script><script>window.hacked=1</script><!--",
    "<img src=x onerror=window.hacked=1>",
    "\"'`&amp;${window.hacked=1}\\u003cb>",
    "javascript:window.hacked=1",
    "\u{202e}txet\u{2028} 🎉 ünï עברית",
];

#[test]
fn in_a_browser_hostile_text_stays_text() {
    let sandbox = Sandbox::new();
    for (place, text) in HOSTILE.iter().enumerate() {
        let name: String = text.chars().filter(|&character| character != '/').collect();
        let sql = format!("SELECT '{}' || '{place}' AS \"{text}\"", text.replace('\'', "''"));
        let record = format!("query T nosort\n{sql}\n----\n{text}\n\nstatement ok\nSELECT {text}\n");
        sandbox.write(&format!("s/{name}/{name}.test"), record);
    }
    // A value of a megabyte.
    sandbox
        .write("s/long.test", "query T nosort\nSELECT replace(hex(zeroblob(500000)), '00', '<b')\n----\nx\n");
    for _ in 0..2 {
        let output = sandbox.run("run --engine sqlite s");
        assert_eq!(output.code, 1, "{output}");
    }
    let page = page(&sandbox);
    assert!(page.metadata().unwrap().len() < 200_000);
    let Some(mut browser) = Browser::start() else { return };
    browser.open(&page, "");
    let opened = "document.querySelectorAll('details').forEach((item) => (item.open = true))";
    browser.value(opened);
    // Those of the files have made those of the failures.
    browser.until("document.querySelectorAll('.failure').length === 13");
    browser.value(opened);
    browser.until("document.querySelectorAll('.failure .sql').length === 13");
    assert_eq!(browser.value("window.hacked"), Value::Null);
    assert_eq!(browser.value("document.querySelectorAll('script').length"), 2);
    assert_eq!(browser.value("document.querySelectorAll('img, iframe, object, embed, b b, [onerror], a[href^=javascript]').length"), 0);
    let all = browser.text("document.getElementById('files').textContent");
    for text in HOSTILE {
        // What is not seen is named.
        let visible = text.replace('\u{202e}', "U+202E").replace('\u{2028}', "U+2028");
        assert!(all.contains(&visible), "{text}");
    }
    assert!(all.contains("… (and 999,600 more characters)"), "the long value is cut");
    // Searching for it marks it, and makes no markup of it either.
    browser.press("/");
    browser.type_text("<img src=x");
    browser.until("document.querySelector('.file mark') !== null");
    assert_eq!(browser.text("document.querySelector('.file mark').textContent"), "<img src=x");
    assert_eq!(browser.value("window.hacked"), Value::Null);
    // A script that gets into the page all the same is not executed.
    let smuggled = "const script = document.createElement('script'); script.textContent = 'window.hacked = 1'; document.body.append(script); String(window.hacked)";
    assert_eq!(browser.complaints(), Vec::<String>::new());
    assert_eq!(browser.text(&format!("{{ {smuggled} }}")), "undefined");
}
