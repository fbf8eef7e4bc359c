//! Finds the suite that a file belongs to, and with it the identity of the file.
//!
//! The root of a suite is the nearest directory at or above the file that identifies the suite:
//!
//! | directory | the suite is | identity |
//! |---|---|---|
//! | has a configuration file with a name for the suite | that name | the name, and the path below the directory |
//! | is a checkout, whose `origin` is on another host | `HOST/PATH` of the origin | this name, and the path below the checkout |
//! | is a checkout, whose `origin` is a local repository | the same as that repository | the same |
//! | is any other checkout | without a name | the path that the file has in the main checkout |
//! | none | without a name | the path of the file |
//!
//! A name that the caller gives replaces all of these. Its root is the outermost checkout, else the outermost directory with
//! a configuration file, else the directory that all arguments have in common.
//!
//! Paths are canonical, so it makes no difference how a file was named, or through which link to a directory. Everything
//! that is read is in files of the suite and of Git; the `git` program is not needed. Each directory is looked at once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::checkout::{self, CheckedOutRepository};
use slt_core::location::file_id::SuiteName;
use slt_core::location::{FileId, path_text};

/// The configuration of a suite in its root directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SuiteConfig {
    /// It has no configuration file.
    Missing,
    /// It has a configuration file without a name for the suite.
    Unnamed,
    /// Its configuration file names the suite.
    Named(SuiteName),
}

/// Reads the configuration file of a directory.
type ReadConfig<'r> = Box<dyn Fn(&Path) -> Result<SuiteConfig, String> + 'r>;

/// Finds and caches the suites of files.
pub struct SuiteResolver<'r> {
    /// The name that the caller gives.
    name: Option<SuiteName>,
    read: ReadConfig<'r>,
    roots: HashMap<PathBuf, Rc<SuiteRoot>>,
    /// The roots of the suite that the caller names, by directory.
    outermost: HashMap<PathBuf, Option<PathBuf>>,
}

/// The suite of the files of a directory.
#[derive(Debug, Clone)]
struct SuiteRoot {
    identity: RootIdentity,
    /// The nearest directory with a configuration file, at or below the root.
    config: Option<PathBuf>,
}

#[derive(Debug, Clone)]
enum RootIdentity {
    Named {
        name: String,
        root: PathBuf,
    },
    /// The checkout, and the directory that stands for it: its own, or that of the main checkout.
    Checkout {
        root: PathBuf,
        main: PathBuf,
    },
    None,
}

/// The directories of the path arguments.
#[derive(Debug, Clone)]
pub(super) struct ArgumentDirectories {
    /// The common parent directory.
    common: PathBuf,
}

impl ArgumentDirectories {
    /// Takes canonical paths.
    pub(super) fn new<'p>(mut directories: impl Iterator<Item = &'p Path>) -> Self {
        let mut common = directories.next().unwrap_or(Path::new("/"));
        for directory in directories {
            while !directory.starts_with(common) {
                common = common.parent().unwrap_or(Path::new("/"));
            }
        }
        Self { common: common.to_owned() }
    }
}

/// Names of directories with suites, in lower case. Below a checkout they are not part of the paths in reports.
const SUITE_DIRECTORIES: &[&str] = &[
    "test",
    "tests",
    "testdata",
    "test_files",
    "slt",
    "logictest",
    "logic_test",
    "sqllogictest",
    "sqllogictests",
    "suite",
    "suites",
];

impl<'r> SuiteResolver<'r> {
    /// Creates a resolver that reads configuration files by `read`. A `name` applies to all files.
    pub fn new(name: Option<SuiteName>, read: impl Fn(&Path) -> Result<SuiteConfig, String> + 'r) -> Self {
        Self { name, read: Box::new(read), roots: HashMap::new(), outermost: HashMap::new() }
    }

    /// Creates a resolver for programs without configuration files.
    pub fn without_configuration() -> Self {
        Self::new(None, |_| Ok(SuiteConfig::Missing))
    }

    /// Returns the root of the suite that the files of a directory belong to, if one of the directories at or above it, a
    /// canonical path, is one.
    ///
    /// # Errors
    ///
    /// Returns what is wrong in a configuration file.
    pub fn root(&mut self, directory: &Path) -> Result<Option<PathBuf>, String> {
        Ok(match &self.root_of(directory)?.identity {
            RootIdentity::Named { root, .. } | RootIdentity::Checkout { root, .. } => Some(root.clone()),
            RootIdentity::None => None,
        })
    }

