//! Which failures of a file follow from an earlier one.
//!
//! | the earlier record, which failed | a later one | is its consequence |
//! |---|---|---|
//! | makes NAME | says that something is missing, and names NAME | yes |
//! | changes what is in NAME | has a wrong result, and names NAME | if most queries of NAME have |
//! | begins or ends a transaction, or a part of one | does so too, before the engine is certainly where the file is | yes |
//! | does so, while NAME is changed | fails, and names NAME | if most records that name it do from the first on |
//! | has a label first, and a wrong result | has another result under this label, and no other fault | yes |
//!
//! What is a consequence itself has the same root. A record that makes or drops NAME, and passes, ends it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::sql::{Boundary, Effect, Tokens};
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
    /// What the transaction has changed that has begun.
    changed: Option<BTreeSet<String>>,
    /// The statement that failed to begin or end a transaction, as long as the engine may be in another one than the file.
    astray: Option<Astray>,
    roots: BTreeMap<Place, Place>,
}

#[derive(Debug)]
struct Unfilled {
    root: Place,
    /// Queries of it with wrong results.
    wrong: Vec<Place>,
    /// About how many of its queries have passed.
    passed: f64,
    /// Whether the root is a transaction's: nothing is wrong until something should have been undone.
    by_transaction: bool,
}

impl Unfilled {
    fn by(root: Place, by_transaction: bool) -> Self {
        Self { root, wrong: Vec::new(), passed: 0.0, by_transaction }
    }

    fn failed(&mut self, place: Place) {
        if self.by_transaction && self.wrong.is_empty() {
            self.passed = 0.0;
        }
        self.wrong.push(place);
    }
}

#[derive(Debug, Clone, Copy)]
struct Astray {
    root: Place,
    /// The transaction has not begun, so the engine is outside of one when the file ends it.
    outside: bool,
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
        let effect = tokens.effect();
        if let Effect::Bounds(boundary) = effect {
            return self.failed_boundary(place, boundary, symptom);
        }
        let root = if symptom.misses_something() {
            self.unmade.iter().filter(|(name, _)| tokens.has_name(name)).map(|(_, &root)| root).min()
        } else {
            None
        };
        if let Some(root) = root {
            self.roots.insert(place, root);
        } else {
            let is_wrong = symptom.kind == WRONG_RESULT;
            let fits =
                |unfilled: &Unfilled| is_wrong || unfilled.by_transaction && symptom.may_come_of_state();
            let named = self.unfilled.iter_mut().filter(|(name, it)| fits(it) && tokens.has_name(name));
            if let Some((_, first)) = named.min_by_key(|(_, unfilled)| unfilled.root) {
                first.failed(place);
            }
        }
        let root = root.unwrap_or(place);
        match effect {
            // The thing was there, or it is there now.
            Effect::Makes(_) if symptom.kind == "unexpected_success" => {}
            Effect::Makes(name) => {
                self.unmade.entry(name).or_insert(root);
            }
            Effect::Fills(name) => {
                self.unfilled.entry(name).or_insert_with(|| Unfilled::by(root, false));
            }
            Effect::Drops(_) | Effect::Bounds(_) | Effect::Other => {}
        }
    }

    /// Takes in a statement of a transaction that has not done as it should.
    fn failed_boundary(&mut self, place: Place, boundary: Boundary, symptom: &Symptom) {
        if let Some(astray) = self.astray {
            if symptom.may_come_of_state() {
                self.roots.insert(place, astray.root);
            }
            if boundary == Boundary::End && astray.outside {
                self.astray = None;
            }
            return;
        }
        let outside = matches!(boundary, Boundary::Begin | Boundary::Savepoint);
        self.astray = Some(Astray { root: place, outside });
        for name in self.changed.take().into_iter().flatten() {
            self.unfilled.entry(name).or_insert_with(|| Unfilled::by(place, true));
        }
    }

    /// Notes what a statement changes, while that may have to be undone.
    fn changes(&mut self, effect: &Effect) {
        let (Effect::Makes(name) | Effect::Fills(name) | Effect::Drops(name)) = effect else { return };
        if let Some(Astray { root, .. }) = self.astray {
            self.unfilled.entry(name.clone()).or_insert_with(|| Unfilled::by(root, true));
        } else if let Some(changed) = &mut self.changed {
            changed.insert(name.clone());
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
        !self.unmade.is_empty()
            || !self.unfilled.is_empty()
            || self.changed.is_some()
            || self.astray.is_some()
    }

    /// Takes in a statement that has passed.
    pub(super) fn passed_statement(&mut self, tokens: &Tokens) {
        let effect = tokens.effect();
        if let Effect::Makes(name) | Effect::Drops(name) = &effect {
            self.unmade.remove(name);
            self.over.extend(self.unfilled.remove(name));
        }
        self.changes(&effect);
        match effect {
            // It has succeeded, or failed as it should: either way the engine is where the file is.
            Effect::Bounds(Boundary::Begin) => (self.astray, self.changed) = (None, Some(BTreeSet::new())),
            Effect::Bounds(Boundary::End) => (self.astray, self.changed) = (None, None),
            Effect::Bounds(Boundary::Savepoint) if self.astray.is_none() => {
                self.changed.get_or_insert_default();
            }
            _ => {}
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
    fn what_follows_from_a_transaction_that_was_not_begun_or_ended() {
        // Nothing was begun, so nothing is undone.
        check(
            &[
                ('-', "INSERT INTO t VALUES(0)"),
                ('?', "BEGIN"),
                ('-', "INSERT INTO t VALUES(1)"),
                ('-', "SELECT a FROM t"),
                ('?', "ROLLBACK"),
                ('x', "SELECT a FROM t"),
                ('x', "SELECT count(*) FROM T"),
                ('x', "SELECT a FROM s"),
                ('?', "ROLLBACK"),
            ],
            &[(4, 1), (5, 1), (6, 1)],
        );
        // A passing BEGIN says that the engine is where the file is; what is in the table is wrong all the same.
        check(
            &[
                ('-', "BEGIN"),
                ('-', "CREATE TABLE t(a)"),
                ('-', "INSERT INTO u VALUES(1)"),
                ('!', "ROLLBACK"),
                ('?', "COMMIT"),
                ('-', "BEGIN"),
                ('?', "CREATE TABLE t(a)"),
                ('x', "SELECT a FROM u"),
                ('-', "DROP TABLE u"),
                ('x', "SELECT a FROM u"),
            ],
            &[(4, 3), (6, 3), (7, 3)],
        );
        // SQL that the engine cannot parse fails in any transaction.
        check(&[('?', "SAVEPOINT a"), ('!', "RELEASE a"), ('?', "COMMIT")], &[(2, 0)]);
        // Most records of the table are right.
        check(
            &[
                ('-', "SAVEPOINT a"),
                ('-', "INSERT INTO t VALUES(1)"),
                ('!', "RELEASE a"),
                ('x', "SELECT a FROM t"),
                ('-', "SELECT b FROM t"),
                ('-', "SELECT c FROM t"),
            ],
            &[],
        );
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
