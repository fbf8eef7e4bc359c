//! Mistakes of the user: a clear message with a hint, an exit code that is not 0, and nothing lost.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

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
      hint: engines of this build: sqlite
    ");
    assert_snapshot!(sandbox.run("run --engine sqlite:x t.test"), @"
    exit code 2
    --- stderr
    error: engine `sqlite` takes nothing behind a colon, found `x`
      hint: write for instance `--engine sqlite`
    ");
    assert_snapshot!(sandbox.run("run --engine sqlite --dialect klingon t.test"), @"
    exit code 2
    --- stderr
    error: unknown dialect `klingon`
      hint: dialects: sqlite
    ");
    sandbox.write("k.test", "# slt-dialect: klingon\n\nstatement ok\nSELECT 1\n");
    assert_snapshot!(sandbox.run("test --engine sqlite k.test"), @"
    exit code 2
    --- stderr
    error: unknown dialect `klingon`
      hint: dialects: sqlite
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
    assert!(output.stdout.contains("sqlite        the bundled SQLite"), "{output}");
    assert!(!output.stdout.contains("scripted"), "it is for tests: {output}");
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
fn help_says_what_there_is() {
    let output = Sandbox::new().run("--help");
    // These need VibeSQL, or do more with it.
    let of_store =
        |line: &&str| ["  export ", "  store ", "  query "].iter().any(|name| line.starts_with(name));
    let named = output.stdout.lines().filter(of_store).count();
    assert_eq!(named, if cfg!(feature = "store") { 3 } else { 1 }, "{output}");
    let text = output.to_string();
    assert_snapshot!(text.lines().filter(|line| !of_store(line)).collect::<Vec<_>>().join("\n"), @"
    exit code 0
    --- stdout
    Runs SQLLogicTest suites against SQL engines and reports the outcome of every record

    Usage: vibesql-sqllogictest [OPTIONS] <COMMAND>

    Commands:
      test         Runs files or single records and shows each failure with a diff
      run          Runs a suite and prints a line for each file and a summary by category
      list         Lists the files that `run` would run
      engines      Lists the engines of this build
      status       Shows the last run by category and the changes since the previous run
      compare      Compares two runs record by record: regressed, fixed and new failures
      flaky        Lists flaky files: results differ between runs of the same code
      bisect       Finds the commits between which failures began and writes a script for `git bisect
                   run`
      runs         Lists runs with their pass rates
      show         Shows a run, or one file of a run with its failures
      analyze      Groups the failures of a run by probable cause and suggests what to fix first
      punchlist    Lists failing files in suggested fix order
      report       Writes a report about a run: HTML, JUnit, Markdown and others
      ledger       Maintains the list of expected failures
      prune        Removes old runs
      import       Imports results of VibeSQL's earlier scripts and other runners as runs
      merge        Imports runs from files of `export` and `backup`; existing runs stay unchanged
      backup       Writes all runs to one file and verifies it; `merge` restores them
      worker       Adds workers to a run in progress
      config       Shows the effective settings and where each comes from
      completions  Prints shell completions
      man          Prints the man page
      help         Print this message or the help of the given subcommand(s)

    Options:
          --color <WHEN>   When to use colours [default: auto] [possible values: auto, always, never]
          --results <DIR>  Folder for results of this and earlier runs; by default VIBESQL_RESULTS_DIR,
                           or ~/.vibesql/test_results
      -h, --help           Print help
      -V, --version        Print version

    Configuration:
          --config <FILE>   Read settings from FILE instead of the nearest sqllogictest.toml in this
                            folder or above
          --no-config       Do not read a configuration file
          --profile <NAME>  Use the settings of [profile.NAME] instead of [profile.default]

    Exit codes:
      0   all good              4   regressed
      1   tests failed          5   incomplete
      2   usage, configuration  6   engine unavailable
          or unreadable input   70  a bug of this program
      3   nothing selected      71  a limit of the system

    Examples:
      vibesql-sqllogictest run                          the shipped suite on VibeSQL
      vibesql-sqllogictest run --engine sqlite DIR      every test file below DIR on SQLite
      vibesql-sqllogictest test select1.test:1042       one record, after its set-up
    ");
    assert_snapshot!(Sandbox::new().run("run --help"), @"
    exit code 0
    --- stdout
    Runs a suite and prints a line for each file and a summary by category

    Usage: vibesql-sqllogictest run [OPTIONS] [PATH]...

    Arguments:
      [PATH]...  Files, directories (searched for *.test and *.slt), globs, or - for standard input; by
                 default the shipped suite

    Options:
          --color <WHEN>             When to use colours [default: auto] [possible values: auto, always,
                                     never]
          --json <FILE>              Write a JSON report to FILE; - is standard output
          --max-details <N>          Keep SQL and values of at most N failing records per file; the
                                     others are listed by line only [default: 100]
          --results <DIR>            Folder for results of this and earlier runs; by default
                                     VIBESQL_RESULTS_DIR, or ~/.vibesql/test_results
          --fail-on-empty            Count files in which nothing was executed as failed
      -j, --workers <N>              Run files in N worker processes; by default one per core
          --serial                   Run one file at a time, like --workers 1
          --fail-fast                Start no more files after the first that has not passed
          --max-fail <N>             Start no more files after N files that have not passed
          --resume [<RUN>]           Resume the interrupted run RUN; without RUN, the last interrupted
                                     one
      -q, --quiet                    Print no lines for files that passed
      -v, --verbose                  Print all failing records, notes, speed and memory of each file,
                                     and a line when a file starts
          --durations <N>            List the N slowest files at the end; 0 lists all
          --no-progress              Disable the progress bar and keys; they are always off if standard
                                     error is not a terminal
          --message-format <FORMAT>  Print text, or the events of the run as JSON lines, to standard
                                     output [default: human] [possible values: human, json]
      -h, --help                     Print help

    Comparison:
          --baseline <RUN>  Compare the finished run with RUN, named as for `compare`
          --gate <WHAT>     Exit with code 4, unless a more severe code applies, if a file (files), or a
                            file or record (records), has regressed [default: records] [possible values:
                            none, files, records]

    Limits:
          --timeout <SECONDS>  Stop a file after SECONDS; 0 means no limit [default: 500]
          --time <SECONDS>     Stop starting files after SECONDS; running files get the grace period
          --max-memory <SIZE>  Stop a file whose process uses more than SIZE of memory, for example 512M
                               or 2G. Linux only
          --slow <SECONDS>     Print a note when a file has been running for SECONDS or half its time
                               limit, and at each doubling; 0 disables the note [default: 60]
          --grace <SECONDS>    Time between asking a process to end and killing it [default: 2]
          --retries <N>        Rerun a file that has not passed, up to N times; if it then passes it is
                               FLAKY [default: 0]
          --repeat <N>         Run each file N times; a file that does not always pass is FLAKY or worse
                               [default: 1]
          --flaky <RESULT>     Whether a file counts as passed or failed if it passed only after a retry
                               or a worker crash [default: pass] [possible values: pass, fail]

    Selection:
          --filter <PATTERN>   Select only matching files: a part of the path, a glob, or category:NAME;
                               may be repeated. A glob without / matches names of files and folders, one
                               with / the path below PATH
          --exclude <PATTERN>  Exclude matching files; patterns as for --filter; may be repeated
          --shard <K/N>        Select only shard K of N; every machine computes the same shards. auto
                               reads K and N from the variables of GitLab (CI_NODE_INDEX and
                               CI_NODE_TOTAL), Heroku, CircleCI, Buildkite, Semaphore, Bitbucket or
                               Azure
          --files <PATH>       Select only these files, by their path below PATH; may be repeated. All
                               of them must exist
          --suite <NAME>       Use the paths and settings of [suite.NAME] in the configuration; PATH
                               arguments replace its paths

    Earlier runs:
          --failed           Select only files that did not pass in their last run on this engine
          --changed[=<REF>]  Select only files that differ from the Git commit REF or are untracked;
                             without REF, from the last commit
          --balance <WHAT>   Balance shards by number of files or by earlier durations. Machines with
                             different durations compute different shards [default: count] [possible
                             values: count, time]
          --order <ORDER>    The order of files. history: failed files first, then new ones, then passed
                             ones, each longest first; path: by path; random: shuffled [default:
                             history] [possible values: history, path, random]
          --random           The same as --order random
          --seed <N>         Shuffle with seed N; the order is the same on every machine
          --no-split         Do not split files. By default, a file that would outlast all others is
                             split between workers if that cannot change any result

    Engine and dialect:
          --engine <ENGINE>           The engine under test; by default the first one listed by
                                      `engines`
          --engine-name <NAME>        Name of the engine for skipif and onlyif, instead of its own
                                      names; may be repeated
          --dialect <DIALECT>         The dialect of the files, overriding what the files declare:
                                      sqlite
          --exact                     Behave exactly like the reference runner, including what it
                                      silently ignores
          --record-timeout <SECONDS>  Stop a record after SECONDS. SQLite continues with the next
                                      record; if an engine cannot be interrupted, the file ends there
          --hash-threshold <N>        Expect results of more than N values to be hashed, overriding the
                                      files; 0 means never

    Expected failures:
          --expectations <FILE>  File with expected failures; by default expectations.toml in the folder
                                 of the suite, if it exists
          --no-expectations      Treat every failure as unexpected

    Compatibility:
          --parallel  Run files in parallel, which is the default; see --workers
          --force     Run every file regardless of earlier results, which is the default

    Configuration:
          --config <FILE>   Read settings from FILE instead of the nearest sqllogictest.toml in this
                            folder or above
          --no-config       Do not read a configuration file
          --profile <NAME>  Use the settings of [profile.NAME] instead of [profile.default]

    In a terminal, the key t shows the running files; elsewhere, send SIGUSR1. Ctrl-C stops the run
    after the running files have finished; a second Ctrl-C stops it immediately.

    RUN is last or latest, previous (the run before it on the same engine), a name listed by `runs`, the
    path of a run's folder, a branch or a commit (its last complete run), or a file of `export --run`.
    If a name is ambiguous, prefix it with run:, branch:, commit: or file:.
    ");
    assert_snapshot!(Sandbox::new().run("test --help"), @"
    exit code 0
    --- stdout
    Runs files or single records and shows each failure with a diff

    Usage: vibesql-sqllogictest test [OPTIONS] <FILE[:LINE]>...

    Arguments:
      <FILE[:LINE]>...  A test file, a directory or a glob. FILE:LINE runs the statements before that
                        line, then only the record on it. Shipped files are named suite:PATH; standard
                        input is - or /dev/stdin:LINE

    Options:
          --color <WHEN>       When to use colours [default: auto] [possible values: auto, always,
                               never]
          --trace              Print each record to standard error before it runs, to locate a hang or
                               crash
          --max-failures <N>   Show at most N failures per file [default: 20]
          --results <DIR>      Folder for results of this and earlier runs; by default
                               VIBESQL_RESULTS_DIR, or ~/.vibesql/test_results
          --timeout <SECONDS>  Stop a file after SECONDS; 0 means no limit [default: 500]
      -h, --help               Print help

    Engine and dialect:
          --engine <ENGINE>           The engine under test; by default the first one listed by
                                      `engines`
          --engine-name <NAME>        Name of the engine for skipif and onlyif, instead of its own
                                      names; may be repeated
          --dialect <DIALECT>         The dialect of the files, overriding what the files declare:
                                      sqlite
          --exact                     Behave exactly like the reference runner, including what it
                                      silently ignores
          --record-timeout <SECONDS>  Stop a record after SECONDS. SQLite continues with the next
                                      record; if an engine cannot be interrupted, the file ends there
          --hash-threshold <N>        Expect results of more than N values to be hashed, overriding the
                                      files; 0 means never

    Configuration:
          --config <FILE>   Read settings from FILE instead of the nearest sqllogictest.toml in this
                            folder or above
          --no-config       Do not read a configuration file
          --profile <NAME>  Use the settings of [profile.NAME] instead of [profile.default]
    ");
    assert_snapshot!(Sandbox::new().run("list --help"), @"
    exit code 0
    --- stdout
    Lists the files that `run` would run

    Usage: vibesql-sqllogictest list [OPTIONS] [PATH]...

    Arguments:
      [PATH]...  Files, directories (searched for *.test and *.slt), globs, or - for standard input; by
                 default the shipped suite

    Options:
          --color <WHEN>       When to use colours [default: auto] [possible values: auto, always,
                               never]
      -l, --long               Print the number of records of each file, too
          --engine <ENGINE>    The engine whose earlier runs and expected failures are used; by default
                               the first one listed by `engines`
          --results <DIR>      Folder for results of this and earlier runs; by default
                               VIBESQL_RESULTS_DIR, or ~/.vibesql/test_results
          --dialect <DIALECT>  The dialect of the files, for counting records
      -h, --help               Print help

    Selection:
          --filter <PATTERN>   Select only matching files: a part of the path, a glob, or category:NAME;
                               may be repeated. A glob without / matches names of files and folders, one
                               with / the path below PATH
          --exclude <PATTERN>  Exclude matching files; patterns as for --filter; may be repeated
          --shard <K/N>        Select only shard K of N; every machine computes the same shards. auto
                               reads K and N from the variables of GitLab (CI_NODE_INDEX and
                               CI_NODE_TOTAL), Heroku, CircleCI, Buildkite, Semaphore, Bitbucket or
                               Azure
          --files <PATH>       Select only these files, by their path below PATH; may be repeated. All
                               of them must exist
          --suite <NAME>       Use the paths and settings of [suite.NAME] in the configuration; PATH
                               arguments replace its paths

    Earlier runs:
          --failed           Select only files that did not pass in their last run on this engine
          --changed[=<REF>]  Select only files that differ from the Git commit REF or are untracked;
                             without REF, from the last commit
          --balance <WHAT>   Balance shards by number of files or by earlier durations. Machines with
                             different durations compute different shards [default: count] [possible
                             values: count, time]

    Expected failures:
          --expectations <FILE>  File with expected failures; by default expectations.toml in the folder
                                 of the suite, if it exists
          --no-expectations      Treat every failure as unexpected

    Configuration:
          --config <FILE>   Read settings from FILE instead of the nearest sqllogictest.toml in this
                            folder or above
          --no-config       Do not read a configuration file
          --profile <NAME>  Use the settings of [profile.NAME] instead of [profile.default]
    ");
    assert_eq!(
        Sandbox::new().run("--version").stdout,
        concat!("vibesql-sqllogictest ", env!("CARGO_PKG_VERSION"), "\n")
    );
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
      hint: give the line of a statement or query; line 7 has none
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
        crate::sandbox::Output::of(&mut shell)
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
