//! Which failures of a file follow from an earlier one.
//!
//! | the earlier record, which failed | a later one | is its consequence |
//! |---|---|---|
//! | makes NAME | says that something is missing, and names NAME | yes |
//! | changes what is in NAME | has a wrong result, and names NAME | if most queries of NAME have |
//! | has a label first, and a wrong result | has another result under this label, and no other fault | yes |
//!
//! What is a consequence itself has the same root. A record that makes or drops NAME, and passes, ends it.

use std::collections::{BTreeMap, HashMap};

use super::sql::{Effect, Tokens};
use super::symptom::{Symptom, WRONG_RESULT};

/// The place of a failing record among those of the file.
pub(super) type Place = usize;

/// The records of a file as they come, and what is missing or wrong because of those that failed.
#[derive(Debug, Default)]
pub(super) struct Cascade {
    /// Things that were not made, and the root of that.
    unmade: BTreeMap<String, Place>,
    /// Things that have not in them what they should.
    unfilled: BTreeMap<String, Unfilled>,
    /// Those that are over.
    over: Vec<Unfilled>,
    /// The query that had each label first, if its result is wrong.
    labels: HashMap<Vec<u8>, Option<Place>>,
    roots: BTreeMap<Place, Place>,
}

#[derive(Debug)]
struct Unfilled {
    root: Place,
    /// Queries of it with wrong results.
    wrong: Vec<Place>,
    /// About how many of its queries have passed.
    passed: f64,
}

/// How a query fails whose own result is right.
const LABEL_DIFFERS: &str = "label_differs";
/// How queries fail whose result their label learns all the same.
const RESULTS: [&str; 3] = ["rows_differ", "hash_differs", "presentation_differs"];

/// The share of the queries of a thing that have to be wrong, if what is in it is wrong.
const MOST: f64 = 0.5;

impl Cascade {
    /// Takes in a record that has not passed.
    pub(super) fn failed(&mut self, place: Place, tokens: &Tokens, symptom: &Symptom) {
        let root = if symptom.misses_something() {
            self.unmade.iter().filter(|(name, _)| tokens.has_name(name)).map(|(_, &root)| root).min()
        } else {
            None
        };
        if let Some(root) = root {
            self.roots.insert(place, root);
        } else if symptom.kind == WRONG_RESULT {
            let named = self.unfilled.iter_mut().filter(|(name, _)| tokens.has_name(name));
            if let Some((_, first)) = named.min_by_key(|(_, unfilled)| unfilled.root) {
                first.wrong.push(place);
            }
        }
        let root = root.unwrap_or(place);
        match tokens.effect() {
            // The thing was there, or it is there now.
            Effect::Makes(_) if symptom.kind == "unexpected_success" => {}
            Effect::Makes(name) => {
                self.unmade.entry(name).or_insert(root);
            }
            Effect::Fills(name) => {
                let unfilled = || Unfilled { root, wrong: Vec::new(), passed: 0.0 };
                self.unfilled.entry(name).or_insert_with(unfilled);
            }
            Effect::Drops(_) | Effect::Other => {}
        }
    }

    /// Takes in that a query with this label has not passed, for which `kind` is the word of how. Its result is held against
    /// that of the first query of the label, so whatever is wrong with that one is held against it.
    pub(super) fn failed_labelled(&mut self, place: Place, label: &[u8], kind: &str) {
        match self.labels.get(label) {
            Some(&Some(first)) if kind == LABEL_DIFFERS => {
                let root = self.roots.get(&first).copied().unwrap_or(first);
                self.roots.insert(place, root);
            }
            None if RESULTS.contains(&kind) => {
                self.labels.insert(label.to_vec(), Some(place));
            }
            _ => {}
        }
    }

    /// Takes in that a query with this label has passed, or that a condition has left it out: then its expectation counts.
    pub(super) fn has_label(&mut self, label: &[u8]) {
        if !self.labels.contains_key(label) {
            self.labels.insert(label.to_vec(), None);
        }
    }

    /// Whether it makes a difference what has passed.
    pub(super) fn is_open(&self) -> bool {
        !self.unmade.is_empty() || !self.unfilled.is_empty()
    }

    /// Takes in a statement that has passed.
    pub(super) fn passed_statement(&mut self, tokens: &Tokens) {
        if let Effect::Makes(name) | Effect::Drops(name) = tokens.effect() {
            self.unmade.remove(&name);
            self.over.extend(self.unfilled.remove(&name));
        }
    }

    /// Takes in a query that has passed, and stands for so many.
    pub(super) fn passed_query(&mut self, tokens: &Tokens, weight: f64) {
        let named = self.unfilled.iter_mut().filter(|(name, _)| tokens.has_name(name));
        named.for_each(|(_, unfilled)| unfilled.passed += weight);
    }

