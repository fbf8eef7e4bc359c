//! `run`: runs a suite, and prints a line per file and a summary.

use std::collections::{BTreeSet, HashSet};
use std::io::Write as _;
use std::path::Path;

use super::compare;
use super::documents::OutputDirectory;
use super::rerun::confirm_slow;
use crate::cli::args::{MessageFormat, RunArgs, ShardBalance};
use crate::cli::circumstances::circumstances;
use crate::cli::context::CommandContext;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::{ExitReason, VerdictRules, exit_reason};
use crate::cli::find_run::{LocatedRun, RunConstraints, find_run, find_stored};
use crate::cli::keys::KeyListener;
use crate::cli::loaded_expectations::{self, LoadedExpectations};
use crate::cli::output::{ExistingFile, OutputFile};
use crate::cli::repeat::{repeat_command, shell_word};
use crate::cli::results_location::{ResultsLocation, clock_warning, opened, place_of};
use crate::cli::selection::{SelectedFiles, select};
use crate::cli::settings::{NewRun, RunSettings, RunStart};
use crate::cli::shards;
use crate::cli::store;
use crate::cli::suite;
use crate::cli::ui::Ui;
use crate::cli::watched::WatchedRun;
use crate::cli::workers::timed_worker_command;
use crate::monitor::{EventStream, ProgressDisplay, ProgressLook, ResultLines};
use slt_core::executor::Settings;
use slt_core::location::FileId;
use slt_core::outcome::{DetailedFailure, Fault, FileReport, FileStatus, Problem, RunReport};
use slt_insight::expectations::Judgement;
use slt_insight::regression::past::timed;
use slt_insight::regression::timing::{Slowdowns, slower};
use slt_insight::regression::{self, Gate};
use slt_insight::report;
use slt_insight::report::compare::{Comparison, ConfirmedSlowdown, NamedRun};
use slt_insight::report::ending::{FailedFile, write_failed, write_slowest};
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::event::Tee;
use slt_runner::event::timings::RunTimings;
use slt_runner::parallel::schedule::FileOrder;
use slt_runner::parallel::{self, FileSource, PreparedRun, RunPlan, WorkItem, WorkKind};
use slt_runner::results::combine::group_of;
use slt_runner::results::{Circumstances, Commit, History, JournalWriter, RunFolder};
use slt_runner::text::count::plural;
use slt_runner::text::style::Role;
use slt_runner::text::written;

/// The number of changes of each kind that are listed after a run.
const MAX_CHANGES: usize = 10;
/// The maximum width of the column of files.
const MAX_FILE_WIDTH: usize = 60;

