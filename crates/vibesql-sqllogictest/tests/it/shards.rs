//! Shards that become one run: in any order, again, with one missing, and only if they belong together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use insta::assert_snapshot;
use vibesql_sqllogictest::outcome::FileReport;
use vibesql_sqllogictest::results::combine::{CombineScope, CombinedRun, combine};
use vibesql_sqllogictest::results::portable::merge;
use vibesql_sqllogictest::results::{Journal, ResultsFolder};

use crate::sandbox::{Output, Sandbox};
use crate::support::without_durations;

/// Files in which records pass, fail, are skipped, malformed and excluded, and one that `expectations.toml` skips.
fn suite() -> Sandbox {
    let sandbox = Sandbox::new();
    let good = "statement ok\nok\n\nquery I nosort\nrows 1\n----\n1\n\n";
    sandbox.write("s/sqllogictest.toml", "suite-name = \"s\"\n");
    let record = |name: &str, last: &str| sandbox.write(&format!("s/{name}"), format!("{good}{last}"));
    record("a/one.test", "");
    record("a/two.test", "query I nosort\nrows 2\n----\n1\n");
    record("a/three.test", "skipif scripted\nstatement ok\nok\n");
    record("b/one.test", "statement perhaps\nok\n");
    record("b/two.test", "statement ok\nfail syntax error\n");
    record("b/three.test", "halt\n\nstatement ok\nok\n");
    record("c/one.test", "");
    record("c/two.test", "statement ok\nok\n");
    record("c/three.test", "statement error\nok\n");
    sandbox.write("s/expectations.toml", "[[skip]]\nfile = \"c/two.test\"\nreason = \"slow\"\n");
    sandbox
}

impl Sandbox {
    fn with_results(&self, results: &str, line: &str) -> Output {
        self.run(&format!("--results {results} {line}"))
    }

    /// Runs a shard with results of its own, and exports it.
    fn export_shard(&self, name: &str, words: &str, environment: &[(&str, &str)]) -> PathBuf {
        let mut run = self.command(&format!("--results results-{name} run --engine scripted -q {words} s"));
        let output = Output::of(run.envs(environment.iter().copied()));
        // A malformed record ends with 2.
        assert!([0, 1, 2].contains(&output.code), "{output}");
        let file = format!("{name}.run.zst");
        let output =
            self.with_results(&format!("results-{name}"), &format!("store export --run --output {file}"));
        assert_eq!(output.code, 0, "{output}");
        self.path().join(file)
    }

    fn export_three(&self) -> [PathBuf; 3] {
        [1, 2, 3].map(|k| self.export_shard(&k.to_string(), &format!("--shard {k}/3 --group g"), &[]))
    }

    /// The last run of a results folder.
    fn journal_in(&self, results: &str) -> Journal {
        ResultsFolder::new(self.path().join(results)).journal(None).unwrap()
    }
}

/// A report without durations and times.
fn timeless(journal: &Journal) -> String {
    let file = |file: &FileReport| {
        let mut file = file.clone();
        (file.elapsed, file.engine_time, file.finished, file.peak_memory) =
            (Duration::ZERO, None, None, None);
        file.slowest.clear();
        file.times = without_durations(&file.times);
        file
    };
    let files: Vec<_> = journal.report.files.iter().map(file).collect();
    let Journal { opened, report, .. } = journal;
    let part = opened.is_part();
    format!("{:?} {:?} {part} {:?} {files:#?}", report.header, report.end, opened.places)
}

/// Merges files in this order, and combines after each of them.
fn merged(folder: &Path, files: &[&PathBuf]) -> ResultsFolder {
    let results = ResultsFolder::new(folder);
    for file in files {
        merge(&results, file).unwrap();
        let done = combine(&results, &["g".to_owned()].into(), CombineScope::Any).unwrap();
        assert_eq!((done.runs.len(), done.findings.as_slice()), (1, &[][..]));
        // If the process is killed before it removes the shards, the next one does.
        let again = combine(&results, &["g".to_owned()].into(), CombineScope::Any).unwrap();
        assert_eq!((&again.absorbed, again.runs[0].is_new), (&done.absorbed, false));
        done.absorbed.iter().for_each(|name| results.remove(name).unwrap());
        assert_eq!(results.runs().unwrap(), [done.runs[0].name.as_str()]);
    }
    results
}

