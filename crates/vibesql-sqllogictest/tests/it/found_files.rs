//! Which files are found, by the words that name them: odd names, links, pipes, patterns.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::sandbox::{Output, Sandbox, path_of_tests};

const GOOD: &str = "statement ok\nSELECT 1\n";
const BAD: &str = "statement ok\nSELECT 1\n\nstatement ok\nSELECT nothing\n";

fn write_bytes(sandbox: &Sandbox, name: &[u8], text: &str) -> PathBuf {
    let path = sandbox.path().join(OsStr::from_bytes(name));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

/// Runs the program with a text on standard input.
fn piped(sandbox: &Sandbox, line: &str, text: &str) -> Output {
    let mut command = sandbox.command(line);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Output {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code().unwrap_or(-1),
    }
}

#[test]
fn a_name_that_is_not_utf8_is_a_name_like_any_other() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", GOOD);
    write_bytes(&sandbox, b"s/caf\xe9/b\xff.test", BAD);
    write_bytes(&sandbox, b"s/line\nbreak.test", GOOD);
    let listed = sandbox.run("list s");
    assert_eq!(listed.stdout, "s/a.test\ns/caf\\xe9/b\\xff.test\ns/line\\x0abreak.test\n", "{listed}");
    let output = sandbox.run("run --engine sqlite --json out.json s");
    assert_eq!(output.code, 1, "{output}");
    assert!(output.stdout.contains("FAIL    s/caf\\xe9/b\\xff.test  1 passed, 1 failed"), "{output}");
    assert!(output.stdout.contains("FAIL: 2 of 3 files and 3 of 4 records passed"), "{output}");
    let report: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    assert_eq!(report["files"][1]["file"], "caf\\xe9/b\\xff.test", "{report:#}");
    // What is shown can be typed.
    assert!(output.stdout.contains("'s/caf\\xe9/b\\xff.test:4'"), "{output}");
    assert_eq!(sandbox.run("test --engine sqlite s/caf\\xe9/b\\xff.test:4").code, 1);
    assert_eq!(sandbox.run("test --engine sqlite s/line\\x0abreak.test").code, 0);
    // A character that turns the direction of text is not printed, and the name can be typed all the same.
    sandbox.write("t/\u{202e}tset.a.test", GOOD);
    assert_eq!(sandbox.run("list t").stdout, "t/\\xe2\\x80\\xaetset.a.test\n");
    assert_eq!(sandbox.run("test --engine sqlite t/\\xe2\\x80\\xaetset.a.test").code, 0);
    assert_eq!(sandbox.run("list s --files caf\\xe9/b\\xff.test").stdout, "s/caf\\xe9/b\\xff.test\n");
    // So can its bytes.
    let mut typed = sandbox.command("run --engine sqlite");
    typed.arg(OsStr::from_bytes(b"s/caf\xe9/b\xff.test"));
    assert!(Output::of(&mut typed).stdout.contains("FAIL    s/caf\\xe9/b\\xff.test"));
    // The journal knows where it is.
    assert_eq!(sandbox.run("list --engine sqlite --failed s").stdout, "s/caf\\xe9/b\\xff.test\n");
    let analyzed = sandbox.run("analyze");
    assert!(analyzed.stdout.contains("SELECT nothing"), "{analyzed}");
}

#[test]
fn a_folder_whose_name_is_not_utf8_can_be_the_working_directory_and_the_suite() {
    let sandbox = Sandbox::new();
    let file = write_bytes(&sandbox, b"d\xff/s/a.test", BAD);
    let ledger = "[[xfail]]\nfile = \"a.test\"\n";
    write_bytes(&sandbox, b"d\xff/s/expectations.toml", ledger);
    let mut inside = sandbox.command("run --engine sqlite s");
    inside.current_dir(file.parent().unwrap().parent().unwrap());
    let output = Output::of(&mut inside);
    assert_eq!(output.code, 0, "{output}");
    assert!(output.stdout.contains("AS EXPECTED"), "{output}");
    let output = sandbox.run("run --engine sqlite d\\xff/s");
    assert_eq!(output.code, 0, "{output}");
}

