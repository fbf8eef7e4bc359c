//! Characters of files and engines that a terminal would obey: shown as escapes to people, and kept for programs.

use std::os::unix::fs::symlink;

use crate::sandbox::{Output, Sandbox};

/// Colours that the program itself makes.
const OWN: [&str; 8] =
    ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m", "\x1b[1m\x1b[31m"];

/// Asserts that a terminal gets nothing but text and the program's own colours.
fn check(output: &Output) {
    for text in [&output.stdout, &output.stderr] {
        let text = OWN.iter().fold(text.clone(), |text, own| text.replace(own, ""));
        let bad = text.chars().find(|&character| {
            (character.is_control() && character != '\n' && character != '\t')
                || matches!(character, '\u{202e}' | '\u{200b}' | '\u{fdd0}'..='\u{fdef}')
        });
        assert_eq!(bad, None, "{text:?}");
    }
}

const HOSTILE: &str = "query T nosort\nSELECT 'x' -- \x1b[31mred\x1b]0;title\x07 \u{202e}rtl \u{fdd0}\x08\n----\n\
    \x1b[5mx\u{200b}\n\nstatement ok\nSELECT \x1b[2J\n";

#[test]
fn what_a_terminal_obeys_is_escaped_in_every_output() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a\x1b[7m\u{202e}.test", HOSTILE);
    sandbox.write("s/b.test", HOSTILE);
    let run = "run --engine sqlite --durations 0 --verbose s";
    let markdown = ["report --format markdown", "report --format github", "analyze --format markdown"];
    let lines = [
        "test --engine sqlite s/b.test",
        "test --engine sqlite --trace s/b.test:1",
        "list s",
        "list --long s",
        run,
        run,
        "show",
        "show last b.test",
        "status",
        "runs",
        "compare",
        "analyze",
        "analyze --examples --patterns --top-fixes",
        "analyze --fix 1",
        "punchlist",
        "run --engine sqlite nothing\x1b[31m.test",
        "test --engine sqlite nothing\x1b[31m.test",
    ];
    for line in lines.into_iter().chain(markdown) {
        for colour in ["always", "never"] {
            let output = sandbox.run(&format!("{line} --color {colour}"));
            check(&output);
            if line.starts_with("test --engine sqlite s/b.test") && !line.contains("trace") {
                assert!(output.stdout.contains(r"-- \x1b[31mred\x1b]0;title\x07 \u{202e}rtl"), "{output}");
                assert!(output.stdout.contains(r"- \x1b[5mx\u{200b}"), "{output}");
            }
        }
    }
    let names = sandbox.run("list s").stdout;
    assert_eq!(names, "s/a\\x1b[7m\\xe2\\x80\\xae.test\ns/b.test\n");
}

#[test]
fn a_diff_shows_a_difference_in_unseen_characters() {
    for (expected, shown) in [
        (&b"a\x1b[0mb"[..], r"- a\x1b[0mb"),
        (b"ab\r\x00", r"- ab\r\x00"),
        (b"ab\xff", r"- ab\xff"),
        ("a\u{202e}b".as_bytes(), r"- a\u{202e}b"),
        ("ab\u{200b}".as_bytes(), r"- ab\u{200b}"),
        (b"a\tb", r"- a\tb"),
    ] {
        let text = [b"query T nosort\nSELECT 'ab'\n----\n", expected, b"\n"].concat();
        let sandbox = Sandbox::new();
        sandbox.write("t.test", text);
        let output = sandbox.run("test --engine sqlite t.test");
        assert!(output.stdout.contains(shown), "{shown}: {output}");
        assert!(output.stdout.contains("+ ab\n"), "{shown}: {output}");
    }
    // A byte that is not UTF-8 is shown, and an escape is not the text of one. SQLite's rule renders such a byte as `@`.
    let bytes = [
        (&b"SELECT CAST(x'fe' AS TEXT)\n----\n\xff\n"[..], r"- \xff", "+ @"),
        (b"SELECT '\\x1b'\n----\n\x1b\n", r"- \x1b", r"+ \\x1b"),
    ];
    for (query, expected, found) in bytes {
        let sandbox = Sandbox::new();
        sandbox.write("t.test", [b"query T nosort\n", query].concat());
        let output = sandbox.run("test --engine sqlite t.test");
        assert!(output.stdout.contains(expected) && output.stdout.contains(found), "{output}");
    }
}

#[test]
fn a_file_name_with_an_end_of_line_breaks_no_line() {
    let sandbox = Sandbox::new();
    let name = "s/a\nPASS b\tc.test";
    sandbox.write(name, "statement ok\nerror no\n");
    sandbox.write("s/z.test", "statement ok\nok\n");
    assert_eq!(sandbox.run("list s").stdout, "s/a\\x0aPASS b\\x09c.test\ns/z.test\n");
    let output = sandbox.run("run --engine scripted --serial --order path --json out.json s");
    assert!(!output.stdout.contains("\nPASS b"), "{output}");
    assert!(output.stdout.contains(r"FAIL    s/a\x0aPASS b\x09c.test"), "{output}");
    for line in ["show", "analyze", "status", "compare", "punchlist"] {
        assert!(!sandbox.run(line).stdout.contains("\nPASS b"), "{line}");
    }
    // Programs get the name as it is.
    let report: serde_json::Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    assert_eq!(report["files"][0]["file"], r"a\x0aPASS b\x09c.test");
    // The command that repeats the failure can be typed.
    let again = output.stdout.lines().find_map(|line| line.strip_prefix("look at the first: ")).unwrap();
    assert!(again.ends_with(r"'s/a\x0aPASS b\x09c.test:1'"), "{again}");
    let program = env!("CARGO_BIN_EXE_vibesql-sqllogictest");
    let command = again.replacen("vibesql-sqllogictest", program, 1);
    let mut bash = std::process::Command::new("bash");
    let repeated = Output::of(bash.args(["-c", &command]).current_dir(sandbox.path()));
    assert_eq!(repeated.code, 1, "{repeated}");
    assert!(repeated.stdout.contains("unexpected error: no"), "{repeated}");
}

#[test]
fn documents_for_programs_keep_what_they_can_hold() {
    let sandbox = Sandbox::with(HOSTILE);
    symlink("t.test", sandbox.path().join("u.test")).unwrap();
    assert_eq!(sandbox.run("run --engine sqlite --json out.json t.test").code, 1);
    let report: serde_json::Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    let failure = &report["files"][0]["failures"][0];
    assert!(failure["sql"].as_str().unwrap().contains("\x1b[31mred"), "{failure}");
    assert_eq!(failure["expected"], "\x1b[5mx\u{200b}");
    // XML has no control characters: they are shown.
    let junit = sandbox.run("report --format junit").stdout;
    assert!(!junit.contains('\x1b') && junit.contains("red"), "{junit}");
}
