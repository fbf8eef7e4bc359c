//! Resolves the paths on the command line to the files of the run.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fs::FileType;
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use slt_core::location::path_text;
use slt_core::outcome::RecordName;

/// One file to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkItem {
    /// The path below the named root, with `/` between its parts: the file's identity in reports.
    pub file: String,
    /// The displayed path, which the user can type again.
    pub shown: String,
    /// The location of its text.
    pub source: FileSource,
    /// Records to leave out. A file with any is not split into slices.
    pub left_out: Vec<RecordName>,
}

/// The location of a file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileSource {
    /// A file on disk.
    Disk(PathBuf),
    /// Text embedded in this program.
    Embedded(&'static [u8]),
    /// Text of a pipe or standard input, which can be read only once.
    Stream(Arc<[u8]>),
}

impl WorkItem {
    /// Returns the text of the file.
    ///
    /// # Errors
    ///
    /// Returns the error of the file system.
    pub fn read(&self) -> io::Result<Cow<'static, [u8]>> {
        match &self.source {
            FileSource::Disk(path) => {
                // Opening a FIFO blocks until its other end is opened, and a device may never end.
                match kind_of_special(path.metadata()?.file_type()) {
                    Some(kind) if path != Path::new("/dev/null") => {
                        Err(io::Error::other(format!("it is a {kind}, not a file")))
                    }
                    _ => std::fs::read(path).map(Cow::Owned),
                }
            }
            FileSource::Embedded(bytes) => Ok(Cow::Borrowed(bytes)),
            FileSource::Stream(bytes) => Ok(Cow::Owned(bytes.to_vec())),
        }
    }
}

/// A reason why the named paths select no files.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The path does not exist.
    #[error("no such file or directory: `{0}`")]
    NotFound(String),
    /// The path exists and cannot be reached, for instance because of a dangling symbolic link.
    #[error("cannot read `{path}`{}", if *is_link { ", a symbolic link" } else { "" })]
    Unreachable {
        /// The path.
        path: String,
        /// Whether it is a symbolic link.
        is_link: bool,
        /// The cause.
        source: io::Error,
    },
    /// The glob is invalid.
    #[error("`{pattern}` is not a valid glob")]
    InvalidGlob {
        /// The pattern as given.
        pattern: String,
        /// The cause.
        source: globset::Error,
    },
    /// A directory or a glob without a test file.
    #[error("no test file matches `{0}`")]
    NothingMatches(String),
    /// The directory cannot be listed.
    #[error("cannot list `{path}`")]
    Unreadable {
        /// The path.
        path: String,
        /// The cause.
        source: walkdir::Error,
    },
}

/// A skipped path below a directory that may be, or may contain, a test file.
#[derive(Debug, thiserror::Error)]
pub enum SkippedPath {
    /// A dangling symbolic link.
    #[error("skipped `{0}`: a symbolic link to something that is not there")]
    DanglingLink(String),
    /// A symbolic link to a directory that contains it.
    #[error("skipped `{0}`: a symbolic link that leads back to itself")]
    Loop(String),
    /// A FIFO, a socket or a device with the name of a test file.
    #[error("skipped `{path}`: it is a {kind}, not a file")]
    Special {
        /// The path.
        path: String,
        /// The kind of file.
        kind: &'static str,
    },
    /// A directory that cannot be listed, or another unreachable path.
    #[error("skipped `{path}`, with all that is in it: {source}")]
    Unreadable {
        /// The path.
        path: String,
        /// The cause.
        source: io::Error,
    },
}

/// Extensions of test files, for directories and for globs without an extension.
const ENDINGS: &[&str] = &["test", "slt"];

/// Returns whether the path has the extension of a test file.
pub fn has_test_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
}

/// Names the kind of a special file, which cannot be read as a regular one.
fn kind_of_special(kind: FileType) -> Option<&'static str> {
    let kinds = [
        (kind.is_fifo(), "FIFO"),
        (kind.is_socket(), "socket"),
        (kind.is_char_device() || kind.is_block_device(), "device"),
    ];
    kinds.into_iter().find(|(is, _)| *is).map(|(_, name)| name)
}