#[test]
fn links_that_lead_nowhere_are_skipped_with_a_warning_and_named_ones_are_errors() {
    let sandbox = Sandbox::new();
    sandbox.write("s/good.test", GOOD);
    sandbox.write("s/sub/more.test", GOOD);
    symlink("nowhere", sandbox.path().join("s/dangling.test")).unwrap();
    symlink("..", sandbox.path().join("s/sub/up")).unwrap();
    symlink("itself.test", sandbox.path().join("s/itself.test")).unwrap();
    let output = sandbox.run("run --engine sqlite --order path --serial s");
    insta::assert_snapshot!(output, @r"
    exit code 0
    --- stdout
    PASS    s/good.test      1 record  [time] s
    PASS    s/sub/more.test  1 record  [time] s

     category  files  passed  failed  other      rate  records  passed  failed  skipped  other      rate
     other         1       1       0      0  100.00 %        1       1       0        0      0  100.00 %
     sub           1       1       0      0  100.00 %        1       1       0        0      0  100.00 %
     total         2       2       0      0  100.00 %        2       2       0        0      0  100.00 %

    PASS: 2 of 2 files and 2 of 2 records passed on sqlite [version] in [time] s
    --- stderr
    warning: skipped `s/dangling.test`: a symbolic link to something that is not there
    warning: skipped `s/itself.test`: a symbolic link that leads back to itself
    warning: skipped `s/sub/up`: a symbolic link that leads back to itself
    ");
    for name in ["s/dangling.test", "s/itself.test"] {
        for command in ["run --engine sqlite", "test --engine sqlite", "list"] {
            let output = sandbox.run(&format!("{command} {name}"));
            assert_eq!(output.code, 2, "{output}");
            let error = format!("error: cannot read `{name}`, a symbolic link\n");
            assert!(output.stderr.starts_with(&error), "{output}");
        }
    }
}

#[test]
fn a_glob_looks_at_nothing_that_it_cannot_match() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a/good.test", GOOD);
    sandbox.write("s/good.test", GOOD);
    symlink("nowhere", sandbox.path().join("s/dangling.test")).unwrap();
    symlink("nowhere", sandbox.path().join("s/b")).unwrap();
    symlink(".", sandbox.path().join("s/a/loop")).unwrap();
    write_bytes(&sandbox, b"s/\xff.test", GOOD);
    for (glob, files, warnings) in [
        ("s/g*.test", "s/good.test\n", 0),
        ("s/a/*", "s/a/good.test\n", 0),
        ("s/a*/good.test", "s/a/good.test\n", 0),
        ("s/*d*.test", "s/good.test\n", 1),
        ("s/?/good.test", "s/a/good.test\n", 1),
        // What these match may be anywhere.
        ("s/**/good.test", "s/a/good.test\ns/good.test\n", 3),
        ("s/{a,x/y}/*.test", "s/a/good.test\n", 3),
    ] {
        let output = sandbox.run(&format!("list {glob}"));
        assert_eq!((output.stdout.as_str(), output.code), (files, 0), "{glob}: {output}");
        let found = output.stderr.lines().filter(|line| line.starts_with("warning: skipped")).count();
        assert_eq!(found, warnings, "{glob}: {output}");
    }
}