    /// The root of each record that is a consequence.
    pub(super) fn end(self) -> BTreeMap<Place, Place> {
        let mut roots = self.roots;
        for unfilled in self.over.into_iter().chain(self.unfilled.into_values()) {
            let wrong = unfilled.wrong.len() as f64;
            if wrong > MOST * (wrong + unfilled.passed) {
                roots.extend(unfilled.wrong.iter().map(|&place| (place, unfilled.root)));
            }
        }
        // The first of a label may have turned out to be a consequence itself. A root is in front of what follows from it.
        let places: Vec<_> = roots.keys().copied().collect();
        for place in places {
            if let Some(&root) = roots.get(&place).and_then(|root| roots.get(root)) {
                roots.insert(place, root);
            }
        }
        roots
    }
}

#[cfg(test)]
mod tests {
    use super::super::sql::tokens;
    use super::*;

    #[test]
    fn what_is_held_against_a_wrong_result_follows_from_it() {
        let mut cascade = Cascade::default();
        cascade.failed_labelled(0, b"x", "rows_differ");
        cascade.failed_labelled(1, b"x", "label_differs");
        // Wrong in itself.
        cascade.failed_labelled(2, b"x", "hash_differs");
        // The first one is right, or is left out and its expectation counts; or it has no result.
        cascade.has_label(b"y");
        cascade.failed_labelled(3, b"y", "rows_differ");
        cascade.failed_labelled(4, b"y", "label_differs");
        cascade.failed_labelled(5, b"z", "unexpected_error");
        cascade.failed_labelled(6, b"z", "label_differs");
        assert_eq!(cascade.end(), BTreeMap::from([(1, 0)]));
    }

    #[test]
    fn what_follows_from_a_consequence_has_its_root() {
        let mut cascade = Cascade::default();
        cascade.failed(0, &tokens("INSERT INTO t VALUES(1)"), &symptom("unexpected_error", "syntax error"));
        cascade.failed(1, &tokens("SELECT a FROM t"), &symptom(WRONG_RESULT, "wrong values"));
        cascade.failed_labelled(1, b"x", "rows_differ");
        cascade.failed(2, &tokens("SELECT 1"), &symptom("label_differs", "another result"));
        cascade.failed_labelled(2, b"x", "label_differs");
        assert_eq!(cascade.end(), BTreeMap::from([(1, 0), (2, 0)]));
    }

    fn symptom(kind: &str, what: &str) -> Symptom {
        Symptom { kind: kind.to_owned(), what: what.to_owned() }
    }

    /// What became of records: `-` has passed, `!` is any error, `?` misses something, `x` is a wrong result.
    fn check(records: &[(char, &str)], expected: &[(Place, Place)]) {
        let mut cascade = Cascade::default();
        for (place, (end, sql)) in records.iter().enumerate() {
            let tokens = tokens(sql);
            match end {
                '!' => cascade.failed(place, &tokens, &symptom("unexpected_error", "syntax error")),
                '?' => cascade.failed(place, &tokens, &symptom("unexpected_error", "no such table: _")),
                'x' => cascade.failed(place, &tokens, &symptom(WRONG_RESULT, "wrong values")),
                _ if sql.starts_with("SELECT") => cascade.passed_query(&tokens, 1.0),
                _ => cascade.passed_statement(&tokens),
            }
        }
        let expected: BTreeMap<_, _> = expected.iter().copied().collect();
        assert_eq!(cascade.end(), expected, "{records:?}");
    }

    #[test]
    fn what_follows_from_what() {
        check(
            &[
                ('!', "CREATE TABLE t(a)"),
                ('?', "INSERT INTO t VALUES(1)"),
                ('?', "CREATE VIEW v AS SELECT * FROM t"),
                ('?', "SELECT * FROM v"),
                ('?', "SELECT * FROM other"),
                ('!', "SELECT * FROM t"),
            ],
            &[(1, 0), (2, 0), (3, 0)],
        );
        check(&[('!', "CREATE TABLE t(a)"), ('-', "CREATE TABLE t(a)"), ('?', "SELECT b FROM t")], &[]);
        check(
            &[
                ('!', "INSERT INTO t VALUES(1)"),
                ('x', "SELECT * FROM t"),
                ('x', "SELECT a FROM T"),
                ('-', "SELECT 1 FROM t"),
                ('x', "SELECT * FROM s"),
            ],
            &[(1, 0), (2, 0)],
        );
        check(
            &[
                ('!', "UPDATE t SET a = 1"),
                ('-', "SELECT * FROM t"),
                ('x', "SELECT a FROM T"),
                ('-', "SELECT 1 FROM t"),
            ],
            &[],
        );
    }
}
