//! What is known of each failing record: one file after the other, so that no more than one text is in memory.

use std::collections::{BTreeMap, HashMap};

use super::cascade::{Cascade, Place};
use super::rules::{Background, SetId};
use super::sql::{Boundary, Feature, FeatureBook, Tokens, tokens};
use super::symptom::{Symptom, UNKNOWN, WHOLE_FILE};
use super::texts::{NoText, Texts};
use slt_core::executor::record_keys;
use slt_core::location::Source;
use slt_core::outcome::{
    Difference, FailingRecord, FileEnd, FileProblem, FileReport, RecordKey, RunReport, common,
};
use slt_core::parser::{self, Query, Record, RecordKind, Script, first_refusal};

/// So many passing statements and queries of all files with failures are looked at, and of each file no more and no less
/// than this.
const SAMPLE_OF_ALL: u64 = 40_000;
const MOST_SAMPLE: u64 = 150;
const LEAST_SAMPLE: u64 = 20;
/// So many messages that differ in their digits only are one.
const MOST_NUMBERED: usize = 3;
/// So many files without failures, and records of each of them.
const FILES_ELSEWHERE: usize = 60;
const SAMPLE_ELSEWHERE: u64 = 20;

/// What could not be seen of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The file, as reports call it.
    pub file: String,
    /// Why its text could not be had; nothing if it is there, and has changed.
    pub why: Option<NoText>,
    /// How many of its failing records are known without their SQL.
    pub records: u64,
}

/// What is known of a failing record.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordFacts {
    pub(super) file: u32,
    /// Its place among the failing records of the file.
    pub(super) place: u32,
    /// Whether it is a record, and not the file as a whole.
    pub(super) is_record: bool,
    /// The line that it is on now, if it was found in the text.
    pub(super) now: Option<u32>,
    pub(super) symptom: u32,
    pub(super) class: Option<Difference>,
    /// The features of its SQL, if that is known.
    pub(super) set: Option<SetId>,
    pub(super) is_query: bool,
    /// The length of its SQL in bytes.
    pub(super) length: Option<u32>,
    /// The failing record that it follows from.
    pub(super) root: Option<u32>,
}

/// What is known of the failing records of a run, and of some that pass.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) records: Vec<RecordFacts>,
    pub(super) symptoms: Vec<Symptom>,
    symptom_numbers: HashMap<Symptom, u32>,
    /// Files that fail as a whole, with their symptom.
    pub(super) whole: Vec<(u32, u32)>,
    pub(super) book: FeatureBook,
    pub(super) sets: Vec<Box<[Feature]>>,
    set_numbers: HashMap<Box<[Feature]>, SetId>,
    pub(super) background: Background,
    pub(super) gaps: Vec<Gap>,
    sample: u64,
}

/// How the texts of a run are read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'r> {
    pub(super) dialect: Option<&'r str>,
    pub(super) exact: bool,
    pub(super) labels: &'r [String],
}

impl Reading<'_> {
    /// Takes a text apart.
    pub(super) fn script<'s>(&self, source: &'s Source) -> Result<Script<'s>, NoText> {
        let chosen = parser::choose(source, self.dialect, self.exact);
        let (profile, _) = chosen.map_err(|error| NoText::Dialect(error.to_string()))?;
        Ok(parser::parse(source, profile))
    }
}

/// Looks at all files of a run.
pub(super) fn collect(report: &RunReport, reading: Reading<'_>, texts: &mut dyn Texts) -> Facts {
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

/// What a file has in common with others that fail without a failing record.
fn whole_file(end: &FileEnd) -> &'static str {
    match end {
        FileEnd::NotStarted(problem) => match problem {
            FileProblem::Unreadable(_) => "the file cannot be read",
            FileProblem::Dialect(_) => "the file is in an unknown dialect",
            FileProblem::Died(_) => "the worker process ended before the first record",
            FileProblem::TimedOut => "over the time limit before the first record",
            FileProblem::OutOfMemory { .. } => "over the memory limit before the first record",
            FileProblem::Engine(_) => "the engine cannot be opened",
            FileProblem::Reported => "an error, as another tool reports",
        },
        FileEnd::TimedOut { .. } => "over the time limit",
        FileEnd::Faulted { .. } => "the engine was lost",
        FileEnd::Completed | FileEnd::Halted { .. } | FileEnd::Malformed { .. } => "failed as a whole",
    }
}

/// The last line that the engine came to.
fn last_line(end: &FileEnd) -> u32 {
    match end {
        FileEnd::Completed => u32::MAX,
        FileEnd::Halted { id } | FileEnd::Malformed { id } => id.line,
        FileEnd::TimedOut { id } | FileEnd::Faulted { id, .. } => id.as_ref().map_or(0, |id| id.line),
        FileEnd::NotStarted(_) => 0,
    }
}

