//! `run`: a suite, a line for each file, a summary.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use super::compare::{Ended, after_run};
use super::rerun::judge_times;
use super::worker::cores;
use crate::cli::args::{ExpectationArgs, LimitArgs, MessageFormat, RunArgs};
use crate::cli::baseline::{Besides, Found, find};
use crate::cli::circumstances::{Drive, circumstances};
use crate::cli::config::Environment;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::{Keeping, NewRun, opened, place_of};
use crate::cli::keys::Keys;
use crate::cli::known::{self, Known};
use crate::cli::selection::{Selected, select};
use crate::cli::settings::{Setup, reason, repeat_command, shell_word};
use crate::cli::suite;
use crate::cli::ui::Ui;
use crate::engine::EngineRegistry;
use crate::event::Tee;
use crate::executor::parallel::{
    self, Attempts, Limits, Origin, Plan, Policy, Prepared, Timeouts, WorkItem, WorkerCommand,
};
use crate::executor::{DetailLimits, Settings};
use crate::expectations::Judgement;
use crate::monitor::{Lines, Look, Progress, Stream, Verbosity};
use crate::outcome::{Fault, NotPassed, RunEnd, RunReport};
use crate::regression::past::timed;
use crate::regression::timing::{Slower, slower};
use crate::report;
use crate::report::compare::{Named, Slow};
use crate::results::{Commit, JournalWriter, RunFolder};
use crate::text::count::plural;
use crate::text::style::Role;
use crate::text::written;

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
    let json_to_out = args.json.as_deref() == Some(Path::new("-"));
    let events_to_out = args.message_format == MessageFormat::Json;
    if json_to_out && events_to_out {
        let message = "`--json -` and `--message-format json` both want standard output".to_owned();
        let hint = "write the report to a file; the last event has the sums as well".to_owned();
        return Err(CliError::usage(message, vec![hint]));
    }
    // A report that cannot be written is better known before the run than after it.
    let json = args.json.as_deref().map(JsonFile::create).transpose()?;
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
    let mut text = written(|out| report::summary::write(out, &run));
    let judged = started.known.as_ref().map(|known| known.judge(&run));
    text.extend(judged.as_ref().map(|(_, text)| text.as_str()));
    let judgement = judged.as_ref().map(|(judgement, _)| judgement);
    text += &next_step(&ui.program, &run, judgement, started.prepared.settings());
    if !complete {
        text += &resume_step(&ui.program, started.elsewhere.as_deref(), &started.folder.name);
    }
    let mut reason = match judgement {
        Some(judgement) => known::reason(&run, judgement, args.fail_on_empty),
        None => reason(&run.files, args.fail_on_empty),
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
        json.finish(&run, run.header.files as u64)?;
    }
    #[cfg(feature = "store")]
    let results = started.folder.results();
    // Released, so that the run counts as ended.
    drop(started);
    #[cfg(feature = "store")]
    super::store::catch_up(&results, ui);
    let cut_short = matches!(run.end, RunEnd::Interrupted | RunEnd::BudgetSpent);
    Ok(if cut_short { reason.or_graver(ExitReason::Incomplete) } else { reason })
}

/// A run that can be driven.
struct Started {
    /// Held as long as this process is the master of the run.
    folder: RunFolder,
    prepared: Prepared,
    journal: JournalWriter,
    /// Where the results are, if that is to be named for finding them again.
    elsewhere: Option<PathBuf>,
    /// What it is compared with in the end.
    baseline: Option<Found>,
    /// The state of the project that it is made in.
    commit: Option<Commit>,
    /// What is expected to fail.
    known: Option<Known>,
}

