//! Collects the facts about each failing record, file by file, so that memory holds one text at a time.

use std::collections::{BTreeMap, HashMap};

use indexmap::IndexSet;

use super::cascade::{Cascade, FailureIndex};
use super::rules::{PassingRecords, SetId};
use super::sql::{Feature, FeatureBook, SqlTokens, TransactionBoundary, number_of, tokens};
use super::symptom::{Symptom, UNKNOWN, WHOLE_FILE};
use super::texts::{SourceTexts, TextError};
use slt_core::executor::record_keys;
use slt_core::location::Source;
use slt_core::outcome::{
    Difference, FailingRecord, FileEnd, FileProblem, FileReport, RecordId, RecordKey, RunReport, common,
};
use slt_core::parser::{
    self, DialectRequest, Query, Record, RecordKind, RequestOrigin, Script, first_refusal,
};

/// The number of passing statements and queries to sample over all files with failures; the next constants limit each
/// file.
const SAMPLE_OF_ALL: u64 = 40_000;
const MOST_SAMPLE: u64 = 150;
const LEAST_SAMPLE: u64 = 20;
/// The number of messages that must differ only in digits to count as one.
const MOST_NUMBERED: usize = 3;
/// The number of files without failures, and of records in each, to sample.
const FILES_ELSEWHERE: usize = 60;
const SAMPLE_ELSEWHERE: u64 = 20;

/// A file that could not be analysed completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingSql {
    /// The file, as reports call it.
    pub file: String,
    /// The reason for a missing text; `None` if the text has changed.
    pub why: Option<TextError>,
    /// The number of its failing records without known SQL.
    pub records: u64,
}

/// The facts about a failing record.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordFacts {
    pub(super) file: u32,
    /// Its place among the failing records of the file.
    pub(super) place: u32,
    /// Whether it is a record, as opposed to the whole file.
    pub(super) is_record: bool,
    /// Its present line, if it was found in the text.
    pub(super) now: Option<u32>,
    pub(super) symptom: u32,
    pub(super) class: Option<Difference>,
    /// The features of its SQL, if known.
    pub(super) set: Option<SetId>,
    pub(super) is_query: bool,
    /// The length of its SQL in bytes.
    pub(super) length: Option<u32>,
    /// The failing record that caused it.
    pub(super) root: Option<u32>,
}

/// The facts about failing records, and about a sample of passing ones.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) records: Vec<RecordFacts>,
    /// All symptoms, with those merged that differ in numbers only.
    pub(super) symptoms: Vec<Symptom>,
    /// The same while files are read.
    unmerged: IndexSet<Symptom>,
    /// Files that fail as a whole, with their symptom.
    pub(super) whole: Vec<(u32, u32)>,
    pub(super) book: FeatureBook,
    pub(super) sets: IndexSet<Box<[Feature]>>,
    pub(super) background: PassingRecords,
    pub(super) gaps: Vec<MissingSql>,
    sample: u64,
}

/// The settings for reading the texts of a run.
#[derive(Clone, Copy)]
pub(super) struct ReadOptions<'r> {
    pub(super) dialect: Option<&'r str>,
    pub(super) exact: bool,
    pub(super) labels: &'r [String],
}

impl ReadOptions<'_> {
    /// Parses the text of a file, in the dialect that the run has read it in.
    pub(super) fn script<'s>(&self, file: &FileReport, source: &'s Source) -> Result<Script<'s>, TextError> {
        let name = file.dialect.as_deref().or(self.dialect);
        let request = name.map(|name| DialectRequest { name, by: RequestOrigin::Report });
        let chosen = parser::choose(source, request, self.exact);
        let chosen = chosen.map_err(|error| TextError::Dialect(error.to_string()))?;
        Ok(parser::parse(source, chosen.profile))
    }
}

