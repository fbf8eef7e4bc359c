//! Which run a word means: a run by its name, a branch, a commit, or a file.

use std::collections::BTreeMap;

use super::circumstances::Commit;
use super::folder::{FolderError, ResultsFolder};
use super::journal::Opened;
use super::journal_file::journal_path;

/// A run, as far as the first line of its journal tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRun {
    /// Its name.
    pub name: String,
    /// The state of the project that it was made in, where that is known.
    pub commit: Option<Commit>,
}

/// The words for the last run.
const LAST: [&str; 2] = ["last", "latest"];
/// The word for the run before another one, on the same engine.
const PREVIOUS: &str = "previous";

/// What a word can mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// The last run.
    Last,
    /// The run before the last one, or before another that is known, on the same engine.
    Previous,
    /// The run with this name.
    Run(String),
    /// The runs of a branch of Git, the oldest first.
    Branch {
        /// The branch.
        name: String,
        /// The names of the runs.
        runs: Vec<String>,
    },
    /// The runs of a commit, the oldest first.
    Commit {
        /// Its hash.
        hash: String,
        /// The names of the runs.
        runs: Vec<String>,
    },
    /// The file with this path.
    File(String),
}

/// The least letters of a commit.
const LEAST: usize = 4;

/// Returns all that a word can mean, among the runs that are known. `is_file` tells whether there is a file with a
/// path.
///
/// | word | meaning |
/// |---|---|
/// | `last`, `latest` | the last run, and nothing else |
/// | `previous` | the run before another one, and nothing else |
/// | the name of a run | that run |
/// | the name of a branch on which runs were made | these runs |
/// | at least four letters with which the commit of a run begins | the runs of that commit, for each such commit |
/// | the path of a file | that file |
/// | `run:`, `branch:`, `commit:` or `file:`, and one of these | that alone |
pub fn meanings(word: &str, runs: &[KnownRun], is_file: impl Fn(&str) -> bool) -> Vec<Meaning> {
    if let Some(meaning) = Meaning::by_order(word) {
        return vec![meaning];
    }
    let (kind, word) = match word.split_once(':') {
        Some((kind @ ("run" | "branch" | "commit" | "file"), word)) => (Some(kind), word),
        _ => (None, word),
    };
    let wanted = |this: &str| kind.is_none_or(|kind| kind == this);
    let mut found = Vec::new();
    if wanted("run") && runs.iter().any(|run| run.name == word) {
        found.push(Meaning::Run(word.to_owned()));
    }
    if wanted("branch") {
        let of = |run: &&KnownRun| {
            run.commit.as_ref().is_some_and(|commit| commit.branch.as_deref() == Some(word))
        };
        let runs: Vec<_> = runs.iter().filter(of).map(|run| run.name.clone()).collect();
        if !runs.is_empty() {
            found.push(Meaning::Branch { name: word.to_owned(), runs });
        }
    }
    if wanted("commit") && word.len() >= LEAST && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let word = word.to_ascii_lowercase();
        let mut commits = BTreeMap::<&str, Vec<String>>::new();
        for run in runs {
            if let Some(commit) = run.commit.as_ref().filter(|commit| commit.hash.starts_with(&word)) {
                commits.entry(&commit.hash).or_default().push(run.name.clone());
            }
        }
        found.extend(commits.into_iter().map(|(hash, runs)| Meaning::Commit { hash: hash.to_owned(), runs }));
    }
    if wanted("file") && is_file(word) {
        found.push(Meaning::File(word.to_owned()));
    }
    found
}

impl Meaning {
    /// What a word means, if it is about the order of runs: then no run has to be known.
    pub fn by_order(word: &str) -> Option<Self> {
        match word {
            PREVIOUS => Some(Self::Previous),
            word => LAST.contains(&word).then_some(Self::Last),
        }
    }
}

impl ResultsFolder {
    /// All runs that have a journal of this version, the oldest first; only its first line is read.
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`] when the folder cannot be listed.
    pub fn known_runs(&self) -> Result<Vec<KnownRun>, FolderError> {
        let known = |name: String| {
            let opened = Opened::read(&journal_path(&self.runs_path().join(&name))).ok()??;
            let commit = opened.circumstances.and_then(|circumstances| circumstances.commit);
            Some(KnownRun { name, commit })
        };
        Ok(self.runs()?.into_iter().filter_map(known).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs() -> Vec<KnownRun> {
        let run = |name: &str, hash: &str, branch: Option<&str>| KnownRun {
            name: name.to_owned(),
            commit: Some(Commit { hash: hash.to_owned(), branch: branch.map(str::to_owned), dirty: false }),
        };
        vec![
            run("20260101-000000", "4f1c00", Some("main")),
            run("20260102-000000", "4f1c11", Some("fix")),
            run("20260103-000000", "4f1c11", Some("main")),
            run("20260104-000000", "beef22", Some("beef")),
            KnownRun { name: "20260105-000000".to_owned(), commit: None },
        ]
    }

    #[test]
    fn words_have_meanings() {
        let check = |word: &str| meanings(word, &runs(), |path| path == "main" || path == "old.json");
        let names = |runs: &[&str]| runs.iter().map(|run| format!("2026010{run}-000000")).collect::<Vec<_>>();
        assert_eq!([check("last"), check("latest")], [[Meaning::Last], [Meaning::Last]]);
        assert_eq!(check("previous"), [Meaning::Previous]);
        assert_eq!(check("branch:last"), []);
        assert_eq!(check("20260105-000000"), [Meaning::Run("20260105-000000".to_owned())]);
        assert_eq!(check("old.json"), [Meaning::File("old.json".to_owned())]);
        let commit = |hash: &str, of: &[&str]| Meaning::Commit { hash: hash.to_owned(), runs: names(of) };
        let branch = |name: &str, of: &[&str]| Meaning::Branch { name: name.to_owned(), runs: names(of) };
        assert_eq!(check("4F1C1"), [commit("4f1c11", &["2", "3"])]);
        assert_eq!(check("4f1c"), [commit("4f1c00", &["1"]), commit("4f1c11", &["2", "3"])], "ambiguous");
        assert_eq!(check("4f1"), [], "too short");
        assert_eq!(check("beef"), [branch("beef", &["4"]), commit("beef22", &["4"])]);
        assert_eq!(check("commit:beef"), [commit("beef22", &["4"])]);
        assert_eq!(check("main"), [branch("main", &["1", "3"]), Meaning::File("main".to_owned())]);
        assert_eq!(check("branch:main"), [branch("main", &["1", "3"])]);
        assert_eq!(check("run:main"), []);
        assert_eq!(check("file:main"), [Meaning::File("main".to_owned())]);
    }
}
