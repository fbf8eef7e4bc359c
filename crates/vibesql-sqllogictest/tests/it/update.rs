//! Updates of expectations, through the library: what is made wrong becomes right again, byte for byte.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use vibesql_sqllogictest::engine::Engine;
use vibesql_sqllogictest::engine::sqlite::Sqlite;
use vibesql_sqllogictest::engines;
use vibesql_sqllogictest::executor::update::{FileUpdate, UpdatePart, UpdateRefusal, UpdateScope};
use vibesql_sqllogictest::executor::{Observer, Selection, Surroundings, run_observed};
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::outcome::{Correction, Counts, FailingRecord, RecordId};
use vibesql_sqllogictest::parser::{self, Script, parse};

use crate::honesty::{MUTATIONS, targets};
use crate::support::{manifest, options, test_files};

#[derive(Default)]
struct Corrections(Vec<(RecordId, Correction)>);

impl Observer for Corrections {
    fn record_started(&mut self, _: &RecordId) {}
    fn record_not_passed(&mut self, _: &FailingRecord) {}
    fn record_settled(&mut self, _: &Counts) {}
    fn database_not_closed(&mut self, _: &vibesql_sqllogictest::engine::EngineError) {}

    fn wants_corrections(&self) -> bool {
        true
    }

    fn correction_found(&mut self, id: &RecordId, correction: &Correction) {
        self.0.push((id.clone(), correction.clone()));
    }
}

struct Updated {
    text: String,
    changed: Vec<(u32, UpdatePart)>,
    refused: Vec<(u32, UpdateRefusal)>,
    executions: u32,
}

fn update_on(engine: &dyn Engine, dialect: &str, text: &str, scope: &UpdateScope) -> Updated {
    update_with(engine, parser::profile(dialect, false).unwrap(), text, scope)
}

fn update_with(
    engine: &dyn Engine,
    profile: &'static parser::Profile,
    text: &str,
    scope: &UpdateScope,
) -> Updated {
    let source = Source::new("t.test", text);
    let script = parse(&source, profile);
    let labels = engine.describe().unwrap().labels;
    let labels: Vec<_> = labels.iter().map(String::as_str).collect();
    let mut update = FileUpdate::new(&script, scope);
    let mut executions = 0;
    loop {
        let source = Source::new("t.test", update.text());
        let current = parse(&source, profile);
        let mut corrections = Corrections::default();
        let surroundings = Surroundings::isolated(engine);
        let report =
            run_observed(&current, surroundings, &options(&labels), Selection::All, &mut corrections);
        executions += 1;
        if !update.take(&report, &corrections.0) {
            break;
        }
    }
    Updated {
        text: String::from_utf8(update.text()).unwrap(),
        changed: update.changed().map(|changed| (changed.line, changed.update.part)).collect(),
        refused: update.refused().map(|refused| (refused.id.line, refused.refusal)).collect(),
        executions,
    }
}

fn update(dialect: &str, text: &str) -> Updated {
    update_on(&Sqlite, dialect, text, &UpdateScope::default())
}

