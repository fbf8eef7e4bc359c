//! The example workflow of docs/ci.md, executed: each step of each job, with GitHub's variables, in a new checkout.
//!
//! GitHub is replaced by folders: caches, artifacts, and a program `gh` that keeps comments as files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

use crate::project::PROGRAM;
use crate::sandbox::{Output, Sandbox, path_of_tests};

const WORKFLOW: &str = include_str!("../../../../docs/examples/github-actions.yml");
/// Keeps comments in `$COMMENTS/ID`. Its list has the comments with the mark, which `--jq` selects.
const GH: &str = r#"#!/bin/sh
set -eu
[ "$1" = api ]
for word; do case "$word" in repos/*) path="$word" ;; body=@*) body="${word#body=@}" ;; esac; done
case "$*" in
    *"--method PATCH"*) id="${path##*/}"; test -f "$COMMENTS/$id"; echo edited "$id" >>"$COMMENTS/log" ;;
    *"--method POST"*) id="$(ls "$COMMENTS" | wc -l)"; echo made "$id" >>"$COMMENTS/log" ;;
    *) cd "$COMMENTS"; grep -lx -e '<!-- vibesql-sqllogictest -->' -- [0-9]* 2>/dev/null || true; exit 0 ;;
esac
cp "$body" "$COMMENTS/$id"
"#;

/// Reads the part of YAML that the workflow uses: mappings, lists, block texts, and `[a, b]`.
fn yaml(lines: &mut std::iter::Peekable<std::vec::IntoIter<(usize, String)>>, indent: usize) -> Value {
    let mut list = Vec::new();
    let mut map = Map::new();
    while let Some((depth, line)) = lines.peek().cloned().filter(|(depth, _)| *depth >= indent) {
        assert_eq!(depth, indent, "{line}");
        lines.next();
        if let Some(item) = line.strip_prefix("- ") {
            // The item is a mapping that begins in this line.
            let mut rest = vec![(indent + 2, item.to_owned())];
            while let Some(next) = lines.next_if(|(depth, _)| *depth > indent) {
                rest.push(next);
            }
            list.push(yaml(&mut rest.into_iter().peekable(), indent + 2));
            continue;
        }
        let (key, value) = line.split_once(':').unwrap_or_else(|| panic!("{line}"));
        let value = match value.trim() {
            "" => match lines.peek() {
                Some((depth, _)) if *depth > indent => {
                    let depth = *depth;
                    yaml(lines, depth)
                }
                _ => Value::Null,
            },
            "|" => {
                let first = lines.peek().unwrap().0;
                let mut text = String::new();
                while let Some((depth, line)) = lines.next_if(|(depth, _)| *depth >= first) {
                    let _ = writeln!(text, "{}{line}", " ".repeat(depth - first));
                }
                text.into()
            }
            list if list.starts_with('[') => {
                list.trim_matches(['[', ']']).split(", ").collect::<Vec<_>>().into()
            }
            text => text.into(),
        };
        assert!(map.insert(key.to_owned(), value).is_none(), "{key}");
    }
    if list.is_empty() { map.into() } else { list.into() }
}

fn workflow() -> Value {
    let lines = WORKFLOW.lines().filter(|line| {
        let text = line.trim();
        !text.is_empty() && !text.starts_with('#')
    });
    let lines: Vec<_> =
        lines.map(|line| (line.len() - line.trim_start().len(), line.trim().to_owned())).collect();
    yaml(&mut lines.into_iter().peekable(), 0)
}

/// GitHub: a repository, its caches, and the runs of its workflow.
struct Hub {
    sandbox: Sandbox,
    workflow: Value,
    run: u64,
}

/// A run of the workflow.
struct RunOfWorkflow<'h> {
    hub: &'h Hub,
    is_pull_request: bool,
    /// The values of expressions.
    values: BTreeMap<String, String>,
    artifacts: PathBuf,
    variables: Vec<(String, String)>,
    /// What the steps printed, by the name of the step.
    printed: BTreeMap<String, String>,
    /// The steps that failed.
    failed: Vec<String>,
}

