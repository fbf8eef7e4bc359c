//! The Git repository of the working directory: its commits, and the texts of files at them.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli::git::{answer, git, path_of};

/// A repository with a working copy.
#[derive(Debug)]
pub(super) struct GitRepository {
    /// The top of the working copy, without links.
    pub(super) top: PathBuf,
    /// Git's own folder for this working copy.
    pub(super) folder: PathBuf,
}

/// The identifier of a text in Git.
pub(super) type BlobId = String;

impl GitRepository {
    /// Returns the repository of the working directory; `None` if there is none, or no Git.
    pub(super) fn find() -> Option<Self> {
        let top = answer(git().args(["rev-parse", "--show-toplevel"]))?;
        let top = path_of(&top).canonicalize().ok()?;
        let folder = answer(git().args(["rev-parse", "--absolute-git-dir"]))?;
        Some(Self { top, folder: path_of(&folder).to_owned() })
    }

    fn git(&self) -> Command {
        let mut git = git();
        git.arg("-C").arg(&self.top);
        git
    }

    /// Returns the hash of the commit that a word refers to.
    pub(super) fn commit(&self, word: &str) -> Option<String> {
        let revision = format!("{word}^{{commit}}");
        let words = ["rev-parse", "--verify", "--quiet", "--end-of-options", &revision];
        answer(self.git().args(words)).map(|said| String::from_utf8_lossy(&said).into_owned())
    }

    /// Returns the positions of those commits of `wanted` that are `tip` or its ancestors, where older commits have lower
    /// positions.
    pub(super) fn places(&self, tip: &str, wanted: &HashSet<&str>) -> HashMap<String, usize> {
        let mut places = HashMap::new();
        // The order of `git bisect`: no commit before its children.
        let words = ["rev-list", "--topo-order", tip];
        let child = self.git().args(words).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let Ok(mut child) = child else { return places };
        let lines = child.stdout.take().map(|out| BufReader::new(out).lines());
        for (place, line) in lines.into_iter().flatten().map_while(Result::ok).enumerate() {
            if wanted.contains(line.as_str()) {
                places.insert(line, usize::MAX - place);
            }
            if places.len() == wanted.len() {
                break;
            }
        }
        // The rest of the list is not needed.
        drop(child.kill());
        drop(child.wait());
        places
    }

    /// Whether a commit is another one, or its ancestor.
    pub(super) fn is_before(&self, one: &str, other: &str) -> bool {
        let status = self.git().args(["merge-base", "--is-ancestor", one, other]).status();
        status.is_ok_and(|status| status.success())
    }

    /// Returns the number of commits that `bad` contains and `good` does not.
    pub(super) fn count(&self, good: &str, bad: &str) -> Option<u64> {
        let said = answer(self.git().args(["rev-list", "--count", bad, &format!("^{good}")]))?;
        String::from_utf8_lossy(&said).parse().ok()
    }

    /// Returns the date of a commit and the first line of its message.
    pub(super) fn brief(&self, commit: &str) -> Option<String> {
        let words = ["log", "-1", "--format=%cs %s", "--end-of-options", commit];
        answer(self.git().args(words)).map(|said| String::from_utf8_lossy(&said).into_owned())
    }

    /// Whether Git ignores a file of the working copy.
    pub(super) fn has_ignored(&self, path: &Path) -> bool {
        let status = self.git().args(["check-ignore", "--quiet", "--"]).arg(path).status();
        status.is_ok_and(|status| status.success())
    }

    /// Returns the texts of a file at commits, in their order; `None` where it did not exist.
    pub(super) fn blobs(&self, commits: &[&str], path: &Path) -> Vec<Option<BlobId>> {
        use std::os::unix::ffi::OsStrExt as _;
        let path = path.as_os_str().as_bytes();
        if path.contains(&b'\n') {
            return vec![None; commits.len()];
        }
        let mut asked = Vec::new();
        for commit in commits {
            asked.extend_from_slice(commit.as_bytes());
            asked.push(b':');
            asked.extend_from_slice(path);
            asked.push(b'\n');
        }
        let format = "--batch-check=%(objecttype) %(objectname)";
        let said = self.asked(&["cat-file", format], asked).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let blob = |line: &str| line.strip_prefix("blob ").map(str::to_owned);
        let found: Vec<_> = said.lines().map(blob).collect();
        // Without one answer for each commit, they cannot be matched.
        if found.len() == commits.len() { found } else { vec![None; commits.len()] }
    }

    /// Returns the content of a text.
    pub(super) fn text(&self, blob: &str) -> Option<Vec<u8>> {
        let output = self.git().args(["cat-file", "blob", blob]).stderr(Stdio::null()).output().ok()?;
        output.status.success().then_some(output.stdout)
    }

    /// Returns the answers of Git to many questions.
    fn asked(&self, words: &[&str], questions: Vec<u8>) -> Option<Vec<u8>> {
        let mut git = self.git();
        let git = git.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = git.spawn().ok()?;
        let mut stdin = child.stdin.take()?;
        // Git stops reading when the pipe of its answers is full, so another thread writes the questions.
        let asking = std::thread::Builder::new().spawn(move || stdin.write_all(&questions)).ok()?;
        let mut said = Vec::new();
        let read = child.stdout.take()?.read_to_end(&mut said);
        let (asked, ended) = (asking.join(), child.wait());
        let whole = read.is_ok() && matches!(asked, Ok(Ok(()))) && ended.is_ok_and(|status| status.success());
        whole.then_some(said)
    }
}
