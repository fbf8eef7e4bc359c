//! Whatever is written is read back.

use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::record::FailingRecordForm;
use super::run::FileReportForm;
use slt_core::engine::SqlError;
use slt_core::location::FileId;
use slt_core::location::Location;
use slt_core::outcome::{
    Attempt, Counts, Digest, Excerpt, ExitHow, FailingRecord, FailureDetail, FailureGroup, Fault, FileEnd,
    FileProblem, FileReport, FileStatus, LabelMismatch, LeftOut, Mismatch, Problem, RecordId, RecordKey,
    SlowRecord, UnhashedRows,
};
use slt_core::parser::{HashLine, Lint, LintKind, ParseError, ParseErrorKind};

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,8}", any::<String>()]
}

fn shared() -> impl Strategy<Value = Arc<str>> {
    text().prop_map(Arc::from)
}

fn time() -> impl Strategy<Value = Duration> {
    (any::<u64>(), 0_u32..1_000_000_000).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos))
}

fn id() -> impl Strategy<Value = RecordId> {
    (option::of(shared()), any::<u32>(), option::of(shared()))
        .prop_map(|(source, line, iteration)| RecordId { source, line, iteration })
}

fn key() -> impl Strategy<Value = Option<RecordKey>> {
    option::of(any::<u64>().prop_map(RecordKey))
}

fn excerpt() -> impl Strategy<Value = Excerpt> {
    (any::<u64>(), vec(text(), 0..4), any::<u64>())
        .prop_map(|(omitted_before, values, omitted_after)| Excerpt { omitted_before, values, omitted_after })
}

fn hash() -> impl Strategy<Value = HashLine> {
    any::<(u64, [u8; 16])>().prop_map(|(values, digest)| HashLine { values, digest })
}

fn mismatch() -> impl Strategy<Value = Mismatch> {
    let label = (text(), id(), any::<[[u8; 16]; 2]>(), excerpt(), any::<usize>());
    prop_oneof![
        (excerpt(), excerpt(), any::<usize>()).prop_map(|(expected, actual, columns)| Mismatch::Rows {
            expected,
            actual,
            columns
        }),
        (hash(), hash(), excerpt(), any::<usize>()).prop_map(|(expected, actual, rows, columns)| {
            Mismatch::Hash { expected, actual, rows, columns }
        }),
        text().prop_map(|wanted| Mismatch::Presentation { wanted }),
        any::<(usize, usize)>().prop_map(|(expected, actual)| Mismatch::ColumnCount { expected, actual }),
        label.prop_map(|(label, first, [first_digest, digest], rows, columns)| Mismatch::Label(Box::new(
            LabelMismatch {
                label,
                first,
                first_digest: Digest(first_digest),
                digest: Digest(digest),
                rows,
                columns,
            }
        ))),
    ]
}

fn defect() -> impl Strategy<Value = ParseErrorKind> {
    use ParseErrorKind as Kind;
    let one = text().prop_flat_map(|found| {
        prop::sample::select(vec![
            Kind::MissingConditionName { found: found.clone() },
            Kind::ConditionWithoutRecord { found: found.clone().into() },
            Kind::StatementExpectation { found: found.clone() },
            Kind::SortMode { found: found.clone() },
            Kind::Threshold { found: found.clone() },
            Kind::MissingSql { found: found.clone().into() },
            Kind::BlanksAroundSeparator { found: found.clone() },
            Kind::HeaderInSql { found: found.clone() },
            Kind::TextAfterHash { found },
        ])
    });
    let two = (text(), text()).prop_flat_map(|(found, other)| {
        prop::sample::select(vec![
            Kind::UnknownRecord { found: found.clone(), expected: other.clone() },
            Kind::GluedText { after: other.clone(), found: found.clone() },
            Kind::UnusedWords { after: other, found },
        ])
    });
    prop_oneof![
        one,
        two,
        (any::<char>(), text()).prop_map(|(letter, found)| Kind::TypeLetter { letter, found }),
        Just(Kind::MissingTypes),
        Just(Kind::SeparatorInStatement),
        Just(Kind::NulInSql),
        Just(Kind::MoreThanOneStatement),
    ]
}

fn exit() -> impl Strategy<Value = ExitHow> {
    prop_oneof![any::<i32>().prop_map(ExitHow::Code), any::<i32>().prop_map(ExitHow::Signal)]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        text().prop_map(Fault::Panicked),
        text().prop_map(Fault::Lost),
        text().prop_map(Fault::Adapter),
        (exit(), option::of(text()), option::of(time())).prop_map(|(how, message, after)| Fault::Died {
            how,
            message,
            after
        }),
        (any::<u64>(), any::<u64>(), option::of(time()))
            .prop_map(|(used, limit, after)| Fault::OutOfMemory { used, limit, after }),
    ]
}

