//! The words for runs, which every command takes.

use crate::sandbox::{Output, Sandbox, path_of_tests};

/// Commands that take a run, with `RUN` for it.
const COMMANDS: &[&str] = &[
    "show RUN",
    "show RUN a.test",
    "analyze RUN",
    "punchlist RUN",
    "report --format json RUN",
    "expectations check --expectations none.toml RUN",
    "expectations update --expectations none.toml --dry-run RUN",
    "compare RUN 20200101-000000",
    "compare 20200101-000000 RUN",
    "report --format markdown 20200101-000000 --baseline RUN",
    "store export --run RUN --output out --force",
    "bisect --run RUN",
    "bisect --run RUN a.test",
    "worker --join RUN",
    "run --resume RUN",
];

/// Four runs, the third of which is on another engine: their names, the oldest first. The first was made before there was a
/// commit, the second at the commit, the others on another branch and with changes.
fn four_runs() -> (Sandbox, [String; 4]) {
    let sandbox = Sandbox::new();
    sandbox.write("none.toml", "");
    sandbox.git(&["init", "-q"]);
    let runs = ["sqlite", "sqlite", "scripted", "sqlite"];
    let names = std::array::from_fn(|at| {
        let good = "statement ok\nSELECT 1\n\n".repeat(at);
        sandbox.write("s/a.test", format!("{good}statement ok\nSELECT none{at}\n"));
        if at == 1 {
            sandbox.git(&["add", "s"]);
            sandbox.git(&["commit", "-q", "-m", "first"]);
        } else if at == 2 {
            sandbox.git(&["checkout", "-q", "-b", "later"]);
        }
        let mut run = sandbox.command(&format!("run --engine {} s", runs[at]));
        let output = Output::of(run.env("PATH", path_of_tests()));
        assert_eq!(output.code, 1, "{output}");
        sandbox.last_run().unwrap().file_name().unwrap().to_str().unwrap().to_owned()
    });
    // A run that no word but its name means.
    let runs = std::path::Path::new(sandbox.home()).join(".vibesql/test_results/runs");
    let copy = runs.join("20200101-000000");
    std::fs::create_dir_all(&copy).unwrap();
    for file in ["journal.jsonl", "run.json"] {
        let text = std::fs::read_to_string(runs.join(&names[0]).join(file)).unwrap();
        std::fs::write(copy.join(file), text).unwrap();
    }
    (sandbox, names)
}

#[test]
fn every_command_takes_the_same_words_for_a_run() {
    let (sandbox, names) = four_runs();
    let commit = sandbox.git(&["rev-parse", "HEAD"]).trim().to_owned();
    for command in COMMANDS {
        // Without times: a run that is resumed takes some, though there is nothing to do.
        let with = |word: &str| sandbox.run(&command.replace("RUN", word)).to_string();
        let [last, previous] = [3, 1].map(|at| with(&names[at]));
        let is_wrong = last.starts_with("exit code 2\n") || last.starts_with("exit code 70\n");
        assert!(!is_wrong, "{command}: {last}");
        assert_eq!(with("last"), last, "{command}");
        assert_eq!(with("latest"), last, "{command}");
        // What these words mean beside another run has tests of its own.
        if !command.starts_with("compare") && !command.contains("--baseline") {
            // There is nothing to join, and nothing to bisect.
            let is_silent = command.starts_with("worker") || command.starts_with("bisect");
            assert!(is_silent || last != previous, "{command}: {last}");
            for word in ["previous", "main", &commit[..8]] {
                assert_eq!(with(word), previous, "{command} {word}");
            }
        }
        let unknown = with("nowhere");
        let error = "error: no run, branch, commit or file matches `nowhere`\n";
        let expected = format!("exit code 2\n--- stderr\n{error}");
        assert!(unknown.starts_with(&expected), "{command}: {unknown}");
    }
}

#[test]
fn commands_about_one_run_take_a_file_of_export() {
    let (sandbox, names) = four_runs();
    assert_eq!(sandbox.run("store export --run last --output file.run.zst").code, 0);
    for command in ["show RUN", "show RUN a.test", "punchlist RUN", "report --format json RUN"] {
        let [kept, file] =
            [names[3].as_str(), "file.run.zst"].map(|word| sandbox.run(&command.replace("RUN", word)));
        assert_eq!((file.code, &file.stdout), (kept.code, &kept.stdout), "{command}: {file}");
    }
    for command in ["run --resume file.run.zst", "bisect --run file.run.zst", "worker --join file.run.zst"] {
        let output = sandbox.run(command);
        assert_eq!(output.code, 2, "{output}");
        assert!(output.stderr.contains("is a file; this command needs a stored run"), "{output}");
    }
    sandbox.write("other.json", "{}");
    let output = sandbox.run("show other.json");
    assert_eq!(output.code, 2, "{output}");
    assert!(output.stderr.contains("error: cannot import `other.json`: no results in it"), "{output}");
}
