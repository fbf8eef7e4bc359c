//! Dispatches each kind of statement to VibeSQL's executor for it.

use std::borrow::Cow;

use vibesql::ast::{
    CreateTriggerStmt, CreateViewStmt, DeleteStmt, ExplainFormat, ExplainStmt, FetchOrientation, FetchStmt,
    InsertStmt, PragmaStmt, SelectItem, SelectStmt, Statement, UpdateStmt,
};
use vibesql::executor::{self as ex, CursorStore, ExecutorError, SelectResult, advanced_objects as objects};
use vibesql::storage::{Database, Row};
use vibesql::types::SqlValue;

use super::pragma::{self, PragmaRequest};
use super::session::{VibeSqlSession, sql_error};
use super::shape;
use slt_core::engine::{ExecuteError, Flow, RowSink};
use slt_core::value::ValueRef;

/// The result of VibeSQL's executors of INSERT, UPDATE and DELETE.
type ChangeResult = (usize, Option<SelectResult>);

impl VibeSqlSession {
    /// Executes one statement with the source `text`.
    ///
    /// This catalogue has no catch-all arm, so that new kinds of statements of a later VibeSQL do not compile until
    /// they have an arm here. Where VibeSQL has two executors for one kind, this uses the one that VibeSQL's own command
    /// line uses, or that takes the source.
    pub(super) fn run(
        &mut self,
        text: &str,
        statement: Statement,
        rows: &mut dyn RowSink,
    ) -> Result<Flow, ExecuteError> {
        use Statement as S;
        match statement {
            S::Select(s) => self.select(&s, rows),
            S::Insert(s) => self.insert(&s, rows),
            S::Update(s) => self.update(&s, rows),
            S::Delete(s) => self.delete(&s, rows),

            S::CreateTable(s) => {
                self.effect(rows, |db| ex::CreateTableExecutor::execute_with_source(&s, db, Some(text)))
            }
            S::AlterTable(s) => {
                self.effect(rows, |db| ex::AlterTableExecutor::execute_with_source(&s, db, Some(text)))
            }
            S::DropTable(s) => self.effect(rows, |db| ex::DropTableExecutor::execute(&s, db)),
            S::TruncateTable(s) => self.effect(rows, |db| ex::TruncateTableExecutor::execute(&s, db)),
            S::CreateView(s) => self.create_view(s, text, rows),
            S::DropView(s) => self.effect(rows, |db| objects::execute_drop_view(&s, db)),
            S::CreateIndex(s) => self.effect(rows, |db| ex::CreateIndexExecutor::execute(&s, db)),
            S::DropIndex(s) => self.effect(rows, |db| ex::DropIndexExecutor::execute(&s, db)),
            S::Reindex(s) => self.effect(rows, |db| ex::ReindexExecutor::execute(&s, db)),
            S::Analyze(s) => self.effect(rows, |db| ex::AnalyzeExecutor::execute(&s, db)),
            S::CreateTrigger(s) => self.create_trigger(&s, text, rows),
            S::AlterTrigger(s) => self.effect(rows, |db| ex::TriggerExecutor::alter_trigger(db, &s)),
            S::DropTrigger(s) => self.effect(rows, |db| ex::TriggerExecutor::drop_trigger(db, &s)),

            S::BeginTransaction(s) => self.effect(rows, |db| ex::BeginTransactionExecutor::execute(&s, db)),
            S::Commit(s) => self.end_transaction(rows, |db| ex::CommitExecutor::execute(&s, db)),
            S::Rollback(s) => self.end_transaction(rows, |db| ex::RollbackExecutor::execute(&s, db)),
            S::Savepoint(s) => self.effect(rows, |db| ex::SavepointExecutor::execute(&s, db)),
            S::RollbackToSavepoint(s) => {
                self.effect(rows, |db| ex::RollbackToSavepointExecutor::execute(&s, db))
            }
            S::ReleaseSavepoint(s) => self.effect(rows, |db| ex::ReleaseSavepointExecutor::execute(&s, db)),
            S::SetTransaction(_) => Err(no_executor("SET TRANSACTION")),

            S::CreateSchema(s) => self.effect(rows, |db| ex::SchemaExecutor::execute_create_schema(&s, db)),
            S::DropSchema(s) => self.effect(rows, |db| ex::SchemaExecutor::execute_drop_schema(&s, db)),
            S::SetSchema(s) => self.effect(rows, |db| ex::SchemaExecutor::execute_set_schema(&s, db)),
            S::SetCatalog(s) => self.effect(rows, |db| ex::SchemaExecutor::execute_set_catalog(&s, db)),
            S::SetNames(s) => self.effect(rows, |db| ex::SchemaExecutor::execute_set_names(&s, db)),
            S::SetTimeZone(s) => self.effect(rows, |db| ex::SchemaExecutor::execute_set_time_zone(&s, db)),
            S::SetVariable(s) => self.effect(rows, |db| ex::SchemaExecutor::execute_set_variable(&s, db)),
            S::CreateRole(s) => self.effect(rows, |db| ex::RoleExecutor::execute_create_role(&s, db)),
            S::DropRole(s) => self.effect(rows, |db| ex::RoleExecutor::execute_drop_role(&s, db)),
            S::Grant(s) => self.effect(rows, |db| ex::GrantExecutor::execute_grant(&s, db)),
            S::Revoke(s) => self.effect(rows, |db| ex::RevokeExecutor::execute_revoke(&s, db)),

            S::CreateDomain(s) => self.effect(rows, |db| ex::DomainExecutor::execute_create_domain(&s, db)),
            S::DropDomain(s) => self.effect(rows, |db| ex::DomainExecutor::execute_drop_domain(&s, db)),
            S::CreateSequence(s) => self.effect(rows, |db| objects::execute_create_sequence(&s, db)),
            S::AlterSequence(s) => self.effect(rows, |db| objects::execute_alter_sequence(&s, db)),
            S::DropSequence(s) => self.effect(rows, |db| objects::execute_drop_sequence(&s, db)),
            S::CreateType(s) => self.effect(rows, |db| objects::execute_create_type(&s, db)),
            S::DropType(s) => self.effect(rows, |db| objects::execute_drop_type(&s, db)),
            S::CreateCollation(s) => self.effect(rows, |db| objects::execute_create_collation(&s, db)),
            S::DropCollation(s) => self.effect(rows, |db| objects::execute_drop_collation(&s, db)),
            S::CreateCharacterSet(s) => self.effect(rows, |db| objects::execute_create_character_set(&s, db)),
            S::DropCharacterSet(s) => self.effect(rows, |db| objects::execute_drop_character_set(&s, db)),
            S::CreateTranslation(s) => self.effect(rows, |db| objects::execute_create_translation(&s, db)),
            S::DropTranslation(s) => self.effect(rows, |db| objects::execute_drop_translation(&s, db)),
            S::CreateAssertion(s) => self.effect(rows, |db| objects::execute_create_assertion(&s, db)),
            S::DropAssertion(s) => self.effect(rows, |db| objects::execute_drop_assertion(&s, db)),
            S::CreateProcedure(s) => self.effect(rows, |db| objects::execute_create_procedure(&s, db)),
            S::DropProcedure(s) => self.effect(rows, |db| objects::execute_drop_procedure(&s, db)),
            S::CreateFunction(s) => self.effect(rows, |db| objects::execute_create_function(&s, db)),
            S::DropFunction(s) => self.effect(rows, |db| objects::execute_drop_function(&s, db)),
            S::Call(s) => self.effect(rows, |db| objects::execute_call(&s, db)),

            S::DeclareCursor(s) => self.cursor_effect(rows, |cursors, _| cursors.declare(&s)),
            S::OpenCursor(s) => self.cursor_effect(rows, |cursors, db| cursors.open(&s, db)),
            S::Fetch(s) => self.fetch(&s, rows),
            S::CloseCursor(s) => self.cursor_effect(rows, |cursors, _| cursors.close(&s)),

            S::ShowTables(s) => self.show(rows, |show| show.execute_show_tables(&s)),
            S::ShowDatabases(s) => self.show(rows, |show| show.execute_show_databases(&s)),
            S::ShowColumns(s) => self.show(rows, |show| show.execute_show_columns(&s)),
            S::ShowIndex(s) => self.show(rows, |show| show.execute_show_index(&s)),
            S::ShowCreateTable(s) => self.show(rows, |show| show.execute_show_create_table(&s)),
            S::Describe(s) => self.show(rows, |show| show.execute_describe(&s)),
            S::Explain(s) => self.explain(&s, rows),
            S::Pragma(s) => self.pragma(&s, rows),

            S::Vacuum(_) => Err(no_executor("VACUUM")),
            S::Prepare(_) => Err(no_executor("PREPARE")),
            S::Execute(_) => Err(no_executor("EXECUTE")),
            S::Deallocate(_) => Err(no_executor("DEALLOCATE")),
            S::ScheduleAfter(_) | S::ScheduleAt(_) => Err(no_executor("SCHEDULE")),
            S::CancelSchedule(_) => Err(no_executor("CANCEL SCHEDULE")),
            S::CreateCron(_) => Err(no_executor("CREATE CRON")),
            S::AlterCron(_) => Err(no_executor("ALTER CRON")),
            S::DropCron(_) => Err(no_executor("DROP CRON")),
        }
    }

