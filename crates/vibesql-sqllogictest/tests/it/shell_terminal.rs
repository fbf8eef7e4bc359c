//! `shell` in a terminal.
#![cfg(target_os = "linux")]

use crate::sandbox::Sandbox;
use crate::screen::Terminal;
use crate::support::wait_for;

#[test]
fn the_shell_in_a_terminal() {
    let sandbox = Sandbox::with("statement ok\nok\n\nquery I\nrows 1\n----\n2\n");
    // The shell around is in the foreground as well.
    let lines = "stty rows 60 cols 200; trap : INT; $PROGRAM shell --engine scripted t.test:4; echo code $?";
    let mut terminal = Terminal::start(&sandbox, &[("TERM", "xterm")], lines);
    for seen in ["scripted", ".help", "next:", "t.test:4", "t.test:4> "] {
        terminal.wait_for(seen);
    }
    terminal.press("rows 1\n;\n");
    // A statement of several lines is one entry.
    terminal.wait_for("1 row");
    terminal.wait_for("t.test:4> ");
    terminal.press(".exp\t\n");
    terminal.wait_for("----");
    terminal.wait_for("t.test:4> ");
    terminal.press("once begun hang;\n");
    wait_for("the statement", || sandbox.path().join("begun").exists());
    terminal.press("\x03");
    terminal.wait_for("interrupted");
    terminal.wait_for("the state is built again");
    terminal.wait_for("t.test:4> ");
    // A key that discards a line.
    terminal.press("rows 5\x03");
    terminal.wait_for("t.test:4> ");
    terminal.press(".next\n");
    terminal.wait_for("FAIL");
    terminal.wait_for("end of t.test");
    terminal.wait_for("t.test> ");
    terminal.press(".quit\n");
    let seen = terminal.end();
    assert!(seen.contains("code 0"), "{seen:?}");
    let history = std::path::Path::new(sandbox.home()).join(".vibesql/test_results/shell-history");
    assert!(std::fs::read_to_string(history).unwrap().contains(".expect"));
    assert_eq!(sandbox.leftovers(), Vec::<std::path::PathBuf>::new());
}