/// Collects the facts from all files of a run.
pub(super) fn collect(report: &RunReport, reading: ReadOptions<'_>, texts: &mut dyn SourceTexts) -> Facts {
    let red = report.files.iter().filter(|file| !file.failures.is_empty()).count() as u64;
    let sample = (SAMPLE_OF_ALL / red.max(1)).clamp(LEAST_SAMPLE, MOST_SAMPLE);
    let mut facts = Facts { sample, ..Facts::default() };
    for (number, file) in (0..).zip(&report.files) {
        if file.failures.is_empty() {
            if !file.last_status().is_good() {
                let symptom = Symptom { kind: WHOLE_FILE.to_owned(), what: whole_file(&file.end).to_owned() };
                let symptom = facts.symptom(symptom);
                facts.whole.push((number, symptom));
            }
        } else {
            facts.file(number, file, reading, texts);
        }
    }
    if !facts.records.is_empty() {
        facts.look_elsewhere(report, reading, texts);
    }
    facts.merge_numbered();
    facts
}

/// Returns the symptom of a file that fails without a failing record.
fn whole_file(end: &FileEnd) -> &'static str {
    match end {
        FileEnd::NotStarted(problem) => match problem {
            FileProblem::Unreadable(_) => "the file cannot be read",
            FileProblem::Dialect(_) => "the file is in an unknown dialect, or in several",
            FileProblem::Died(_) => "the worker process ended before the first record",
            FileProblem::TimedOut => "over the time limit before the first record",
            FileProblem::OutOfMemory { .. } => "over the memory limit before the first record",
            FileProblem::Engine(_) => "the engine cannot be opened",
            FileProblem::Reported => "an error, as another tool reports",
        },
        FileEnd::TimedOut { .. } => "over the time limit",
        FileEnd::Faulted { .. } => "the engine was lost",
        FileEnd::Completed
        | FileEnd::Halted { .. }
        | FileEnd::AtFailure { .. }
        | FileEnd::Malformed { .. } => "failed as a whole",
    }
}

/// Returns the line of a record; 0 for one in an included file, which says nothing about the lines of this one.
fn line_of(id: &RecordId) -> u32 {
    if id.source.is_some() { 0 } else { id.line }
}

/// Returns the last line that the engine reached.
fn last_line(end: &FileEnd) -> u32 {
    match end {
        FileEnd::Completed => u32::MAX,
        FileEnd::Halted { id } | FileEnd::AtFailure { id } | FileEnd::Malformed { id } => line_of(id),
        FileEnd::TimedOut { id } | FileEnd::Faulted { id, .. } => id.as_ref().map_or(0, |id| id.line),
        FileEnd::NotStarted(_) => 0,
    }
}

/// Returns the SQL of a record.
pub(super) fn sql_of(record: &Record<'_>) -> String {
    let mut buffer = Vec::new();
    let sql = record.sql().map_or(&[][..], |sql| sql.text(&mut buffer));
    String::from_utf8_lossy(sql).into_owned()
}

/// The failing records of a file in the report.
struct FileFacts<'f> {
    number: u32,
    file: &'f FileReport,
    /// The place of the first one among all failing records of the run.
    first: usize,
    /// The symptoms of known groups.
    groups: HashMap<(String, String), (u32, Option<Difference>)>,
    cascade: Cascade,
}

impl FileFacts<'_> {
    /// Returns the kind of a failing record, and the rest of its symptom.
    fn kind(&self, place: FailureIndex) -> (String, String) {
        let record = &self.file.failures[place];
        if let Some(group) = self.file.group_of(record) {
            return (group.kind.clone(), group.what.clone());
        }
        match record.detailed() {
            Some(detail) => (detail.problem.word().to_owned(), common(detail.problem)),
            None => (UNKNOWN.0.to_owned(), UNKNOWN.1.to_owned()),
        }
    }
}

impl Facts {
    fn symptom(&mut self, symptom: Symptom) -> u32 {
        self.unmerged.insert_full(symptom).0 as u32
    }