    /// Executes a statement without rows, unless the sink stops it.
    fn effect<T>(
        &mut self,
        rows: &mut dyn RowSink,
        execute: impl FnOnce(&mut Database) -> Result<T, ExecutorError>,
    ) -> Result<Flow, ExecuteError> {
        self.cursor_effect(rows, |_, db| execute(db))
    }

    /// Executes a statement without rows that may change cursors, unless the sink stops it.
    fn cursor_effect<T>(
        &mut self,
        rows: &mut dyn RowSink,
        execute: impl FnOnce(&mut CursorStore, &mut Database) -> Result<T, ExecutorError>,
    ) -> Result<Flow, ExecuteError> {
        if rows.columns(&[]) == Flow::Stop {
            return Ok(Flow::Stop);
        }
        execute(&mut self.cursors, &mut self.db).map_err(sql_error)?;
        Ok(rows.done(None))
    }

    /// Executes COMMIT or ROLLBACK, after which the caller of VibeSQL must close most cursors.
    fn end_transaction(
        &mut self,
        rows: &mut dyn RowSink,
        execute: impl FnOnce(&mut Database) -> Result<String, ExecutorError>,
    ) -> Result<Flow, ExecuteError> {
        self.cursor_effect(rows, |cursors, db| {
            execute(db)?;
            cursors.clear_non_holdable();
            Ok(())
        })
    }