pub(in crate::cli) fn run(args: RunArgs, context: CommandContext<'_>, ui: &mut Ui) -> CommandResult {
    let settings = RunSettings::new(args, context)?;
    // An output file that cannot be written is reported before the run and not after it.
    let json = settings.json.as_deref();
    let json = json.map(|path| OutputFile::open(path, ExistingFile::ReplaceReport)).transpose()?;
    let documents = settings.output_dir.as_deref().map(OutputDirectory::open).transpose()?;
    let json_to_stdout = json.as_ref().is_some_and(OutputFile::is_standard);
    let events_to_stdout = settings.format == MessageFormat::Json;
    if json_to_stdout && events_to_stdout {
        let message = "`--json -` and `--message-format json` both write to standard output";
        let hint = "write the report to a file; the last event has the totals as well";
        return Err(CliError::usage(message, hint));
    }
    let text_to_stdout = !json_to_stdout && !events_to_stdout;
    let mut started = match &settings.start {
        RunStart::New(new) => begin(new, &settings, context, ui)?,
        RunStart::Resumed(name) => resume(name.as_deref(), &settings, context, ui)?,
    };
    // What cannot be dropped is reported at the end.
    remove_leftovers(&started, context).ok();
    let mut timings = settings.policy.timings.then(RunTimings::default);
    let run = {
        let look = ui.progress(settings.progress);
        let mut keys = KeyListener::new(look != ProgressLook::Hidden);
        let mut stream = events_to_stdout.then(|| EventStream::new(Ui::raw_out(), &started.folder.name));
        let out: &mut dyn std::io::Write = if text_to_stdout { &mut ui.out } else { &mut ui.err };
        let mut lines = ResultLines::new(out, settings.verbosity, column_width(started.prepared.items()));
        // Both may write to the terminal, where progress makes room for them.
        let mut screen = ProgressDisplay::new(Tee(&mut stream, &mut lines), look);
        let mut seen = Tee(&mut keys, &mut screen);
        let mut measured = Tee(&mut timings, &mut seen);
        let mut sink = Tee(&mut started.journal, &mut measured);
        let command = timed_worker_command(settings.policy.timings)?;
        parallel::run(&started.prepared, &command, settings.policy, &mut sink)?
    };
    let complete = run.files.len() == run.header.files;
    if complete {
        started.prepared.clear();
    }
    let judged = started.expectations.as_ref().map(|expectations| expectations.judge(&run));
    let judgement = judged.as_ref().map(|(judgement, _)| judgement);
    let settings_of_run = started.prepared.settings();
    let again = |file: &FileReport, detail: DetailedFailure<'_>| {
        again(&ui.program, settings_of_run, &run, file, detail)
    };
    let mut text = lists(&settings, &started, &run, judgement, &ui.program, &again);
    if let Some(timings) = &timings {
        let shown = |file: &FileId| shown_of(&started.prepared, file);
        text += &written(|out| report::timings::write(out, timings, &shown));
    }
    text += &written(|out| report::summary::write(out, &run.overview(), None, settings.fail_on_empty));
    text.extend(judged.as_ref().map(|(_, text)| text.as_str()));
    text += &next_step(&run, judgement, &again);
    let watched = settings.watched();
    let is_kept = watched.is_none_or(WatchedRun::is_kept);
    if !complete && is_kept {
        text += &resume_step(&ui.program, context.location.named_path(), &started.folder.name);
    }
    let rules = VerdictRules { fail_on_empty: settings.fail_on_empty, flaky: run.header.flaky };
    let mut reason = match judgement {
        Some(judgement) => loaded_expectations::exit_reason(&run, judgement, rules),
        None => exit_reason(&run.files, &BTreeSet::new(), rules),
    };
    if let Some((baseline, named)) = started.baseline.as_ref().zip(settings.baseline.as_ref()) {
        let (comparison, verdict) = compare_with(baseline, named.gate, &settings, &started, &run, ui)?;
        text += &comparison;
        reason = reason.max(verdict);
    }
    if text_to_stdout {
        ui.print(&text)?;
    } else {
        drop(ui.err.write_all(text.as_bytes()));
    }
    if let Some(json) = json {
        write_json(json, &run, timings.as_ref(), &started.prepared)?;
    }
    // Last, because a server may take its time.
    if let Err(error) = remove_leftovers(&started, context) {
        ui.warn(&format!("cannot drop the databases of killed processes: {}", error.message));
    }
    if let Some(watched) = watched {
        watched.report(started.prepared.items(), &run)?;
    }
    let (results, group) = (started.folder.results(), started.group.clone());
    let name = started.folder.name.clone();
    // Untested files are not a success, even if every failure was expected.
    let untested = run.untested() > 0 && reason == ExitReason::Success;
    if run.is_incomplete() || untested {
        reason = reason.max(ExitReason::Incomplete);
    }
    // What follows reads the journal, and needs the memory.
    drop(run);
    // Releases the lock of the run, so that it counts as ended.
    drop(started);
    if let Err(error) = History::update(&results) {
        let error = CliError::from(error);
        ui.warn(&format!("the index of last outcomes is not up to date: {}", error.message));
    }
    if let Some(group) = group
        && let Err(error) = shards::combine_present(&results, &group, ui)
    {
        ui.warn(&format!("the shards of {group} are not combined: {}", error.message));
    }
    if is_kept {
        store::catch_up_after_run(&results, ui);
    }
    if let Some(documents) = documents {
        let baseline = settings.baseline.as_ref().map(|baseline| baseline.run.as_str());
        let shown = documents.fill(&name, baseline, &settings.expectations, context, ui)?;
        if text_to_stdout {
            ui.print(&format!("{} {shown}\n", Role::Hint.paint("reports in:")))?;
        }
    }
    Ok(reason)
}