    /// Merges symptoms that differ only in digits, such as generated column numbers and sizes.
    fn merge_numbered(&mut self) {
        self.symptoms = std::mem::take(&mut self.unmerged).into_iter().collect();
        let mut alike = BTreeMap::<Symptom, Vec<u32>>::new();
        for (number, symptom) in (0..).zip(&self.symptoms) {
            alike.entry(symptom.without_digits()).or_default().push(number);
        }
        let mut merged: Vec<u32> = (0..).take(self.symptoms.len()).collect();
        for (symptom, numbers) in alike.into_iter().filter(|(_, numbers)| numbers.len() > MOST_NUMBERED) {
            numbers.iter().for_each(|&number| merged[number as usize] = numbers[0]);
            self.symptoms[numbers[0] as usize] = symptom;
        }
        self.records.iter_mut().for_each(|record| record.symptom = merged[record.symptom as usize]);
    }

    fn file(
        &mut self,
        number: u32,
        file: &FileReport,
        reading: ReadOptions<'_>,
        texts: &mut dyn SourceTexts,
    ) {
        let first = self.records.len();
        let nothing = |(place, record): (u32, &FailingRecord)| RecordFacts {
            file: number,
            place,
            is_record: !record.id.is_whole_file(),
            now: None,
            symptom: 0,
            class: None,
            set: None,
            is_query: true,
            length: None,
            root: None,
        };
        self.records.extend((0..).zip(&file.failures).map(nothing));
        let (groups, cascade) = (HashMap::new(), Cascade::default());
        let mut own = FileFacts { number, file, first, groups, cascade };
        let source = texts.text(file);
        let script = source.as_ref().map_err(Clone::clone).and_then(|source| reading.script(file, source));
        let mut seen = vec![false; file.failures.len()];
        let why = match &script {
            Ok(script) => {
                self.script(&mut own, script, reading, &mut seen);
                None
            }
            Err(why) => Some(why.clone()),
        };
        for place in (0..seen.len()).filter(|&place| !seen[place]) {
            let detail = file.failures[place].detailed().filter(|detail| !detail.sql.is_empty());
            let sql = detail.map(|detail| (detail.sql, detail.header.starts_with("query")));
            self.enter(&mut own, place, sql, None);
        }
        let unseen = self.records[first..].iter().filter(|record| record.set.is_none()).count() as u64;
        // The file as a whole has no SQL.
        let is_whole = matches!(file.failures.as_slice(), [record] if record.id.is_whole_file());
        if unseen > 0 && !is_whole {
            self.gaps.push(MissingSql { file: file.file.path().to_owned(), why, records: unseen });
        }
        for (place, root) in std::mem::take(&mut own.cascade).end() {
            self.records[first + place].root = u32::try_from(first + root).ok();
        }
    }

    /// Processes the records of a file's text in order.
    fn script(
        &mut self,
        own: &mut FileFacts<'_>,
        script: &Script<'_>,
        reading: ReadOptions<'_>,
        seen: &mut [bool],
    ) {
        let lines = RecordLines::new(script, own.file, reading.labels);
        let mut strides = lines.strides(script);
        for record in script.records().filter(|record| record.is_counted()) {
            if let Some(&place) = lines.failing.get(&record.line) {
                self.enter(own, place, Some((&sql_of(record), is_query(record))), Some(record));
                seen[place] = true;
                if let Some(label) = record.label() {
                    own.cascade.failed_labelled(place, label, &own.kind(place).0);
                }
                continue;
            }
            if let Some(label) = record.label().filter(|_| lines.was_reached(record)) {
                own.cascade.has_label(label);
            }
            if lines.has_passed(record) {
                let weight = strides[usize::from(is_query(record))].next(self.sample);
                self.passed(own, record, weight);
            }
        }
    }

