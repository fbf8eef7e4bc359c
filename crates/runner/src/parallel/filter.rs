//! Selects files of a run: filters, and shards for runs over several machines.

use std::fmt;
use std::str::FromStr;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use md5::{Digest as _, Md5};

use super::plan::WorkItem;
use slt_core::location::FileId;
use slt_core::outcome::category_of;

/// A file pattern; the same on the command line, in the configuration and in `expectations.toml`.
///
/// | pattern | matches |
/// |---|---|
/// | `category:NAME` | the files of the category |
/// | a glob (with one of `*?[{`) without `/` | files of that name, and files in folders of that name |
/// | a glob with `/` | files by their path below the named directory; `*` stays within a folder, `**` does not |
/// | a glob that ends in `/` | the contents of matching folders |
/// | a glob that begins with `/` | the same as with any other `/`: anchored at the named directory |
/// | any other text | files with this text in their path |
///
/// A pattern with `/` may also match the displayed path.
#[derive(Debug, Clone)]
pub struct Pattern {
    word: String,
    kind: PatternKind,
}

#[derive(Debug, Clone)]
enum PatternKind {
    Category(String),
    Globs(GlobSet),
    Substring,
}

/// An invalid pattern.
#[derive(Debug, thiserror::Error)]
#[error("`{word}` is not a valid glob")]
pub struct PatternError {
    word: String,
    source: globset::Error,
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(word: &str) -> Result<Self, PatternError> {
        let kind = if let Some(category) = word.strip_prefix("category:") {
            PatternKind::Category(category.to_owned())
        } else if word.contains(['*', '?', '[', '{']) {
            PatternKind::Globs(globs(word).map_err(|source| PatternError { word: word.to_owned(), source })?)
        } else {
            PatternKind::Substring
        };
        Ok(Self { word: word.to_owned(), kind })
    }
}

fn globs(word: &str) -> Result<GlobSet, globset::Error> {
    let (name, is_folder) = word.strip_suffix('/').map_or((word, false), |name| (name, true));
    let (name, is_anchored) = (name.trim_start_matches('/'), name.contains('/'));
    let start = if is_anchored { "" } else { "**/" };
    let named = (!is_folder).then(|| format!("{start}{name}"));
    let inside = (is_folder || !is_anchored).then(|| format!("{start}{name}/**"));
    let mut globs = GlobSetBuilder::new();
    for glob in named.iter().chain(&inside) {
        globs.add(GlobBuilder::new(glob).literal_separator(true).build()?);
    }
    globs.build()
}

impl Pattern {
    /// Returns whether the pattern matches a path below the named directory.
    pub fn matches(&self, file: &str) -> bool {
        match &self.kind {
            PatternKind::Category(category) => category_of(file) == category,
            PatternKind::Globs(globs) => globs.is_match(file.trim_start_matches('/')),
            PatternKind::Substring => file.contains(self.word.as_str()),
        }
    }

    /// Returns whether the pattern matches the file by its path below the named directory or its displayed path.
    pub fn chooses(&self, item: &WorkItem) -> bool {
        self.chooses_file(&item.file, &item.below, &item.shown)
    }

    fn chooses_file(&self, file: &FileId, below: &str, shown: &str) -> bool {
        let is_path = self.word.contains('/');
        match &self.kind {
            PatternKind::Category(category) => category_of(file.own_path()) == category,
            PatternKind::Globs(_) | PatternKind::Substring => {
                self.matches(below) || (is_path && self.matches(shown))
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word)
    }
}

/// One part of a run: the `index`th of `count`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u64,
    count: u64,
}

/// An invalid shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected K/N with K from 1 to N, found `{0}`")]
pub struct ShardError(String);

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(word: &str) -> Result<Self, ShardError> {
        let parts =
            word.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match parts {
            Some((index, count)) if (1..=count).contains(&index) => Ok(Self { index, count }),
            _ => Err(ShardError(word.to_owned())),
        }
    }
}

impl Shard {
    /// Returns the index of the shard, from 0, and the number of shards.
    pub fn place(self) -> (u64, u64) {
        (self.index - 1, self.count)
    }

    /// Returns the index of the shard of a file, from 0. It depends only on the path in reports, so it is the same on every
    /// machine and in every version of this program.
    pub fn index_of(self, file: &str) -> u64 {
        let digest = Md5::digest(file.as_bytes());
        let number = digest.iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte));
        number % self.count
    }
}

/// The filters for the files of a run.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// If not empty: a file must be one of these, by its path in reports, its identity, its path below the named
    /// directory, or its displayed path.
    pub files: Vec<String>,
    /// If not empty: a file must match one of these.
    pub only: Vec<Pattern>,
    /// A file must not match any of these.
    pub exclude: Vec<Pattern>,
}

