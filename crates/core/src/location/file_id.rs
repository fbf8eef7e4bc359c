//! The identity of a test file, by which its results are compared across runs, directories and machines.
//!
//! docs/identity.md describes how the suite of a file is found. This module only says what an identity is.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

/// The identity of a file: its suite and its path there.
///
/// | suite | key |
/// |---|---|
/// | has a name | `NAME:path below the root of the suite` |
/// | has no name | the absolute path of the file |
/// | unknown: standard input, results of other programs | `:path` |
///
/// Identities are equal if their keys are. The name of the shipped suite is `suite`, so that its files are `suite:PATH`.
///
/// Reports call a file by a shorter path: [`Self::path`], the part of the key below the suite's own directory. Where that
/// directory is has no influence on the identity: `run dir` and `run dir/sub` show different paths of one file.
#[derive(Clone)]
pub struct FileId {
    key: Arc<str>,
    /// Where the path for reports begins in the key.
    own: usize,
    /// Where the path below the suite's own directory begins in the key. The path for reports begins there or before.
    category: usize,
}

/// The name of the shipped suite.
pub const SHIPPED_SUITE: &str = "suite";

/// A name that a user gives to a suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuiteName(String);

/// A text that is not the name of a suite.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a name without `:`, spaces, `//`, a `/` at its ends and a `=` in front, other than `{SHIPPED_SUITE}`, found `{0}`"
)]
pub struct SuiteNameError(String);

impl SuiteName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SuiteName {
    type Err = SuiteNameError;

    fn from_str(word: &str) -> Result<Self, SuiteNameError> {
        let is_wrong = |sign: char| sign == ':' || sign.is_whitespace() || sign.is_control();
        let is_reserved = word.is_empty() || word == SHIPPED_SUITE || word.starts_with(['/', WHOLE]);
        if is_reserved || word.contains("//") || word.ends_with('/') || word.contains(is_wrong) {
            return Err(SuiteNameError(word.to_owned()));
        }
        Ok(Self(word.to_owned()))
    }
}

/// Marks a key that is shown whole.
const WHOLE: char = '=';

impl FileId {
    /// Returns the identity of a file in a suite with a name, which is shown by its path below the root of the suite.
    pub fn in_suite(name: &str, path: &str) -> Self {
        Self { key: format!("{name}:{path}").into(), own: name.len() + 1, category: name.len() + 1 }
    }

