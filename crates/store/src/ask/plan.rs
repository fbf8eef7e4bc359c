//! Finds the tables and columns that a statement may read.
//!
//! SQLite prepares the statement on empty tables, and reports errors and whether it is a query. The text alone decides
//! on the loaded columns: a statement can only read a column that it spells, unless it has a wildcard or NATURAL. So a
//! column is omitted only if its name occurs nowhere in the statement, neither as a word nor in quotes. SQLite's report
//! of read columns cannot be used: it omits the columns that join tables.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Batch, Connection, Error};

use super::scan::{self, SqlPiece};
use super::views::{SqlView, VIEWS};
use super::volatile::{Dependency, depends_on};
use crate::WantedColumns;
use crate::schema::{self, TABLES};

/// The requirements of a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryPlan {
    /// The statement, without comments.
    pub sql: String,
    /// The columns that it may read.
    pub wanted: Vec<WantedColumns>,
    /// The views that it may read.
    pub views: Vec<&'static SqlView>,
    /// The names of the columns of the answer; empty if SQLite cannot prepare the statement.
    pub columns: Vec<String>,
    /// Whether a second opinion is possible.
    pub trust: Comparability,
}

/// Whether two answers to the same statement can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparability {
    /// Both engines can answer.
    Comparable,
    /// The answer depends on more than the rows, so only SQLite is asked.
    OnlySqlite(Dependency),
    /// SQLite reaches one of its limits or lacks a function, with its message.
    OnlyVibeSql(String),
}

/// A reason to reject a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryPlanError {
    /// The text contains no statement.
    #[error("no SQL")]
    Nothing,
    /// The text contains several statements.
    #[error("more than one statement")]
    Several,
    /// The statement is not a query.
    #[error("the results are read-only: expected SELECT, WITH or VALUES")]
    Writes,
    /// SQLite rejects the statement.
    #[error("{message}")]
    Sql {
        /// SQLite's message.
        message: String,
        /// The unknown name, if that is the reason.
        unknown: Option<UnknownName>,
    },
}

/// An unknown name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnknownName {
    /// A table.
    Table(String),
    /// A column, perhaps with its table.
    Column(String),
}

/// SQLite's report on the statement.
#[derive(Debug, Default)]
struct StatementInfo {
    /// The tables that it reads, and common table expressions with counted rows.
    tables: HashSet<String>,
    functions: Vec<String>,
    denied: bool,
}

/// Finds the requirements of a statement.
///
/// # Errors
///
/// [`QueryPlanError`], for a writing statement, for none or several statements, and for an invalid one.
pub fn plan(sql: &str) -> Result<QueryPlan, QueryPlanError> {
    if sql.contains('\0') {
        // For SQLite it would end the statement.
        let message = "unrecognized token: a NUL character".to_owned();
        return Err(QueryPlanError::Sql { message, unknown: None });
    }
    let mut statements = scan::statements(sql);
    let sql = match statements.len() {
        0 => return Err(QueryPlanError::Nothing),
        1 => statements.remove(0),
        _ => return Err(QueryPlanError::Several),
    };
    let seen = Arc::new(Mutex::new(StatementInfo::default()));
    let prepared = prepare(&sql, &seen);
    let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    match prepared {
        _ if seen.denied => Err(QueryPlanError::Writes),
        Ok(None) => Err(QueryPlanError::Writes),
        Ok(Some(columns)) => {
            if let Some(table) = seen.tables.iter().find(|table| is_of_sqlite(table)) {
                let message = format!("no such table: {table}");
                return Err(QueryPlanError::Sql {
                    message,
                    unknown: Some(UnknownName::Table(table.clone())),
                });
            }
            let (wanted, views) = needs(&sql, true);
            let trust = depends_on(&sql, &seen.functions)
                .map_or(Comparability::Comparable, Comparability::OnlySqlite);
            Ok(QueryPlan { sql, wanted, views, columns, trust })
        }
        Err(message) if is_limit(&message) && may_be_a_question(&sql) => Ok(for_vibesql(sql, message)),
        Err(message) => {
            let unknown = unknown(&message);
            Err(QueryPlanError::Sql { message, unknown })
        }
    }
}