/// The SQL of a record.
pub(super) fn sql_of(record: &Record<'_>) -> String {
    let mut buffer = Vec::new();
    let sql = record.sql().map_or(&[][..], |sql| sql.text(&mut buffer));
    String::from_utf8_lossy(sql).into_owned()
}

/// The failing records of a file, as the report has them.
struct FileFacts<'f> {
    number: u32,
    file: &'f FileReport,
    /// The place of the first of them among those of the run.
    first: usize,
    /// The symptoms of the groups that were looked at.
    groups: HashMap<(String, String), (u32, Option<Difference>)>,
    cascade: Cascade,
}

impl FileFacts<'_> {
    /// The kind of a failing record, and what it has in common with others.
    fn kind(&self, place: Place) -> (String, String) {
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
        let new = u32::try_from(self.symptoms.len()).unwrap_or(u32::MAX);
        let number = *self.symptom_numbers.entry(symptom.clone()).or_insert(new);
        if number == new {
            self.symptoms.push(symptom);
        }
        number
    }

    /// Makes one of many symptoms that differ in their digits only: numbers of columns that no SQL has, sizes.
    fn merge_numbered(&mut self) {
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

    fn set(&mut self, features: Vec<Feature>) -> SetId {
        let features: Box<[Feature]> = features.into();
        let new = SetId::try_from(self.sets.len()).unwrap_or(SetId::MAX);
        let number = *self.set_numbers.entry(features.clone()).or_insert(new);
        if number == new {
            self.sets.push(features);
        }
        number
    }

    fn file(&mut self, number: u32, file: &FileReport, reading: Reading<'_>, texts: &mut dyn Texts) {
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
        let script = source.as_ref().map_err(Clone::clone).and_then(|source| reading.script(source));
        let mut seen = vec![false; file.failures.len()];
        let why = match &script {
            Ok(script) => {
                self.script(&mut own, script, reading, &mut seen);
                None
            }
            Err(why) => Some(why.clone()),
        };
        for place in (0..seen.len()).filter(|&place| !seen[place]) {
            let sql = file.failures[place].detailed().map(|detail| (detail.sql, detail.header));
            match sql.filter(|(sql, _)| !sql.is_empty()) {
                Some((sql, header)) => self.enter(&mut own, place, sql, header.starts_with("query"), None),
                None => self.enter_without_sql(&mut own, place),
            }
        }
        let unseen = self.records[first..].iter().filter(|record| record.set.is_none()).count() as u64;
        // The file as a whole has no SQL.
        let is_whole = matches!(file.failures.as_slice(), [record] if record.id.is_whole_file());
        if unseen > 0 && !is_whole {
            self.gaps.push(Gap { file: file.file.path().to_owned(), why, records: unseen });
        }
        for (place, root) in std::mem::take(&mut own.cascade).end() {
            self.records[first + place].root = u32::try_from(first + root).ok();
        }
    }

    /// Goes through the text of a file, record by record.
    fn script(
        &mut self,
        own: &mut FileFacts<'_>,
        script: &Script<'_>,
        reading: Reading<'_>,
        seen: &mut [bool],
    ) {
        let places = places_in(script, own.file);
        let last = last_line(&own.file.end);
        let left_out = places_of(script, own.file.left_out.iter().map(|left_out| left_out.key));
        let has_passed = |record: &Record<'_>| {
            record.defect.is_none()
                && record.line <= last
                && !places.contains_key(&record.line)
                && !left_out.contains_key(&record.line)
                && first_refusal(&record.conditions, reading.labels).is_none()
        };
        let mut strides = [Stride::default(); 2];
        for record in script.records().filter(|record| record.is_counted() && has_passed(record)) {
            strides[usize::from(is_query(record))].all += 1;
        }
        for record in script.records().filter(|record| record.is_counted()) {
            if let Some(&place) = places.get(&record.line) {
                self.enter(own, place, &sql_of(record), is_query(record), Some(record));
                seen[place] = true;
                if let Some(label) = record.label() {
                    own.cascade.failed_labelled(place, label, &own.kind(place).0);
                }
                continue;
            }
            if let Some(label) = record.label().filter(|_| record.line <= last)
                && !left_out.contains_key(&record.line)
            {
                own.cascade.has_label(label);
            }
            if has_passed(record) {
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
        if weight.is_none() && !own.cascade.is_open() && !Boundary::may_be(&sql) {
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

    fn features(&mut self, tokens: Tokens, record: Option<&Record<'_>>) -> SetId {
        let mut features = tokens.features(&mut self.book);
        if let Some(Record { kind: RecordKind::Query(Query { types, .. }), .. }) = record {
            for (letter, name) in [(b'R', "a result column of type R"), (b'T', "a result column of type T")] {
                if types.contains(&letter) {
                    features.push(self.book.number(name));
                }
            }
            features.sort_unstable();
        }
        self.set(features)
    }

    /// Enters a failing record whose SQL is known.
    fn enter(
        &mut self,
        own: &mut FileFacts<'_>,
        place: Place,
        sql: &str,
        is_query: bool,
        record: Option<&Record<'_>>,
    ) {
        let tokens = tokens(sql);
        let kind = own.kind(place);
        let (symptom, class) = match own.groups.get(&kind) {
            Some(&known) => known,
            None => {
                let (symptom, class) = Symptom::of(&kind.0, &kind.1, Some(&tokens.names()));
                let known = (self.symptom(symptom), class);
                own.groups.insert(kind, known);
                known
            }
        };
        own.cascade.failed(place, &tokens, &self.symptoms[symptom as usize]);
        let set = self.features(tokens, record);
        let entry = &mut self.records[own.first + place];
        entry.now = record.map(|record| record.line);
        entry.length = u32::try_from(sql.len()).ok();
        (entry.symptom, entry.class, entry.set, entry.is_query) = (symptom, class, Some(set), is_query);
    }

    fn enter_without_sql(&mut self, own: &mut FileFacts<'_>, place: Place) {
        let kind = own.kind(place);
        let (symptom, class) = match own.groups.get(&kind) {
            Some(&known) => known,
            None => {
                let (symptom, class) = Symptom::of(&kind.0, &kind.1, None);
                (self.symptom(symptom), class)
            }
        };
        let entry = &mut self.records[own.first + place];
        (entry.symptom, entry.class) = (symptom, class);
    }

    /// Looks at some files without failures, for what is usual.
    fn look_elsewhere(&mut self, report: &RunReport, reading: Reading<'_>, texts: &mut dyn Texts) {
        let good = |file: &&FileReport| file.failures.is_empty() && file.counts.passed > 0;
        let all = report.files.iter().filter(good).count();
        let stride = all.div_ceil(FILES_ELSEWHERE).max(1);
        for file in report.files.iter().filter(good).step_by(stride) {
            // What is not there is no loss here.
            let Ok(source) = texts.text(file) else { continue };
            let Ok(script) = reading.script(&source) else { continue };
            let last = last_line(&file.end);
            let left_out = places_of(&script, file.left_out.iter().map(|left_out| left_out.key));
            let runs = |record: &&Record<'_>| {
                record.is_counted()
                    && record.defect.is_none()
                    && record.line <= last
                    && !left_out.contains_key(&record.line)
                    && first_refusal(&record.conditions, reading.labels).is_none()
            };
            let mut strides = [Stride::default(); 2];
            script.records().filter(runs).for_each(|record| strides[usize::from(is_query(record))].all += 1);
            for record in script.records().filter(runs) {
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

/// Which of many records are looked at.
#[derive(Debug, Clone, Copy, Default)]
struct Stride {
    all: u64,
    come: u64,
}

impl Stride {
    /// How many records the next one stands for; nothing if it is left out.
    fn next(&mut self, most: u64) -> Option<f64> {
        let stride = self.all.div_ceil(most).max(1);
        self.come += 1;
        (self.come.is_multiple_of(stride) || stride == 1).then_some(stride as f64)
    }
}

/// The lines that failing records have now, with their places in the report: by their keys, since lines move.
fn places_in(script: &Script<'_>, file: &FileReport) -> BTreeMap<u32, Place> {
    if !file.has_keys() {
        let lines = lines_of(script);
        let failing = file.failures.iter().map(|record| record.id.line).zip(0..);
        return failing.filter(|(line, _)| lines.binary_search(line).is_ok()).collect();
    }
    places_of(script, file.failures.iter().map(|record| record.key))
}

fn lines_of(script: &Script<'_>) -> Vec<u32> {
    script.records().filter(|record| record.is_counted()).map(|record| record.line).collect()
}

/// The lines on which records with these keys are now, with their places among the keys.
fn places_of(script: &Script<'_>, keys: impl Iterator<Item = Option<RecordKey>>) -> BTreeMap<u32, Place> {
    let wanted: HashMap<_, _> = keys.zip(0..).filter_map(|(key, place)| Some((key?, place))).collect();
    if wanted.is_empty() {
        return BTreeMap::new();
    }
    let lines = lines_of(script);
    let keys = record_keys(script, &lines);
    let found = lines.into_iter().zip(keys).filter_map(|(line, key)| Some((line, *wanted.get(&key?)?)));
    found.collect()
}
