//! A runner must be tested for failing: in copies of real files one thing is made wrong, and exactly the
//! touched record fails.

use std::collections::HashMap;
use std::path::PathBuf;

use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::outcome::Problem;
use vibesql_sqllogictest::parser::{Query, QueryExpectation, Record, RecordKind, SQLITE, parse};

use crate::support::{failing_lines, manifest, run_sqlite, shared, test_files};

/// One expectation to be made wrong.
pub(crate) struct Target {
    /// The line of the header, counted from 1; it stays where it is under every mutation.
    header: usize,
    /// The lines of the values.
    pub(crate) values: std::ops::Range<usize>,
    columns: usize,
    label: Option<String>,
    pub(crate) hashed: bool,
}

pub(crate) type Lines = Vec<String>;

/// Makes `lines` wrong at the target; nothing where the mutation does not apply to it.
pub(crate) type Mutation = fn(&Lines, &Target, &[Target]) -> Option<Lines>;

pub(crate) const MUTATIONS: &[(&str, Mutation)] = &[
    ("change a value", change_value),
    ("drop a value", drop_value),
    ("add a value", add_value),
    ("swap two rows", swap_rows),
    ("change a hash digit", change_digit),
    ("alter a count", alter_count),
    ("break a label", break_label),
];

fn change_value(lines: &Lines, target: &Target, _: &[Target]) -> Option<Lines> {
    let at = (!target.hashed).then(|| middle(&target.values))??;
    Some(with(lines, |lines| lines[at] += "x"))
}

fn drop_value(lines: &Lines, target: &Target, _: &[Target]) -> Option<Lines> {
    let at = (!target.hashed).then(|| middle(&target.values))??;
    Some(with(lines, |lines| drop(lines.remove(at))))
}

fn add_value(lines: &Lines, target: &Target, _: &[Target]) -> Option<Lines> {
    let extra = if target.hashed { return None } else { "0".to_owned() };
    Some(with(lines, |lines| lines.insert(target.values.end, extra)))
}

fn swap_rows(lines: &Lines, target: &Target, _: &[Target]) -> Option<Lines> {
    let rows: Vec<_> = target.values.clone().step_by(target.columns).collect();
    let row = |start: usize| &lines[start..start + target.columns];
    let pair = rows.windows(2).find(|pair| !target.hashed && row(pair[0]) != row(pair[1]))?;
    Some(with(lines, |lines| {
        (0..target.columns).for_each(|column| lines.swap(pair[0] + column, pair[1] + column));
    }))
}

fn change_digit(lines: &Lines, target: &Target, _: &[Target]) -> Option<Lines> {
    let at = target.hashed.then_some(target.values.start)?;
    Some(with(lines, |lines| {
        let digit = lines[at].pop().unwrap();
        lines[at].push(if digit == '0' { '1' } else { '0' });
    }))
}

fn alter_count(lines: &Lines, target: &Target, _: &[Target]) -> Option<Lines> {
    let at = target.hashed.then_some(target.values.start)?;
    let (count, rest) = lines[at].split_once(' ')?;
    let altered = format!("{} {rest}", count.parse::<u64>().unwrap() + target.columns as u64);
    Some(with(lines, |lines| lines[at] = altered))
}

/// Gives the target the label of an earlier query with another result.
fn break_label(lines: &Lines, target: &Target, all: &[Target]) -> Option<Lines> {
    let expectation = |target: &Target| &lines[target.values.clone()];
    let other = all.iter().find(|other| {
        other.header < target.header
            && other.label.is_some()
            && other.label != target.label
            && other.hashed == target.hashed
            && !other.values.is_empty()
            && expectation(other) != expectation(target)
    })?;
    let label = other.label.clone()?;
    let words: Vec<_> = lines[target.header - 1].split_whitespace().take(3).collect();
    if words.len() < 3 {
        return None;
    }
    let header = format!("{} {label}", words.join(" "));
    Some(with(lines, |lines| lines[target.header - 1] = header))
}

fn with(lines: &Lines, change: impl FnOnce(&mut Lines)) -> Lines {
    let mut lines = lines.clone();
    change(&mut lines);
    lines
}

fn middle(range: &std::ops::Range<usize>) -> Option<usize> {
    (!range.is_empty()).then(|| range.start + range.len() / 2)
}

/// The executed queries of a file with an expectation that can be touched.
pub(crate) fn targets(source: &Source) -> Vec<Target> {
    let script = parse(source, &SQLITE);
    let found = script.records().filter(|record| record.conditions.is_empty()).filter_map(|record| {
        let RecordKind::Query(query) = &record.kind else { return None };
        Some(target(record, query))
    });
    found.collect()
}

fn target(record: &Record<'_>, query: &Query<'_>) -> Target {
    // Value lines are the last lines of a record.
    let (values, hashed) = match &query.expected {
        QueryExpectation::Rows(listed) => (listed.lines().count(), false),
        QueryExpectation::Hash(_) => (1, true),
        other => panic!("not in the SQLite dialect: {other:?}"),
    };
    let end = record.lines.end as usize - 1;
    Target {
        header: record.line as usize,
        values: end - values..end,
        columns: query.types.len(),
        label: query.label.map(|label| String::from_utf8_lossy(label).into_owned()),
        hashed,
    }
}

