//! Reads the state of Git repositories.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::CliError;
use super::results_location::place_of;
use slt_runner::parallel::{FileSource, WorkItem};
use slt_runner::results::Commit;

/// Selects the files that differ from the commit `reference` of their repository, and untracked files. Files may be in
/// several repositories, such as a suite that is a submodule. Shipped files and standard input are not selected.
pub(super) fn changed(items: Vec<WorkItem>, reference: &str) -> Result<Vec<WorkItem>, CliError> {
    let mut repositories = BTreeMap::<PathBuf, BTreeSet<PathBuf>>::new();
    let mut left = Vec::new();
    for item in items {
        if !matches!(item.source, FileSource::Disk(_)) {
            continue;
        }
        let place = place_of(&item);
        let Some(repository) = repository_of(&place) else {
            let message = format!("--changed: `{}` is not in a Git repository", item.shown);
            return Err(CliError::usage(message, "omit --changed, or name files of a repository"));
        };
        let differing = match repositories.entry(repository) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let differing = differing(new.key(), reference)?;
                new.insert(differing)
            }
        };
        if differing.contains(&place) {
            left.push(item);
        }
    }
    Ok(left)
}

/// Returns a Git command that neither waits for other Git processes nor writes.
pub(super) fn git() -> Command {
    let mut git = Command::new("git");
    git.env("GIT_OPTIONAL_LOCKS", "0");
    git
}

/// Runs a command, and returns its output without the final line break; `None` if it fails or prints nothing.
pub(super) fn answer(command: &mut Command) -> Option<Vec<u8>> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let mut text = output.stdout;
    text.pop_if(|last| *last == b'\n');
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// Returns the state of the repository of the working directory; `None` if there is none, or no Git.
pub(super) fn commit() -> Option<Commit> {
    let words = ["status", "--porcelain=v2", "--branch", "--untracked-files=no", "-z"];
    commit_of(&String::from_utf8_lossy(&answer(git().args(words))?))
}

/// Returns the commit of the repository of a file; `here` is that of the working directory.
pub(super) fn commit_above(place: &Path, here: Option<&Commit>) -> Option<String> {
    let repository = repository_of(place)?;
    // Starting Git takes longer than everything else that is recorded about a run.
    let of_here = || repository_of(&std::env::current_dir().ok()?.canonicalize().ok()?.join("file"));
    if let Some(here) = here.filter(|_| of_here().as_ref() == Some(&repository)) {
        return Some(here.hash.clone());
    }
    let hash = answer(git().arg("-C").arg(repository).args(["rev-parse", "--verify", "HEAD"]))?;
    Some(String::from_utf8_lossy(&hash).into_owned())
}

/// Reads the entries of `git status --porcelain=v2 --branch -z`.
fn commit_of(status: &str) -> Option<Commit> {
    let entries = || status.split('\0').filter(|entry| !entry.is_empty());
    let header = |name: &str| entries().find_map(|entry| entry.strip_prefix("# ")?.strip_prefix(name));
    // Before the first commit there is no hash.
    let hash = header("branch.oid ").filter(|hash| *hash != "(initial)")?.to_owned();
    let branch = header("branch.head ").filter(|branch| *branch != "(detached)").map(str::to_owned);
    let dirty = entries().any(|entry| !entry.starts_with('#'));
    Some(Commit { hash, branch, dirty })
}

/// Returns the nearest parent folder with `.git`, which is a file in submodules and linked working copies.
pub(super) fn repository_of(place: &Path) -> Option<PathBuf> {
    place.ancestors().skip(1).find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

fn differing(repository: &Path, reference: &str) -> Result<BTreeSet<PathBuf>, CliError> {
    let tracked = ["diff", "--name-only", "-z", "--end-of-options", reference, "--"];
    let untracked = ["ls-files", "--others", "--exclude-standard", "-z"];
    let mut files = names(repository, &tracked)?;
    files.extend(names(repository, &untracked)?);
    Ok(files)
}

/// Returns the paths that a Git command prints, each ended by NUL.
fn names(repository: &Path, words: &[&str]) -> Result<BTreeSet<PathBuf>, CliError> {
    let output = Command::new("git").arg("-C").arg(repository).args(words).output();
    let output = output.map_err(|error| CliError::io("run", "git", &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("nothing").trim().to_owned();
        let message = format!("--changed: Git fails in `{}`: {said}", repository.display());
        return Err(CliError::usage(message, "--changed requires a commit, a branch or a tag"));
    }
    let paths = output.stdout.split(|&byte| byte == 0).filter(|path| !path.is_empty());
    Ok(paths.map(|path| repository.join(path_of(path))).collect())
}

pub(super) fn path_of(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt as _;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_repository() {
        let check = |status: &str| commit_of(&status.replace('\n', "\0"));
        let commit = |branch: Option<&str>, dirty| {
            Some(Commit { hash: "4f1c".to_owned(), branch: branch.map(str::to_owned), dirty })
        };
        assert_eq!(check("# branch.oid 4f1c\n# branch.head main\n"), commit(Some("main"), false));
        let changed =
            "# branch.oid 4f1c\n# branch.head (detached)\n1 .M N... 100644 100644 100644 a b c.rs\n";
        assert_eq!(check(changed), commit(None, true));
        assert_eq!(check("# branch.oid (initial)\n# branch.head main\n"), None);
        assert_eq!(check(""), None);
    }
}
