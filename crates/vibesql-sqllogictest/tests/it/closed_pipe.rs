//! A reader that leaves early ends a command quietly, and changes no verdict.

use std::process::Stdio;

use crate::sandbox::{Output, Sandbox};

const GOOD: &str = "query I nosort\nSELECT 1\n----\n1\n";
const BAD: &str = "query I nosort\nSELECT 1\n----\n2\n";

/// Runs a command of whose output nobody reads anything.
fn unread(sandbox: &Sandbox, line: &str) -> Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child = sandbox.command(line).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    Output { stdout: String::new(), stderr, code: output.status.code().unwrap_or(-1) }
}

fn two_runs() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", GOOD);
    sandbox.write("s/b.test", GOOD);
    assert_eq!(sandbox.run("run --engine sqlite s").code, 0);
    sandbox.write("s/b.test", BAD);
    sandbox
}

#[test]
fn a_closed_pipe_changes_no_verdict() {
    let sandbox = two_runs();
    for (line, code) in [
        ("run --engine sqlite s", 1),
        ("run --engine sqlite --verbose s", 1),
        ("run --engine sqlite --message-format json s", 1),
        ("run --engine sqlite --json - s", 1),
        ("run --engine sqlite s/a.test", 0),
        ("run --engine sqlite s", 1),
        ("test --engine sqlite s/b.test", 1),
        ("test --engine sqlite s/a.test", 0),
    ] {
        let output = unread(&sandbox, line);
        assert_eq!(output.code, code, "{line}: {output}");
        assert!(!output.stderr.contains("error:"), "{line}: {output}");
    }
    let shown = sandbox.run("show last");
    assert!(shown.stdout.contains("1 of 2 files"), "nothing of the run is lost: {shown}");
    let first = sandbox.all_runs().remove(0);
    let compare = format!("compare {} latest", first.file_name().unwrap().to_str().unwrap());
    for format in ["text", "markdown", "json"] {
        let line = format!("{compare} --format {format}");
        let seen = sandbox.run(&line);
        assert_eq!(seen.code, 4, "{seen}");
        let output = unread(&sandbox, &line);
        assert_eq!((output.code, output.stderr.as_str()), (4, seen.stderr.as_str()), "{line}");
    }
}

#[test]
fn a_closed_pipe_ends_what_only_prints_quietly_with_0() {
    let sandbox = two_runs();
    assert_eq!(sandbox.run("run --engine sqlite s").code, 1);
    let mut lines = vec![
        "analyze",
        "analyze --format json",
        "analyze --format markdown",
        "list s",
        "runs",
        "status",
        "show last",
        "show last s/b.test",
        "flaky",
        "flaky --format json",
        "punchlist",
        "engines",
        "completions bash",
        "man",
        "config show",
        "report --format junit",
        "report --format github",
        "report --format summary",
        "report --format comment",
        "report --format markdown",
        "report --format badge",
        "report --format json",
        "report --output -",
        "export --run --output -",
        "ledger update --dry-run",
        "prune --keep 1 --dry-run",
        "--help",
        "--version",
        "run --help",
    ];
    if cfg!(feature = "store") {
        lines.extend([
            "query --preset untested",
            "query --list-presets",
            "export --format sql --output -",
            "store verify",
        ]);
    }
    for line in lines {
        let seen = sandbox.run(line);
        assert_eq!(seen.code, 0, "{line}: {seen}");
        let output = unread(&sandbox, line);
        assert_eq!((output.code, output.stderr.as_str()), (0, seen.stderr.as_str()), "{line}");
    }
}
