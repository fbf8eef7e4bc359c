//! Statements, queries and other records with an outcome.

use std::borrow::Cow;

use super::FileRunner;
use super::control::host_problem;
use super::values_to_keep;
use crate::engine::SqlError;
use crate::executor::canonical::KeptValues;
use crate::executor::correction::{FormRule, correct_cells, correct_output};
use crate::executor::evidence::{excerpt, expected_excerpt};
use crate::executor::label::{LabelledResult, label_mismatch};
use crate::executor::matcher::{CellContext, judge_cells};
use crate::executor::record_processor::{ExpectedShape, QueryRun};
use crate::executor::rendering::CellForm;
use crate::executor::verdict::{EvidenceLimits, judge, judge_statement};
use crate::location::text_of;
use crate::outcome::{Fault, FileEnd, FilePart, Mismatch, Problem, RecordOutcome};
use crate::parser::{
    ColumnRule, ConnectionName, DefectEffect, ErrorPattern, Layout, Let, Lint, Matcher, ParseError,
    ParseErrorKind, Presentation, Query, QueryExpectation, Record, RecordKind, Renderer, Retry, RetryRule,
    SortMode, Sql, Statement, StatementExpectation, StepError, VariableSyntax, retry_of,
};

impl<'r> FileRunner<'r> {
    /// Executes a record as often as it says, up to its first failure. A valid control record has no outcome.
    pub(super) fn execute(&mut self, record: &'r Record<'r>) -> Option<RecordOutcome> {
        let mut outcome = None;
        for _ in 0..record.repetitions() {
            outcome = self.execute_retried(record);
            if matches!(outcome, Some(RecordOutcome::Failed(_))) {
                break;
            }
        }
        outcome
    }

    fn execute_retried(&mut self, record: &'r Record<'r>) -> Option<RecordOutcome> {
        let retry = match record.retry() {
            None => return self.execute_once(record),
            Some(RetryRule::Fixed(retry)) => retry,
            Some(RetryRule::Variables { attempts, backoff }) => {
                match self.replaced_retry(record, attempts, backoff) {
                    Ok(retry) => retry,
                    Err(problem) => return Some(RecordOutcome::Failed(problem)),
                }
            }
        };
        let mut outcome = None;
        for _ in 0..retry.attempts {
            outcome = self.execute_once(record);
            match &outcome {
                Some(RecordOutcome::Failed(
                    Problem::Mismatch(_) | Problem::UnexpectedError { .. } | Problem::UnexpectedSuccess,
                )) => {
                    self.surroundings.host.sleep(retry.backoff);
                }
                _ => break,
            }
        }
        outcome
    }

    fn replaced_retry(&self, record: &Record<'r>, attempts: &[u8], backoff: &[u8]) -> Result<Retry, Problem> {
        retry_of(&self.replaced(attempts)?, &self.replaced(backoff)?)
            .map_err(|text| self.malformed_at(record.line, text))
    }

    fn execute_once(&mut self, record: &'r Record<'r>) -> Option<RecordOutcome> {
        if let (None, Some(missing)) = (&record.defect, record.missing()) {
            return Some(self.unsupported(record, missing));
        }
        let skips = self.skips;
        self.correction = None;
        let result = match (&record.defect, &record.kind) {
            (Some(defect), _) => return Some(self.malformed(record, defect.effect)),
            (None, RecordKind::Statement(statement)) => self.statement(record, statement),
            (None, RecordKind::Query(query)) => self.query(record, query),
            (None, RecordKind::Let(assignment)) => self.assign(record, assignment),
            (None, RecordKind::System(system)) => self.system(system),
            (None, RecordKind::Database(action)) => self.database(action),
            (None, RecordKind::Control(control)) => return self.control(record, control),
            // Unknown text always has a defect.
            (None, RecordKind::Unknown) => return None,
        };
        Some(match (result, self.skips) {
            // It has found out that something is missing.
            (Ok(()), Some(reason)) if skips.is_none() => RecordOutcome::Skipped(reason),
            (result, _) => outcome_of(result),
        })
    }