/// Files in which every layout of the dialect occurs. The errors are filled in by an update.
const TEMPLATES: &[(&str, &str)] = &[
    (
        "sqlite",
        "hash-threshold 6\n\nstatement ok\nCREATE TABLE t(a INTEGER, b TEXT)\n\n\
         statement ok\nINSERT INTO t VALUES (1,'one'),(20,'two words'),(300,NULL)\n\n\
         query IT rowsort\nSELECT a, b FROM t\n----\n1\none\n20\ntwo words\n# a comment\n300\nNULL\n\n\
         query I valuesort label-1\nSELECT a FROM t\n----\n1\n20\n300\n\n\
         # in between\nquery ITI nosort\nSELECT a, b, 1 FROM t\n----\n9 values hashing to 0\n\n\
         query T nosort\nSELECT b FROM t WHERE a = 1\n----\none\n",
    ),
    (
        "rs",
        "statement ok\nCREATE TABLE t(a INTEGER, b TEXT)\n\n\
         statement count 3\nINSERT INTO t VALUES (1,'one'),(20,'two words'),(300,NULL)\n\n\
         query IT rowsort\nSELECT a, b FROM t WHERE a <> 20 UNION ALL SELECT 20, 'two'\n----\n1    one\n20   two\n300  NULL\n\n\
         query II nosort\nSELECT a, a+1 FROM t ORDER BY a\n----\n1 2\n20 21\n300 301\n\n\
         query II nosort\nSELECT a, a+1 FROM t ORDER BY a\n----\n1\t2\n20\t21\n300\t301\n\n\
         query II valuesort\nSELECT a, a+1 FROM t\n----\n1\n2\n20\n21\n300\n301\n\n\
         control resultmode valuewise\n\n\
         query II nosort\nSELECT a, a+1 FROM t ORDER BY a\n----\n1\n2\n20\n21\n300\n301\n\n\
         statement error x\nSELECT * FROM missing\n\n\
         statement error\nSELECT * FROM missing\n----\nx\n\n\n\
         query error x\nSELECT c FROM t\n\n\
         query T\nSELECT b FROM t WHERE a = 20\n----\ntwo words\n",
    ),
    (
        "vibesql",
        "statement ok\nCREATE TABLE t(a INTEGER, b TEXT)\n\n\
         statement ok\nINSERT INTO t VALUES (1,'one'),(20,'two'),(300,NULL)\n\n\
         query IT rowsort\nSELECT a, b FROM t\n----\n1\none\n20\ntwo\n300\nNULL\n\n\
         query IT rowsort\nSELECT a, b FROM t\n----\n1 one\n20 two\n300 NULL\n\n\
         query IIII nosort\nSELECT a, a+1, a+2, a+3 FROM t ORDER BY a\n----\n12 values hashing to 00000000000000000000000000000000\n\n\
         statement error x # a comment\nSELECT * FROM missing\n",
    ),
    (
        "duckdb",
        "statement ok\nCREATE TABLE t(a INTEGER, b TEXT)\n\n\
         statement ok\nINSERT INTO t VALUES (1,'one'),(20,'two words'),(300,NULL)\n\n\
         query IT\nSELECT a, b FROM t ORDER BY a\n----\n1\tone\n20\ttwo words\n300\tNULL\n\n\
         query IT rowsort\nSELECT a, b FROM t\n----\n1\none\n20\ntwo words\n300\nNULL\n\n\
         query I\nSELECT a FROM t ORDER BY a\n----\n1\n20\n300\n\n\
         loop i 0 3\n\nquery I\nSELECT 5 + 0 * {i}\n----\n5\n\nendloop\n\n\
         statement error\nSELECT * FROM missing\n----\nx\n",
    ),
    (
        "cockroach",
        "statement ok\nCREATE TABLE t(a INTEGER, b TEXT)\n\n\
         statement count 3\nINSERT INTO t VALUES (1,'one'),(20,'two'),(300,NULL)\n\n\
         query IT rowsort\nSELECT a, b FROM t\n----\n1    one\n20   two\n300  NULL\n\n\
         query IT nosort\nSELECT a, b FROM t ORDER BY a\n----\n1 one\n20 two\n300 NULL\n\n\
         query IT colnames,rowsort\nSELECT a, b FROM t\n----\na    b\n1    one\n20   two\n300  NULL\n\n\
         query I nosort\nSELECT a FROM t ORDER BY a\n----\n3 values hashing to 00000000000000000000000000000000\n\n\
         statement error x\nSELECT * FROM missing\n\n\
         query error x\nSELECT c FROM t\n",
    ),
    (
        "materialize",
        "mode cockroach\n\nstatement ok\nCREATE TABLE t(a INTEGER, b TEXT)\n\n\
         statement count 3\nINSERT INTO t VALUES (1,'one'),(20,'two words'),(300,NULL)\n\n\
         query IT rowsort\nSELECT a, b FROM t\n----\n1    one\n20   two\u{2420}words\n300  NULL\n\n\
         query IT colnames,nosort\nSELECT a, b FROM t ORDER BY a\n----\na    b\n1    one\n20   two\u{2420}words\n300  NULL\n\n\
         query T multiline\nSELECT 'one' || char(10) || 'two'\n----\none\ntwo\nEOF\n\n\
         simple\nSELECT a FROM t ORDER BY a; SELECT 1\n----\n1\n20\n300\nCOMPLETE 3\n1\nCOMPLETE 1\n\n\
         mode standard\n\nquery IT rowsort\nSELECT a, b FROM t\n----\n1\none\n20\ntwo words\n300\nNULL\n\n\
         query error x\nSELECT c FROM t\n",
    ),
];

/// The text of a template with right errors and hashes.
fn base(dialect: &str, template: &str) -> String {
    let first = update(dialect, template);
    assert_eq!(first.refused, [], "{dialect}");
    let again = update(dialect, &first.text);
    assert_eq!((again.text.as_str(), again.executions), (first.text.as_str(), 1), "{dialect}");
    first.text
}

