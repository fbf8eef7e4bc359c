//! Constructs of SQL as users write it.

use super::constructs::ConstructFinder;

/// Checks the constructs except for the kind of the statement and plain clauses.
fn check(sql: &str, expected: &[&str]) {
    let mut finder = ConstructFinder::default();
    let ids = finder.constructs(sql.as_bytes()).to_vec();
    let mut names: Vec<_> = ids.iter().filter_map(|&id| finder.book.get(id)).map(|(_, name)| name).collect();
    names.retain(|name| !["SELECT", "WHERE"].contains(name));
    names.sort_unstable();
    assert_eq!(names, expected, "{sql}");
}

#[test]
fn queries() {
    check("SELECT a FROM t WHERE a > 1", &["operator >"]);
    check("SELECT * FROM a, b", &["SELECT *", "several tables in FROM"]);
    check(
        "SELECT t.*, COUNT(*), count(DISTINCT b) FROM t LEFT OUTER JOIN u USING (a) GROUP BY 1 HAVING MAX(c) > -1",
        &[
            "COUNT()",
            "COUNT(*)",
            "COUNT(DISTINCT)",
            "GROUP BY",
            "HAVING",
            "JOIN USING",
            "LEFT JOIN",
            "MAX()",
            "SELECT *",
            "operator >",
        ],
    );
    check(
        "SELECT a FROM t NATURAL LEFT JOIN u CROSS JOIN v JOIN w ON w.a = u.a ORDER BY a DESC NULLS LAST LIMIT 1 OFFSET 2",
        &[
            "CROSS JOIN",
            "INNER JOIN",
            "LEFT JOIN",
            "LIMIT",
            "NATURAL JOIN",
            "NULLS LAST",
            "OFFSET",
            "ORDER BY",
            "operator =",
        ],
    );
    check("(SELECT 1) UNION ALL (SELECT 2) EXCEPT SELECT 3", &["EXCEPT", "UNION ALL"]);
    check("SELECT extract(year FROM d), substring(a FROM 2) FROM t", &["EXTRACT()", "SUBSTRING()"]);
    check(
        "SELECT * FROM generate_series(1, 2), f(3)",
        &["F()", "GENERATE_SERIES()", "SELECT *", "function in FROM", "several tables in FROM"],
    );
    check("VALUES (1), (2)", &["VALUES"]);
}

#[test]
fn subqueries() {
    check(
        "SELECT a FROM t WHERE a NOT IN (SELECT b FROM u) AND EXISTS (SELECT 1)",
        &["AND", "EXISTS (SELECT)", "NOT IN (SELECT)"],
    );
    check(
        "SELECT (SELECT 1), ((SELECT 2)) FROM (SELECT 3) AS s, (SELECT 4)",
        &["several tables in FROM", "subquery as a value", "subquery in FROM"],
    );
    check("SELECT a FROM t WHERE a > ALL (SELECT 1)", &["ANY or ALL (SELECT)", "operator >"]);
    check("WITH c(x) AS (SELECT 1), d AS (SELECT 2) SELECT x FROM c", &["WITH"]);
    check(
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION SELECT x + 1 FROM c) SELECT x FROM c",
        &["UNION", "WITH", "WITH RECURSIVE", "operator +"],
    );
}

#[test]
fn expressions() {
    check(
        "SELECT CAST(a AS DOUBLE PRECISION), b::numeric(10,2), TRY_CAST(c AS int)",
        &["CAST", "CAST AS DOUBLE PRECISION", "CAST AS INT", "CAST AS NUMERIC"],
    );
    check(
        "SELECT CASE WHEN a THEN 1 END, CASE b WHEN 1 THEN 2 ELSE 3 END",
        &["CASE", "CASE with an operand"],
    );
    check(
        "SELECT a FROM t WHERE a BETWEEN 1 AND 2 AND NOT b NOT BETWEEN 3 AND 4",
        &["AND", "BETWEEN", "NOT", "NOT BETWEEN"],
    );
    check(
        "SELECT a FROM t WHERE a LIKE ('x') OR a IS NOT NULL AND b IN (1, 2) AND c IS NOT DISTINCT FROM d",
        &["AND", "IN (list)", "IS NOT DISTINCT FROM", "IS NOT NULL", "LIKE", "OR"],
    );
    check(
        "SELECT -a, - -1, a - 1, +5 * 2 || 'x', x'00', left(a, 2)",
        &["LEFT()", "blob literal", "operator *", "operator -", "operator ||", "unary -"],
    );
    check(
        "SELECT sum(a) FILTER (WHERE b) OVER (PARTITION BY c ORDER BY d ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t",
        &[
            "FILTER",
            "OVER (ORDER BY)",
            "OVER (PARTITION BY)",
            "SUM()",
            "window (OVER)",
            "window frame of ROWS",
        ],
    );
    check(
        "SELECT string_agg(a, ',' ORDER BY a), DATE '2020-01-01', INTERVAL '1 day'",
        &["DATE literal", "INTERVAL", "ORDER BY in a call", "STRING_AGG()"],
    );
}

#[test]
fn statements() {
    check(
        "CREATE TABLE IF NOT EXISTS s.t(a INTEGER PRIMARY KEY, \"b\" VARCHAR(3) NOT NULL DEFAULT 'x', c, d unsigned big int, UNIQUE (a, b), CHECK (abs(a) > 1))",
        &[
            "ABS()",
            "CHECK",
            "CREATE TABLE",
            "DEFAULT",
            "IF NOT EXISTS",
            "NOT NULL",
            "PRIMARY KEY",
            "UNIQUE",
            "column type INTEGER",
            "column type UNSIGNED BIG",
            "column type VARCHAR",
            "column without a type",
            "operator >",
        ],
    );
    check("CREATE TEMP TABLE t AS SELECT 1", &["CREATE TABLE", "CREATE TABLE AS SELECT", "TEMPORARY"]);
    check("CREATE UNIQUE INDEX i ON t(a)", &["CREATE INDEX", "unique index"]);
    check("INSERT OR REPLACE INTO t(a, b) VALUES (1, f(2))", &["F()", "INSERT", "OR REPLACE"]);
    check(
        "INSERT INTO t(a) SELECT b FROM u ON CONFLICT (a) DO NOTHING RETURNING a",
        &["INSERT", "INSERT with SELECT", "ON CONFLICT", "RETURNING"],
    );
    check(
        "ALTER TABLE t ADD COLUMN c TEXT NOT NULL",
        &["ADD COLUMN", "ALTER TABLE", "NOT NULL", "column type TEXT"],
    );
    check("UPDATE t SET a = 1 FROM u", &["UPDATE", "UPDATE with FROM", "operator ="]);
    check("no such thing (((", &["THING()", "other"]);
}

#[test]
fn a_text_of_any_size_is_one_record() {
    let sql = format!("SELECT {}1{}{}", "(".repeat(50_000), ")".repeat(60_000), " + 1".repeat(50_000));
    check(&sql, &["operator +"]);
}