impl Filters {
    /// Returns the files that pass all filters, in their order.
    pub fn apply(&self, items: Vec<WorkItem>) -> Vec<WorkItem> {
        let named =
            |item: &WorkItem| self.files.is_empty() || self.files.iter().any(|name| is_called(item, name));
        let passes = |item: &WorkItem| self.passes(|pattern| pattern.chooses(item));
        items.into_iter().filter(|item| named(item) && passes(item)).collect()
    }

    /// Returns whether a file of a finished run passes the patterns, by its path in its suite or its displayed path.
    pub fn passes_result(&self, file: &FileId, shown: &str) -> bool {
        self.passes(|pattern| pattern.chooses_file(file, file.own_path(), shown))
    }

    /// Returns the first of [`Self::files`] without an item.
    pub fn missing<'f>(&'f self, items: &[WorkItem]) -> Option<&'f str> {
        let missing = |name: &&String| !items.iter().any(|item| is_called(item, name));
        self.files.iter().find(missing).map(String::as_str)
    }

    fn passes(&self, chooses: impl Fn(&Pattern) -> bool) -> bool {
        (self.only.is_empty() || self.only.iter().any(&chooses)) && !self.exclude.iter().any(&chooses)
    }
}

fn is_called(item: &WorkItem, name: &str) -> bool {
    [item.file.path(), item.file.key(), &item.below, &item.shown].contains(&name)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::super::plan::file_of_path;
    use super::*;

    #[test]
    fn patterns() {
        let cases = [
            ("category:index", "index/a/b.test", true),
            ("category:index", "indexes/a.test", false),
            ("category:select", "select1.test", true),
            ("category:other", "x.test", true),
            ("a/b", "index/a/b.test", true),
            ("**/*.test", "index/a/b.test", true),
            ("index/*/b.test", "index/a/b.test", true),
            ("{index,random}/**", "random/x.test", true),
            // Without a slash: the name of the file, or of one of its folders.
            ("*.test", "index/a/b.test", true),
            ("b*", "index/a/b.test", true),
            ("a*", "index/a/b.test", true),
            ("ind*", "index/a/b.test", true),
            ("nd*", "index/a/b.test", false),
            ("recursive*", "with/recursive1.test", true),
            ("recursive*", "with/nonrecursive.test", false),
            // With a slash: the whole path.
            ("index/*", "index/a/b.test", false),
            ("index/*", "index/b.test", true),
            ("a/*", "index/a/b.test", false),
            ("/*.test", "b.test", true),
            ("/*.test", "index/a/b.test", false),
            ("/index/*", "index/b.test", true),
            // With a slash at the end: folders.
            ("in*/", "index/a/b.test", true),
            ("a*/", "index/a/b.test", true),
            ("b*/", "index/a/b.test", false),
            ("index/*/", "index/a/b.test", true),
            ("/a*/", "index/a/b.test", false),
        ];
        for (word, file, expected) in cases {
            assert_eq!(word.parse::<Pattern>().unwrap().matches(file), expected, "{word} {file}");
        }
        assert_eq!("[".parse::<Pattern>().unwrap_err().to_string(), "`[` is not a valid glob");
    }

    #[test]
    fn a_path_may_be_written_as_messages_show_it() {
        let item = WorkItem { below: "a/b.test".to_owned(), ..file_of_path(Path::new("/s/index/a/b.test")) };
        let chooses = |word: &str| word.parse::<Pattern>().unwrap().chooses(&item);
        for word in ["/s/index/a/*", "s/index/**", "index/a/b", "a/*", "/a/*", "/s/ind*/"] {
            assert!(chooses(word), "{word}");
        }
        // Without a slash, folders above the named directory do not count.
        for word in ["ind*", "index", "category:s", "/index/*"] {
            assert!(!chooses(word), "{word}");
        }
    }

    #[test]
    fn shards_are_k_of_n() {
        for wrong in ["", "1", "0/2", "3/2", "1/0", "a/b", "-1/2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
        // A fixed expectation: a machine with the next version must choose the same files.
        let first: Shard = "1/3".parse().unwrap();
        let files = ["a.test", "b.test", "c.test", "d.test", "e.test", "f.test"];
        let chosen: Vec<_> = files.iter().filter(|file| first.index_of(file) == 0).collect();
        assert_eq!(chosen, [&"b.test", &"d.test", &"e.test"]);
    }

    proptest! {
        #[test]
        fn each_file_is_in_a_shard(file in ".{0,30}", count in 1_u64..20) {
            let shard = Shard { index: 1, count };
            prop_assert!(shard.index_of(&file) < count);
        }
    }
}
