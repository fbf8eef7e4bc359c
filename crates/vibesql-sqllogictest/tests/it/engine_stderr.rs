//! What an engine writes to standard error: kept for files that have not passed, and shown with them.

use serde_json::Value;

use crate::sandbox::Sandbox;

const COMPLAINS: &str =
    "statement ok\ncomplain first warning\n\nstatement ok\ncomplain second \u{1b}[31m<warning>\n";

/// Files that run one after the other in one worker.
fn suite() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/a_passes.test", COMPLAINS);
    sandbox.write("s/b_fails.test", format!("{COMPLAINS}\nstatement ok\nerror no\n"));
    sandbox.write("s/c_silent.test", "statement ok\nerror no\n");
    let many: String = (0..100).map(|line| format!("statement ok\ncomplain line {line}\n\n")).collect();
    sandbox.write("s/d_many.test", format!("{many}statement ok\nhang\n"));
    sandbox.write("s/e_dies.test", "statement ok\ncomplain farewell\nabort\n");
    sandbox
}

#[test]
fn standard_error_is_kept_for_files_that_have_not_passed() {
    let sandbox = suite();
    let line = "run --engine scripted --serial --order path --timeout 2 --grace 0 --verbose --json r.json s";
    let output = sandbox.run(line);
    assert_eq!(output.code, 5, "{output}");
    let json: Value = serde_json::from_str(&sandbox.read("r.json")).unwrap();
    let kept = |file: &str| {
        let files = json["files"].as_array().unwrap();
        files.iter().find(|one| one["file"] == file).unwrap()["stderr"].as_str().map(str::to_owned)
    };
    assert_eq!(kept("a_passes.test"), None);
    let both = "first warning\nsecond \u{1b}[31m<warning>";
    assert_eq!(kept("b_fails.test").as_deref(), Some(both));
    // Nothing of another file.
    assert_eq!(kept("c_silent.test"), None);
    let many = kept("d_many.test").unwrap();
    assert!(many.starts_with("line 80\n") && many.ends_with("\nline 99"), "{many}");
    assert_eq!(kept("e_dies.test").as_deref(), Some("farewell"));

    // On the screen: with its file, and in the list at the end, without control characters.
    let shown = "standard error of the engine:\n";
    assert_eq!(output.stdout.matches(shown).count(), 5, "{output}");
    assert!(output.stdout.contains("second \\x1b[31m<warning>"), "{output}");
    let (_, list) = output.stdout.split_once("\nfailed: ").unwrap();
    assert!(
        list.contains("              line 97\n              line 98\n              line 99\n"),
        "{output}"
    );
    assert!(!list.contains("line 96"), "{output}");
    // It is a part of the message already.
    assert!(list.contains("(farewell)") && !list.contains("  farewell"), "{output}");

    let shown = sandbox.run("show last s/d_many.test").stdout;
    assert!(shown.contains("standard error of the engine:\n  line 80\n"), "{shown}");
    let junit = sandbox.run("report --format junit").stdout;
    assert!(
        junit.contains("<system-err>first warning\nsecond \\x1b[31m&lt;warning&gt;</system-err>"),
        "{junit}"
    );
    assert_eq!(junit.matches("<system-err>").count(), 3, "{junit}");
    let page = sandbox.run("report --output page.html");
    assert_eq!(page.code, 0, "{page}");
    assert!(sandbox.read("page.html").contains("line 80\\nline 81"));

    // It survives an import, and the dump of a run.
    let imported = Sandbox::new();
    imported.write("r.json", sandbox.read("r.json"));
    let shown = imported.run("show r.json b_fails.test").stdout;
    assert!(shown.contains("  first warning\n"), "{shown}");
}
