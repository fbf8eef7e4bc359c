//! `report`: the page for browsers, and what bounds documents.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vibesql_sqllogictest::location::path_text;

use crate::browser::Browser;
use crate::reports::{report, two_runs};
use crate::sandbox::Sandbox;

/// A run with 30,000 failing records in 30 files, each of which has its own SQL; all of them passed before.
fn much_fails() -> Sandbox {
    let sandbox = Sandbox::new();
    for (expected, code) in [("", 0), ("n", 1)] {
        for file in 0..30 {
            let records = (0..1000).map(|record| {
                let long = "x".repeat(200);
                format!(
                    "query TT nosort\nrows {record} {long} / b c\n----\n{expected}{record}\n{long}\nb\nc\n\n"
                )
            });
            sandbox.write(&format!("s/{file}.test"), records.collect::<String>());
        }
        let output = sandbox.run("run --engine scripted --max-details 1000 --quiet s");
        assert_eq!(output.code, code, "{output}");
    }
    sandbox
}

#[test]
fn documents_are_bounded_and_say_what_they_leave_out() {
    let sandbox = much_fails();
    let comment = report(&sandbox, "--format comment");
    assert!(comment.chars().count() < 65_536, "{}", comment.len());
    assert!(comment.contains("more failing records."), "{comment}");
    assert!(
        comment.contains("Records: **30,000 regressed**.") && comment.contains("- … and 29,990 more"),
        "{comment}"
    );
    let summary = report(&sandbox, "--format summary");
    assert!(summary.len() < 1 << 20 && summary.contains("more failing records."), "{}", summary.len());
    let junit = report(&sandbox, "--format junit");
    assert!(junit.len() < 1 << 20 && junit.contains("… and 990 records: "), "{}", junit.len());
    let page = report(&sandbox, "--output -");
    assert!(page.len() < 5 << 20, "{}", page.len());
    let data = data_of(&page);
    let [shown, left_out] = ["details", "details_left_out"].map(|name| data[name].as_u64().unwrap());
    assert!(shown > 1_000 && shown + left_out == 30_000, "{shown} and {left_out}");
    let rest = data["files"].as_array().unwrap().iter().flat_map(|file| file["rest"].as_array().unwrap());
    let named = rest.map(|of_cluster| of_cluster[1].as_array().unwrap().len() as u64);
    assert_eq!(named.sum::<u64>(), left_out, "the others are named by their lines");
    let regressed = &data["since"]["kinds"][1];
    assert_eq!((&regressed["title"], &regressed["count"]), (&json!("regressed records"), &json!(30_000)));
    assert_eq!(regressed["places"].as_array().unwrap().len(), 200);
}

/// The data in a page.
pub(crate) fn data_of(page: &str) -> Value {
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
    let regressed = &data["since"]["kinds"][0];
    assert_eq!(
        (&regressed["title"], &regressed["places"][0]["n"]),
        (&json!("regressed files"), &json!("a.test"))
    );
    assert_eq!(data["history"].as_array().unwrap().len(), 2);
    assert_eq!(data["categories"][0]["rates"].as_array().unwrap().len(), 2);
}