#[test]
fn shards_in_any_order_are_the_run_without_shards() {
    let sandbox = suite();
    assert_eq!(sandbox.with_results("whole", "run --engine scripted -q s").code, 2);
    let whole = timeless(&sandbox.journal_in("whole"));
    let files = sandbox.export_three();
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let mut contents = BTreeSet::new();
    for (number, order) in orders.iter().enumerate() {
        let mut files: Vec<_> = order.iter().map(|&at| &files[at]).collect();
        // Again, all and each.
        files.extend(files.clone());
        files.push(files[number % 3]);
        let results = merged(&sandbox.path().join(format!("order-{number}")), &files);
        let mut journal = results.journal(None).unwrap();
        assert_eq!(timeless(&journal), whole, "{order:?}");
        assert!(journal.ended && journal.damaged == 0);
        journal.opened.run.clear();
        contents.insert(format!("{:?} {:?}", journal.opened, journal.report));
        let again = combine(&results, &["g".to_owned()].into(), CombineScope::Any).unwrap();
        assert!(matches!(again.runs.as_slice(), [CombinedRun { is_new: false, .. }]), "{again:?}");
    }
    assert_eq!(contents.len(), 1, "the order does not matter");
    // A combined run can be exported as well, and completed there.
    let two = merged(&sandbox.path().join("two"), &[&files[0], &files[2]]);
    let export = |results: &ResultsFolder, file: &Path| {
        let mut bytes = Vec::new();
        let names = results.runs().unwrap();
        vibesql_sqllogictest::results::portable::write(results, &names, &mut bytes, file).unwrap();
        std::fs::write(file, bytes).unwrap();
    };
    let carried = sandbox.path().join("two.run.zst");
    export(&two, &carried);
    let completed = merged(&sandbox.path().join("completed"), &[&files[1], &carried]);
    assert_eq!(timeless(&completed.journal(None).unwrap()), whole);
}