fn problem() -> impl Strategy<Value = Problem> {
    let error = (text(), option::of(text())).prop_map(|(message, code)| SqlError { message, code });
    let malformed = (shared(), any::<u32>(), defect(), any::<bool>());
    prop_oneof![
        4 => mismatch().prop_map(Problem::Mismatch),
        1 => (error, any::<bool>())
            .prop_map(|(error, after_rows)| Problem::UnexpectedError { error, after_rows }),
        1 => Just(Problem::UnexpectedSuccess),
        4 => malformed.prop_map(|(file, line, kind, executed)| {
            Problem::Malformed { error: ParseError { location: Location { file, line }, kind }, executed }
        }),
        1 => text().prop_map(Problem::Unsupported),
        1 => time().prop_map(|after| Problem::TimedOut { after }),
        2 => fault().prop_map(Problem::Fault),
        1 => text().prop_map(Problem::Reported),
    ]
}

fn failure() -> impl Strategy<Value = FailingRecord> {
    let rows = (text(), excerpt(), excerpt()).prop_map(|(engine, expected, actual)| UnhashedRows {
        engine,
        expected,
        actual,
    });
    let detail =
        (text(), text(), problem(), option::of(rows)).prop_map(|(header, sql, problem, unhashed)| {
            Box::new(FailureDetail { header, sql, problem, unhashed })
        });
    (id(), key(), option::of(any::<u32>()), option::of(detail))
        .prop_map(|(id, key, group, detail)| FailingRecord { id, key, group, detail })
}

fn end() -> impl Strategy<Value = FileEnd> {
    let problem = prop_oneof![
        text().prop_map(FileProblem::Unreadable),
        text().prop_map(FileProblem::Dialect),
        exit().prop_map(FileProblem::Died),
        Just(FileProblem::TimedOut),
        any::<(u64, u64)>().prop_map(|(used, limit)| FileProblem::OutOfMemory { used, limit }),
        text().prop_map(FileProblem::Engine),
        Just(FileProblem::Reported),
    ];
    prop_oneof![
        Just(FileEnd::Completed),
        id().prop_map(|id| FileEnd::Halted { id }),
        id().prop_map(|id| FileEnd::Malformed { id }),
        option::of(id()).prop_map(|id| FileEnd::TimedOut { id }),
        (option::of(id()), fault()).prop_map(|(id, fault)| FileEnd::Faulted { id, fault }),
        problem.prop_map(FileEnd::NotStarted),
    ]
}

fn counts() -> impl Strategy<Value = Counts> {
    any::<[u64; Counts::FIELDS]>().prop_map(|numbers| {
        let mut counts = Counts::default();
        counts.fields_mut().into_iter().zip(numbers).for_each(|(count, number)| *count = number);
        counts
    })
}

fn lint() -> impl Strategy<Value = Lint> {
    let kinds = vec![
        LintKind::HeaderInSql,
        LintKind::HeaderInValues,
        LintKind::NoSeparator,
        LintKind::HashBelowThreshold,
        LintKind::ValuesAboveThreshold,
    ];
    (any::<u32>(), prop::sample::select(kinds)).prop_map(|(line, kind)| Lint { line, kind })
}

fn attempt() -> impl Strategy<Value = Attempt> {
    (prop::sample::select(FileStatus::ALL.to_vec()), time(), option::of(failure()))
        .prop_map(|(status, elapsed, first)| Attempt { status, elapsed, first })
}

pub(crate) fn report() -> impl Strategy<Value = FileReport> {
    let group = (text(), text(), any::<u64>(), id()).prop_map(|(kind, what, records, first)| FailureGroup {
        kind,
        what,
        records,
        first,
    });
    let slow = (id(), time(), text()).prop_map(|(id, elapsed, sql)| SlowRecord { id, elapsed, sql });
    let left_out = (id(), key()).prop_map(|(id, key)| LeftOut { id, key });
    let records = (vec(failure(), 0..4), vec(group, 0..3), vec(failure(), 0..2), vec(left_out, 0..3));
    let told = (vec(lint(), 0..3), vec(slow, 0..3), vec(attempt(), 0..3));
    let numbers = (option::of(any::<u64>()), option::of(any::<u64>()), option::of(any::<i64>()));
    (
        text().prop_map(|path| FileId::unknown(&path)),
        text(),
        counts(),
        end(),
        time(),
        option::of(time()),
        records,
        told,
        numbers,
    )
        .prop_map(|(file, shown, counts, end, elapsed, engine_time, records, told, numbers)| {
            let (failures, groups, setup_failures, left_out) = records;
            let (lints, slowest, attempts) = told;
            let (records, peak_memory, finished) = numbers;
            FileReport {
                file,
                shown,
                counts,
                failures,
                groups,
                setup_failures,
                left_out,
                records,
                lints,
                end,
                elapsed,
                peak_memory,
                engine_time,
                slowest,
                finished,
                attempts,
            }
        })
}

proptest! {
    #[test]
    fn a_report_is_read_back(report in report()) {
        let mut written = Vec::new();
        FileReportForm::serialize(&report, &mut serde_json::Serializer::new(&mut written)).unwrap();
        let read = FileReportForm::deserialize(&mut serde_json::Deserializer::from_slice(&written)).unwrap();
        prop_assert_eq!(read, report);
    }

    #[test]
    fn a_failing_record_is_read_back(record in failure()) {
        let mut written = Vec::new();
        FailingRecordForm::serialize(&record, &mut serde_json::Serializer::new(&mut written)).unwrap();
        let read = FailingRecordForm::deserialize(&mut serde_json::Deserializer::from_slice(&written)).unwrap();
        prop_assert_eq!(read, record);
    }
}
