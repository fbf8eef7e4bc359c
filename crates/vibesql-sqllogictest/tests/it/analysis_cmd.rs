//! `analyze` as a user has it.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

/// Three files on SQLite: a table that cannot be made and what follows, sums that are wrong, a function that is not
/// there; and one file that passes.
pub(crate) fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let sums: String = (0..6).map(|n| format!("query I nosort\nSELECT {n} + {n}\n----\n7\n\n")).collect();
    let products: String =
        (1..9).map(|n| format!("query I nosort\nSELECT {n} * 2\n----\n{}\n\n", n * 2)).collect();
    sandbox.write(
        "suite/ddl/cascade.test",
        "\
statement ok
CREATE TABLE t1(a INTEGER) WITH (x = 1)

statement ok
INSERT INTO t1 VALUES(1)

query I rowsort
SELECT a FROM t1
----
1

query I nosort
SELECT COUNT(*) FROM t1 -- all of them
----
1
",
    );
    sandbox.write("suite/select/sums.test", format!("{sums}{products}"));
    sandbox.write(
        "suite/select/more.test",
        format!("{products}{sums}query I nosort\nSELECT frobnicate(1)\n----\n1\n"),
    );
    sandbox.write("suite/select/good.test", products);
    assert_eq!(sandbox.run("run --engine sqlite suite --quiet").code, 1);
    sandbox
}

pub(crate) fn shown(sandbox: &Sandbox, line: &str) -> String {
    let text = sandbox.without_names(&sandbox.run(line).to_string());
    // In Markdown the engine is code.
    match text.split_once("`sqlite 3.") {
        Some((before, behind)) => {
            let behind = behind.split_once('`').map_or("", |(_, behind)| behind);
            format!("{before}`sqlite [version]`{behind}")
        }
        None => text,
    }
}

