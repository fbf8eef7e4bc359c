//! What has changed, and what must run again because of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::sources::included_files;
use crate::cli::watched::WatchedFile;
use slt_core::executor::Settings;
use slt_core::location::path_text;

/// The attributes of files that change with them. A file that is not there has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FileStamps(pub(super) BTreeMap<PathBuf, Option<WatchedState>>);

/// The attributes of one file. An editor that replaces a file changes its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WatchedState {
    pub(super) length: u64,
    pub(super) written: Option<SystemTime>,
    pub(super) number: u64,
}

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rerun {
    /// All files, for the first time.
    First,
    /// All files, those first that have failed.
    All,
    /// These files.
    Files(Vec<PathBuf>),
}

/// What follows from changes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WatchDecision {
    pub(super) rerun: Option<Rerun>,
    /// The changes that matter, each as a word and a path.
    pub(super) causes: Vec<(&'static str, String)>,
}

/// The files of the last runs.
#[derive(Debug, Default)]
pub(super) struct KnownFiles {
    files: BTreeMap<PathBuf, KnownFile>,
    /// Files in the directories of the suite that the arguments do not select.
    left_out: BTreeSet<PathBuf>,
}

#[derive(Debug, Clone)]
struct KnownFile {
    dialect: Option<String>,
    is_good: bool,
    /// The files that it includes; unknown after a change.
    included: Option<BTreeSet<PathBuf>>,
}

impl FileStamps {
    /// Returns the paths that differ.
    pub(super) fn changes(&self, now: &Self) -> BTreeSet<PathBuf> {
        let paths = self.0.keys().chain(now.0.keys());
        paths.filter(|path| self.state(path) != now.state(path)).cloned().collect()
    }

    fn state(&self, path: &Path) -> Option<WatchedState> {
        self.0.get(path).copied().flatten()
    }

    /// Adds the files that were not watched before. One that was written after `started` counts as changed.
    pub(super) fn add_missing(&mut self, now: &Self, started: SystemTime) {
        for (path, state) in &now.0 {
            let is_old = |state: &WatchedState| state.written.is_some_and(|written| written < started);
            self.0.entry(path.clone()).or_insert_with(|| state.filter(is_old));
        }
    }
}

impl KnownFiles {
    /// Takes the files of a run. A complete one has all files.
    pub(super) fn learn(&mut self, files: Vec<WatchedFile>, rerun: &Rerun) {
        if !matches!(rerun, Rerun::Files(_)) {
            self.files.clear();
        }
        for file in files {
            // A file without a result is run first next time.
            let is_good = file.is_good.unwrap_or(false);
            let known = KnownFile { dialect: file.dialect, is_good, included: None };
            self.files.insert(path_text::path(&file.path), known);
        }
    }

    /// Takes note of files that the arguments do not select.
    pub(super) fn leave_out(&mut self, files: &[PathBuf]) {
        self.left_out.extend(files.iter().filter(|file| !self.files.contains_key(*file)).cloned());
    }

    /// Finds the files that test files include, where that is unknown.
    pub(super) fn read_includes(&mut self, settings: &Settings) {
        for (path, file) in self.files.iter_mut().filter(|(_, file)| file.included.is_none()) {
            file.included = Some(included_files(path, file.dialect.as_deref(), settings));
        }
    }

    /// Returns the test files that have not passed.
    pub(super) fn failing(&self) -> Vec<PathBuf> {
        self.files.iter().filter(|(_, file)| !file.is_good).map(|(path, _)| path.clone()).collect()
    }

    /// Returns the number of test files.
    pub(super) fn count(&self) -> usize {
        self.files.len()
    }

