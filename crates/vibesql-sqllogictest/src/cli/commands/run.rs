//! `run`: a suite, a line for each file, a summary.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::getpid;

use super::compare::{Ended, after_run};
use super::rerun::judge_times;
use super::worker::cores;
use crate::cli::args::{LimitArgs, MessageFormat, RunArgs};
use crate::cli::baseline::{Besides, Found, find, find_kept};
use crate::cli::circumstances::{Drive, circumstances};
use crate::cli::config::Environment;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::{Keeping, clock_is_behind, opened, place_of};
use crate::cli::keys::Keys;
use crate::cli::known::{self, Known};
use crate::cli::output::{Existing, Output};
use crate::cli::selection::{Selected, select};
use crate::cli::settings::{Rules, Setup, reason, repeat_command, shell_word};
use crate::cli::suite;
use crate::cli::ui::Ui;
use crate::monitor::{Lines, Look, Progress, Stream, Verbosity};
use slt_core::engine::EngineRegistry;
use slt_core::executor::{DetailLimits, Settings};
use slt_core::outcome::{Fault, FileReport, FileStatus, NotPassed, RunReport};
use slt_insight::expectations::Judgement;
use slt_insight::regression::past::timed;
use slt_insight::regression::timing::{Slower, slower};
use slt_insight::report;
use slt_insight::report::compare::{Named, Slow};
use slt_insight::report::ending::{FailedFile, write_failed, write_slowest};
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::event::Tee;
use slt_runner::parallel::family::own_orphans;
use slt_runner::parallel::procfs;
use slt_runner::parallel::{
    self, Attempts, FileSource, Limits, PreparedRun, RunPlan, RunPolicy, Timeouts, WorkItem, WorkKind,
    WorkerCommand, WorkerStderr,
};
use slt_runner::results::{Commit, History, JournalWriter, RunFolder};
use slt_runner::text::count::plural;
use slt_runner::text::style::Role;
use slt_runner::text::written;

/// Values of a result that the JSON report keeps.
const VALUES: usize = 64;
/// The widest column of files.
const WIDEST: usize = 60;

pub(in crate::cli) fn run(
    args: &RunArgs,
    keeping: &Keeping,
    environment: &Environment,
    registry: &EngineRegistry,
    ui: &mut Ui,
) -> Result<ExitReason, CliError> {
    // Whoever asks for JSON on standard output gets nothing else there.
    // A report that cannot be written is better known before the run than after it.
    let json = args.json.as_deref().map(|path| Output::open(path, Existing::ReplaceReport)).transpose()?;
    let json_to_out = json.as_ref().is_some_and(Output::is_standard);
    let events_to_out = args.message_format == MessageFormat::Json;
    if json_to_out && events_to_out {
        let message = "`--json -` and `--message-format json` both want standard output".to_owned();
        let hint = "write the report to a file; the last event has the sums as well".to_owned();
        return Err(CliError::usage(message, vec![hint]));
    }
    let mut started = match &args.resume {
        Some(name) => resume(args, name.as_deref(), keeping, registry, ui)?,
        None => begin(args, keeping, environment, registry, ui)?,
    };
    let run = {
        let look = ui.progress(!args.no_progress);
        let mut keys = Keys::new(look != Look::Hidden);
        let mut stream = events_to_out.then(|| Stream::new(Ui::raw_out(), &started.folder.name));
        let out: &mut dyn std::io::Write =
            if json_to_out || events_to_out { &mut ui.err } else { &mut ui.out };
        let mut lines = Lines::new(out, verbosity(args), column_width(started.prepared.items()));
        // Both may be on the screen, where progress makes room for them.
        let mut screen = Progress::new(Tee(&mut stream, &mut lines), look);
        let mut seen = Tee(&mut keys, &mut screen);
        let mut sink = Tee(&mut started.journal, &mut seen);
        parallel::run(&started.prepared, &worker_command()?, policy(args), &mut sink)?
    };
    let complete = run.files.len() == run.header.files;
    if complete {
        started.prepared.clear();
    }
    let judged = started.known.as_ref().map(|known| known.judge(&run));
    let expected = judged.as_ref().map(|(judgement, _)| &judgement.expected_files);
    let mut text = lists(args, &started, &run, expected, &ui.program);
    text += &written(|out| report::summary::write(out, &run, args.fail_on_empty));
    text.extend(judged.as_ref().map(|(_, text)| text.as_str()));
    let judgement = judged.as_ref().map(|(judgement, _)| judgement);
    text += &next_step(&ui.program, &run, judgement, started.prepared.settings());
    if !complete {
        text += &resume_step(&ui.program, started.elsewhere.as_deref(), &started.folder.name);
    }
    let mut reason = match judgement {
        Some(judgement) => known::reason(&run, judgement, args.fail_on_empty),
        None => reason(&run.files, Rules { fail_on_empty: args.fail_on_empty, flaky: run.header.flaky }),
    };
    if let Some(baseline) = &started.baseline {
        let (past, again) = judge_times(args, &started.folder, &run, &started.prepared, ui)?;
        let Slower { slower, suspects, load } = slower(&timed(&past));
        let certain = slower.into_iter().map(|slowdown| Slow { slowdown, again: None });
        let confirmed = suspects.into_iter().filter_map(|slowdown| {
            let again = again.iter().find(|again| again.file == slowdown.file)?;
            Some(Slow { slowdown, again: Some(again.again) })
        });
        let ended = Ended {
            baseline,
            run: &run,
            current: Named { name: &started.folder.name, commit: started.commit.as_ref() },
            settings: started.prepared.settings(),
            slower: certain.chain(confirmed).collect(),
            load,
        };
        let (comparison, verdict) = after_run(ended, args.baseline.gate, &ui.program);
        text += &comparison;
        reason = reason.or_graver(verdict);
    }
    if json_to_out || events_to_out {
        drop(ui.err.write_all(text.as_bytes()));
    } else {
        ui.print(&text)?;
    }
    if let Some(json) = json {
        write_json(json, &run, &started.prepared)?;
    }
    let results = started.folder.results();
    // Released, so that the run counts as ended.
    drop(started);
    if let Err(error) = History::update(&results) {
        let error = CliError::from(error);
        ui.warn(&format!("the index of last outcomes is not up to date: {}", error.message));
    }
    #[cfg(feature = "store")]
    super::store::catch_up_after_run(&results, ui);
    // Files that were not tested are no success, even where all that failed was expected to fail.
    let untested = run.untested() > 0 && reason == ExitReason::Success;
    Ok(if run.is_incomplete() || untested { reason.or_graver(ExitReason::Incomplete) } else { reason })
}