#[test]
fn special_files_below_a_directory_hang_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("s/good.test", GOOD);
    make_fifo(&sandbox, "s/fifo.test");
    make_fifo(&sandbox, "s/fifo");
    let _socket = std::os::unix::net::UnixListener::bind(sandbox.path().join("s/socket.test")).unwrap();
    symlink("/dev/zero", sandbox.path().join("s/zero.test")).unwrap();
    let output = sandbox.run("run --engine sqlite s");
    assert_eq!(output.code, 0, "{output}");
    assert!(output.stdout.contains("PASS: 1 of 1 file"), "{output}");
    assert_eq!(
        output.stderr,
        "warning: skipped `s/fifo.test`: it is a FIFO, not a file\n\
         warning: skipped `s/socket.test`: it is a socket, not a file\n\
         warning: skipped `s/zero.test`: it is a device, not a file\n",
        "{output}"
    );
    // Named, it is a result: the others are run.
    let output = sandbox.run("run --engine sqlite s/zero.test s/good.test");
    assert_eq!(output.code, 2, "{output}");
    assert!(
        output.stdout.contains("ERROR   s/zero.test  cannot read the file: it is a device, not a file"),
        "{output}"
    );
    assert!(output.stdout.contains("PASS    s/good.test"), "{output}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read_is_a_result_and_the_others_are_run_and_listed() {
    let sandbox = Sandbox::new();
    sandbox.write("s/good.test", GOOD);
    // Not even root can read this from its beginning.
    symlink("/proc/self/mem", sandbox.path().join("s/bad.test")).unwrap();
    let output = sandbox.run("run --engine sqlite s");
    assert_eq!(output.code, 2, "{output}");
    assert!(output.stdout.contains("ERROR   s/bad.test"), "{output}");
    assert!(output.stdout.contains("PASS    s/good.test"), "{output}");
    let output = sandbox.run("list --long s");
    assert_eq!(output.code, 2, "{output}");
    assert_eq!(output.stdout, "s/bad.test\ns/good.test  1 record (sqlite)\n", "{output}");
    assert!(output.stderr.starts_with("warning: s/bad.test: cannot read it: "), "{output}");
}

#[test]
fn a_folder_that_cannot_be_listed_is_skipped_with_a_warning() {
    let sandbox = Sandbox::new();
    sandbox.write("s/good.test", GOOD);
    sandbox.write("s/locked/lost.test", GOOD);
    let set_mode = |path: &str, mode| {
        std::fs::set_permissions(sandbox.path().join(path), Permissions::from_mode(mode)).unwrap();
    };
    set_mode("", 0o755);
    set_mode("s/locked", 0o000);
    // Root may list anything, so this is somebody else, who may not reach the program where it was built.
    let is_root = rustix::process::geteuid().is_root();
    let copy = sandbox.path().join("program");
    let mut copying = Command::new("cp");
    copying.arg(env!("CARGO_BIN_EXE_vibesql-sqllogictest")).arg(&copy).env("PATH", path_of_tests());
    assert!(copying.status().unwrap().success());
    let list = |words: &str| {
        let mut command = Command::new(&copy);
        command.arg("list").args(words.split_whitespace()).current_dir(sandbox.path()).env_clear();
        if is_root {
            command.uid(65_534);
        }
        Output::of(&mut command)
    };
    let output = list("s");
    assert_eq!((output.code, output.stdout.as_str()), (0, "s/good.test\n"), "{output}");
    let warning = "warning: skipped `s/locked`, with all that is in it: Permission denied (os error 13)\n";
    assert_eq!(output.stderr, warning, "{output}");
    for glob in ["s/*.test", "s/good*/*.test s/good.test"] {
        let output = list(glob);
        assert!(!output.stderr.contains("locked"), "it cannot match `{glob}`: {output}");
    }
    let output = list("s/locked");
    assert_eq!(output.code, 2, "{output}");
    let output = list("s/locked/lost.test");
    assert!(output.stderr.starts_with("error: cannot read `s/locked/lost.test`\n"), "{output}");
    set_mode("s/locked", 0o755);
}

fn make_fifo(sandbox: &Sandbox, name: &str) {
    let made = Command::new("mkfifo").arg(sandbox.path().join(name)).env("PATH", path_of_tests()).status();
    assert!(made.unwrap().success());
}

