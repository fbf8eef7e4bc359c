//! What docs/migration.md promises to users of VibeSQL's earlier scripts.

use std::process::Command;

use insta::assert_snapshot;

use crate::sandbox::{Output, Sandbox};
use crate::support::manifest;

const PASSING: &str = "query I nosort\nSELECT 1\n----\n1\n";
const FAILING: &str = "query I nosort\nSELECT 1\n----\n2\n";
const CORPUS: &str = "third_party/sqllogictest/test";
const DUMP: &str = "\
CREATE TABLE test_runs (run_id INTEGER, started_at TEXT, total_files INTEGER);
CREATE TABLE test_results (run_id INTEGER, file_path TEXT, status TEXT, tested_at TEXT);
INSERT INTO test_runs VALUES (1763539200,'2025-11-19 08:00:00',2);
INSERT INTO test_results VALUES (1763539200,'select1.test','PASS','2025-11-19 08:00:10');
INSERT INTO test_results VALUES (1763539200,'select2.test','FAIL','2025-11-19 08:00:20');
";
const RESULTS: &str = r#"{"timestamp":"2025-11-19T08:34:36","summary":{"total":2,"passed":1,"failed":1},
"tested_files":{"passed":["select1.test"],"failed":["select2.test"]},
"detailed_failures":[{"file_path":"select2.test","failures":[{"error_message":"ColumnNotFound: b","line_number":7}]}]}"#;

/// The folder in which results are kept by default.
const KEPT: &str = ".vibesql/test_results";

/// A checkout of VibeSQL with the results of the scripts.
fn checkout() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(&format!("{CORPUS}/select1.test"), PASSING);
    sandbox.write(&format!("{CORPUS}/random/select/slt_good_19.test"), FAILING);
    sandbox.write("tests/basic.test", PASSING);
    sandbox.write("tests/select/order.test", PASSING);
    sandbox.write("target/sqllogictest_results.json", RESULTS);
    sandbox.write("target/sqllogictest_cumulative.json", RESULTS);
    let kept = std::path::Path::new(sandbox.home()).join(KEPT);
    std::fs::create_dir_all(&kept).unwrap();
    std::fs::write(kept.join("sqllogictest_results.sql"), DUMP).unwrap();
    sandbox
}

/// The earlier entry point with this program as the binary; `None` where there is only the package.
fn script(sandbox: &Sandbox, line: &str, variables: &[(&str, &str)]) -> Option<Output> {
    let script = manifest().join("../../scripts/sqllogictest");
    script.exists().then(|| {
        let mut command = Command::new("sh");
        command.arg(script).args(line.split_whitespace()).current_dir(sandbox.path()).env_clear();
        command.env("VIBESQL_SQLLOGICTEST", env!("CARGO_BIN_EXE_vibesql-sqllogictest"));
        command.env("HOME", sandbox.home()).env("SQLLOGICTEST_ENGINE", "sqlite");
        Output::of(command.envs(variables.iter().copied()))
    })
}