    fn select(&mut self, s: &SelectStmt, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
        if s.into_variables.is_some() {
            return Err(no_executor("SELECT INTO variables outside of a procedure"));
        }
        if let Some(table) = &s.into_table {
            return self.effect(rows, |db| ex::SelectIntoExecutor::execute(s, table, db));
        }
        // `execute_with_columns` would evaluate FROM a second time for unneeded names.
        let found = ex::SelectExecutor::new(&self.db).execute(s).map_err(sql_error)?;
        let columns = match found.first() {
            Some(row) => row.len(),
            None => shape::count_select_columns(s, &self.db)?,
        };
        self.transfer(columns, &found, rows)
    }

    fn insert(&mut self, s: &InsertStmt, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
        let table = match &s.schema_name {
            Some(schema) => Cow::Owned(format!("{schema}.{}", s.table_name)),
            None => Cow::Borrowed(s.table_name.as_str()),
        };
        self.change(&table, s.returning.as_deref(), rows, |db| {
            let outcome = ex::InsertExecutor::execute_returning(db, s)?;
            Ok((outcome.affected_rows, outcome.returning))
        })
    }

    fn update(&mut self, s: &UpdateStmt, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
        self.change(&s.table_name, s.returning.as_deref(), rows, |db| {
            ex::UpdateExecutor::execute_returning(s, db)
        })
    }

    fn delete(&mut self, s: &DeleteStmt, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
        self.change(&s.table_name, s.returning.as_deref(), rows, |db| {
            ex::DeleteExecutor::execute_returning(s, db)
        })
    }

    /// Executes INSERT, UPDATE or DELETE, with the rows of RETURNING as its result.
    fn change(
        &mut self,
        table: &str,
        returning: Option<&[SelectItem]>,
        rows: &mut dyn RowSink,
        execute: impl FnOnce(&mut Database) -> Result<ChangeResult, ExecutorError>,
    ) -> Result<Flow, ExecuteError> {
        let columns = match returning {
            None => Some(0),
            Some(items) => shape::count_returning_columns(items, table, &self.db),
        };
        if let Some(columns) = columns
            && self.transfer.announce(columns, rows) == Flow::Stop
        {
            return Ok(Flow::Stop);
        }
        let (affected, returned) = execute(&mut self.db).map_err(sql_error)?;
        // `changes()` and `total_changes()` return the counts set by the caller of VibeSQL.
        self.db.set_last_changes_count(affected);
        self.db.increment_total_changes_count(affected);
        let returned = returned.unwrap_or_else(|| SelectResult { columns: Vec::new(), rows: Vec::new() });
        // VibeSQL does not know the table either, so only special tables get here.
        if columns.is_none() && self.transfer.announce(returned.columns.len(), rows) == Flow::Stop {
            return Ok(Flow::Stop);
        }
        self.transfer.finish(&returned.rows, Some(affected as u64), rows)
    }