impl Hub {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        for folder in ["origin", "bin", "cache", "comments"] {
            fs::create_dir(sandbox.path().join(folder)).unwrap();
        }
        sandbox.write("bin/gh", GH);
        let gh = sandbox.path().join("bin/gh");
        fs::set_permissions(gh, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink(PROGRAM, sandbox.path().join("bin/vibesql-sqllogictest")).unwrap();
        sandbox.git(&["init", "--quiet", "origin"]);
        sandbox.write("origin/sqllogictest.toml", "engine = \"scripted\"\n");
        for number in 0..12 {
            let record = format!("query I nosort\ndo engine/{number}\n----\n5\n\n");
            let text = format!("statement ok\nok\n\n{record}statement ok\nok\n");
            sandbox.write(&format!("origin/tests/{}/{number}.test", number % 3), text);
            sandbox.write(&format!("origin/engine/{number}"), "rows 5\n");
        }
        Self { sandbox, workflow: workflow(), run: 0 }
    }

    fn commit(&self, files: &[(&str, &str)]) {
        files.iter().for_each(|(path, text)| self.sandbox.write(&format!("origin/{path}"), text));
        self.sandbox.git(&["-C", "origin", "add", "--all"]);
        self.sandbox.git(&["-C", "origin", "commit", "--quiet", "--message", "change"]);
    }

    /// Runs the whole workflow for a push to main, or for a pull request.
    fn push(&mut self, is_pull_request: bool) -> RunOfWorkflow<'_> {
        self.run += 1;
        let artifacts = self.sandbox.path().join(format!("artifacts-{}", self.run));
        fs::create_dir(&artifacts).unwrap();
        let (on_main, by_request) = ((!is_pull_request).to_string(), is_pull_request.to_string());
        let number = self.run.to_string();
        let kept = "github.ref == 'refs/heads/main' && needs.shard.result == 'success'";
        let values = [
            ("!cancelled()", "true"),
            ("github.run_id", number.as_str()),
            ("github.run_attempt", "1"),
            ("github.token", "secret"),
            ("github.event.pull_request.number", "7"),
            (kept, on_main.as_str()),
            (
                "github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name == \
                 github.repository",
                by_request.as_str(),
            ),
        ];
        let mut values: BTreeMap<_, _> =
            values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut variables = Vec::new();
        for (name, value) in self.workflow["env"].as_object().unwrap() {
            let value = value.as_str().unwrap().to_owned();
            values.insert(format!("env.{name}"), value.clone());
            variables.push((name.clone(), value));
        }
        let mut run = RunOfWorkflow {
            hub: self,
            is_pull_request,
            values,
            artifacts,
            variables,
            printed: BTreeMap::new(),
            failed: Vec::new(),
        };
        run.job("history");
        let shards = self.workflow["jobs"]["shard"]["strategy"]["matrix"]["shard"].as_array().unwrap();
        run.values.insert("strategy.job-total".to_owned(), shards.len().to_string());
        for shard in shards {
            run.values.insert("matrix.shard".to_owned(), shard.as_str().unwrap().to_owned());
            run.job("shard");
        }
        run.job("report");
        run
    }
}

/// Copies what is in a folder; one that does not exist is empty.
fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        let copied = Command::new("cp").arg("-R").arg(from.join(".")).arg(to).status().unwrap();
        assert!(copied.success());
    }
}

