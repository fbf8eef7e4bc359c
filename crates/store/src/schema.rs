//! The public tables and the version of their schema.
//!
//! The first columns of `test_files`, `test_runs` and `test_results` are those of VibeSQL's earlier scripts.

/// The version of the schema. It grows with every change of a table; stores of other versions are not read.
pub const VERSION: u32 = 4;

/// A table.
#[derive(Debug, PartialEq, Eq)]
pub struct TableSchema {
    /// Its name.
    pub name: &'static str,
    /// The meaning of a row.
    pub about: &'static str,
    /// Its columns, in their order.
    pub columns: &'static [TableColumn],
}

/// A column.
#[derive(Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name.
    pub name: &'static str,
    /// The type of its values.
    pub kind: ColumnType,
    /// The meaning of its values.
    pub about: &'static str,
}

/// The type of a column's values, which may also be NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Whole numbers.
    Integer,
    /// Numbers.
    Real,
    /// Text.
    Text,
}

impl ColumnType {
    /// Returns the SQL type. Text has no length limit, because VibeSQL silently truncates longer values.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Integer => "INTEGER",
            Self::Real => "REAL",
            Self::Text => "TEXT",
        }
    }
}

impl TableSchema {
    /// Returns the index of a column.
    pub fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name == column)
    }

    /// Returns the statement that creates the table with some of its columns.
    pub fn create(&self, columns: &[&TableColumn]) -> String {
        let columns: Vec<_> =
            columns.iter().map(|column| format!("{} {}", column.name, column.kind.sql())).collect();
        format!("CREATE TABLE {} ({})", self.name, columns.join(", "))
    }
}

/// Finds a table by name, ignoring case.
pub fn table(name: &str) -> Option<&'static TableSchema> {
    TABLES.into_iter().find(|table| table.name.eq_ignore_ascii_case(name))
}

/// All tables.
pub static TABLES: [&TableSchema; 8] = [
    &TEST_RUNS,
    &TEST_RESULTS,
    &TEST_FILES,
    &RECORD_FAILURES,
    &FAILURE_GROUPS,
    &SLOW_RECORDS,
    &STATEMENT_TIMES,
    &FILE_STATS,
];

pub(super) const fn integer(name: &'static str, about: &'static str) -> TableColumn {
    TableColumn { name, kind: ColumnType::Integer, about }
}

pub(super) const fn real(name: &'static str, about: &'static str) -> TableColumn {
    TableColumn { name, kind: ColumnType::Real, about }
}

pub(super) const fn text(name: &'static str, about: &'static str) -> TableColumn {
    TableColumn { name, kind: ColumnType::Text, about }
}

/// A run. Complete regardless of the loaded part of the history.
pub static TEST_RUNS: TableSchema = TableSchema {
    name: "test_runs",
    about: "A run. Complete regardless of the loaded part of the history.",
    columns: &[
        integer(
            "run_id",
            "The start time in seconds since 1970, times 100, plus the number of the run within that second",
        ),
        text("started_at", "The start time, in UTC"),
        text("completed_at", "The end time of its last session"),
        integer("total_files", "Files with a result"),
        integer(
            "passed",
            "Files that passed, also those that passed in the end (FLAKY) unless `--flaky fail`",
        ),
        integer("failed", "Files that were tested and did not pass"),
        integer("untested", "Files without a result"),
        text("git_commit", "The commit of the working directory"),
        text("branch_name", "The branch of that commit"),
        text("ci_run_id", "The identifier of the CI run"),
        text("name", "The name of its folder"),
        text("state", "COMPLETED, INTERRUPTED, ENOUGH_FAILED, BUDGET_SPENT or RUNNING"),
        real("pass_rate", "The share of passed files, not counting EMPTY files, in percent"),
        integer("empty", "Files in which nothing was executed"),
        integer("timed_out", "The part of `failed` that exceeded a time limit"),
        integer(
            "flaky",
            "Files that passed in one attempt and failed in another, a part of `passed` or `failed`",
        ),
        integer("crashed", "The part of `failed` during which the engine was lost"),
        integer("out_of_memory", "The part of `failed` that exceeded the memory limit"),
        integer("errors", "The part of `failed` that could not be started"),
        integer("records", "Records of all files"),
        integer("records_passed", "Records that passed"),
        integer(
            "records_failed",
            "Records that did not pass: failed, unsupported, timed out, malformed, lost",
        ),
        integer("records_skipped", "Records that were skipped"),
        integer("records_not_reached", "Records after the end of their file's execution"),
        integer("duration_ms", "How long the run took, all its sessions together"),
        text("engine", "The engine under test, with its variant: `vibesql`, `vibesql:mysql`"),
        text("engine_version", "Its version"),
        text("engine_hash", "A checksum of the program that contains it"),
        text("labels", "The names that conditions were compared with, separated by commas"),
        text("dialect", "The requested dialect"),
        integer("exact", "Whether `--exact` was given"),
        text("suite", "The paths to be run, as given"),
        text("corpus_commit", "The commit of the suite's folder"),
        integer("dirty", "Whether there were uncommitted changes"),
        text("ci_url", "The URL of the CI run"),
        text("host", "The machine"),
        text("os", "Its operating system"),
        integer("cpus", "The number of its CPUs"),
        integer("workers", "The number of worker processes"),
        integer("seed", "The seed of the order"),
        integer("budget_ms", "The time limit of the run"),
        text("command", "The command line"),
        text("tool_version", "The version of this program"),
        text("imported_from", "The file that it was imported from"),
    ],
};