/// Drops the databases of workers and runs that were killed.
fn remove_leftovers(started: &StartedRun, context: CommandContext<'_>) -> Result<(), CliError> {
    if started.journal.is_none() {
        return Ok(());
    }
    let engine = context.registry.make(&started.prepared.settings().engine)?;
    Ok(engine.remove_leftovers()?)
}

/// Compares the run with its baseline, and returns the text and the exit reason.
fn compare_with(
    baseline: &LocatedRun,
    gate: Gate,
    settings: &RunSettings,
    started: &StartedRun,
    run: &RunReport,
    ui: &mut Ui,
) -> Result<(String, ExitReason), CliError> {
    let past = compare::past_of(&started.folder.results(), &started.folder.name, run)?;
    let Slowdowns { slower, suspects, load } = slower(&timed(&past));
    let certain = slower.into_iter().map(|slowdown| ConfirmedSlowdown { slowdown, again: None });
    let confirmed = confirm_slow(suspects, settings, run, &started.prepared, ui)?;
    let diff = regression::compare(&baseline.journal.report, run);
    let comparison = Comparison {
        diff: &diff,
        baseline: compare::named(baseline),
        current: NamedRun { name: &started.folder.name, commit: started.commit.as_ref(), defect: None },
        gate,
        limit: MAX_CHANGES,
        slower: certain.chain(confirmed).collect(),
        load,
        again: compare::again(&ui.program, started.prepared.settings(), run, &diff),
    };
    let text = written(|out| {
        out.push('\n');
        report::compare::write(out, &comparison)
    });
    Ok((text, if diff.has_regressed(gate) { ExitReason::Regressed } else { ExitReason::Success }))
}

/// Lists the files that failed unexpectedly, and the slowest files.
fn lists(
    settings: &RunSettings,
    started: &StartedRun,
    run: &RunReport,
    judgement: Option<&Judgement>,
    program: &str,
    again: &RepeatCommand<'_>,
) -> String {
    let expected: Option<&BTreeSet<usize>> = judgement.map(|judgement| &judgement.expected_files);
    let is_expected = |place: usize| expected.is_some_and(|expected| expected.contains(&place));
    let is_listed = |file: &FileReport| match file.status() {
        FileStatus::Passed => false,
        FileStatus::Empty => settings.fail_on_empty,
        _ => true,
    };
    let files = run.files.iter().enumerate();
    let files = files.filter(|(place, file)| is_listed(file) && !is_expected(*place));
    let failed = files.map(|(place, file)| {
        let was_good = started.history.of(&file.file).good;
        let passes = file.status() == FileStatus::Flaky && run.header.is_good(file);
        let first = first_failure(run, place, judgement);
        let again = first.and_then(|first| again(file, first));
        FailedFile { file, first, again, was_good, passes }
    });
    let mut failed: Vec<_> = failed.collect();
    let is_kept = settings.watched().is_none_or(WatchedRun::is_kept);
    let see_all = match is_kept {
        true => format!("{program} show {}", started.folder.name),
        false => format!("{program} run"),
    };
    written(|out| {
        // The result of a single file has already been printed.
        if run.header.files > 1 {
            write_failed(out, &mut failed, &see_all)?;
        }
        settings.durations.map_or(Ok(()), |most| write_slowest(out, &run.files, most))
    })
}

/// A run that has been started or resumed.
struct StartedRun {
    /// Held as long as this process is the master of the run.
    folder: RunFolder,
    prepared: PreparedRun,
    /// Absent if a complete run is resumed, which changes nothing.
    journal: Option<JournalWriter>,
    /// The run that it is compared with at its end.
    baseline: Option<LocatedRun>,
    /// The commit that it is made at.
    commit: Option<Commit>,
    /// The group of the shard that it executes.
    group: Option<String>,
    expectations: Option<LoadedExpectations>,
    /// The results of earlier runs.
    history: History,
}

/// Finds the run to compare with. This happens before the run starts, so that a wrong name is reported at once.
fn find_baseline(
    settings: &RunSettings,
    location: &ResultsLocation,
    constraints: RunConstraints<'_>,
    ui: &mut Ui,
) -> Result<Option<LocatedRun>, CliError> {
    let Some(baseline) = &settings.baseline else { return Ok(None) };
    let found = find_run(&baseline.run, location, constraints, ui)?;
    found.notes.iter().for_each(|note| ui.note(note));
    Ok(Some(found))
}