#[test]
fn removed_flags_name_what_replaces_them() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run("run --debug tests"), @"
    exit code 2
    --- stderr
    error: `run --debug`: the flag of the earlier scripts does not exist any more
      hint: it selected a debug build: `cargo run -- run` is one; `run --verbose` prints more about each file
    ");
    assert_snapshot!(sandbox.run("punchlist --output p.md --from target/results.json"), @"
    exit code 2
    --- stderr
    error: `punchlist --from`: the flag of the earlier scripts does not exist any more
      hint: write the file without a flag: `punchlist FILE`
    ");
    // Other commands do not know them as flags of the scripts.
    let other = sandbox.run("list --debug");
    assert!(other.code == 2 && other.stderr.contains("unexpected argument '--debug'"), "{other}");
    if cfg!(feature = "store") {
        assert_snapshot!(sandbox.run("query --query=SELECT"), @r#"
        exit code 2
        --- stderr
        error: `query --query`: the flag of the earlier scripts does not exist any more
          hint: write the statement without a flag: `query "SELECT …"`
        "#);
        assert_snapshot!(sandbox.run("--color never query --preset progress --database old.sql"), @"
        exit code 2
        --- stderr
        error: `query --database`: the flag of the earlier scripts does not exist any more
          hint: import the results with `store import FILE`, and select another results folder with --results DIR
        ");
    }
}

#[test]
fn a_switch_is_not_taken_for_the_name_of_a_profile() {
    let sandbox = Sandbox::with(PASSING);
    let mut command = sandbox.command("run --engine sqlite t.test");
    assert_snapshot!(Output::of(command.env("SQLLOGICTEST_PROFILE", "1")), @"
    exit code 2
    --- stderr
    error: SQLLOGICTEST_PROFILE: cannot use profile `1` without sqllogictest.toml
      hint: unset it: the earlier scripts measured with it; here it names a profile of sqllogictest.toml
    ");
}

#[test]
fn the_old_script_runs_the_corpus() {
    let sandbox = checkout();
    let Some(output) = script(&sandbox, "run --serial --order path --quiet", &[]) else { return };
    assert_eq!(output.code, 1, "{output}");
    assert!(output.stdout.contains("FAIL: 1 of 2 files and 1 of 2 records passed on sqlite"), "{output}");
    let chosen = [("SQLLOGICTEST_FILES", "select1.test")];
    let output = script(&sandbox, "run", &chosen).unwrap();
    assert_eq!(output.code, 0, "{output}");
    assert!(output.stdout.contains("third_party/sqllogictest/test/select1.test"), "{output}");
    // What is typed, or is in the configuration, replaces the corpus.
    let output = script(&sandbox, "list tests", &[]).unwrap();
    assert_eq!(output.stdout, "tests/basic.test\ntests/select/order.test\n", "{output}");
    sandbox.write("sqllogictest.toml", "default-suite = \"s\"\n[suite.s]\npaths = [\"tests/select\"]\n");
    assert_eq!(script(&sandbox, "list", &[]).unwrap().stdout, "tests/select/order.test\n");
}

#[test]
fn a_missing_corpus_is_noticed() {
    let sandbox = Sandbox::new();
    sandbox.write("third_party/sqllogictest/test/.keep", "");
    std::fs::remove_file(sandbox.path().join("third_party/sqllogictest/test/.keep")).unwrap();
    let Some(output) = script(&sandbox, "run", &[]) else { return };
    assert_snapshot!(output, @"
    exit code 2
    --- stderr
    warning: scripts/sqllogictest is deprecated; call vibesql-sqllogictest
    error: no test files in `third_party/sqllogictest/test`
      hint: run `git submodule update --init third_party/sqllogictest`, or name the files to run
    ");
    // Neither a checkout of VibeSQL nor one around the script.
    let sandbox = Sandbox::new();
    let output = script(&sandbox, "list", &[]).unwrap();
    assert_eq!(output.code, 0, "{output}");
    assert!(output.stdout.starts_with("suite:"), "{output}");
    assert!(output.stderr.contains("note: no `third_party/sqllogictest/test` here"), "{output}");
}

#[test]
fn results_of_the_scripts_are_noticed() {
    let sandbox = checkout();
    let hint = format!(
        "hint: run `store import --engine vibesql:mysql {}/{KEPT}/sqllogictest_results.sql`",
        sandbox.home()
    );
    for command in ["status", "analyze", "punchlist", "report", "show", "runs", "flaky", "compare"] {
        let output = sandbox.run(command);
        assert_eq!(output.code, 3, "{command}: {output}");
        assert!(output.stderr.contains(&hint), "{command}: {output}");
    }
    if cfg!(feature = "store") {
        let output = sandbox.run("query --preset failed-files");
        assert!(
            output.stderr.contains("note: no run is stored here; run `store import --engine"),
            "{output}"
        );
    }
    let import = format!("store import {}/{KEPT}/sqllogictest_results.sql", sandbox.home());
    assert_eq!(sandbox.run(&import).code, 0);
    let output = sandbox.run("status");
    assert!(output.code == 0 && output.stderr.is_empty(), "{output}");
}

#[test]
fn commands_about_one_run_take_a_file_of_the_scripts() {
    let sandbox = checkout();
    let file = "target/sqllogictest_results.json";
    assert_snapshot!(sandbox.run(&format!("show {file} select2.test")), @"
    exit code 0
    --- stdout
    FAIL  select2.test:7
          ColumnNotFound: b

    FAIL  select2.test  1 failed  [time] s
    ");
    for (command, expected) in [
        ("show FILE", "imported from target/sqllogictest_results.json"),
        ("analyze FILE", "1 failing record in 1 file: 1 cluster"),
        ("punchlist FILE", "select2.test"),
        ("report --format markdown FILE", "ColumnNotFound: b"),
        ("report --format json FILE", "\"select2.test\""),
        ("compare FILE FILE", "no record or file has regressed"),
    ] {
        let output = sandbox.run(&command.replace("FILE", file));
        assert_eq!(output.code, 0, "{command}: {output}");
        assert!(output.stdout.contains(expected), "{command}: {output}");
    }
    // It is read where it is, and nothing is stored.
    assert!(sandbox.all_runs().is_empty());
}

/// The guide speaks of VibeSQL and of the store.
#[cfg(all(feature = "store", feature = "engine-vibesql"))]
mod guide {
    use crate::sandbox::Output;
    use crate::support::manifest;

    use super::checkout;

    /// The commands of a document: lines of its shell blocks, and the words of the program in the second column of its tables.
    fn commands(document: &str) -> Vec<String> {
        let mut found = Vec::new();
        for line in document.lines() {
            if let Some(command) = line.strip_prefix("vibesql-sqllogictest ") {
                found.push(command.to_owned());
            }
            let mut cells = line.strip_prefix("| ").into_iter().flat_map(|row| row.split(" | "));
            let here = cells.nth(1).unwrap_or_default();
            let code = here.split('`').skip(1).step_by(2);
            found.extend(code.filter(|code| is_command(code)).map(str::to_owned));
        }
        found
    }

    /// Whether code in a document is the beginning of a command line. The words of an unknown command would be taken for one as
    /// well, so that they are an error.
    fn is_command(code: &str) -> bool {
        let first = code.split(' ').next().unwrap_or_default();
        let is_word = !first.is_empty() && first.chars().all(|letter| letter.is_ascii_lowercase());
        // Commands of other programs, an expression of SQL, and words with a placeholder.
        let others =
            ["git", "cargo", "error", "kind", "kill", "sqllogictest", "results", "regression", "parser"];
        is_word && !others.contains(&first) && !code.split(' ').any(|word| word == "FILE")
    }

    /// The words of a command line, with `~` for the home of the sandbox.
    fn words(line: &str, home: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (place, part) in line.split(['"', '\'']).enumerate() {
            match place % 2 {
                0 => words.extend(part.split_whitespace().map(|word| word.replace('~', home))),
                _ => words.push(part.to_owned()),
            }
        }
        words
    }

    #[test]
    fn every_command_of_the_migration_guide_works() {
        // A package taken from a registry has no repository around it.
        let Ok(document) = std::fs::read_to_string(manifest().join("../../docs/migration.md")) else {
            return;
        };
        let sandbox = checkout();
        let commands = commands(&document);
        assert!(commands.len() > 50, "{commands:#?}");
        // Something to resume, and the run before the last one.
        assert_eq!(sandbox.run("run --quiet tests").code, 0);
        assert_eq!(sandbox.run("run --quiet tests").code, 0);
        for line in commands {
            let mut command = sandbox.command("");
            command.args(words(&line, sandbox.home())).stdin(std::process::Stdio::null());
            let output = Output::of(&mut command);
            // `compare` of other files has nothing in common with them, and nothing is interrupted or in progress.
            let expected: &[i32] = match line.split(' ').next() {
                Some("run" | "test" | "compare") => &[0, 1, 3, 4],
                // The last run has no such file.
                Some("analyze") if line.contains("--filter") => &[3],
                Some("worker") => &[3],
                // There is no terminal, and an empty statement.
                Some("query") if line == "query" => &[2],
                _ => &[0],
            };
            assert!(expected.contains(&output.code), "`{line}`: {output}");
        }
    }
}