#[test]
fn standard_input_is_read_once_and_has_a_name() {
    let sandbox = Sandbox::new();
    for word in ["-", "/dev/stdin", "/dev/fd/0"] {
        let output = piped(&sandbox, &format!("run --engine sqlite --repeat 2 --workers 2 {word}"), BAD);
        assert_eq!(output.code, 1, "{output}");
        assert!(output.stdout.contains("FAIL    <stdin>  1 passed, 1 failed"), "{output}");
        // No command can read it again.
        assert!(!output.stdout.contains("look at the first"), "{output}");
        let output = piped(&sandbox, &format!("test --engine sqlite {word}"), BAD);
        assert_eq!(output.code, 1, "{output}");
        assert!(output.stdout.contains("FAIL  <stdin>  1 passed, 1 failed"), "{output}");
        assert!(!output.stdout.contains("again:"), "{output}");
        let shown = sandbox.run("show last <stdin>");
        assert!(shown.code == 0 && !shown.stdout.contains("again:"), "{shown}");
    }
    let output = piped(&sandbox, "test --engine sqlite /dev/stdin:4", BAD);
    assert!(output.stdout.contains("FAIL  <stdin>"), "{output}");
    // A file is one, too, whatever part of it was read.
    sandbox.write("t.test", GOOD);
    let file = std::fs::File::open(sandbox.path().join("t.test")).unwrap();
    let output = Output::of(sandbox.command("run --engine sqlite -").stdin(file));
    assert_eq!(output.code, 0, "{output}");
    assert_eq!(piped(&sandbox, "run --engine sqlite -", "").code, 3, "it is empty");
    let output = piped(&sandbox, "run --engine sqlite - /dev/stdin", GOOD);
    assert_eq!(output.code, 2, "{output}");
    assert!(output.stderr.contains("standard input is named twice"), "{output}");
}

#[test]
fn another_text_on_standard_input_is_another_file() {
    let sandbox = Sandbox::new();
    assert_eq!(piped(&sandbox, "run --engine sqlite -", BAD).code, 1);
    assert_eq!(piped(&sandbox, "run --engine sqlite -", GOOD).code, 0);
    let compared = sandbox.run("compare");
    assert!(!compared.stdout.contains("fixed"), "{compared}");
    // What failed is known again by its text.
    assert_eq!(piped(&sandbox, "run --engine sqlite --failed -", GOOD).code, 3);
    assert_eq!(piped(&sandbox, "run --engine sqlite --failed -", BAD).code, 1);
    let flaky = sandbox.run("flaky --engine sqlite");
    assert!(!flaky.stdout.contains("stdin"), "{flaky}");
}

#[test]
fn what_was_read_from_a_pipe_is_there_when_the_run_is_resumed() {
    let sandbox = Sandbox::new();
    sandbox.write("a.test", "statement ok\nsleep 60000\n");
    let line = "run --engine scripted --serial --order path --time 1 --grace 0 a.test -";
    let output = piped(&sandbox, line, "statement ok\nok\n");
    assert_eq!(output.code, 5, "{output}");
    assert!(!output.stdout.contains("<stdin>"), "{output}");
    sandbox.write("a.test", "statement ok\nok\n");
    let output = sandbox.run("run --resume");
    assert!(output.stdout.contains("PASS    <stdin>  1 record"), "{output}");
}

#[test]
fn pipes_of_the_shell_are_read_once() {
    let sandbox = Sandbox::new();
    sandbox.write("good.test", GOOD);
    sandbox.write("bad.test", BAD);
    make_fifo(&sandbox, "fifo.test");
    let program = env!("CARGO_BIN_EXE_vibesql-sqllogictest");
    let shell = |script: &str| {
        let mut command = sandbox.command("");
        let mut bash = Command::new("bash");
        bash.current_dir(sandbox.path()).env_clear().env("PATH", path_of_tests());
        bash.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command = bash;
        Output::of(command.args(["-c", &script.replace("PROGRAM", program)]))
    };
    let output = shell("PROGRAM run --engine sqlite <(cat good.test) <(cat bad.test)");
    assert_eq!(output.code, 1, "{output}");
    assert!(output.stdout.contains("FAIL: 1 of 2 files and 2 of 3 records passed"), "{output}");
    let output = shell("PROGRAM test --engine sqlite <(cat good.test)");
    assert_eq!(output.code, 0, "{output}");
    let output = shell("cat good.test > fifo.test & PROGRAM run --engine sqlite fifo.test");
    assert_eq!(output.code, 0, "{output}");
    assert!(output.stdout.contains("PASS    fifo.test  1 record"), "{output}");
}

