//! Imports results of other programs: the files and dumps of VibeSQL's earlier scripts, JUnit reports, and the JSON
//! report of this program.
//!
//! Reading returns plain data and a list of warnings, and stores nothing. A file that is not understood is an error as a
//! whole. Such files have a status and a text for each test file: see [`FileReport::of_whole`]. Only the JSON
//! report has its records.

mod failures;
mod files;
mod json;
mod junit;
mod mended;
mod oddity;
mod punchlist;
mod report;
mod results;
mod sql;
mod status;

use std::time::Duration;

use self::files::ImportedFiles;
use super::circumstances::{Circumstances, Imported};
use super::digest;
use super::folder::ResultsFolder;
use super::folder_error::FolderError;
use super::journal::{Journal, Opened};
use super::portable::is_portable;
use crate::event::timings::RunTimings;
use slt_core::engine::EngineId;
use slt_core::location::FileId;
use slt_core::outcome::{FileAttempts, FileReport, FlakyResult, RunEnd, RunHeader, RunReport};

pub use oddity::ImportWarning;

/// The engine of results without an engine name.
pub const UNKNOWN_ENGINE: &str = "unknown";

/// Stands for a known time of 0 milliseconds, because 0 means an unknown time.
const SHORTEST: Duration = Duration::from_nanos(1);

/// Returns the duration of a file; it is 0 only if unknown.
fn known_time(milliseconds: Option<u64>) -> Duration {
    milliseconds.map_or(Duration::ZERO, |known| Duration::from_millis(known).max(SHORTEST))
}

/// The format of a file to import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFormat {
    /// The JSON report of this program, or the JSON files of VibeSQL's earlier scripts.
    Json,
    /// Their dumps in SQL.
    Sql,
    /// JUnit's XML.
    Junit,
}

/// A run of another program.
#[derive(Debug, Clone, PartialEq)]
pub struct ForeignRun {
    /// The start time, in milliseconds since 1970.
    pub started: i64,
    /// The duration; 0 if unknown.
    pub elapsed: Duration,
    /// The files, with different names.
    pub files: Vec<FileReport>,
    /// The expected number of files.
    pub wanted: usize,
    /// The names of known untested files.
    pub untested: Vec<String>,
    /// The properties of the whole run.
    pub origin: RunOrigin,
    /// The circumstances.
    pub circumstances: Circumstances,
    /// The MD5 of the content that it was made from: the imported file, or the rows of this run in a dump.
    pub digest: String,
}

/// The facts about a run in a document of this program.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunOrigin {
    /// The engine under test.
    pub engine: Option<EngineId>,
    /// The labels for conditions.
    pub labels: Vec<String>,
    /// Whether the reference runner's gaps are reproduced.
    pub exact: bool,
    /// The treatment of flaky files.
    pub flaky: FlakyResult,
    /// The end of the run.
    pub end: Option<RunEnd>,
}

impl ForeignRun {
    /// Creates a run of which only the files are known. `wanted` is the minimum number of files.
    fn from_files(text: &str, files: ImportedFiles, started: i64, wanted: u64) -> Self {
        let (files, untested) = files.into_parts();
        Self {
            started,
            elapsed: Duration::ZERO,
            wanted: usize::try_from(wanted).unwrap_or(usize::MAX).max(files.len() + untested.len()),
            files,
            untested,
            origin: RunOrigin::default(),
            circumstances: Circumstances::default(),
            digest: digest::of(text.as_bytes()),
        }
    }

    /// Builds the report, for the given engine or the recorded one.
    pub fn report(&self, engine: Option<&str>) -> RunReport {
        let RunOrigin { labels, exact, flaky, .. } = self.origin.clone();
        let engine = match (engine, &self.origin.engine) {
            (Some(name), Some(own)) if name != own.qualified_name() => EngineId::named(name),
            (_, Some(own)) => own.clone(),
            (name, None) => EngineId::named(name.unwrap_or(UNKNOWN_ENGINE)),
        };
        let header = RunHeader { engine, labels, exact, files: self.wanted, flaky };
        let complete = self.files.len() >= self.wanted;
        let end = if complete { RunEnd::Completed } else { RunEnd::Interrupted };
        let end = self.origin.end.unwrap_or(end);
        RunReport { header, files: self.files.clone(), elapsed: self.elapsed, end }
    }

