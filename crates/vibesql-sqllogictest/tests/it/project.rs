//! A small project with an engine of its own, kept by Git, for what happens between its commits.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sandbox::{Output, Sandbox, path_of_tests};

/// A project with an engine, the program that it makes, and its tests. The engine is built: each function of it is what
/// its source, a shell script, prints when the build runs it.
pub(crate) struct Project {
    pub(crate) sandbox: Sandbox,
    /// The hashes of all commits, the oldest first.
    pub(crate) commits: Vec<String>,
    program: &'static str,
}

/// The test file of the project.
pub(crate) const TEST: &str = "suite/a.test";
/// The program as it is installed.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_vibesql-sqllogictest");

/// What the source of a function is if it prints these orders.
pub(crate) fn source(orders: &str) -> String {
    format!("echo '{orders}'\n")
}

/// Source that no shell takes.
pub(crate) const BROKEN: &str = "echo 'rows 5\n";

impl Project {
    pub(crate) fn new(program: &'static str) -> Self {
        let project = Self { sandbox: Sandbox::new(), commits: Vec::new(), program };
        project.sandbox.git(&["init", "--quiet"]);
        project.sandbox.write(".gitignore", "/built/\n");
        let build = "set -e\nmkdir -p built\nfor code in engine/*.sh; do\n    \
                     sh \"$code\" >\"built/$(basename \"$code\" .sh)\"\ndone\n";
        let program = format!(
            "cat >'built/{program}' <<'END'\n#!/bin/sh\nexec '{PROGRAM}' \"$@\"\nEND\nchmod +x 'built/{program}'\n"
        );
        project.sandbox.write("build.sh", [build, &program].concat());
        project
    }

    pub(crate) fn commit(&mut self, message: &str, files: &[(&str, &str)]) -> String {
        files.iter().for_each(|(path, text)| self.sandbox.write(path, text));
        self.sandbox.git(&["add", "--all"]);
        self.sandbox.git(&["commit", "--quiet", "--message", message]);
        let hash = self.sandbox.git(&["rev-parse", "HEAD"]).trim().to_owned();
        self.commits.push(hash.clone());
        hash
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.sandbox.path().join("built").join(self.program)
    }

    /// A command in the project that finds Git, with the environment of a sandbox.
    pub(crate) fn command(&self, program: &Path, words: &[&str]) -> Output {
        let mut command = self.sandbox.command("");
        let environment: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        command = Command::new(program);
        command.args(words).current_dir(self.sandbox.path()).env_clear().envs(environment);
        command.env("PATH", path_of_tests()).env("GIT_CONFIG_GLOBAL", "/dev/null");
        Output::of(&mut command)
    }

    /// Builds what is checked out, and runs the suite on it.
    pub(crate) fn build_and_run(&self, words: &[&str]) -> Output {
        let built = self.command(Path::new("sh"), &["build.sh"]);
        assert_eq!(built.code, 0, "{built}");
        let words = [&["run", "--engine", "scripted"], words, &["suite"]].concat();
        self.command(&self.program(), &words)
    }

    pub(crate) fn bisect(&self, words: &[&str]) -> Output {
        let program = format!("built/{}", self.program);
        let words = [&["bisect", "--build", "sh build.sh", "--program", &program], words].concat();
        self.command(Path::new(PROGRAM), &words)
    }

    /// What `bisect` tells, without what differs from run to run.
    pub(crate) fn told(&self, output: &Output) -> String {
        let mut text = output.to_string();
        for (number, commit) in self.commits.iter().enumerate() {
            text = text.replace(commit, &format!("[commit {number}]"));
            text = text.replace(&commit[..12], &format!("[commit {number}]"));
            text = text.replace(&commit[..8], &format!("[commit {number}]"));
        }
        for (number, run) in self.sandbox.all_runs().iter().enumerate().rev() {
            text = text.replace(run.file_name().unwrap().to_str().unwrap(), &format!("[run {number}]"));
        }
        // Git tells the place without links.
        let place = self.sandbox.path().canonicalize().unwrap();
        text = text.replace(place.to_str().unwrap(), "[project]");
        let day = self.sandbox.git(&["log", "-1", "--format=%cs"]);
        text.replace(day.trim(), "[day]")
    }

    /// Does what is to be typed next, and returns what Git says of the commit.
    pub(crate) fn follow(&self, output: &Output) -> String {
        assert_eq!(output.code, 0, "{output}");
        let script = output.stdout.lines().find_map(|line| line.strip_prefix("script  ")).unwrap();
        let read = self.command(Path::new("sh"), &["-n", script]);
        assert_eq!((read.code, read.stderr.as_str()), (0, ""), "{read}");
        let steps = output.stdout.split_once("next:\n").unwrap().1;
        let mut said = String::new();
        for step in steps.lines().map(str::trim) {
            let done = self.command(Path::new("sh"), &["-c", step]);
            assert_eq!(done.code, 0, "{step}\n{said}\n{done}");
            said += &done.to_string();
        }
        said
    }

    /// What the script ends with at each commit.
    pub(crate) fn codes(&self) -> Vec<i32> {
        let script = self.sandbox.path().join(".git/sqllogictest-bisect/run.sh");
        let code = |commit: &String| {
            self.sandbox.git(&["checkout", "--quiet", "--detach", commit]);
            // What is set here and now must not matter.
            self.command(Path::new("env"), &["SQLLOGICTEST_PROFILE=x", script.to_str().unwrap()]).code
        };
        let codes = self.commits.iter().map(code).collect();
        self.sandbox.git(&["checkout", "--quiet", "main"]);
        codes
    }

    /// Git has found this commit.
    pub(crate) fn finds(&self, output: &Output, commit: &str) {
        let said = self.follow(output);
        assert!(said.contains(&format!("{commit} is the first bad commit")), "{commit}\n{said}");
    }
}

/// A project of one record, whose function prints these orders at one commit after the other; the first and the last
/// are run.
pub(crate) fn broken_by(name: &str, program: &'static str, orders: &[&str], words: &[&str]) -> Project {
    let mut project = Project::new(program);
    let record = "statement ok\nok\n\nquery I nosort\ndo built/abs\n----\n5\n\n";
    project.commit("begin", &[("engine/abs.sh", &source("rows 5")), (name, record)]);
    project.build_and_run(words);
    for (number, orders) in orders.iter().enumerate() {
        project.commit(orders, &[("engine/abs.sh", &source(orders)), ("README", &number.to_string())]);
    }
    project.build_and_run(words);
    project
}
