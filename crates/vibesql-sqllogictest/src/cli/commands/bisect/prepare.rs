//! Writes the script of `bisect`, with the copies of files that it needs.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::context::BisectContext;
use super::past::{FileHistory, kind};
use super::repository::Repository;
use super::script::{self, ScriptPlan};
use super::texts::with_script;
use crate::cli::error::CliError;
use crate::cli::output::{ExistingFile, OutputFile};
use crate::cli::repeat::{repeat_words, shell_word};
use crate::cli::run_texts::read_text;
use slt_core::location::FileId;
use slt_core::outcome::{FileEnd, FileReport, RecordKey};
use slt_insight::regression::origin::{Origin, Trace, WantedRecord};
use slt_insight::report::bisect::{End, Written};
use slt_runner::parallel::time_limit;
use slt_runner::results::PastRun;

/// As long as a run lets a file take, if nothing else is said.
const USUAL_LIMIT: Duration = Duration::from_secs(500);
/// The folder in Git's own folder, where no checkout changes it.
const FOLDER: &str = "sqllogictest-bisect";

/// How the script builds and tests a commit, and where it is written, as far as the user says.
pub(super) struct ScriptOptions {
    pub(super) build: Option<String>,
    pub(super) program: Option<String>,
    /// The time limit at each commit, in seconds.
    pub(super) timeout: Option<u64>,
    pub(super) output: Option<PathBuf>,
}

/// What the script tests.
pub(super) struct ScriptRequest<'w> {
    pub(super) options: &'w ScriptOptions,
    pub(super) file: &'w FileReport,
    /// The place of the record in the list of failing ones; nothing for the file as a whole.
    pub(super) place: Option<usize>,
    pub(super) record: Option<WantedRecord>,
    /// Whether the text is that of a commit, and not of the disk.
    pub(super) from_git: bool,
    pub(super) history: &'w FileHistory<'w>,
}

/// Writes the script and what it needs.
pub(super) fn prepare(
    request: &ScriptRequest<'_>,
    context: &BisectContext<'_>,
    repository: &Repository,
    [good, bad]: [&End; 2],
    trace: &Trace<'_>,
    notes: &mut Vec<String>,
) -> Result<Written, CliError> {
    let (options, file) = (request.options, request.file);
    let text = text_of_run(request, context, notes)?;
    let program = program_of(options, repository)?;
    let build = build_of(options, repository, &program)?;
    let place = ScriptLocation::new(options, repository)?;
    let line = request.place.map(|place| file.failures[place].id.line);
    if matches!(&file.end, FileEnd::TimedOut { id: Some(at) } if line.is_some_and(|line| at.is_on(line))) {
        notes.push(format!(
            "the time of the whole file was over at this record; `bisect {}` judges the file",
            shell_word(&file.shown)
        ));
    }
    let set_up = match line {
        Some(line) => set_up(request, context, trace, text, line)?,
        None => None,
    };
    let name = Path::new(file.file.path()).file_name().unwrap_or_else(|| "file.test".as_ref());
    let copy = place.keep("record", name, text)?;
    let set_up = set_up.map(|text| place.keep("set-up", name, &text)).transpose()?;
    let mut words = vec!["--no-config".to_owned()];
    words.extend(repeat_words(&context.settings, &context.journal.report.header.engine.labels));
    let subject = line.map_or_else(|| file.shown.clone(), |line| format!("{}:{line}", file.shown));
    let plan = ScriptPlan {
        subject: &subject,
        good: &good.commit,
        bad: &bad.commit,
        build: &build,
        program: &program,
        words: &words,
        copy: &copy,
        line,
        set_up: set_up.as_deref(),
        output: &place.files.join("output"),
        seconds: limit(options, context, &file.file).as_secs(),
        loss_is_bad: request.place.is_none_or(|place| is_loss(kind(file, place))),
    };
    let text = script::write(&plan);
    if is_kept_as_it_is(repository, &program) {
        notes.push(format!(
            "Git does not ignore `{program}`, so the script leaves it in place: the build must make it anew each time"
        ));
    }
    let Some(path) = place.script.clone() else { return Ok(Written::to_output(text, build, program)) };
    write_script(&path, &text)?;
    let (at_top, path) = from_here(repository, &path);
    let word = shell_word(&path);
    Ok(Written { steps: steps(repository, at_top, &word, good, bad), text: None, path, word, build, program })
}