/// Returns the names of the columns; `None` for a statement that writes.
fn prepare(sql: &str, seen: &Arc<Mutex<StatementInfo>>) -> Result<Option<Vec<String>>, String> {
    let seen = Arc::clone(seen);
    let connection = with_everything(move |context| {
        let mut seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match context.action {
            AuthAction::Read { table_name, .. } => {
                seen.tables.insert(table_name.to_owned());
            }
            AuthAction::Function { function_name }
                if !function_name.eq_ignore_ascii_case("load_extension") =>
            {
                seen.functions.push(function_name.to_ascii_lowercase());
            }
            AuthAction::Select | AuthAction::Recursive => {}
            _ => {
                seen.denied = true;
                return Authorization::Deny;
            }
        }
        Authorization::Allow
    });
    let connection = connection.map_err(|error| words(&error))?;
    let mut batch = Batch::new(&connection, sql);
    let Some(statement) = batch.next().map_err(|error| words(&error))? else { return Ok(None) };
    let reads_only = statement.readonly() && statement.is_explain() == 0 && statement.column_count() > 0;
    Ok(reads_only.then(|| statement.column_names().map(str::to_owned).collect()))
}

/// Creates all tables and views, without rows.
fn with_everything(
    allows: impl FnMut(AuthContext<'_>) -> Authorization + Send + 'static,
) -> Result<Connection, Error> {
    let mut connection = Connection::open_in_memory()?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    for table in TABLES {
        connection.execute_batch(&table.create(&table.columns.iter().collect::<Vec<_>>()))?;
    }
    for view in VIEWS {
        connection.execute_batch(&view.create())?;
    }
    connection.authorizer(Some(allows))?;
    Ok(connection)
}

/// Functions that SQLite reports as tables.
const FUNCTIONS_LIKE_TABLES: &[&str] = &["json_each", "json_tree"];

/// Returns whether SQLite has a built-in table of this name, which VibeSQL lacks.
fn is_of_sqlite(table: &str) -> bool {
    if FUNCTIONS_LIKE_TABLES.contains(&table) {
        return false;
    }
    let select = format!("SELECT 1 FROM \"{}\"", table.replace('"', "\"\""));
    Connection::open_in_memory().is_ok_and(|connection| connection.prepare(&select).is_ok())
}

/// Returns the tables and views that a statement names, with their named columns. All columns are returned if it can
/// read unnamed ones, or is not `understood`.
fn needs(sql: &str, understood: bool) -> (Vec<WantedColumns>, Vec<&'static SqlView>) {
    let mut wanted: Vec<WantedColumns> = Vec::new();
    let mut views: Vec<&'static SqlView> = Vec::new();
    let mut texts = vec![sql];
    while let Some(text) = texts.pop() {
        let names = scan::names(text);
        let all = !understood || names.contains("natural") || scan::has_wildcard(text);
        let behind_in = scan::names_behind_in(text);
        for table in TABLES.into_iter().filter(|table| names.contains(table.name)) {
            let all = all || behind_in.contains(table.name);
            let named = table.columns.iter().filter(|column| all || names.contains(column.name));
            let columns: Vec<_> = named.collect();
            match wanted.iter_mut().find(|one| one.table == table) {
                Some(one) => one.widen(&columns),
                None => wanted.push(WantedColumns { table, columns }),
            }
        }
        // A view reads its own columns, and through it a query can only read the columns that it spells.
        for view in VIEWS.iter().filter(|view| names.contains(view.name)) {
            if !views.contains(&view) {
                views.push(view);
                texts.push(view.sql);
            }
        }
    }
    // COUNT(*) reads rows and no column.
    for one in wanted.iter_mut().filter(|one| one.columns.is_empty()) {
        one.columns.extend(one.table.columns.first());
    }
    (wanted, views)
}

/// Returns whether the message is about a limit of SQLite or a function that this build lacks.
///
/// The statement may be valid then. All other errors are errors of the statement.
fn is_limit(message: &str) -> bool {
    const STARTS: &[&str] = &[
        "too many ",
        "at most ",
        "Expression tree is too large",
        "VIEWs and/or subqueries nested too deep",
        "Recursion limit",
        "parser stack overflow",
        "out of memory",
        "string or blob too big",
        "statement too long",
        "no such function: ",
    ];
    STARTS.iter().any(|start| message.starts_with(start))
}

/// Returns whether the statement begins like a query.
fn may_be_a_question(sql: &str) -> bool {
    let first = scan::pieces(sql).into_iter().find_map(|piece| match piece {
        SqlPiece::Word(word) => Some(word.to_ascii_uppercase()),
        _ => None,
    });
    matches!(first.as_deref(), Some("SELECT" | "WITH" | "VALUES"))
}

/// Plans a statement for VibeSQL alone: all columns of the named tables are loaded.
fn for_vibesql(sql: String, message: String) -> QueryPlan {
    let (wanted, views) = needs(&sql, false);
    QueryPlan { sql, wanted, views, columns: Vec::new(), trust: Comparability::OnlyVibeSql(message) }
}

/// Parses the unknown name in SQLite's message.
fn unknown(message: &str) -> Option<UnknownName> {
    let behind = |start: &str| {
        let rest = message.split_once(start)?.1;
        Some(rest.split(" - ").next().unwrap_or(rest).trim().to_owned())
    };
    behind("no such table: ")
        .map(UnknownName::Table)
        .or_else(|| behind("no such column: ").map(UnknownName::Column))
}

/// Returns the column names of a table or view, ignoring the case of its name.
pub fn columns_of(name: &str) -> Option<Vec<&'static str>> {
    let view = || VIEWS.iter().find(|view| view.name.eq_ignore_ascii_case(name));
    match schema::table(name) {
        Some(table) => Some(table.columns.iter().map(|column| column.name).collect()),
        None => view().map(|view| view.columns.to_vec()),
    }
}

