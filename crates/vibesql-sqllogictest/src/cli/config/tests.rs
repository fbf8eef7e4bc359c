//! Tests of all layers: the resolved command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command, CommandFactory as _, Parser as _};
use proptest::prelude::*;

use super::file::FileOverride;
use super::*;
use crate::cli::args::{Cli, CliCommand, RunArgs};
use crate::cli::commands::config::{EffectiveSettings, SettingValue};

/// Names and values.
type Variables<'v> = [(&'v str, &'v str)];
/// The command line, the environment, the file, and the expected result.
type Case<'c> = (&'c str, &'c Variables<'c>, &'c str, &'c str);
/// The command line, the environment, the expected result and the expected notes.
type OldCase<'c> = (&'c str, &'c Variables<'c>, &'c str, &'c [&'c str]);

fn environment(variables: &Variables<'_>) -> EnvironmentVariables {
    variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
}

fn resolve_in(
    definition: &Command,
    line: &str,
    variables: &[(&str, &str)],
    file: Option<&str>,
) -> Result<ResolvedArguments, ResolveError> {
    let arguments = std::iter::once("slt").chain(line.split_whitespace()).map(OsString::from).collect();
    let read = |_: Option<&std::path::Path>| {
        Ok(file.map(|text| (PathBuf::from("sqllogictest.toml"), text.to_owned())))
    };
    resolve(definition, arguments, &environment(variables), &read)
}

fn words_of(resolved: &ResolvedArguments) -> String {
    let words = resolved.arguments.iter().skip(1).map(|word| word.to_str().unwrap());
    words.collect::<Vec<_>>().join(" ")
}

/// Returns the resolved arguments, or the errors.
fn check(line: &str, variables: &[(&str, &str)], file: &str) -> String {
    match resolve_in(&Cli::command(), line, variables, Some(file)) {
        Ok(resolved) => words_of(&resolved),
        Err(ResolveError::Configuration(errors)) => {
            errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        }
        Err(ResolveError::Typed(error)) => format!("typed: {:?}", error.kind()),
    }
}

/// Each layer sets the timeout to a number of its own.
#[test]
fn the_order_of_precedence() {
    let layers = [
        ("profile.ci", "[profile.ci]\ninherits = 'base'\ntimeout = 3\n"),
        ("profile.base", "[profile.base]\ntimeout = 4\n"),
        ("suite", "[suite.s]\ntimeout = 5\n"),
        ("defaults", "timeout = 6\n"),
    ];
    // From the lowest layer up: the layers before `first` have no value.
    for first in 0..=layers.len() {
        let says = |at: usize| at >= first;
        let default = if says(3) { layers[3].1 } else { "" };
        let suite = if says(2) { layers[2].1 } else { "[suite.s]\n" };
        let base = if says(1) { layers[1].1 } else { "[profile.base]\n" };
        let ci = if says(0) { layers[0].1 } else { "[profile.ci]\ninherits = 'base'\n" };
        let file = [default, suite, base, ci].concat();
        let expected = match first {
            4 => "run --profile ci --suite s".to_owned(),
            _ => format!("run --timeout={} --profile ci --suite s", first + 3),
        };
        assert_eq!(check("run --profile ci --suite s", &[], &file), expected, "{file}");
        let variable = [("SQLLOGICTEST_TIMEOUT", "2")];
        assert_eq!(
            check("run --profile ci --suite s", &variable, &file),
            "run --timeout=2 --profile ci --suite s"
        );
        let typed = "run --profile ci --suite s --timeout 1";
        assert_eq!(check(typed, &variable, &file), typed);
    }
}

#[test]
fn values_are_resolved() {
    let cases: &[Case<'_>] = &[
        // Switches.
        ("run", &[("SQLLOGICTEST_QUIET", "1")], "", "run --quiet"),
        ("run", &[("SQLLOGICTEST_QUIET", "no")], "quiet = true", "run"),
        ("run", &[("SQLLOGICTEST_QUIET", "")], "quiet = true", "run"),
        ("run", &[], "quiet = 'yes'", "run --quiet"),
        ("run", &[("SQLLOGICTEST_QUIET", "x")], "", "SQLLOGICTEST_QUIET: expected true or false, found `x`"),
        // Lists come from one layer.
        (
            "run",
            &[("SQLLOGICTEST_EXCLUDE", "a,{b,c}/**")],
            "exclude = 'd'",
            "run --exclude=a --exclude={b,c}/**",
        ),
        ("run", &[], "exclude = ['a', 'b']", "run --exclude=a --exclude=b"),
        ("run --exclude c", &[], "exclude = ['a', 'b']", "run --exclude c"),
        ("run", &[], "[profile.default]\nexclude = []\n", "run"),
        // A variable without text says nothing about a flag that takes a value.
        ("run", &[("SQLLOGICTEST_TIMEOUT", "")], "timeout = 7", "run --timeout=7"),
        // Numbers as TOML writes them.
        ("run", &[], "timeout = 0x10", "run --timeout=16"),
        ("run", &[], "timeout = 1_000", "run --timeout=1000"),
        // Settings that exclude each other.
        ("run --serial", &[], "workers = 4", "run --serial"),
        ("run --workers 3", &[("SQLLOGICTEST_SERIAL", "1")], "serial = true", "run --workers 3"),
        ("run", &[("SQLLOGICTEST_SERIAL", "1")], "workers = 4", "run --serial"),
        ("run", &[("SQLLOGICTEST_SERIAL", "no")], "workers = 4", "run --workers=4"),
        (
            "run",
            &[],
            "workers = 4\nserial = true",
            "`workers` (sqllogictest.toml:1) and `serial` (sqllogictest.toml:2) exclude each other",
        ),
        // The words stand behind the command, wherever that is.
        ("--color never run a b", &[], "timeout = 1", "--color never run --timeout=1 a b"),
        (
            "--profile run run -- -x",
            &[],
            "timeout = 1\n[profile.run]\n",
            "--profile run run --timeout=1 -- -x",
        ),
        // Keys of other commands do not concern this one.
        ("list", &[], "timeout = 1\nlong = true", "list --long"),
        ("engines", &[("SQLLOGICTEST_COLOR", "never")], "timeout = 1", "engines --color=never"),
    ];
    for (line, variables, file, expected) in cases {
        assert_eq!(check(line, variables, file), *expected, "{line} {variables:?} {file}");
    }
}

#[test]
fn suites() {
    let file = "default-suite = 'a'\n[suite.a]\npaths = ['x', 'suite:joins', '-y']\ntimeout = 9\n[suite.b]\npaths = 'z'\n";
    let cases = [
        ("run", "run --timeout=9 x suite:joins ./-y"),
        ("run --suite b", "run z --suite b"),
        // Typed paths replace those of a suite, and its settings apply only if it is named.
        ("run other", "run other"),
        ("run --suite a other", "run --timeout=9 --suite a other"),
        ("run --suite c", "--suite: unknown suite `c`"),
        ("list", "list x suite:joins ./-y"),
        ("test t", "test t"),
    ];
    for (line, expected) in cases {
        assert_eq!(check(line, &[], file), expected, "{line}");
    }
}

#[test]
fn commands_about_the_program_read_no_file() {
    let variables = [("SQLLOGICTEST_JSON", "report.json"), ("SQLLOGICTEST_COLOR", "never")];
    for (line, expected) in [
        ("config show", "config show --color=never"),
        ("completions bash", "completions --color=never bash"),
        ("man", "man --color=never"),
    ] {
        assert_eq!(check(line, &variables, "no = toml = at all"), expected);
    }
}

/// A flag of two kinds: each command uses the values that it accepts.
#[test]
fn a_value_for_another_command() {
    let run = Command::new("run").arg(Arg::new("json").long("json").action(ArgAction::Set));
    let status = Command::new("status").arg(Arg::new("json").long("json").action(ArgAction::SetTrue));
    let definition = Command::new("slt").subcommand(run).subcommand(status);
    let words = |line: &str, variables: &Variables<'_>, file| {
        resolve_in(&definition, line, variables, file).map(|resolved| words_of(&resolved)).unwrap()
    };
    let file = Some("json = 'report.json'");
    assert_eq!(words("run", &[], file), "run --json=report.json");
    assert_eq!(words("status", &[], file), "status");
    assert_eq!(words("status", &[], Some("json = true")), "status --json");
    assert_eq!(words("status", &[("SQLLOGICTEST_JSON", "report.json")], None), "status");
}

