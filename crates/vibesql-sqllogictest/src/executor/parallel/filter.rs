//! Which of the files that were found are run: filters, and shards of a run that is shared out over machines.

use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use md5::{Digest as _, Md5};

use super::plan::WorkItem;
use crate::outcome::category_of;

/// A word that chooses files.
///
/// `category:NAME` chooses by category; a word with one of `*?[{` is a glob over the path below the root, in which
/// `*` stays within a folder; any other word chooses the files whose path has it somewhere.
#[derive(Debug, Clone)]
pub struct Pattern(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Category(String),
    Glob(GlobMatcher),
    Part(String),
}

/// A word that is no pattern.
#[derive(Debug, thiserror::Error)]
#[error("`{word}` is no glob")]
pub struct PatternError {
    word: String,
    source: globset::Error,
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(word: &str) -> Result<Self, PatternError> {
        if let Some(category) = word.strip_prefix("category:") {
            return Ok(Self(Kind::Category(category.to_owned())));
        }
        if !word.contains(['*', '?', '[', '{']) {
            return Ok(Self(Kind::Part(word.to_owned())));
        }
        let glob = GlobBuilder::new(word).literal_separator(true).build();
        let glob = glob.map_err(|source| PatternError { word: word.to_owned(), source })?;
        Ok(Self(Kind::Glob(glob.compile_matcher())))
    }
}

impl Pattern {
    /// Whether the pattern chooses the file with this path below its root.
    pub fn matches(&self, file: &str) -> bool {
        match &self.0 {
            Kind::Category(category) => category_of(file) == category,
            Kind::Glob(glob) => glob.is_match(file),
            Kind::Part(part) => file.contains(part.as_str()),
        }
    }
}

/// One of several parts of a run: the `index`th of `count`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u64,
    count: u64,
}

/// A shard that there cannot be.
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
    /// Which part it is, from 0, and of how many.
    pub fn place(self) -> (u64, u64) {
        (self.index - 1, self.count)
    }

    /// Whether the file belongs to the shard. That depends on nothing but its path below the root, so every machine
    /// and every version of this program says the same.
    pub fn has(&self, file: &str) -> bool {
        let digest = Md5::digest(file.as_bytes());
        let number = digest.iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte));
        number % self.count == self.index - 1
    }
}

/// Which files are run.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// A file must be one of these, if there is any: by its path below the root, or as messages call it.
    pub files: Vec<String>,
    /// A file must match one of these, if there is any.
    pub only: Vec<Pattern>,
    /// A file must match none of these.
    pub exclude: Vec<Pattern>,
    /// A file must be in this shard, if there is one.
    pub shard: Option<Shard>,
}

impl Filters {
    /// Leaves the files that pass all filters, in their order.
    pub fn apply(&self, items: Vec<WorkItem>) -> Vec<WorkItem> {
        let named =
            |item: &WorkItem| self.files.is_empty() || self.files.iter().any(|name| is_called(item, name));
        items.into_iter().filter(|item| named(item) && self.passes(&item.file)).collect()
    }

    /// The first of [`Self::files`] that is none of the items.
    pub fn missing<'f>(&'f self, items: &[WorkItem]) -> Option<&'f str> {
        let missing = |name: &&String| !items.iter().any(|item| is_called(item, name));
        self.files.iter().find(missing).map(String::as_str)
    }

    fn passes(&self, file: &str) -> bool {
        (self.only.is_empty() || self.only.iter().any(|pattern| pattern.matches(file)))
            && !self.exclude.iter().any(|pattern| pattern.matches(file))
            && self.shard.is_none_or(|shard| shard.has(file))
    }
}

fn is_called(item: &WorkItem, name: &str) -> bool {
    item.file == name || item.shown == name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns() {
        let cases = [
            ("category:index", "index/a/b.test", true),
            ("category:index", "indexes/a.test", false),
            ("category:select", "select1.test", true),
            ("category:other", "x.test", true),
            ("a/b", "index/a/b.test", true),
            ("*.test", "index/a/b.test", false),
            ("**/*.test", "index/a/b.test", true),
            ("index/*/b.test", "index/a/b.test", true),
            ("{index,random}/**", "random/x.test", true),
        ];
        for (word, file, expected) in cases {
            assert_eq!(word.parse::<Pattern>().unwrap().matches(file), expected, "{word} {file}");
        }
        assert_eq!("[".parse::<Pattern>().unwrap_err().to_string(), "`[` is no glob");
    }

    #[test]
    fn shards_are_k_of_n() {
        for wrong in ["", "1", "0/2", "3/2", "1/0", "a/b", "-1/2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
        // Held fast: a machine of the next version must choose the same files.
        let first: Shard = "1/3".parse().unwrap();
        let files = ["a.test", "b.test", "c.test", "d.test", "e.test", "f.test"];
        let chosen: Vec<_> = files.iter().filter(|file| first.has(file)).collect();
        assert_eq!(chosen, [&"b.test", &"d.test", &"e.test"]);
    }

    proptest! {
        #[test]
        fn each_file_is_in_one_shard(file in ".{0,30}", count in 1_u64..20) {
            let shards = (1..=count).map(|index| Shard { index, count });
            prop_assert_eq!(shards.filter(|shard| shard.has(&file)).count(), 1);
        }
    }
}