    fn create_view(
        &mut self,
        mut s: CreateViewStmt,
        text: &str,
        rows: &mut dyn RowSink,
    ) -> Result<Flow, ExecuteError> {
        s.sql_definition = Some(definition(text).to_owned());
        self.effect(rows, |db| objects::execute_create_view(&s, db))
    }

    fn create_trigger(
        &mut self,
        s: &CreateTriggerStmt,
        text: &str,
        rows: &mut dyn RowSink,
    ) -> Result<Flow, ExecuteError> {
        let source = Some(definition(text));
        self.effect(rows, |db| ex::TriggerExecutor::create_trigger_with_sql(db, s, source))
    }

    fn fetch(&mut self, s: &FetchStmt, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
        if s.into_variables.is_some() {
            return Err(no_executor("FETCH INTO"));
        }
        // A relative fetch of zero rows keeps the cursor in place, and returns the number of columns.
        let look = FetchStmt {
            cursor_name: s.cursor_name.clone(),
            orientation: FetchOrientation::Relative(0),
            into_variables: None,
        };
        let columns = self.cursors.fetch(&look).map_err(sql_error)?.columns.len();
        if self.transfer.announce(columns, rows) == Flow::Stop {
            return Ok(Flow::Stop);
        }
        let fetched = self.cursors.fetch(s).map_err(sql_error)?;
        self.transfer.finish(&fetched.rows, None, rows)
    }

    fn show(
        &mut self,
        rows: &mut dyn RowSink,
        execute: impl FnOnce(&ex::IntrospectionExecutor<'_>) -> Result<SelectResult, ExecutorError>,
    ) -> Result<Flow, ExecuteError> {
        let shown = execute(&ex::IntrospectionExecutor::new(&self.db)).map_err(sql_error)?;
        self.transfer(shown.columns.len(), &shown.rows, rows)
    }

    /// Returns a plan as VibeSQL writes it, one row for each line.
    fn explain(&mut self, s: &ExplainStmt, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
        if s.analyze {
            return Err(no_executor("EXPLAIN ANALYZE"));
        }
        let plan = ex::ExplainExecutor::execute(s, &self.db).map_err(sql_error)?;
        let text = match s.format {
            _ if s.query_plan => plan.to_sqlite_eqp(),
            ExplainFormat::Text => plan.to_text(),
            ExplainFormat::Json => plan.to_json(),
        };
        if self.transfer.announce(1, rows) == Flow::Stop {
            return Ok(Flow::Stop);
        }
        for line in text.lines() {
            if rows.row(&[ValueRef::Text(line.as_bytes())]) == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(rows.done(None))
    }

    fn pragma(&mut self, s: &PragmaStmt, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
        match pragma::request(s) {
            Some(PragmaRequest::Get(get)) => {
                let state = Row::new(vec![SqlValue::Integer(i64::from(get(&self.db)))]);
                self.transfer(1, &[state], rows)
            }
            Some(PragmaRequest::Set(set, state)) => self.effect(rows, |db| {
                set(db, state);
                Ok(())
            }),
            None => Err(no_executor(&format!("PRAGMA {} as it is written here", s.name))),
        }
    }

    /// Transfers a complete result.
    fn transfer(
        &mut self,
        columns: usize,
        found: &[Row],
        rows: &mut dyn RowSink,
    ) -> Result<Flow, ExecuteError> {
        if self.transfer.announce(columns, rows) == Flow::Stop {
            return Ok(Flow::Stop);
        }
        self.transfer.finish(found, None, rows)
    }
}

/// Returns the source without the semicolon, as `sqlite_master` shows it.
fn definition(text: &str) -> &str {
    text.strip_suffix(';').unwrap_or(text).trim_ascii_end()
}

fn no_executor(kind: &str) -> ExecuteError {
    ExecuteError::Unsupported(format!("VibeSQL 0.2 has no executor for {kind}"))
}
