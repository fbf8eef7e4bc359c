//! Comments, blank lines, and the end of SQL and results.

use super::ConflictCase;

pub(crate) const CASES: &[ConflictCase] = &[
    ConflictCase::new(
        1,
        "a comment within SQL",
        "query I nosort\nrows 1\n# note\n----\n1\n",
        &[
            ("sqlite sqlite!", r#"1 passed; ["rows 1"]"#),
            ("rs rs! cockroach materialize", r##"1 passed; ["rows 1\n# note"]"##),
            ("vibesql", r#"1 failed, 1 malformed; line 1: rows_differ; ["rows 1"]"#),
            ("duckdb", r#"1 malformed; line 1: malformed; ["rows 1"]"#),
        ],
    )
    .showing_sql(),
    ConflictCase::new(
        2,
        "a comment within a result",
        "query T nosort\nrows #1\n----\n#1\n",
        &[
            ("sqlite sqlite!", "1 failed; line 1: rows_differ"),
            ("rs vibesql duckdb cockroach materialize", "1 passed"),
        ],
    ),
    ConflictCase::new(
        3,
        "an indented comment",
        "  # note\n\nquery I nosort\nrows 1\n----\n1\n",
        &[
            ("sqlite sqlite!", "1 malformed, 1 not reached; line 1: malformed"),
            ("rs duckdb", "1 passed, 1 malformed; line 1: malformed"),
            ("vibesql cockroach materialize", "1 passed"),
        ],
    ),
    ConflictCase::new(
        5,
        "blanks alone on a line of SQL",
        "query I nosort\nrows 1\n \n----\n1\n",
        &[
            ("sqlite", "1 failed, 1 malformed; line 1: rows_differ"),
            ("rs vibesql duckdb cockroach materialize", "1 passed"),
        ],
    ),
    ConflictCase::new(
        5,
        "blanks alone on a line behind a result",
        "query I nosort\nrows 1\n----\n1\n \nstatement ok\nok\n",
        &[
            ("sqlite cockroach", "2 passed"),
            ("rs vibesql duckdb materialize", "1 failed; line 1: rows_differ"),
        ],
    ),
    ConflictCase::new(
        6,
        "a query without a separator",
        "query I nosort\ncolumns 1\n",
        &[
            ("sqlite rs vibesql duckdb cockroach", "1 passed"),
            ("sqlite!", "1 failed; line 1: rows_differ"),
            ("materialize", "1 malformed; line 1: malformed"),
        ],
    ),
    ConflictCase::new(
        20,
        "an error message behind a separator",
        "statement error\nerror no such table\n----\nsuch\n",
        &[
            ("sqlite cockroach materialize", r#"1 malformed; line 1: malformed; ["error no such table"]"#),
            ("sqlite! materialize!", r#"1 passed; ["error no such table\n----\nsuch"]"#),
            ("rs vibesql", r#"1 failed; line 1: error_differs; ["error no such table"]"#),
            ("duckdb", r#"1 passed; ["error no such table"]"#),
        ],
    )
    .showing_sql(),
    ConflictCase::new(
        42,
        "no error message behind a separator",
        "statement error\nerror no such table\n----\n\n\nstatement ok\nok\n",
        &[
            ("sqlite cockroach", "1 passed, 1 malformed; line 1: malformed"),
            ("sqlite! duckdb duckdb! materialize", "2 passed"),
            ("rs vibesql", "1 passed, 1 failed; line 1: error_differs"),
        ],
    ),
];