/// The statements that the record on `line` builds on.
fn set_up(
    request: &ScriptRequest<'_>,
    context: &BisectContext<'_>,
    trace: &Trace<'_>,
    text: &[u8],
    line: u32,
) -> Result<Option<Vec<u8>>, CliError> {
    let (shown, labels) = (&request.file.shown, &context.settings.options.labels);
    let failing = known_failing(request, trace);
    let read = with_script(shown, text.to_vec(), &context.settings, |script| {
        (script::is_behind_halt(script, line, labels), script::set_up(script, line, &failing, labels))
    });
    match read {
        Some((true, _)) => {
            let message = format!("line {line} of `{shown}` is after a `halt`");
            Err(CliError::nothing_selected(
                message,
                vec!["records after a `halt` are not executed".to_owned()],
            ))
        }
        Some((false, set_up)) => Ok(set_up),
        None => Ok(None),
    }
}

/// Whether a record of this kind took its engine, its process or its time with it.
fn is_loss(kind: Option<&str>) -> bool {
    kind.is_some_and(|kind| ["timed_out", "process_died", "out_of_memory", "engine_lost"].contains(&kind))
}

/// The text that the file had in the run, as far as that can be context.
fn text_of_run<'t>(
    request: &ScriptRequest<'t>,
    context: &BisectContext<'_>,
    notes: &mut Vec<String>,
) -> Result<&'t [u8], CliError> {
    let (file, opened) = (request.file, &context.journal.opened);
    let shown = &file.shown;
    let hint = "run it again, and bisect what fails then".to_owned();
    let Some(text) = request.history.texts.current.as_deref() else {
        let message = format!("the text that `{shown}` had in run `{}` cannot be found", opened.run);
        return Err(CliError::usage(message, vec![hint]));
    };
    let is_there = |record: WantedRecord| request.history.texts.line(record.key) == Some(record.line);
    if !request.record.is_none_or(is_there) {
        let line = request.record.map_or(0, |record| record.line);
        let message =
            format!("`{shown}` has changed since run `{}`: line {line} is another record", opened.run);
        return Err(CliError::usage(message, vec![hint]));
    }
    if request.from_git {
        if read_text(opened, &file.file).is_some_and(|now| now.is_ok_and(|now| now != text)) {
            notes.push(format!("`{shown}` is another one now; the script has it as it was in the run"));
        }
    } else if opened.places.get(&file.file).is_some_and(|place| is_newer(place, opened.started)) {
        notes.push(format!("`{shown}` has been written since the run; the script has it as it is now"));
    }
    Ok(text)
}

fn is_newer(place: &Path, started: i64) -> bool {
    let written = std::fs::metadata(place).and_then(|file| file.modified()).ok();
    let since = written.and_then(|written| written.duration_since(std::time::UNIX_EPOCH).ok());
    since.is_some_and(|since| i64::try_from(since.as_millis()).is_ok_and(|written| written > started))
}

/// The lines of the records that fail in the run or at one of the ends, or that the run left out: they are no part of a
/// set-up that must succeed.
fn known_failing(request: &ScriptRequest<'_>, trace: &Trace<'_>) -> HashSet<u32> {
    let ends = match trace.origin {
        Origin::Between { good, bad, .. } | Origin::Mixed { good, bad } => vec![good, bad],
        Origin::NeverPassed { first: one } | Origin::Passes { last: one } => vec![one],
        Origin::Unknown => Vec::new(),
    };
    let keys = |run: &PastRun| -> Vec<RecordKey> {
        let file = run.files.iter().find(|file| file.file == request.file.file);
        file.into_iter().flat_map(|file| &file.failures).filter_map(|record| record.key).collect()
    };
    let lines = ends.iter().flat_map(|end| keys(end.run)).filter_map(|key| request.history.texts.line(key));
    let left_out = request.file.left_out.iter().map(|left_out| left_out.id.line);
    lines.chain(request.file.failures.iter().map(|record| record.id.line)).chain(left_out).collect()
}

