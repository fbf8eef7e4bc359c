//! The views, with the names and columns of VibeSQL's earlier scripts.
//!
//! Every status except PASS and EMPTY counts as a failure, also without a known pattern. VibeSQL loses conditions that
//! stand next to each other, so each view filters in one place with one condition, joins on equal columns only, and
//! rounds with integer arithmetic.

/// A view.
#[derive(Debug, PartialEq, Eq)]
pub struct SqlView {
    /// Its name.
    pub name: &'static str,
    /// The meaning of a row.
    pub about: &'static str,
    /// Its columns.
    pub columns: &'static [&'static str],
    /// Its query.
    pub sql: &'static str,
}

impl SqlView {
    /// Returns the statement that creates it.
    pub fn create(&self) -> String {
        format!("CREATE VIEW {} AS {}", self.name, self.sql)
    }
}

/// All views.
pub static VIEWS: &[SqlView] = &[LATEST_RUN_SUMMARY, FAILURE_PATTERNS, FIX_OPPORTUNITIES, FAILURE_EXAMPLES];

const LATEST_RUN_SUMMARY: SqlView = SqlView {
    name: "latest_run_summary",
    about: "The last run, and its pass rate in percent.",
    columns: &[
        "run_id",
        "started_at",
        "completed_at",
        "total_files",
        "passed",
        "failed",
        "untested",
        "pass_rate",
        "git_commit",
    ],
    sql: "SELECT r.run_id AS run_id, r.started_at AS started_at, r.completed_at AS completed_at, r.total_files AS \
          total_files, r.passed AS passed, r.failed AS failed, r.untested AS untested, CAST(r.pass_rate * 10 + 0.5 \
          AS INTEGER) / 10.0 AS pass_rate, r.git_commit AS git_commit FROM test_runs r JOIN (SELECT MAX(run_id) AS \
          newest FROM test_runs) n ON r.run_id = n.newest",
};

const FAILURE_PATTERNS: SqlView = SqlView {
    name: "failure_patterns",
    about: "What the failures of a run have in common: records, files, and the part of all failing records in percent.",
    columns: &["error_type", "failure_count", "affected_files", "pct_of_failures", "error_pattern", "run_id"],
    sql: "SELECT g.kind AS error_type, g.failure_count AS failure_count, g.affected_files AS affected_files, \
          CAST(g.failure_count * 1000.0 / t.failures + 0.5 AS INTEGER) / 10.0 AS pct_of_failures, g.error_pattern AS \
          error_pattern, g.run_id AS run_id FROM (SELECT run_id, kind, error_pattern, SUM(records) AS \
          failure_count, COUNT(DISTINCT file_id) AS affected_files FROM failure_groups GROUP BY run_id, kind, \
          error_pattern) g JOIN (SELECT run_id, SUM(records) AS failures FROM failure_groups GROUP BY run_id) t ON \
          g.run_id = t.run_id",
};

const FIX_OPPORTUNITIES: SqlView = SqlView {
    name: "fix_opportunities",
    about: "The ten patterns of the last run that are most worth fixing for their effort.",
    columns: &["rank", "pattern", "tests_affected", "pct_failures", "effort", "impact_ratio", "priority"],
    sql: "SELECT o.place AS rank, o.pattern AS pattern, o.tests AS tests_affected, CAST(o.tests * 1000.0 / o.files + \
          0.5 AS INTEGER) / 10.0 AS pct_failures, CASE o.score WHEN 1 THEN 'Low' WHEN 2 THEN 'Medium' ELSE 'High' \
          END AS effort, CAST(o.tests * 10.0 / o.score + 0.5 AS INTEGER) / 10.0 AS impact_ratio, CASE WHEN o.place \
          <= 3 THEN 'P0' WHEN o.place <= 7 THEN 'P1' ELSE 'P2' END AS priority FROM (SELECT p.pattern AS pattern, \
          p.tests AS tests, p.score AS score, a.files AS files, ROW_NUMBER() OVER (ORDER BY p.tests * 1.0 / p.score \
          DESC, p.tests DESC, p.pattern) AS place FROM (SELECT g.error_pattern AS pattern, COUNT(DISTINCT \
          g.file_id) AS tests, MAX(CASE WHEN g.kind IN ('presentation_differs', 'malformed', 'adapter_fault') THEN 1 \
          WHEN g.kind IN ('unsupported', 'timed_out', 'engine_lost', 'process_died', 'out_of_memory') THEN 3 ELSE 2 \
          END) AS score, g.run_id AS run_id FROM failure_groups g JOIN (SELECT MAX(run_id) AS newest FROM \
          test_runs) n ON g.run_id = n.newest GROUP BY g.run_id, g.error_pattern) p JOIN (SELECT run_id, \
          COUNT(DISTINCT file_id) AS files FROM failure_groups GROUP BY run_id) a ON p.run_id = a.run_id) o WHERE o.place <= 10",
};

const FAILURE_EXAMPLES: SqlView = SqlView {
    name: "failure_examples",
    about: "Up to three files of the last run for each pattern.",
    columns: &["error_pattern", "file_path", "error_type", "error_message_preview"],
    sql: "SELECT e.error_pattern AS error_pattern, e.file_path AS file_path, e.kind AS error_type, \
          SUBSTR(e.message, 1, 150) AS error_message_preview FROM (SELECT f.error_pattern AS error_pattern, \
          f.file_path AS file_path, f.kind AS kind, f.message AS message, ROW_NUMBER() OVER (PARTITION \
          BY f.error_pattern ORDER BY f.file_path) AS place FROM (SELECT g.error_pattern AS error_pattern, \
          g.file_path AS file_path, g.kind AS kind, g.message AS message, ROW_NUMBER() OVER (PARTITION \
          BY g.error_pattern, g.file_path ORDER BY g.first_line, g.fingerprint, g.kind) AS place FROM \
          failure_groups g JOIN (SELECT MAX(run_id) AS newest FROM test_runs) n ON g.run_id = n.newest) f WHERE \
          f.place = 1) e WHERE e.place <= 3",
};