#[test]
fn runs_of_other_files_are_no_history() {
    let sandbox = two_runs();
    sandbox.run("run --engine scripted s/joins/c.test");
    let data = data_of(&report(&sandbox, "--output -"));
    assert_eq!((&data["history"].as_array().unwrap().len(), &data["since"]), (&1, &Value::Null));
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
    assert_eq!(browser.text("document.title"), "63.63 % of records pass on scripted 0.1.0");
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
    browser.value("const first = document.querySelector('.cluster'); first.open = true");
    browser.until("document.querySelector('.cluster .filter') !== null");
    browser.value("document.querySelector('.cluster .filter').click()");
    browser.until("location.hash.startsWith('#g=0') && document.querySelectorAll('.file').length === 1");
    browser.value("document.querySelector('.heat a').click()");
    browser.until("location.hash.startsWith('#c=joins') && document.querySelectorAll('.file').length === 3");
    // The address of a record shows it.
    browser.open(&page, "#f=a.test&l=14");
    assert_eq!(browser.text("document.querySelector('.failure[open]').dataset.line"), "14");
    assert_eq!(browser.text("document.activeElement.parentElement.dataset.line"), "14");
    assert_eq!(browser.text("location.hash"), "#f=a.test&l=14");
    // An address that says nonsense does no harm.
    browser.open(&page, "#g=99&c=nowhere&s=%3Cb%3E&f=%3Cscript%3E&l=x");
    assert_eq!(browser.text(files), "");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn in_a_browser_one_goes_from_clusters_and_changes_to_records() {
    let sandbox = two_runs();
    let page = page(&sandbox);
    let Some(mut browser) = Browser::start() else { return };
    browser.open(&page, "");
    // Each cluster opens to its smallest record, and to its files.
    let titles =
        "[...document.querySelectorAll('.cluster-title')].map((title) => title.textContent).join('; ')";
    assert_eq!(browser.text(titles), "panic: over; error: no such column: _; wrong values (another number)");
    browser.value("document.querySelectorAll('.cluster').forEach((item) => (item.open = true))");
    browser.until("document.querySelectorAll('.cluster .evidence').length === 3");
    let second = "document.querySelectorAll('.cluster')[1]";
    let text = |browser: &mut Browser, of: &str| {
        browser.text(&format!("{second}.querySelector('{of}').textContent"))
    };
    assert_eq!(text(&mut browser, ".sql"), "error no such column: b1");
    assert_eq!(text(&mut browser, ".again pre"), "vibesql-sqllogictest test --engine scripted s/a.test:14");
    assert_eq!(text(&mut browser, ".place"), "a.test 1 record; also fix 3");
    browser.value(&format!("{second}.querySelector('.filter').click()"));
    browser.until("location.hash === '#g=1' && document.querySelectorAll('.file').length === 1");
    assert_eq!(
        browser.text("[...document.querySelectorAll('.failure')].map((one) => one.dataset.line).join()"),
        "14"
    );
    assert_eq!(
        browser.text("document.querySelector('.cluster-chip:not([hidden])').textContent"),
        "fix 2: error: no such column: _ ×"
    );
    // What has changed leads to its record, and to its files.
    let changes =
        "[...document.querySelectorAll('.change > summary')].map((one) => one.textContent).join('; ')";
    assert_eq!(
        browser.text(changes),
        "regressed files 1; regressed records 2; fixed files 1; fixed records 2"
    );
    browser.value("document.querySelector('.change[data-change=\"1\"] .place a').click()");
    browser.until("location.hash === '#f=a.test&l=4' && document.querySelector('.failure[open]') !== null");
    assert_eq!(browser.text("document.querySelector('.failure[open]').dataset.line"), "4");
    assert_eq!(browser.text("document.querySelector('.failure[open] .badge').textContent"), "regressed");
    browser.value("document.querySelector('.change[data-change=\"3\"] .filter').click()");
    browser.until("location.hash === '#d=3' && document.querySelectorAll('.file').length === 1");
    assert_eq!(browser.text("document.querySelector('.file').dataset.file"), "joins/b.test");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// A record behind the first page of its file, and one without details.
#[test]
fn in_a_browser_the_address_of_any_record_shows_it() {
    let sandbox = Sandbox::new();
    let records: String =
        (0..60).map(|record| format!("query I nosort\nrows {record}\n----\nn\n\n")).collect();
    sandbox.write("s/long.test", records);
    sandbox.run("run --engine scripted --quiet --max-details 40 s");
    let page = page(&sandbox);
    let Some(mut browser) = Browser::start() else { return };
    browser.open(&page, "#f=long.test&l=176");
    assert_eq!(browser.text("document.querySelector('.failure[open]').dataset.line"), "176");
    browser.open(&page, "#f=long.test&l=276");
    assert_eq!(browser.value("document.querySelector('.rest').open"), true);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn in_a_browser_what_is_expected_is_not_in_the_way() {
    let sandbox = two_runs();
    sandbox.write(
        "s/expectations.toml",
        "[[xfail]]\nfile = \"joins/crash.test\"\n[[xfail]]\nfile = \"a.test\"\nrecords = [4]\n",
    );
    let page = page(&sandbox);
    let Some(mut browser) = Browser::start() else { return };
    browser.open(&page, "");
    let shown = "[...document.querySelectorAll('.file')].map((file) => file.dataset.file + ' ' + [...file.querySelectorAll('.failure')].map((one) => one.dataset.line)).join('; ')";
    assert_eq!(browser.text(shown), "a.test 14");
    assert_eq!(
        browser.text("document.querySelector('#expected .sentence').textContent"),
        "2 failing records are expected to fail; not expected: 1 record in 1 file."
    );
    browser.value(
        "[...document.querySelectorAll('.chip')].find((chip) => chip.textContent === 'not expected').click()",
    );
    assert_eq!(
        browser
            .text("[...document.querySelectorAll('.file .badge')].map((badge) => badge.textContent).join()"),
        "1 expected,as expected"
    );
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
    let output = sandbox.run("run --engine sqlite s");
    assert_eq!(output.code, 1, "{output}");
    // One more record in each, so that there are changes.
    for name in HOSTILE.map(|text| text.replace('/', "")) {
        let text = sandbox.read(&format!("s/{name}/{name}.test"));
        sandbox.write(&format!("s/{name}/{name}.test"), text + "\nstatement ok\nnone\n");
    }
    let reason = HOSTILE.join(" ").replace('\'', "");
    sandbox.write(
        "s/expectations.toml",
        format!("[[xfail]]\nfile = \"*\"\nreason = '{reason}'\nexpires = 2000-01-01\n"),
    );
    let output = sandbox.run("run --engine sqlite s");
    assert_eq!(output.code, 1, "{output}");
    let page = page(&sandbox);
    assert!(page.metadata().unwrap().len() < 200_000);
    let Some(mut browser) = Browser::start() else { return };
    browser.open(&page, "");
    let opened = "document.querySelectorAll('details').forEach((item) => (item.open = true))";
    browser.value(opened);
    // Those of the files have made those of the failures.
    browser.until("document.querySelectorAll('.failure').length === 19");
    browser.value(opened);
    browser.until("document.querySelectorAll('.failure .sql').length === 19");
    assert_eq!(browser.value("window.hacked"), Value::Null);
    assert_eq!(browser.value("document.querySelectorAll('script').length"), 2);
    assert_eq!(browser.value("document.querySelectorAll('img, iframe, object, embed, b b, [onerror], a[href^=javascript]').length"), 0);
    for part in ["files", "comparison", "clusters", "expected"] {
        let all = browser.text(&format!("document.getElementById('{part}').textContent"));
        for text in HOSTILE {
            // What is not seen is named.
            let visible = text.replace('\u{202e}', "U+202E").replace('\u{2028}', "U+2028");
            let visible = match part {
                "files" => visible,
                "expected" => visible.replace('\'', ""),
                // There they are names of files.
                _ => path_text::of(Path::new(&text.replace('/', ""))),
            };
            assert!(all.contains(&visible), "{part}: {text}");
        }
    }
    let all = browser.text("document.getElementById('files').textContent");
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