fn begin(
    new: &NewRun,
    settings: &RunSettings,
    context: CommandContext<'_>,
    ui: &mut Ui,
) -> Result<StartedRun, CliError> {
    let results = context.location.results()?;
    let engine = new.setup.engine.clone();
    let workers = settings.policy.workers;
    let SelectedFiles { items, slices, shard, expectations, is_part, history } =
        select(new, &settings.expectations, results, workers, ui)?;
    let files: Vec<_> = items.into_iter().zip(slices).collect();
    let (items, slices): (Vec<_>, Vec<_>) = match &new.watched {
        Some(watched) => watched.choose(files)?.into_iter().unzip(),
        None => files.into_iter().unzip(),
    };
    let constraints = RunConstraints { before: None, engine: Some(&engine) };
    let baseline = find_baseline(settings, context.location, constraints, ui)?;
    let unkept = new.watched.as_ref().filter(|watched| !watched.is_kept()).map(WatchedRun::results);
    let starting = unkept.as_ref().unwrap_or(results).start_run_dying_at(new.die_at_step)?;
    if let Some(shard) = shard.as_ref().filter(|_| new.selection.balance == ShardBalance::Time) {
        ui.note(format_args!(
            "shards by time, {}; all shards must print the same value, or files are missing",
            shard.fingerprint
        ));
    }
    let seed = if let FileOrder::Random(seed) = new.order { Some(seed) } else { None };
    if let Some(seed) = seed {
        ui.note(format_args!("random order; `--seed {seed}` repeats it"));
    }
    let first = items.iter().find(|item| matches!(item.source, FileSource::Disk(_))).map(place_of);
    let circumstances = Circumstances {
        workers,
        budget: settings.policy.budget,
        seed,
        suite: new.selection.paths.clone(),
        is_part,
        shard: shard.map(|shard| shards::of_run(shard, new.group.as_ref())),
        ..circumstances(context.environment, first.as_deref(), results)
    };
    let (commit, group) = (circumstances.commit.clone(), group_of(&circumstances).map(str::to_owned));
    let mut prepared = PreparedRun::new(
        starting.path(),
        RunPlan {
            items,
            engine,
            settings: new.setup.settings.clone(),
            limits: settings.limits,
            timeouts: &settings.timeouts,
            attempts: new.attempts,
            kind: WorkKind::Run,
            slices,
            shares: new.may_split,
        },
    )?;
    let now = milliseconds_since_1970();
    let (folder, journal) = starting.publish(now, &prepared.header(), &|name| {
        opened(name, now, prepared.items(), prepared.settings(), circumstances.clone())
    })?;
    clock_warning(&folder, now).inspect(|warning| ui.warn(warning));
    prepared.moved_to(&folder.path);
    let journal = Some(journal);
    Ok(StartedRun { folder, prepared, journal, baseline, commit, group, expectations, history })
}

fn resume(
    name: Option<&str>,
    settings: &RunSettings,
    CommandContext { location, registry, .. }: CommandContext<'_>,
    ui: &mut Ui,
) -> Result<StartedRun, CliError> {
    let name = name.map(|word| find_stored(word, location, ui)).transpose()?;
    let (folder, journal) = location.results()?.take_up(name.as_deref())?;
    if journal.damaged > 0 {
        let lines = plural(journal.damaged as u64, "line");
        let verb = if journal.damaged == 1 { "is" } else { "are" };
        let lost = match journal.report.untested() {
            0 => "no result is missing",
            _ => "their files are run again",
        };
        ui.warn(&format!("{lines} of the journal {verb} damaged; {lost}"));
    }
    let engine = Some(&journal.report.header.engine);
    let constraints = RunConstraints { before: Some(&folder.name), engine };
    let baseline = find_baseline(settings, location, constraints, ui)?;
    let expectations = LoadedExpectations::load_for_run(&settings.expectations, &journal.opened)?;
    let circumstances = journal.opened.circumstances.unwrap_or_default();
    let (group, commit) = (group_of(&circumstances).map(str::to_owned), circumstances.commit);
    let is_complete = journal.ended && journal.report.untested() == 0;
    let prepared =
        PreparedRun::resumed(&folder.path, journal.report, journal.attempts, registry, &suite::text)?;
    if let [first, more @ ..] = prepared.changed_files().as_slice() {
        let more = match more.len() {
            0 => String::new(),
            more => format!(" and {}", plural(more as u64, "more file")),
        };
        ui.warn(&format!("changed since the run started: {first}{more}; existing results are kept"));
    }
    let resume = || JournalWriter::resume(&folder.journal(), milliseconds_since_1970());
    let journal = (!is_complete).then(resume).transpose();
    let journal =
        journal.map_err(|error| CliError::io("write", &folder.journal().display().to_string(), &error))?;
    // The history would include earlier results of this run.
    let history = History::default();
    Ok(StartedRun { folder, prepared, journal, baseline, commit, group, expectations, history })
}

