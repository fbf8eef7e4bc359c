//! The dialect of each file: who chooses it, and who is told.

use serde_json::Value;

use crate::sandbox::Sandbox;

/// A file that no runner reads as a whole.
const MIXED: &str =
    "control sortmode rowsort\n\nstatement ok\nok\n\nloop i 0 3\n\nstatement ok\nok\n\nendloop\n";
const MESSAGE: &str = "the file mixes dialects: `control sortmode rowsort` on line 1 is rs or vibesql, `loop i 0 3` on line 6 is duckdb";

#[test]
fn a_file_that_mixes_dialects_is_refused() {
    let sandbox = Sandbox::with(MIXED);
    sandbox.write("good.test", "statement ok\nok\n");
    let run = sandbox.run("run --engine scripted t.test good.test");
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stdout.contains(&format!("ERROR   t.test     {MESSAGE}")), "{run}");
    assert!(run.stdout.contains("PASS    good.test"), "{run}");
    let test = sandbox.run("test --engine scripted t.test:3");
    assert_eq!((test.code, test.stdout.as_str()), (2, ""), "{test}");
    let hint = "\n  hint: a line `# slt-dialect: NAME` at its top decides, and so does --dialect\n";
    assert!(test.stderr.contains(&format!("error: cannot read `t.test`: {MESSAGE}{hint}")), "{test}");
    let list = sandbox.run("list --long .");
    assert_eq!(list.code, 2, "{list}");
    assert!(list.stderr.contains(&format!("warning: ./t.test: {MESSAGE}")), "{list}");
    // A choice of the user is one.
    for line in ["run --engine scripted --dialect sqlite t.test", "list --long --dialect sqlite t.test"] {
        assert!(!sandbox.run(line).stderr.contains("mixes"), "{line}");
    }
}

#[test]
fn the_configuration_can_choose_the_dialect_of_some_files() {
    let sandbox = Sandbox::with("# slt-dialect: klingon\n\nstatement ok\nok\n");
    assert_eq!(sandbox.run("run --engine scripted t.test").code, 2);
    sandbox.write("sqllogictest.toml", "[[override]]\nfiles = 't.test'\ndialect = 'sqlite'\n");
    for line in [
        "run --engine scripted t.test",
        "run --engine scripted --workers 2 t.test",
        "test --engine scripted t.test",
        "test --engine scripted t.test:3",
        "list --long t.test",
    ] {
        let output = sandbox.run(line);
        assert_eq!(output.code, 0, "{line}: {output}");
    }
    let shown = sandbox.run("config show run");
    assert!(shown.stdout.contains("\ndialect sqlite for t.test (line 1)\n"), "{shown}");
    let shown: Value = serde_json::from_str(&sandbox.run("config show --json run").stdout).unwrap();
    assert_eq!(shown["overrides"][0]["dialect"], "sqlite", "{shown:#}");
    // The flag is for all files.
    let wrong = sandbox.run("run --engine scripted --dialect klingon t.test");
    assert!(wrong.stderr.starts_with("error: unknown dialect `klingon`\n"), "{wrong}");
    sandbox.write("sqllogictest.toml", "[[override]]\nfiles = 't.test'\ndialect = 'klingon'\n");
    let wrong = sandbox.run("run --engine scripted t.test");
    assert_eq!(wrong.code, 2, "{wrong}");
    assert!(wrong.stderr.contains("sqllogictest.toml:3: `dialect`: expected a dialect: sqlite"), "{wrong}");
}

#[test]
fn reports_name_the_dialect_of_each_file() {
    let sandbox = Sandbox::with("statement ok\nok\n");
    sandbox.write("dies.test", "statement ok\nok\n\nstatement ok\nabort\n");
    sandbox.write("unknown.test", "# slt-dialect: klingon\n");
    let run = sandbox.run("run --engine scripted --json r.json .");
    assert_eq!(run.code, 5, "{run}");
    // The usual dialect is not worth a word.
    assert!(!run.stdout.contains("dialects:"), "{run}");
    let report: Value = serde_json::from_str(&sandbox.read("r.json")).unwrap();
    assert_eq!(report["dialects"], serde_json::json!({ "sqlite": 2 }), "{report:#}");
    let files = report["files"].as_array().unwrap().iter();
    let dialects: Vec<_> = files.map(|file| (file["file"].as_str().unwrap(), &file["dialect"])).collect();
    assert_eq!(
        dialects,
        [("dies.test", &"sqlite".into()), ("t.test", &"sqlite".into()), ("unknown.test", &Value::Null)]
    );
}

#[test]
fn the_shipped_suite_is_in_one_dialect() {
    let listed = Sandbox::new().run("list --long");
    assert_eq!(listed.code, 0, "{listed}");
    let other: Vec<_> = listed.stdout.lines().filter(|line| !line.ends_with(" (sqlite)")).collect();
    assert_eq!(other, [""; 0]);
}