/// The name of every copy: no verdict may depend on what a file is called.
const COPY: &str = "copy.test";

/// The records of an unchanged copy that fail. Only one of SQLite's corpus does: it is right by a hole of the reference,
/// which takes an error for the end of the rows.
fn failing_anyway(text: &str) -> Vec<u32> {
    let report = run_sqlite(COPY, text.as_bytes(), false);
    for detail in report.details() {
        assert_eq!(detail.sql, "SELECT sum(x) FROM t1");
        assert!(matches!(detail.problem, Problem::UnexpectedError { after_rows: true, .. }), "{detail:#?}");
    }
    assert!(report.failures.len() < 2, "{report:#?}");
    failing_lines(&report)
}

/// Touches up to `most` records of a file in every way; returns how often each way was used.
fn check_file(path: &PathBuf, most: usize, uses: &mut HashMap<&'static str, u32>) {
    let name = path.display();
    let text = std::fs::read_to_string(path).unwrap();
    let anyway = failing_anyway(&text);
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let lines: Lines = text.lines().map(str::to_owned).collect();
    let all = targets(&Source::new("t", text.as_str()));
    for (what, mutate) in MUTATIONS {
        let mut touched = 0;
        // Spread over the file in the same way every time: a stride that is prime reaches every record.
        for target in (0..all.len()).map(|index| &all[index * 7919 % all.len()]) {
            if anyway.contains(&(target.header as u32)) {
                continue;
            }
            let Some(mutated) = mutate(&lines, target, &all) else { continue };
            let longer = mutated.len() as i64 - lines.len() as i64;
            let after = |line: u32| (i64::from(line) + longer) as u32;
            let text = mutated.join(ending) + ending;
            let report = run_sqlite(COPY, text.as_bytes(), false);
            let header = target.header as u32;
            let moved = anyway.iter().map(|&line| if line > header { after(line) } else { line });
            let mut expected: Vec<_> = moved.chain([header]).collect();
            expected.sort_unstable();
            assert_eq!(failing_lines(&report), expected, "{what} in {name}: {:#?}", report.failures);
            assert!(report.counts.add_up());
            *uses.entry(what).or_default() += 1;
            touched += 1;
            if touched == most {
                break;
            }
        }
    }
}

#[test]
fn exactly_the_touched_record_fails() {
    let mut uses = HashMap::new();
    for path in test_files(&manifest().join("suites")) {
        check_file(&path, 3, &mut uses);
    }
    for (what, _) in MUTATIONS {
        assert!(uses.get(what).is_some_and(|&uses| uses >= 10), "{what}: {uses:?}");
    }
}

#[test]
fn exactly_the_touched_record_fails_in_the_corpus() {
    // Only where the corpus is; the shipped suite above has every kind of record, too.
    let Some(shared) = shared() else { return };
    let mut uses = HashMap::new();
    for file in ["select1.test", "select3.test", "evidence/slt_lang_aggfunc.test"] {
        check_file(&shared.join("corpus/sqlite").join(file), 3, &mut uses);
    }
    for (what, _) in MUTATIONS {
        assert!(uses.contains_key(what), "{what}: {uses:?}");
    }
}

#[test]
fn what_is_touched_fails_in_a_copy_of_every_file_of_the_corpus() {
    // Only where the corpus is.
    let Some(shared) = shared() else { return };
    let mut uses = HashMap::new();
    for path in test_files(&shared.join("corpus/sqlite")) {
        check_all_at_once(&path, &mut uses);
    }
    for (what, _) in MUTATIONS {
        assert!(uses.contains_key(what), "{what}: {uses:?}");
    }
}

/// Touches one record in each way, all in one copy: these and no others fail.
fn check_all_at_once(path: &PathBuf, uses: &mut HashMap<&'static str, u32>) {
    let text = std::fs::read_to_string(path).unwrap();
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines: Lines = text.lines().map(str::to_owned).collect();
    let all = targets(&Source::new("t", text.as_str()));
    let anyway = if path.ends_with("slt_lang_aggfunc.test") { failing_anyway(&text) } else { Vec::new() };
    // Each way has its own part of the file; the last comes first, so that the others stay where they are.
    let mut places: Vec<i64> = anyway.iter().map(|&line| i64::from(line)).collect();
    let share = all.len() / MUTATIONS.len();
    for (part, (what, mutate)) in MUTATIONS.iter().enumerate().rev() {
        let mut own = all[part * share..(part + 1) * share].iter();
        let touched = own.find_map(|target| {
            let is_free = !anyway.contains(&(target.header as u32));
            Some((target, mutate(&lines, target, &all).filter(|_| is_free)?))
        });
        let Some((target, mutated)) = touched else { continue };
        let longer = mutated.len() as i64 - lines.len() as i64;
        places.iter_mut().filter(|line| **line > target.header as i64).for_each(|line| *line += longer);
        places.push(target.header as i64);
        lines = mutated;
        *uses.entry(what).or_default() += 1;
    }
    places.sort_unstable();
    let report = run_sqlite(COPY, (lines.join(ending) + ending).as_bytes(), false);
    let failing: Vec<_> = failing_lines(&report).into_iter().map(i64::from).collect();
    assert_eq!(failing, places, "{}: {:#?}", path.display(), report.failures);
}
