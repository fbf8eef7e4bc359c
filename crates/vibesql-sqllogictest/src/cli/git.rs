//! Which files differ from a commit, as Git says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::CliError;
use super::results_location::place_of;
use slt_runner::parallel::{FileSource, WorkItem};
use slt_runner::results::Commit;

/// Leaves the files that differ from the commit `reference` of their repository, or that Git does not know. Files may
/// be in several repositories, such as a suite that is a submodule; shipped files never change, and of standard input Git knows nothing.
pub(super) fn changed(items: Vec<WorkItem>, reference: &str) -> Result<Vec<WorkItem>, CliError> {
    let mut repositories = BTreeMap::<PathBuf, BTreeSet<PathBuf>>::new();
    let mut left = Vec::new();
    for item in items {
        if !matches!(item.source, FileSource::Disk(_)) {
            continue;
        }
        let place = place_of(&item);
        let Some(repository) = repository_of(&place) else {
            let message = format!("--changed: `{}` is in no Git repository", item.shown);
            return Err(CliError::usage(
                message,
                vec!["leave --changed out, or name files of a repository".to_owned()],
            ));
        };
        let differing = match repositories.get(&repository) {
            Some(differing) => differing,
            None => {
                let differing = differing(&repository, reference)?;
                repositories.entry(repository).or_insert(differing)
            }
        };
        if differing.contains(&place) {
            left.push(item);
        }
    }
    Ok(left)
}

/// The state of the repository that this process was started in; nothing if there is none, or no Git.
pub(super) fn commit() -> Option<Commit> {
    let words = ["status", "--porcelain=v2", "--branch", "--untracked-files=no", "-z"];
    // Not to wait for another Git, and not to write: only to look.
    let output = Command::new("git").env("GIT_OPTIONAL_LOCKS", "0").args(words).output().ok()?;
    if output.status.success() { commit_of(&String::from_utf8_lossy(&output.stdout)) } else { None }
}

/// The commit of the repository that a file is in, whichever folder one is in; `here` is that of the current folder.
pub(super) fn commit_above(place: &Path, here: Option<&Commit>) -> Option<String> {
    let repository = repository_of(place)?;
    // To start Git takes longer than all else that is found out about a run.
    let of_here = || repository_of(&std::env::current_dir().ok()?.canonicalize().ok()?.join("file"));
    if let Some(here) = here.filter(|_| of_here().as_ref() == Some(&repository)) {
        return Some(here.hash.clone());
    }
    let output =
        Command::new("git").arg("-C").arg(repository).args(["rev-parse", "--verify", "HEAD"]).output();
    let output = output.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
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

/// The folder above with `.git` in it, which is a file in submodules and further working copies.
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

/// The paths that a Git command prints, each ended by NUL.
fn names(repository: &Path, words: &[&str]) -> Result<BTreeSet<PathBuf>, CliError> {
    let output = Command::new("git").arg("-C").arg(repository).args(words).output();
    let output = output.map_err(|error| CliError::io("run", "git", &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("nothing").trim().to_owned();
        let message = format!("--changed: git says in `{}`: {said}", repository.display());
        return Err(CliError::usage(message, vec!["--changed wants a commit, a branch or a tag".to_owned()]));
    }
    let paths = output.stdout.split(|&byte| byte == 0).filter(|path| !path.is_empty());
    Ok(paths.map(|path| repository.join(path_of(path))).collect())
}

/// Returns a path that Git prints.
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