    fn malformed(&mut self, record: &'r Record<'r>, effect: DefectEffect) -> RecordOutcome {
        let mut executed = false;
        match effect {
            DefectEffect::Dropped => {}
            DefectEffect::EndsFile => self.report.end = FileEnd::Malformed { id: self.place(record) },
            DefectEffect::SqlRuns => {
                let outcome = match &record.kind {
                    RecordKind::Statement(statement) => outcome_of(self.statement(record, statement)),
                    RecordKind::Query(query) => outcome_of(self.query(record, query)),
                    _ => RecordOutcome::NotReached,
                };
                if let RecordOutcome::Failed(Problem::Fault(_) | Problem::TimedOut { .. }) = outcome {
                    return outcome;
                }
                executed = outcome.was_executed();
            }
        }
        match &record.defect {
            Some(defect) => {
                RecordOutcome::Failed(Problem::Malformed { error: defect.error.clone(), executed })
            }
            None => RecordOutcome::NotReached,
        }
    }

    /// Returns text with its variables replaced.
    pub(super) fn replaced<'t>(&self, text: impl Into<Cow<'t, [u8]>>) -> Result<Cow<'t, [u8]>, Problem> {
        let text = text.into();
        if !self.state.rules.substitutes {
            return Ok(text);
        }
        let syntax = self.script.profile.variables;
        let found = self.state.rules.variables.substitute(text, syntax, self.surroundings.host);
        found.map_err(|error| Problem::UnexpectedError { error: SqlError::new(error), after_rows: false })
    }

    /// Returns the SQL of a record as the engine gets it.
    pub(super) fn replaced_sql(&self, sql: &Sql<'r>) -> Result<Cow<'r, [u8]>, Problem> {
        self.replaced(sql.joined())
    }

    pub(super) fn statement(
        &mut self,
        record: &Record<'r>,
        statement: &Statement<'r>,
    ) -> Result<(), Problem> {
        let sql = match self.replaced_sql(&statement.sql) {
            Ok(sql) => sql,
            // In sqllogictest-rs a failed replacement is the expected error.
            Err(Problem::UnexpectedError { error, .. }) if self.script.profile.exact => {
                return judge_statement(&statement.expected, Err(error));
            }
            Err(problem) => return Err(problem),
        };
        self.check_connection(record)?;
        let (connection, processor) = self.state.session(record.connection());
        let result = processor.statement(connection.as_ref(), &sql);
        self.part.set_up.enter(record.line, &result);
        let result = result?;
        if statement.expected == StatementExpectation::UncheckedBeforeSkip {
            self.state.rules.skips += 1;
        }
        let message = result.as_ref().err().map(|error| error.message.clone());
        if let Err(error) = &result {
            self.check_error(error)?;
        }
        let result = match result {
            Ok(effect) => Ok(effect),
            Err(error) => Err(self.as_compared(&statement.expected, error)?),
        };
        let expected = self.replaced_expectation(&statement.expected, message.as_deref());
        let verdict = judge_statement(&expected, result);
        match (verdict, message) {
            (Err(_), Some(message)) if self.ignores(record, &message) => Ok(()),
            (verdict, _) => verdict,
        }
    }

    /// Refuses connections to another database, `database:connection`, which DuckDB's runner creates for them: on the
    /// database of the file they would see other tables.
    fn check_connection(&self, record: &Record<'r>) -> Result<(), Problem> {
        let names_database = |name: &ConnectionName<'_>| name.name.contains(&b':');
        if self.script.profile.matcher == Matcher::Duckdb && record.connection().is_some_and(names_database) {
            return Err(Problem::Unsupported(
                "connections to a second database are not supported".to_owned(),
            ));
        }
        Ok(())
    }

    /// Returns what a statement must do, with the variables in the expected text of an error replaced where the text as
    /// it stands does not occur.
    fn replaced_expectation<'e>(
        &self,
        expected: &'e StatementExpectation<'r>,
        message: Option<&str>,
    ) -> Cow<'e, StatementExpectation<'r>> {
        let (StatementExpectation::Error(pattern) | StatementExpectation::OkOrError(pattern)) = expected
        else {
            return Cow::Borrowed(expected);
        };
        let ErrorPattern::Contains(text) = pattern else { return Cow::Borrowed(expected) };
        let occurs = message.is_none_or(|message| memchr::memmem::find(message.as_bytes(), text).is_some());
        if occurs || self.script.profile.variables != VariableSyntax::Braces {
            return Cow::Borrowed(expected);
        }
        let text = self.state.rules.variables.keywords(Cow::Borrowed(text), self.surroundings.host);
        let pattern = ErrorPattern::Contains(Cow::Owned(text.into_owned()));
        Cow::Owned(match expected {
            StatementExpectation::OkOrError(_) => StatementExpectation::OkOrError(pattern),
            _ => StatementExpectation::Error(pattern),
        })
    }

    /// Applies the rules of a dialect for errors that are never expected.
    fn check_error(&self, error: &SqlError) -> Result<(), Problem> {
        if contains_any(&error.message, &self.state.rules.fatal_errors) {
            return Err(Problem::UnexpectedError { error: error.clone(), after_rows: false });
        }
        Ok(())
    }

    /// Skips the rest of the file if an error stands for something that is missing here; returns whether it does.
    fn ignores(&mut self, record: &Record<'_>, message: &str) -> bool {
        let ignored = contains_any(message, &self.state.rules.ignored_errors);
        if ignored {
            let line = message.lines().next().unwrap_or_default();
            self.skip_rest(record, format!("what this error is about: {line}"));
        }
        ignored
    }

    fn run_query(
        &mut self,
        record: &Record<'r>,
        sql: &[u8],
        shape: ExpectedShape<'_>,
    ) -> Result<QueryRun, Problem> {
        self.check_connection(record)?;
        let (connection, processor) = self.state.session(record.connection());
        processor.query(connection.as_ref(), sql, shape)
    }

    fn query(&mut self, record: &Record<'r>, query: &Query<'r>) -> Result<(), Problem> {
        let profile = self.script.profile;
        if let QueryExpectation::Error(pattern) = &query.expected {
            let expected = StatementExpectation::Error(pattern.clone());
            let statement = Statement { sql: query.sql, expected };
            return self.statement(record, &statement);
        }
        if let Layout::Transcript { multiline } = query.layout {
            return self.transcript(record, query, multiline);
        }
        let sql = self.replaced_sql(&query.sql)?;
        let columns = match profile.columns {
            ColumnRule::Conversion | ColumnRule::Count | ColumnRule::Type => Some(query.types.len()),
            ColumnRule::Ignored => None,
        };
        // A gap of DuckDB's runner: it does not compare the number of columns where it compares a hash.
        let is_counted_later = profile.exact && profile.matcher == Matcher::Duckdb;
        let columns = columns.filter(|_| !query.types.is_empty() && !is_counted_later);
        let names = query.shows_names || self.state.rules.shows_names && query.types.is_empty();
        // Their own runners refuse or compare the results of further statements.
        let looks_further = profile.refuses_unused_text
            || matches!(profile.matcher, Matcher::Cockroach | Matcher::Materialize);
        let layout = if query.layout == Layout::Default { self.state.rules.layout } else { query.layout };
        let digits = record.options.as_ref().and_then(|options| options.digits);
        let form = CellForm { layout, exact: profile.exact, digits };
        let counts_changes = profile.matcher == Matcher::Duckdb;
        let (types, order, kept) =
            (query.types, query.sort.unwrap_or(SortMode::NoSort), self.kept_values(query));
        let shape = ExpectedShape { types, columns, names, looks_further, counts_changes, form, order, kept };
        let run = self.run_query(record, &sql, shape)?;
        if let Some(error) = &run.error {
            self.check_error(error)?;
            if self.ignores(record, &error.message) {
                return Ok(());
            }
        }
        let has_more_sql = run.has_more_sql;
        let watch = self.meter.watch();
        let verdict = match profile.renderer {
            Renderer::SqliteLetters => self.judge_query(record, query, run),
            _ => self.judge_cells(record, query, run, names),
        };
        self.meter.add(FilePart::Judge, watch);
        verdict?;
        if has_more_sql {
            let location = self.script.source.at(record.line);
            let kind = match profile.matcher {
                Matcher::ValuePerLine(_) => ParseErrorKind::MoreThanOneStatement,
                _ => ParseErrorKind::Other {
                    text: "expected one result of a query, found a second one, which nothing compares"
                        .to_owned(),
                },
            };
            let error = ParseError { location, kind };
            return Err(Problem::Malformed { error, executed: true });
        }
        Ok(())
    }

    fn judge_query(&mut self, record: &Record<'r>, query: &Query<'r>, run: QueryRun) -> Result<(), Problem> {
        let profile = self.script.profile;
        let columns = query.types.len();
        if let Some(error) = run.error {
            match (run.columns == Some(columns), profile.step_error) {
                (true, StepError::EndsRows) => {}
                (true, StepError::Fails) => return Err(Problem::UnexpectedError { error, after_rows: true }),
                (false, _) => return Err(Problem::UnexpectedError { error, after_rows: false }),
            }
        }
        // Text without a statement in it has no columns either.
        let actual = run.columns.unwrap_or(0);
        if actual != columns {
            return Err(Problem::Mismatch(Mismatch::ColumnCount { expected: columns, actual }));
        }
        let threshold = self.state.rules.threshold();
        let output = self.state.processor.output();
        let limit = values_to_keep(self.options.details, &self.report);
        let evidence = EvidenceLimits { columns, values: limit };
        let Matcher::ValuePerLine(presentation) = profile.matcher else {
            let text = "the dialect renders by type letters and compares otherwise";
            return Err(Problem::Fault(Fault::Adapter(text.to_owned())));
        };
        let verdict = judge(presentation, &query.expected, &output, threshold, evidence);
        if verdict.is_err() && self.observer.wants_corrections() {
            let rule = FormRule { threshold, by_threshold: presentation == Presentation::ByThreshold };
            self.correction = Some(correct_output(query, &output, rule));
        }
        // The label gets the result independently of the verdict on the values.
        let contradiction = query.label.and_then(|label| {
            let result = LabelledResult::of_output(&output);
            let first = self.state.labels.enter(label, profile.label_limits.executed, result, record.line)?;
            Some(label_mismatch(query, label, first, output.digest(), output.excerpt(0, limit)))
        });
        if let Some(kind) = verdict.map_err(Problem::Mismatch)? {
            self.report.lints.push(Lint { line: record.line, kind });
        }
        contradiction.map_or(Ok(()), |mismatch| Err(Problem::Mismatch(mismatch)))
    }

    /// Judges a result of a dialect without conversion by type letters.
    fn judge_cells(
        &mut self,
        record: &Record<'r>,
        query: &Query<'r>,
        run: QueryRun,
        names: bool,
    ) -> Result<(), Problem> {
        let profile = self.script.profile;
        if let Some(error) = run.error {
            return Err(Problem::UnexpectedError { error, after_rows: run.columns.is_some() });
        }
        if !self.state.rules.compares {
            return Ok(());
        }
        let file = match &query.expected {
            QueryExpectation::File(path) => {
                let path = self.replaced(*path)?;
                Some(self.surroundings.host.read_file(&path).map_err(host_problem)?)
            }
            _ => None,
        };
        let limit = values_to_keep(self.options.details, &self.report);
        let (threshold, layout) = (self.state.rules.threshold(), self.state.rules.layout);
        let sort = query.sort.unwrap_or(self.state.rules.sort);
        let (variables, host) = (&self.state.rules.variables, self.surroundings.host);
        let replaced = |text: &[u8]| match variables.keywords(Cow::Borrowed(text), host) {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => Some(text),
        };
        let cells = self.state.processor.cells(sort);
        let context = CellContext {
            profile,
            columns: run.columns,
            layout,
            sort,
            threshold,
            names,
            file: file.as_deref(),
            replaced: &replaced,
            limit,
        };
        let verdict = judge_cells(query, cells, &context);
        if matches!(verdict, Err(Mismatch::Rows { .. } | Mismatch::Hash { .. }))
            && self.observer.wants_corrections()
        {
            self.correction = Some(correct_cells(query, cells, &context));
        }
        // A gap of DuckDB's runner: a hash line takes the place of the label.
        let has_hash = matches!(query.expected, QueryExpectation::Hash(_));
        let forgets_label = profile.exact && profile.matcher == Matcher::Duckdb && has_hash;
        let contradiction = query.label.filter(|_| profile.labels_compare).and_then(|label| {
            let digest = cells.digest();
            let result = LabelledResult::Digest(digest);
            let first = self.state.labels.enter(label, profile.label_limits.executed, result, record.line)?;
            let mismatch = label_mismatch(query, label, first, digest, excerpt(cells.lines(), 0, limit));
            (!forgets_label).then_some(mismatch)
        });
        let suspicions = verdict.map_err(Problem::Mismatch)?;
        if let Some(mismatch) = contradiction {
            return Err(Problem::Mismatch(mismatch));
        }
        // They are about records that pass.
        self.report.lints.extend(suspicions.into_iter().map(|kind| Lint { line: record.line, kind }));
        Ok(())
    }

    /// Executes a query and makes variables of its only row.
    fn assign(&mut self, record: &Record<'r>, assignment: &Let<'r>) -> Result<(), Problem> {
        let sql = self.replaced_sql(&assignment.sql)?;
        let shape = ExpectedShape {
            types: b"",
            columns: None,
            names: false,
            looks_further: false,
            counts_changes: false,
            form: CellForm::default(),
            order: SortMode::NoSort,
            kept: KeptValues::All,
        };
        let run = self.run_query(record, &sql, shape)?;
        if let Some(error) = run.error {
            return Err(Problem::UnexpectedError { error, after_rows: false });
        }
        let limit = values_to_keep(self.options.details, &self.report);
        let cells = self.state.processor.cells(SortMode::NoSort);
        let expected = assignment.names.len();
        if cells.rows() > 0 && cells.columns() != expected {
            return Err(Problem::Mismatch(Mismatch::ColumnCount { expected, actual: cells.columns() }));
        }
        if cells.rows() != 1 {
            return Err(Problem::Mismatch(Mismatch::RowCount {
                expected: 1,
                actual: cells.rows() as u64,
                rows: excerpt(cells.lines(), 0, limit),
                columns: expected,
            }));
        }
        let values: Vec<Vec<u8>> = cells.lines().map(<[u8]>::to_vec).collect();
        for (name, value) in assignment.names.iter().zip(values) {
            self.state.rules.variables.set(name, value);
        }
        Ok(())
    }

    /// Returns the elements of a list in a variable of the engine.
    pub(super) fn engine_list(
        &mut self,
        connection: Option<&'r [u8]>,
        name: &[u8],
    ) -> Result<Vec<Vec<u8>>, Problem> {
        let quoted = text_of(name).replace('\'', "''");
        let sql = format!("SELECT unnest(getvariable('{quoted}')::VARCHAR[])");
        let shape = ExpectedShape {
            types: b"",
            columns: Some(1),
            names: false,
            looks_further: false,
            counts_changes: false,
            form: CellForm::default(),
            order: SortMode::NoSort,
            kept: KeptValues::All,
        };
        let connection = connection.map(|name| ConnectionName { name, user: None });
        let run = self.state.processor.query(connection.as_ref(), sql.as_bytes(), shape)?;
        if let Some(error) = run.error {
            return Err(Problem::UnexpectedError { error, after_rows: false });
        }
        let values: Vec<_> =
            self.state.processor.cells(SortMode::NoSort).lines().map(<[u8]>::to_vec).collect();
        if values.is_empty() {
            let error = SqlError::new(format!("the variable `{}` has no values", text_of(name)));
            return Err(Problem::UnexpectedError { error, after_rows: false });
        }
        Ok(values)
    }

    /// Returns the contradiction of a skipped query to its label, and notes the result that it expects.
    pub(super) fn skipped_label(&mut self, record: &'r Record<'r>) -> Option<Mismatch> {
        let (RecordKind::Query(query), None) = (&record.kind, &record.defect) else { return None };
        let limits = self.script.profile.label_limits;
        let label = query.label.filter(|_| limits.skipped > 0)?;
        let result = LabelledResult::of_expectation(query)?;
        let first = self.state.labels.enter(label, limits.skipped, result, record.line)?;
        let kept = values_to_keep(self.options.details, &self.report);
        let rows = expected_excerpt(&query.expected, 0, kept);
        Some(label_mismatch(query, label, first, result.digest(), rows))
    }
}

fn contains_any(message: &str, texts: &[Vec<u8>]) -> bool {
    texts.iter().any(|text| memchr::memmem::find(message.as_bytes(), text).is_some())
}

fn outcome_of(result: Result<(), Problem>) -> RecordOutcome {
    match result {
        Ok(()) => RecordOutcome::Passed,
        Err(problem) => RecordOutcome::Failed(problem),
    }
}
