//! `run --watch`: what changes runs again.

use std::fs::File;
use std::process::Child;

use crate::sandbox::Sandbox;
use crate::support::{send_signal, wait_for};

/// A watch that writes all it says to a file.
struct Watched<'s> {
    sandbox: &'s Sandbox,
    child: Child,
    /// The length of what was seen before.
    seen: usize,
}

impl<'s> Watched<'s> {
    fn start(sandbox: &'s Sandbox, program: Option<&str>, line: &str) -> Self {
        let mut command = sandbox.command(line);
        if let Some(program) = program {
            let plain = command;
            command = std::process::Command::new(sandbox.path().join(program));
            command.args(plain.get_args()).current_dir(sandbox.path()).env_clear();
            command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        }
        let out = File::create(sandbox.path().join("out")).unwrap();
        command.stdout(out.try_clone().unwrap()).stderr(out);
        Self { sandbox, child: command.spawn().unwrap(), seen: 0 }
    }

    /// Returns what is written up to the next pause of the watch.
    fn pause(&mut self) -> String {
        let mut text = String::new();
        wait_for("the end of a run", || {
            text = self.sandbox.read("out").split_off(self.seen);
            text.contains("Ctrl-C ends this\n")
        });
        self.seen += text.len();
        text
    }

    /// Waits for a text.
    fn wait_for(&self, wanted: &str) {
        wait_for(wanted, || self.sandbox.read("out")[self.seen..].contains(wanted));
    }

    /// Presses Ctrl-C, and returns the exit code.
    fn interrupt(mut self) -> i32 {
        send_signal("INT", self.child.id());
        self.child.wait().unwrap().code().unwrap()
    }
}

/// Replaces a file as editors do.
fn replace(sandbox: &Sandbox, path: &str, text: &str) {
    sandbox.write("edited", text);
    std::fs::rename(sandbox.path().join("edited"), sandbox.path().join(path)).unwrap();
}

/// Returns the lines of files that have run, in their order.
fn ran(text: &str) -> Vec<&str> {
    let words = ["PASS", "FAIL", "EMPTY"];
    let lines = text.lines().filter(|line| words.iter().any(|word| line.starts_with(word)));
    lines.filter_map(|line| line.split_whitespace().find(|word| word.starts_with("s/"))).collect()
}

#[test]
fn what_changes_runs_again() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.slt", "# slt-dialect: rs\ninclude parts/*.part\n");
    sandbox.write("s/parts/x.part", "statement ok\nok\n");
    sandbox.write("s/b.test", "statement ok\nok\n");
    sandbox.write("s/c.test", "statement ok\nerror no\n");
    let mut watch = Watched::start(&sandbox, None, "run --watch --engine scripted --serial s");
    let first = watch.pause();
    let mut all = ran(&first);
    all.sort_unstable();
    assert_eq!(all, ["s/a.slt", "s/b.test", "s/c.test"], "{first}");
    assert!(first.contains("watching 3 files and vibesql-sqllogictest; Ctrl-C ends this"), "{first}");

    replace(&sandbox, "s/b.test", "statement ok\nerror new\n");
    let text = watch.pause();
    assert!(text.contains("note: changed: s/b.test\n"), "{text}");
    assert_eq!(ran(&text), ["s/b.test"], "{text}");

    sandbox.write("s/parts/x.part", "statement ok\nok\n\nstatement ok\nok\n");
    let text = watch.pause();
    assert!(text.contains("note: changed: s/parts/x.part\n"), "{text}");
    assert_eq!(ran(&text), ["s/a.slt"], "{text}");

    // A deleted file that comes back.
    sandbox.write("s/e.slt", "# slt-dialect: rs\ninclude ../one.part\n");
    assert_eq!(ran(&watch.pause()), ["s/e.slt"]);
    sandbox.write("one.part", "statement ok\nok\n");
    let text = watch.pause();
    assert!(text.contains("one.part\n") && text.contains("PASS    s/e.slt"), "{text}");

    // Both are taken together, also if one of them follows during the run.
    sandbox.write("s/d.test", "statement ok\nonce started ok\nawait go\n");
    wait_for("the run", || sandbox.path().join("started").exists());
    replace(&sandbox, "s/b.test", "statement ok\nok\n");
    std::fs::remove_file(sandbox.path().join("s/c.test")).unwrap();
    sandbox.write("go", "");
    let text = watch.pause();
    assert!(text.contains("note: new: s/d.test\n"), "{text}");
    assert_eq!(ran(&text), ["s/d.test"], "{text}");
    let text = watch.pause();
    assert!(text.contains("note: changed: s/b.test; deleted: s/c.test\n"), "{text}");
    assert_eq!(ran(&text), ["s/b.test"], "{text}");

    // The exit code is that of the last run, and only the first one is stored.
    assert_eq!(watch.interrupt(), 0);
    assert_eq!(sandbox.all_runs().len(), 1);
    assert!(sandbox.run("show last").stdout.contains("s/c.test"));
    assert_eq!(sandbox.leftovers(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_new_program_runs_all_files_and_failed_ones_first() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nok\n");
    sandbox.write("s/b.test", "statement ok\nok\n");
    sandbox.write("s/c.test", "statement ok\nerror no\n");
    sandbox.write("s/ignored.test", "statement ok\nok\n");
    std::fs::copy(env!("CARGO_BIN_EXE_vibesql-sqllogictest"), sandbox.path().join("slt")).unwrap();
    let line = "run --watch --engine scripted --serial --order path --exclude ignored.test s";
    let mut watch = Watched::start(&sandbox, Some("slt"), line);
    assert_eq!(ran(&watch.pause()), ["s/a.test", "s/b.test", "s/c.test"]);
    // What the arguments exclude does not run.
    replace(&sandbox, "s/ignored.test", "statement ok\nerror no\n");
    watch.wait_for("not selected");
    watch.pause();
    std::fs::copy(sandbox.path().join("slt"), sandbox.path().join("new")).unwrap();
    std::fs::rename(sandbox.path().join("new"), sandbox.path().join("slt")).unwrap();
    let text = watch.pause();
    assert!(text.contains("note: changed: slt\n"), "{text}");
    assert_eq!(ran(&text), ["s/c.test", "s/a.test", "s/b.test"], "{text}");
    assert_eq!(watch.interrupt(), 1);
}

#[test]
fn what_cannot_be_watched() {
    let sandbox = Sandbox::new();
    for line in ["run --watch -", "run --watch --resume", "run --watch /dev/stdin"] {
        let output = sandbox.run(line);
        assert_eq!(output.code, 2, "{line}: {output}");
    }
    let absent = sandbox.run("run --watch --engine scripted absent");
    assert_eq!(absent.code, 2, "{absent}");
    assert!(absent.stderr.contains("no such file or directory: `absent`"), "{absent}");
}