    fn passed(&mut self, own: &mut FileFacts<'_>, record: &Record<'_>, weight: Option<f64>) {
        let is_query = is_query(record);
        if weight.is_none() && is_query {
            return;
        }
        let sql = sql_of(record);
        if weight.is_none() && !own.cascade.is_open() && !TransactionBoundary::may_be(&sql) {
            return;
        }
        let tokens = tokens(&sql);
        if !is_query {
            own.cascade.passed_statement(&tokens);
        } else if let Some(weight) = weight {
            own.cascade.passed_query(&tokens, weight);
        }
        if let Some(weight) = weight {
            let set = self.features(tokens, Some(record));
            self.background.add((own.number, is_query), set, weight);
        }
    }

    fn features(&mut self, tokens: SqlTokens, record: Option<&Record<'_>>) -> SetId {
        let mut features = tokens.features(&mut self.book);
        if let Some(Record { kind: RecordKind::Query(Query { types, .. }), .. }) = record {
            for (letter, name) in [(b'R', "a result column of type R"), (b'T', "a result column of type T")] {
                if types.contains(&letter) {
                    features.push(number_of(&mut self.book, name));
                }
            }
            features.sort_unstable();
        }
        self.sets.insert_full(features.into()).0 as SetId
    }

    /// Adds a failing record, with its SQL and whether that is a query, if the SQL is known.
    fn enter(
        &mut self,
        own: &mut FileFacts<'_>,
        place: FailureIndex,
        sql: Option<(&str, bool)>,
        record: Option<&Record<'_>>,
    ) {
        let tokens = sql.map(|(sql, _)| tokens(sql));
        let kind = own.kind(place);
        let (symptom, class) = match own.groups.get(&kind) {
            Some(&known) => known,
            None => {
                let names = tokens.as_ref().map(SqlTokens::names);
                let (symptom, class) = Symptom::new(&kind.0, &kind.1, names.as_ref());
                let known = (self.symptom(symptom), class);
                // Another record of the group may have SQL, whose names are better known.
                if names.is_some() {
                    own.groups.insert(kind, known);
                }
                known
            }
        };
        let entry = &mut self.records[own.first + place];
        (entry.symptom, entry.class) = (symptom, class);
        let Some((tokens, (sql, is_query))) = tokens.zip(sql) else { return };
        (entry.now, entry.is_query) = (record.map(|record| record.line), is_query);
        entry.length = u32::try_from(sql.len()).ok();
        own.cascade.failed(place, &tokens, &self.unmerged[symptom as usize]);
        let set = self.features(tokens, record);
        self.records[own.first + place].set = Some(set);
    }

    /// Samples files without failures, for comparison.
    fn look_elsewhere(&mut self, report: &RunReport, reading: ReadOptions<'_>, texts: &mut dyn SourceTexts) {
        let good = |file: &&FileReport| file.failures.is_empty() && file.counts.passed > 0;
        let all = report.files.iter().filter(good).count();
        let stride = all.div_ceil(FILES_ELSEWHERE).max(1);
        for file in report.files.iter().filter(good).step_by(stride) {
            // A missing text is not a loss here.
            let Ok(source) = texts.text(file) else { continue };
            let Ok(script) = reading.script(file, &source) else { continue };
            let lines = RecordLines::new(&script, file, reading.labels);
            let mut strides = lines.strides(&script);
            for record in script.records().filter(|record| lines.has_passed(record)) {
                if let Some(weight) = strides[usize::from(is_query(record))].next(SAMPLE_ELSEWHERE) {
                    let set = self.features(tokens(&sql_of(record)), Some(record));
                    self.background.add_elsewhere(is_query(record), set, weight * stride as f64);
                }
            }
        }
    }
}

fn is_query(record: &Record<'_>) -> bool {
    matches!(record.kind, RecordKind::Query(_))
}

/// A selection from many records.
#[derive(Debug, Clone, Copy, Default)]
struct Stride {
    all: u64,
    come: u64,
}