#[test]
fn what_to_fix_first() {
    let sandbox = sandbox();
    assert_snapshot!(shown(&sandbox, "analyze"), @r#"
    exit code 0
    --- stdout
    run [run] on sqlite [version]
    17 failing records in 3 files: 3 clusters
    the first 2 fixes turn 2 of 3 files green

     fix  records  files  alone  green  what
       1       12      2      1      1  wrong values (another number), with operator +
       2        1      1      0      2  error: no such function: frobnicate
       3        4      1      1      3  error: near _: syntax error
    alone: files that it turns green by itself; green: files that are green after it

    fix 1: wrong values (another number), with operator +
      suite/select/more.test:41
          SELECT 0 + 0
      values differ (1 expected, 1 found): another number
      again: vibesql-sqllogictest test --engine sqlite suite/select/more.test:41

    fix 2: error: no such function: frobnicate
      suite/select/more.test:71
          SELECT frobnicate(1)
      unexpected error: no such function: frobnicate
      again: vibesql-sqllogictest test --engine sqlite suite/select/more.test:71

    fix 3: error: near _: syntax error
      1 root and 3 that follow
      suite/ddl/cascade.test:1
          CREATE TABLE t1(a INTEGER) WITH (x = 1)
      unexpected error: near "(": syntax error
      again: vibesql-sqllogictest test --engine sqlite suite/ddl/cascade.test:1

    next: vibesql-sqllogictest test --engine sqlite suite/select/more.test:41
    "#);
    assert_snapshot!(shown(&sandbox, "analyze --top-fixes --patterns"), @"
    exit code 0
    --- stdout
    run [run] on sqlite [version]
    17 failing records in 3 files: 3 clusters
    the first 2 fixes turn 2 of 3 files green

     fix  records  files  alone  green  what
       1       12      2      1      1  wrong values (another number), with operator +
       2        1      1      0      2  error: no such function: frobnicate
       3        4      1      1      3  error: near _: syntax error
    alone: files that it turns green by itself; green: files that are green after it


     records    share  files  fix  what
          12  70.58 %      2    1  wrong values (another number), with operator +
           4  23.52 %      1    3  error: near _: syntax error
           1   5.88 %      1    2  error: no such function: frobnicate

    fix 3: error: near _: syntax error
      1 root and 3 that follow
    ");
    assert_snapshot!(shown(&sandbox, "analyze --examples --format markdown"), @r#"
    exit code 0
    --- stdout
    # SQLLogicTest failure analysis

    Run `[run]` on `sqlite [version]`

    **17 failing records in 3 files: 3 clusters**
    **the first 2 fixes turn 2 of 3 files green**

    ## The smallest example of each

    ### 1. `wrong values (another number), with operator +`

    `suite/select/more.test:41`

    ```sql
    SELECT 0 + 0
    ```

    `values differ (1 expected, 1 found): another number`

    ```sh
    vibesql-sqllogictest test --engine sqlite suite/select/more.test:41
    ```

    ### 2. `error: no such function: frobnicate`

    `suite/select/more.test:71`

    ```sql
    SELECT frobnicate(1)
    ```

    `unexpected error: no such function: frobnicate`

    ```sh
    vibesql-sqllogictest test --engine sqlite suite/select/more.test:71
    ```

    ### 3. `error: near _: syntax error`

    `suite/ddl/cascade.test:1`

    ```sql
    CREATE TABLE t1(a INTEGER) WITH (x = 1)
    ```

    `unexpected error: near "(": syntax error`

    ```sh
    vibesql-sqllogictest test --engine sqlite suite/ddl/cascade.test:1
    ```
    "#);
}

#[test]
fn as_json_for_programs() {
    let sandbox = sandbox();
    let output = sandbox.run("analyze --format json");
    let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let files = std::collections::BTreeSet::from_iter(
        document["files"].as_array().unwrap().iter().map(|file| file["file"].as_str().unwrap()),
    );
    assert_eq!(files.len(), 3);
    assert_eq!(document["failing_records"], 17);
    let mut first = document["clusters"][0].clone();
    first["example"]["command"] = "[command]".into();
    assert_snapshot!(serde_json::to_string_pretty(&first).unwrap(), @r#"
    {
      "classes": [
        {
          "class": "another number",
          "records": 12
        }
      ],
      "consequences": 0,
      "example": {
        "command": "[command]",
        "file": "select/more.test",
        "line": 41,
        "message": "values differ (1 expected, 1 found): another number",
        "sql": "SELECT 0 + 0"
      },
      "features": [
        "operator +"
      ],
      "files": [
        "select/more.test",
        "select/sums.test"
      ],
      "files_alone": 1,
      "fingerprint": "195c9712020d7801",
      "fix": 1,
      "green_after": 1,
      "kind": "wrong_result",
      "records": 12,
      "share_of_features": 1.0,
      "title": "wrong values (another number), with operator +",
      "what": "wrong values"
    }
    "#);
}

#[test]
fn the_whole_report_is_written_where_the_scripts_had_it() {
    let sandbox = sandbox();
    assert_snapshot!(shown(&sandbox, "analyze --report"), @"
    exit code 0
    --- stdout
    written to target/sqllogictest_analysis.md
    ");
    let report = sandbox.read("target/sqllogictest_analysis.md");
    for heading in
        ["# SQLLogicTest failure analysis", "## What to fix", "## Patterns", "## The smallest", "## Trend"]
    {
        assert!(report.contains(heading), "{heading}\n{report}");
    }
    assert_snapshot!(shown(&sandbox, "analyze --output seen.txt"), @"
    exit code 0
    --- stdout
    written to seen.txt
    ");
    assert!(sandbox.read("seen.txt").contains("17 failing records"));
    assert!(!sandbox.read("seen.txt").contains('\x1b'));
}

#[test]
fn what_no_feature_sets_apart_is_no_heap() {
    let sandbox = Sandbox::new();
    let good: String = (0..20)
        .map(|n| {
            format!(
                "query I nosort\nSELECT {n}\n----\n{n}\n\nstatement ok\nCREATE TABLE t{n}(a)\n\n\
                 statement ok\nINSERT INTO t{n} VALUES({n})\n\n"
            )
        })
        .collect();
    sandbox.write("suite/good.test", &good);
    let odd = |n: u32| {
        format!(
            "query I nosort\nSELECT {n}\n----\n{}\n\nquery I nosort\nSELECT {n}\n----\n{n}\n{n}\n\n\
             statement error\nINSERT INTO t{n} VALUES(1)\n\n",
            n + 1
        )
    };
    sandbox
        .write("suite/odd.test", format!("{good}{}{}statement error\nCREATE TABLE u(a)\n", odd(3), odd(4)));
    sandbox.run("run --engine sqlite suite --quiet");
    assert_snapshot!(shown(&sandbox, "analyze --patterns"), @"
    exit code 0
    --- stdout
    run [run] on sqlite [version]
    7 failing records in 1 file: 4 clusters
    the first 4 fixes turn 1 of 1 file green

     records    share  files  fix  what
           2  28.57 %      1    1  wrong values (duplicates)
           2  28.57 %      1    2  wrong values (another number)
           2  28.57 %      1    3  no error where one was expected, with INSERT
           1  14.28 %      1    4  no error where one was expected, with CREATE

    fix 3: no error where one was expected, with INSERT
      about 9 % of the records with INSERT fail so
    fix 4: no error where one was expected, with CREATE
      about 5 % of the records with CREATE fail so
    ");
}

#[test]
fn the_records_of_a_cluster() {
    let sandbox = sandbox();
    assert_snapshot!(shown(&sandbox, "analyze --fix 3"), @"
    exit code 0
    --- stdout
    fix 3: error: near _: syntax error
    4 records in 1 file
    1 root and 3 that follow

    suite/ddl/cascade.test:1
    suite/ddl/cascade.test:4
    suite/ddl/cascade.test:7
    suite/ddl/cascade.test:12
    ");
    assert_snapshot!(shown(&sandbox, "analyze --fix 3 --format json"), @r#"
    exit code 0
    --- stdout
    {
      "format": 1,
      "run": "[run]",
      "fix": 3,
      "title": "error: near _: syntax error",
      "records": [
        {
          "file": "ddl/cascade.test",
          "line": 1,
          "key": "a69f62319af48f97"
        },
        {
          "file": "ddl/cascade.test",
          "line": 4,
          "key": "3840e28aab158bd6"
        },
        {
          "file": "ddl/cascade.test",
          "line": 7,
          "key": "e4814f3a1c859600"
        },
        {
          "file": "ddl/cascade.test",
          "line": 12,
          "key": "8777b97817b24f22"
        }
      ]
    }
    "#);
    assert_snapshot!(shown(&sandbox, "analyze --fix 3 --format toml"), @r#"
    exit code 0
    --- stdout

    [[xfail]]
    engine = "sqlite"
    file = "ddl/cascade.test"
    records = ["a69f62319af48f97", "3840e28aab158bd6", "e4814f3a1c859600", "8777b97817b24f22"]
    reason = "error: near _: syntax error"
    "#);
    assert_snapshot!(shown(&sandbox, "analyze --fix 4"), @"
    exit code 2
    --- stderr
    error: --fix 4: the run has 3 clusters
      hint: `analyze --top-fixes` lists them
    ");
    assert_snapshot!(shown(&sandbox, "analyze --format toml"), @"
    exit code 2
    --- stderr
    error: --format toml requires --fix
      hint: name a cluster, as in `--fix 1 --format toml`
    ");
    // What is expected to fail then, and what is green if it is left out, is what was said.
    let entries = sandbox.run("analyze --fix 3 --format toml").stdout;
    sandbox.write("suite/expectations.toml", &entries);
    let judged = sandbox.run("expectations check").stdout;
    assert!(judged.contains("expected to fail: 4 records, and nothing else in 1 file"), "{judged}");
    sandbox.write("suite/expectations.toml", entries.replace("xfail", "skip"));
    sandbox.run("run --engine sqlite suite --quiet");
    let compared = sandbox.run("compare").stdout;
    assert!(compared.contains("suite/ddl/cascade.test  FAIL before, now EMPTY"), "{compared}");
}

#[test]
fn a_trend_needs_runs() {
    let sandbox = sandbox();
    sandbox.write("suite/select/sums.test", "statement ok\nSELECT 1\n");
    sandbox.run("run --engine sqlite suite --quiet");
    let output = sandbox.run("analyze --trend").stdout;
    assert!(output.contains("pass rate ▁█"), "{output}");
    let earlier = sandbox.all_runs()[0].file_name().unwrap().to_str().unwrap().to_owned();
    let output = sandbox.run(&format!("analyze {earlier}"));
    // The file has changed since, but the run has kept the SQL.
    assert!(output.stdout.contains("17 failing records in 3 files"), "{output}");
    assert!(!output.stdout.contains("without their SQL"), "{output}");
}

#[test]
fn a_filter_selects_files_of_the_run() {
    let sandbox = sandbox();
    assert_snapshot!(shown(&sandbox, "analyze --filter category:select --exclude sums --top-fixes"), @"
    exit code 0
    --- stdout
    run [run] on sqlite [version]
    filtered by --filter category:select --exclude sums: 2 of 4 files, 7 of 17 failing records
    7 failing records in 1 file: 2 clusters
    the first 2 fixes turn 1 of 1 file green

     fix  records  files  alone  green  what
       1        6      1      0      0  wrong values (another number), with operator +
       2        1      1      0      1  error: no such function: frobnicate
    alone: files that it turns green by itself; green: files that are green after it
    ");
    // The clusters are numbered within the selection.
    let records = sandbox.run("analyze --filter cascade* --fix 1").stdout;
    assert!(records.contains("4 records in 1 file"), "{records}");
    let line = "analyze --filter category:select --format json";
    let document: serde_json::Value = serde_json::from_str(&sandbox.run(line).stdout).unwrap();
    assert_eq!(document["failing_records"], 13);
    assert_eq!(
        document["selection"],
        serde_json::json!({
            "filters": "--filter category:select",
            "files": 3,
            "files_of_run": 4,
            "failing_records_of_run": 17,
        })
    );
    // The trend is that of the selected files.
    assert_eq!(document["trend"][0]["pass_rate"], 2400.0 / 37.0);
    assert_snapshot!(shown(&sandbox, "analyze --filter nowhere"), @"
    exit code 3
    --- stderr
    error: no result of the 4 files in run [run] passes --filter nowhere
      hint: a pattern is a part of the path, a glob, or category:NAME; `show` lists files
    ");
}

#[test]
fn the_trend_of_each_category() {
    let sandbox = sandbox();
    sandbox.write("suite/select/sums.test", "statement ok\nSELECT 1\n");
    sandbox.write("suite/joins/new.test", "statement ok\nSELECT 1\n");
    sandbox.run("run --engine sqlite suite --quiet");
    sandbox.write("suite/select/sums.test", "statement error\nSELECT 1\n");
    sandbox.run("run --engine sqlite suite --quiet");
    let trend = sandbox.run("analyze --trend").stdout;
    let categories: String =
        trend.lines().skip_while(|line| !line.contains("category")).map(|line| format!("{line}\n")).collect();
    assert_snapshot!(categories, @"
    category  trend  records  passed      rate  change
    select    ▁█▃         24      16   66.66 %   -4.17
    ddl       ███          4       0    0.00 %   +0.00
    joins     ██           1       1  100.00 %   +0.00
    ");
    let document: serde_json::Value =
        serde_json::from_str(&sandbox.run("analyze --format json").stdout).unwrap();
    let categories = document["trend_by_category"].as_array().unwrap();
    let runs = |name: &str| {
        let found = categories.iter().find(|category| category["category"] == name).unwrap();
        found["runs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|run| run["passed"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!((runs("select"), runs("joins")), (vec![24, 17, 16], vec![1, 1]));
    assert!(sandbox.run("analyze --trend --format markdown").stdout.contains("| category | trend |"));
}

#[test]
fn commands_of_examples_repeat_them() {
    let sandbox = sandbox();
    let document: serde_json::Value =
        serde_json::from_str(&sandbox.run("analyze --format json").stdout).unwrap();
    for cluster in document["clusters"].as_array().unwrap() {
        let command = cluster["example"]["command"].as_str().unwrap();
        let line = command.split_once(' ').unwrap().1;
        let again = sandbox.run(line);
        assert_eq!(again.code, 1, "{line}\n{again}");
    }
}

#[test]
fn nothing_to_analyse() {
    let sandbox = Sandbox::with("statement ok\nSELECT 1\n");
    assert_snapshot!(shown(&sandbox, "analyze"), @"
    exit code 3
    --- stderr
    error: no run in `[home]/.vibesql/test_results`
      hint: use --results DIR to select another results folder
    ");
    sandbox.run("run --engine sqlite t.test --quiet");
    assert_snapshot!(shown(&sandbox, "analyze"), @"
    exit code 0
    --- stdout
    run [run] on sqlite [version]
    no failing records in 1 file
    ");
    assert_snapshot!(shown(&sandbox, "punchlist nowhere"), @"
    exit code 2
    --- stderr
    error: no run, branch, commit or file matches `nowhere`
      hint: `runs` lists all runs; `last` and `previous` are valid, too; no stored run has a branch
    ");
}