/// Returns SQLite's message.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(sql: &str) -> String {
        let plan = plan(sql).unwrap();
        let table = |wanted: &WantedColumns| {
            let columns: Vec<_> = wanted.columns.iter().map(|column| column.name).collect();
            format!("{}({})", wanted.table.name, columns.join(","))
        };
        plan.wanted.iter().map(table).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_what_is_read_is_loaded() {
        for (sql, expected) in [
            ("SELECT status FROM test_results", "test_results(status)"),
            ("SELECT COUNT(*) FROM test_results", "test_results(result_id)"),
            ("SELECT 1", ""),
            (
                "select r.STATUS from Test_Results r where exists (select 1 from test_runs t where t.run_id = r.run_id)",
                "test_runs(run_id) test_results(run_id,status)",
            ),
            (
                "WITH a AS (SELECT file_path AS f FROM file_stats) SELECT f FROM a ORDER BY f",
                "file_stats(file_path)",
            ),
            (
                "SELECT file_path FROM test_files UNION SELECT file_path FROM file_stats",
                "test_files(file_path) file_stats(file_path)",
            ),
            // Names in all roles and with all quotes.
            (
                "SELECT count(*) FROM \"TEST_RESULTS\" JOIN [test_files] USING (`status`)",
                "test_results(status) test_files(status)",
            ),
            ("WITH c(line) AS (SELECT 1) SELECT sql FROM 'slow_records', c", "slow_records(line,sql)"),
            ("SELECT line * 2 FROM slow_records", "slow_records(line)"),
        ] {
            assert_eq!(reads(sql), expected, "{sql}");
        }
        let all = plan("SELECT * FROM slow_records").unwrap();
        assert_eq!(all.wanted, [WantedColumns::all(&schema::SLOW_RECORDS)]);
        assert_eq!(all.columns, ["run_id", "file_path", "line", "duration_ms", "sql", "file_id"]);
        for sql in [
            "SELECT count(*) FROM slow_records NATURAL JOIN (SELECT 1 AS line)",
            "SELECT 1 FROM (SELECT s.* FROM slow_records AS s)",
            "SELECT line FROM slow_records WHERE EXISTS (SELECT 1, * FROM slow_records)",
        ] {
            assert_eq!(plan(sql).unwrap().wanted, [WantedColumns::all(&schema::SLOW_RECORDS)], "{sql}");
        }
    }

    #[test]
    fn views_expand_to_their_tables() {
        for view in VIEWS {
            for sql in [format!("SELECT * FROM {}", view.name), format!("SELECT COUNT(*) FROM {}", view.name)]
            {
                let plan = plan(&sql).unwrap();
                assert_eq!(plan.views, [view], "{sql}");
                assert!(!plan.wanted.is_empty(), "{sql}");
            }
            assert_eq!(plan(&format!("SELECT * FROM {}", view.name)).unwrap().columns, view.columns);
        }
    }

    #[test]
    fn only_one_statement_that_reads() {
        for sql in [
            "INSERT INTO test_runs (run_id) VALUES (1)",
            "UPDATE test_runs SET run_id = 1",
            "DELETE FROM test_runs",
            "DROP TABLE test_runs",
            "CREATE TABLE a (b)",
            "CREATE TEMP TABLE a AS SELECT 1",
            "PRAGMA user_version",
            "ATTACH 'x' AS y",
            "VACUUM",
            "VACUUM INTO 'x'",
            "BEGIN",
            "ANALYZE",
            "REINDEX",
            "EXPLAIN SELECT 1",
            "SELECT load_extension('x')",
            "WITH a AS (SELECT 1) DELETE FROM test_runs",
            "REPLACE INTO test_runs (run_id) VALUES (1)",
            "ALTER TABLE test_runs ADD x",
        ] {
            assert_eq!(plan(sql), Err(QueryPlanError::Writes), "{sql}");
        }
        assert_eq!(plan("SELECT 1; SELECT 2"), Err(QueryPlanError::Several));
        assert_eq!(plan("SELECT 1; DROP TABLE test_runs"), Err(QueryPlanError::Several));
        assert_eq!(plan(" -- nothing\n ;"), Err(QueryPlanError::Nothing));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |sql: &str| match plan(sql) {
            Err(QueryPlanError::Sql { message, unknown }) => (message, unknown),
            other => panic!("{sql}: {other:?}"),
        };
        assert_eq!(error("SELECT 1 FROM test_run").1, Some(UnknownName::Table("test_run".to_owned())));
        assert_eq!(error("SELECT stat FROM test_runs").1, Some(UnknownName::Column("stat".to_owned())));
        assert_eq!(error("SELECT t.stat FROM test_runs t").1, Some(UnknownName::Column("t.stat".to_owned())));
        assert!(error("SELEC 1").0.contains("syntax error"));
        assert!(error("SELECT 1\0 no SQL").0.contains("NUL"));
        // Features of SQLite that VibeSQL lacks.
        for table in ["pragma_table_info", "sqlite_schema", "sqlite_master"] {
            let arguments = if table.starts_with("pragma") { "('test_runs')" } else { "" };
            for columns in ["*", "COUNT(*)"] {
                let sql = format!("SELECT {columns} FROM {table}{arguments}");
                assert!(matches!(error(&sql).1, Some(UnknownName::Table(_))), "{sql}");
            }
        }
    }

    #[test]
    fn tables_behind_in_are_loaded_whole() {
        let others = "SELECT run_id FROM test_runs WHERE (1, 2, 3, 4, 5, 6) IN slow_records";
        assert_eq!(
            reads(others),
            "test_runs(run_id) slow_records(run_id,file_path,line,duration_ms,sql,file_id)"
        );
        assert_eq!(
            reads("SELECT line FROM slow_records WHERE line IN (SELECT line FROM slow_records)"),
            "slow_records(line)"
        );
    }

    #[test]
    fn what_depends_on_more_than_rows_is_for_sqlite_alone() {
        use Dependency::{Chance, Connection, Engine, Time};
        for (sql, expected) in [
            ("SELECT random()", Chance),
            ("SELECT run_id FROM test_runs ORDER BY RANDOM()", Chance),
            ("SELECT hex(randomblob(2))", Chance),
            ("SELECT CURRENT_TIMESTAMP", Time),
            ("SELECT date(current_date)", Time),
            ("SELECT date('now', '-1 day')", Time),
            ("SELECT \"date\" /* it */ ( 'NOW' )", Time),
            ("SELECT date(\"now\")", Time),
            ("SELECT date(coalesce(NULL, 'now'))", Time),
            ("SELECT timediff('2026-01-01', 'now')", Time),
            ("SELECT datetime()", Time),
            ("SELECT julianday( /* nothing */ )", Time),
            ("SELECT strftime('%Y')", Time),
            ("SELECT strftime('%Y', 'now')", Time),
            ("SELECT unixepoch('subsec')", Time),
            ("SELECT strftime('%s', 'subsecond')", Time),
            ("SELECT changes() + total_changes()", Connection),
            ("SELECT last_insert_rowid()", Connection),
            ("SELECT sqlite_version()", Engine),
        ] {
            assert_eq!(plan(sql).unwrap().trust, Comparability::OnlySqlite(expected), "{sql}");
        }
        for sql in [
            "SELECT date(started_at) FROM test_runs",
            "SELECT 'now', COUNT(*) FROM test_runs",
            "SELECT date(started_at) FROM test_runs WHERE git_commit = 'now'",
            "SELECT date(started_at), row_number() OVER () FROM test_runs",
            "SELECT date(started_at), row_number() OVER (ORDER BY run_id) FROM test_runs",
            "SELECT strftime('%Y', started_at), 'strftime(now)' FROM test_runs",
            "SELECT datetime(started_at, 'subsec') FROM test_runs -- datetime('now')",
            "WITH date(now) AS (SELECT 'now') SELECT now FROM date",
            "SELECT run_id AS random FROM test_runs",
        ] {
            assert_eq!(plan(sql).unwrap().trust, Comparability::Comparable, "{sql}");
        }
    }

    #[test]
    fn an_error_of_sqlite_is_one_of_the_statement_unless_it_is_a_limit() {
        for (sql, expected) in [
            ("SELECT status FROM test_results WHERE ILIKE status", "syntax error"),
            ("SELECT substr(1)", "wrong number of arguments to function substr()"),
            ("SELECT count(count(*)) FROM test_runs", "misuse of aggregate function count()"),
            ("SELECT 1 UNION SELECT 1, 2", "do not have the same number of result columns"),
            ("SELECT (1, 2)", "row value misused"),
            ("SELECT (SELECT 1, 2)", "sub-select returns 2 columns - expected 1"),
            ("SELECT 1 ORDER BY 2", "ORDER BY term out of range"),
            ("SELECT x.* FROM test_runs", "no such table: x"),
        ] {
            match plan(sql) {
                Err(QueryPlanError::Sql { message, .. }) => {
                    assert!(message.contains(expected), "{sql}: {message}");
                }
                other => panic!("{sql}: {other:?}"),
            }
        }
        let joins = (0..70).map(|number| format!("slow_records t{number}")).collect::<Vec<_>>();
        let limit = plan(&format!("SELECT 1 FROM {}", joins.join(", "))).unwrap();
        assert_eq!(limit.trust, Comparability::OnlyVibeSql("at most 64 tables in a join".to_owned()));
        assert_eq!(limit.wanted, [WantedColumns::all(&schema::SLOW_RECORDS)]);
        let deep = plan(&format!("SELECT {}1", "1 + ".repeat(3000))).unwrap();
        assert!(matches!(deep.trust, Comparability::OnlyVibeSql(_)), "{:?}", deep.trust);
        // This build of SQLite has no mathematical functions.
        let function = plan("SELECT sqrt(duration_ms) FROM test_results").unwrap();
        assert_eq!(function.trust, Comparability::OnlyVibeSql("no such function: sqrt".to_owned()));
    }
}
