//! Writes the script of `bisect`, with the copies of files that it needs.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::past::{BisectedFile, kind};
use super::repository::GitRepository;
use super::script::{self, ScriptPlan};
use super::texts::with_script;
use super::{BisectContext, name_of};
use crate::cli::args::BisectArgs;
use crate::cli::error::CliError;
use crate::cli::find_run::modified_at;
use crate::cli::output::{ExistingFile, OutputFile};
use crate::cli::repeat::{repeat_words, shell_word};
use crate::cli::run_texts::read_text;
use slt_core::location::FileId;
use slt_core::outcome::{FileEnd, FileReport, RecordKey};
use slt_insight::regression::origin::{FailureOrigin, FailureTrace, WantedRecord};
use slt_insight::report::bisect::{BisectScript, RangeEnd};
use slt_runner::parallel::time_limit;
use slt_runner::results::PastRun;

/// The default time limit of a file in a run.
const USUAL_LIMIT: Duration = Duration::from_secs(500);
/// The folder below `.git`, where no checkout changes it.
const FOLDER: &str = "sqllogictest-bisect";

/// The file or record that the script tests.
pub(super) struct ScriptRequest<'w> {
    pub(super) args: &'w BisectArgs,
    pub(super) file: &'w FileReport,
    /// The index of the record in the list of failures; `None` for the file as a whole.
    pub(super) place: Option<usize>,
    pub(super) record: Option<WantedRecord>,
    /// Whether the text comes from a commit, and not from the disk.
    pub(super) from_git: bool,
    pub(super) history: &'w BisectedFile<'w>,
}

/// Writes the script and its files.
pub(super) fn prepare(
    request: &ScriptRequest<'_>,
    context: &BisectContext<'_>,
    repository: &GitRepository,
    [good, bad]: [&RangeEnd; 2],
    trace: &FailureTrace<'_>,
    notes: &mut Vec<String>,
) -> Result<BisectScript, CliError> {
    let (args, file) = (request.args, request.file);
    let text = text_of_run(request, context, notes)?;
    let program = program_of(args, repository)?;
    let build = build_of(args, repository, &program)?;
    let place = ScriptLocation::new(args, repository)?;
    let line = request.place.map(|place| file.failures[place].id.line);
    if matches!(&file.end, FileEnd::TimedOut { id: Some(at) } if line.is_some_and(|line| at.is_on(line))) {
        notes.push(format!(
            "the file reached its time limit at this record; `bisect {}` judges the file",
            shell_word(&file.shown)
        ));
    }
    let set_up = line.map(|line| set_up(request, context, trace, text, line)).transpose()?.flatten();
    let name = Path::new(file.file.path()).file_name().unwrap_or_else(|| "file.test".as_ref());
    let copy = place.keep("record", name, text)?;
    let set_up = set_up.map(|text| place.keep("set-up", name, &text)).transpose()?;
    let mut words = vec!["--no-config".to_owned()];
    words.extend(repeat_words(&context.settings, &context.journal.report.header.engine.labels));
    let plan = ScriptPlan {
        subject: &name_of(file, line),
        good: &good.commit,
        bad: &bad.commit,
        build: &build,
        program: &program,
        words: &words,
        copy: &copy,
        line,
        set_up: set_up.as_deref(),
        output: &place.files.join("output"),
        seconds: limit(args, context, &file.file).as_secs(),
        loss_is_bad: request.place.is_none_or(|_| is_loss(kind(file, request.place))),
    };
    let text = script::write(&plan);
    if is_kept_as_it_is(repository, &program) {
        notes.push(format!(
            "Git does not ignore `{program}`, so the script does not remove it: each build must replace it"
        ));
    }
    let Some(path) = place.script.clone() else { return Ok(BisectScript::to_output(text, build, program)) };
    write_script(&path, &text)?;
    let (at_top, path) = from_here(repository, &path);
    let word = shell_word(&path);
    Ok(BisectScript {
        steps: steps(repository, at_top, &word, good, bad),
        text: None,
        path,
        word,
        build,
        program,
    })
}

/// Returns the statements that the record on `line` depends on.
fn set_up(
    request: &ScriptRequest<'_>,
    context: &BisectContext<'_>,
    trace: &FailureTrace<'_>,
    text: &[u8],
    line: u32,
) -> Result<Option<Vec<u8>>, CliError> {
    let (shown, labels) = (&request.file.shown, &context.settings.options.labels);
    let failing = known_failing(request, trace);
    let settings = context.settings.as_read(request.file.dialect.as_deref());
    let read = with_script(shown, text.to_vec(), &settings, |script| {
        (script::is_behind_halt(script, line, labels), script::set_up(script, line, &failing, labels))
    });
    let (is_behind_halt, set_up) = read.unwrap_or_default();
    if is_behind_halt {
        let message = format!("line {line} of `{shown}` is after a `halt`");
        return Err(CliError::nothing_selected(message, "records after a `halt` are not executed"));
    }
    Ok(set_up)
}

