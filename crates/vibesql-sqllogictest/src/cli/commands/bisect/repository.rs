//! The Git repository that this process was started in: its commits, and the texts of files at them.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli::git::path_of;

/// A repository with a working copy.
#[derive(Debug)]
pub(super) struct Repository {
    /// The top of the working copy, without links.
    pub(super) top: PathBuf,
    /// Git's own folder for this working copy.
    pub(super) folder: PathBuf,
}

/// The name of a text, whatever it is called.
pub(super) type BlobId = String;

impl Repository {
    /// The repository of the working folder; nothing if there is none, or no Git.
    pub(super) fn at_hand() -> Option<Self> {
        let said = answer(Command::new("git").args(["rev-parse", "--show-toplevel"]))?;
        let top = path_of(&said).canonicalize().ok()?;
        let said = answer(Command::new("git").args(["rev-parse", "--absolute-git-dir"]))?;
        Some(Self { top, folder: path_of(&said).to_owned() })
    }

    fn git(&self) -> Command {
        let mut git = Command::new("git");
        // Not to wait for another Git, and not to write: only to look.
        git.env("GIT_OPTIONAL_LOCKS", "0").arg("-C").arg(&self.top);
        git
    }

    /// The hash of the commit that a word means.
    pub(super) fn commit(&self, word: &str) -> Option<String> {
        let revision = format!("{word}^{{commit}}");
        let words = ["rev-parse", "--verify", "--quiet", "--end-of-options", &revision];
        answer(self.git().args(words)).map(|said| String::from_utf8_lossy(&said).into_owned())
    }

    /// How old commits are compared with others, the oldest first: the places of those of `wanted` that are `tip` or come
    /// before it.
    pub(super) fn places(&self, tip: &str, wanted: &HashSet<&str>) -> HashMap<String, usize> {
        let mut places = HashMap::new();
        // The order that Git tests in: no commit in front of its parents.
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
        // Whoever has seen enough need not wait for the rest.
        drop(child.kill());
        drop(child.wait());
        places
    }

    /// Whether a commit is another, or comes before it.
    pub(super) fn is_before(&self, one: &str, other: &str) -> bool {
        let status = self.git().args(["merge-base", "--is-ancestor", one, other]).status();
        status.is_ok_and(|status| status.success())
    }

    /// How many commits a bisection has to choose from: those that `bad` has and `good` does not.
    pub(super) fn count(&self, good: &str, bad: &str) -> Option<u64> {
        let said = answer(self.git().args(["rev-list", "--count", bad, &format!("^{good}")]))?;
        String::from_utf8_lossy(&said).parse().ok()
    }

    /// The moment of a commit and its first line, for people.
    pub(super) fn brief(&self, commit: &str) -> Option<String> {
        let words = ["log", "-1", "--format=%cs %s", "--end-of-options", commit];
        answer(self.git().args(words)).map(|said| String::from_utf8_lossy(&said).into_owned())
    }

    /// Whether Git keeps a file of the working copy.
    pub(super) fn has_ignored(&self, path: &Path) -> bool {
        let status = self.git().args(["check-ignore", "--quiet", "--"]).arg(path).status();
        status.is_ok_and(|status| status.success())
    }

    /// Which texts a file had at commits, in their order; nothing where it was not there.
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
        // Answers that are not one for each question are no answers.
        if found.len() == commits.len() { found } else { vec![None; commits.len()] }
    }

    /// A text.
    pub(super) fn text(&self, blob: &str) -> Option<Vec<u8>> {
        let output = self.git().args(["cat-file", "blob", blob]).stderr(Stdio::null()).output().ok()?;
        output.status.success().then_some(output.stdout)
    }

    /// What Git answers to many questions.
    fn asked(&self, words: &[&str], questions: Vec<u8>) -> Option<Vec<u8>> {
        let mut git = self.git();
        let git = git.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = git.spawn().ok()?;
        let mut stdin = child.stdin.take()?;
        // Both pipes are small: who only writes waits for ever for one who only writes.
        let asking = std::thread::Builder::new().spawn(move || stdin.write_all(&questions)).ok()?;
        let mut said = Vec::new();
        let read = child.stdout.take()?.read_to_end(&mut said);
        let (asked, ended) = (asking.join(), child.wait());
        let whole = read.is_ok() && matches!(asked, Ok(Ok(()))) && ended.is_ok_and(|status| status.success());
        whole.then_some(said)
    }
}

/// What a command says, without the end of its line.
fn answer(command: &mut Command) -> Option<Vec<u8>> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let mut said = output.stdout;
    if said.last() == Some(&b'\n') {
        said.pop();
    }
    (output.status.success() && !said.is_empty()).then_some(said)
}
