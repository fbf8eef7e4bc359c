//! Counts constructs in the records of a run.

use std::cmp::Reverse;

use super::book::{ConstructId, ConstructKind};
use super::constructs::ConstructFinder;
use crate::analysis::facts::{ReadOptions, RecordLines};
use crate::analysis::{Analysis, SourceTexts};
use slt_core::executor::records_digest;
use slt_core::outcome::{FileReport, RunReport};
use slt_core::parser::{QueryExpectation, Record, RecordKind, Script, StatementExpectation};

/// The constructs of a run, what to implement next first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CoverageMap {
    /// The constructs: first those of failing records only, by their records, then those with the most failures
    /// beyond the average of all records.
    pub constructs: Vec<ConstructCoverage>,
    /// The counted records that passed.
    pub passed: u64,
    /// The counted records that failed.
    pub failed: u64,
    /// Failing records that are not counted, because an earlier failure caused them.
    pub consequences: u64,
    /// The number of files whose records were counted.
    pub files: u64,
    /// Files that were not counted, with the reason.
    pub left_out: Vec<(String, String)>,
}

/// The records with a construct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConstructCoverage {
    /// Its kind.
    pub kind: ConstructKind,
    /// Its name.
    pub name: String,
    /// The records that passed.
    pub passed: u64,
    /// The records that failed.
    pub failed: u64,
    /// The first failing record, or else the first record.
    pub example: ConstructPlace,
}

/// The place of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConstructPlace {
    /// The place of the file in the report of the run.
    pub file: usize,
    /// The line of the record.
    pub line: u32,
}

impl ConstructCoverage {
    /// Returns the number of records.
    pub fn records(&self) -> u64 {
        self.passed + self.failed
    }

    /// Returns the share of passing records.
    pub fn pass_rate(&self) -> f64 {
        self.passed as f64 / self.records().max(1) as f64
    }

    /// Returns whether no record with it passed.
    pub fn only_fails(&self) -> bool {
        self.passed == 0
    }
}

impl CoverageMap {
    /// Returns the number of constructs without a passing record, which come first.
    pub fn only_failing(&self) -> usize {
        self.constructs.iter().take_while(|construct| construct.only_fails()).count()
    }
}

/// Makes the coverage map of a run. `dialect` is the dialect of the run, if it was set.
pub fn coverage(
    report: &RunReport,
    dialect: Option<&str>,
    analysis: &Analysis,
    texts: &mut dyn SourceTexts,
) -> CoverageMap {
    let reading = ReadOptions { dialect, exact: report.header.exact, labels: &report.header.labels };
    let mut counting = Counting::default();
    let mut records = analysis.records.iter().peekable();
    for (number, file) in report.files.iter().enumerate() {
        let mut is_root = vec![true; file.failures.len()];
        while let Some(record) = records.next_if(|record| record.file as usize == number) {
            is_root[record.place as usize] = record.is_root;
        }
        if file.counts.executed == 0 {
            continue;
        }
        if let Err(why) = counting.file(number, file, &is_root, reading, texts) {
            counting.map.left_out.push((file.shown.clone(), why));
        }
    }
    counting.end()
}

#[derive(Debug, Clone, Copy, Default)]
struct ConstructCounts {
    passed: u64,
    failed: u64,
    first: Option<ConstructPlace>,
    first_failing: Option<ConstructPlace>,
}

#[derive(Default)]
struct Counting {
    map: CoverageMap,
    finder: ConstructFinder,
    counts: Vec<ConstructCounts>,
}

impl Counting {
    fn file(
        &mut self,
        number: usize,
        file: &FileReport,
        is_root: &[bool],
        reading: ReadOptions<'_>,
        texts: &mut dyn SourceTexts,
    ) -> Result<(), String> {
        let source = texts.text(file).map_err(|error| error.to_string())?;
        let script = reading.script(file, &source).map_err(|error| error.to_string())?;
        if file.records.is_some_and(|digest| digest != records_digest(&script)) {
            return Err("it has changed since".to_owned());
        }
        let lines = RecordLines::new(&script, file, reading.labels);
        if !are_known(&script, file, &lines) {
            return Err("the run does not say which of its records passed".to_owned());
        }
        self.map.files += 1;
        let mut buffer = Vec::new();
        for record in script.records().filter(|record| must_succeed(record)) {
            let Some(sql) = record.sql() else { continue };
            let failed = match lines.failing_at(record.line) {
                Some(place) if !was_executed(file, place) => continue,
                Some(place) if !is_root[place] => {
                    self.map.consequences += 1;
                    continue;
                }
                Some(_) => true,
                None if lines.has_passed(record) => false,
                None => continue,
            };
            let place = ConstructPlace { file: number, line: record.line };
            self.record(sql.text(&mut buffer), failed, place);
        }
        Ok(())
    }

    fn record(&mut self, sql: &[u8], failed: bool, place: ConstructPlace) {
        *(if failed { &mut self.map.failed } else { &mut self.map.passed }) += 1;
        for &id in self.finder.constructs(sql) {
            let index = id as usize;
            if self.counts.len() <= index {
                self.counts.resize(index + 1, ConstructCounts::default());
            }
            let counts = &mut self.counts[index];
            counts.first.get_or_insert(place);
            if failed {
                counts.failed += 1;
                counts.first_failing.get_or_insert(place);
            } else {
                counts.passed += 1;
            }
        }
    }

    fn end(self) -> CoverageMap {
        let Self { mut map, finder, counts } = self;
        let constructs = (0..).zip(counts).filter_map(|(id, counts): (ConstructId, _)| {
            let (kind, name) = finder.book.get(id)?;
            Some(ConstructCoverage {
                kind,
                name: name.to_owned(),
                passed: counts.passed,
                failed: counts.failed,
                example: counts.first_failing.or(counts.first)?,
            })
        });
        map.constructs = constructs.collect();
        let share = map.failed as f64 / (map.passed + map.failed).max(1) as f64;
        // Nearly every failing query has SELECT, but not because of it.
        let excess =
            |construct: &ConstructCoverage| construct.failed as f64 - share * construct.records() as f64;
        map.constructs.sort_by(|one, other| {
            let only = (!one.only_fails()).cmp(&!other.only_fails());
            let excess = excess(other).total_cmp(&excess(one));
            let failed = Reverse(one.failed).cmp(&Reverse(other.failed));
            let by_failures = if one.only_fails() { failed } else { excess.then(failed) };
            only.then(by_failures).then_with(|| (one.kind, &one.name).cmp(&(other.kind, &other.name)))
        });
        map
    }
}

/// Returns whether the record passes only if the engine executes its SQL without an error.
fn must_succeed(record: &Record<'_>) -> bool {
    match &record.kind {
        RecordKind::Statement(statement) => {
            matches!(statement.expected, StatementExpectation::Ok | StatementExpectation::Count(_))
        }
        RecordKind::Query(query) => !matches!(query.expected, QueryExpectation::Error(_)),
        _ => false,
    }
}

/// Returns whether the engine executed a failing record.
fn was_executed(file: &FileReport, place: usize) -> bool {
    let kind = file.failures.get(place).and_then(|record| file.kind_of(record));
    !matches!(kind, Some("malformed" | "not_allowed" | "unsupported"))
}

/// Returns whether the report tells passing records from those that were not executed.
///
/// In files with variable conditions or loops, more records may seem to have passed than were counted.
fn are_known(script: &Script<'_>, file: &FileReport, lines: &RecordLines<'_>) -> bool {
    script.records().filter(|record| lines.has_passed(record)).count() as u64 <= file.counts.passed
}
