//! What is seen, in a terminal and without one.
#![expect(clippy::disallowed_methods, reason = "a shell in a terminal needs a path to programs")]

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::sandbox::Sandbox;
use crate::support::{processes_with, wait_for};

const GOOD: &str = "statement ok\nok\n\nquery I nosort\nrows 1\n----\n1\n";

#[test]
fn verbose_says_all_that_is_known_of_a_file() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", GOOD);
    let bad = "statement ok\nerror no\n\nquery I nosort\nrows 1\n----\n2\n\nstatement ok\nerror never\n";
    sandbox.write("s/b.test", format!("{bad}\nquery I nosort label-x\nrows 1\n"));
    let output = sandbox.run("run --engine scripted --serial --order path --verbose --max-details 2 s");
    let text = output.to_string();
    // What differs from run to run.
    let lines = text.lines().map(|line| {
        let words = line.split("  ");
        let words = words.map(|word| match word {
            word if word.ends_with(" records/s") => "[speed]",
            word if word.ends_with("iB") => "[memory]",
            word => word,
        });
        words.collect::<Vec<_>>().join("  ")
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
    exit code 1
    --- stdout
    START   s/a.test
    PASS    s/a.test  2 records  [time] s  [speed]  [memory]
    START   s/b.test
    FAIL    s/b.test  4 failed  [time] s  [speed]  [memory]
            s/b.test:1: unexpected error: no
            s/b.test:4: values differ (1 expected, 1 found)
            2 more failing records (--max-details)
            note: s/b.test:12: no `----` line: taken as `expects no rows`

    failed: 1 file
      FAIL    s/b.test:1: unexpected error: no (and 3 more records)
                again: vibesql-sqllogictest test --engine scripted s/b.test:1

     category  files  passed  failed  other     rate  records  passed  failed  skipped  other     rate
     other         2       1       1      0  50.00 %        6       2       4        0      0  33.33 %

    FAIL: 1 of 2 files and 2 of 6 records passed on scripted 0.1.0 in [time] s
    look at the first: vibesql-sqllogictest test --engine scripted s/b.test:1
    ");
    let output = sandbox.run("run --engine scripted --verbose --quiet s");
    assert_eq!(output.code, 2, "{output}");
}

#[test]
fn the_key_t_shows_what_runs() {
    let sandbox = waiting();
    let mut terminal = Terminal::start(&sandbox, &[], "eval $LOOK; $RUN s; echo code $?; eval $LOOK");
    terminal.wait_for_settings();
    terminal.press("xt");
    terminal.wait_for("now: 1 file running, 0 files done");
    terminal.wait_for("s/a.test:4");
    sandbox.write("go-on", "");
    let seen = terminal.end();
    assert!(seen.contains("PASS    s/a.test"), "{seen}");
    check_settings(&seen, 2, "code 0");
}

#[test]
fn a_run_that_is_interrupted_leaves_the_terminal_as_it_was() {
    let sandbox = waiting();
    // The shell is in the foreground as well.
    let mut terminal =
        Terminal::start(&sandbox, &[], "trap : INT; eval $LOOK; $RUN s; echo code $?; eval $LOOK");
    terminal.wait_for_settings();
    terminal.press("t");
    terminal.wait_for("now: 1 file");
    terminal.press("\x03");
    terminal.wait_for("note: stopping, 1 file still running; press Ctrl-C again to stop immediately");
    terminal.press("\x03");
    check_settings(&terminal.end(), 2, "code 5");
}

#[test]
fn a_run_that_is_stopped_lends_the_terminal_to_the_shell() {
    let sandbox = waiting();
    let lines = "set -m; eval $LOOK; $RUN s; echo stopped; eval $LOOK; fg; echo code $?; eval $LOOK";
    let mut terminal = Terminal::start(&sandbox, &[], lines);
    terminal.wait_for_settings();
    terminal.press("t");
    terminal.wait_for("now: 1 file");
    terminal.press("\x1a");
    terminal.wait_for("stopped");
    terminal.wait_for_settings();
    terminal.press("t");
    terminal.wait_for("now: 1 file");
    sandbox.write("go-on", "");
    check_settings(&terminal.end(), 3, "code 0");
}

#[test]
fn stopped_time_is_in_no_limit_and_no_duration() {
    for command in
        ["$RUN --timeout 4 --json out.json s", "$PROGRAM test --engine scripted --timeout 4 s/a.test"]
    {
        let sandbox = Sandbox::new();
        sandbox.write("s/a.test", "statement ok\nonce at-it await go-on\n");
        let lines = format!("set -m; {command}; echo stopped; sleep 5; fg; echo code $?");
        let mut terminal = Terminal::start(&sandbox, &[], &lines);
        wait_for("the file", || sandbox.path().join("at-it").exists());
        terminal.press("\x1a");
        terminal.wait_for("stopped");
        let folder = sandbox.last_run().unwrap_or_else(|| sandbox.leftovers().remove(0));
        // The shell sleeps meanwhile. Whoever is not stopped would see the file at once.
        wait_for("all processes to be stopped", || {
            let states = states_of(folder.to_str().unwrap());
            !states.is_empty() && states.iter().all(|state| state == "T")
        });
        sandbox.write("go-on", "");
        let seen = terminal.end();
        assert!(seen.contains("code 0"), "{seen}");
        let time = seen.split("1 record  ").nth(1).and_then(|rest| rest.split(' ').next());
        assert!(time.unwrap().parse::<f64>().unwrap() < 4.5, "{seen}");
        if command.contains("--json") {
            let report: serde_json::Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
            assert!(report["duration_ms"].as_u64().unwrap() < 4500, "{report}");
        }
    }
}

/// The states of the processes whose command lines contain `text`: `T` is stopped.
fn states_of(text: &str) -> Vec<String> {
    let state = |process: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        Some(stat.rsplit(") ").next()?.split(' ').next()?.to_owned())
    };
    processes_with(text).iter().filter_map(state).collect()
}

