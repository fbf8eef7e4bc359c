//! Makes records of a script that the core has parsed by the rules of sqllogictest-rs.

use std::sync::Arc;

use regex::Regex;
use slt_core::location::Source;
use slt_core::parser as core;

use super::{
    Condition, Connection, Control, ExpectedError, Location, ParseError, ParseErrorKind, QueryExpect, Record,
    ResultMode, RetryConfig, SortMode, StatementExpect, defect,
};
use crate::column_type::ColumnType;

/// A text to make records of.
pub(super) struct Converter<'t> {
    pub text: &'t str,
    /// The name of the text in locations.
    pub file: Arc<str>,
    /// The `include` that the text is included by.
    pub upper: Option<Arc<Location>>,
}

impl Converter<'_> {
    /// Parses the text and returns its records.
    pub fn records<T: ColumnType>(&self) -> Result<Vec<Record<T>>, ParseError> {
        let source = Source::new(&*self.file, self.text);
        let script = core::parse(&source, &core::RS_EXACT);
        let mut records = Vec::new();
        // The blank lines that end a record belong to it.
        let mut ending_lines = 0;
        for item in &script.items {
            let text = &self.text[item.span()];
            match item {
                core::Item::ByteOrderMark(_) => {
                    return Err(self.error(ParseErrorKind::InvalidLine(first_line(self.text)), 1));
                }
                core::Item::Blank(_) => {
                    let empty_lines = text.lines().filter(|line| line.is_empty());
                    records.extend(empty_lines.skip(ending_lines).map(|_| Record::Newline));
                    ending_lines = 0;
                }
                core::Item::Comment(_) => push_lines(text.lines(), &mut records),
                core::Item::Record(record) => {
                    if let Some(defect) = &record.defect {
                        return Err(self.defect(&defect.error));
                    }
                    // Conditions without a record, at the end of the file.
                    if matches!(record.kind, core::RecordKind::Unknown) {
                        push_lines(text.lines(), &mut records);
                        continue;
                    }
                    let before_header = (record.line - record.lines.start) as usize;
                    push_lines(text.lines().take(before_header), &mut records);
                    let record = self.record(record).map_err(|kind| self.error(kind, record.line))?;
                    ending_lines = ending_lines_of(&record);
                    records.push(record);
                }
            }
        }
        Ok(records)
    }

    fn defect(&self, error: &core::ParseError) -> ParseError {
        let line = error.location.line;
        let text = self.text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
        if matches!(error.kind, core::ParseErrorKind::MissingSql { .. }) {
            // The original reads the header first, and then the end of the file in place of the SQL.
            return match defect_of_header(text) {
                Some(kind) => self.error(kind, line),
                None => self.error(ParseErrorKind::UnexpectedEOF, self.text.lines().count() as u32 + 1),
            };
        }
        self.error(defect::kind_of(&error.kind, text), line)
    }

    fn location(&self, line: u32) -> Location {
        Location::new(self.file.clone(), line, self.upper.clone())
    }

    fn error(&self, kind: ParseErrorKind, line: u32) -> ParseError {
        ParseError::new(kind, self.location(line))
    }

    fn record<T: ColumnType>(&self, record: &core::Record<'_>) -> Result<Record<T>, ParseErrorKind> {
        let loc = self.location(record.line);
        let conditions = record.conditions.iter().map(condition).collect();
        let connection = connection(record.connection().map_or(b"default", |connection| connection.name));
        let retry = record
            .retry()
            .and_then(|retry| match retry {
                core::RetryRule::Fixed(retry) => Some(retry),
                // Only read by forks.
                core::RetryRule::Variables { .. } => None,
            })
            .map(|retry| RetryConfig { attempts: retry.attempts as usize, backoff: retry.backoff });
        Ok(match &record.kind {
            core::RecordKind::Statement(statement) => Record::Statement {
                loc,
                conditions,
                connection,
                sql: text_of(&statement.sql.joined()),
                expected: statement_expectation(&statement.expected)?,
                retry,
            },
            core::RecordKind::Query(query) => Record::Query {
                loc,
                conditions,
                connection,
                sql: text_of(&query.sql.joined()),
                expected: query_expectation(query)?,
                retry,
            },
            core::RecordKind::System(system) => Record::System {
                loc,
                conditions,
                command: text_of(&system.command.joined()),
                stdout: system.stdout.map(|stdout| lines_of(stdout).join("\n").trim().to_owned()),
                retry,
            },
            core::RecordKind::Let(assignment) => Record::Let {
                loc,
                conditions,
                connection,
                variables: assignment.names.iter().map(|name| text_of(name)).collect(),
                sql: text_of(&assignment.sql.joined()),
            },
            core::RecordKind::Control(control) => control_record(control, loc)?,
            core::RecordKind::Database(_) | core::RecordKind::Unknown => {
                return Err(other_dialect("a record"));
            }
        })
    }
}

