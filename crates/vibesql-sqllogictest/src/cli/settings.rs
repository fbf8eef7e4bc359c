//! Settled values: what the arguments of a run mean, without clap.

use std::path::PathBuf;
use std::time::Duration;

use rustix::process::getpid;

use super::args::{
    EngineArgs, MessageFormat, OrderChoice, RunArgs, SelectionArgs, ShardBalance, ShardChoice,
};
use super::config::GroupSettings;
use super::context::CommandContext;
use super::error::CliError;
use super::loaded_expectations::ExpectationsSource;
use super::repeat::shell_word;
use super::watched::WatchedRun;
use super::workers::cores;
use crate::monitor::Verbosity;
use slt_core::engine::{Engine, EngineId, EngineRegistry};
use slt_core::executor::{DetailLimits, Options, Permissions, Settings};
use slt_core::location::file_id::SuiteName;
use slt_core::location::path_text;
use slt_core::parser;
use slt_insight::regression::Gate;
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::parallel::procfs;
use slt_runner::parallel::schedule::FileOrder;
use slt_runner::parallel::{Attempts, Filters, Pattern, RunPolicy, Shard, Timeouts, WorkerLimits};

/// The number of values of a result that the JSON report keeps.
const VALUES_IN_REPORT: usize = 64;

/// The engine under test, and how scripts run on it.
pub(super) struct EngineSetup {
    pub(super) engine: EngineId,
    pub(super) settings: Settings,
}

impl EngineSetup {
    pub(super) fn new(
        args: EngineArgs,
        registry: &EngineRegistry,
        details: DetailLimits,
    ) -> Result<Self, CliError> {
        if let Some(dialect) = &args.dialect {
            parser::profile(dialect, args.exact)?;
        }
        let (spec, engine) = make_engine(args.engine.as_deref(), registry)?;
        let engine = engine.describe()?;
        let labels = if args.engine_name.is_empty() { engine.labels.clone() } else { args.engine_name };
        let record_timeout = args.record_timeout.map(Duration::from_secs);
        let options = Options { labels, threshold: args.hash_threshold, record_timeout, details };
        let permissions = Permissions { shell: args.allow_shell, outside: args.allow_outside };
        let settings =
            Settings { engine: spec, options, dialect: args.dialect, exact: args.exact, permissions };
        Ok(Self { engine, settings })
    }
}

/// Returns the engine with this name, or the first one, and how it is named on the command line.
pub(super) fn make_engine(
    name: Option<&str>,
    registry: &EngineRegistry,
) -> Result<(String, Box<dyn Engine>), CliError> {
    let name = name.or(registry.default_name()).ok_or_else(CliError::no_engine)?;
    Ok((name.to_owned(), registry.make(name)?))
}

/// The selection of files.
pub(super) struct SelectionSettings {
    /// Files, directories and globs; the shipped suite if there are none.
    pub(super) paths: Vec<String>,
    /// The default directory of the earlier scripts, if it does not exist and no paths are given.
    pub(super) missing_default: Option<PathBuf>,
    /// The name of the suite, if it was given.
    pub(super) suite_name: Option<SuiteName>,
    pub(super) filters: Filters,
    pub(super) shard: Option<Shard>,
    pub(super) balance: ShardBalance,
    /// Whether only files are selected that did not pass in their last run.
    pub(super) failed: bool,
    /// The commit that selected files differ from.
    pub(super) changed: Option<String>,
    /// The dialects of files, by pattern; the last matching pattern applies.
    pub(super) dialects: Vec<(Pattern, String)>,
    /// Patterns that should match a file, each with its origin for messages.
    pub(super) must_match: Vec<(String, Pattern)>,
}

impl SelectionSettings {
    pub(super) fn new(args: SelectionArgs, context: CommandContext<'_>) -> Result<Self, CliError> {
        let must_match = context.resolved.patterns_to_match(args.patterns());
        let shard = match args.filter.shard {
            Some(ShardChoice::Auto) => Some(context.environment.shard_of_ci()?),
            Some(ShardChoice::Shard(shard)) => Some(shard),
            None => None,
        };
        let (paths, missing_default) = match args.default_path {
            Some(corpus) if args.paths.is_empty() => old_corpus(corpus)?,
            _ => (args.paths, None),
        };
        Ok(Self {
            paths,
            missing_default,
            suite_name: args.filter.suite_name,
            filters: Filters {
                files: args.filter.files,
                only: args.filter.filter,
                exclude: args.filter.exclude,
            },
            shard,
            balance: args.earlier.balance,
            failed: args.earlier.failed,
            changed: args.earlier.changed,
            dialects: context.resolved.dialects(),
            must_match,
        })
    }

    /// Whether the selection depends on earlier runs.
    pub(super) fn needs_history(&self) -> bool {
        self.failed || self.balance == ShardBalance::Time
    }
}

/// Returns the paths of a run without paths that was started by scripts/sqllogictest, or the missing directory.
///
/// | directory | its parent | |
/// |---|---|---|
/// | has entries | | its files |
/// | missing or empty | exists | an error: the submodule was not fetched |
/// | missing | missing | the shipped suite |
fn old_corpus(corpus: PathBuf) -> Result<(Vec<String>, Option<PathBuf>), CliError> {
    if corpus.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Ok((vec![path_text::of(&corpus)], None));
    }
    match corpus.parent().filter(|submodule| submodule.is_dir()) {
        Some(submodule) => {
            let submodule = shell_word(&submodule.display().to_string());
            let hint = format!("run `git submodule update --init {submodule}`, or name the files to run");
            Err(CliError::usage(format!("no test files in `{}`", corpus.display()), hint))
        }
        None => Ok((Vec::new(), Some(corpus))),
    }
}