/// The run to compare with, known before the run begins: a wrong word is better heard of then.
fn baseline(
    args: &RunArgs,
    keeping: &Keeping,
    besides: Besides<'_>,
    ui: &mut Ui,
) -> Result<Option<Found>, CliError> {
    let found = args.baseline.baseline.as_ref().map(|word| find(word, keeping, besides)).transpose()?;
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
    let Setup { engine, settings } = Setup::new(&args.engine, registry, details)?;
    let limits = limits(&args.limits)?;
    let identity = engine.identity();
    let workers = workers(args);
    let mut selected = select(args, &keeping.results, &settings, &identity.name, workers)?;
    let known = known_of(&args.expectations, &mut selected, &identity.name, ui)?;
    let Selected { items, slices, seed, shards } = selected;
    let baseline = baseline(args, keeping, Besides { before: None, engine: Some(&identity.name) }, ui)?;
    let NewRun { folder, elsewhere, warning } = keeping.new_run()?;
    warning.inspect(|warning| ui.warn(warning));
    shards.inspect(|shards| {
        ui.note(format_args!(
            "shards by time, {shards}; where another shard has another word here, files are missing"
        ));
    });
    seed.inspect(|seed| ui.note(format_args!("random order; `--seed {seed}` repeats it")));
    let timeouts = timeouts(args);
    let drive = Drive {
        workers,
        budget: args.limits.time.map(Duration::from_secs),
        seed,
        suite: args.paths.clone(),
        first: items.iter().find(|item| matches!(item.origin, Origin::Disk(_))).map(place_of),
    };
    let circumstances = circumstances(environment, drive);
    let commit = circumstances.commit.clone();
    let opened = opened(&folder, &items, &settings, circumstances);
    let prepared = Prepared::new(
        &folder.path,
        Plan {
            items,
            engine: identity,
            settings,
            limits,
            timeouts: &timeouts,
            attempts: Attempts { retries: args.limits.retries, repeat: args.limits.repeat },
            slices,
        },
    )?;
    let journal = JournalWriter::create(&folder.journal(), opened);
    let journal = journal.map_err(|error| cannot_write(&folder.journal(), &error))?;
    Ok(Started { folder, prepared, journal, elsewhere, known, baseline, commit })
}

/// What is expected to fail; files that are not to be run are taken out.
fn known_of(
    args: &ExpectationArgs,
    selected: &mut Selected,
    engine: &str,
    ui: &mut Ui,
) -> Result<Option<Known>, CliError> {
    let places: Vec<_> = selected.items.iter().map(place_of).collect();
    let files = selected.items.iter().zip(&places).map(|(item, place)| (item.file.as_str(), place.as_path()));
    let Some(known) = Known::load(args, files)? else { return Ok(None) };
    let skips = selected.retain(|item| !known.expectations.skips(engine, &item.file, known.today));
    let mut shortened = 0;
    for item in &mut selected.items {
        item.left_out = known.expectations.left_out(engine, &item.file, known.today);
        shortened += usize::from(!item.left_out.is_empty());
    }
    known::tell_skipped(skips, shortened, ui);
    if selected.items.is_empty() {
        let hint = "--no-expectations runs them".to_owned();
        return Err(CliError::nothing_selected("all files are to be skipped".to_owned(), vec![hint]));
    }
    Ok(Some(known))
}

fn resume(
    args: &RunArgs,
    name: Option<&str>,
    keeping: &Keeping,
    registry: &EngineRegistry,
    ui: &mut Ui,
) -> Result<Started, CliError> {
    let (folder, journal) = keeping.results.take_up(name)?;
    if journal.damaged > 0 {
        let lines = plural(journal.damaged as u64, "line");
        let verb = if journal.damaged == 1 { "is" } else { "are" };
        ui.warn(&format!("{lines} of the journal {verb} damaged; the files that were in them are run again"));
    }
    let engine = Some(journal.report.header.engine.name.as_str());
    let baseline = baseline(args, keeping, Besides { before: Some(&folder.name), engine }, ui)?;
    let commit = journal.opened.circumstances.and_then(|circumstances| circumstances.commit);
    let places = journal.opened.places.iter().map(|(file, place)| (file.as_str(), place.as_path()));
    let known = Known::load(&args.expectations, places)?;
    let prepared = Prepared::resumed(&folder.path, journal.report, registry, &suite::text)?;
    if let [first, more @ ..] = prepared.changed_files().as_slice() {
        let more = match more.len() {
            0 => String::new(),
            more => format!(" and {}", plural(more as u64, "more file")),
        };
        ui.warn(&format!(
            "changed since the run began: {first}{more}; results that are there stay as they are"
        ));
    }
    let journal = JournalWriter::append_to(&folder.journal());
    let journal = journal.map_err(|error| cannot_write(&folder.journal(), &error))?;
    Ok(Started { folder, prepared, journal, elsewhere: keeping.named_place(), known, baseline, commit })
}