    /// Builds the journal that the run would have if it were stored. `path` is the path of its file, and names the run.
    pub fn to_journal(&self, path: &str) -> Journal {
        Journal {
            opened: Opened { run: path.to_owned(), ..self.opened(path) },
            report: self.report(None),
            attempts: FileAttempts::new(),
            timings: RunTimings::default(),
            damaged: 0,
            ended: true,
        }
    }

    /// Returns the first entry of its journal; `from` is the name of its file.
    fn opened(&self, from: &str) -> Opened {
        let untested = self.untested.iter().map(FileId::from).collect();
        let imported = Imported { from: from.to_owned(), digest: self.digest.clone(), untested };
        Opened::from_import(self.started, imported, self.circumstances.clone())
    }
}

/// The result of reading a file.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportResult {
    /// The runs, in the order of the file.
    pub runs: Vec<ForeignRun>,
    /// Its warnings.
    pub oddities: Vec<ImportWarning>,
}

/// An error while importing a file.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is not text.
    #[error("line {line} is not UTF-8")]
    NotText {
        /// The line.
        line: usize,
    },
    /// The format is unknown.
    #[error("this is neither JSON nor XML nor a dump in SQL")]
    Unknown,
    /// It is a file of exported runs.
    #[error("this is a file of exported runs")]
    Portable,
    /// The file is not JSON, or not as expected.
    #[error("this is not the JSON of VibeSQL's scripts")]
    Json(#[source] serde_json::Error),
    /// It is a JSON report of another version of this program.
    #[error("this is a report of format {found}, and this program reads format {expected}")]
    Format {
        /// The found format.
        found: String,
        /// The format of this program.
        expected: u32,
    },
    /// A statement is wrong.
    #[error("line {line}: expected {expected}, found {found}")]
    Sql {
        /// The line.
        line: usize,
        /// The expected value.
        expected: &'static str,
        /// The found value.
        found: String,
    },
    /// The XML is invalid.
    #[error("line {line}, column {column}: {what}")]
    Xml {
        /// The line.
        line: usize,
        /// The column, in characters from 1.
        column: usize,
        /// The defect.
        what: String,
    },
    /// It has no results.
    #[error("no results in it: there is no {0}")]
    Nothing(&'static str),
    /// It has sums, but no files.
    #[error("this is {0}: it has sums, and does not say how any file ended")]
    Sums(&'static str),
}

/// Reads a file, and detects its format if it is not given.
///
/// `changed` is the modification time of the file, in milliseconds since 1970; it replaces a missing time of the run.
///
/// # Errors
///
/// [`ImportError`].
pub fn read(bytes: &[u8], format: Option<SourceFormat>, changed: i64) -> Result<ImportResult, ImportError> {
    if is_portable(bytes) {
        return Err(ImportError::Portable);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        ImportError::NotText { line: memchr::memchr_iter(b'\n', before).count() + 1 }
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match format.or_else(|| format_of(text)).ok_or(ImportError::Unknown)? {
        SourceFormat::Json => json::read(text, changed),
        SourceFormat::Sql => sql::read(text, changed),
        SourceFormat::Junit => junit::read(text, changed),
    }
}

/// | begins with | format |
/// |---|---|
/// | `{` | JSON |
/// | `<` | JUnit |
/// | a comment or a word of SQL | SQL |
fn format_of(text: &str) -> Option<SourceFormat> {
    const WORDS: [&str; 8] = ["insert", "create", "update", "begin", "pragma", "drop", "set", "replace"];
    let text = text.trim_start();
    match text.as_bytes().first()? {
        b'{' => Some(SourceFormat::Json),
        b'<' => Some(SourceFormat::Junit),
        _ if text.starts_with("--") || text.starts_with("/*") => Some(SourceFormat::Sql),
        _ => {
            let word: String = text.chars().take_while(char::is_ascii_alphabetic).collect();
            WORDS.contains(&word.to_ascii_lowercase().as_str()).then_some(SourceFormat::Sql)
        }
    }
}

/// The result of importing a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptRun {
    /// It was added under this name.
    New(String),
    /// It exists under this name.
    There(String),
}

/// Adds a run of another program, if it does not exist yet. `from` is the name of its file.
///
/// # Errors
///
/// [`FolderError`].
pub fn keep(
    results: &ResultsFolder,
    run: &ForeignRun,
    from: &str,
    engine: Option<&str>,
) -> Result<KeptRun, FolderError> {
    if let Some(name) = results.imported(&run.digest)? {
        return Ok(KeptRun::There(name));
    }
    results.keep(&run.opened(from), &run.report(engine)).map(KeptRun::New)
}