fn suite() -> Sandbox {
    let sandbox = Sandbox::new();
    for file in ["recursive_cte.test", "with/recursive1.test", "with/plain.test", "index/a/b.test"] {
        sandbox.write(&format!("s/{file}"), GOOD);
    }
    sandbox
}

#[test]
fn a_pattern_without_a_slash_is_for_names_of_files_and_folders() {
    let sandbox = suite();
    let list = |flags: &str| {
        let output = sandbox.run(&format!("list {flags}"));
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{output}");
        output.stdout
    };
    assert_eq!(list("--exclude recursive* s"), "s/index/a/b.test\ns/with/plain.test\n");
    assert_eq!(list("--filter recursive* s"), "s/recursive_cte.test\ns/with/recursive1.test\n");
    assert_eq!(list("--filter wi* s"), "s/with/plain.test\ns/with/recursive1.test\n");
    assert_eq!(list("--filter /*.test s"), "s/recursive_cte.test\n");
    assert_eq!(list("--filter with/* s"), "s/with/plain.test\ns/with/recursive1.test\n");
    // A path as it is shown may be typed, whatever directory was named.
    assert_eq!(list("--exclude s/with/rec* s/with"), "s/with/plain.test\n");
    assert_eq!(list("--filter with/plain s/with"), "s/with/plain.test\n");
    // The same in the configuration and in the file of what is expected.
    sandbox.write("sqllogictest.toml", "[suite.own]\npaths = ['s']\nexclude = ['recursive*']\n");
    assert_eq!(list("--suite own"), "s/index/a/b.test\ns/with/plain.test\n");
    sandbox.write("s/expectations.toml", "[[skip]]\nfile = 'recursive*'\n");
    let listed = sandbox.run("list s");
    assert_eq!(listed.stdout, "s/index/a/b.test\ns/with/plain.test\n", "{listed}");
    assert_eq!(listed.stderr, "note: 2 files skipped (`skip` in expectations.toml)\n", "{listed}");
    assert_eq!(list("--no-expectations --filter recursive1 s"), "s/with/recursive1.test\n");
}

#[test]
fn the_ledger_names_a_file_with_special_signs_and_no_other_of_that_name() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a[1].test", BAD);
    sandbox.write("s/sub/a[1].test", GOOD);
    assert_eq!(sandbox.run("run --engine sqlite s").code, 1);
    assert_eq!(sandbox.run("expectations update").code, 0);
    let output = sandbox.run("run --engine sqlite s");
    assert_eq!(output.code, 0, "{output}");
    sandbox.write("s/sub/a[1].test", BAD);
    assert_eq!(sandbox.run("run --engine sqlite s").code, 1);
}

