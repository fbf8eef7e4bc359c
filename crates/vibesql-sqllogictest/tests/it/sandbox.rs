//! The program in an empty folder with an empty environment.

use std::fmt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

pub(crate) struct Sandbox {
    dir: TempDir,
}

pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
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

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).unwrap()
    }

    /// Runs the program with the words of `line`.
    pub(crate) fn run(&self, line: &str) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_vibesql-sqllogictest"))
            .args(line.split_whitespace())
            .current_dir(self.path())
            .env_clear()
            .output()
            .unwrap();
        Output {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code().unwrap_or(-1),
        }
    }
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
                let time = words.get(at + 1) == Some(&"s") && words[at].parse::<f64>().is_ok();
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