/// The files that failed, but for those that were expected to, and the slowest files.
fn lists(
    args: &RunArgs,
    started: &Started,
    run: &RunReport,
    expected: Option<&BTreeSet<usize>>,
    program: &str,
) -> String {
    let is_expected = |place: usize| expected.is_some_and(|expected| expected.contains(&place));
    let is_listed = |file: &FileReport| match file.status() {
        FileStatus::Passed => false,
        FileStatus::Empty => args.fail_on_empty,
        _ => true,
    };
    let files = run.files.iter().enumerate();
    let files = files.filter(|(place, file)| is_listed(file) && !is_expected(*place));
    let items: HashMap<_, _> =
        started.prepared.items().iter().map(|item| (item.file.as_str(), item)).collect();
    let failed = files.map(|(_, file)| {
        let item = items.get(file.file.as_str());
        let was_good = item.and_then(|item| started.history.of(&place_of(item), &file.file).good);
        let passes = file.status() == FileStatus::Flaky && run.header.is_good(file);
        FailedFile { file, was_good, passes }
    });
    let mut failed: Vec<_> = failed.collect();
    let see_all = format!("{program} show {}", started.folder.name);
    written(|out| {
        // Of a run of one file, all is there already.
        if run.header.files > 1 {
            write_failed(out, &mut failed, &see_all)?;
        }
        args.durations.map_or(Ok(()), |most| write_slowest(out, &run.files, most as usize))
    })
}

/// A run that can be driven.
struct Started {
    /// Held as long as this process is the master of the run.
    folder: RunFolder,
    prepared: PreparedRun,
    journal: JournalWriter,
    /// Where the results are, if that is to be named for finding them again.
    elsewhere: Option<PathBuf>,
    /// What it is compared with in the end.
    baseline: Option<Found>,
    /// The state of the project that it is made in.
    commit: Option<Commit>,
    /// What is expected to fail.
    known: Option<Known>,
    /// What earlier runs know of files.
    history: History,
}

/// The run to compare with, known before the run begins: a wrong word is better heard of then.
fn baseline(
    args: &RunArgs,
    keeping: &Keeping,
    besides: Besides<'_>,
    ui: &mut Ui,
) -> Result<Option<Found>, CliError> {
    let word = args.baseline.baseline.as_ref();
    let found = word.map(|word| find(word, keeping, besides, ui)).transpose()?;
    found.iter().flat_map(|found| &found.notes).for_each(|note| ui.note(note));
    Ok(found)
}

