//! The laws of the parser: any bytes are a script, and the script is those bytes.

use slt_core::location::Source;
use slt_core::parser::{
    COCKROACH, COCKROACH_EXACT, DUCKDB, DUCKDB_EXACT, DialectRequest, HashLine, Item, MATERIALIZE,
    MATERIALIZE_EXACT, Profile, Query, QueryExpectation, RS, RS_EXACT, Record, RecordKind, RequestOrigin,
    SQLITE, SQLITE_EXACT, Script, Sql, VIBESQL, VIBESQL_EXACT, choose, parse,
};

/// Both readings of each dialect.
pub const PROFILES: [[&Profile; 2]; 6] = [
    [&SQLITE, &SQLITE_EXACT],
    [&RS, &RS_EXACT],
    [&VIBESQL, &VIBESQL_EXACT],
    [&DUCKDB, &DUCKDB_EXACT],
    [&COCKROACH, &COCKROACH_EXACT],
    [&MATERIALIZE, &MATERIALIZE_EXACT],
];

/// How many records of a script are looked up by their line; each look-up walks over all of them.
const LOOK_UPS: usize = 200;

/// Parses `bytes` by both profiles of a dialect, which the first byte chooses, and holds the scripts against the laws.
pub fn check_chosen(bytes: &[u8]) {
    if let Some((first, bytes)) = bytes.split_first() {
        check_with(PROFILES[usize::from(*first) % PROFILES.len()], bytes);
    }
}

/// Parses `bytes` by all profiles.
pub fn check(bytes: &[u8]) {
    PROFILES.iter().for_each(|profiles| check_with(*profiles, bytes));
}

fn check_with(profiles: [&'static Profile; 2], bytes: &[u8]) {
    let source = Source::new("fuzz.test", bytes);
    for profile in profiles {
        let script = parse(&source, profile);
        assert_eq!(script.unparse(), bytes, "{}: written back, the file is another one", profile.name);
        check_items(&script);
        check_look_up(&script);
        if profile.name == "sqlite" {
            check_total(&script);
            script.records().for_each(check_record);
        }
        for lint in &script.lints {
            assert!(script.record_at(lint.line).is_some(), "a lint on line {} without a record", lint.line);
        }
    }
    for (request, exact) in [(None, false), (None, true), (Some("sqlite"), true), (Some("none"), false)] {
        let request = request.map(|name| DialectRequest { name, by: RequestOrigin::Setting });
        if let Err(unknown) = choose(&source, request, exact) {
            // Whatever bytes the file names, there must be a message.
            assert!(!unknown.to_string().is_empty());
        }
    }
}

/// Items follow each other from the first byte to the last, and records have the lines that their bytes have.
fn check_items(script: &Script<'_>) {
    let bytes = script.source.bytes();
    let (mut end, mut line) = (0, 1);
    for item in &script.items {
        let span = item.span();
        assert_eq!(span.start, end, "a gap or an overlap");
        assert!(span.end > span.start, "an empty item at {end}");
        let text = &bytes[span.clone()];
        let line_ends = text.iter().filter(|&&byte| byte == b'\n').count() as u32;
        if let Item::Record(record) = item {
            let unfinished = u32::from(text.last() != Some(&b'\n'));
            assert_eq!(record.lines, line..line + line_ends + unfinished, "wrong lines");
        }
        (end, line) = (span.end, line + line_ends);
    }
    assert_eq!(end, bytes.len(), "bytes behind the last item");
}

fn check_total(script: &Script<'_>) {
    let counted = script.records().filter(|record| {
        let judged = matches!(record.kind, RecordKind::Statement(_) | RecordKind::Query(_));
        assert_eq!(record.is_counted(), judged || record.defect.is_some());
        judged || record.defect.is_some()
    });
    assert_eq!(script.total(), counted.count() as u64);
}

fn check_look_up(script: &Script<'_>) {
    let step = script.records().count() / LOOK_UPS + 1;
    for record in script.records().step_by(step) {
        for line in [record.lines.start, record.line, record.lines.end - 1] {
            let found = script.record_at(line).map(|found| found.span.clone());
            assert_eq!(found, Some(record.span.clone()), "line {line} leads to another record");
        }
    }
}

fn check_record(record: &Record<'_>) {
    assert!(record.lines.contains(&record.line), "line {} outside of {:?}", record.line, record.lines);
    for condition in &record.conditions {
        assert!(record.lines.contains(&condition.line), "a condition outside of its record");
        // A condition is the record's own line only where no record follows it.
        assert!(condition.line <= record.line, "a condition behind its record");
    }
    if let Some(defect) = &record.defect {
        assert!(record.lines.contains(&defect.error.location.line), "a defect outside of its record");
        assert!(!defect.error.to_string().is_empty());
        assert!(defect.error.kind.hint().is_none_or(|hint| !hint.is_empty()));
    }
    match &record.kind {
        RecordKind::Statement(statement) => check_sql(&statement.sql),
        RecordKind::Query(query) => check_query(query),
        RecordKind::Control(_) => {}
        RecordKind::Let(_) | RecordKind::System(_) | RecordKind::Database(_) => {
            panic!("no record of SQLite's dialect")
        }
        RecordKind::Unknown => assert!(record.defect.is_some(), "text that nothing is wrong with"),
    }
}

fn check_query(query: &Query<'_>) {
    check_sql(&query.sql);
    check_expectation(&query.expected);
    assert!(!query.types.is_empty() && query.types.iter().all(|letter| b"TIR".contains(letter)));
    assert!(query.label.is_none_or(|label| !label.is_empty()));
}

fn check_sql(sql: &Sql<'_>) {
    let lines: Vec<_> = sql.lines().collect();
    assert_eq!(sql.text(&mut Vec::new()), lines.join(&b'\n'), "the text is not its lines");
    assert_eq!(sql.is_empty(), lines.is_empty());
    check_lines(&lines);
}

fn check_expectation(expected: &QueryExpectation<'_>) {
    match expected {
        QueryExpectation::Rows(listed) => {
            let lines: Vec<_> = listed.lines().collect();
            check_lines(&lines);
            assert!(lines.len() != 1 || listed.leading_hash().is_none(), "a hash line taken for a value");
        }
        QueryExpectation::Hash(hash) => {
            assert_eq!(HashLine::parse(hash.to_string().as_bytes()).as_ref(), Some(hash));
        }
        other => panic!("no expectation of SQLite's dialect: {other:?}"),
    }
}

fn check_lines(lines: &[&[u8]]) {
    for line in lines {
        assert!(!line.contains(&b'\n') && line.first() != Some(&b'#'), "no line of a record: {line:?}");
        assert!(line.iter().any(|byte| !b" \t\x0b\x0c\r".contains(byte)), "a blank line in a record");
    }
}