#[test]
fn each_pattern_that_matches_nothing_is_named() {
    let sandbox = suite();
    let warnings = |line: &str| {
        let output = sandbox.run(line);
        assert_eq!(output.code, 0, "{output}");
        output.stderr
    };
    let typed = "--exclude recursiv --exclude nothing* --filter with --filter category:joins s";
    let expected = "warning: --filter `category:joins` matches none of 4 files\n\
                    warning: --exclude `nothing*` matches none of 4 files\n";
    assert_eq!(warnings(&format!("list {typed}")), expected);
    assert_eq!(warnings(&format!("run --engine sqlite {typed}")), expected);
    sandbox.write(
        "sqllogictest.toml",
        "[suite.own]\npaths = ['s']\nexclude = ['with/no*']\n\n[[override]]\nfiles = ['slow', 'with']\ntimeout = 9\n",
    );
    let of_file = "warning: exclude `with/no*` (sqllogictest.toml:3, suite own) matches none of 4 files\n";
    let of_override = "warning: override `slow` (sqllogictest.toml:5) matches none of 4 files\n";
    assert_eq!(warnings("list --suite own"), of_file);
    assert_eq!(warnings("run --engine sqlite --suite own"), format!("{of_file}{of_override}"));
    // Of paths that are typed, what is always so says nothing.
    assert_eq!(warnings("run --engine sqlite --suite own s/with"), "");
    // What is for several suites need not match in each.
    sandbox.write("sqllogictest.toml", "exclude = ['x*']\n[suite.own]\npaths = ['s']\n[suite.other]\n");
    assert_eq!(warnings("list --suite own"), "");
}

#[test]
fn a_directory_is_tested_as_it_is_run() {
    let sandbox = suite();
    sandbox.write("s/bad.test", BAD);
    for word in ["s", "s/**/*.test"] {
        let output = sandbox.run(&format!("test --engine sqlite {word}"));
        assert_eq!(output.code, 1, "{output}");
        assert_eq!(output.stdout.matches("PASS  s/").count(), 4, "{output}");
        assert_eq!(output.stdout.matches("FAIL  s/bad.test  1 passed").count(), 1, "{output}");
    }
    let shipped = sandbox.run("list suite:joins").stdout;
    let output = sandbox.run("test --engine sqlite suite:joins");
    assert_eq!((output.stdout.lines().count(), output.code), (shipped.lines().count(), 0), "{output}");
    let output = sandbox.run("test --engine sqlite s:3");
    assert_eq!(output.code, 2, "{output}");
    assert!(output.stderr.contains("error: `s` is not one file"), "{output}");
}

#[test]
fn list_takes_what_run_takes() {
    let sandbox = Sandbox::new();
    for (file, text) in [("a", "ok"), ("b", "error no"), ("c", "error no"), ("d", "ok")] {
        sandbox.write(&format!("s/{file}.test"), format!("statement ok\n{text}\n"));
    }
    assert_eq!(sandbox.run("run --engine scripted s").code, 1);
    let list = |flags: &str| sandbox.run(&format!("list --engine scripted {flags} s")).stdout;
    assert_eq!(list("--failed"), "s/b.test\ns/c.test\n");
    assert_eq!(list("--failed --exclude b*"), "s/c.test\n");
    let shards = ["1/2", "2/2"].map(|shard| list(&format!("--failed --shard {shard} --balance time")));
    assert_eq!(shards.concat().lines().count(), 2, "{shards:?}");
    sandbox.git(&["init", "-q"]);
    sandbox.git(&["add", "s"]);
    sandbox.git(&["commit", "-q", "-m", "first"]);
    sandbox.write("s/d.test", "statement ok\nok\n\n");
    let mut changed = sandbox.command("list --changed s");
    assert_eq!(Output::of(changed.env("PATH", path_of_tests())).stdout, "s/d.test\n");
    let nothing = sandbox.run("list --engine sqlite --failed s");
    assert_eq!(nothing.code, 3, "{nothing}");
}

#[test]
fn show_takes_the_names_that_run_takes() {
    let sandbox = Sandbox::new();
    let names = ["n\nl.test", "a\\x41.test"];
    for name in names {
        sandbox.write(name, GOOD);
        let run = |words: &[&str]| Output::of(sandbox.command("").args(words));
        let output = run(&["run", "--engine", "sqlite", name]);
        assert_eq!(output.code, 0, "{output}");
        let shown = run(&["show", "last", name]);
        assert!(shown.code == 0 && shown.stdout.starts_with("PASS"), "{shown}");
    }
}