fn begin(
    args: &RunArgs,
    keeping: &Keeping,
    environment: &Environment,
    registry: &EngineRegistry,
    ui: &mut Ui,
) -> Result<Started, CliError> {
    let details = DetailLimits { records: args.max_details as usize, values: VALUES };
    let Setup { engine: identity, settings } = Setup::new(&args.engine, registry, details)?;
    let limits = limits(&args.limits)?;
    let workers = workers(args);
    let selected = select(args, keeping.results()?, &settings, &identity.name, workers, ui)?;
    let Selected { items, slices, seed, shards, known, is_part, history } = selected;
    let baseline = baseline(args, keeping, Besides { before: None, engine: Some(&identity.name) }, ui)?;
    let starting = keeping.results()?.start_run_dying_at(args.die_at_step)?;
    shards.inspect(|shards| {
        ui.note(format_args!(
            "shards by time, {shards}; all shards must print the same value, or files are missing"
        ));
    });
    seed.inspect(|seed| ui.note(format_args!("random order; `--seed {seed}` repeats it")));
    let timeouts = timeouts(args);
    let drive = Drive {
        workers,
        budget: args.limits.time.map(Duration::from_secs),
        seed,
        suite: args.selection.paths.clone(),
        is_part,
        first: items.iter().find(|item| matches!(item.source, FileSource::Disk(_))).map(place_of),
    };
    let circumstances = circumstances(environment, drive, keeping.results()?);
    let commit = circumstances.commit.clone();
    let mut prepared = PreparedRun::new(
        starting.path(),
        RunPlan {
            items,
            engine: identity,
            settings,
            limits,
            timeouts: &timeouts,
            attempts: Attempts {
                retries: args.limits.retries,
                repeat: args.limits.repeat,
                flaky: args.limits.flaky.into(),
                after_crash: true,
            },
            kind: WorkKind::Run,
            slices,
        },
    )?;
    let now = milliseconds_since_1970();
    let (folder, journal) = starting.publish(now, &prepared.header(), &|name| {
        opened(name, now, prepared.items(), prepared.settings(), circumstances.clone())
    })?;
    clock_is_behind(&folder, now).inspect(|warning| ui.warn(warning));
    prepared.moved_to(&folder.path);
    let elsewhere = keeping.named_place();
    Ok(Started { folder, prepared, journal, elsewhere, known, baseline, commit, history })
}

fn resume(
    args: &RunArgs,
    name: Option<&str>,
    keeping: &Keeping,
    registry: &EngineRegistry,
    ui: &mut Ui,
) -> Result<Started, CliError> {
    let name = name.map(|word| find_kept(word, keeping, ui)).transpose()?;
    let (folder, journal) = keeping.results()?.take_up(name.as_deref())?;
    if journal.damaged > 0 {
        let lines = plural(journal.damaged as u64, "line");
        let verb = if journal.damaged == 1 { "is" } else { "are" };
        ui.warn(&format!("{lines} of the journal {verb} damaged; the files that were in them are run again"));
    }
    let engine = Some(journal.report.header.engine.name.as_str());
    let baseline = baseline(args, keeping, Besides { before: Some(&folder.name), engine }, ui)?;
    let is_part = journal.opened.is_part();
    let commit = journal.opened.circumstances.and_then(|circumstances| circumstances.commit);
    let places = journal.opened.places.iter().map(|(file, place)| (file.as_str(), place.as_path()));
    let known = Known::load(&args.expectations, places, is_part)?;
    let prepared =
        PreparedRun::resumed(&folder.path, journal.report, journal.attempts, registry, &suite::text)?;
    if let [first, more @ ..] = prepared.changed_files().as_slice() {
        let more = match more.len() {
            0 => String::new(),
            more => format!(" and {}", plural(more as u64, "more file")),
        };
        ui.warn(&format!(
            "changed since the run began: {first}{more}; results that are there stay as they are"
        ));
    }
    let journal = JournalWriter::resume(&folder.journal(), milliseconds_since_1970());
    let journal = journal.map_err(|error| cannot_write(&folder.journal(), &error))?;
    // It would tell of what this run itself did before.
    let history = History::default();
    Ok(Started {
        folder,
        prepared,
        journal,
        elsewhere: keeping.named_place(),
        known,
        baseline,
        commit,
        history,
    })
}

