//! Resolves the paths on the command line to the files of the run.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fs::FileType;
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use super::canonical::CanonicalPaths;
use super::suites::{ArgumentDirectories, SuiteResolver, tell_apart};
use slt_core::location::{FileId, path_text};
use slt_core::outcome::RecordName;

/// One file to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkItem {
    /// The identity of the file.
    pub file: FileId,
    /// The path below the named directory, with `/` between its parts, for filters.
    pub below: String,
    /// The displayed path, which can be typed again.
    pub shown: String,
    /// The location of its text.
    pub source: FileSource,
    /// Records to leave out. A file with any is not split into slices.
    pub left_out: Vec<RecordName>,
    /// The dialect that a setting for files with this path requests.
    pub dialect: Option<String>,
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
pub enum DiscoverError {
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
    /// The suite of a file cannot be determined.
    #[error("cannot tell the suite of `{path}`: {message}")]
    Suite {
        /// The displayed path.
        path: String,
        /// The cause.
        message: String,
    },
    /// A directory that cannot be listed.
    #[error("cannot list `{path}`")]
    Unreadable {
        /// The path.
        path: String,
        /// The cause.
        source: walkdir::Error,
    },
}

/// A note for the user about the found files, for instance about something skipped below a directory.
#[derive(Debug, thiserror::Error)]
pub enum PathNote {
    /// A symbolic link to nothing.
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
    /// Two copies of one file, as in two checkouts of a repository, and perhaps more of such files.
    #[error(
        "`{path}`{} and `{of}` are copies of one file; this run knows the former by its absolute path",
        match more { 0 => String::new(), more => format!(" (and {more} more)") }
    )]
    Copy {
        /// The displayed path of the copy.
        path: String,
        /// The displayed path of the original.
        of: String,
        /// The number of other files with copies.
        more: usize,
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

/// Finds the files named by `paths`: files, directories (walked) and globs, in which `*` stays within one folder and
/// `**` does not.
///
/// The files are sorted by path, each once. `skipped` is called for entries that cannot be run; a glob does not visit
/// entries that it cannot match. `suites` determines the identities of files.
///
/// # Errors
///
/// [`DiscoverError`] for the first path that leads to no file: nothing is left out silently.
pub fn discover(
    paths: &[String],
    suites: &mut SuiteResolver<'_>,
    skipped: &mut dyn FnMut(PathNote),
) -> Result<Vec<WorkItem>, DiscoverError> {
    let mut found = Vec::with_capacity(paths.len());
    for path in paths {
        let (directory, items) = files_of(path, skipped)?;
        found.push((canonical(&directory), items));
    }
    let arguments = ArgumentDirectories::new(found.iter().map(|(directory, _)| directory.as_path()));
    let mut items = Vec::new();
    let mut seen = HashMap::new();
    let mut paths = CanonicalPaths::default();
    for (directory, found) in found {
        for mut item in found {
            let FileSource::Disk(place) = &item.source else { continue };
            let place = paths.resolve(place).unwrap_or_else(|_| absolute(place));
            if seen.contains_key(&place) {
                continue;
            }
            let identity = suites.identify(&place, &directory, &arguments);
            item.file =
                identity.map_err(|message| DiscoverError::Suite { path: item.shown.clone(), message })?;
            seen.insert(place, items.len());
            items.push(item);
        }
    }
    separate_copies(&mut items, &seen, skipped);
    tell_apart(&mut items.iter_mut().map(|item| &mut item.file).collect::<Vec<_>>());
    items.sort_by(|a, b| (&a.below, &a.shown).cmp(&(&b.below, &b.shown)));
    Ok(items)
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| absolute(path))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Changes the identities of copies in several checkouts, except for the copy with the shortest path. `places` has the
/// canonical paths of the items.
fn separate_copies(items: &mut [WorkItem], places: &HashMap<PathBuf, usize>, note: &mut dyn FnMut(PathNote)) {
    let identities: HashSet<_> = items.iter().map(|item| &item.file).collect();
    if identities.len() == items.len() {
        return;
    }
    let mut places: Vec<_> = places.iter().map(|(place, &item)| (place.as_path(), item)).collect();
    places.sort_by_cached_key(|(place, _)| (place.components().count(), place.to_path_buf()));
    let mut known = HashMap::<FileId, usize>::with_capacity(items.len());
    let mut copies = Vec::new();
    for (place, item) in places {
        let id = items[item].file.clone();
        match known.get(&id) {
            Some(&first) => {
                copies.push((first, item));
                items[item].file = FileId::at(&path_text::of(place), "/").shown_as(id.own_path());
            }
            None => drop(known.insert(id, item)),
        }
    }
    if let Some(&(first, copy)) = copies.first() {
        let [path, of] = [copy, first].map(|item| items[item].shown.clone());
        note(PathNote::Copy { path, of, more: copies.len() - 1 });
    }
}

/// Returns the item for one file on disk, without reading it; its suite is unknown.
pub fn file_of_path(path: &Path) -> WorkItem {
    let name = path_text::of(path.file_name().map_or(path, Path::new));
    WorkItem {
        file: FileId::unknown(&name),
        below: name,
        shown: path_text::of(path),
        source: FileSource::Disk(path.to_owned()),
        left_out: Vec::new(),
        dialect: None,
    }
}

/// Returns the files that an argument names, and their directory.
fn files_of(
    word: &str,
    skipped: &mut dyn FnMut(PathNote),
) -> Result<(PathBuf, Vec<WorkItem>), DiscoverError> {
    let place = path_text::typed(word);
    match place.metadata() {
        Ok(found) if found.is_dir() => {
            let search = FileSearch { root: place, wanted: &has_test_ending, may_hold: &|_| true };
            search.run(word, skipped)
        }
        Ok(_) => {
            let folder = canonical(&place).parent().unwrap_or(Path::new("/")).to_owned();
            Ok((folder, vec![file_of_path(&place)]))
        }
        Err(_) if is_glob(word) && place.symlink_metadata().is_err() => {
            let glob = SplitGlob::new(word)?;
            if !glob.root.is_dir() {
                return Err(DiscoverError::NothingMatches(word.to_owned()));
            }
            let names_ending = word.rsplit('/').next().is_some_and(|last| last.contains('.'));
            let wanted =
                |below: &Path| glob.matcher.is_match(below) && (names_ending || has_test_ending(below));
            let may_hold = |below: &Path| glob.may_hold(below);
            FileSearch { root: glob.root.clone(), wanted: &wanted, may_hold: &may_hold }.run(word, skipped)
        }
        Err(source) => match place.symlink_metadata() {
            Err(_) if source.kind() == io::ErrorKind::NotFound => {
                Err(DiscoverError::NotFound(word.to_owned()))
            }
            found => {
                let is_link = found.is_ok_and(|found| found.is_symlink());
                Err(DiscoverError::Unreachable { path: word.to_owned(), is_link, source })
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
    fn new(path: &str) -> Result<Self, DiscoverError> {
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
            .map_err(|source| DiscoverError::InvalidGlob { pattern: path.to_owned(), source })?;
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
    fn run(
        self,
        named: &str,
        skipped: &mut dyn FnMut(PathNote),
    ) -> Result<(PathBuf, Vec<WorkItem>), DiscoverError> {
        let mut items = Vec::new();
        let walk = WalkDir::new(&self.root).follow_links(true).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|entry| !entry.file_type().is_dir() || self.enters(entry.path())) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => {
                    let path = entry.path();
                    if !(self.wanted)(self.below(path)) {
                        continue;
                    }
                    let below = path_text::of(self.below(path));
                    match kind_of_special(entry.file_type()) {
                        Some(kind) => skipped(PathNote::Special { path: self.shown(path, named), kind }),
                        None => items.push(WorkItem {
                            file: FileId::unknown(&below),
                            below,
                            shown: self.shown(path, named),
                            ..file_of_path(path)
                        }),
                    }
                }
                Err(source) if source.depth() == 0 => {
                    return Err(DiscoverError::Unreadable { path: named.to_owned(), source });
                }
                Err(error) => self.tell(error, named, skipped),
            }
        }
        match items.is_empty() {
            true => Err(DiscoverError::NothingMatches(named.to_owned())),
            false => Ok((self.root, items)),
        }
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

    /// Reports an entry that cannot be searched, if it may contain wanted files.
    fn tell(&self, error: walkdir::Error, named: &str, skipped: &mut dyn FnMut(PathNote)) {
        let place = error.path().unwrap_or(&self.root).to_owned();
        if !self.enters(&place) && !(self.wanted)(self.below(&place)) {
            return;
        }
        let path = self.shown(&place, named);
        let is_loop = error.loop_ancestor().is_some();
        let source = error.into_io_error().unwrap_or_else(|| io::Error::other("unknown"));
        skipped(match source.kind() {
            _ if is_loop => PathNote::Loop(path),
            io::ErrorKind::NotFound if place.is_symlink() => PathNote::DanglingLink(path),
            _ if is_circular(&source) => PathNote::Loop(path),
            _ => PathNote::Unreadable { path, source },
        });
    }
}

/// Returns whether the system detected a cycle of symbolic links.
fn is_circular(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}