/// A way to make an expectation wrong.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Append,
    Replace,
    Remove,
    Double,
    SwapWithNext,
}

/// Damages the expectation of a record; nothing where it has none.
fn damaged(script: &Script<'_>, record: usize, line: usize, damage: Damage) -> Option<String> {
    let record = script.records().nth(record)?;
    let places = script.places(record)?;
    let text = script.source.bytes();
    let string = |range: std::ops::Range<usize>| String::from_utf8(text[range].to_vec()).unwrap();
    let lines = places.result.as_ref().map(|result| result.lines.as_slice()).unwrap_or_default();
    let Some((place, whole)) = lines.get(line % lines.len().max(1)).cloned() else {
        // The count or the pattern ends the header.
        let header = string(places.header.clone());
        let tail = if header.contains("count") { "1" } else { "q" };
        let at = header.find(" #").unwrap_or(header.len()) + places.header.start;
        let is_judged = ["count ", "error "].iter().any(|word| header.contains(word));
        return is_judged.then(|| string(0..at) + tail + &string(at..text.len()));
    };
    let (before, after) = (string(0..whole.start), string(whole.end..text.len()));
    let end = string(place.end..whole.end);
    if string(place.clone()).contains("hashing to") {
        // What is no hash line any more would be a list.
        let digit = if string(0..place.end).ends_with('0') { "1" } else { "0" };
        return Some(string(0..place.end - 1) + digit + &string(place.end..text.len()));
    }
    Some(match damage {
        Damage::Append => string(0..place.end) + "q" + &string(place.end..text.len()),
        // The white space of a row is not known any more.
        Damage::Replace | Damage::Remove if string(place.clone()).split_whitespace().count() > 1 => {
            return None;
        }
        Damage::Replace => before + "q" + &end + &after,
        Damage::Remove if end.is_empty() => return None,
        Damage::Remove => before + &after,
        Damage::Double if end.is_empty() => return None,
        Damage::Double => before + &string(whole.clone()) + &string(whole) + &after,
        Damage::SwapWithNext => {
            let (_, next) = lines.get(line % lines.len() + 1)?.clone();
            if next.start != whole.end || !string(next.clone()).ends_with('\n') {
                return None;
            }
            before + &string(next.clone()) + &string(whole) + &string(next.end..text.len())
        }
    })
}

#[test]
fn a_damaged_expectation_becomes_what_it_was() {
    let bases: BTreeMap<&str, String> =
        TEMPLATES.iter().map(|(dialect, template)| (*dialect, base(dialect, template))).collect();
    const DAMAGES: &[Damage] =
        &[Damage::Append, Damage::Replace, Damage::Remove, Damage::Double, Damage::SwapWithNext];
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() });
    let strategy = (
        0..TEMPLATES.len(),
        0..14_usize,
        0..12_usize,
        prop::sample::select(DAMAGES),
        any::<bool>(),
        any::<bool>(),
    );
    let found = runner.run(&strategy, |(dialect, record, line, damage, crlf, cut)| {
        let dialect = TEMPLATES[dialect].0;
        let mut original = bases[dialect].clone();
        if cut {
            original.truncate(original.trim_end().len());
        }
        if crlf {
            original = original.replace('\n', "\r\n");
        }
        let source = Source::new("t.test", original.as_str());
        let script = parse(&source, parser::profile(dialect, false).unwrap());
        let Some(text) = damaged(&script, record, line, damage) else { return Ok(()) };
        let updated = update(dialect, &text);
        // Some damage is none: both sides are sorted, or the same line stands twice.
        let expected = if updated.executions == 1 { &text } else { &original };
        if updated.text != *expected || !updated.refused.is_empty() {
            let shown =
                format!("{dialect}: {:?}\n{text:?}\n{:?}\n{expected:?}", updated.refused, updated.text);
            return Err(TestCaseError::fail(shown));
        }
        Ok(())
    });
    found.unwrap();
}