/// Adds the comments, blank lines, conditions and connections in front of a record.
fn push_lines<'t, T: ColumnType>(lines: impl Iterator<Item = &'t str>, records: &mut Vec<Record<T>>) {
    let mut follows_comment = false;
    for line in lines {
        let comment = line.strip_prefix('#');
        let mut words = line.split_whitespace();
        match (comment, words.next(), words.next()) {
            (Some(comment), ..) => match records.last_mut() {
                Some(Record::Comment(lines)) if follows_comment => lines.push(comment.to_owned()),
                _ => records.push(Record::Comment(vec![comment.to_owned()])),
            },
            (None, Some("skipif"), Some(label)) => {
                records.push(Record::Condition(Condition::SkipIf { label: label.to_owned() }));
            }
            (None, Some("onlyif"), Some(label)) => {
                records.push(Record::Condition(Condition::OnlyIf { label: label.to_owned() }));
            }
            (None, Some("connection"), Some(name)) => {
                records.push(Record::Connection(connection(name.as_bytes())));
            }
            (None, ..) if line.is_empty() => records.push(Record::Newline),
            // White space, of which the original keeps nothing.
            (None, ..) => {}
        }
        follows_comment = comment.is_some();
    }
}

/// Returns the number of blank lines that end a record.
fn ending_lines_of<T: ColumnType>(record: &Record<T>) -> usize {
    match record {
        Record::Statement { expected: StatementExpect::Error(ExpectedError::Multiline(_)), .. }
        | Record::Query { expected: QueryExpect::Error(ExpectedError::Multiline(_)), .. }
        | Record::System { stdout: Some(_), .. } => 2,
        Record::Statement { .. } | Record::Query { .. } | Record::System { .. } | Record::Let { .. } => 1,
        _ => 0,
    }
}

