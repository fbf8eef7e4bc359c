//! Which files differ from a commit, as Git says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::CliError;
use super::keeping::place_of;
use crate::executor::parallel::{Origin, WorkItem};

/// Leaves the files that differ from the commit `reference` of their repository, or that Git does not know. Files may
/// be in several repositories, such as a suite that is a submodule; shipped files never change.
pub(super) fn changed(items: Vec<WorkItem>, reference: &str) -> Result<Vec<WorkItem>, CliError> {
    let mut repositories = BTreeMap::<PathBuf, BTreeSet<PathBuf>>::new();
    let mut left = Vec::new();
    for item in items {
        if matches!(item.origin, Origin::Embedded(_)) {
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

/// The folder above with `.git` in it, which is a file in submodules and further working copies.
fn repository_of(place: &Path) -> Option<PathBuf> {
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

fn path_of(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt as _;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}
