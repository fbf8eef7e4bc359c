//! The results in VibeSQL: in its SQLite mode, without indexes, transactions and keys, which are unreliable in VibeSQL.

use std::sync::Arc;

use vibesql::ast::Statement;
use vibesql::executor::{SelectExecutor, advanced_objects, clear_in_subquery_cache};
use vibesql::storage::Database;

use super::database::{AnswerWriter, QueryDatabase};
use super::views::SqlView;
use crate::vibesql_tables::{SharedTexts, add_rows, create_table, new_database, parse, to_cell};
use crate::{Cell, WantedColumns};
use slt_core::engine::Flow;

/// The version that `Cargo.toml` pins.
pub const VERSION: &str = "0.2.0";

/// A database in memory.
pub(super) struct InVibeSql {
    database: Database,
    texts: SharedTexts,
}

impl InVibeSql {
    pub(super) fn new() -> Self {
        Self { database: new_database(), texts: SharedTexts::default() }
    }
}

impl QueryDatabase for InVibeSql {
    fn create(&mut self, table: &WantedColumns) -> Result<(), String> {
        create_table(&mut self.database, table.table, &table.columns)
    }

    fn add(&mut self, table: &WantedColumns, rows: Vec<Vec<Cell>>) -> Result<(), String> {
        add_rows(&mut self.database, table.table, &table.columns, rows, &mut self.texts)
    }

    fn view(&mut self, view: &SqlView) -> Result<(), String> {
        let create = view.create();
        let Statement::CreateView(mut statement) = parse(&create)? else { return Err(create) };
        statement.sql_definition = Some(create);
        advanced_objects::execute_create_view(&statement, &mut self.database)
            .map_err(|error| error.to_string())
    }

    fn ask(&mut self, sql: &str, width: Option<usize>, answer: &mut AnswerWriter<'_>) -> Result<(), String> {
        // VibeSQL would reuse a cached answer of an IN subquery after the rows have changed.
        clear_in_subquery_cache();
        let Statement::Select(select) = parse(sql)? else { return Err("only SELECT is asked".to_owned()) };
        if select.into_table.is_some() || select.into_variables.is_some() {
            return Err("only SELECT is asked".to_owned());
        }
        let executor = SelectExecutor::new(&self.database);
        let rows = if width.is_some() {
            executor.execute(&select).map_err(|error| error.to_string())?
        } else {
            // This evaluates FROM once more, for names that SQLite usually provides.
            let found = executor.execute_with_columns(&select).map_err(|error| error.to_string())?;
            answer.columns(found.columns);
            found.rows
        };
        for row in rows {
            let row = row.values.iter().map(|value| to_cell(value, &mut |text| Arc::from(text)));
            if answer.row(row.collect()) == Flow::Stop {
                break;
            }
        }
        Ok(())
    }
}