/// Returns the defect of a header that has no SQL, apart from that.
fn defect_of_header(header: &str) -> Option<ParseErrorKind> {
    let source = Source::new("header", format!("{header}\nSQL\n"));
    let script = core::parse(&source, &core::RS_EXACT);
    let defect = script.records().find_map(|record| record.defect.as_ref())?;
    Some(defect::kind_of(&defect.error.kind, header))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// Returns text that was UTF-8 in the file.
fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn lines_of(block: core::Block<'_>) -> Vec<String> {
    block.lines().map(text_of).collect()
}

/// An error for what the rules of sqllogictest-rs do not have, so that nothing of it is taken for something else.
fn other_dialect(found: &str) -> ParseErrorKind {
    ParseErrorKind::InvalidLine(format!("{found} of another dialect"))
}

fn condition(condition: &core::Condition<'_>) -> Condition {
    let label = text_of(condition.name);
    match condition.kind {
        core::ConditionKind::SkipIf => Condition::SkipIf { label },
        core::ConditionKind::OnlyIf => Condition::OnlyIf { label },
    }
}

fn connection(name: &[u8]) -> Connection {
    if name == b"default" { Connection::Default } else { Connection::Named(text_of(name)) }
}

fn statement_expectation(
    expected: &core::StatementExpectation<'_>,
) -> Result<StatementExpect, ParseErrorKind> {
    match expected {
        core::StatementExpectation::Ok => Ok(StatementExpect::Ok),
        core::StatementExpectation::Count(count) => Ok(StatementExpect::Count(*count)),
        core::StatementExpectation::Error(pattern) => expected_error(pattern).map(StatementExpect::Error),
        core::StatementExpectation::OkOrError(_)
        | core::StatementExpectation::Unchecked
        | core::StatementExpectation::UncheckedBeforeSkip => Err(other_dialect("a statement")),
    }
}

fn query_expectation<T: ColumnType>(query: &core::Query<'_>) -> Result<QueryExpect<T>, ParseErrorKind> {
    let results = match &query.expected {
        core::QueryExpectation::Rows(block) => lines_of(*block),
        core::QueryExpectation::Hash(hash) => vec![hash.to_string()],
        core::QueryExpectation::Error(pattern) => return expected_error(pattern).map(QueryExpect::Error),
        core::QueryExpectation::File(_) | core::QueryExpectation::Label => {
            return Err(other_dialect("a result"));
        }
    };
    let letters = text_of(query.types);
    let types = letters.chars().map(|letter| T::from_char(letter).ok_or(ParseErrorKind::InvalidType(letter)));
    Ok(QueryExpect::Results {
        types: types.collect::<Result<_, _>>()?,
        sort_mode: query.sort.map(sort_mode).transpose()?,
        result_mode: None,
        label: query.label.map(text_of),
        results,
    })
}

fn expected_error(pattern: &core::ErrorPattern<'_>) -> Result<ExpectedError, ParseErrorKind> {
    match pattern {
        core::ErrorPattern::Any => Ok(ExpectedError::Empty),
        core::ErrorPattern::Search(pattern) => Regex::new(pattern)
            .map(ExpectedError::Inline)
            .map_err(|_| ParseErrorKind::InvalidErrorMessage(pattern.to_string())),
        core::ErrorPattern::Exact(text) => Ok(ExpectedError::Multiline(text_of(text).trim().to_owned())),
        core::ErrorPattern::SqlState { code, message } if message.is_empty() => {
            Ok(ExpectedError::SqlState((*code).to_owned()))
        }
        core::ErrorPattern::SqlState { .. }
        | core::ErrorPattern::FullRegex { .. }
        | core::ErrorPattern::Contains(_) => Err(other_dialect("an error")),
    }
}

fn sort_mode(mode: core::SortMode) -> Result<SortMode, ParseErrorKind> {
    match mode {
        core::SortMode::NoSort => Ok(SortMode::NoSort),
        core::SortMode::RowSort => Ok(SortMode::RowSort),
        core::SortMode::ValueSort => Ok(SortMode::ValueSort),
        core::SortMode::PartialSort(_) => Err(other_dialect("a sort mode")),
    }
}

fn control_record<T: ColumnType>(
    control: &core::Control<'_>,
    loc: Location,
) -> Result<Record<T>, ParseErrorKind> {
    Ok(match control {
        core::Control::HashThreshold(threshold) => Record::HashThreshold { loc, threshold: *threshold },
        core::Control::Halt => Record::Halt { loc },
        core::Control::Sleep(duration) => Record::Sleep { loc, duration: *duration },
        core::Control::Subtest(name) => Record::Subtest { loc, name: text_of(name) },
        core::Control::SortMode(mode) => Record::Control(Control::SortMode(sort_mode(*mode)?)),
        core::Control::ResultLayout(core::Layout::Values) => {
            Record::Control(Control::ResultMode(ResultMode::ValueWise))
        }
        core::Control::ResultLayout(core::Layout::Rows) => {
            Record::Control(Control::ResultMode(ResultMode::RowWise))
        }
        core::Control::Substitution(on) => Record::Control(Control::Substitution(*on)),
        core::Control::Include(pattern) => Record::Include { loc, filename: text_of(pattern) },
        _ => return Err(other_dialect("a control record")),
    })
}