    /// Returns the identity of the file with this canonical path, which was found below `argument`.
    pub(super) fn identify(
        &mut self,
        file: &Path,
        argument: &Path,
        arguments: &ArgumentDirectories,
    ) -> Result<FileId, String> {
        let folder = file.parent().unwrap_or(Path::new("/"));
        let found = self.root_of(folder)?;
        let config = found.config.as_deref();
        let outermost = if self.name.is_some() { self.outermost_root(folder)? } else { None };
        let (identity, start) = match (&self.name, &found.identity) {
            (Some(name), _) => match &outermost {
                Some(root) => (
                    FileId::in_suite(name.as_str(), &below(file, root)),
                    Some(config.filter(|config| config.starts_with(root)).unwrap_or(root)),
                ),
                None => {
                    let root = [arguments.common.as_path(), argument, folder];
                    let root = root.into_iter().find(|root| file.starts_with(root)).unwrap_or(folder);
                    return Ok(FileId::in_suite(name.as_str(), &below(file, root)));
                }
            },
            (None, RootIdentity::Named { name, root }) => {
                (FileId::in_suite(name, &below(file, root)), Some(config.unwrap_or(root)))
            }
            (None, RootIdentity::Checkout { root, main }) => {
                let place = main.join(file.strip_prefix(root).unwrap_or(file));
                (FileId::at(&path_text::of(&place), &path_text::of(main)), Some(config.unwrap_or(root)))
            }
            (None, RootIdentity::None) => {
                let start =
                    config.or_else(|| file.starts_with(argument).then_some(argument)).unwrap_or(folder);
                let identity = FileId::at(&path_text::of(file), &path_text::of(start));
                (identity, config)
            }
        };
        Ok(match start {
            Some(start) => identity.shown_as(below_suite_directory(&below(file, start))),
            None => identity,
        })
    }

    /// Returns the root of the suite whose name the caller gives: the outermost checkout, else the outermost directory with
    /// a configuration file. Each file below it has the same, so that no two have one path.
    fn outermost_root(&mut self, folder: &Path) -> Result<Option<PathBuf>, String> {
        if let Some(known) = self.outermost.get(folder) {
            return Ok(known.clone());
        }
        let mut root = folder.ancestors().filter(|above| checkout::find(above).is_some()).last();
        if root.is_none() {
            for above in folder.ancestors() {
                if (self.read)(above)? != SuiteConfig::Missing {
                    root = Some(above);
                }
            }
        }
        let root = root.map(Path::to_owned);
        self.outermost.insert(folder.to_owned(), root.clone());
        Ok(root)
    }

    fn root_of(&mut self, folder: &Path) -> Result<Rc<SuiteRoot>, String> {
        if let Some(known) = self.roots.get(folder) {
            return Ok(known.clone());
        }
        let config = (self.read)(folder)?;
        let here = (config != SuiteConfig::Missing).then(|| folder.to_owned());
        let root = if let SuiteConfig::Named(name) = config {
            let identity = RootIdentity::Named { name: name.as_str().to_owned(), root: folder.to_owned() };
            Rc::new(SuiteRoot { identity, config: here })
        } else if let Some(repository) = checkout::find(folder) {
            let root = folder.to_owned();
            let identity = match repository {
                CheckedOutRepository::Named(name) => RootIdentity::Named { name, root },
                CheckedOutRepository::At(main) => RootIdentity::Checkout { root, main },
            };
            Rc::new(SuiteRoot { identity, config: here })
        } else {
            let above = match folder.parent() {
                Some(parent) => self.root_of(parent)?,
                None => Rc::new(SuiteRoot { identity: RootIdentity::None, config: None }),
            };
            match here {
                Some(_) => Rc::new(SuiteRoot { identity: above.identity.clone(), config: here }),
                None => above,
            }
        };
        self.roots.insert(folder.to_owned(), root.clone());
        Ok(root)
    }
}

fn below(file: &Path, root: &Path) -> String {
    path_text::of(file.strip_prefix(root).unwrap_or(file))
}

