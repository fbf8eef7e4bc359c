//! Resolves the paths that the user names to the files that are run.

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
    /// It came from a pipe or from standard input, which can be read only once.
    Stream(Arc<[u8]>),
}

impl WorkItem {
    /// Returns the text of the file.
    ///
    /// # Errors
    ///
    /// Whatever the file system says.
    pub fn read(&self) -> io::Result<Cow<'static, [u8]>> {
        match &self.origin {
            Origin::Disk(path) => {
                // To open a FIFO waits for its other end, and a device may never come to an end.
                match kind_of_special(path.metadata()?.file_type()) {
                    Some(kind) if path != Path::new("/dev/null") => {
                        Err(io::Error::other(format!("it is a {kind}, not a file")))
                    }
                    _ => std::fs::read(path).map(Cow::Owned),
                }
            }
            Origin::Embedded(bytes) => Ok(Cow::Borrowed(bytes)),
            Origin::Stream(bytes) => Ok(Cow::Owned(bytes.to_vec())),
        }
    }
}

/// Why the named paths select no files.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// There is nothing at the path.
    #[error("no such file or directory: `{0}`")]
    NotFound(String),
    /// There is something at the path, and it cannot be reached: a dangling symbolic link, for instance.
    #[error("cannot read `{path}`{}", if *is_link { ", a symbolic link" } else { "" })]
    Unreachable {
        /// The path.
        path: String,
        /// Whether it is a symbolic link.
        is_link: bool,
        /// Why not.
        source: io::Error,
    },
    /// The glob is invalid.
    #[error("`{pattern}` is not a valid glob")]
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

/// Something below a directory that is not run, though it may be a test file or hold some.
#[derive(Debug, thiserror::Error)]
pub enum SkippedPath {
    /// A symbolic link to nothing.
    #[error("skipped `{0}`: a symbolic link to something that is not there")]
    DanglingLink(String),
    /// A symbolic link to a directory that it is in.
    #[error("skipped `{0}`: a symbolic link that leads back to itself")]
    Loop(String),
    /// A FIFO, a socket or a device with the name of a test file.
    #[error("skipped `{path}`: it is a {kind}, not a file")]
    Special {
        /// The path.
        path: String,
        /// What it is.
        kind: &'static str,
    },
    /// A directory that cannot be listed, or anything else that cannot be reached.
    #[error("skipped `{path}`, with all that is in it: {source}")]
    Unreadable {
        /// The path.
        path: String,
        /// Why not.
        source: io::Error,
    },
}

/// Endings of test files, for directories and for globs whose last part names no ending.
const ENDINGS: &[&str] = &["test", "slt"];

/// Whether a file is taken for a test file below a directory.
pub fn has_test_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
}

/// What a file is that cannot be read like one.
fn kind_of_special(kind: FileType) -> Option<&'static str> {
    let kinds = [
        (kind.is_fifo(), "FIFO"),
        (kind.is_socket(), "socket"),
        (kind.is_char_device() || kind.is_block_device(), "device"),
    ];
    kinds.into_iter().find(|(is, _)| *is).map(|(_, name)| name)
}

/// Finds the files that `paths` name: files, directories (walked) and globs, in which `*` stays within one
/// folder and `**` does not. The files come in the order of their paths, each once. `skipped` is called for what is met
/// on the way and cannot be run; a glob looks at nothing that it cannot match.
///
/// # Errors
///
/// [`PlanError`] for the first path that leads to no file: nothing is left out silently.
pub fn discover(paths: &[String], skipped: &mut dyn FnMut(SkippedPath)) -> Result<Vec<WorkItem>, PlanError> {
    let mut items = Vec::new();
    let mut seen = HashSet::new();
    for path in paths {
        for item in files_of(path, skipped)? {
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
pub fn file_of_path(path: &Path) -> WorkItem {
    let name = path.file_name().map_or(path, Path::new);
    WorkItem {
        file: path_text::of(name),
        shown: path_text::of(path),
        origin: Origin::Disk(path.to_owned()),
        left_out: Vec::new(),
    }
}

fn files_of(word: &str, skipped: &mut dyn FnMut(SkippedPath)) -> Result<Vec<WorkItem>, PlanError> {
    let place = path_text::typed(word);
    match place.metadata() {
        Ok(found) if found.is_dir() => {
            let search = Search { root: place, wanted: &has_test_ending, may_hold: &|_| true };
            search.run(word, skipped)
        }
        Ok(_) => Ok(vec![file_of_path(&place)]),
        Err(_) if is_glob(word) && place.symlink_metadata().is_err() => {
            let glob = Glob::new(word)?;
            if !glob.root.is_dir() {
                return Err(PlanError::NothingMatches(word.to_owned()));
            }
            let names_ending = word.rsplit('/').next().is_some_and(|last| last.contains('.'));
            let wanted =
                |below: &Path| glob.matcher.is_match(below) && (names_ending || has_test_ending(below));
            let may_hold = |below: &Path| glob.may_hold(below);
            Search { root: glob.root.clone(), wanted: &wanted, may_hold: &may_hold }.run(word, skipped)
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

/// A glob, taken apart.
struct Glob {
    /// The folder in front of its first special part.
    root: PathBuf,
    /// Matches what is below the root.
    matcher: GlobMatcher,
    /// Match folders below the root that may hold files, one for each depth.
    folders: Vec<GlobMatcher>,
    /// Whether folders further below may hold files as well.
    is_deep: bool,
}

impl Glob {
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
            .map_err(|source| PlanError::Glob { pattern: path.to_owned(), source })?;
        // From `**` on, and where braces hold a `/`, any folder may hold files.
        let folders_named = &below[..below.len() - 1];
        let folders = (1..=folders_named.len())
            .take_while(|&depth| !folders_named[depth - 1].contains("**"))
            .map_while(|depth| matcher(&folders_named[..depth].join("/")).ok());
        let folders: Vec<_> = folders.map(|glob| glob.compile_matcher()).collect();
        let is_deep = folders.len() < folders_named.len() || below.iter().any(|part| part.contains("**"));
        Ok(Self { root: path_text::typed(&root), matcher: whole.compile_matcher(), folders, is_deep })
    }

    /// Whether files that match can be in this folder below the root.
    fn may_hold(&self, below: &Path) -> bool {
        let depth = below.components().count();
        let folder = depth.checked_sub(1).and_then(|above| self.folders.get(above));
        folder.map_or(depth == 0 || self.is_deep, |folder| folder.is_match(below))
    }
}

/// A search for files below a folder.
struct Search<'s> {
    root: PathBuf,
    /// Whether a file below the root is wanted, going by its path.
    wanted: &'s dyn Fn(&Path) -> bool,
    /// Whether a folder below the root may hold files that are.
    may_hold: &'s dyn Fn(&Path) -> bool,
}

impl Search<'_> {
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
                            origin: Origin::Disk(path.to_owned()),
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

    /// What messages call a path.
    fn shown(&self, path: &Path, named: &str) -> String {
        let is_here = self.root == Path::new(".") && named != ".";
        path_text::of(if is_here { self.below(path) } else { path })
    }

    /// Says what was met and cannot be searched, if something that is wanted may be there.
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

/// Whether the system gave up following symbolic links.
fn is_circular(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// Where files of several roots have one path below them, they go by their whole path.
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