    /// Returns the test files and the files that they include.
    pub(super) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        let included = self.files.values().filter_map(|file| file.included.as_ref()).flatten();
        self.files.keys().chain(included)
    }

    /// Decides what runs again.
    ///
    /// | changed | runs again |
    /// |---|---|
    /// | a program of the engine | all files, those first that have failed |
    /// | a test file, or a new one | the file |
    /// | an included file | the files that include it |
    /// | a deleted file | nothing, or the files that include it |
    pub(super) fn rerun(&mut self, changes: &BTreeSet<PathBuf>, engines: &[PathBuf]) -> WatchDecision {
        let mut files = BTreeSet::new();
        let mut causes = Vec::new();
        let mut is_all = false;
        for path in changes {
            let is_there = path.is_file();
            let includes = |file: &KnownFile| file.included.as_ref().is_some_and(|set| set.contains(path));
            let including =
                self.files.iter().filter(|(_, file)| includes(file)).map(|(path, _)| path.clone());
            let including: Vec<_> = including.collect();
            let is_known = self.files.contains_key(path);
            if engines.contains(path) {
                is_all = true;
            } else if including.is_empty() && !is_known && (!is_there || self.left_out.contains(path)) {
                continue;
            }
            let how = match (is_there, is_known || !including.is_empty() || engines.contains(path)) {
                (false, _) => "deleted",
                (true, true) => "changed",
                (true, false) => "new",
            };
            causes.push((how, shown(path)));
            if !engines.contains(path) && is_there && including.is_empty() {
                files.insert(path.clone());
            }
            files.extend(including);
            match self.files.get_mut(path) {
                Some(file) if is_there => {
                    file.included = None;
                    files.insert(path.clone());
                }
                Some(_) => drop(self.files.remove(path)),
                None => {}
            }
        }
        let rerun = match (is_all, files.is_empty()) {
            (true, _) => Some(Rerun::All),
            (false, false) => Some(Rerun::Files(files.into_iter().collect())),
            (false, true) => None,
        };
        WatchDecision { rerun, causes }
    }
}

/// Returns a path as the user types it: below the working directory, relative to it.
fn shown(path: &Path) -> String {
    let folder = std::env::current_dir().unwrap_or_default();
    path_text::of(path.strip_prefix(folder).unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(folder: &Path) -> KnownFiles {
        let file = |name: &str, is_good| {
            let path = path_text::of(&folder.join(name));
            WatchedFile { path, dialect: None, is_good }
        };
        let mut known = KnownFiles::default();
        let files = vec![file("a", Some(true)), file("b", Some(false)), file("c", None)];
        known.learn(files, &Rerun::First);
        for (path, file) in &mut known.files {
            let is_including = path.ends_with("a") || path.ends_with("b");
            file.included = Some(is_including.then(|| folder.join("part")).into_iter().collect());
        }
        known
    }

    #[test]
    fn what_runs_again() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for name in ["a", "b", "c", "part", "engine", "new", "other"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let engines = [folder.join("engine")];
        let paths = |names: &[&str]| names.iter().map(|name| folder.join(name)).collect::<Vec<_>>();
        let files = |names: &[&str]| Some(Rerun::Files(paths(names)));
        for (changed, expected, words) in [
            (&["a"][..], files(&["a"]), &["changed"][..]),
            (&["a", "c"], files(&["a", "c"]), &["changed", "changed"]),
            (&["part"], files(&["a", "b"]), &["changed"]),
            (&["new"], files(&["new"]), &["new"]),
            (&["gone"], None, &[]),
            (&["other"], None, &[]),
            (&["engine", "a"], Some(Rerun::All), &["changed", "changed"]),
        ] {
            let mut known = known(folder);
            known.leave_out(&paths(&["other", "a"]));
            let decision = known.rerun(&paths(changed).into_iter().collect(), &engines);
            let found: Vec<_> = decision.causes.iter().map(|(how, _)| *how).collect();
            assert_eq!((decision.rerun, found.as_slice()), (expected, words), "{changed:?}");
        }
        let mut known = known(folder);
        assert_eq!(known.failing(), paths(&["b", "c"]));
        std::fs::remove_file(folder.join("b")).unwrap();
        let decision = known.rerun(&paths(&["b"]).into_iter().collect(), &engines);
        assert_eq!((decision.rerun, decision.causes[0].0), (None, "deleted"));
        assert_eq!(known.failing(), paths(&["c"]));
    }

    #[test]
    fn a_file_that_is_watched_later_has_changed_if_it_was_written_since() {
        let started = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(100);
        let at = |seconds: u64| {
            let written = Some(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds));
            Some(WatchedState { length: 1, written, number: 1 })
        };
        let now = FileStamps([("old".into(), at(99)), ("new".into(), at(101)), ("none".into(), None)].into());
        let mut stamps = FileStamps::default();
        stamps.add_missing(&now, started);
        assert_eq!(stamps.changes(&now), BTreeSet::from([PathBuf::from("new")]));
    }
}