#[test]
fn damaged_files_of_the_shipped_suite_become_what_they_were() {
    let mut uses = BTreeMap::new();
    for path in test_files(&manifest().join("suites")) {
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(update("sqlite", &text).text, text, "{}", path.display());
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let all = targets(&Source::new("t", text.as_str()));
        for (what, mutate) in MUTATIONS.iter().filter(|(what, _)| *what != "break a label") {
            let mut places = (0..all.len()).map(|index| &all[index * 7919 % all.len()]);
            // A list that contradicts the threshold would become a hash.
            let is_usual = |target: &&crate::honesty::Target| target.hashed || target.values.len() <= 8;
            let mutated = places.by_ref().filter(is_usual).find_map(|target| mutate(&lines, target, &all));
            let Some(mutated) = mutated else { continue };
            let updated = update("sqlite", &(mutated.join("\n") + "\n"));
            assert_eq!(updated.text, text, "{what} in {}: {:?}", path.display(), updated.refused);
            assert_eq!(updated.changed.len(), 1, "{what} in {}", path.display());
            *uses.entry(*what).or_insert(0) += 1;
        }
    }
    assert!(uses.len() == MUTATIONS.len() - 1 && uses.values().all(|&uses| uses >= 5), "{uses:?}");
}

fn scripted(text: &str) -> Updated {
    let engine = engines::builtin().make("scripted").unwrap();
    update_on(engine.as_ref(), "sqlite", text, &UpdateScope::default())
}

#[test]
fn what_is_no_result_is_not_blessed() {
    for (dialect, text, line, refusal) in [
        // Different in each execution.
        ("sqlite", "query I nosort\nSELECT random() & 268435455\n----\n1\n", 1, UpdateRefusal::Unstable),
        ("sqlite", "statement ok\nSELEKT\n", 1, UpdateRefusal::OtherKind),
        ("sqlite", "query I nosort\nSELEKT\n----\n1\n", 1, UpdateRefusal::OtherKind),
        ("sqlite", "statement error\nSELECT 1\n", 1, UpdateRefusal::OtherKind),
        ("sqlite", "query II nosort\nSELECT 1\n----\n1\n", 1, UpdateRefusal::Problem),
        ("sqlite", "query I nosrt\nSELECT 1\n----\n2\n", 1, UpdateRefusal::Problem),
        (
            "sqlite",
            "query I nosort a\nSELECT 1\n----\n1\n\nquery I nosort a\nSELECT 2\n----\n2\n",
            6,
            UpdateRefusal::Problem,
        ),
        // A line with nothing but blanks ends the result.
        ("sqlite", "query T nosort\nSELECT '  '\n----\n1\n", 1, UpdateRefusal::NotWritable),
        ("sqlite", "query T nosort\nSELECT '#'\n----\n1\n", 1, UpdateRefusal::NotWritable),
        ("rs", "query T\nSELECT ' '\n----\n1\n", 1, UpdateRefusal::NotWritable),
        ("rs", "query T\nSELECT 'abc'\n----\na<slt:ignore>d\n", 1, UpdateRefusal::Pattern),
        ("duckdb", "query I\nSELECT 'abc'\n----\n<REGEX>:a.*d\n", 1, UpdateRefusal::Problem),
        ("duckdb", "query T\nSELECT 'abc'\n----\n<REGEX>:a.*d\n", 1, UpdateRefusal::Pattern),
        ("duckdb", "statement error\nSELEKT\n----\n<REGEX>:a.*d\n", 1, UpdateRefusal::Pattern),
        ("duckdb", "loop i 0 3\n\nquery I\nSELECT {i}\n----\n0\n\nendloop\n", 3, UpdateRefusal::Iterations),
        ("duckdb", "loop i 0 3\n\nquery I\nSELECT {i}\n----\n7\n\nendloop\n", 3, UpdateRefusal::Iterations),
        ("cockroach", "query I\nSELECT 1 UNION ALL SELECT 2\n----\n1\n2\n", 1, UpdateRefusal::Problem),
        ("cockroach", "query I\nSELECT 1 UNION ALL SELECT 2\n----\n8\n9\n", 1, UpdateRefusal::StillFails),
        (
            "sqlite",
            "query I nosort a\nSELECT 1\n----\n1\n\nquery I nosort a\nSELECT 2\n----\n3\n",
            6,
            UpdateRefusal::StillFails,
        ),
    ] {
        let updated = update(dialect, text);
        assert_eq!(updated.text, text);
        if !(dialect == "duckdb" && refusal == UpdateRefusal::Problem) {
            assert_eq!(updated.refused, [(line, refusal)], "{text}");
        }
    }
}