#[test]
fn a_run_that_nobody_could_make_go_on_does_not_stop() {
    let sandbox = waiting();
    let mut terminal = Terminal::start(&sandbox, &[], "eval $LOOK; $RUN s; echo code $?; eval $LOOK");
    terminal.wait_for_settings();
    terminal.press("t");
    terminal.wait_for("now: 1 file");
    terminal.press("\x1at");
    terminal.wait_for("now: 1 file");
    sandbox.write("go-on", "");
    check_settings(&terminal.end(), 2, "code 0");
}

#[test]
fn an_error_leaves_the_terminal_as_it_was() {
    let sandbox = waiting();
    let mut terminal = Terminal::start(&sandbox, &[], "eval $LOOK; $RUN s; echo code $?; eval $LOOK");
    terminal.wait_for_settings();
    terminal.press("t");
    terminal.wait_for("now: 1 file");
    // The run finds nothing any more that it could go on with.
    std::fs::remove_dir_all(sandbox.last_run().unwrap()).unwrap();
    sandbox.write("go-on", "");
    terminal.wait_for("error: ");
    check_settings(&terminal.end(), 2, "code 5");
}

#[test]
fn a_quit_leaves_the_terminal_as_it_was() {
    let sandbox = waiting();
    // The shell is in the foreground as well.
    let lines = "trap : QUIT; ulimit -c 0; eval $LOOK; $RUN s; echo code $?; eval $LOOK";
    let mut terminal = Terminal::start(&sandbox, &[], lines);
    terminal.wait_for_settings();
    terminal.press("t");
    terminal.wait_for("now: 1 file");
    terminal.press("\x1c");
    check_settings(&terminal.end(), 2, "code 134");
}

#[test]
fn without_progress_the_terminal_is_not_touched() {
    // At the other end of a pipe there may be a pager, which reads keys itself.
    for (words, environment) in
        [("--no-progress s", &[][..]), ("s", &[("TERM", "dumb")]), ("s 2>&1 | cat", &[]), ("s | cat", &[])]
    {
        let sandbox = waiting();
        let lines = format!("$RUN -v {words}; read line; echo found $line");
        let mut terminal = Terminal::start(&sandbox, environment, &lines);
        terminal.wait_for("START");
        // It is left to the one who comes next.
        terminal.press("t\n");
        sandbox.write("go-on", "");
        terminal.wait_for("found t");
        let seen = terminal.end();
        assert!(seen.contains("PASS") && !seen.contains("now:"), "{words}: {seen:?}");
        // With standard output in a pipe there is a bar all the same.
        assert!(words == "s | cat" || !seen.contains('\x1b'), "{words}: {seen:?}");
    }
}