pub(super) fn limits(args: &LimitArgs) -> Result<Limits, CliError> {
    if args.max_memory.is_some() && !cfg!(target_os = "linux") {
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
fn seconds(count: u64) -> Option<Duration> {
    (count > 0).then(|| Duration::from_secs(count))
}

fn workers(args: &RunArgs) -> usize {
    if args.serial { 1 } else { args.workers.map_or_else(cores, usize::from) }
}

pub(super) fn policy(args: &RunArgs) -> Policy {
    Policy {
        workers: workers(args),
        budget: args.limits.time.map(Duration::from_secs),
        most_failing: if args.fail_fast { Some(1) } else { args.max_fail.map(|most| most as usize) },
    }
}

/// Workers are this program once more, so that they have the same engines.
pub(super) fn worker_command() -> Result<WorkerCommand, CliError> {
    let program = std::env::current_exe()
        .map_err(|error| CliError::internal(format!("cannot find this program: {error}")))?;
    // The workers are the threads of a run; an engine that starts more only gets in their way. A fixed locale
    // keeps an engine's words the same everywhere.
    let environment = [("RAYON_NUM_THREADS", "1"), ("LC_ALL", "C")];
    Ok(WorkerCommand {
        program,
        arguments: vec![super::work::NAME.into()],
        environment: environment.iter().map(|(name, value)| (name.into(), value.into())).collect(),
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

/// Where the JSON report goes; it appears whole or not at all.
enum JsonFile<'p> {
    StandardOutput,
    /// Written beside its place, then put there; gone if the run ends before.
    Path {
        path: &'p Path,
        beside: NamedTempFile,
    },
}

impl<'p> JsonFile<'p> {
    fn create(path: &'p Path) -> Result<Self, CliError> {
        if path == Path::new("-") {
            return Ok(Self::StandardOutput);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // What the user's umask leaves of it, as for any file.
        let mode = Permissions::from_mode(0o666);
        let beside = tempfile::Builder::new().prefix(".report-").permissions(mode).tempfile_in(folder);
        // The kind alone: the message would name the file beside, of which the user knows nothing.
        let beside = beside.map_err(|error| cannot_write(path, &error.kind().into()))?;
        Ok(Self::Path { path, beside })
    }

    fn finish(self, run: &RunReport, available: u64) -> Result<(), CliError> {
        let mut document = Vec::new();
        report::json::write(run, available, &mut document)
            .map_err(|error| CliError::internal(format!("cannot write the report: {error}")))?;
        document.push(b'\n');
        match self {
            Self::StandardOutput => {
                let mut out = Ui::raw_out();
                let written = out.write_all(&document).and_then(|()| out.flush());
                written.map_err(|error| CliError::output(&error))
            }
            Self::Path { path, mut beside } => {
                let written = beside.write_all(&document).and_then(|()| beside.as_file().sync_all());
                let placed = written.and_then(|()| Ok(beside.persist(path)?));
                placed.map(drop).map_err(|error| cannot_write(path, &error))
            }
        }
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> CliError {
    CliError::io("write", &path.display().to_string(), error)
}

/// How to go on.
fn resume_step(program: &str, results: Option<&Path>, run: &str) -> String {
    let results = results
        .map_or_else(String::new, |path| format!(" --results {}", shell_word(&path.display().to_string())));
    format!("{} {program} run{results} --resume {run}\n", Role::Hint.paint("go on with it:"))
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
