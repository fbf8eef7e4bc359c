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
    besides: 1 file that could not be started (ERROR)
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
    assert!(output.stdout.contains("sqlite        the SQLite inside this program"), "{output}");
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
    Runs SQLLogicTest suites against SQL engines and judges every record

    Usage: vibesql-sqllogictest [OPTIONS] <COMMAND>

    Commands:
      test         Runs files or single records, and shows each failure with a diff
      run          Runs a suite: a line for each file, a summary by category
      list         Lists the files that `run` would run
      engines      Lists the engines of this build
      status       Shows the last run by category, and what has changed since the one before it
      compare      Compares two runs record by record: what has regressed, what is fixed, what is new
      flaky        Lists files that end one time so and another time otherwise, though nothing has
                   changed
      bisect       Says between which commits something began to fail, and writes a script for `git
                   bisect run`
      runs         Lists runs with their pass rates
      show         Shows a run, or all that is known of one file in it
      analyze      Says what the failures of a run come from, and what to fix first
      punchlist    Lists the files of a run, those first that fixes turn green first
      report       Writes a document about a run: a page for browsers, JUnit, Markdown and others
      ledger       Keeps the list of what is expected to fail
      prune        Removes old runs
      import       Takes in results of VibeSQL's earlier scripts and of other runners, as runs
      merge        Takes in runs from files of `export` and `backup`; what is there already stays as it
                   is
      backup       Writes all runs to one file, and reads it back; `merge` restores them
      worker       Helps with a run that is going on: takes up files of it, in processes of its own
      config       Shows the settings that hold, and where each comes from
      completions  Prints the completions of a shell
      man          Prints the man page
      help         Print this message or the help of the given subcommand(s)

    Options:
          --color <WHEN>   When to use colours [default: auto] [possible values: auto, always, never]
          --results <DIR>  Where results are kept, and those of earlier runs are; by default
                           VIBESQL_RESULTS_DIR, or ~/.vibesql/test_results
      -h, --help           Print help
      -V, --version        Print version

    Configuration:
          --config <FILE>   Take settings from FILE, in place of the sqllogictest.toml of this folder or
                            of one above it
          --no-config       Take no settings from a file
          --profile <NAME>  Take the settings of [profile.NAME]; without it those of [profile.default]

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
    Runs a suite: a line for each file, a summary by category

    Usage: vibesql-sqllogictest run [OPTIONS] [PATH]...

    Arguments:
      [PATH]...  Files, directories (walked for *.test and *.slt), globs, or - for standard input; the
                 shipped suite when there is none

    Options:
          --color <WHEN>             When to use colours [default: auto] [possible values: auto, always,
                                     never]
          --json <FILE>              Write a report as JSON to FILE; - is standard output
          --max-details <N>          Keep SQL, expected and actual values of at most N failing records
                                     of a file; all are listed by line [default: 100]
          --results <DIR>            Where results are kept, and those of earlier runs are; by default
                                     VIBESQL_RESULTS_DIR, or ~/.vibesql/test_results
          --fail-on-empty            Files in which nothing is executed count as failed
      -j, --workers <N>              Run files in N worker processes at once; by default one for each
                                     core
          --serial                   One file after the other: the same as --workers 1
          --fail-fast                Take up no further file after the first that has not passed
          --max-fail <N>             Take up no further file after N files that have not passed
          --resume [<RUN>]           Go on with RUN, which was interrupted; without RUN the last one
                                     that was
      -q, --quiet                    No lines for files that passed
      -v, --verbose                  All failing records of a file, its notes, speed and memory, and a
                                     line when a file is taken up
          --durations <N>            List the N slowest files at the end; 0 lists all
          --no-progress              No progress bar and no keys; there are none where standard error is
                                     no terminal
          --message-format <FORMAT>  What standard output has: text, or the events of the run as JSON,
                                     one in each line [default: human] [possible values: human, json]
      -h, --help                     Print help

    Comparison:
          --baseline <RUN>  When the run is done, compare it with RUN, as `compare` takes it
          --gate <WHAT>     What ends the run with exit code 4, if nothing graver does: a file that has
                            regressed, or a record as well [default: records] [possible values: none,
                            files, records]

    Limits:
          --timeout <SECONDS>  Stop a file that takes longer than SECONDS; 0 lets it run [default: 500]
          --time <SECONDS>     Take up no further file when the run has taken SECONDS; what is running
                               then has the grace
          --max-memory <SIZE>  Stop a file whose process has more than SIZE of memory in use, for
                               instance 512M or 2G. Linux only
          --slow <SECONDS>     Say when a file has taken SECONDS, or half of its time, and again at
                               twice that; 0 never says it [default: 60]
          --grace <SECONDS>    How long a process that is asked to end may take until it is killed
                               [default: 2]
          --retries <N>        Run a file that has not passed again, up to N times; one that passes then
                               is FLAKY [default: 0]
          --repeat <N>         Run each file N times; one that does not end well each time is FLAKY or
                               worse [default: 1]
          --flaky <RESULT>     What a FLAKY file counts as that passed in the end, after a retry or
                               after a crash of its first worker [default: pass] [possible values: pass,
                               fail]

    Selection:
          --filter <PATTERN>   Only files that match: a part of the path, a glob, or category:NAME; may
                               be repeated. A glob without / is for the names of files and folders, one
                               with / for the path below the directory that is named
          --exclude <PATTERN>  No files that match, by a pattern as of --filter; may be repeated
          --shard <K/N>        Only the Kth of N parts of the files, which are the same on every
                               machine; auto takes K and N from the variables of GitLab (CI_NODE_INDEX
                               and CI_NODE_TOTAL), Heroku, CircleCI, Buildkite, Semaphore, Bitbucket or
                               Azure
          --files <PATH>       Only these files, by their path below the root; may be repeated. All of
                               them must be there
          --suite <NAME>       The paths and settings of [suite.NAME] in the configuration; paths that
                               are typed replace its paths

    Earlier runs:
          --failed           Only files that did not pass when they were run last, on this engine
          --changed[=<REF>]  Only files that differ from the commit REF of Git, or that Git does not
                             know; without REF from the last commit
          --balance <WHAT>   What --shard makes equal: the numbers of files, or the times that they
                             took. Machines that know other times make other shards [default: count]
                             [possible values: count, time]
          --order <ORDER>    In which order files are taken up: those that failed last, new ones, those
                             that passed, each the longest first; by their paths; or at random [default:
                             history] [possible values: history, path, random]
          --random           The same as --order random
          --seed <N>         The random order that N stands for, the same on every machine
          --no-split         Run each file whole. Else a file that would outlast all others is spread
                             over workers, where that is sure to change no result

    Engine and dialect:
          --engine <ENGINE>           The engine under test; without it the first of those that
                                      `engines` lists
          --engine-name <NAME>        A name that the engine answers to in skipif and onlyif, in place
                                      of its own; may be repeated
          --dialect <DIALECT>         The dialect of the files, in place of what they say of themselves:
                                      sqlite
          --exact                     Reproduce the reference runner with its holes, in place of the
                                      strict rules
          --record-timeout <SECONDS>  Stop a record that takes longer than SECONDS: SQLite goes on with
                                      the next; of an engine that cannot be interrupted, `run` ends the
                                      file, and `test` waits
          --hash-threshold <N>        The hash threshold, whatever the files say: results of more than N
                                      values are to be hashed, with 0 none

    Expected failures:
          --expectations <FILE>  What is expected to fail; by default expectations.toml in the folder of
                                 the suite, if it is there
          --no-expectations      Whatever fails is unexpected

    Compatibility:
          --parallel  Run files at once, which is what `run` does; see --workers
          --force     Run every file, whatever came of it earlier, which is what `run` does

    Configuration:
          --config <FILE>   Take settings from FILE, in place of the sqllogictest.toml of this folder or
                            of one above it
          --no-config       Take no settings from a file
          --profile <NAME>  Take the settings of [profile.NAME]; without it those of [profile.default]

    While it runs in a terminal, the key t says what runs now, as SIGUSR1 does anywhere. Ctrl-C ends the
    run when the files that are running are done, and a second one ends it at once.

    A RUN is last or latest, previous (the one before, on the same engine), its name in `runs` or the
    path of its folder, a branch or a commit (its last complete run), or a file of `export --run`. Where
    a word can mean two things, run:, branch:, commit: or file: in front of it says which.
    ");
    assert_snapshot!(Sandbox::new().run("test --help"), @"
    exit code 0
    --- stdout
    Runs files or single records, and shows each failure with a diff

    Usage: vibesql-sqllogictest test [OPTIONS] <FILE[:LINE]>...

    Arguments:
      <FILE[:LINE]>...  A test file, a directory or a glob; with :LINE only the record on that line of
                        the file, after the statements before it. Shipped files are called suite:PATH,
                        and standard input is - or /dev/stdin:LINE

    Options:
          --color <WHEN>       When to use colours [default: auto] [possible values: auto, always,
                               never]
          --trace              Name each record on standard error before it runs: where an engine hangs
                               or dies, the last is it
          --max-failures <N>   Show at most N failures of a file [default: 20]
          --results <DIR>      Where results are kept, and those of earlier runs are; by default
                               VIBESQL_RESULTS_DIR, or ~/.vibesql/test_results
          --timeout <SECONDS>  Stop a file that takes longer than SECONDS; 0 lets it run [default: 500]
      -h, --help               Print help

    Engine and dialect:
          --engine <ENGINE>           The engine under test; without it the first of those that
                                      `engines` lists
          --engine-name <NAME>        A name that the engine answers to in skipif and onlyif, in place
                                      of its own; may be repeated
          --dialect <DIALECT>         The dialect of the files, in place of what they say of themselves:
                                      sqlite
          --exact                     Reproduce the reference runner with its holes, in place of the
                                      strict rules
          --record-timeout <SECONDS>  Stop a record that takes longer than SECONDS: SQLite goes on with
                                      the next; of an engine that cannot be interrupted, `run` ends the
                                      file, and `test` waits
          --hash-threshold <N>        The hash threshold, whatever the files say: results of more than N
                                      values are to be hashed, with 0 none

    Configuration:
          --config <FILE>   Take settings from FILE, in place of the sqllogictest.toml of this folder or
                            of one above it
          --no-config       Take no settings from a file
          --profile <NAME>  Take the settings of [profile.NAME]; without it those of [profile.default]
    ");
    assert_snapshot!(Sandbox::new().run("list --help"), @"
    exit code 0
    --- stdout
    Lists the files that `run` would run

    Usage: vibesql-sqllogictest list [OPTIONS] [PATH]...

    Arguments:
      [PATH]...  Files, directories (walked for *.test and *.slt), globs, or - for standard input; the
                 shipped suite when there is none

    Options:
          --color <WHEN>       When to use colours [default: auto] [possible values: auto, always,
                               never]
      -l, --long               Print the number of records of each file as well
          --engine <ENGINE>    The engine whose earlier runs and expected failures count; without it the
                               first of those that `engines` lists
          --results <DIR>      Where results are kept, and those of earlier runs are; by default
                               VIBESQL_RESULTS_DIR, or ~/.vibesql/test_results
          --dialect <DIALECT>  The dialect of the files, for counting records
      -h, --help               Print help

    Selection:
          --filter <PATTERN>   Only files that match: a part of the path, a glob, or category:NAME; may
                               be repeated. A glob without / is for the names of files and folders, one
                               with / for the path below the directory that is named
          --exclude <PATTERN>  No files that match, by a pattern as of --filter; may be repeated
          --shard <K/N>        Only the Kth of N parts of the files, which are the same on every
                               machine; auto takes K and N from the variables of GitLab (CI_NODE_INDEX
                               and CI_NODE_TOTAL), Heroku, CircleCI, Buildkite, Semaphore, Bitbucket or
                               Azure
          --files <PATH>       Only these files, by their path below the root; may be repeated. All of
                               them must be there
          --suite <NAME>       The paths and settings of [suite.NAME] in the configuration; paths that
                               are typed replace its paths

    Earlier runs:
          --failed           Only files that did not pass when they were run last, on this engine
          --changed[=<REF>]  Only files that differ from the commit REF of Git, or that Git does not
                             know; without REF from the last commit
          --balance <WHAT>   What --shard makes equal: the numbers of files, or the times that they
                             took. Machines that know other times make other shards [default: count]
                             [possible values: count, time]

    Expected failures:
          --expectations <FILE>  What is expected to fail; by default expectations.toml in the folder of
                                 the suite, if it is there
          --no-expectations      Whatever fails is unexpected

    Configuration:
          --config <FILE>   Take settings from FILE, in place of the sqllogictest.toml of this folder or
                            of one above it
          --no-config       Take no settings from a file
          --profile <NAME>  Take the settings of [profile.NAME]; without it those of [profile.default]
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
        assert!(output.stderr.contains("hint: a limit of the system is reached; `ulimit -a`"), "{output}");
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