    /// Returns the identity of a file in a suite without a name: its absolute path. It is shown by its path below
    /// `directory`, or whole if it is not in there.
    pub fn at(path: &str, directory: &str) -> Self {
        let below =
            path.strip_prefix(directory.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
        let own = path.len() - below.unwrap_or(path).len();
        Self { own, category: own, key: path.into() }
    }

    /// Returns the identity of a file of which only a path is known, and not below which directory.
    pub fn unknown(path: &str) -> Self {
        Self { key: format!(":{path}").into(), own: 1, category: 1 }
    }

    /// Returns the text that two identities have in common if they are equal.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the path that reports show: below the suite's own directory, and unique in a run.
    pub fn path(&self) -> &str {
        &self.key[self.own..]
    }

    /// Returns the path below the suite's own directory, from which the category of the file comes. Other files of the run
    /// have no influence on it.
    pub fn own_path(&self) -> &str {
        &self.key[self.category..]
    }

    /// Returns the name of the suite, if it has one.
    pub fn suite(&self) -> Option<&str> {
        let (name, _) = self.key.split_once(':').filter(|_| !self.key.starts_with('/'))?;
        (!name.is_empty()).then_some(name)
    }

    /// Returns whether file and suite are known.
    pub fn is_known(&self) -> bool {
        !self.key.starts_with(':')
    }

    /// Returns the path below the root of the suite; the absolute path if the suite has no name.
    pub fn path_in_suite(&self) -> &str {
        &self.key[root_of(&self.key)..]
    }

    /// Returns the same identity, shown by this end of its path; by the whole key if it does not end so.
    pub fn shown_as(&self, path: &str) -> Self {
        let own = self.begin_of(path);
        Self { key: self.key.clone(), own, category: own.max(root_of(&self.key)) }
    }

    /// Returns the same identity with the same category, shown by this longer end of its path, so that another file of the
    /// run is not shown alike.
    pub fn shown_apart_as(&self, path: &str) -> Self {
        Self { own: self.begin_of(path).min(self.category), ..self.clone() }
    }

    /// Returns the same identity with the same category, shown by its whole key.
    pub fn shown_whole(&self) -> Self {
        Self { own: 0, ..self.clone() }
    }

    /// Returns where an end of the path begins in the key; 0 if the key does not end so.
    fn begin_of(&self, path: &str) -> usize {
        let root = self.key.strip_suffix(path).filter(|root| root.ends_with(['/', ':']));
        root.map_or(0, str::len)
    }

    /// Reads what [`Self::to_text`] writes.
    pub fn from_text(text: &str) -> Self {
        let (is_whole, text) = text.strip_prefix(WHOLE).map_or((false, text), |text| (true, text));
        let mut key = text.to_owned();
        let root = root_of(text);
        let mut marks = Vec::new();
        if !text.starts_with(':') {
            while let Some(at) = key[marks.last().copied().unwrap_or(0)..].find("//") {
                let at = marks.last().copied().unwrap_or(0) + at;
                // The path in a suite with a name begins with no slash.
                let begin = if at == root && root > 0 { at } else { at + 1 };
                key.replace_range(begin..at + 2, "");
                marks.push(begin);
            }
        }
        let mut marks = marks.into_iter();
        let own = if is_whole { 0 } else { marks.next().unwrap_or(root) };
        Self { own, category: marks.next().unwrap_or(own.max(root)), key: key.into() }
    }

    /// Writes the key, with `//` where the path that reports show begins, and where the path below the suite's own
    /// directory begins if that is another.
    pub fn to_text(&self) -> String {
        let root = root_of(&self.key);
        let mut text = self.key.to_string();
        if self.category != self.own.max(root) || (self.category == self.own && self.own != root) {
            text.insert(self.category, '/');
        }
        match self.own {
            0 => text.insert(0, WHOLE),
            own if own == self.category => {}
            own if own == root => text.insert_str(own, "//"),
            own => text.insert(own, '/'),
        }
        text
    }
}

/// Returns where the path in the suite begins in a key.
fn root_of(key: &str) -> usize {
    if key.starts_with('/') { 0 } else { key.find(':').map_or(0, |colon| colon + 1) }
}

/// A file of which only this path is known.
impl From<&str> for FileId {
    fn from(path: &str) -> Self {
        Self::unknown(path)
    }
}

/// A file of which only this path is known.
impl From<&String> for FileId {
    fn from(path: &String) -> Self {
        Self::unknown(path)
    }
}

/// The path that reports show.
impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl PartialEq for FileId {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for FileId {}

impl Hash for FileId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl PartialOrd for FileId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FileId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_paths_and_texts() {
        let check = |id: FileId, key: &str, path: &str, text: &str| {
            assert_eq!((id.key(), id.path(), id.to_text().as_str()), (key, path, text));
            let again = FileId::from_text(text);
            assert_eq!((again.key(), again.path(), again.own_path()), (key, path, id.own_path()));
        };
        let named = FileId::in_suite("github.com/a/b", "tests/x/a.test");
        check(
            named.clone(),
            "github.com/a/b:tests/x/a.test",
            "tests/x/a.test",
            "github.com/a/b:tests/x/a.test",
        );
        check(
            named.shown_as("x/a.test"),
            "github.com/a/b:tests/x/a.test",
            "x/a.test",
            "github.com/a/b:tests//x/a.test",
        );
        check(
            named.shown_as("b.test"),
            "github.com/a/b:tests/x/a.test",
            "github.com/a/b:tests/x/a.test",
            "=github.com/a/b:tests/x/a.test",
        );
        check(FileId::at("/s/d/a.test", "/s"), "/s/d/a.test", "d/a.test", "/s//d/a.test");
        check(FileId::at("/s/a:b.test", "/"), "/s/a:b.test", "s/a:b.test", "//s/a:b.test");
        check(FileId::at("/s/a.test", "/other"), "/s/a.test", "/s/a.test", "=/s/a.test");
        check(FileId::unknown("a//b:c.test"), ":a//b:c.test", "a//b:c.test", ":a//b:c.test");
        check(FileId::in_suite(SHIPPED_SUITE, "a/b.test"), "suite:a/b.test", "a/b.test", "suite:a/b.test");
        // Shown by longer paths than that below the suite's own directory.
        let (own, key) = (named.shown_as("x/a.test"), "github.com/a/b:tests/x/a.test");
        check(
            own.shown_apart_as("tests/x/a.test"),
            key,
            "tests/x/a.test",
            "github.com/a/b://tests//x/a.test",
        );
        check(own.shown_whole(), key, key, "=github.com/a/b:tests//x/a.test");
        check(named.shown_whole(), key, key, "=github.com/a/b:tests/x/a.test");
        let absolute = FileId::at("/s/t/d/a.test", "/s/t");
        check(absolute.shown_apart_as("t/d/a.test"), "/s/t/d/a.test", "t/d/a.test", "/s//t//d/a.test");
        check(absolute.shown_whole(), "/s/t/d/a.test", "/s/t/d/a.test", "=/s/t//d/a.test");
        check(FileId::unknown("a//b").shown_whole(), ":a//b", ":a//b", "=:a//b");
        assert_eq!(
            (own.shown_whole().own_path(), absolute.shown_whole().own_path()),
            ("x/a.test", "d/a.test")
        );
    }

    #[test]
    fn the_directory_for_reports_changes_no_identity() {
        assert_eq!(FileId::at("/s/d/a.test", "/s"), FileId::at("/s/d/a.test", "/s/d"));
        assert_ne!(FileId::at("/s/a.test", "/s"), FileId::at("/t/a.test", "/t"));
        assert_ne!(FileId::unknown("a.test"), FileId::in_suite("s", "a.test"));
    }

    #[test]
    fn names_of_suites() {
        for word in ["s", "github.com/a/b", "a=b"] {
            assert_eq!(word.parse::<SuiteName>().unwrap().as_str(), word);
        }
        for word in ["", "suite", "a:b", "a b", "a//b", "/a", "a/", "=a", "a\nb"] {
            assert!(word.parse::<SuiteName>().is_err(), "{word}");
        }
    }

    #[test]
    fn suites() {
        let suites = [
            FileId::in_suite("s", "a:b"),
            FileId::at("/s/a:b", "/s"),
            FileId::unknown("a:b"),
            FileId::unknown("s:b"),
        ];
        assert_eq!(suites.each_ref().map(FileId::suite), [Some("s"), None, None, None]);
        assert_eq!(suites.each_ref().map(FileId::path_in_suite), ["a:b", "/s/a:b", "a:b", "s:b"]);
        assert_eq!(suites.each_ref().map(FileId::is_known), [true, true, false, false]);
    }

    proptest! {
        #[test]
        fn a_text_is_read_back(name in "[a-z.]{1,4}(/[a-z.]{1,3})?", parts in prop::collection::vec("[a-zä:= ]{1,4}", 1..5), own in 0_usize..5, apart in 0_usize..5) {
            let path = parts.join("/");
            let shown = &parts[own.min(parts.len() - 1)..].join("/");
            let named = FileId::in_suite(&name, &path).shown_as(shown);
            let absolute = FileId::at(&format!("/{path}"), "/").shown_as(shown);
            let longer = parts[apart.min(parts.len() - 1)..].join("/");
            for id in [named, absolute, FileId::unknown(&path)] {
                for id in [id.shown_apart_as(&longer), id.shown_whole(), id] {
                    let again = FileId::from_text(&id.to_text());
                    let facts = |id: &FileId| (id.key().to_owned(), id.path().to_owned(), id.own_path().to_owned());
                    prop_assert_eq!(facts(&again), facts(&id));
                }
            }
        }
    }
}
