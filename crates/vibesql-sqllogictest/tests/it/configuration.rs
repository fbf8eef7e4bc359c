//! `sqllogictest.toml`, the environment, and what is made of the definitions of the command line.

use insta::assert_snapshot;
use serde_json::Value;

use crate::sandbox::{Output, Sandbox};

const PASSING: &str = "query I nosort\nSELECT 1\n----\n1\n";

const FILE: &str = "\
engine = 'sqlite'
timeout = 500

[suite.own]
paths = ['tests']
timeout = 800
exclude = ['index/view/**']

[profile.base]
max-fail = 7

[profile.ci]
inherits = 'base'
fail-fast = false
json = 'out/report.json'
workers = 4

[[override]]
files = 'select5.test'
timeout = 2400
";

fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("sqllogictest.toml", FILE);
    sandbox.write("tests/select5.test", PASSING);
    sandbox.write("tests/index/view/a.test", PASSING);
    sandbox.write("below/deep/readme", "");
    sandbox
}

/// Runs the program two folders below the file, with variables.
fn from_below(sandbox: &Sandbox, line: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = sandbox.command(line);
    command.current_dir(sandbox.path().join("below/deep")).envs(variables.iter().copied());
    Output::of(&mut command)
}

#[test]
fn settings_are_shown_with_their_origin() {
    let variables = [("SQLLOGICTEST_HASH_THRESHOLD", "8"), ("SQLLOGICTEST_ENGINE", "")];
    let line = "--profile ci config show run -- --suite own --serial --fail-on-empty";
    assert_snapshot!(from_below(&project(), line, &variables), @"
    exit code 0
    --- stdout
    command  run
    file     ../../sqllogictest.toml
    profile  ci, which inherits from base
    suite    own

    setting          value                  from
    json             ../../out/report.json  ../../sqllogictest.toml: profile ci
    output-dir       -                      default
    max-details      100                    default
    fail-on-empty    true                   command line
    workers          -                      default
    serial           true                   command line
    fail-fast        false                  ../../sqllogictest.toml: profile ci
    max-fail         7                      ../../sqllogictest.toml: profile base
    group            -                      default
    resume           -                      default
    watch            false                  default
    quiet            false                  default
    verbose          false                  default
    durations        -                      default
    timings          false                  default
    no-progress      false                  default
    message-format   human                  default
    baseline         -                      default
    gate             records                default
    timeout          800                    ../../sqllogictest.toml: suite own
    time             -                      default
    max-memory       -                      default
    slow             60                     default
    grace            2                      default
    retries          0                      default
    repeat           1                      default
    flaky            pass                   default
    paths            ../../tests            ../../sqllogictest.toml: suite own
    filter           -                      default
    exclude          index/view/**          ../../sqllogictest.toml: suite own
    shard            -                      default
    files            -                      default
    suite-name       -                      default
    failed           false                  default
    changed          -                      default
    balance          count                  default
    order            history                default
    random           false                  default
    seed             -                      default
    no-split         false                  default
    engine           sqlite                 ../../sqllogictest.toml
    engine-name      -                      default
    dialect          -                      default
    exact            false                  default
    allow-shell      false                  default
    allow-outside    false                  default
    record-timeout   -                      default
    hash-threshold   8                      SQLLOGICTEST_HASH_THRESHOLD
    expectations     -                      default
    no-expectations  false                  default
    color            auto                   default
    results          -                      default

    timeout 2400 for select5.test (line 18)

    workers of ../../sqllogictest.toml: profile ci is ignored because of serial (command line)
    ");
    assert_snapshot!(Sandbox::new().run("config show list"), @"
    exit code 0
    --- stdout
    command  list
    file     none
    profile  none
    suite    none

    setting          value  from
    long             false  default
    engine           -      default
    dialect          -      default
    paths            -      default
    filter           -      default
    exclude          -      default
    shard            -      default
    files            -      default
    suite-name       -      default
    failed           false  default
    changed          -      default
    balance          count  default
    expectations     -      default
    no-expectations  false  default
    color            auto   default
    results          -      default
    ");
}

#[test]
fn settings_are_shown_as_json() {
    let output = from_below(&project(), "config show --json --profile ci", &[("SQLLOGICTEST_QUIET", "yes")]);
    let shown: Value = serde_json::from_str(&output.stdout).unwrap();
    let setting = |name: &str| {
        let all = shown["settings"].as_array().unwrap();
        all.iter().find(|setting| setting["setting"] == name).unwrap().clone()
    };
    assert_eq!(shown["file"], "../../sqllogictest.toml");
    assert_eq!(shown["profiles"], serde_json::json!(["ci", "base"]));
    assert_eq!(shown["overrides"][0]["timeout"], 2400);
    assert_eq!(setting("quiet")["value"], true);
    assert_eq!(setting("quiet")["from"]["variable"], "SQLLOGICTEST_QUIET");
    assert_eq!(setting("max-fail")["value"], "7");
    assert_eq!(setting("max-fail")["from"]["name"], "base");
    assert_eq!(setting("max-fail")["from"]["line"], 10);
    assert_eq!(setting("paths")["value"], serde_json::json!([]));
    assert_eq!(setting("dialect")["value"], Value::Null);
}

#[test]
fn the_file_is_found_above_or_named() {
    let sandbox = project();
    assert_snapshot!(from_below(&sandbox, "config path", &[]), @"
    exit code 0
    --- stdout
    ../../sqllogictest.toml
    ");
    sandbox.write("other.toml", "engine = 'sqlite'\n");
    assert_snapshot!(sandbox.run("--config other.toml config path"), @"
    exit code 0
    --- stdout
    other.toml
    ");
    assert_snapshot!(sandbox.run("config path --no-config"), @"
    exit code 3
    --- stderr
    error: there is no sqllogictest.toml in this folder or its parents
      hint: docs/configuration.md describes the file
    ");
    assert_snapshot!(sandbox.run("run --config nowhere.toml"), @"
    exit code 2
    --- stderr
    error: cannot read `nowhere.toml`
      caused by: No such file or directory (os error 2)
      hint: use --no-config to run without a configuration file
    ");
}

#[test]
fn a_suite_is_run_from_anywhere() {
    let output = from_below(&project(), "run --suite own --serial", &[]);
    assert_eq!(output.code, 0, "{output}");
    assert!(output.stdout.contains("PASS    ../../tests/select5.test"), "{output}");
    assert!(!output.stdout.contains("view"), "{output}");
}

#[test]
fn an_override_limits_its_files_only() {
    let sandbox = Sandbox::new();
    let file = "engine = 'scripted'\ntimeout = 0\n[[override]]\nfiles = 'slow.test'\ntimeout = 1\n";
    sandbox.write("sqllogictest.toml", file);
    sandbox.write("s/slow.test", "statement ok\nhang\n");
    sandbox.write("s/some.test", "statement ok\nsleep 1200\n");
    let output = sandbox.run("run s");
    assert_eq!(output.code, 1, "{output}");
    assert!(output.stdout.contains("TIMEOUT s/slow.test"), "{output}");
    assert!(output.stdout.contains("PASS    s/some.test"), "{output}");
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    let sandbox = Sandbox::new();
    let file = "\
engin = 'sqlite'
timeout = 'soon'
workers = 0
quiet = 'perhaps'
max-fail = [1, 2]
color = 'pink'
config = 'x'
default-suite = 'none'
[suite.own]
paths = { a = 1 }
path = 'x'
suite-name = 'y'
[suites.x]
[profile.a]
inherits = 'b'
[profile.b]
inherits = 'a'
[profile.c]
inherits = 'd'
suite = 'own'
[[override]]
files = '['
timeout = 1
[[override]]
files = 'x'
[[override]]
timeout = '1 h'
retries = 3
";
    sandbox.write("sqllogictest.toml", file);
    assert_snapshot!(sandbox.run("run"), @"
    exit code 2
    --- stderr
    error: sqllogictest.toml:1: unknown key `engin`
      hint: did you mean `engine`?
    error: sqllogictest.toml:2: `timeout`: expected --timeout <SECONDS>, found `soon` (invalid digit found in string)
      hint: see `--help` of the command for valid values
    error: sqllogictest.toml:3: `workers`: expected --workers <N>, found `0` (0 is not in 1..=65535)
      hint: see `--help` of the command for valid values
    error: sqllogictest.toml:4: `quiet`: expected true or false, found `perhaps`
      hint: see `--help` of the command for valid values
    error: sqllogictest.toml:5: `max-fail`: expected one value, found `[1, 2]`
      hint: see `--help` of the command for valid values
    error: sqllogictest.toml:6: `color`: expected auto, always or never, found `pink`
      hint: see `--help` of the command for valid values
    error: sqllogictest.toml:7: `config` cannot be set here
      hint: use the flag or its variable
    error: sqllogictest.toml:8: unknown suite `none`
      hint: suites of the file: own
    error: sqllogictest.toml:10: `paths`: expected a value, or a list of values, found `{ a = 1 }`
      hint: see `--help` of the command for valid values
    error: sqllogictest.toml:11: unknown key `path`
      hint: did you mean `paths`?
    error: sqllogictest.toml:12: `suite-name` cannot be set here
      hint: it applies to the whole folder; put it before all tables
    error: sqllogictest.toml:13: unknown key `suites`
      hint: did you mean `suite`?
    error: sqllogictest.toml:15: profiles inherit from each other: a from b from a
    error: sqllogictest.toml:19: unknown profile `d`
      hint: profiles of the file: a, b, c
    error: sqllogictest.toml:20: `suite` cannot be set here
      hint: use --suite, SQLLOGICTEST_SUITE, or `default-suite` in front of all tables
    error: sqllogictest.toml:22: `files`: expected a pattern, found `[` (`[` is not a valid glob)
      hint: see `--help` of the command for valid values
    error: sqllogictest.toml:24: an override without `timeout` or `dialect`
      hint: an override has `files`, patterns as of --filter, and `timeout` in seconds, `dialect` or both
    error: sqllogictest.toml:27: `timeout`: expected seconds, or 0 for no limit, found `1 h`
      hint: see `--help` of the command for valid values
    error: sqllogictest.toml:28: unknown key `retries`
      hint: keys are the long flags without `--`; docs/configuration.md lists the others
    ");
    assert_eq!(sandbox.run("config show").stderr, sandbox.run("run").stderr);
    sandbox.write("sqllogictest.toml", "timeout = 1\nengine = = 'sqlite'\n");
    assert_snapshot!(sandbox.run("list"), @"
    exit code 2
    --- stderr
    error: sqllogictest.toml:2: extra `=`, expected nothing
    ");
}

#[test]
fn mistakes_of_the_environment() {
    let sandbox = project();
    let variables =
        [("SQLLOGICTEST_QUIET", "maybe"), ("SQLLOGICTEST_WORKERS", "many"), ("SQLLOGICTEST_LONG", "x")];
    assert_snapshot!(from_below(&sandbox, "run", &variables), @"
    exit code 2
    --- stderr
    error: SQLLOGICTEST_WORKERS: expected --workers <N>, found `many` (invalid digit found in string)
      hint: see `--help` of the command for valid values, or unset the variable
    error: SQLLOGICTEST_QUIET: expected true or false, found `maybe`
      hint: see `--help` of the command for valid values, or unset the variable
    ");
    assert_snapshot!(from_below(&sandbox, "list", &[("SQLLOGICTEST_PROFILE", "cy")]), @"
    exit code 2
    --- stderr
    error: SQLLOGICTEST_PROFILE: unknown profile `cy`
      hint: profiles of the file: base, ci
    ");
    // Neither of the two stands higher.
    sandbox.write("sqllogictest.toml", "workers = 2\nserial = true\n");
    assert_snapshot!(sandbox.run("run"), @"
    exit code 2
    --- stderr
    error: `workers` (sqllogictest.toml:1) and `serial` (sqllogictest.toml:2) exclude each other
      hint: remove one of them
    ");
}

#[test]
fn workers_are_not_configured() {
    // A worker that looked at the variable would not find the profile, since it does not know of the other file.
    let sandbox = project();
    sandbox.write("below/other.toml", "engine = 'sqlite'\n[profile.p]\nworkers = 2\n");
    let output =
        from_below(&sandbox, "run --config ../other.toml ../../tests", &[("SQLLOGICTEST_PROFILE", "p")]);
    assert_eq!(output.code, 0, "{output}");
}

#[test]
fn completions_know_every_command_that_is_shown() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = Sandbox::new().run(&format!("completions {shell}"));
        assert_eq!(output.code, 0, "{output}");
        for word in ["vibesql-sqllogictest", "record-timeout", "completions"] {
            assert!(output.stdout.contains(word), "{shell}: {word}");
        }
        for word in ["Works on the files", "__work)", "'work'", ";work "] {
            assert!(!output.stdout.contains(word), "{shell}: `work` is hidden");
        }
    }
    assert_eq!(Sandbox::new().run("completions klingon").code, 2);
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let sandbox = Sandbox::new();
    let output = sandbox.run("man");
    assert_eq!(output.code, 0, "{output}");
    assert!(output.stdout.contains(".TH vibesql-sqllogictest 1"), "{output}");
    assert!(output.stdout.contains("Exit codes:"), "{output}");

    assert_eq!(sandbox.run("man --dir pages").code, 0);
    let pages = std::fs::read_dir(sandbox.path().join("pages")).unwrap();
    let mut names: Vec<_> = pages.map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let commands = [
        "completions",
        "config-path",
        "config-show",
        "config",
        "engines",
        "list",
        "man",
        "run",
        "test",
        "worker",
    ];
    for command in commands {
        let page = format!("vibesql-sqllogictest-{command}.1");
        assert!(names.contains(&page), "{page} of {names:?}");
    }
    assert!(!names.iter().any(|name| name.ends_with("-work")), "{names:?}");
    let run = sandbox.read("pages/vibesql-sqllogictest-run.1");
    assert!(run.contains(r"\-\-record\-timeout"), "{run}");
}
