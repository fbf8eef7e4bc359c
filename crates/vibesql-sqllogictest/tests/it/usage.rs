//! Mistakes of the user: a clear message with a hint, an exit code that is not 0, and nothing lost.

use insta::assert_snapshot;

use crate::sandbox::{Output, Sandbox};

#[test]
fn a_path_that_is_not_there() {
    assert_snapshot!(Sandbox::new().run("run --engine sqlite nowhere"), @"
    exit code 2
    --- stderr
    error: no such file or directory: `nowhere`
      hint: a path is a file, a directory or a glob; shipped files are called suite:PATH, see `list`
    ");
    assert_snapshot!(Sandbox::new().run("test --engine sqlite nowhere.test:3"), @"
    exit code 2
    --- stderr
    error: no such file or directory: `nowhere.test`
      hint: a path is a file, a directory or a glob; shipped files are called suite:PATH, see `list`
    ");
}

#[test]
fn a_glob_or_folder_without_test_files() {
    let sandbox = Sandbox::new();
    sandbox.write("empty/readme.md", "no test");
    assert_snapshot!(sandbox.run("run --engine sqlite no/*.test"), @"
    exit code 3
    --- stderr
    error: no test file matches `no/*.test`
      hint: directories are searched for *.test and *.slt; in a glob * stays within a folder, ** does not
    ");
    assert_snapshot!(sandbox.run("run --engine sqlite empty"), @"
    exit code 3
    --- stderr
    error: no test file matches `empty`
      hint: directories are searched for *.test and *.slt; in a glob * stays within a folder, ** does not
    ");
    assert_snapshot!(sandbox.run("list suite:klingon"), @"
    exit code 3
    --- stderr
    error: no shipped file matches `suite:klingon`
      hint: `vibesql-sqllogictest list` lists the shipped files
    ");
}

#[test]
fn an_unknown_engine_or_dialect() {
    let sandbox = Sandbox::with("statement ok\nSELECT 1\n");
    // Which engines there are depends on the features.
    let unknown = sandbox.run("run --engine klingon t.test").to_string().replace("vibesql, ", "");
    assert_snapshot!(unknown, @"
    exit code 2
    --- stderr
    error: unknown engine `klingon`
      hint: engines of this build: sqlite, postgres, postgres-extended, mysql, exec
    ");
    assert_snapshot!(sandbox.run("run --engine sqlite:x t.test"), @"
    exit code 2
    --- stderr
    error: engine `sqlite` takes nothing behind a colon, found `x`
      hint: use for example `--engine sqlite`
    ");
    assert_snapshot!(sandbox.run("run --engine sqlite --dialect klingon t.test"), @"
    exit code 2
    --- stderr
    error: unknown dialect `klingon`
      hint: dialects: sqlite, rs, vibesql, duckdb, cockroach, materialize
    ");
    sandbox.write("k.test", "# slt-dialect: klingon\n\nstatement ok\nSELECT 1\n");
    assert_snapshot!(sandbox.run("test --engine sqlite k.test"), @"
    exit code 2
    --- stderr
    error: unknown dialect `klingon`
      hint: dialects: sqlite, rs, vibesql, duckdb, cockroach, materialize
    ");
    assert_snapshot!(sandbox.run("run --serial --order path --engine sqlite k.test t.test"), @"
    exit code 2
    --- stdout
    ERROR   k.test  unknown dialect `klingon`  [time] s
    PASS    t.test  1 record  [time] s

    failed: 1 file
      ERROR   k.test: unknown dialect `klingon`

     category  files  passed  failed  other     rate  records  passed  failed  skipped  other      rate
     other         2       1       0      1  50.00 %        1       1       0        0      0  100.00 %

    FAIL: 1 of 2 files and 1 of 1 record passed on sqlite [version] in [time] s
    also: 1 file that could not be started (ERROR)
    ");
}

#[test]
fn an_unreadable_file_does_not_hide_the_others() {
    let sandbox = Sandbox::with("statement ok\nSELECT 1\n");
    // A socket exists and cannot be read as a file.
    let _socket = std::os::unix::net::UnixListener::bind(sandbox.path().join("s.test")).unwrap();
    let output = sandbox.run("run --engine sqlite s.test t.test");
    assert_eq!(output.code, 2, "{output}");
    assert!(output.stdout.contains("ERROR   s.test"), "{output}");
    assert!(output.stdout.contains("PASS    t.test"), "{output}");
}

#[test]
fn engines_are_listed() {
    let output = Sandbox::new().run("engines");
    assert!(output.stdout.contains("sqlite              the bundled SQLite"), "{output}");
    assert!(!output.stdout.contains("scripted"), "it is for tests: {output}");
    let verbose = Sandbox::new().run("engines --verbose");
    assert!(
        verbose.stdout.contains("    several-statements  yes  several statements in one text"),
        "{verbose}"
    );
    assert!(verbose.stdout.contains("    depends on its argument: `engines 'exec:…'`"), "{verbose}");
}

#[test]
fn an_engine_is_shown_with_what_it_can_do() {
    let output = Sandbox::new().run("engines scripted:old");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        output.stdout.replace(version, "VERSION"),
        "\
engine   scripted:old
version  VERSION
labels   scripted

several-statements  yes  several statements in one text
columns-first       no   a query with the wrong number of columns has no effect
cancel              yes  --record-timeout cancels the statement, and the file continues
connections         no   several connections to one database
concurrent          yes  statements of several connections at the same time
users               no   connections as other users
restart             no   restarts a database with its durable data
load                no   opens the database in a file
"
    );
}

#[test]
fn an_engine_comes_from_an_environment_variable_which_is_never_shown() {
    let sandbox = Sandbox::with("statement ok\nok\n");
    let run = |line: &str, value: &str| Output::of(sandbox.command(line).env("MY_ENGINE", value));
    let output = run("run --engine env:MY_ENGINE --json out.json t.test", "scripted");
    assert_eq!(output.code, 0, "{output}");
    // The command of a driver, the address of a server, and what is neither may contain passwords.
    for secret in ["exec:false secret", "exec:exit 3 # u:secret@h", "secret", "sqlite:secret"] {
        let output = run("run --engine env:MY_ENGINE t.test", secret);
        assert!([2, 6].contains(&output.code), "{secret}: {output}");
        assert!(!format!("{output}").contains("secret"), "{output}");
        assert!(output.stderr.contains("env:MY_ENGINE") || output.stderr.contains("`MY_ENGINE`"), "{output}");
    }
    let missing = sandbox.run("run --engine env:MISSING t.test");
    assert_eq!(missing.code, 2, "{missing}");
    assert!(missing.stderr.contains("environment variable `MISSING`: it is not set"), "{missing}");
}

#[test]
fn a_password_on_the_command_line_is_refused_and_not_repeated() {
    let sandbox = Sandbox::with("statement ok\nok\n");
    for engine in ["exec:driver x://u:secret@h/d", "postgres://u:secret@h", "nonsense://:secret@h:5/d"] {
        let output = Output::of(sandbox.command("run t.test").arg("--engine").arg(engine));
        assert_eq!(output.code, 2, "{output}");
        assert!(
            output.stderr.contains("contains a password") && output.stderr.contains("env:VARIABLE"),
            "{output}"
        );
        assert!(!output.stderr.contains("secret"), "{output}");
    }
    sandbox.write("sqllogictest.toml", "engine = \"postgres://u:secret@h/d\"\n");
    for line in ["run t.test", "config show", "config show --json"] {
        let output = sandbox.run(line);
        assert!(!format!("{output}").contains("secret"), "{output}");
    }
    assert!(sandbox.run("config show").stdout.contains("postgres://u:…@h/d"));
}

#[test]
fn wrong_words() {
    assert_snapshot!(Sandbox::new().run("rnu"), @"
    exit code 2
    --- stderr
    error: unrecognized subcommand 'rnu'

      tip: a similar subcommand exists: 'runs'

    Usage: vibesql-sqllogictest [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(Sandbox::new().run("prune --keep 5"), @"
    exit code 2
    --- stderr
    error: unrecognized subcommand 'prune'

      tip: a similar subcommand exists: 'store prune'

    Usage: vibesql-sqllogictest [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(Sandbox::new().run("run --workers 0"), @"
    exit code 2
    --- stderr
    error: invalid value '0' for '--workers <N>': 0 is not in 1..=65535

    For more information, try '--help'.
    ");
    let output = Sandbox::new().run("run --hash-threshold x");
    assert_eq!(output.code, 2, "{output}");
    assert_eq!(Sandbox::new().run("").code, 2);
}

#[test]
fn help_and_version() {
    let sandbox = Sandbox::new();
    let (short, long) = (sandbox.run("run -h"), sandbox.run("run --help"));
    for output in [&short, &long] {
        assert!(output.code == 0 && output.stderr.is_empty(), "{output}");
        assert!(output.stdout.contains("Usage: vibesql-sqllogictest run [OPTIONS] [PATH]..."), "{output}");
    }
    assert!(short.stdout.len() < long.stdout.len());
    let version = concat!("vibesql-sqllogictest ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(sandbox.run("--version").stdout, version);
}

#[test]
fn a_line_without_a_record() {
    let sandbox = Sandbox::with("# head\n\nstatement ok\nSELECT 1\n\nonlyif x\nhalt\n");
    assert_snapshot!(sandbox.run("test --engine sqlite t.test:1"), @"
    exit code 3
    --- stderr
    error: no record on line 1 of `t.test`
      hint: the next record is on line 3
    ");
    assert_snapshot!(sandbox.run("test --engine sqlite t.test:7"), @"
    exit code 3
    --- stderr
    error: line 7 of `t.test` is a control record
      hint: name the line of a statement or query; line 7 has none
    ");
    assert_snapshot!(sandbox.run("test --engine sqlite t.test:99"), @"
    exit code 3
    --- stderr
    error: no record on line 99 of `t.test`
      hint: the file has 1 record, all before it
    ");
}

#[test]
fn a_report_that_cannot_be_written() {
    let sandbox = Sandbox::with("statement ok\nSELECT 1\n");
    assert_snapshot!(sandbox.run("run --engine sqlite --json no/such/folder.json t.test"), @"
    exit code 2
    --- stderr
    error: cannot write `no/such/folder.json`
      caused by: entity not found
    ");
}

#[test]
#[cfg(target_os = "linux")]
fn a_limit_of_the_system_is_no_bug() {
    let sandbox = Sandbox::with("statement ok\nSELECT 1\n");
    let limited = |limit: &str, line: &str| {
        let program = sandbox.command("");
        let mut shell = std::process::Command::new("sh");
        let line = format!("ulimit {limit} && exec {} {line}", program.get_program().display());
        shell.args(["-c", &line]).current_dir(sandbox.path()).env_clear();
        shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Output::of(&mut shell)
    };
    for line in ["test --engine sqlite t.test", "run --engine sqlite t.test", "list t.test"] {
        let output = limited("-v 200000", line);
        assert_eq!(output.code, 71, "{output}");
        assert!(output.stderr.starts_with("error: cannot start a thread\n  caused by: "), "{output}");
        assert!(output.stderr.contains("hint: a system limit is reached; `ulimit -a`"), "{output}");
    }
    // From too few files for anything at all to enough for everything.
    let codes: Vec<_> = (5..40)
        .map(|files| {
            let output = limited(&format!("-n {files}"), "run --engine sqlite t.test");
            assert!([0, 71].contains(&output.code), "{files} files: {output}");
            output.code
        })
        .collect();
    assert!(codes.contains(&0) && codes.contains(&71), "{codes:?}");
}
