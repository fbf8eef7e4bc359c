//! Finds the row order that a statement specifies, and the statement that shows SQLite's choices.

use sqlparser::ast::{
    Distinct, Expr, LimitClause, OrderByKind, Query, SelectItem, SetExpr, Statement, UnaryOperator, Value,
};
use sqlparser::dialect::SQLiteDialect;
use sqlparser::parser::Parser;

use super::compare::SortKey;
use super::scan::{self, SqlPiece};

/// The specified order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RowOrder {
    /// No order, and all rows are shown.
    Any,
    /// No order, and some rows are shown: this statement shows all.
    AnyOf(String),
    /// The rows are sorted, and `all` shows all of them with their keys.
    Sorted { all: String, keys: Vec<SortKey>, offset: usize },
    /// An unsupported statement.
    Unclear,
}

/// Finds the order of a statement; its answer has these columns.
pub(super) fn order(sql: &str, columns: &[String]) -> RowOrder {
    let parsed =
        Parser::new(&SQLiteDialect {}).try_with_sql(sql).and_then(|mut parser| parser.parse_statements());
    match parsed.as_deref() {
        Ok([Statement::Query(query)]) => of_query(query, columns).unwrap_or(RowOrder::Unclear),
        _ => by_words(sql),
    }
}

/// Finds the order if the parser fails: without ORDER BY in the text the rows have no order.
fn by_words(sql: &str) -> RowOrder {
    let mut depth = 0_usize;
    for piece in scan::pieces(sql) {
        match piece {
            SqlPiece::Other("(") => depth += 1,
            SqlPiece::Other(")") => depth = depth.saturating_sub(1),
            SqlPiece::Word(word)
                if depth == 0
                    && (word.eq_ignore_ascii_case("order") || word.eq_ignore_ascii_case("limit")) =>
            {
                return RowOrder::Unclear;
            }
            _ => {}
        }
    }
    RowOrder::Any
}

fn of_query(query: &Query, columns: &[String]) -> Option<RowOrder> {
    let mut all = query.clone();
    all.limit_clause = None;
    let Some(order_by) = &query.order_by else {
        let limited = query.limit_clause.is_some() || query.fetch.is_some();
        return Some(if limited { RowOrder::AnyOf(all.to_string()) } else { RowOrder::Any });
    };
    let OrderByKind::Expressions(terms) = &order_by.kind else { return None };
    let offset = match &query.limit_clause {
        None | Some(LimitClause::LimitOffset { offset: None, .. }) => 0,
        Some(LimitClause::LimitOffset { offset: Some(offset), .. }) => whole_number(&offset.value)?,
        Some(LimitClause::OffsetCommaLimit { offset, .. }) => whole_number(offset)?,
    };
    let mut keys = Vec::new();
    let mut added = Vec::new();
    for term in terms {
        let (expr, nocase) = collation(&term.expr)?;
        let place = match column(expr, columns)? {
            Some(place) => place,
            None => {
                added.push(expr.clone());
                columns.len() + added.len() - 1
            }
        };
        keys.push(SortKey { place, nocase });
    }
    if !added.is_empty() {
        // For a set operation or DISTINCT, a further column would change the set of rows.
        let SetExpr::Select(select) = all.body.as_mut() else { return None };
        if !matches!(select.distinct, None | Some(Distinct::All)) {
            return None;
        }
        select.projection.extend(added.into_iter().map(SelectItem::UnnamedExpr));
    }
    Some(RowOrder::Sorted { all: all.to_string(), keys, offset })
}

/// Returns the column of the answer that a term refers to, by number or name.
///
/// The outer `None` is an invalid number, the inner one any other expression.
#[expect(clippy::option_option, reason = "two different ways of not being a column")]
fn column(expr: &Expr, columns: &[String]) -> Option<Option<usize>> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => {
                let place = digits.parse::<usize>().ok()?.checked_sub(1)?;
                (place < columns.len()).then_some(Some(place))
            }
            _ => Some(None),
        },
        Expr::Identifier(name) => {
            Some(columns.iter().position(|known| known.eq_ignore_ascii_case(&name.value)))
        }
        _ => Some(None),
    }
}

/// Returns the expression without COLLATE; `None` for an unsupported collation.
fn collation(expr: &Expr) -> Option<(&Expr, bool)> {
    match expr {
        Expr::Nested(inner) => collation(inner),
        Expr::Collate { expr, collation } => match collation.to_string().to_ascii_lowercase().as_str() {
            "nocase" => Some((expr, true)),
            "binary" => Some((expr, false)),
            _ => None,
        },
        _ => Some((expr, false)),
    }
}

fn whole_number(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        // SQLite treats it as 0.
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => whole_number(expr).map(|_| 0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expected: &str) {
        let columns = ["a".to_owned(), "b".to_owned()];
        let found = match order(sql, &columns) {
            RowOrder::Any => "any".to_owned(),
            RowOrder::AnyOf(all) => format!("of {all}"),
            RowOrder::Sorted { all, keys, offset } => {
                let keys: Vec<_> = keys.iter().map(|key| key.place.to_string()).collect();
                format!("{} from {offset} in {all}", keys.join(" "))
            }
            RowOrder::Unclear => "unclear".to_owned(),
        };
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn orders() {
        check("SELECT a, b FROM t", "any");
        check("SELECT a, b FROM (SELECT * FROM t ORDER BY a LIMIT 3) s", "any");
        check("SELECT a, b FROM t LIMIT 3", "of SELECT a, b FROM t");
        check("SELECT a, b FROM t ORDER BY 2 DESC, A", "1 0 from 0 in SELECT a, b FROM t ORDER BY 2 DESC, A");
        check(
            "SELECT a, b FROM t ORDER BY c LIMIT 3 OFFSET 2",
            "2 from 2 in SELECT a, b, c FROM t ORDER BY c",
        );
        check(
            "SELECT a, b FROM t ORDER BY a + b, c COLLATE NOCASE LIMIT 2, 3",
            "2 3 from 2 in SELECT a, b, a + b, c FROM t ORDER BY a + b, c COLLATE NOCASE",
        );
        check("SELECT DISTINCT a, b FROM t ORDER BY a", "0 from 0 in SELECT DISTINCT a, b FROM t ORDER BY a");
        check("SELECT DISTINCT a, b FROM t ORDER BY a + 1", "unclear");
        check(
            "SELECT a, b FROM t UNION SELECT 1, 2 ORDER BY b LIMIT 1",
            "1 from 0 in SELECT a, b FROM t UNION SELECT 1, 2 ORDER BY b",
        );
        check("SELECT a, b FROM t UNION SELECT 1, 2 ORDER BY b + 1", "unclear");
        check("SELECT a, b FROM t ORDER BY a COLLATE RTRIM", "unclear");
        check("SELECT a, b FROM t ORDER BY a LIMIT 1 OFFSET (SELECT 1)", "unclear");
        check(
            "WITH x AS (SELECT 1 AS a, 2 AS b) SELECT a, b FROM x ORDER BY a",
            "0 from 0 in WITH x AS (SELECT 1 AS a, 2 AS b) SELECT a, b FROM x ORDER BY a",
        );
        check("SELECT no syntax of ( mine order by", "any");
        check("SELECT no syntax ORDER BY of mine", "unclear");
    }
}