impl RunOfWorkflow<'_> {
    fn workspace(&self) -> PathBuf {
        self.hub.sandbox.path().join("work/project")
    }

    /// The text with the values of its expressions.
    fn expanded(&self, text: &str) -> String {
        let mut parts = text.split("${{ ");
        let mut expanded = parts.next().unwrap().to_owned();
        for part in parts {
            let (expression, rest) = part.split_once(" }}").unwrap();
            let value = self.values.get(expression).unwrap_or_else(|| panic!("no value of {expression}"));
            let _ = write!(expanded, "{value}{rest}");
        }
        expanded
    }

    /// Runs the steps of a job in a new workspace.
    fn job(&mut self, name: &str) {
        let hub = self.hub;
        let job = &hub.workflow["jobs"][name];
        drop(fs::remove_dir_all(self.workspace()));
        fs::create_dir_all(self.workspace()).unwrap();
        let of_job = job.get("env").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut failed = false;
        for step in job["steps"].as_array().unwrap() {
            let condition = step.get("if").map_or("", |condition| condition.as_str().unwrap());
            // A condition that does not ask for the state of the job means also that no step has failed.
            if self.expanded(condition) == "false" || (failed && !condition.contains("cancelled()")) {
                continue;
            }
            if let Some(action) = step.get("uses") {
                self.action(action.as_str().unwrap(), &step["with"]);
                continue;
            }
            let title = step["name"].as_str().unwrap();
            // What a project does instead.
            if title == "Install" {
                continue;
            }
            let of_step = step.get("env").and_then(Value::as_object).cloned().unwrap_or_default();
            let variables = of_job.iter().chain(&of_step);
            let variables: Vec<_> = variables
                .map(|(name, value)| (name.clone(), self.expanded(value.as_str().unwrap())))
                .collect();
            let output = self.step(step["run"].as_str().unwrap(), &variables);
            if output.code != 0 {
                failed = true;
                self.failed.push(format!("{title}: {output}"));
            }
            self.printed.insert(title.to_owned(), output.stdout);
        }
    }

    /// Runs a step as GitHub does: a file for bash, with `-e`.
    fn step(&self, run: &str, variables: &[(String, String)]) -> Output {
        assert!(!run.contains("${{"), "an expression in a script: {run}");
        let sandbox = &self.hub.sandbox;
        let script = sandbox.path().join("script.sh");
        fs::write(&script, run).unwrap();
        let mut path = sandbox.path().join("bin").into_os_string();
        path.push(":");
        path.push(path_of_tests());
        let mut bash = Command::new("bash");
        bash.arg("-e").arg(script).current_dir(self.workspace()).env_clear();
        bash.env("PATH", path).env("HOME", sandbox.home()).env("GIT_CONFIG_GLOBAL", "/dev/null");
        bash.env("CI", "true").env("GITHUB_ACTIONS", "true").env("GITHUB_WORKSPACE", self.workspace());
        bash.env("GITHUB_RUN_ID", self.hub.run.to_string()).env("GITHUB_RUN_ATTEMPT", "1");
        bash.env("GITHUB_SERVER_URL", "https://github.com").env("GITHUB_REPOSITORY", "ann/engine");
        bash.env("GITHUB_STEP_SUMMARY", sandbox.path().join(format!("summary-{}.md", self.hub.run)));
        bash.env("COMMENTS", sandbox.path().join("comments"));
        bash.envs(self.variables.iter().cloned()).envs(variables.iter().cloned());
        Output::of(&mut bash)
    }

    fn action(&self, action: &str, with: &Value) {
        let input = |name: &str| {
            let value = with.get(name).unwrap_or_else(|| panic!("{action}: no {name}"));
            self.expanded(value.as_str().unwrap())
        };
        let here = |path: &str| self.workspace().join(path);
        let cache = self.hub.sandbox.path().join("cache");
        match action.split('@').next().unwrap() {
            "actions/checkout" => {
                let sandbox = &self.hub.sandbox;
                sandbox.git(&["clone", "--quiet", "origin", "work/project"]);
                let address = "https://github.com/ann/engine.git";
                sandbox.git(&["-C", "work/project", "remote", "set-url", "origin", address]);
                if self.is_pull_request {
                    // No branch is checked out.
                    sandbox.git(&["-C", "work/project", "checkout", "--quiet", "--detach"]);
                }
            }
            // The newest one with the prefix.
            "actions/cache/restore" => {
                let (prefix, exact) = (input("restore-keys"), input("key"));
                assert!(exact.starts_with(&prefix));
                let kept = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
                let named =
                    kept.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&prefix));
                named.max().iter().for_each(|kept| copy(kept, &here(&input("path"))));
            }
            "actions/cache/save" => copy(&here(&input("path")), &cache.join(input("key"))),
            "actions/upload-artifact" => {
                assert_eq!(input("overwrite"), "true");
                let to = self.artifacts.join(input("name"));
                let path = here(&input("path"));
                if path.is_file() {
                    fs::create_dir(&to).unwrap();
                    fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
                } else {
                    copy(&path, &to);
                }
            }
            "actions/download-artifact" => {
                let pattern = input("pattern");
                let prefix = pattern.trim_end_matches('*');
                let is_merged = with.get("merge-multiple").is_some();
                for found in fs::read_dir(&self.artifacts).unwrap().map(Result::unwrap) {
                    let name = found.file_name().into_string().unwrap();
                    if name.starts_with(prefix) {
                        let to = here(&input("path"));
                        copy(&found.path(), &if is_merged { to } else { to.join(name) });
                    }
                }
            }
            "actions/upload-pages-artifact" => assert!(here(&input("path")).join("badge.json").exists()),
            other => panic!("unknown action {other}"),
        }
    }

    fn report(&self, name: &str) -> String {
        fs::read_to_string(self.artifacts.join("report").join(name)).unwrap()
    }

    fn summary(&self) -> String {
        self.hub.sandbox.read(&format!("summary-{}.md", self.hub.run))
    }
}

