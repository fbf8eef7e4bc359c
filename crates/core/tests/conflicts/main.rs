//! The conflicts between the dialects: the same bytes with another meaning in each.
//!
//! Every case is one text, which is read in all dialects. docs/dialects.md has a table of the topics.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod engine;
mod flow;
mod headers;
mod lines;
mod results;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use engine::ConflictEngine;
use slt_core::executor::{DetailLimits, Options, Selection, run_script};
use slt_core::location::Source;
use slt_core::parser::{DIALECTS, IncludeError, IncludeFinder, SourceTree, profile};

/// The number of topics on which dialects could disagree.
const TOPICS: u8 = 42;

/// A text with its meaning in each dialect.
struct ConflictCase {
    /// The number of its topic.
    topic: u8,
    /// What it is about.
    name: &'static str,
    text: &'static str,
    /// Whether the texts that the engine was sent are part of the outcome.
    shows_sql: bool,
    /// The names that the engine answers to.
    labels: &'static [&'static str],
    /// Dialects, `!` behind those with `--exact`, and their outcome. All strict ones are there.
    outcomes: &'static [(&'static str, &'static str)],
}

impl ConflictCase {
    const fn new(
        topic: u8,
        name: &'static str,
        text: &'static str,
        outcomes: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { topic, name, text, shows_sql: false, labels: &["engine"], outcomes }
    }

    /// A case that is about the SQL that the engine gets.
    const fn showing_sql(self) -> Self {
        Self { shows_sql: true, ..self }
    }

    const fn with_labels(self, labels: &'static [&'static str]) -> Self {
        Self { labels, ..self }
    }
}

fn cases() -> impl Iterator<Item = &'static ConflictCase> {
    [lines::CASES, headers::CASES, results::CASES, flow::CASES].into_iter().flatten()
}

/// The only file that can be included is `part`, with one statement.
struct OnePart;

impl IncludeFinder for OnePart {
    fn find(&self, _: &Source, pattern: &[u8]) -> Result<Vec<Source>, IncludeError> {
        match pattern {
            b"part" => Ok(vec![Source::new("part", "statement ok\nok included\n")]),
            _ => Err(IncludeError::Failed("there is no such file".to_owned())),
        }
    }
}

/// Runs a case, and returns the counts, the first problem, and what the engine was sent.
fn outcome(case: &ConflictCase, dialect: &str) -> String {
    let exact = dialect.ends_with('!');
    let profile = profile(dialect.trim_end_matches('!'), exact).unwrap();
    let tree = SourceTree::load(Source::new("case.test", case.text), profile, &OnePart);
    let script = tree.parse(profile);
    let options = Options {
        labels: case.labels.iter().map(|&label| label.to_owned()).collect(),
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 10, values: 10 },
    };
    let engine = ConflictEngine::default();
    let report = run_script(&script, &engine, &options, Selection::All);
    let counts = &report.counts;
    assert!(counts.add_up(), "{}: {dialect}: {counts:?}", case.name);
    let numbers = [
        (counts.passed, "passed"),
        (counts.failed, "failed"),
        (counts.skipped, "skipped"),
        (counts.unsupported, "unsupported"),
        (counts.malformed, "malformed"),
        (counts.not_reached, "not reached"),
        (counts.faulted + counts.timed_out, "broken"),
    ];
    let parts = numbers.iter().filter(|(number, _)| *number > 0);
    let mut found = parts.map(|(number, word)| format!("{number} {word}")).collect::<Vec<_>>().join(", ");
    if let Some(first) = report.failures.first() {
        let word = first.detail.as_ref().unwrap().problem.word();
        write!(found, "; line {}: {word}", first.id.line).unwrap();
    }
    if case.shows_sql {
        write!(found, "; {:?}", engine.sent()).unwrap();
    }
    found
}

#[test]
fn each_dialect_gives_its_own_meaning_to_the_same_bytes() {
    let mut wrong = String::new();
    for case in cases() {
        for (dialects, expected) in case.outcomes {
            for dialect in dialects.split(' ') {
                let found = outcome(case, dialect);
                if found != *expected {
                    let ConflictCase { topic, name, .. } = case;
                    writeln!(
                        wrong,
                        "{topic} ({name}) in {dialect}:\n  expected {expected}\n  found    {found}"
                    )
                    .unwrap();
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_topic_has_a_case_in_all_dialects() {
    let topics: BTreeSet<u8> = cases().map(|case| case.topic).collect();
    assert_eq!(topics, (1..=TOPICS).collect());
    for case in cases() {
        let named = || case.outcomes.iter().flat_map(|(dialects, _)| dialects.split(' '));
        let strict: BTreeSet<&str> = named().filter(|dialect| !dialect.ends_with('!')).collect();
        assert_eq!(strict, DIALECTS.iter().copied().collect(), "{} ({})", case.topic, case.name);
        assert_eq!(named().count(), named().collect::<BTreeSet<_>>().len(), "{} ({})", case.topic, case.name);
    }
}

/// Topics on which all dialects agree here, with the reason; on all others some case has two outcomes.
const AGREED: &[(u8, &str)] = &[
    (26, "all conditions must hold; the last or first one never wins alone"),
    (29, "a condition skips; it never chooses a mode of the engine"),
];

#[test]
fn topics_without_a_conflict_are_known() {
    let conflicts: BTreeSet<u8> =
        cases().filter(|case| case.outcomes.len() > 1).map(|case| case.topic).collect();
    let agreed: BTreeSet<u8> = AGREED.iter().map(|(topic, _)| *topic).collect();
    assert!(conflicts.is_disjoint(&agreed));
    assert_eq!(conflicts.union(&agreed).count(), usize::from(TOPICS));
}
