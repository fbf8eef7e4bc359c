//! Everything that is written is read back.

use std::time::Duration;

use super::run::FileReportForm;
use slt_core::engine::SqlError;
use slt_core::location::{FileId, Location};
use slt_core::outcome::{
    Attempt, Counts, Digest, Excerpt, ExitHow, FailingRecord, FailureDetail, FailureGroup, Fault, FileEnd,
    FileProblem, FileReport, FileStatus, LabelMismatch, Mismatch, Problem, RecordId, RecordKey, RecordRef,
    SlowRecord, StatementKind, StatementTimes, UnhashedRows,
};
use slt_core::parser::{HashLine, Lint, LintKind, ParseError, ParseErrorKind};

const TIME: Duration = Duration::new(12, 345_678_901);
const EXITS: [ExitHow; 2] = [ExitHow::Code(-1), ExitHow::Signal(6)];

fn text() -> String {
    "ä \"\\\u{0}\n".to_owned()
}

fn ids() -> [RecordId; 2] {
    [RecordId { source: Some(text().into()), line: 7, iteration: Some("i=1".into()) }, RecordId::at(u32::MAX)]
}

fn excerpt(omitted_before: u64) -> Excerpt {
    Excerpt { omitted_before, values: vec![text(), String::new()], omitted_after: 0 }
}

fn faults() -> Vec<Fault> {
    let mut faults = vec![Fault::Panicked(text()), Fault::Lost(text()), Fault::Adapter(text())];
    faults.extend(EXITS.map(|how| Fault::Died { how, message: None, after: Some(TIME) }));
    faults.push(Fault::OutOfMemory { used: u64::MAX, limit: 1, after: None });
    faults
}

fn problems() -> Vec<Problem> {
    let [first, _] = ids();
    let hash = |values| HashLine { values, digest: [9; 16] };
    let [first_digest, digest] = [[1; 16], [2; 16]].map(Digest);
    let label = LabelMismatch { label: text(), first, first_digest, digest, rows: excerpt(1), columns: 2 };
    let mismatches = [
        Mismatch::Rows { expected: excerpt(0), actual: excerpt(3), columns: 1 },
        Mismatch::Hash { expected: hash(1), actual: hash(2), rows: Excerpt::default(), columns: 1 },
        Mismatch::Presentation { wanted: text() },
        Mismatch::ColumnCount { expected: 1, actual: 0 },
        Mismatch::UncertainOrder,
        Mismatch::Label(Box::new(label)),
    ];
    let defects = [
        ParseErrorKind::UnknownRecord { found: text(), expected: text() },
        ParseErrorKind::ConditionWithoutRecord { found: text().into() },
        ParseErrorKind::TypeLetter { letter: 'ä', found: text() },
        ParseErrorKind::MissingTypes,
        ParseErrorKind::MissingConditionName { found: text() },
        ParseErrorKind::StatementExpectation { found: text() },
        ParseErrorKind::SortMode { found: text() },
        ParseErrorKind::Threshold { found: text() },
        ParseErrorKind::MissingSql { found: text().into() },
        ParseErrorKind::GluedText { after: text(), found: text() },
        ParseErrorKind::UnusedWords { after: text(), found: text() },
        ParseErrorKind::SeparatorInStatement,
        ParseErrorKind::BlanksAroundSeparator { found: text() },
        ParseErrorKind::HeaderInSql { found: text() },
        ParseErrorKind::NulInSql,
        ParseErrorKind::MoreThanOneStatement,
        ParseErrorKind::TextAfterHash { found: text() },
    ];
    let location = Location { file: text().into(), line: 3 };
    let error = |kind| ParseError { location: location.clone(), kind };
    let mut problems = vec![
        Problem::UnexpectedError { error: SqlError { message: text(), code: None }, after_rows: true },
        Problem::UnexpectedSuccess,
        Problem::Unsupported(text()),
        Problem::TimedOut { after: TIME },
        Problem::Reported(text()),
    ];
    problems.extend(mismatches.map(Problem::Mismatch));
    problems.extend(defects.map(|kind| Problem::Malformed { error: error(kind), executed: true }));
    problems.extend(faults().into_iter().map(Problem::Fault));
    problems
}