#[test]
fn text_that_reads_like_a_pattern_is_not_blessed() {
    let hash = "2 values hashing to 6ddb4095eb719e2a9f0a3f95677d24e0";
    for (dialects, values) in [
        (&["rs", "vibesql"][..], &["<slt:ignore>", "abc<slt:ignore>def", hash][..]),
        (&["duckdb"], &["<REGEX>:.*", "<!REGEX>:zz", "<FILE>:a.csv", hash]),
        (&["sqlite", "cockroach", "materialize"], &[hash]),
        (&["cockroach"], &["1 value hashing to 6DDB4095EB719E2A9F0A3F95677D24E0"]),
    ] {
        for (dialect, value) in
            dialects.iter().flat_map(|dialect| values.iter().map(move |value| (dialect, value)))
        {
            // Where nothing else stands for it, with other expectations as well.
            for old in ["x\n", "", "x\ny\n"] {
                let text = format!("query T rowsort\nSELECT '{value}'\n----\n{old}");
                let updated = update(dialect, &text);
                assert_eq!(updated.refused, [(1, UpdateRefusal::NotWritable)], "{dialect}: {value}");
                assert_eq!(updated.text, text);
            }
        }
    }
    for (dialect, text) in [
        // One cell of several.
        ("duckdb", "query IT\nSELECT 1, '<REGEX>:.*'\n----\n1\tx\n"),
        ("rs", "query TT\nSELECT 'a', '<slt:ignore>'\n----\na x\n"),
        ("vibesql", "query TT\nSELECT 'a', '<slt:ignore>'\n----\na\nx\n"),
    ] {
        let updated = update(dialect, text);
        assert_eq!(
            (updated.text.as_str(), updated.refused.len()),
            (text, 1),
            "{dialect}: {:?}",
            updated.refused
        );
        assert_eq!(updated.refused[0].1, UpdateRefusal::NotWritable, "{dialect}: {text}");
    }
    // As one of several lines, the text of a hash line is a value.
    let text = format!("query T\nSELECT '{hash}' UNION ALL SELECT 'a'\n----\nx\n");
    assert_eq!(update("rs", &text).text, text.replace("x\n", &format!("{hash}\na\n")));
    // A cell that a pattern still matches stays, whatever changes beside it.
    let text = "query IT\nSELECT 1, 'abc'\n----\n2\t<REGEX>:a.*\n";
    assert_eq!(update("duckdb", text).text, text.replace("2\t", "1\t"));
    // Messages, too.
    let error = "statement error\nerror <REGEX>:.*\n----\nx\n";
    let engine = engines::builtin().make("scripted").unwrap();
    let updated = update_on(engine.as_ref(), "duckdb", error, &UpdateScope::default());
    assert_eq!((updated.text.as_str(), updated.refused), (error, vec![(1, UpdateRefusal::NotWritable)]));
}

#[test]
fn a_record_behind_a_missing_blank_line_is_not_lost() {
    let glued = "query I\nSELECT 1\n----\n2\nquery I\nSELECT 2\n----\n2\n";
    let texts = TEMPLATES.iter().map(|(dialect, _)| (*dialect, glued, 5)).chain([
        ("rs", "statement error\nSELECT * FROM nope\n----\nwrong\n\nquery I\nSELECT 1\n----\n1\n", 6),
        ("vibesql", "statement error\nSELECT * FROM nope\n----\nwrong\n\nquery I\nSELECT 1\n----\n1\n", 6),
        ("duckdb", "query I\nSELECT 1\n----\n2\nrequire json\n", 5),
        ("sqlite", "skipif x\nquery I nosort\nSELECT 1\n----\n# why\n2\nhalt\n", 7),
        ("cockroach", "query I rowsort\nSELECT 1 UNION SELECT 2\n----\n3\nstatement ok\nSELECT 2\n", 5),
    ]);
    for (dialect, text, line) in texts {
        let updated = update(dialect, text);
        assert_eq!(updated.text, text, "{dialect}");
        let refusal = UpdateRefusal::HeaderInExpectation { line };
        assert!(
            updated.refused.iter().any(|(_, found)| *found == refusal),
            "{dialect}: {:?}",
            updated.refused
        );
    }
    // A value that looks like one, and stays.
    let text = "query T nosort\nSELECT 'halt' UNION ALL SELECT 'a'\n----\nhalt\nb\n";
    assert_eq!(update("sqlite", text).text, text.replace("b\n", "a\n"));
}

#[test]
fn the_form_is_what_the_reference_compares() {
    let text = "hash-threshold 3\n\nquery I rowsort\nSELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4\n----\n1\n2\n";
    for dialect in ["rs", "vibesql"] {
        let updated =
            update_with(&Sqlite, parser::profile(dialect, true).unwrap(), text, &UpdateScope::default());
        assert_eq!(updated.text, text.replace("1\n2\n", "1\n2\n3\n4\n"), "{dialect}: {:?}", updated.refused);
    }
}