impl Stride {
    /// Returns the number of records that the next one represents; `None` if it is skipped.
    fn next(&mut self, most: u64) -> Option<f64> {
        let stride = self.all.div_ceil(most).max(1);
        self.come += 1;
        (self.come.is_multiple_of(stride) || stride == 1).then_some(stride as f64)
    }
}

/// The lines of a file's records in its current text, as far as the report names them.
pub(super) struct RecordLines<'r> {
    /// The failing records, with their places in the report.
    failing: BTreeMap<u32, FailureIndex>,
    left_out: BTreeMap<u32, FailureIndex>,
    /// Returns the last line that was reached.
    last: u32,
    labels: &'r [String],
}

impl<'r> RecordLines<'r> {
    pub(super) fn new(script: &Script<'_>, file: &FileReport, labels: &'r [String]) -> Self {
        let left_out = places_of(script, file.left_out.iter().map(|left_out| left_out.key));
        // Records after a missing requirement were skipped.
        let required = file.missing.as_ref().map_or(u32::MAX, |missing| line_of(&missing.id));
        let last = last_line(&file.end).min(required);
        Self { failing: places_in(script, file), left_out, last, labels }
    }

    /// Returns the place of the failing record on a line.
    pub(super) fn failing_at(&self, line: u32) -> Option<FailureIndex> {
        self.failing.get(&line).copied()
    }

    fn was_reached(&self, record: &Record<'_>) -> bool {
        record.line <= self.last && !self.left_out.contains_key(&record.line)
    }

    pub(super) fn has_passed(&self, record: &Record<'_>) -> bool {
        record.is_counted()
            && record.defect.is_none()
            && self.was_reached(record)
            && !self.failing.contains_key(&record.line)
            && first_refusal(&record.conditions, self.labels).is_none()
    }

    /// Counts the passing statements and queries.
    fn strides(&self, script: &Script<'_>) -> [Stride; 2] {
        let mut strides = [Stride::default(); 2];
        let passing = script.records().filter(|record| self.has_passed(record));
        passing.for_each(|record| strides[usize::from(is_query(record))].all += 1);
        strides
    }
}

/// Returns the present lines of failing records, with their places in the report. Keys identify records, because lines
/// move.
fn places_in(script: &Script<'_>, file: &FileReport) -> BTreeMap<u32, FailureIndex> {
    if !file.has_keys() {
        let lines = lines_of(script);
        let failing = file.failures.iter().map(|record| record.id.line).zip(0..);
        return failing.filter(|(line, _)| lines.binary_search(line).is_ok()).collect();
    }
    let mut places = places_of(script, file.failures.iter().map(|record| record.key));
    // The key of a record in a loop depends on the iteration.
    let in_loops = file.failures.iter().zip(0..).filter(|(record, _)| record.id.iteration.is_some());
    let lines = lines_of(script);
    for (record, place) in in_loops.filter(|(record, _)| record.id.source.is_none()) {
        if lines.binary_search(&record.id.line).is_ok() {
            places.entry(record.id.line).or_insert(place);
        }
    }
    places
}

fn lines_of(script: &Script<'_>) -> Vec<u32> {
    script.records().filter(|record| record.is_counted()).map(|record| record.line).collect()
}

/// Returns the present lines of records with these keys, with their places among the keys.
fn places_of(
    script: &Script<'_>,
    keys: impl Iterator<Item = Option<RecordKey>>,
) -> BTreeMap<u32, FailureIndex> {
    let wanted: HashMap<_, _> = keys.zip(0..).filter_map(|(key, place)| Some((key?, place))).collect();
    if wanted.is_empty() {
        return BTreeMap::new();
    }
    let lines = lines_of(script);
    let ids: Vec<_> = lines.iter().map(|&line| RecordId::at(line)).collect();
    let keys = record_keys(script, &ids.iter().collect::<Vec<_>>());
    let found = lines.into_iter().zip(keys).filter_map(|(line, key)| Some((line, *wanted.get(&key?)?)));
    found.collect()
}
