//! Finds failures that follow from an earlier failure in their file.
//!
//! | the earlier record, which failed | a later one | is its consequence |
//! |---|---|---|
//! | creates NAME | reports a missing object, and names NAME | yes |
//! | changes the contents of NAME | has a wrong result, and names NAME | if most queries of NAME have |
//! | begins or ends a transaction or savepoint | does so too, before the engine's transaction state is certain | yes |
//! | does so, while NAME is changed | fails, and names NAME | if most records that name it do from the first on |
//! | is the first with a label, with a wrong result | has another result under this label, and no other fault | yes |
//!
//! Consequences of a consequence have the same root. A passing record that creates or drops NAME ends the cascade.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::sql::{SqlTokens, StatementEffect, TransactionBoundary};
use super::symptom::{Symptom, WRONG_RESULT};

/// The place of a failing record among those of the file.
pub(super) type FailureIndex = usize;

/// The records of a file in order, with the objects that failed records left missing or wrong.
#[derive(Debug, Default)]
pub(super) struct Cascade {
    /// Objects that were not created, with the root of the failure.
    unmade: BTreeMap<String, FailureIndex>,
    /// Objects with wrong contents.
    unfilled: BTreeMap<String, WrongContent>,
    /// Objects that were dropped or replaced since.
    over: Vec<WrongContent>,
    /// The query that had each label first, if its result is wrong.
    labels: HashMap<Vec<u8>, Option<FailureIndex>>,
    /// The objects changed by the current transaction.
    changed: Option<BTreeSet<String>>,
    /// The failed begin or end of a transaction, while the engine's transaction state is uncertain.
    astray: Option<FailedTransaction>,
    roots: BTreeMap<FailureIndex, FailureIndex>,
}

#[derive(Debug)]
struct WrongContent {
    root: FailureIndex,
    /// Queries of it with wrong results.
    wrong: Vec<FailureIndex>,
    /// The estimated number of its passing queries.
    passed: f64,
    /// Whether the root is a transaction: then contents are wrong only from the first failure on.
    by_transaction: bool,
}

impl WrongContent {
    fn by(root: FailureIndex, by_transaction: bool) -> Self {
        Self { root, wrong: Vec::new(), passed: 0.0, by_transaction }
    }

    fn failed(&mut self, place: FailureIndex) {
        if self.by_transaction && self.wrong.is_empty() {
            self.passed = 0.0;
        }
        self.wrong.push(place);
    }
}

#[derive(Debug, Clone, Copy)]
struct FailedTransaction {
    root: FailureIndex,
    /// Whether the transaction failed to begin; then the engine is in no transaction when the file ends it.
    outside: bool,
}

/// The kind of failure of a query with a correct result.
const LABEL_DIFFERS: &str = "label_differs";
/// The kinds of failure after which the label still takes the result.
const RESULTS: [&str; 3] = ["rows_differ", "hash_differs", "presentation_differs"];

/// The minimum share of wrong queries of an object with wrong contents.
const MOST: f64 = 0.5;

impl Cascade {
    /// Processes a failed record.
    pub(super) fn failed(&mut self, place: FailureIndex, tokens: &SqlTokens, symptom: &Symptom) {
        let effect = tokens.effect();
        if let StatementEffect::Bounds(boundary) = effect {
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
                |unfilled: &WrongContent| is_wrong || unfilled.by_transaction && symptom.may_come_of_state();
            let named = self.unfilled.iter_mut().filter(|(name, it)| fits(it) && tokens.has_name(name));
            if let Some((_, first)) = named.min_by_key(|(_, unfilled)| unfilled.root) {
                first.failed(place);
            }
        }
        let root = root.unwrap_or(place);
        match effect {
            // The object exists in any case.
            StatementEffect::Makes(_) if symptom.kind == "unexpected_success" => {}
            StatementEffect::Makes(name) => {
                self.unmade.entry(name).or_insert(root);
            }
            StatementEffect::Fills(name) => {
                self.unfilled.entry(name).or_insert_with(|| WrongContent::by(root, false));
            }
            StatementEffect::Drops(_) | StatementEffect::Bounds(_) | StatementEffect::Other => {}
        }
    }