#[test]
fn a_name_without_a_file_is_a_mistake() {
    for (line, variables, expected) in [
        ("run --profile x", &[][..], "--profile: cannot use profile `x` without sqllogictest.toml"),
        (
            "run",
            &[("SQLLOGICTEST_SUITE", "s")],
            "SQLLOGICTEST_SUITE: cannot use suite `s` without sqllogictest.toml",
        ),
    ] {
        let Err(ResolveError::Configuration(errors)) = resolve_in(&Cli::command(), line, variables, None)
        else {
            panic!("{line}")
        };
        assert_eq!(errors[0].to_string(), expected);
    }
}

/// Old variables, with definitions of a command that has all flags that they stand for.
#[test]
fn old_variables() {
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::Set);
    let run = Command::new("run").args(["time", "seed", "record-timeout"].map(flag));
    let verbose = Arg::new("verbose").long("verbose").action(ArgAction::Count);
    let definition = Command::new("slt").subcommand(run.arg(verbose)).subcommand(Command::new("other"));
    let cases: &[OldCase<'_>] = &[
        (
            "run",
            &[("SQLLOGICTEST_TIME_BUDGET", "60")],
            "run --time=60",
            &["SQLLOGICTEST_TIME_BUDGET: deprecated; use --time or SQLLOGICTEST_TIME"],
        ),
        ("run", &[("SQLLOGICTEST_TIME_BUDGET", "60"), ("SQLLOGICTEST_TIME", "5")], "run --time=5", &[]),
        ("run --time 7", &[("SQLLOGICTEST_TIME_BUDGET", "60")], "run --time 7", &[]),
        ("run", &[("SQLLOGICTEST_SEED", "3")], "run --seed=3", &[]),
        ("run", &[("SQLLOGICTEST_VERBOSE", "2")], "run --verbose --verbose", &[]),
        (
            "other",
            &[("SQLLOGICTEST_QUERY_TIMEOUT_MS", "500"), ("SQLLOGICTEST_TIME_BUDGET", "1")],
            "other",
            &[],
        ),
    ];
    for (line, variables, expected, notes) in cases {
        let Ok(resolved) = resolve_in(&definition, line, variables, None) else { panic!("{variables:?}") };
        assert_eq!(words_of(&resolved), *expected, "{variables:?}");
        let found: Vec<_> = resolved.notes.iter().map(ToString::to_string).collect();
        assert_eq!(found, *notes, "{variables:?}");
    }
}