fn failures() -> Vec<FailingRecord> {
    let [id, other] = ids();
    let rows = UnhashedRows { engine: text(), expected: excerpt(0), actual: excerpt(1) };
    let record = |problem| {
        let detail = FailureDetail { header: text(), sql: text(), problem, unhashed: Some(rows.clone()) };
        FailingRecord {
            id: id.clone(),
            key: Some(RecordKey(u64::MAX)),
            group: Some(1),
            detail: Some(Box::new(detail)),
        }
    };
    let brief = FailingRecord { id: other, key: None, group: None, detail: None };
    problems().into_iter().map(record).chain([brief]).collect()
}

fn ends() -> Vec<FileEnd> {
    let [id, _] = ids();
    let mut ends = vec![
        FileEnd::Completed,
        FileEnd::Halted { id: id.clone() },
        FileEnd::Malformed { id: id.clone() },
        FileEnd::TimedOut { id: Some(id) },
        FileEnd::TimedOut { id: None },
    ];
    ends.extend(faults().into_iter().map(|fault| FileEnd::Faulted { id: None, fault }));
    let problems = [
        FileProblem::Unreadable(text()),
        FileProblem::Dialect(text()),
        FileProblem::Died(EXITS[0]),
        FileProblem::TimedOut,
        FileProblem::OutOfMemory { used: 1, limit: 2 },
        FileProblem::Engine(text()),
        FileProblem::Reported,
    ];
    ends.extend(problems.map(FileEnd::NotStarted));
    ends
}

fn times() -> StatementTimes {
    let mut times = StatementTimes::default();
    for (&kind, number) in StatementKind::ALL.iter().zip(0..) {
        [TIME, Duration::from_nanos(1 << number)].into_iter().for_each(|time| times.add(kind, time));
    }
    times
}

/// Returns a report in which every field has a value.
fn full_report() -> FileReport {
    let [id, first] = ids();
    let attempt = |status| Attempt { status, elapsed: TIME, first: failures().pop() };
    let mut counts = Counts::default();
    counts.fields_mut().into_iter().zip(1..).for_each(|(count, number)| *count = number);
    FileReport {
        shown: text(),
        counts,
        failures: failures(),
        groups: vec![FailureGroup { kind: text(), what: text(), records: 3, first }],
        setup_failures: failures(),
        left_out: vec![
            RecordRef { id: id.clone(), key: None },
            RecordRef { id: id.clone(), key: Some(RecordKey(1)) },
        ],
        records: Some(u64::MAX),
        lints: [
            LintKind::HeaderInSql,
            LintKind::HeaderInValues,
            LintKind::NoSeparator,
            LintKind::HashBelowThreshold,
            LintKind::ValuesAboveThreshold,
            LintKind::MisplacedSortMode,
            LintKind::SeparatorInSql,
            LintKind::UncheckedOption,
            LintKind::ExecutedInOrder,
            LintKind::LoopInOrder,
            LintKind::WhiteSpaceFolded,
            LintKind::WithoutEffect,
            LintKind::OptionAsLabel,
            LintKind::SeparatorWithoutResult,
            LintKind::WithinTolerance,
            LintKind::AnyError,
            LintKind::Unchecked,
            LintKind::ConnectionLikeSortMode,
            LintKind::EmptyCells,
            LintKind::LoopWithoutValues,
        ]
        .map(|kind| Lint { line: 4, kind })
        .into(),
        elapsed: TIME,
        peak_memory: Some(1),
        engine_time: Some(TIME),
        slowest: vec![SlowRecord { id, elapsed: TIME, sql: text() }],
        times: times(),
        finished: Some(-1),
        stderr: Some(text()),
        attempts: FileStatus::ALL.map(attempt).to_vec(),
        ..FileReport::new("a.test", FileEnd::Completed)
    }
}

#[test]
fn a_report_is_read_back() {
    let empty = ends().into_iter().map(|end| FileReport::new(FileId::in_suite("s", &text()), end));
    for report in empty.chain([full_report()]) {
        let mut written = Vec::new();
        FileReportForm::serialize(&report, &mut serde_json::Serializer::new(&mut written)).unwrap();
        let read = FileReportForm::deserialize(&mut serde_json::Deserializer::from_slice(&written)).unwrap();
        assert_eq!(read, report);
    }
}