/// What a command prints, without names of runs, times and the width of columns.
fn masked(output: &Output, results: &Path) -> String {
    let mut text = output.to_string();
    let mut names = ResultsFolder::new(results).runs().unwrap();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    for name in names {
        text = text.replace(&name, "[run]");
    }
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    // The order of files is that of the arguments; the names of runs in files are those of other folders.
    let lines = text.lines().filter(|line| !line.starts_with("shard"));
    lines.map(words).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_missing_shard_is_named_everywhere() {
    let sandbox = suite();
    sandbox.with_results("r", "run --engine scripted -q s");
    sandbox.export_three();
    let results = sandbox.path().join("r");
    let shown = |line: &str| masked(&sandbox.with_results("r", line), &results);
    assert_snapshot!(shown("store merge 3.run.zst 1.run.zst"), @r"
    exit code 0
    --- stdout
    3.run.zst: 1 run imported, 0 runs already present
    1.run.zst: 1 run imported, 0 runs already present
    run [run] combines shards 1/3 and 3/3 of g
    --- stderr
    warning: run [run] is INCOMPLETE: shard 2/3 is missing
    ");
    assert_snapshot!(shown("status"), @r"
    exit code 0
    --- stdout
    run [run]: shard 2/3 is missing

    category files passed failed other rate records passed failed skipped other rate
    a 3 2 1 0 66.66 % 8 6 1 1 0 85.71 %
    b 2 1 1 0 50.00 % 6 4 1 0 1 66.66 %
    c 2 1 1 0 50.00 % 5 4 1 0 0 80.00 %
    total 7 4 3 0 57.14 % 19 14 3 1 1 77.77 %

    INCOMPLETE: 4 of 7 files and 14 of 18 records passed on scripted 0.1.0 in [time] s; 1 file not tested (shard 2/3 is missing)
    since [run]: disappeared failures: files: 1
    hint: `compare` shows each record
    ");
    assert_snapshot!(shown("runs"), @r"
    exit code 0
    --- stdout
    run engine files passed rate records passed rate time end shards
    [run] scripted 0.1.0 8 4 50.00 % 22 16 76.19 % [time] s completed
    [run] scripted 0.1.0 7 of 8 4 57.14 % 19 14 77.77 % [time] s shard 2/3 is missing shards 1/3 and 3/3 of g
    ");
    for line in [
        "report --format summary",
        "report --format comment",
        "report --format markdown",
        "report --format github",
        "report --format junit",
        "report --format html --output -",
        "punchlist",
        "analyze",
        "compare",
        "compare --format markdown --output -",
        "show",
    ] {
        let output = sandbox.with_results("r", line);
        let text = if line.starts_with("report") || line.starts_with("compare --format") {
            output.stdout.clone()
        } else {
            format!("{}{}", output.stdout, output.stderr)
        };
        assert!(text.contains("shard 2/3 is missing") && text.contains("INCOMPLETE"), "{line}\n{output}");
    }
    assert!(sandbox.with_results("r", "report --format badge").stdout.contains("INCOMPLETE"));
    assert_snapshot!(shown("store merge 2.run.zst 2.run.zst"), @r"
    exit code 0
    --- stdout
    2.run.zst: 1 run imported, 0 runs already present
    2.run.zst: 0 runs imported, 1 run already present
    run [run] combines all 3 shards of g
    ");
    assert_snapshot!(shown("runs"), @r"
    exit code 0
    --- stdout
    run engine files passed rate records passed rate time end shards
    [run] scripted 0.1.0 8 4 50.00 % 22 16 76.19 % [time] s completed
    [run] scripted 0.1.0 8 4 50.00 % 22 16 76.19 % [time] s completed all 3 shards of g

    scripted: ██ 76.19 % of the records in the last complete run
    ");
    let compared = sandbox.with_results("r", "compare");
    assert_eq!(compared.code, 0, "{compared}");
    assert!(!compared.to_string().contains("missing"), "{compared}");
}

#[test]
fn the_last_shard_in_a_folder_combines_all() {
    let sandbox = suite();
    let run = |words: &str| sandbox.with_results("r", &format!("run --engine scripted -q {words} s"));
    for words in ["--shard 1/2 --group g", "--shard 1/2", "--shard 2/2"] {
        assert!([1, 2].contains(&run(words).code));
    }
    let results = ResultsFolder::new(sandbox.path().join("r"));
    assert_eq!(results.runs().unwrap().len(), 3, "shards without a group stay as they are");
    let last = run("--shard 2/2 --group g");
    assert!(last.stderr.contains("note: this was the last shard of g; run "), "{last}");
    assert_eq!(results.runs().unwrap().len(), 3);
    let journal = results.journal(None).unwrap();
    assert_eq!((journal.report.files.len(), journal.report.untested()), (8, 0));
    // The tables have each run once, and no shard of the combined one.
    if cfg!(feature = "store") {
        let sql = "SELECT total_files, untested FROM test_runs ORDER BY run_id";
        let tables = Output::of(sandbox.command("--results r query --format csv").arg(sql));
        assert_snapshot!(tables, @r"
        exit code 0
        --- stdout
        total_files,untested
        5,0
        3,0
        8,0
        ");
    }
}

#[test]
fn shards_in_a_folder_are_never_taken_for_the_whole() {
    let sandbox = suite();
    let run = |shard: &str| sandbox.with_results("r", &format!("run --engine scripted -q {shard} s"));
    run("--shard 1/3 --group g");
    let status = sandbox.with_results("r", "status");
    assert!(status.stdout.contains("completed, only shard 1/3 of g\n"), "{status}");
    let second = run("--shard 2/3 --group g");
    assert!(second.stderr.contains("combines shards 1/3 and 2/3 of g; shard 3/3 is missing"), "{second}");
    let status = sandbox.with_results("r", "status");
    assert!(
        status.stdout.contains("INCOMPLETE") && status.stdout.contains("shard 3/3 is missing"),
        "{status}"
    );
    run("--shard 3/3 --group g");
    let status = sandbox.with_results("r", "status");
    assert!(!status.stdout.contains("missing"), "{status}");

    let alone = [1, 2].map(|k| sandbox.export_shard(&format!("alone{k}"), &format!("--shard {k}/2"), &[]));
    let words = alone.map(|file| file.display().to_string()).join(" ");
    let merged = sandbox.with_results("alone", &format!("store merge {words}"));
    assert!(merged.stderr.contains("note: not combined: 2 shards without a group"), "{merged}");
}

#[test]
fn only_what_belongs_together_is_combined() {
    let sandbox = suite();
    let first = [("GITHUB_RUN_ID", "7"), ("GITHUB_RUN_ATTEMPT", "1")];
    let second = [("GITHUB_RUN_ID", "7"), ("GITHUB_RUN_ATTEMPT", "2")];
    sandbox.export_shard("1", "--shard 1/2", &first);
    sandbox.export_shard("2", "--shard 2/2", &first);
    sandbox.export_shard("other", "--shard 2/2 --hash-threshold 3", &first);
    sandbox.export_shard("twice", "--shard 2/2", &first);
    let merge = |results: &str, files: &[&str]| {
        let files: Vec<_> = files.iter().map(|file| format!("{file}.run.zst")).collect();
        let output = sandbox.with_results(results, &format!("store merge {}", files.join(" ")));
        (output.code, masked(&output, &sandbox.path().join(results)))
    };
    let (code, text) = merge("apart", &["1", "other"]);
    assert_eq!(code, 0);
    assert!(
        text.contains("are shards of one group, but not combined: the hash threshold is `None` and `3`"),
        "{text}"
    );
    assert!(text.contains("shard 2/2 is missing") && text.contains("shard 1/2 is missing"), "{text}");
    let (code, text) = merge("twice", &["1", "2", "twice"]);
    assert!(code == 2 && text.contains("error: shard 2/2 has two results of one attempt"), "{text}");
    // A repetition of the job replaces it, and the run with its first result stays.
    sandbox.write("s/b/two.test", "statement ok\nok\n");
    sandbox.write("s/a/two.test", "statement ok\nok\n");
    sandbox.export_shard("again", "--shard 2/2", &second);
    let (code, text) = merge("again", &["2", "1"]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = merge("again", &["again", "1"]);
    assert!(code == 0 && text.contains("which is a later attempt than run"), "{text}");
    let (code, text) = merge("again", &["2", "1", "again"]);
    assert!(code == 0 && text.contains("unchanged") && !text.contains("later attempt"), "{text}");
    let results = ResultsFolder::new(sandbox.path().join("again"));
    let failing = |name: &String| results.journal(Some(name)).unwrap().report.totals().failed;
    let failing: Vec<_> = results.runs().unwrap().iter().map(failing).collect();
    assert!(failing.len() == 2 && failing[0] > failing[1], "{failing:?}");
}