#[test]
fn a_limit_for_all_files_puts_overrides_aside() {
    let file = "timeout = 5\n[[override]]\nfiles = ['a', 'b']\ntimeout = 0\n\
                [[override]]\nfiles = 'c'\ntimeout = 7\ndialect = 'sqlite'\n";
    let overrides = |line: &str, variables: &[(&str, &str)]| {
        let resolved = resolve_in(&Cli::command(), line, variables, Some(file)).unwrap();
        let one = |one: &FileOverride| {
            let timeout = one.timeout.map(|limit| limit.map_or(0, |limit| limit.as_secs()));
            format!("{} {timeout:?} {:?}", one.files, one.dialect.as_deref())
        };
        resolved.overrides.iter().map(one).collect::<Vec<_>>()
    };
    let both = ["a Some(0) None", "b Some(0) None", "c Some(7) Some(\"sqlite\")"];
    assert_eq!(overrides("run", &[]), both);
    assert_eq!(overrides("run --timeout 3", &[]), ["c None Some(\"sqlite\")"]);
    assert_eq!(overrides("run", &[("SQLLOGICTEST_TIMEOUT", "3")]), ["c None Some(\"sqlite\")"]);
    assert_eq!(
        overrides("run --dialect sqlite", &[]),
        ["a Some(0) None", "b Some(0) None", "c Some(7) None"]
    );
    assert_eq!(overrides("list", &[]), ["c None Some(\"sqlite\")"]);
    assert_eq!(overrides("runs", &[]), [""; 0]);
}

fn run_args(resolved: &ResolvedArguments) -> RunArgs {
    match Cli::try_parse_from(&resolved.arguments).unwrap().command {
        CliCommand::Run(args) => *args,
        other => panic!("{other:?}"),
    }
}

proptest! {
    /// `config show` says what the command gets.
    #[test]
    fn what_is_shown_is_what_is_parsed(
        typed in prop::option::of(0_u64..100),
        variable in prop::option::of(0_u64..100),
        quiet in prop::option::of(any::<bool>()),
        in_profile in prop::option::of(0_u64..100),
        workers in prop::option::of(1_u16..100),
        serial in any::<bool>(),
        engine in prop::option::of("[a-z]{1,8}"),
        names in prop::collection::vec("[a-z]{1,4}", 0..4),
    ) {
        let key = |key: &str, value: Option<String>| value.map(|value| format!("{key} = {value}\n")).unwrap_or_default();
        let typed_timeout = typed.map(|seconds| format!("--timeout {seconds}")).unwrap_or_default();
        let line = format!("run {typed_timeout} {}", if serial { "--serial" } else { "" });
        let seconds = variable.map(|seconds| seconds.to_string());
        let variables: Vec<_> = seconds.iter().map(|text| ("SQLLOGICTEST_TIMEOUT", text.as_str())).collect();
        let file = [
            format!("engine-name = {names:?}\n"),
            key("engine", engine.map(|engine| format!("'{engine}'"))),
            key("workers", workers.map(|workers| workers.to_string())),
            "[profile.default]\n".to_owned(),
            key("quiet", quiet.map(|quiet| quiet.to_string())),
            key("timeout", in_profile.map(|seconds| seconds.to_string())),
        ]
        .concat();

        let resolved = resolve_in(&Cli::command(), &line, &variables, Some(&file)).unwrap();
        let args = run_args(&resolved);
        prop_assert_eq!(args.limits.timeout, typed.or(variable).or(in_profile).unwrap_or(500));
        prop_assert_eq!(args.workers, workers.filter(|_| !serial));

        let shown = EffectiveSettings::from_resolved(resolved).unwrap();
        let held = |name: &str| &shown.settings.iter().find(|setting| setting.name == name).unwrap().value;
        prop_assert_eq!(held("timeout"), &SettingValue::One(Some(args.limits.timeout.to_string())));
        prop_assert_eq!(held("quiet"), &SettingValue::Switch(args.quiet));
        prop_assert_eq!(held("serial"), &SettingValue::Switch(args.serial));
        prop_assert_eq!(held("workers"), &SettingValue::One(args.workers.map(|workers| workers.to_string())));
        prop_assert_eq!(held("engine"), &SettingValue::One(args.engine.engine.clone()));
        prop_assert_eq!(held("engine-name"), &SettingValue::List(args.engine.engine_name.clone()));
    }
}