#[test]
fn a_terminal_has_a_bar_in_the_colours_that_are_wanted() {
    const GREEN: &str = "\x1b[32m";
    let xterm = ("TERM", "xterm");
    for (flags, environment, coloured) in [
        ("", &[xterm][..], true),
        ("", &[xterm, ("NO_COLOR", "1")], false),
        ("--color never", &[xterm], false),
        ("--color always", &[xterm, ("NO_COLOR", "1")], true),
    ] {
        let sandbox = waiting();
        let lines = format!("stty rows 24 cols 80; $RUN {flags} s; echo code $?");
        let mut terminal = Terminal::start(&sandbox, environment, &lines);
        terminal.wait_for("0/1 files  0 not passed  0 records");
        terminal.wait_for("s  s/a.test");
        sandbox.write("go-on", "");
        let seen = terminal.end();
        assert!(seen.contains("░░░") && seen.contains("code 0"), "{seen:?}");
        assert_eq!(seen.contains(GREEN), coloured, "{flags} {environment:?}: {seen:?}");
    }
}

/// The settings of the terminal were looked at so many times, and were always the same; and there is `text`.
fn check_settings(seen: &str, times: usize, text: &str) {
    let found: Vec<_> = seen.split("settings ").skip(1).filter_map(|rest| rest.lines().next()).collect();
    assert_eq!(found.len(), times, "{seen:?}");
    assert!(found.iter().all(|settings| *settings == found[0]), "{found:?}");
    assert!(seen.contains(text), "{seen:?}");
}

/// A suite that waits in its second record until there is a file `go-on`.
fn waiting() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nok\n\nstatement ok\nawait go-on\n");
    sandbox
}

/// How long a test waits for what it expects on the screen, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(120);

/// A shell in a terminal of its own.
pub(crate) struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: Receiver<Vec<u8>>,
    seen: String,
    /// Where in `seen` that begins which nobody has waited for.
    at: usize,
}

impl Terminal {
    /// Starts `script`, a program that gives another one a terminal, with `lines` for the shell. `$RUN` runs a suite,
    /// `$PROGRAM` is the program, and `eval $LOOK` prints the settings of the terminal.
    pub(crate) fn start(sandbox: &Sandbox, environment: &[(&str, &str)], lines: &str) -> Self {
        let run = sandbox.command("");
        let mut command = Command::new("script");
        command.args(["-qec", lines, "/dev/null"]).current_dir(sandbox.path());
        command.env_clear().envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("SHELL", "/bin/sh");
        command.env("RUN", format!("{} run --engine scripted --serial", run.get_program().display()));
        command.env("PROGRAM", run.get_program());
        command.env("LOOK", "echo settings $(stty -g)").envs(environment.iter().copied());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (keys, screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, keys, screen: read(screen), seen: String::new(), at: 0 }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Reads until `text` is on the screen once more.
    pub(crate) fn wait_for(&mut self, text: &str) {
        loop {
            if let Some(found) = self.seen[self.at..].find(text) {
                self.at += found + text.len();
                return;
            }
            match self.screen.recv_timeout(PATIENCE) {
                Ok(more) => self.seen += &String::from_utf8_lossy(&more),
                Err(error) => panic!("waited for {text:?} ({error}): {:?}", self.seen),
            }
        }
    }

    /// Waits for what `eval $LOOK` prints. A key that is pressed before might be shown amid it.
    fn wait_for_settings(&mut self) {
        self.wait_for("settings ");
        self.wait_for("\n");
    }

    /// What was seen, all of it.
    pub(crate) fn end(mut self) -> String {
        loop {
            match self.screen.recv_timeout(PATIENCE) {
                Ok(more) => self.seen += &String::from_utf8_lossy(&more),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("waited for the end ({error}): {:?}", self.seen),
            }
        }
        assert!(self.child.wait().unwrap().success());
        self.seen
    }
}

/// What is on the screen, as it comes. A test that waits for what never comes must end, so it is read by another thread.
fn read(mut screen: ChildStdout) -> Receiver<Vec<u8>> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut more = [0; 4096];
        // A terminal that is gone is an end as well.
        while let Ok(count @ 1..) = screen.read(&mut more) {
            if sender.send(more[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}