fn column_width(items: &[WorkItem]) -> usize {
    let widest = items.iter().map(|item| item.shown.chars().count()).max();
    widest.unwrap_or(0).min(MAX_FILE_WIDTH)
}

/// Returns the path of a file of the run that can be typed.
fn shown_of(prepared: &PreparedRun, file: &FileId) -> String {
    let item = prepared.items().iter().find(|item| item.file == *file);
    item.map_or_else(|| file.path().to_owned(), |item| item.shown.clone())
}

fn write_json(
    place: OutputFile,
    run: &RunReport,
    timings: Option<&RunTimings>,
    prepared: &PreparedRun,
) -> Result<(), CliError> {
    let tested: HashSet<_> = run.files.iter().map(|file| &file.file).collect();
    let files = prepared.items().iter().map(|item| &item.file);
    let mut untested: Vec<_> = files.filter(|file| !tested.contains(file)).map(FileId::path).collect();
    untested.sort_unstable();
    let mut document = Vec::new();
    report::json::write(run, &untested, timings, &mut document)
        .map_err(|error| CliError::internal(format!("cannot write the report: {error}")))?;
    document.push(b'\n');
    place.put(document).map(drop)
}

/// Returns the command that resumes the run.
fn resume_step(program: &str, results: Option<&Path>, run: &str) -> String {
    let results = results
        .map_or_else(String::new, |path| format!(" --results {}", shell_word(&path.display().to_string())));
    format!("{} {program} run{results} --resume {run}\n", Role::Hint.paint("resume with:"))
}

/// Makes the command that repeats a failing record of a file.
type RepeatCommand<'r> = dyn Fn(&FileReport, DetailedFailure<'_>) -> Option<String> + 'r;

fn again(
    program: &str,
    settings: &Settings,
    run: &RunReport,
    file: &FileReport,
    detail: DetailedFailure<'_>,
) -> Option<String> {
    let command = repeat_command(program, settings, &run.header.engine.labels, &file.shown, detail.id)?;
    // The record kills the next process as well, so its position must be printed before it runs.
    let died = matches!(detail.problem, Problem::Fault(Fault::Died { .. }));
    Some(command + if died { " --trace" } else { "" })
}

/// Returns the first failing record of a file with details; expected failures only if there is no judgement.
fn first_failure<'r>(
    run: &'r RunReport,
    place: usize,
    judged: Option<&Judgement>,
) -> Option<DetailedFailure<'r>> {
    let file = &run.files[place];
    let unexpected = match judged {
        None => return file.details().next(),
        Some(judgement) => judgement.unexpected.iter().find(|one| one.file == place)?,
    };
    let mut meant = unexpected.records.iter().filter_map(|&place| file.failures[place].detailed());
    if unexpected.records.is_empty() { file.details().next() } else { meant.next() }
}

/// Returns the command that shows the first failure.
fn next_step(run: &RunReport, judged: Option<&Judgement>, again: &RepeatCommand<'_>) -> String {
    let mut places = 0..run.files.len();
    let first = places.find_map(|place| Some((&run.files[place], first_failure(run, place, judged)?)));
    match first.and_then(|(file, first)| again(file, first)) {
        Some(command) => format!("{} {command}\n", Role::Hint.paint("look at the first:")),
        None => String::new(),
    }
}