/// The program that the build makes: what was named, or this one if it is in the working copy.
fn program_of(options: &ScriptOptions, repository: &Repository) -> Result<String, CliError> {
    if let Some(program) = &options.program {
        // Without a slash the shell would look elsewhere.
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
            Err(CliError::usage(message.to_owned(), vec![hint.to_owned()]))
        }
    }
}

/// The build step: what was named, or Cargo as far as the place of the program tells how.
fn build_of(options: &ScriptOptions, repository: &Repository, program: &str) -> Result<String, CliError> {
    if let Some(build) = &options.build {
        return Ok(build.clone());
    }
    if !repository.top.join("Cargo.toml").is_file() {
        let message = "no `Cargo.toml` at the top of the repository, and no build step named".to_owned();
        let hint =
            "--build names the command that builds a commit, for instance --build 'make slt'".to_owned();
        return Err(CliError::usage(message, vec![hint]));
    }
    Ok(cargo_build(program))
}

/// `target/release/examples/p` is made by `cargo build --release --examples`.
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

/// Whether a program in the working copy is left where it is before each build.
fn is_kept_as_it_is(repository: &Repository, program: &str) -> bool {
    !program.starts_with('/') && !repository.has_ignored(Path::new(program))
}

fn limit(options: &ScriptOptions, context: &BisectContext<'_>, file: &FileId) -> Duration {
    match options.timeout {
        Some(seconds) => Duration::from_secs(seconds),
        None => context.folder.as_deref().and_then(|folder| time_limit(folder, file)).unwrap_or(USUAL_LIMIT),
    }
}

/// Where the script is written, and the files beside it.
struct ScriptLocation {
    /// Nothing is standard output.
    script: Option<PathBuf>,
    files: PathBuf,
}

impl ScriptLocation {
    fn new(options: &ScriptOptions, repository: &Repository) -> Result<Self, CliError> {
        let own = repository.folder.join(FOLDER);
        let output = options.output.as_deref();
        let absolute = |path: &Path| {
            std::path::absolute(path).map_err(|error| CliError::io("write", &shown(path), &error))
        };
        Ok(match output {
            Some(path) if path == Path::new("-") => Self { script: None, files: own },
            Some(path) => {
                let script = absolute(path)?;
                let mut files = script.clone().into_os_string();
                files.push(".files");
                Self { script: Some(script), files: files.into() }
            }
            None => Self { script: Some(own.join("run.sh")), files: own },
        })
    }

    /// Keeps a text; the name of the file stays, since it may count for how the file is read.
    fn keep(&self, folder: &str, name: &std::ffi::OsStr, text: &[u8]) -> Result<PathBuf, CliError> {
        let folder = self.files.join(folder);
        std::fs::create_dir_all(&folder).map_err(|error| CliError::io("make", &shown(&folder), &error))?;
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
    // Whoever may read it may execute it.
    permissions.set_mode(permissions.mode() | (permissions.mode() & 0o444) >> 2);
    std::fs::set_permissions(path, permissions).map_err(failed)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Whether this is the top of the working copy, and what the script is called there.
fn from_here(repository: &Repository, script: &Path) -> (bool, String) {
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
    let at_top = here == repository.top;
    let whole = script.canonicalize().ok();
    let below = whole.as_deref().and_then(|script| script.strip_prefix(&repository.top).ok());
    let script = shown(below.filter(|_| at_top).unwrap_or(script));
    // A word without a slash would be looked for elsewhere.
    (at_top, if script.contains('/') { script } else { format!("./{script}") })
}

/// What to type next. Git wants it at the top.
fn steps(repository: &Repository, at_top: bool, script: &str, good: &End, bad: &End) -> Vec<String> {
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
