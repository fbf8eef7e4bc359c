//! Values, their text and layout, hashes and labels.

use super::ConflictCase;

pub(crate) const CASES: &[ConflictCase] = &[
    ConflictCase::new(
        8,
        "a number with a fraction in a column of whole numbers",
        "query I nosort\nrows 1.5\n----\n1\n",
        &[
            ("sqlite vibesql materialize", "1 passed"),
            ("rs duckdb", "1 failed; line 1: rows_differ"),
            ("cockroach", "1 failed; line 1: column_type_differs"),
        ],
    ),
    ConflictCase::new(
        9,
        "two results with one label",
        "query I nosort same\nrows 1\n----\n1\n\nquery I nosort same\nrows 2\n----\n2\n",
        &[
            (
                "sqlite sqlite! rs vibesql duckdb duckdb! cockroach cockroach! materialize",
                "1 passed, 1 failed; line 6: label_differs",
            ),
            ("rs! vibesql! materialize!", "2 passed"),
        ],
    ),
    ConflictCase::new(
        9,
        "a wrong value behind a label",
        "query I nosort same\nrows 1\n----\n9\n",
        &[
            ("sqlite rs vibesql duckdb cockroach materialize", "1 failed; line 1: rows_differ"),
            ("duckdb!", "1 passed"),
        ],
    ),
    ConflictCase::new(
        10,
        "nine listed values",
        "query I nosort\nrows 1 / 2 / 3 / 4 / 5 / 6 / 7 / 8 / 9\n----\n1\n2\n3\n4\n5\n6\n7\n8\n9\n",
        &[
            (
                "sqlite rs rs! vibesql duckdb duckdb! cockroach cockroach! materialize materialize!",
                "1 passed",
            ),
            ("sqlite!", "1 failed; line 1: presentation_differs"),
            ("vibesql!", "1 failed; line 1: rows_differ"),
        ],
    ),
    ConflictCase::new(
        11,
        "a hash of one value",
        "query I nosort\nrows 1\n----\n1 values hashing to b026324c6904b2a9cb4b88d6d61c81d1\n",
        &[
            ("sqlite rs vibesql duckdb duckdb! cockroach cockroach! materialize materialize!", "1 passed"),
            ("sqlite!", "1 failed; line 1: presentation_differs"),
            ("rs! vibesql!", "1 failed; line 1: rows_differ"),
        ],
    ),
    ConflictCase::new(
        12,
        "a wrong value above the threshold",
        "hash-threshold 1\n\nquery I nosort\nrows 1 / 2\n----\n1\n9\n",
        &[
            ("sqlite rs vibesql duckdb cockroach cockroach! materialize", "1 failed; line 3: rows_differ"),
            ("duckdb!", "1 passed"),
        ],
    ),
    ConflictCase::new(
        13,
        "two columns on two lines",
        "query II nosort\nrows 1,2\n----\n1\n2\n",
        &[
            ("sqlite duckdb vibesql cockroach! materialize", "1 passed"),
            ("rs cockroach", "1 failed; line 1: rows_differ"),
        ],
    ),
    ConflictCase::new(
        13,
        "two columns with a blank between them",
        "query II nosort\nrows 1,2\n----\n1 2\n",
        &[
            ("rs vibesql cockroach", "1 passed"),
            ("sqlite duckdb materialize", "1 failed; line 1: rows_differ"),
        ],
    ),
    ConflictCase::new(
        13,
        "two columns with a tab between them",
        "query II nosort\nrows 1,2\n----\n1\t2\n",
        &[
            ("rs vibesql cockroach duckdb", "1 passed"),
            ("sqlite materialize", "1 failed; line 1: rows_differ"),
        ],
    ),
    ConflictCase::new(
        14,
        "two blanks in a value",
        "query T nosort\nrows a  b\n----\na b\n",
        &[
            ("rs vibesql cockroach", "1 passed"),
            ("sqlite duckdb materialize", "1 failed; line 1: rows_differ"),
        ],
    ),
    ConflictCase::new(
        15,
        "an expectation that is not in order",
        "query I rowsort\nrows 1 / 2\n----\n2\n1\n",
        &[
            ("cockroach", "1 passed"),
            // Materialize sorts it in its mode `cockroach` only.
            ("sqlite rs vibesql duckdb materialize", "1 failed; line 1: rows_differ"),
        ],
    ),
    ConflictCase::new(
        15,
        "an expectation that is not in order, in a mode",
        "mode cockroach\n\nquery I rowsort\nrows 1 / 2\n----\n2\n1\n",
        &[
            ("materialize", "1 passed"),
            ("sqlite cockroach", "1 malformed, 1 not reached; line 1: malformed"),
            ("rs vibesql duckdb", "1 failed, 1 malformed; line 1: malformed"),
        ],
    ),
    ConflictCase::new(
        16,
        "an empty text",
        "query T nosort\nrows EMPTY\n----\n(empty)\n",
        &[
            ("sqlite rs duckdb materialize", "1 passed"),
            ("vibesql cockroach", "1 failed; line 1: rows_differ"),
        ],
    ),
    ConflictCase::new(
        16,
        "a dot for an empty text",
        "query T nosort\nrows EMPTY\n----\n·\n",
        &[
            ("cockroach", "1 passed"),
            ("sqlite rs vibesql duckdb materialize", "1 failed; line 1: rows_differ"),
        ],
    ),
    ConflictCase::new(
        17,
        "a truth value as a digit",
        "query I nosort\nrows true\n----\n1\n",
        &[
            ("sqlite vibesql duckdb materialize", "1 passed"),
            ("rs", "1 failed; line 1: rows_differ"),
            ("cockroach", "1 failed; line 1: column_type_differs"),
        ],
    ),
    ConflictCase::new(
        17,
        "a truth value as a word",
        "query T nosort\nrows true\n----\ntrue\n",
        &[
            ("duckdb materialize", "1 passed"),
            ("sqlite rs vibesql", "1 failed; line 1: rows_differ"),
            ("cockroach", "1 failed; line 1: column_type_differs"),
        ],
    ),
    ConflictCase::new(
        18,
        "three decimals",
        "query R nosort\nrows 1.5\n----\n1.500\n",
        &[
            ("sqlite vibesql duckdb materialize", "1 passed"),
            ("rs cockroach", "1 failed; line 1: rows_differ"),
        ],
    ),
    ConflictCase::new(
        18,
        "a number that is nearly right",
        "query R nosort\nrows 3.14\n----\n3.15\n",
        &[
            // With a lint, since only the tolerance saves it.
            ("duckdb", "1 passed"),
            ("sqlite rs vibesql cockroach materialize", "1 failed; line 1: rows_differ"),
        ],
    ),
];
