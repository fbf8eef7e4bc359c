//! References to runs: by name, branch, commit, file, or place in the order of runs.

use std::collections::BTreeMap;
use std::fmt;

use super::circumstances::Commit;
use super::folder::ResultsFolder;
use super::folder_error::FolderError;
use super::journal::Opened;
use super::journal_file::journal_path;

/// A run, as described by the first line of its journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRun {
    /// Its name.
    pub name: String,
    /// The commit that it was made at, if that is known.
    pub commit: Option<Commit>,
}

/// The names of the last run.
const LAST: [&str; 2] = ["last", "latest"];
/// The name of the run before another one, on the same engine.
const PREVIOUS: &str = "previous";

/// The target of a reference to runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunRef {
    /// The last run.
    Last,
    /// The run before the last one, or before a given one, on the same engine.
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

/// The minimum length of an abbreviated commit.
const MIN_ABBREVIATION: usize = 4;

/// Returns everything that a name can refer to among these runs. `is_file` returns whether a file with this path exists.
///
/// | name | refers to |
/// |---|---|
/// | `last`, `latest` | only the last run |
/// | `previous` | only the run before another one |
/// | the name of a run | that run |
/// | a branch that runs were made on | these runs |
/// | a prefix of the commit of a run, of at least four digits | the runs of that commit, for each such commit |
/// | the path of a file | that file |
/// | one of these with the prefix `run:`, `branch:`, `commit:` or `file:` | only that |
pub fn run_refs(word: &str, runs: &[KnownRun], is_file: impl Fn(&str) -> bool) -> Vec<RunRef> {
    if let Some(run_ref) = RunRef::by_order(word) {
        return vec![run_ref];
    }
    let (kind, word) = match word.split_once(':') {
        Some((kind @ ("run" | "branch" | "commit" | "file"), word)) => (Some(kind), word),
        _ => (None, word),
    };
    let wanted = |this: &str| kind.is_none_or(|kind| kind == this);
    let mut found = Vec::new();
    if wanted("run") && runs.iter().any(|run| run.name == word) {
        found.push(RunRef::Run(word.to_owned()));
    }
    if wanted("branch") {
        let of = |run: &&KnownRun| {
            run.commit.as_ref().is_some_and(|commit| commit.branch.as_deref() == Some(word))
        };
        let runs: Vec<_> = runs.iter().filter(of).map(|run| run.name.clone()).collect();
        if !runs.is_empty() {
            found.push(RunRef::Branch { name: word.to_owned(), runs });
        }
    }
    if wanted("commit") && word.len() >= MIN_ABBREVIATION && word.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        let word = word.to_ascii_lowercase();
        let mut commits = BTreeMap::<&str, Vec<String>>::new();
        for run in runs {
            if let Some(commit) = run.commit.as_ref().filter(|commit| commit.hash.starts_with(&word)) {
                commits.entry(&commit.hash).or_default().push(run.name.clone());
            }
        }
        found.extend(commits.into_iter().map(|(hash, runs)| RunRef::Commit { hash: hash.to_owned(), runs }));
    }
    if wanted("file") && is_file(word) {
        found.push(RunRef::File(word.to_owned()));
    }
    found
}

impl fmt::Display for RunRef {
    /// Writes the name that refers to this and to nothing else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last => f.write_str(LAST[0]),
            Self::Previous => f.write_str(PREVIOUS),
            Self::Run(name) => write!(f, "run:{name}"),
            Self::Branch { name, .. } => write!(f, "branch:{name}"),
            Self::Commit { hash, .. } => write!(f, "commit:{hash}"),
            Self::File(path) => write!(f, "file:{path}"),
        }
    }
}

impl RunRef {
    /// Parses a name that refers to the order of runs, which needs no list of runs.
    pub fn by_order(word: &str) -> Option<Self> {
        match word {
            PREVIOUS => Some(Self::Previous),
            word => LAST.contains(&word).then_some(Self::Last),
        }
    }
}

impl ResultsFolder {
    /// Returns all runs with a journal of this version, the oldest first, by the first line of their journals.
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
    fn names_refer_to_runs() {
        let check = |word: &str| run_refs(word, &runs(), |path| path == "main" || path == "old.json");
        let names = |runs: &[&str]| runs.iter().map(|run| format!("2026010{run}-000000")).collect::<Vec<_>>();
        assert_eq!([check("last"), check("latest")], [[RunRef::Last], [RunRef::Last]]);
        assert_eq!(check("previous"), [RunRef::Previous]);
        assert_eq!(check("branch:last"), []);
        assert_eq!(check("20260105-000000"), [RunRef::Run("20260105-000000".to_owned())]);
        assert_eq!(check("old.json"), [RunRef::File("old.json".to_owned())]);
        let commit = |hash: &str, of: &[&str]| RunRef::Commit { hash: hash.to_owned(), runs: names(of) };
        let branch = |name: &str, of: &[&str]| RunRef::Branch { name: name.to_owned(), runs: names(of) };
        assert_eq!(check("4F1C1"), [commit("4f1c11", &["2", "3"])]);
        assert_eq!(check("4f1c"), [commit("4f1c00", &["1"]), commit("4f1c11", &["2", "3"])], "ambiguous");
        assert_eq!(check("4f1"), [], "too short");
        assert_eq!(check("beef"), [branch("beef", &["4"]), commit("beef22", &["4"])]);
        assert_eq!(check("commit:beef"), [commit("beef22", &["4"])]);
        assert_eq!(check("main"), [branch("main", &["1", "3"]), RunRef::File("main".to_owned())]);
        assert_eq!(check("branch:main"), [branch("main", &["1", "3"])]);
        assert_eq!(check("run:main"), []);
        assert_eq!(check("file:main"), [RunRef::File("main".to_owned())]);
    }
}
