//! The words of headers.

use super::ConflictCase;

pub(crate) const CASES: &[ConflictCase] = &[
    ConflictCase::new(
        4,
        "a comment behind a condition",
        "skipif other # why\nquery I nosort\nrows 1\n----\n1\n",
        &[
            ("sqlite sqlite! rs vibesql duckdb cockroach materialize", "1 passed"),
            // The runner of sqllogictest-rs rejects the file.
            ("rs!", "1 malformed; line 1: malformed"),
        ],
    ),
    ConflictCase::new(
        7,
        "a misspelt sort mode",
        "query I rowsrot\nrows 2 / 1\n----\n2\n1\n",
        &[
            ("sqlite", r#"1 malformed; line 1: malformed; ["rows 2 / 1"]"#),
            ("cockroach materialize", r#"1 malformed; line 1: malformed; []"#),
            ("rs vibesql", r#"1 passed; ["rows 2 / 1"]"#),
            ("duckdb", r#"1 passed; ["rowsrot: rows 2 / 1"]"#),
        ],
    )
    .showing_sql(),
    ConflictCase::new(
        19,
        "a word behind `statement error`",
        "statement error table\nerror no such table\n",
        &[
            ("sqlite", r#"1 malformed; line 1: malformed; ["error no such table"]"#),
            ("sqlite! rs vibesql cockroach materialize", r#"1 passed; ["error no such table"]"#),
            ("duckdb", r#"1 malformed; line 1: malformed; ["table: error no such table"]"#),
        ],
    )
    .showing_sql(),
    ConflictCase::new(
        19,
        "a word that is not in the message",
        "statement error view\nerror no such table\n",
        &[
            ("sqlite duckdb", "1 malformed; line 1: malformed"),
            ("sqlite!", "1 passed"),
            ("rs vibesql cockroach materialize", "1 failed; line 1: error_differs"),
        ],
    ),
    ConflictCase::new(
        21,
        "`statement error` alone",
        "statement error\nerror no such table\n",
        &[
            ("sqlite rs vibesql materialize", "1 passed"),
            ("duckdb cockroach", "1 malformed; line 1: malformed"),
        ],
    ),
    ConflictCase::new(
        22,
        "`query error`",
        "query error no such\nerror no such table\n",
        &[
            ("sqlite duckdb", "1 malformed; line 1: malformed"),
            ("rs vibesql cockroach materialize", "1 passed"),
        ],
    ),
    ConflictCase::new(
        23,
        "`statement count`",
        "statement count 2\nchanged 2\n",
        &[
            ("sqlite duckdb", "1 malformed; line 1: malformed"),
            ("rs vibesql cockroach materialize", "1 passed"),
        ],
    ),
    ConflictCase::new(
        32,
        "a variable without a sign",
        "let a\nrows 7\n",
        &[
            ("rs", r#"1 passed; ["rows 7"]"#),
            ("sqlite vibesql duckdb cockroach materialize", r#"1 malformed; line 1: malformed; []"#),
        ],
    )
    .showing_sql(),
    ConflictCase::new(
        32,
        "a variable with a sign",
        "let $a\nrows 7\n",
        &[
            ("cockroach", r#"1 passed; ["rows 7"]"#),
            ("sqlite rs vibesql duckdb materialize", r#"1 malformed; line 1: malformed; []"#),
        ],
    )
    .showing_sql(),
    ConflictCase::new(
        35,
        "a record that names a connection",
        "connection c\nstatement ok\nok\n",
        &[
            ("rs vibesql", r#"1 passed; ["c: ok"]"#),
            ("sqlite", r#"1 malformed; line 1: malformed; []"#),
            ("duckdb cockroach materialize", r#"1 malformed; line 1: malformed; []"#),
        ],
    )
    .showing_sql(),
    ConflictCase::new(
        35,
        "a word that names a connection",
        "statement ok c\nok\n",
        &[
            ("duckdb", r#"1 passed; ["c: ok"]"#),
            ("sqlite! cockroach! materialize!", r#"1 passed; ["ok"]"#),
            ("sqlite cockroach materialize", r#"1 malformed; line 1: malformed; ["ok"]"#),
            ("rs vibesql", r#"1 malformed; line 1: malformed; ["ok"]"#),
        ],
    )
    .showing_sql(),
    ConflictCase::new(
        36,
        "further attempts",
        "statement ok retry 2 backoff 1ns\nerror busy\n",
        &[
            ("rs vibesql", r#"1 failed; line 1: unexpected_error; ["error busy", "error busy"]"#),
            ("sqlite cockroach materialize", r#"1 malformed; line 1: malformed; ["error busy"]"#),
            ("duckdb", r#"1 malformed; line 1: malformed; ["retry: error busy"]"#),
        ],
    )
    .showing_sql(),
    ConflictCase::new(
        36,
        "a line that asks for further attempts",
        "retry\nquery I nosort\nrows 1\n----\n1\n",
        &[
            ("cockroach", "1 passed"),
            ("sqlite rs vibesql duckdb materialize", "1 malformed; line 1: malformed"),
        ],
    ),
];