/// Whether a failure of this kind ended the engine or its process, or reached a limit.
fn is_loss(kind: &str) -> bool {
    ["timed_out", "process_died", "out_of_memory", "engine_lost"].contains(&kind)
}

/// Returns the text that the file had in the run.
fn text_of_run<'t>(
    request: &ScriptRequest<'t>,
    context: &BisectContext<'_>,
    notes: &mut Vec<String>,
) -> Result<&'t [u8], CliError> {
    let (file, opened) = (request.file, &context.journal.opened);
    let shown = &file.shown;
    let hint = "run the file again, and bisect that run";
    let Some(text) = request.history.texts.current.as_deref() else {
        let message = format!("the text of `{shown}` in run `{}` cannot be found", opened.run);
        return Err(CliError::usage(message, hint));
    };
    let is_there = |record: WantedRecord| request.history.texts.line(record.key) == Some(record.line);
    if !request.record.is_none_or(is_there) {
        let line = request.record.map_or(0, |record| record.line);
        let message =
            format!("`{shown}` has changed since run `{}`: line {line} is a different record", opened.run);
        return Err(CliError::usage(message, hint));
    }
    if request.from_git {
        if read_text(opened, &file.file).is_some_and(|now| now.is_ok_and(|now| now != text)) {
            notes.push(format!("`{shown}` has changed since the run; the script uses its text in the run"));
        }
    } else if opened
        .places
        .get(&file.file)
        .and_then(|place| modified_at(place))
        .is_some_and(|time| time > opened.started)
    {
        notes.push(format!("`{shown}` has been written since the run; the script uses its current text"));
    }
    Ok(text)
}

/// Returns the lines of the records that fail in the run or at one of the ends, or that the run skipped. They are not part
/// of the set-up, which must succeed.
fn known_failing(request: &ScriptRequest<'_>, trace: &FailureTrace<'_>) -> HashSet<u32> {
    let ends = match trace.origin {
        FailureOrigin::Between { good, bad, .. } | FailureOrigin::Mixed { good, bad } => vec![good, bad],
        FailureOrigin::NeverPassed { first: one } | FailureOrigin::Passes { last: one } => vec![one],
        FailureOrigin::Unknown => Vec::new(),
    };
    let keys = |run: &PastRun| -> Vec<RecordKey> {
        let file = run.files.iter().find(|file| file.file == request.file.file);
        file.into_iter().flat_map(|file| &file.failures).filter_map(|record| record.key).collect()
    };
    let lines = ends.iter().flat_map(|end| keys(end.run)).filter_map(|key| request.history.texts.line(key));
    let left_out = request.file.left_out.iter().map(|left_out| left_out.id.line);
    lines.chain(request.file.failures.iter().map(|record| record.id.line)).chain(left_out).collect()
}

/// Returns the program that the build creates: the named one, or this one if it is in the working copy.
fn program_of(args: &BisectArgs, repository: &GitRepository) -> Result<String, CliError> {
    if let Some(program) = &args.program {
        // Without a slash, the shell would search PATH.
        return Ok(if program.contains('/') { program.clone() } else { format!("./{program}") });
    }
    let this = std::env::current_exe().and_then(|path| path.canonicalize());
    let below = this.ok().and_then(|this| Some(this.strip_prefix(&repository.top).ok()?.to_owned()));
    match below.as_deref().and_then(Path::to_str) {
        Some(below) if below.contains('/') => Ok(below.to_owned()),
        Some(below) => Ok(format!("./{below}")),
        None => {
            let message =
                "this program is not built by the repository: its engine is the same at each commit";
            let hint = "use --program to name a program that the build creates, with the engine and this command line in it, \
                        for example `--program target/release/my-slt` (docs/bisect.md)";
            Err(CliError::usage(message, hint))
        }
    }
}

/// Returns the build step: the named one, or the Cargo command that creates the program.
fn build_of(args: &BisectArgs, repository: &GitRepository, program: &str) -> Result<String, CliError> {
    if let Some(build) = &args.build {
        return Ok(build.clone());
    }
    if !repository.top.join("Cargo.toml").is_file() {
        let hint = "use --build to name the command that builds a commit, for instance --build 'make slt'";
        return Err(CliError::usage("no `Cargo.toml` at the top of the repository, and no --build", hint));
    }
    Ok(cargo_build(program))
}