#[test]
fn only_the_named_parts_change() {
    let text = "query I nosort\nSELECT 1\n----\n2\n\nquery I nosort\nSELECT 1 UNION ALL SELECT 2\n----\n2\n1\n\n\
                query I nosort\nSELECT 3\n----\n1 values hashing to 00000000000000000000000000000000\n";
    for (part, line) in [(UpdatePart::Results, 1), (UpdatePart::Order, 6), (UpdatePart::Hashes, 12)] {
        let scope = UpdateScope { parts: vec![part], changes_kind: false };
        let updated = update_on(&Sqlite, "sqlite", text, &scope);
        assert_eq!(updated.changed, [(line, part)]);
        assert_eq!(updated.refused.len(), 2, "{:?}", updated.refused);
    }
    let scope = UpdateScope { parts: vec![UpdatePart::Errors], changes_kind: false };
    assert_eq!(update_on(&Sqlite, "sqlite", text, &scope).text, text);
}

#[test]
fn kinds_change_on_request_in_every_dialect() {
    let scope = UpdateScope { parts: Vec::new(), changes_kind: true };
    for (dialect, text, expected) in [
        (
            "sqlite",
            "query I nosort\nSELECT x\n----\n1\n\nstatement error\nSELECT 1\n",
            "statement error\nSELECT x\n\nstatement ok\nSELECT 1\n",
        ),
        (
            "rs",
            "query I\nSELECT x\n----\n1\n\nstatement error\nSELECT 1\n----\nno\n",
            "query error MESSAGE\nSELECT x\n\nstatement ok\nSELECT 1\n",
        ),
        ("vibesql", "statement ok # why\nSELECT x\n", "statement error MESSAGE # why\nSELECT x\n"),
        (
            "duckdb",
            "query I\nSELECT x\n----\n1\n\nstatement error\nSELECT 1\n----\nno\n",
            "statement error\nSELECT x\n----\nMESSAGE\n\nstatement ok\nSELECT 1\n",
        ),
        (
            "cockroach",
            "query I\nSELECT x\n----\n1\n\nstatement error no\nSELECT 1\n",
            "query error MESSAGE\nSELECT x\n\nstatement ok\nSELECT 1\n",
        ),
        (
            "materialize",
            "query I\nSELECT x\n----\n1\n\nstatement error no\nSELECT 1\n",
            "query error MESSAGE\nSELECT x\n\nstatement ok\nSELECT 1\n",
        ),
    ] {
        let updated = update_on(&Sqlite, dialect, text, &scope);
        let message = updated.text.lines().find(|line| line.contains("no such column"));
        let message = message
            .map(|line| line.trim_start_matches("query error ").trim_start_matches("statement error "));
        let message = message.map(|line| line.trim_end_matches(" # why"));
        assert_eq!(
            updated.text,
            expected.replace("MESSAGE", message.unwrap_or("MESSAGE")),
            "{dialect}: {:?}",
            updated.refused
        );
        assert_eq!(updated.refused, []);
    }
}

#[test]
fn results_without_expectation_get_one() {
    for (dialect, text, expected) in [
        ("sqlite", "query I nosort\nSELECT 1", "query I nosort\nSELECT 1\n----\n1"),
        ("sqlite", "query I nosort\r\nSELECT 1\r\n----\r\n", "query I nosort\r\nSELECT 1\r\n----\r\n1\r\n"),
        ("rs", "query IT\nSELECT 1, 'a'\n", "query IT\nSELECT 1, 'a'\n----\n1 a\n"),
        ("duckdb", "query IT\nSELECT 1, 'a'\n----\n", "query IT\nSELECT 1, 'a'\n----\n1\ta\n"),
        ("cockroach", "query IT\nSELECT 1, 'a'\n----", "query IT\nSELECT 1, 'a'\n----\n1 a"),
    ] {
        assert_eq!(update(dialect, text).text, expected, "{dialect}");
    }
}

#[test]
fn nothing_is_taken_from_an_engine_that_breaks() {
    let crash = "query I nosort\nrows 1\n----\n2\n\nquery I nosort\npanic\n----\n1\n";
    let updated = scripted(crash);
    assert!(updated.refused.iter().any(|(line, _)| *line == 6), "{:?}", updated.refused);
    assert!(updated.text.ends_with("panic\n----\n1\n"), "{}", updated.text);
}