/// Finds the files that `paths` name: files, directories (walked) and globs.
///
/// In a glob, `*` stays within one folder and `**` does not. The files come in the order of their paths, each once.
/// `skipped` is called for each path that cannot be run; a glob reports only paths that it may match.
///
/// # Errors
///
/// [`PlanError`] for the first path without a file: no path is ignored silently.
pub fn discover(paths: &[String], skipped: &mut dyn FnMut(SkippedPath)) -> Result<Vec<WorkItem>, PlanError> {
    let mut items = Vec::new();
    let mut seen = HashSet::new();
    for path in paths {
        for item in files_of(path, skipped)? {
            if let FileSource::Disk(place) = &item.source
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

/// Returns the item for one file on disk, without reading it.
pub fn file_of_path(path: &Path) -> WorkItem {
    let name = path.file_name().map_or(path, Path::new);
    WorkItem {
        file: path_text::of(name),
        shown: path_text::of(path),
        source: FileSource::Disk(path.to_owned()),
        left_out: Vec::new(),
    }
}

fn files_of(word: &str, skipped: &mut dyn FnMut(SkippedPath)) -> Result<Vec<WorkItem>, PlanError> {
    let place = path_text::typed(word);
    match place.metadata() {
        Ok(found) if found.is_dir() => {
            let search = FileSearch { root: place, wanted: &has_test_ending, may_hold: &|_| true };
            search.run(word, skipped)
        }
        Ok(_) => Ok(vec![file_of_path(&place)]),
        Err(_) if is_glob(word) && place.symlink_metadata().is_err() => {
            let glob = SplitGlob::new(word)?;
            if !glob.root.is_dir() {
                return Err(PlanError::NothingMatches(word.to_owned()));
            }
            let names_ending = word.rsplit('/').next().is_some_and(|last| last.contains('.'));
            let wanted =
                |below: &Path| glob.matcher.is_match(below) && (names_ending || has_test_ending(below));
            let may_hold = |below: &Path| glob.may_hold(below);
            FileSearch { root: glob.root.clone(), wanted: &wanted, may_hold: &may_hold }.run(word, skipped)
        }
        Err(source) => match place.symlink_metadata() {
            Err(_) if source.kind() == io::ErrorKind::NotFound => Err(PlanError::NotFound(word.to_owned())),
            found => {
                let is_link = found.is_ok_and(|found| found.is_symlink());
                Err(PlanError::Unreachable { path: word.to_owned(), is_link, source })
            }
        },
    }
}

fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// A glob, split into its root and its patterns.
struct SplitGlob {
    /// The folder before its first special part.
    root: PathBuf,
    /// Matches paths below the root.
    matcher: GlobMatcher,
    /// Match folders below the root that may contain files, one for each depth.
    folders: Vec<GlobMatcher>,
    /// Whether deeper folders may contain files as well.
    is_deep: bool,
}

impl SplitGlob {
    fn new(path: &str) -> Result<Self, PlanError> {
        let parts: Vec<&str> = path.split('/').collect();
        let special = parts.iter().position(|part| is_glob(part)).unwrap_or(0);
        let root = match parts[..special].join("/") {
            root if root.is_empty() && special > 0 => "/".to_owned(),
            root if root.is_empty() => ".".to_owned(),
            root => root,
        };
        let matcher = |glob: &str| GlobBuilder::new(glob).literal_separator(true).build();
        let below = &parts[special..];
        let whole = matcher(&below.join("/"))
            .map_err(|source| PlanError::InvalidGlob { pattern: path.to_owned(), source })?;
        // After `**`, and after braces with a `/`, any folder may contain files.
        let folders_named = &below[..below.len() - 1];
        let folders = (1..=folders_named.len())
            .take_while(|&depth| !folders_named[depth - 1].contains("**"))
            .map_while(|depth| matcher(&folders_named[..depth].join("/")).ok());
        let folders: Vec<_> = folders.map(|glob| glob.compile_matcher()).collect();
        let is_deep = folders.len() < folders_named.len() || below.iter().any(|part| part.contains("**"));
        Ok(Self { root: path_text::typed(&root), matcher: whole.compile_matcher(), folders, is_deep })
    }

    /// Returns whether this folder below the root may contain matching files.
    fn may_hold(&self, below: &Path) -> bool {
        let depth = below.components().count();
        let folder = depth.checked_sub(1).and_then(|above| self.folders.get(above));
        folder.map_or(depth == 0 || self.is_deep, |folder| folder.is_match(below))
    }
}

/// A search for files below a folder.
struct FileSearch<'s> {
    root: PathBuf,
    /// Whether a file below the root is wanted, by its path.
    wanted: &'s dyn Fn(&Path) -> bool,
    /// Whether a folder below the root may contain wanted files.
    may_hold: &'s dyn Fn(&Path) -> bool,
}

impl FileSearch<'_> {
    fn run(&self, named: &str, skipped: &mut dyn FnMut(SkippedPath)) -> Result<Vec<WorkItem>, PlanError> {
        let mut items = Vec::new();
        let walk = WalkDir::new(&self.root).follow_links(true).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|entry| !entry.file_type().is_dir() || self.enters(entry.path())) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => {
                    let path = entry.path();
                    let below = self.below(path);
                    if !(self.wanted)(below) {
                        continue;
                    }
                    match kind_of_special(entry.file_type()) {
                        Some(kind) => skipped(SkippedPath::Special { path: self.shown(path, named), kind }),
                        None => items.push(WorkItem {
                            file: path_text::of(below),
                            shown: self.shown(path, named),
                            source: FileSource::Disk(path.to_owned()),
                            left_out: Vec::new(),
                        }),
                    }
                }
                Err(source) if source.depth() == 0 => {
                    return Err(PlanError::Unreadable { path: named.to_owned(), source });
                }
                Err(error) => self.tell(error, named, skipped),
            }
        }
        if items.is_empty() { Err(PlanError::NothingMatches(named.to_owned())) } else { Ok(items) }
    }

    fn enters(&self, folder: &Path) -> bool {
        (self.may_hold)(self.below(folder))
    }

    fn below<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    /// Returns the displayed form of a path.
    fn shown(&self, path: &Path, named: &str) -> String {
        let is_here = self.root == Path::new(".") && named != ".";
        path_text::of(if is_here { self.below(path) } else { path })
    }

    /// Reports an unsearchable path, if wanted files may be below it.
    fn tell(&self, error: walkdir::Error, named: &str, skipped: &mut dyn FnMut(SkippedPath)) {
        let place = error.path().unwrap_or(&self.root).to_owned();
        if !self.enters(&place) && !(self.wanted)(self.below(&place)) {
            return;
        }
        let path = self.shown(&place, named);
        let is_loop = error.loop_ancestor().is_some();
        let source = error.into_io_error().unwrap_or_else(|| io::Error::other("unknown"));
        skipped(match source.kind() {
            _ if is_loop => SkippedPath::Loop(path),
            io::ErrorKind::NotFound if place.is_symlink() => SkippedPath::DanglingLink(path),
            _ if is_circular(&source) => SkippedPath::Loop(path),
            _ => SkippedPath::Unreadable { path, source },
        });
    }
}

/// Returns whether the system detected a cycle of symbolic links.
fn is_circular(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// Uses whole paths as identities where several roots contain the same relative path.
fn name_apart(items: &mut [WorkItem]) {
    let mut uses = BTreeMap::<String, usize>::new();
    for item in items.iter() {
        *uses.entry(item.file.clone()).or_default() += 1;
    }
    for item in items.iter_mut() {
        if uses[&item.file] > 1 {
            item.file.clone_from(&item.shown);
        }
    }
}
