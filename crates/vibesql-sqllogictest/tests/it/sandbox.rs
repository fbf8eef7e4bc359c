//! The program in an empty folder with an empty environment.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

pub(crate) struct Sandbox {
    dir: TempDir,
    tmp: TempDir,
    home: TempDir,
}

pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let folder = || tempfile::tempdir().unwrap();
        Self { dir: folder(), tmp: folder(), home: folder() }
    }

    /// A sandbox with one file, `t.test`.
    pub(crate) fn with(text: &str) -> Self {
        let sandbox = Self::new();
        sandbox.write("t.test", text);
        sandbox
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The folder that the program takes for the user's.
    pub(crate) fn home(&self) -> &str {
        self.home.path().to_str().unwrap()
    }

    /// What the program has left in the folder for temporary files.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.tmp.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// The folder of the last run.
    pub(crate) fn last_run(&self) -> Option<PathBuf> {
        self.all_runs().pop()
    }

    /// The folders of all runs, the oldest first.
    pub(crate) fn all_runs(&self) -> Vec<PathBuf> {
        let runs = std::fs::read_dir(self.home.path().join(".vibesql/test_results/runs"));
        let mut runs: Vec<_> = runs.into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        // A name is a second, and from the second run of it on a number.
        runs.sort_by_key(|run| {
            let name = run.file_name().unwrap().to_str().unwrap();
            let (second, number) = name.split_at(15);
            (second.to_owned(), number.trim_start_matches('-').parse().unwrap_or(1_u32))
        });
        runs
    }

    /// The text without the names of folders that differ from run to run.
    pub(crate) fn without_names(&self, text: &str) -> String {
        let text = text.replace(self.home.path().to_str().unwrap(), "[home]");
        let name = self.last_run().and_then(|run| Some(run.file_name()?.to_str()?.to_owned()));
        name.map_or(text.clone(), |name| text.replace(&name, "[run]"))
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).unwrap()
    }

    /// The program with the words of `line`, ready to be started. Its temporary files stay in the sandbox.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vibesql-sqllogictest"));
        command.args(line.split_whitespace()).current_dir(self.path()).env_clear();
        command.env("TMPDIR", self.tmp.path()).env("HOME", self.home.path());
        command
    }

    /// Runs Git in the sandbox, and returns what it says.
    pub(crate) fn git(&self, words: &[&str]) -> String {
        let who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"];
        let mut git = Command::new("git");
        git.current_dir(self.path()).env("GIT_CONFIG_GLOBAL", "/dev/null").args(who).args(words);
        let output = Output::of(&mut git);
        assert_eq!(output.code, 0, "{output}");
        output.stdout
    }

    /// Runs the program with the words of `line`.
    pub(crate) fn run(&self, line: &str) -> Output {
        Output::of(&mut self.command(line))
    }
}

impl Output {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code().unwrap_or(-1),
        }
    }
}

/// Where programs are, for the few commands that start others: the sandbox's own environment is empty.
#[expect(clippy::disallowed_methods, reason = "tests find programs as their caller does")]
pub(crate) fn path_of_tests() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap()
}

/// What a user sees, all of it, without what differs from run to run.
impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit code {}", self.code)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                let text = mask(text);
                write!(f, "--- {name}\n{text}")?;
            }
        }
        Ok(())
    }
}

/// Replaces times and the version of SQLite.
fn mask(text: &str) -> String {
    let mut masked = String::new();
    for line in text.lines() {
        let words: Vec<_> = line.split(' ').collect();
        let shown: Vec<_> = (0..words.len())
            .map(|at| {
                let time = words.get(at + 1).is_some_and(|&next| next == "s" || next == "s;")
                    && words[at].parse::<f64>().is_ok();
                let version = at > 0 && words[at - 1] == "sqlite" && words[at].starts_with("3.");
                if time {
                    "[time]"
                } else if version {
                    "[version]"
                } else {
                    words[at]
                }
            })
            .collect();
        masked += shown.join(" ").trim_end();
        masked.push('\n');
    }
    masked
}