    /// Processes a failed begin or end of a transaction.
    fn failed_boundary(&mut self, place: FailureIndex, boundary: TransactionBoundary, symptom: &Symptom) {
        if let Some(astray) = self.astray {
            if symptom.may_come_of_state() {
                self.roots.insert(place, astray.root);
            }
            if boundary == TransactionBoundary::End && astray.outside {
                self.astray = None;
            }
            return;
        }
        let outside = matches!(boundary, TransactionBoundary::Begin | TransactionBoundary::Savepoint);
        self.astray = Some(FailedTransaction { root: place, outside });
        for name in self.changed.take().into_iter().flatten() {
            self.unfilled.entry(name).or_insert_with(|| WrongContent::by(place, true));
        }
    }

    /// Records a change, in case the transaction is rolled back.
    fn changes(&mut self, effect: &StatementEffect) {
        let (StatementEffect::Makes(name) | StatementEffect::Fills(name) | StatementEffect::Drops(name)) =
            effect
        else {
            return;
        };
        if let Some(FailedTransaction { root, .. }) = self.astray {
            self.unfilled.entry(name.clone()).or_insert_with(|| WrongContent::by(root, true));
        } else if let Some(changed) = &mut self.changed {
            changed.insert(name.clone());
        }
    }

    /// Records a failed query with this label; `kind` is the kind of failure.
    ///
    /// Its result is compared with that of the first query of the label, so a wrong first result makes it fail.
    pub(super) fn failed_labelled(&mut self, place: FailureIndex, label: &[u8], kind: &str) {
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

    /// Processes a query with this label that passed or was skipped by a condition: then its expectation counts.
    pub(super) fn has_label(&mut self, label: &[u8]) {
        if !self.labels.contains_key(label) {
            self.labels.insert(label.to_vec(), None);
        }
    }

    /// Returns whether passing records matter.
    pub(super) fn is_open(&self) -> bool {
        !self.unmade.is_empty()
            || !self.unfilled.is_empty()
            || self.changed.is_some()
            || self.astray.is_some()
    }

    /// Processes a passing statement.
    pub(super) fn passed_statement(&mut self, tokens: &SqlTokens) {
        let effect = tokens.effect();
        if let StatementEffect::Makes(name) | StatementEffect::Drops(name) = &effect {
            self.unmade.remove(name);
            self.over.extend(self.unfilled.remove(name));
        }
        self.changes(&effect);
        match effect {
            // The statement passed, so engine and file agree on the transaction.
            StatementEffect::Bounds(TransactionBoundary::Begin) => {
                (self.astray, self.changed) = (None, Some(BTreeSet::new()));
            }
            StatementEffect::Bounds(TransactionBoundary::End) => (self.astray, self.changed) = (None, None),
            StatementEffect::Bounds(TransactionBoundary::Savepoint) if self.astray.is_none() => {
                self.changed.get_or_insert_default();
            }
            _ => {}
        }
    }

    /// Records a passing query, which represents `weight` queries.
    pub(super) fn passed_query(&mut self, tokens: &SqlTokens, weight: f64) {
        let named = self.unfilled.iter_mut().filter(|(name, _)| tokens.has_name(name));
        named.for_each(|(_, unfilled)| unfilled.passed += weight);
    }

    /// Returns the root of each consequence.
    pub(super) fn end(self) -> BTreeMap<FailureIndex, FailureIndex> {
        let mut roots = self.roots;
        for unfilled in self.over.into_iter().chain(self.unfilled.into_values()) {
            let wrong = unfilled.wrong.len() as f64;
            if wrong > MOST * (wrong + unfilled.passed) {
                roots.extend(unfilled.wrong.iter().map(|&place| (place, unfilled.root)));
            }
        }
        // The first query of a label may be a consequence itself. A root precedes its consequences.
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
        // Wrong independently of the label.
        cascade.failed_labelled(2, b"x", "hash_differs");
        // The first one is right, or is skipped and its expectation counts; or it has no result.
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

    /// Checks outcomes: `-` has passed, `!` is any error, `?` misses an object, `x` is a wrong result.
    fn check(records: &[(char, &str)], expected: &[(FailureIndex, FailureIndex)]) {
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
        // No transaction was begun, so nothing is undone.
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
        // A passing BEGIN makes the transaction state certain; the contents of the table are still wrong.
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