/// Returns a limit in seconds; 0 is no limit.
pub(super) fn seconds(count: u64) -> Option<Duration> {
    (count > 0).then(|| Duration::from_secs(count))
}

/// The settings of `run`.
pub(super) struct RunSettings {
    pub(super) start: RunStart,
    pub(super) policy: RunPolicy,
    pub(super) limits: WorkerLimits,
    pub(super) timeouts: Timeouts,
    pub(super) expectations: ExpectationsSource,
    /// The run to compare the finished run with.
    pub(super) baseline: Option<BaselineSettings>,
    pub(super) fail_on_empty: bool,
    /// Where the JSON report is written.
    pub(super) json: Option<PathBuf>,
    /// The directory for all reports.
    pub(super) output_dir: Option<PathBuf>,
    pub(super) format: MessageFormat,
    pub(super) verbosity: Verbosity,
    pub(super) progress: bool,
    /// The number of slowest files to list.
    pub(super) durations: Option<usize>,
}

/// The run that is started.
pub(super) enum RunStart {
    New(Box<NewRun>),
    /// The interrupted run with this name, or the last one.
    Resumed(Option<String>),
}

/// A run that begins.
pub(super) struct NewRun {
    pub(super) setup: EngineSetup,
    pub(super) selection: SelectionSettings,
    pub(super) order: FileOrder,
    /// Whether files may be split between workers.
    pub(super) may_split: bool,
    pub(super) attempts: Attempts,
    /// The run that a shard is part of.
    pub(super) group: Option<GroupSettings>,
    /// What to run, if `run --watch` has started this process.
    pub(super) watched: Option<WatchedRun>,
    /// A step of the start at which this process kills itself, for tests.
    pub(super) die_at_step: Option<u64>,
}

/// A run to compare with, by its name, and what counts as a regression.
pub(super) struct BaselineSettings {
    pub(super) run: String,
    pub(super) gate: Gate,
}

impl RunSettings {
    /// Returns what to run, if `run --watch` has started this process.
    pub(super) fn watched(&self) -> Option<&WatchedRun> {
        match &self.start {
            RunStart::New(new) => new.watched.as_ref(),
            RunStart::Resumed(_) => None,
        }
    }

    pub(super) fn new(args: RunArgs, context: CommandContext<'_>) -> Result<Self, CliError> {
        let limits = args.limits;
        if limits.max_memory.is_some() && procfs::memory(getpid()).is_none() {
            let message = "--max-memory: this system does not report the memory use of a process";
            return Err(CliError::usage(message, "use a limit of the system, such as ulimit"));
        }
        let verbosity = match (args.quiet, args.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        };
        let start = match args.resume {
            Some(name) => RunStart::Resumed(name),
            None => {
                let of_ci = context.environment.group_of_ci();
                let named = args.group.map(|name| GroupSettings {
                    name,
                    attempt: of_ci.as_ref().map_or(0, |group| group.attempt),
                });
                let details = DetailLimits { records: args.max_details as usize, values: VALUES_IN_REPORT };
                RunStart::New(Box::new(NewRun {
                    setup: EngineSetup::new(args.engine, context.registry, details)?,
                    selection: SelectionSettings::new(args.selection, context)?,
                    order: order(args.order.seed, args.order.random, args.order.order),
                    may_split: !args.order.no_split,
                    attempts: Attempts {
                        retries: limits.retries,
                        repeat: limits.repeat,
                        flaky: limits.flaky.into(),
                        after_crash: true,
                    },
                    group: named.or(of_ci),
                    watched: args.watched.map(WatchedRun::open).transpose()?,
                    die_at_step: args.die_at_step,
                }))
            }
        };
        Ok(Self {
            start,
            policy: RunPolicy {
                workers: if args.serial { 1 } else { args.workers.map_or_else(cores, usize::from) },
                budget: limits.time.map(Duration::from_secs),
                most_failing: if args.fail_fast { Some(1) } else { args.max_fail.map(|most| most as usize) },
                ends_at_once: false,
                timings: args.timings,
            },
            limits: WorkerLimits {
                memory: limits.max_memory.map(|size| size.0),
                slow: seconds(limits.slow),
                grace: Duration::from_secs(limits.grace),
            },
            timeouts: Timeouts { usual: seconds(limits.timeout), own: context.resolved.timeouts() },
            expectations: args.expectations.into(),
            baseline: args
                .baseline
                .baseline
                .map(|run| BaselineSettings { run, gate: args.baseline.gate.into() }),
            fail_on_empty: args.fail_on_empty,
            json: args.json,
            output_dir: args.output_dir,
            format: args.message_format,
            verbosity,
            progress: !args.no_progress,
            durations: args.durations.map(|most| most as usize),
        })
    }
}

fn order(seed: Option<u64>, is_random: bool, choice: OrderChoice) -> FileOrder {
    match (seed, choice) {
        (Some(seed), _) => FileOrder::Random(seed),
        (None, OrderChoice::Random) => FileOrder::Random(seed_from_clock()),
        (None, _) if is_random => FileOrder::Random(seed_from_clock()),
        (None, OrderChoice::History) => FileOrder::History,
        (None, OrderChoice::Path) => FileOrder::Path,
    }
}

/// Returns a number that a person can type again.
fn seed_from_clock() -> u64 {
    milliseconds_since_1970().unsigned_abs() % 1_000_000
}
