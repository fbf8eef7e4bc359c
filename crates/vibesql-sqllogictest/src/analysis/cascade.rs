//! Which failures of a file follow from an earlier one.
//!
//! | the earlier record, which failed | a later one | is its consequence |
//! |---|---|---|
//! | makes NAME | says that something is missing, and names NAME | yes |
//! | changes what is in NAME | has a wrong result, and names NAME | if most queries of NAME have |
//!
//! What is a consequence itself has the same root. A record that makes or drops NAME, and passes, ends it.

use std::collections::BTreeMap;

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
        roots
    }
}

#[cfg(test)]
mod tests {
    use super::super::sql::tokens;
    use super::*;

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