/// The places `FILE:LINE` of the suite that a text names.
fn places(text: &str) -> Vec<String> {
    let mut places = Vec::new();
    for (at, _) in text.match_indices(".test:") {
        let begin = text[..at].rfind(|c: char| !c.is_alphanumeric() && c != '/').map_or(0, |at| at + 1);
        let digits = text[at + 6..].find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len() - at - 6);
        places.push(text[begin..at + 6 + digits].trim_start_matches("tests/").to_owned());
    }
    places.sort();
    places.dedup();
    places
}

#[test]
fn the_example_workflow_names_exactly_the_regressed_record() {
    let mut hub = Hub::new();
    let comments = hub.sandbox.path().join("comments");
    hub.commit(&[]);
    let first = hub.push(false);
    assert_eq!(first.failed, [""; 0]);
    assert!(first.printed["Combine"].contains("combines all 3 shards of 1\n"), "{:?}", first.printed);
    assert!(first.report("badge.json").contains("100.00 %"), "{}", first.report("badge.json"));
    assert_eq!(fs::read_dir(&comments).unwrap().count(), 0);

    hub.commit(&[("engine/7", "rows 6\n")]);
    let second = hub.push(true);
    assert_eq!(second.failed.len(), 1, "{:?}", second.failed);
    assert!(
        second.failed[0].starts_with("Gate: exit code 1") && second.failed[0].contains("REGRESSED"),
        "{:?}",
        second.failed
    );
    let comment = fs::read_to_string(comments.join("0")).unwrap();
    assert_eq!(comment, second.report("comment.md"));
    let (annotations, junit) = (&second.printed["Annotations and summary"], second.report("junit.xml"));
    for text in [&comment, &second.summary(), annotations, &junit] {
        assert_eq!(places(text), ["1/7.test:4"], "{text}");
    }
    assert!(comment.contains("egressed") && second.summary().contains("egressed"), "{comment}");
    let errors: Vec<_> = annotations.lines().filter(|line| line.starts_with("::")).collect();
    assert!(errors.len() == 1 && errors[0].starts_with("::error file=tests/1/7.test,line=4,"), "{errors:?}");
    assert_eq!((junit.matches("<failure").count(), junit.matches("<error").count()), (1, 0), "{junit}");

    // The same comment, after another push.
    hub.commit(&[("engine/7", "rows 5\n")]);
    let third = hub.push(true);
    assert_eq!(third.failed, [""; 0]);
    assert_eq!(fs::read_to_string(comments.join("log")).unwrap(), "made 0\nedited 0\n");
    let comment = fs::read_to_string(comments.join("0")).unwrap();
    assert!(comment == third.report("comment.md") && !comment.contains("1/7.test"), "{comment}");

    // Nothing is reported in place of a run that cannot start.
    hub.commit(&[("sqllogictest.toml", "engine = \"exec:/nonexistent\"\n")]);
    let fourth = hub.push(true);
    let failed: Vec<_> = fourth.failed.iter().filter_map(|step| step.split(':').next()).collect();
    assert_eq!(failed, ["Run", "Run", "Run", "Combine"], "{:?}", fourth.failed);
    assert!(!fourth.artifacts.join("report").exists());
    assert_eq!(fs::read_to_string(comments.join("log")).unwrap(), "made 0\nedited 0\n");
}