/// Returns the path below the first sequence of suite directories; the whole path if it has no such directories.
fn below_suite_directory(path: &str) -> &str {
    let is_suite_directory =
        |name: &str| SUITE_DIRECTORIES.iter().any(|known| name.eq_ignore_ascii_case(known));
    let (mut rest, mut below) = (path, None);
    while let Some((name, after)) = rest.split_once('/') {
        match is_suite_directory(name) {
            true => below = Some(after),
            false if below.is_some() => break,
            false => {}
        }
        rest = after;
    }
    below.unwrap_or(path)
}

/// Makes the displayed paths of a run unique: equal ones become the path below the root of the suite, below the common
/// directory, or the whole key.
pub fn tell_apart(ids: &mut [&mut FileId]) {
    for step in [to_root, to_common_directory, to_key] {
        let mut uses = HashMap::<String, Vec<usize>>::new();
        for (place, id) in ids.iter().enumerate() {
            uses.entry(id.path().to_owned()).or_default().push(place);
        }
        if uses.len() == ids.len() {
            return;
        }
        for places in uses.into_values().filter(|places| places.len() > 1) {
            let alike: Vec<FileId> = places.iter().map(|&place| ids[place].clone()).collect();
            for (&place, id) in places.iter().zip(step(&alike)) {
                *ids[place] = id;
            }
        }
    }
}

fn to_root(alike: &[FileId]) -> Vec<FileId> {
    let shown = |id: &FileId| match id.suite() {
        Some(_) => id.shown_apart_as(id.path_in_suite()),
        None => id.clone(),
    };
    alike.iter().map(shown).collect()
}

fn to_common_directory(alike: &[FileId]) -> Vec<FileId> {
    let is_absolute = |id: &&FileId| id.key().starts_with('/');
    // The directories that their paths are below.
    let folder = |id: &FileId| id.key().strip_suffix(id.path()).unwrap_or_default().to_owned();
    let folders: Vec<String> = alike.iter().filter(is_absolute).map(folder).collect();
    let common = ArgumentDirectories::new(folders.iter().map(Path::new)).common;
    let below = |id: &FileId| Path::new(id.key()).strip_prefix(&common).ok()?.to_str().map(str::to_owned);
    let shown = |id: &FileId| below(id).map_or_else(|| id.clone(), |path| id.shown_apart_as(&path));
    alike.iter().map(shown).collect()
}

fn to_key(alike: &[FileId]) -> Vec<FileId> {
    alike.iter().map(FileId::shown_whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_that_hold_suites() {
        for (path, below) in [
            ("a.test", "a.test"),
            ("index/a.test", "index/a.test"),
            ("tests/index/a.test", "index/a.test"),
            ("third_party/sqllogictest/test/index/a.test", "index/a.test"),
            ("crates/x/tests/slt/a.slt", "a.slt"),
            ("test/sql/test/a.test", "sql/test/a.test"),
            ("Tests/a.test", "a.test"),
            ("test", "test"),
        ] {
            assert_eq!(below_suite_directory(path), below);
        }
    }

    #[test]
    fn files_of_a_run_are_told_apart() {
        let check = |ids: &[FileId], expected: &[&str]| {
            let mut ids = ids.to_vec();
            tell_apart(&mut ids.iter_mut().collect::<Vec<_>>());
            assert_eq!(ids.iter().map(FileId::path).collect::<Vec<_>>(), expected);
        };
        let at = |path: &str, directory: &str| FileId::at(path, directory);
        check(&[at("/s/a/x", "/s/a"), at("/s/b/x", "/s/b"), at("/s/b/y", "/s/b")], &["a/x", "b/x", "y"]);
        check(&[at("/a/x", "/a"), at("/b/x", "/b")], &["a/x", "b/x"]);
        let named = |name: &str, path: &str| FileId::in_suite(name, path).shown_as("x");
        check(&[named("s", "a/x"), named("s", "b/x")], &["a/x", "b/x"]);
        check(&[named("s", "a/x"), named("t", "a/x")], &["s:a/x", "t:a/x"]);
        check(&[named("s", "a/x"), at("/b/x", "/b")], &["a/x", "x"]);
        // Never below the directory that the paths were below.
        check(&[at("/s/a/a/x", "/s"), at("/s/a/a/a/x", "/s/a")], &["a/a/x", "a/a/a/x"]);
    }
}
