//! Counts the columns of a result without rows.

use vibesql::ast::{SelectItem, SelectStmt};
use vibesql::executor::SelectExecutor;
use vibesql::storage::Database;

use super::session::sql_error;
use slt_core::engine::ExecuteError;

/// Counts the columns of a SELECT; the first arm of a set operation determines them.
pub(super) fn count_select_columns(stmt: &SelectStmt, db: &Database) -> Result<usize, ExecuteError> {
    if let Some(values) = &stmt.values {
        return Ok(values.first().map_or(0, Vec::len));
    }
    match plain(&stmt.select_list) {
        Some(columns) => Ok(columns),
        // This evaluates FROM a second time, so it is kept for the results that need it.
        None => Ok(SelectExecutor::new(db).resolve_column_names(stmt).map_err(sql_error)?.len()),
    }
}

/// Counts the columns of a RETURNING list; `None` if it has a wildcard for an unknown table.
pub(super) fn count_returning_columns(items: &[SelectItem], table: &str, db: &Database) -> Option<usize> {
    if let Some(columns) = plain(items) {
        return Some(columns);
    }
    let visible = visible_columns(table, db)?;
    Some(
        items
            .iter()
            .map(|item| match item {
                SelectItem::Expression { .. } => 1,
                SelectItem::Wildcard { .. } | SelectItem::QualifiedWildcard { .. } => visible,
            })
            .sum(),
    )
}

/// Counts the items of a list without wildcards.
fn plain(items: &[SelectItem]) -> Option<usize> {
    items.iter().all(|item| matches!(item, SelectItem::Expression { .. })).then_some(items.len())
}

/// Counts the columns of `*` in a RETURNING list.
fn visible_columns(table: &str, db: &Database) -> Option<usize> {
    // As VibeSQL projects RETURNING: a view may hide columns by their names.
    let shown = |name: &str| !name.starts_with("__hidden__");
    if let Some(table) = db.get_table(table) {
        return Some(table.schema.columns.iter().filter(|column| shown(&column.name)).count());
    }
    let view = db.catalog.get_view(table)?;
    match &view.columns {
        Some(columns) => Some(columns.iter().filter(|column| shown(column)).count()),
        None => count_select_columns(&view.query, db).ok(),
    }
}