/// The result of a file in a run.
pub static TEST_RESULTS: TableSchema = TableSchema {
    name: "test_results",
    about: "The result of a file in a run.",
    columns: &[
        integer("result_id", "`run_id` times 1,000,000, plus the number of the file in the run"),
        integer("run_id", "The run"),
        text("file_path", "The file, by the path that reports show"),
        text("status", "PASS, FAIL, TIMEOUT, EMPTY, FLAKY, CRASH, OOM or ERROR"),
        integer("passed", "1 for PASS, otherwise 0"),
        integer("failed", "0 for PASS and EMPTY, otherwise 1"),
        text("tested_at", "The time of its result, in UTC"),
        integer("duration_ms", "Its duration; NULL if another program does not report it"),
        text("error_message", "The first problem; NULL if another program does not report it"),
        text("category", "The first folder of its path"),
        text("subcategory", "The second one, or root"),
        text(
            "outcome",
            "How its execution ended: completed, halted, malformed, timed_out, faulted or not_started",
        ),
        text("kind", "The kind of the first failure, in one word"),
        text("error_pattern", "Its message without names and numbers, or how values differ"),
        integer("records", "Its records"),
        integer("records_executed", "Records that the engine executed"),
        integer("records_passed", "Records that passed"),
        integer("records_failed", "Records with an unexpected result"),
        integer("records_skipped", "Records that were skipped"),
        integer("records_unsupported", "Records that the adapter does not support"),
        integer("records_timed_out", "Records that exceeded a time limit"),
        integer("records_malformed", "Records with invalid text"),
        integer("records_not_reached", "Records after the end of the file's execution"),
        integer("records_faulted", "Records lost to a fault"),
        integer("engine_ms", "The part of the duration spent in the engine"),
        integer("peak_memory", "The peak memory, in bytes"),
        integer("retries", "The number of retries"),
        integer("flaky", "Whether it passed in one attempt and failed in another"),
        integer("signal", "The signal that ended its worker process"),
        integer("in_flight_line", "The line of the record that was running when the file was ended"),
        text(
            "outcome_id",
            "Equal for files that ended in the same way, regardless of duration: the link to record_failures",
        ),
        text("file_id", "The identity of the file: what to group by"),
    ],
};

/// A file and its last result on the queried engine. Complete regardless of the loaded part of the history.
pub static TEST_FILES: TableSchema = TableSchema {
    name: "test_files",
    about: "A file and its last result on the queried engine. Complete regardless of the loaded part of the history.",
    columns: &[
        text("file_path", "The file, by the path that reports show"),
        text("category", "The first folder of its path"),
        text("subcategory", "The second one, or root"),
        text("status", "As in test_results, or UNTESTED"),
        text("last_tested", "The time of its last result"),
        text("last_passed", "The time of its last pass"),
        text("engine", "The engine"),
        text("file_id", "The identity of the file: what to group by"),
    ],
};

