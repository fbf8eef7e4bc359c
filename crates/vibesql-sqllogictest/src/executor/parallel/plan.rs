//! From what the user names to the files that are run.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use crate::outcome::RecordName;

/// One file to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkItem {
    /// The path below the root that was named, with `/` between its parts: the file's identity in reports.
    pub file: String,
    /// What messages call it; it can be typed again.
    pub shown: String,
    /// Where its text is.
    pub origin: Origin,
    /// The records that are not to be executed. A file that has some is run whole.
    pub left_out: Vec<RecordName>,
}

/// Where the text of a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// On disk.
    Disk(PathBuf),
    /// In this program.
    Embedded(&'static [u8]),
}

impl WorkItem {
    /// Returns the text of the file.
    ///
    /// # Errors
    ///
    /// Whatever the file system says.
    pub fn read(&self) -> io::Result<Cow<'static, [u8]>> {
        match &self.origin {
            Origin::Disk(path) => std::fs::read(path).map(Cow::Owned),
            Origin::Embedded(bytes) => Ok(Cow::Borrowed(bytes)),
        }
    }
}

/// Why what the user named leads to no files.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// There is nothing at the path.
    #[error("no such file or directory: `{0}`")]
    NotFound(String),
    /// The glob is none.
    #[error("`{pattern}` is no glob")]
    Glob {
        /// What was given.
        pattern: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// A directory or a glob without a single test file.
    #[error("no test file matches `{0}`")]
    NothingMatches(String),
    /// A directory that cannot be listed.
    #[error("cannot list `{path}`")]
    Unreadable {
        /// The path.
        path: String,
        /// Why not.
        source: walkdir::Error,
    },
}

/// Endings of test files, for directories and for globs whose last part names no ending.
const ENDINGS: &[&str] = &["test", "slt"];

fn has_test_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
}

/// Finds the files that `paths` name: files, directories (walked) and globs, in which `*` stays within one
/// folder and `**` does not. The files come in the order of their paths, each once.
///
/// # Errors
///
/// [`PlanError`] for the first path that leads to no file: nothing is left out silently.
pub fn discover(paths: &[String]) -> Result<Vec<WorkItem>, PlanError> {
    let mut items = Vec::new();
    let mut seen = HashSet::new();
    for path in paths {
        for item in files_of(path)? {
            if let Origin::Disk(place) = &item.origin
                && seen.insert(place.canonicalize().unwrap_or_else(|_| place.clone()))
            {
                items.push(item);
            }
        }
    }
    name_apart(&mut items);
    items.sort_by(|a, b| (&a.file, &a.shown).cmp(&(&b.file, &b.shown)));
    Ok(items)
}

/// Returns the item for one file on disk, which is not looked at.
pub fn file_of_path(path: &str) -> WorkItem {
    let name = Path::new(path).file_name().map_or_else(|| path.into(), |name| name.to_string_lossy());
    WorkItem {
        file: name.into_owned(),
        shown: path.to_owned(),
        origin: Origin::Disk(path.into()),
        left_out: Vec::new(),
    }
}

fn files_of(path: &str) -> Result<Vec<WorkItem>, PlanError> {
    let place = Path::new(path);
    if place.is_dir() {
        return walk(path, place, has_test_ending);
    }
    if place.exists() {
        return Ok(vec![file_of_path(path)]);
    }
    if !is_glob(path) {
        return Err(PlanError::NotFound(path.to_owned()));
    }
    let (root, matcher) = glob(path)?;
    if !root.is_dir() {
        return Err(PlanError::NothingMatches(path.to_owned()));
    }
    let names_ending = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
    walk(path, &root, |below| matcher.is_match(below) && (names_ending || has_test_ending(below)))
}

fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// Splits a glob into the folder in front of its first special part, and a matcher for what is below it.
fn glob(path: &str) -> Result<(PathBuf, GlobMatcher), PlanError> {
    let parts: Vec<&str> = path.split('/').collect();
    let special = parts.iter().position(|part| is_glob(part)).unwrap_or(0);
    let root = match parts[..special].join("/") {
        root if root.is_empty() && special > 0 => "/".to_owned(),
        root if root.is_empty() => ".".to_owned(),
        root => root,
    };
    let matcher = GlobBuilder::new(&parts[special..].join("/"))
        .literal_separator(true)
        .build()
        .map_err(|source| PlanError::Glob { pattern: path.to_owned(), source })?
        .compile_matcher();
    Ok((root.into(), matcher))
}

fn walk(named: &str, root: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<WorkItem>, PlanError> {
    let mut items = Vec::new();
    for entry in WalkDir::new(root).follow_links(true).sort_by_file_name() {
        let (path, is_file) = match &entry {
            Ok(entry) => (entry.path(), entry.file_type().is_file()),
            // A link to nothing is a file that cannot be read: that is for its report to say.
            Err(error) => (error.path().unwrap_or(root), error.path().is_some_and(Path::is_symlink)),
        };
        let Ok(below) = path.strip_prefix(root) else { continue };
        if is_file && wanted(below) {
            let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
            let shown = if root == Path::new(".") && named != "." { below } else { path };
            items.push(WorkItem {
                file: parts.join("/"),
                shown: shown.display().to_string(),
                origin: Origin::Disk(path.to_owned()),
                left_out: Vec::new(),
            });
        } else if let Err(source) = entry {
            let path = source.path().unwrap_or(root).display().to_string();
            return Err(PlanError::Unreadable { path, source });
        }
    }
    if items.is_empty() { Err(PlanError::NothingMatches(named.to_owned())) } else { Ok(items) }
}

/// Where files of several roots have one path below them, they go by their whole path.
fn name_apart(items: &mut [WorkItem]) {
    let mut uses = BTreeMap::<String, usize>::new();
    for item in items.iter() {
        *uses.entry(item.file.clone()).or_default() += 1;
    }
    for item in items.iter_mut() {
        if uses[&item.file] > 1 {
            item.file = item.shown.replace('\\', "/");
        }
    }
}