/// Returns the command that creates the program, such as `cargo build --release --examples` for
/// `target/release/examples/p`.
fn cargo_build(program: &str) -> String {
    let parts: Vec<_> = Path::new(program)
        .components()
        .filter_map(|part| if let Component::Normal(part) = part { part.to_str() } else { None })
        .collect();
    let profile = match parts.as_slice() {
        ["target", "debug", ..] => String::new(),
        ["target", "release", ..] => " --release".to_owned(),
        ["target", profile, _] | ["target", profile, "examples", _] => {
            format!(" --profile {}", shell_word(profile))
        }
        _ => " --release".to_owned(),
    };
    let examples = if parts.get(2) == Some(&"examples") { " --examples" } else { "" };
    format!("cargo build{profile}{examples}")
}

/// Whether the script leaves a program in the working copy in place before each build.
fn is_kept_as_it_is(repository: &GitRepository, program: &str) -> bool {
    !program.starts_with('/') && !repository.has_ignored(Path::new(program))
}

fn limit(args: &BisectArgs, context: &BisectContext<'_>, file: &FileId) -> Duration {
    match args.timeout {
        Some(seconds) => Duration::from_secs(seconds),
        None => context.folder.as_deref().and_then(|folder| time_limit(folder, file)).unwrap_or(USUAL_LIMIT),
    }
}

/// The path of the script, and the folder of its files.
struct ScriptLocation {
    /// `None` is standard output.
    script: Option<PathBuf>,
    files: PathBuf,
}

impl ScriptLocation {
    fn new(args: &BisectArgs, repository: &GitRepository) -> Result<Self, CliError> {
        let own = repository.folder.join(FOLDER);
        Ok(match args.output.as_deref() {
            Some(path) if path == Path::new("-") => Self { script: None, files: own },
            Some(path) => {
                let failed = |error| CliError::io("write", &shown(path), &error);
                let script = std::path::absolute(path).map_err(failed)?;
                let mut files = script.clone().into_os_string();
                files.push(".files");
                Self { script: Some(script), files: files.into() }
            }
            None => Self { script: Some(own.join("run.sh")), files: own },
        })
    }

    /// Writes a copy of a text. It keeps the file name, which may affect how the file is read.
    fn keep(&self, folder: &str, name: &std::ffi::OsStr, text: &[u8]) -> Result<PathBuf, CliError> {
        let folder = self.files.join(folder);
        std::fs::create_dir_all(&folder).map_err(|error| CliError::io("create", &shown(&folder), &error))?;
        let path = folder.join(name);
        OutputFile::open(&path, ExistingFile::Replace)?.put(text)?;
        Ok(path)
    }
}

fn write_script(path: &Path, text: &str) -> Result<(), CliError> {
    use std::os::unix::fs::PermissionsExt as _;
    let failed = |error| CliError::io("write", &shown(path), &error);
    OutputFile::open(path, ExistingFile::Replace)?.put(text)?;
    let found = std::fs::metadata(path).map_err(failed)?;
    if !found.is_file() {
        return Ok(());
    }
    let mut permissions = found.permissions();
    // Everyone who may read it may execute it.
    permissions.set_mode(permissions.mode() | (permissions.mode() & 0o444) >> 2);
    std::fs::set_permissions(path, permissions).map_err(failed)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Whether this is the top of the working copy, and the path of the script from here.
fn from_here(repository: &GitRepository, script: &Path) -> (bool, String) {
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
    let at_top = here == repository.top;
    let whole = script.canonicalize().ok();
    let below = whole.as_deref().and_then(|script| script.strip_prefix(&repository.top).ok());
    let script = shown(below.filter(|_| at_top).unwrap_or(script));
    // Without a slash, the shell would search PATH.
    (at_top, if script.contains('/') { script } else { format!("./{script}") })
}

/// Returns the commands to type next. Git requires the top of the working copy.
fn steps(
    repository: &GitRepository,
    at_top: bool,
    script: &str,
    good: &RangeEnd,
    bad: &RangeEnd,
) -> Vec<String> {
    let go = (!at_top).then(|| format!("cd {}", shell_word(&shown(&repository.top))));
    let start = format!("git bisect start {} {}", bad.commit, good.commit);
    let run = format!("git bisect run {script}");
    go.into_iter().chain([start, run, "git bisect reset".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_builds_what_the_place_of_the_program_says() {
        let check = [
            ("target/release/my-slt", "cargo build --release"),
            ("target/debug/my-slt", "cargo build"),
            ("./target/debug/examples/my-slt", "cargo build --examples"),
            ("target/dist/my-slt", "cargo build --profile dist"),
            ("target/dist/examples/my-slt", "cargo build --profile dist --examples"),
            ("scripts/slt", "cargo build --release"),
            ("/elsewhere/slt", "cargo build --release"),
        ];
        for (program, command) in check {
            assert_eq!(cargo_build(program), command, "{program}");
        }
    }
}
