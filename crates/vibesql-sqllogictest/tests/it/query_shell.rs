//! The shell of `query`, in a terminal.
#![cfg(target_os = "linux")]

use crate::query_cmd::with_runs;
use crate::sandbox::Sandbox;
use crate::screen::Terminal;
use crate::support::{processes_with, wait_for};

/// Starts a command line in a terminal and waits for the prompt of the query shell.
fn shell(sandbox: &Sandbox, line: &str) -> Terminal {
    let lines = format!("stty rows 60 cols 200; {line}");
    let mut terminal = Terminal::start(sandbox, &[("TERM", "xterm")], &lines);
    terminal.wait_for("results> ");
    terminal
}

#[test]
fn the_shell() {
    let sandbox = with_runs();
    // The shell around is in the foreground as well.
    let mut terminal = shell(&sandbox, "trap : INT; $PROGRAM query; echo code $?");
    terminal.press("SELECT COUNT(*) AS n,\n'é;' AS s\nFROM test_runs;\n");
    terminal.wait_for("é;\r\n");
    terminal.wait_for("1 row; VibeSQL 0.2.0 and SQLite agree");
    terminal.wait_for("results> ");
    terminal.press("SELECT absent;\n");
    terminal.wait_for("no such column: absent");
    terminal.press(".schema slow_records\n");
    terminal.wait_for("How long the engine took");
    terminal.press(".format csv\n.preset by-engine\n");
    terminal.wait_for("engine,files,runs");
    terminal.press(".last 2\n.nonsense\n");
    terminal.wait_for("no command `.nonsense`");
    // A line that is abandoned (with what is typed before that is seen), and one that is completed.
    terminal.wait_for("results> ");
    terminal.press("SELECT 'abandoned\x03");
    terminal.wait_for("results> ");
    terminal.press("SELECT git_com\t FROM test_runs LIMIT 1;\n");
    terminal.wait_for("git_commit\r\r\n");
    // A question that is stopped.
    let deep = format!("{}SELECT 1 AS a{};\n", "SELECT * FROM (".repeat(24), ") t".repeat(24));
    terminal.press(&deep);
    wait_until_it_runs(&sandbox);
    terminal.press("\x03");
    terminal.wait_for("interrupted");
    terminal.press("SELECT 7 AS seven;\n");
    terminal.wait_for("seven");
    terminal.press(".quit\n");
    let seen = terminal.end();
    assert!(seen.contains("code 0"), "{seen:?}");
    let history = sandbox.last_run().unwrap().join("../../store/history");
    assert!(std::fs::read_to_string(history).unwrap().contains("seven"));
}

/// Waits until the child with VibeSQL has something to do, or is gone: then nobody reads keys.
fn wait_until_it_runs(sandbox: &Sandbox) {
    let results = sandbox.last_run().unwrap().join("../..").canonicalize().unwrap();
    let line = format!("--results {} ask vibesql", results.display());
    let is_idle = |process: &u32| {
        // Its time is counted in hundredths of a second; idle, it has taken less than a few.
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let time = stat.rsplit(')').next().and_then(|rest| rest.split(' ').nth(12)?.parse::<u64>().ok());
        time <= Some(50)
    };
    wait_for("VibeSQL to begin", || !processes_with(&line).iter().any(is_idle));
}

#[test]
fn the_shell_answers_each_statement_of_a_line() {
    let sandbox = with_runs();
    let mut terminal = shell(&sandbox, "$PROGRAM query --last 1; echo code $?");
    terminal.press("SELECT 11 AS one; SELECT ';' AS two;; SELECT 33 AS three; -- the end;\n");
    terminal.press(";\n");
    for answer in ["one", "11", "1 row", "two", ";", "1 row", "three", "33", "1 row", "results> "] {
        terminal.wait_for(answer);
    }
    // An error ends it, and hints say what to type here.
    terminal.press("SELECT 4 AS four; SELECT * FROM test_result; SELECT 5; SELECT 6;\n");
    for answer in [
        "four",
        "no such table: test_result",
        "did you mean `test_results`? `.tables` lists all",
        "2 further statements not run",
        "results> ",
    ] {
        terminal.wait_for(answer);
    }
    terminal.press("SELECT zzz FROM test_runs;\n");
    terminal.wait_for("`.schema TABLE` lists the columns of a table");
    terminal.press(".preset nonsense\n");
    terminal.wait_for("`.presets` lists them");
    terminal.press("SELECT status FROM test_results;\n");
    terminal.wait_for("results of the last 1 of 3 runs, .all loads all");
    terminal.press(".quit\n");
    let seen = terminal.end();
    assert!(seen.contains("code 0") && !seen.contains("more than one statement"), "{seen:?}");
}

#[test]
fn the_shell_takes_a_dot_command_by_itself() {
    let sandbox = with_runs();
    let mut terminal = shell(&sandbox, "$PROGRAM query; echo code $?");
    for (typed, answers) in [
        (".schema slow_records ;", &["How long the engine took"][..]),
        (" .format csv;", &[]),
        (
            ".tables; SELECT 1;",
            &["cannot run `.tables` together with `SELECT 1`", "enter a dot command by itself"],
        ),
        ("SELECT 7 AS seven; .schema x", &["seven\r\r\n7\r\r\n", "cannot run `.schema x` after SQL"]),
        (
            "SELECT 8 AS eight; .help; SELECT 9;",
            &["eight\r\r\n8\r\r\n", "cannot run `.help` after SQL", "1 further statement not run"],
        ),
    ] {
        terminal.press(&format!("{typed}\n"));
        answers.iter().for_each(|answer| terminal.wait_for(answer));
        terminal.wait_for("results> ");
    }
    terminal.press(".quit;\n");
    assert!(terminal.end().contains("code 0"));
}

#[test]
fn the_shell_adds_each_answer_to_its_output_file() {
    let sandbox = with_runs();
    let mut terminal = shell(&sandbox, "$PROGRAM query --format csv --output out.csv");
    terminal.press("SELECT 1 AS one; SELECT 2 AS two;\n");
    terminal.wait_for("results> ");
    terminal.press("SELECT 3 AS three;\n");
    terminal.wait_for("results> ");
    terminal.press(".quit\n");
    terminal.end();
    let text = sandbox.read("out.csv").replace('\r', "");
    assert_eq!(text, "one\n1\ntwo\n2\nthree\n3\n");
}
