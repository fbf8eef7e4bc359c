//! The files that are watched: tests, what they include, and the programs of the engine.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use walkdir::WalkDir;

use super::changes::{FileStamps, KnownFiles, WatchedState};
use crate::cli::error::CliError;
use crate::cli::settings::NewRun;
use crate::cli::suite;
use slt_core::executor::{Permissions, Settings};
use slt_core::location::{Source, path_text, text_of};
use slt_core::parser::{self, IncludeError, IncludeFinder, SourceTree};
use slt_runner::clock;
use slt_runner::parallel::{SuiteHost, file_of_path, has_test_ending};
use slt_runner::text::count::plural;

/// What is looked at again and again.
pub(super) struct WatchedSources {
    /// Directories with test files.
    directories: BTreeSet<PathBuf>,
    /// Files that are named; they may be deleted and written again.
    files: BTreeSet<PathBuf>,
    /// The programs and scripts of the engine.
    pub(super) engines: Vec<PathBuf>,
    /// The duration of the last look.
    took: Cell<Duration>,
}

impl WatchedSources {
    /// Finds what to watch for the arguments of a run by `program`.
    pub(super) fn new(new: &NewRun, program: &Path) -> Result<Self, CliError> {
        let (mut directories, mut files) = (BTreeSet::new(), BTreeSet::new());
        for word in new.selection.paths.iter().filter(|word| !word.starts_with(suite::PREFIX)) {
            let path = path_text::typed(word);
            if word == "-" || path.exists() && !path.is_dir() && !path.is_file() {
                let message = format!("cannot watch `{word}`, which can be read only once");
                return Err(CliError::usage(message, "write it to a file"));
            }
            if path.is_file() {
                files.insert(absolute(&path));
            } else {
                directories.insert(absolute(&directory_of(&path)));
            }
        }
        let mut engines = vec![program.to_owned()];
        engines.extend(driver_files(&new.setup.settings.engine));
        Ok(Self { directories, files, engines, took: Cell::default() })
    }

    /// Describes what is watched.
    pub(super) fn describe(&self, known: &KnownFiles) -> String {
        let names: Vec<_> = self.engines.iter().filter_map(|path| path.file_name()).collect();
        let names: Vec<_> = names.iter().map(|name| path_text::of(Path::new(name))).collect();
        format!("{} and {}", plural(known.count() as u64, "file"), names.join(", "))
    }

    /// Looks at all files.
    pub(super) fn look(&self, known: &KnownFiles) -> FileStamps {
        let start = clock::now();
        let found = self.directories.iter().flat_map(|directory| {
            let entries = WalkDir::new(directory).follow_links(true).into_iter().filter_map(Result::ok);
            entries.map(walkdir::DirEntry::into_path).filter(|path| has_test_ending(path))
        });
        let paths: BTreeSet<_> =
            found.chain(known.paths().chain(&self.files).chain(&self.engines).cloned()).collect();
        let stamps = paths.into_iter().map(|path| (path.clone(), state_of(&path))).collect();
        self.took.set(clock::now().saturating_sub(start));
        FileStamps(stamps)
    }

    /// Returns the duration of the last look.
    pub(super) fn look_time(&self) -> Duration {
        self.took.get()
    }

    /// Whether all programs of the engine are there; a linker removes one before it writes the next.
    pub(super) fn is_complete(&self) -> bool {
        self.engines.iter().all(|engine| engine.is_file())
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Returns a directory itself, and for a glob the directory in front of its first special character.
fn directory_of(path: &Path) -> PathBuf {
    let is_plain =
        |part: &std::path::Component<'_>| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']);
    if path.is_dir() {
        return path.to_owned();
    }
    let plain: PathBuf = path.components().take_while(is_plain).collect();
    if plain.as_os_str().is_empty() { PathBuf::from(".") } else { plain }
}

fn state_of(path: &Path) -> Option<WatchedState> {
    let file = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some(WatchedState { length: file.len(), written: file.modified().ok(), number: file.ino() })
}

/// Returns the files that the command of an external engine names: its program, if it has a path, and its scripts.
fn driver_files(engine: &str) -> Vec<PathBuf> {
    let Some(command) = engine.strip_prefix("exec:") else { return Vec::new() };
    let words = command.split_whitespace().map(|word| word.trim_matches(['\'', '"']));
    words.map(Path::new).filter(|path| path.is_file()).map(absolute).collect()
}

/// Returns the files that a test file includes, directly or through others.
pub(super) fn included_files(path: &Path, dialect: Option<&str>, settings: &Settings) -> BTreeSet<PathBuf> {
    let item = file_of_path(path);
    let Ok(bytes) = item.read() else { return BTreeSet::new() };
    let source = Source::new(item.shown.as_str(), bytes);
    let Ok(chosen) = parser::choose(&source, settings.dialect_of(dialect), settings.exact) else {
        return BTreeSet::new();
    };
    // A file that may not be included is watched as well.
    let permissions = Permissions { outside: true, ..settings.permissions };
    let host = SuiteHost::new(&item, permissions, chosen.profile.includes);
    let finder = RecordingFinder { host, found: RefCell::default() };
    SourceTree::load(source, chosen.profile, &finder);
    finder.found.into_inner()
}

/// Takes note of the files that are found.
struct RecordingFinder {
    host: SuiteHost,
    found: RefCell<BTreeSet<PathBuf>>,
}

impl IncludeFinder for RecordingFinder {
    fn find(&self, from: &Source, pattern: &[u8]) -> Result<Vec<Source>, IncludeError> {
        let found = self.host.find(from, pattern);
        let mut watched = self.found.borrow_mut();
        match &found {
            Ok(found) if !found.is_empty() => {
                watched.extend(found.iter().map(|source| absolute(&path_text::path(source.name()))));
            }
            // It may be written later.
            _ if !pattern.iter().any(|byte| b"*?[{".contains(byte)) => {
                let from = path_text::path(from.name());
                let folder = from.parent().unwrap_or(Path::new(""));
                watched.insert(absolute(&folder.join(path_text::path(&text_of(pattern)))));
            }
            _ => {}
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_of_a_glob() {
        for (glob, directory) in [("*.test", "."), ("a/b/**/*.slt", "a/b"), ("a/b[12]/c.test", "a")] {
            assert_eq!(directory_of(Path::new(glob)), Path::new(directory), "{glob}");
        }
    }
}
