//! Conditions, control records, and what follows a failure.

use super::ConflictCase;

pub(crate) const CASES: &[ConflictCase] = &[
    ConflictCase::new(
        24,
        "`halt` under a condition",
        "onlyif other\nhalt\n\nquery I nosort\nrows 1\n----\n9\n",
        &[
            (
                "sqlite sqlite! rs vibesql duckdb duckdb! cockroach materialize materialize!",
                "1 failed, 1 skipped; line 4: rows_differ",
            ),
            ("rs! vibesql!", "1 not reached"),
        ],
    ),
    ConflictCase::new(
        25,
        "a condition before a control record",
        "onlyif other\nhash-threshold 3\n\nquery I nosort\nrows 1\n----\n9\n",
        &[
            (
                "sqlite sqlite! rs vibesql duckdb duckdb! cockroach materialize",
                "1 failed, 1 skipped; line 4: rows_differ",
            ),
            ("rs! vibesql!", "1 skipped"),
        ],
    ),
    ConflictCase::new(
        26,
        "two conditions, the first of which skips",
        "onlyif other\nonlyif engine\nstatement ok\nok\n",
        &[("sqlite sqlite! rs rs! vibesql duckdb duckdb! cockroach cockroach! materialize", "1 skipped")],
    ),
    ConflictCase::new(
        26,
        "two conditions, the second of which skips",
        "onlyif engine\nonlyif other\nstatement ok\nok\n",
        &[("sqlite sqlite! rs rs! vibesql duckdb duckdb! cockroach cockroach! materialize", "1 skipped")],
    ),
    ConflictCase::new(
        27,
        "capitals in the name of the engine",
        "onlyif ENGINE\nstatement ok\nok\n",
        &[
            ("sqlite sqlite! rs vibesql duckdb duckdb! cockroach materialize", "1 passed"),
            ("rs! vibesql!", "1 skipped"),
        ],
    ),
    ConflictCase::new(
        27,
        "an engine that is called like another one",
        "onlyif postgresql\nstatement ok\nok\n",
        &[
            ("sqlite rs vibesql cockroach materialize", "1 passed"),
            // In the files of DuckDB, PostgreSQL is another engine.
            ("duckdb duckdb!", "1 skipped"),
        ],
    )
    .with_labels(&["duckdb", "postgresql"]),
    ConflictCase::new(
        28,
        "a condition on a loop variable without a loop",
        "onlyif i=2\nstatement ok\nok\n",
        &[
            ("sqlite rs vibesql cockroach materialize", "1 skipped"),
            ("duckdb", "1 malformed; line 2: malformed"),
        ],
    ),
    ConflictCase::new(
        29,
        "a condition on an engine with modes",
        "skipif mysql\nquery I nosort\nrows 1\n----\n9\n",
        &[("sqlite sqlite! rs rs! vibesql vibesql! duckdb cockroach materialize", "1 skipped")],
    )
    .with_labels(&["vibesql", "mysql"]),
    ConflictCase::new(
        30,
        "a time in two words",
        "sleep 1 nanosecond\n\nstatement ok\nok\n",
        &[
            ("duckdb", "1 passed"),
            ("sqlite materialize", "1 malformed, 1 not reached; line 1: malformed"),
            ("rs vibesql cockroach", "1 passed, 1 malformed; line 1: malformed"),
        ],
    ),
    ConflictCase::new(
        30,
        "a time in one word",
        "sleep 1ns\n\nstatement ok\nok\n",
        &[
            ("rs vibesql cockroach", "1 passed"),
            ("sqlite materialize", "1 malformed, 1 not reached; line 1: malformed"),
            ("duckdb", "1 passed, 1 malformed; line 1: malformed"),
        ],
    ),
    ConflictCase::new(
        31,
        "another file",
        "include part\n\nstatement ok\nok\n",
        &[
            ("rs rs! vibesql duckdb", r#"2 passed; ["ok included", "ok"]"#),
            // Version 1.5.5 of DuckDB has no `include` yet.
            ("sqlite duckdb! cockroach materialize", r#"1 malformed, 1 not reached; line 1: malformed; []"#),
        ],
    )
    .showing_sql(),
    ConflictCase::new(
        33,
        "variables with a sign",
        "control substitution on\n\nstatement ok\nok ${x:two}\n",
        &[
            ("rs vibesql", r#"1 passed; ["ok two"]"#),
            ("sqlite cockroach materialize", r#"1 malformed, 1 not reached; line 1: malformed; []"#),
            ("duckdb", r#"1 passed, 1 malformed; line 1: malformed; ["ok ${x:two}"]"#),
        ],
    )
    .showing_sql(),
    ConflictCase::new(
        33,
        "variables in braces",
        "loop x 0 2\n\nstatement ok\nok {x}\n\nendloop\n",
        &[
            ("duckdb", r#"2 passed; ["ok 0", "ok 1"]"#),
            ("sqlite cockroach materialize", r#"1 malformed, 2 not reached; line 1: malformed; []"#),
            ("rs vibesql", r#"1 passed, 2 malformed; line 1: malformed; ["ok {x}"]"#),
        ],
    )
    .showing_sql(),
    ConflictCase::new(
        34,
        "`mode skip`",
        "mode skip\n\nstatement ok\nok\n",
        &[
            ("duckdb", "1 skipped"),
            ("sqlite cockroach", "1 malformed, 1 not reached; line 1: malformed"),
            ("rs vibesql materialize", "1 passed, 1 malformed; line 1: malformed"),
        ],
    ),
    ConflictCase::new(
        37,
        "`subtest`",
        "subtest x\n\nstatement ok\nok\n",
        &[
            ("rs vibesql cockroach materialize", "1 passed"),
            ("sqlite", "1 malformed, 1 not reached; line 1: malformed"),
            ("duckdb", "1 passed, 1 malformed; line 1: malformed"),
        ],
    ),
    ConflictCase::new(
        38,
        "`reset`",
        "query I nosort same\nrows 1\n----\n1\n\nreset label same\n\nquery I nosort same\nrows 2\n----\n2\n",
        &[
            ("duckdb", "2 passed"),
            ("sqlite cockroach materialize", "1 passed, 1 malformed, 1 not reached; line 6: malformed"),
            ("rs vibesql", "1 passed, 1 failed, 1 malformed; line 6: malformed"),
        ],
    ),
    ConflictCase::new(
        39,
        "`dialect`",
        "dialect mysql\n\nstatement ok\nok\n",
        &[
            ("vibesql", r#"1 passed; ["SET SQL_MODE = 'mysql'", "ok"]"#),
            ("sqlite cockroach materialize", r#"1 malformed, 1 not reached; line 1: malformed; []"#),
            ("rs duckdb", r#"1 passed, 1 malformed; line 1: malformed; ["ok"]"#),
        ],
    )
    .showing_sql(),
    ConflictCase::new(
        40,
        "two statements in a query",
        "query I nosort\nrows 1; rows 2\n----\n1\n",
        &[
            ("sqlite rs vibesql duckdb cockroach materialize", "1 malformed; line 1: malformed"),
            ("sqlite! rs! duckdb!", "1 passed"),
        ],
    ),
    ConflictCase::new(
        40,
        "two statements in a statement",
        "statement ok\nok; error no such table\n",
        &[(
            "sqlite sqlite! rs rs! vibesql duckdb duckdb! cockroach materialize",
            "1 failed; line 1: unexpected_error",
        )],
    ),
    ConflictCase::new(
        41,
        "a record behind a failing one",
        "query I nosort\nrows 1\n----\n9\n\nstatement ok\nok\n",
        &[
            (
                "sqlite sqlite! rs vibesql duckdb cockroach materialize materialize!",
                "1 passed, 1 failed; line 1: rows_differ",
            ),
            ("rs! vibesql! duckdb!", "1 failed, 1 not reached; line 1: rows_differ"),
        ],
    ),
];