pub(super) fn limits(args: &LimitArgs) -> Result<Limits, CliError> {
    if args.max_memory.is_some() && procfs::memory(getpid()).is_none() {
        let message = "--max-memory: this system does not tell how much memory a process has in use";
        return Err(CliError::usage(
            message.to_owned(),
            vec!["use a limit of the system, like ulimit".to_owned()],
        ));
    }
    Ok(Limits {
        memory: args.max_memory.map(|size| size.0),
        slow: seconds(args.slow),
        grace: Duration::from_secs(args.grace),
    })
}

pub(super) fn timeouts(args: &RunArgs) -> Timeouts {
    Timeouts { usual: seconds(args.limits.timeout), own: args.timeouts.clone() }
}

/// So many seconds; 0 is no limit.
pub(super) fn seconds(count: u64) -> Option<Duration> {
    (count > 0).then(|| Duration::from_secs(count))
}

fn workers(args: &RunArgs) -> usize {
    if args.serial { 1 } else { args.workers.map_or_else(cores, usize::from) }
}

pub(super) fn policy(args: &RunArgs) -> RunPolicy {
    RunPolicy {
        workers: workers(args),
        budget: args.limits.time.map(Duration::from_secs),
        most_failing: if args.fail_fast { Some(1) } else { args.max_fail.map(|most| most as usize) },
        ends_at_once: false,
    }
}

/// Workers are this program once more, so that they have the same engines.
pub(super) fn worker_command() -> Result<WorkerCommand, CliError> {
    // What workers leave behind is to be found.
    own_orphans();
    let program = std::env::current_exe()
        .map_err(|error| CliError::internal(format!("cannot find this program: {error}")))?;
    // The workers are the threads of a run; an engine that starts more only gets in their way. A fixed locale
    // keeps an engine's words the same everywhere.
    let environment = [("RAYON_NUM_THREADS", "1"), ("LC_ALL", "C")];
    Ok(WorkerCommand {
        program,
        arguments: vec![super::work::NAME.into()],
        environment: environment.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        stderr: WorkerStderr::Kept,
    })
}

fn verbosity(args: &RunArgs) -> Verbosity {
    match (args.quiet, args.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, true) => Verbosity::Verbose,
        (false, false) => Verbosity::Normal,
    }
}

fn column_width(items: &[WorkItem]) -> usize {
    let widest = items.iter().map(|item| item.shown.chars().count()).max();
    widest.unwrap_or(0).min(WIDEST)
}

fn write_json(place: Output, run: &RunReport, prepared: &PreparedRun) -> Result<(), CliError> {
    let tested: HashSet<&str> = run.files.iter().map(|file| file.file.as_str()).collect();
    let files = prepared.items().iter().map(|item| item.file.as_str());
    let mut untested: Vec<_> = files.filter(|file| !tested.contains(file)).collect();
    untested.sort_unstable();
    let mut document = Vec::new();
    report::json::write(run, &untested, &mut document)
        .map_err(|error| CliError::internal(format!("cannot write the report: {error}")))?;
    document.push(b'\n');
    place.put(document).map(drop)
}

fn cannot_write(path: &Path, error: &std::io::Error) -> CliError {
    CliError::io("write", &path.display().to_string(), error)
}

/// How to go on.
fn resume_step(program: &str, results: Option<&Path>, run: &str) -> String {
    let results = results
        .map_or_else(String::new, |path| format!(" --results {}", shell_word(&path.display().to_string())));
    format!("{} {program} run{results} --resume {run}\n", Role::Hint.paint("resume with:"))
}

/// What to type next.
fn next_step(program: &str, run: &RunReport, judged: Option<&Judgement>, settings: &Settings) -> String {
    let first = match judged {
        None => run.files.iter().find_map(|file| Some((file, file.details.first()?))),
        // What is expected need not be looked at.
        Some(judgement) => judgement.unexpected.iter().find_map(|one| {
            let file = &run.files[one.file];
            let is_meant = |line: u32| one.lines.is_empty() || one.lines.contains(&line);
            Some((file, file.details.iter().find(|detail| is_meant(detail.line))?))
        }),
    };
    match first {
        Some((file, detail)) => {
            let command =
                repeat_command(program, settings, &run.header.engine.labels, &file.shown, detail.line);
            // It will take that process with it, too, so it had better say where it is.
            let died = matches!(detail.what, NotPassed::Faulted(Fault::Died { .. }));
            let trace = if died { " --trace" } else { "" };
            format!("{} {command}{trace}\n", Role::Hint.paint("look at the first:"))
        }
        None => String::new(),
    }
}
