//! Text from files, engines and names never steers the terminal, and each of its characters is seen.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::sandbox::{Output, Sandbox};

/// The codes that the program itself and clap use.
const OWN_CODES: [&str; 8] = ["[0m", "[1m", "[2m", "[4m", "[31m", "[32m", "[33m", "[36m"];
/// Codes that the program does not use: a colour, a title, a control of 8 bits, and a change of direction.
const HOSTILE: &str = "\x1b[35;7m\x1b]0;title\x07\u{9b}35m\u{202e}\u{200b}";
const NAMES: [&str; 4] =
    ["esc\x1b[35;7m\x07.test", "new\nline.test", "tab\tname.test", "rtl\u{202e}tset.test"];

fn assert_clean(what: &str, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find('\x1b') {
        rest = &rest[at + 1..];
        assert!(OWN_CODES.iter().any(|code| rest.starts_with(code)), "{what}: {rest:.60?}\n{text}");
    }
    let hidden = |c: char| {
        (c.is_control() && c != '\n' && c != '\x1b') || "\u{202e}\u{200b}\u{fdd0}\u{fdef}".contains(c)
    };
    assert!(!text.contains(hidden), "{what}: {text:?}");
}

fn hostile_suite() -> Sandbox {
    let sandbox = Sandbox::new();
    for (number, name) in NAMES.iter().enumerate() {
        let text = format!(
            "statement ok {number}\nCREATE TABLE t(a);\n\nstatement ok\nSELECT '{HOSTILE}', 1 AS a\r FROM \"no{HOSTILE}\"\n\n\
             query T nosort\nSELECT 'x'\n----\nx\u{200b}\n\nquery T nosort\nSELECT 'y{HOSTILE}'\n----\n{HOSTILE}\n\nfoo{HOSTILE}\n"
        );
        let text = text.replace(&format!("statement ok {number}"), "statement ok");
        sandbox.write(&format!("s/d{HOSTILE}/{name}"), text);
    }
    sandbox
}

/// Runs a command with colours and without, and returns what it prints without.
fn checked(sandbox: &Sandbox, words: &[&str]) -> Output {
    for color in ["always", "never"] {
        let mut command = sandbox.command("");
        command.args(words).args(["--color", color]);
        let output = Output::of(&mut command);
        let what = format!("{words:?} --color {color}, exit code {}", output.code);
        assert_clean(&what, &output.stdout);
        assert_clean(&what, &output.stderr);
        if color == "never" {
            return output;
        }
    }
    unreachable!()
}

#[test]
fn no_command_prints_a_control_character_of_a_file_an_engine_or_a_name() {
    let sandbox = hostile_suite();
    let run = checked(&sandbox, &["run", "--engine", "sqlite", "--verbose", "s"]);
    assert_eq!(run.code, 2, "{run}");
    let rtl = format!("s/d{HOSTILE}/{}", NAMES[3]);
    for name in NAMES {
        let path = format!("s/d{HOSTILE}/{name}");
        let output = checked(&sandbox, &["test", "--engine", "sqlite", "--trace", &path]);
        assert!(output.stdout.contains("no such table"), "{output}");
        checked(&sandbox, &["show", "last", &path]);
        checked(&sandbox, &["bisect", &path]);
    }
    for words in [
        "list s",
        "list --long s",
        "run --engine sqlite s",
        "runs",
        "status",
        "show last",
        "analyze",
        "analyze --examples",
        "analyze --patterns",
        "analyze --trend",
        "analyze --fix 1",
        "analyze --format markdown",
        "compare previous latest",
        "compare previous latest --format markdown",
        "flaky",
        "bisect",
        "punchlist",
        "ledger check",
        "ledger update --dry-run",
        "report --format github",
        "report --format summary",
        "report --format comment",
        "report --format markdown",
        "engines",
        "config show run",
    ] {
        checked(&sandbox, &words.split(' ').collect::<Vec<_>>());
    }
    for words in [
        ["test", "nothing\x1b[35;7m\n\u{202e}.test"],
        ["run", &rtl.replace(".test", "*")],
        ["show", HOSTILE],
        ["report", HOSTILE],
        ["compare", HOSTILE],
        [HOSTILE, "x"],
    ] {
        let output = checked(&sandbox, &words);
        assert!(output.code != 0 || words[0] == "run", "{output}");
    }
    let output = Output::of(sandbox.command("list s --color never").env("SQLLOGICTEST_RECORDS", HOSTILE));
    assert_clean("environment", &output.stderr);
    let shown = checked(&sandbox, &["run", "--engine", HOSTILE, "s"]);
    assert!(shown.stderr.contains("\\x1b[35;7m\\x1b]0;title\\x07\\u{9b}35m\\u{202e}\\u{200b}"), "{shown}");
}

#[test]
fn a_name_of_the_program_is_escaped_as_well() {
    let sandbox = Sandbox::with("statement ok\nSELECT * FROM nothing\n");
    let mut command: Command = sandbox.command("test --engine sqlite t.test --color always");
    command.arg0("prog\x1b[35;7m");
    let output = Output::of(&mut command);
    assert_clean("program", &output.stdout);
    assert!(
        output.stdout.contains("$'prog\\x1b[35;7m'") || output.stdout.contains("prog\\x1b[35;7m"),
        "{output}"
    );
}

#[test]
fn a_diff_shows_what_cannot_be_seen() {
    let sandbox = Sandbox::with(
        "query T nosort\nSELECT 'x'\n----\nx\u{200b}\n\nquery T nosort\nSELECT '\\x1b'\n----\n\x1b\n",
    );
    let output = sandbox.run("test --engine sqlite t.test --color never");
    assert!(output.stdout.contains("- x\\u{200b}\n") && output.stdout.contains("+ x\n"), "{output}");
    // A backslash that could be taken for the beginning of an escape is doubled.
    assert!(output.stdout.contains("- \\x1b\n") && output.stdout.contains("+ \\\\x1b\n"), "{output}");
}

#[test]
fn a_line_break_in_a_name_breaks_no_line() {
    let sandbox = Sandbox::new();
    for name in ["new\nline", "tab\tname", "carriage\rreturn"] {
        sandbox.write(&format!("s/{name}.test"), "statement ok\nSELECT 1\n");
    }
    let output = sandbox.run("list s");
    assert_eq!(output.stdout, "s/carriage\\rreturn.test\ns/new\\nline.test\ns/tab\\tname.test\n", "{output}");
    let output = sandbox.run("run --engine sqlite --verbose s");
    assert_eq!(output.code, 0, "{output}");
    for word in ["START", "PASS "] {
        let lines: Vec<_> = output.stdout.lines().filter(|line| line.starts_with(word)).collect();
        assert_eq!(lines.len(), 3, "{output}");
        assert!(lines.iter().any(|line| line.contains("s/new\\nline.test")), "{output}");
    }
}

#[test]
fn the_command_again_can_be_typed_for_any_name() {
    let sandbox = Sandbox::new();
    let name = "it's\x1b\u{202e}\nhere\\.test";
    sandbox.write(name, "statement ok\nSELECT * FROM nothing\n");
    let mut command = sandbox.command("test --engine sqlite");
    let output = Output::of(command.arg(name));
    let again = output.stdout.lines().find_map(|line| line.trim().strip_prefix("again: ")).unwrap();
    let typed = again.split_once(" test ").unwrap().1;
    let printed = Output::of(Command::new("bash").args(["-c", &format!("printf %s {typed}")]));
    assert!(printed.stdout.ends_with(&format!("{name}:1")), "{printed} {again}");
}