/// A failing record. Stored once for all results with the same outcome_id.
pub static RECORD_FAILURES: TableSchema = TableSchema {
    name: "record_failures",
    about: "A record that did not pass. Stored once for all results with the same outcome_id.",
    columns: &[
        text("outcome_id", "The link to test_results"),
        integer("first_run_id", "The run in which this outcome was seen first"),
        text("file_path", "The file, by the path that reports show"),
        integer("line", "The line of the record"),
        text("record_key", "A key of the record that does not change when lines move"),
        text("kind", "The kind of failure, in one word"),
        text("error_pattern", "The message without names and numbers, or how values differ"),
        text("fingerprint", "Equal for failures that look alike"),
        text("message", "The message; only for records with details"),
        text("sql", "The SQL; only for records with details"),
        text("expected", "The expected result, one value per line; only for records with details"),
        text("actual", "What the engine gave; only for records with details"),
        text("file_id", "The identity of the file: what to group by"),
    ],
};

/// Similar failures of a file in a run.
pub static FAILURE_GROUPS: TableSchema = TableSchema {
    name: "failure_groups",
    about: "The failures of a file in a run that look alike.",
    columns: &[
        integer("run_id", "The run"),
        text("file_path", "The file, by the path that reports show"),
        text("outcome_id", "The link to record_failures"),
        text("kind", "The kind of failure, in one word"),
        text("error_pattern", "The message without names and numbers, or how values differ"),
        text("fingerprint", "Equal for failures that look alike"),
        integer("records", "The number of records"),
        integer("first_line", "The line of the first one"),
        text("message", "What happened to the first one"),
        text("file_id", "The identity of the file: what to group by"),
    ],
};

/// The slowest records of a file in a run.
pub static SLOW_RECORDS: TableSchema = TableSchema {
    name: "slow_records",
    about: "The slowest records of a file in a run.",
    columns: &[
        integer("run_id", "The run"),
        text("file_path", "The file, by the path that reports show"),
        integer("line", "The line of the record"),
        real("duration_ms", "How long the engine took"),
        text("sql", "The SQL, or its beginning"),
        text("file_id", "The identity of the file: what to group by"),
    ],
};

/// The times of the records of a run, by kind of statement.
pub static STATEMENT_TIMES: TableSchema = TableSchema {
    name: "statement_times",
    about: "The times of the records of a run in the engine, by kind of statement.",
    columns: &[
        integer("run_id", "The run"),
        text("statement_kind", "The kind of statement, such as SELECT or CREATE TABLE"),
        integer("records", "The number of executed records"),
        real("total_ms", "The sum of their times"),
        real("p50_ms", "The time that half of them do not exceed, within 3.2 percent"),
        real("p95_ms", "The time that 95 percent of them do not exceed"),
        real("p99_ms", "The time that 99 percent of them do not exceed"),
        real("max_ms", "The longest time"),
    ],
};

/// Counters over all runs of an engine. Complete regardless of the loaded part of the history.
pub static FILE_STATS: TableSchema = TableSchema {
    name: "file_stats",
    about: "Counters over all runs of an engine. Complete regardless of the loaded part of the history.",
    columns: &[
        text("engine", "The engine"),
        text("file_path", "The file, by the path that reports show"),
        text("category", "The first folder of its path"),
        text("subcategory", "The second one, or root"),
        integer("runs", "The number of results"),
        integer("passes", "Results that were PASS"),
        integer("fails", "Results that were neither PASS nor EMPTY"),
        integer("timeouts", "Results that were TIMEOUT"),
        integer("crashes", "Results that were CRASH"),
        integer("flips", "How often PASS was followed by a status other than PASS or EMPTY, or the reverse"),
        text("last_status", "The status of the last result"),
        integer("last_run_id", "The run of the last result"),
        text("last_tested", "The time of its last result"),
        text("last_passed", "The time of its last pass"),
        integer("total_ms", "The total duration of all results"),
        integer("max_ms", "The longest duration"),
        integer("last_good", "Whether the last result that was not EMPTY was PASS"),
        text("file_id", "The identity of the file: what to group by"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_each_table_and_each_column() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/store.md");
        let document = std::fs::read_to_string(path).unwrap();
        for table in TABLES {
            let (_, section) = document.split_once(&format!("### {}\n", table.name)).unwrap();
            let section = section.split("\n##").next().unwrap();
            let lines: Vec<_> = section.lines().filter(|line| line.starts_with("| `")).collect();
            let line = |column: &TableColumn| {
                format!("| `{}` | {} | {} |", column.name, column.kind.sql(), column.about)
            };
            assert_eq!(lines, table.columns.iter().map(line).collect::<Vec<_>>(), "{}", table.name);
        }
    }
}
