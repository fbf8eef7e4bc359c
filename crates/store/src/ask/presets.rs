//! Named queries for common questions. The first thirteen have the names and columns of VibeSQL's earlier scripts.
//!
//! Every status except PASS and EMPTY counts as a failure. Every order is total, so that both engines give the same
//! rows. Numbers are rounded with integer arithmetic, half up, which gives equal results in all engines.
//!
//! VibeSQL evaluates a subquery in FROM twice for each level of nesting, but a common table expression once. So what
//! reads a large table is such an expression, grouped without HAVING, which VibeSQL loses in a join of three. It is slow
//! with many small groups, so `flaky-tests` groups only files that have both passed and failed.

/// A named query.
#[derive(Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// The meaning of its rows.
    pub about: &'static str,
    /// The part of the history that it reads.
    pub reach: PresetReach,
    /// The query.
    pub sql: &'static str,
}

/// The part of the history that a preset reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresetReach {
    /// The whole history, from tables that cover all runs.
    Everything,
    /// The loaded part.
    Loaded,
    /// The last run.
    LastRun,
}

/// Returns the preset of this name.
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name.eq_ignore_ascii_case(name))
}

/// All presets.
pub static PRESETS: &[Preset] = &[
    Preset {
        name: "failed-files",
        about: "Files that failed when they were tested last",
        reach: PresetReach::Everything,
        sql: "SELECT file_path, category, last_tested FROM test_files WHERE status NOT IN ('PASS', 'EMPTY', \
              'UNTESTED') ORDER BY category, file_path, last_tested",
    },
    Preset {
        name: "progress",
        about: "The last ten runs with their pass rates in percent",
        reach: PresetReach::Everything,
        sql: "SELECT run_id, started_at AS run_time, passed, failed, CAST(pass_rate * 10 + 0.5 AS INTEGER) / 10.0 AS \
              pass_rate FROM test_runs ORDER BY run_id DESC LIMIT 10",
    },
    Preset {
        name: "by-category",
        about: "Files by category, and the part that passed last in percent",
        reach: PresetReach::Everything,
        sql: "SELECT category, total, passed, failed, untested, CAST(passed * 1000.0 / total + 0.5 AS INTEGER) / \
              10.0 AS pass_pct FROM (SELECT category, COUNT(*) AS total, SUM(CASE WHEN status = 'PASS' THEN 1 ELSE 0 \
              END) AS passed, SUM(CASE WHEN status IN ('PASS', 'EMPTY', 'UNTESTED') THEN 0 ELSE 1 END) AS failed, \
              SUM(CASE WHEN status = 'UNTESTED' THEN 1 ELSE 0 END) AS untested FROM test_files GROUP BY category) c \
              ORDER BY pass_pct DESC, category",
    },
    Preset {
        name: "flaky-tests",
        about: "Files that passed and failed in runs of the same engine on the same commit, where a commit is known",
        reach: PresetReach::Loaded,
        sql: "WITH s AS (SELECT file_id, SUM(passed) AS passes, SUM(failed) AS fails FROM test_results GROUP BY \
              file_id), f AS (SELECT file_id FROM s WHERE CASE WHEN passes > 0 AND fails > 0 THEN 1 ELSE 0 END = 1), \
              c AS (SELECT r.file_id AS file_id, t.same AS same, COUNT(*) AS results, SUM(r.passed) AS passes, \
              SUM(r.failed) AS fails FROM test_results r JOIN f ON r.file_id = f.file_id JOIN (SELECT run_id, \
              COALESCE(git_commit, '') || ' ' || COALESCE(engine, '') || ' ' || COALESCE(engine_version, '') AS same \
              FROM test_runs) t ON r.run_id = t.run_id GROUP BY r.file_id, t.same), m AS (SELECT file_id, results, \
              passes, fails FROM c WHERE CASE WHEN passes > 0 AND fails > 0 THEN 1 ELSE 0 END = 1) SELECT file_path, \
              total_runs, passes, fails FROM (SELECT p.file_path AS file_path, p.file_id AS file_id, SUM(m.results) \
              AS total_runs, SUM(m.passes) AS passes, SUM(m.fails) AS fails FROM m JOIN test_files p ON m.file_id = \
              p.file_id GROUP BY p.file_path, p.file_id) g ORDER BY fails DESC, file_path, file_id LIMIT 20",
    },
    Preset {
        name: "recent-runs",
        about: "The last five runs",
        reach: PresetReach::Everything,
        sql: "SELECT run_id, started_at AS started, total_files, passed, failed, git_commit FROM test_runs ORDER BY \
              run_id DESC LIMIT 5",
    },
    Preset {
        name: "untested",
        about: "Files that no run has tested",
        reach: PresetReach::Everything,
        sql: "SELECT file_path, category, subcategory FROM test_files WHERE status = 'UNTESTED' ORDER BY category, \
              subcategory, file_path LIMIT 50",
    },
    Preset {
        name: "slow-tests",
        about: "Files by their average time",
        reach: PresetReach::Loaded,
        sql: "WITH t AS (SELECT file_id, SUM(duration_ms) AS total, MAX(duration_ms) AS max_duration_ms, \
              COUNT(duration_ms) AS run_count FROM test_results GROUP BY file_id) SELECT f.file_path AS file_path, \
              CAST(t.total * 10.0 / t.run_count + 0.5 AS INTEGER) / 10.0 AS avg_duration_ms, t.max_duration_ms AS \
              max_duration_ms, t.run_count AS run_count FROM t JOIN test_files f ON t.file_id = f.file_id WHERE \
              t.run_count > 0 ORDER BY avg_duration_ms DESC, f.file_path, f.file_id LIMIT 20",
    },
    Preset {
        name: "failing-by-category",
        about: "How many files failed last, by category",
        reach: PresetReach::Everything,
        sql: "SELECT category, subcategory, COUNT(*) AS failed_count FROM test_files WHERE status NOT IN ('PASS', \
              'EMPTY', 'UNTESTED') GROUP BY category, subcategory ORDER BY failed_count DESC, category, subcategory",
    },
    Preset {
        name: "latest-failures",
        about: "The last results that are failures",
        reach: PresetReach::Loaded,
        sql: "SELECT file_path, category, error_message, tested_at FROM test_results WHERE status NOT IN ('PASS', \
              'EMPTY') ORDER BY tested_at DESC, file_path, result_id LIMIT 20",
    },
    Preset {
        name: "analyze-summary",
        about: "The last run",
        reach: PresetReach::Everything,
        sql: "SELECT * FROM latest_run_summary",
    },
    Preset {
        name: "analyze-patterns",
        about: "What the failures of the last run have in common",
        reach: PresetReach::LastRun,
        sql: "SELECT p.error_pattern AS error_pattern, p.error_type AS error_type, p.failure_count AS failure_count, \
              p.affected_files AS affected_files, p.pct_of_failures AS pct_of_failures FROM failure_patterns p JOIN \
              (SELECT MAX(run_id) AS newest FROM test_runs) n ON p.run_id = n.newest ORDER BY p.failure_count DESC, \
              p.error_pattern, p.error_type LIMIT 20",
    },
    Preset {
        name: "analyze-opportunities",
        about: "Patterns of the last run that are most worth fixing for their effort",
        reach: PresetReach::LastRun,
        sql: "SELECT rank, priority, pattern, tests_affected, pct_failures, effort, impact_ratio FROM \
              fix_opportunities ORDER BY rank",
    },
    Preset {
        name: "analyze-examples",
        about: "Files of the last run for each pattern",
        reach: PresetReach::LastRun,
        sql: "SELECT error_pattern, file_path, error_type, error_message_preview FROM failure_examples ORDER BY \
              error_pattern, file_path",
    },
    Preset {
        name: "timeouts",
        about: "Files that were over their time limit, and how often",
        reach: PresetReach::Loaded,
        sql: "SELECT file_path, timeouts, last_timeout, line FROM (SELECT f.file_path AS file_path, f.file_id AS \
              file_id, COUNT(*) AS timeouts, MAX(r.tested_at) AS last_timeout, MAX(r.in_flight_line) AS line FROM \
              test_results r JOIN test_files f ON r.file_id = f.file_id WHERE r.status = 'TIMEOUT' GROUP BY \
              f.file_path, f.file_id) t ORDER BY timeouts DESC, file_path, file_id LIMIT 50",
    },
    Preset {
        name: "crashes",
        about: "Files during which the engine was lost or used too much memory",
        reach: PresetReach::Loaded,
        sql: "SELECT run_id, file_path, status, signal, in_flight_line, error_message FROM test_results WHERE status \
              IN ('CRASH', 'OOM') ORDER BY run_id DESC, file_path, result_id LIMIT 50",
    },
    Preset {
        name: "slowest-records",
        about: "Single records by their longest time",
        reach: PresetReach::Loaded,
        sql: "WITH t AS (SELECT file_id, line, MAX(duration_ms) AS max_duration_ms, COUNT(*) AS times FROM \
              slow_records GROUP BY file_id, line) SELECT f.file_path AS file_path, t.line AS line, \
              t.max_duration_ms AS max_duration_ms, t.times AS times FROM t JOIN test_files f ON t.file_id = \
              f.file_id ORDER BY max_duration_ms DESC, f.file_path, t.line, f.file_id LIMIT 20",
    },
    Preset {
        name: "statement-times",
        about: "Times by kind of statement in the last run, in milliseconds: the median, p95, p99 and the longest",
        reach: PresetReach::LastRun,
        sql: "SELECT statement_kind, records, CAST(total * 10 + 0.5 AS INTEGER) / 10.0 AS total_ms, CAST(p50 * 10000 \
              + 0.5 AS INTEGER) / 10000.0 AS p50_ms, CAST(p95 * 10000 + 0.5 AS INTEGER) / 10000.0 AS p95_ms, CAST(p99 \
              * 10000 + 0.5 AS INTEGER) / 10000.0 AS p99_ms, CAST(longest * 10000 + 0.5 AS INTEGER) / 10000.0 AS \
              max_ms FROM (SELECT s.statement_kind AS statement_kind, s.records AS records, s.total_ms AS total, \
              s.p50_ms AS p50, s.p95_ms AS p95, s.p99_ms AS p99, s.max_ms AS longest FROM statement_times s JOIN \
              (SELECT MAX(run_id) AS newest FROM test_runs) n ON s.run_id = n.newest) t ORDER BY total_ms DESC, \
              statement_kind",
    },
    Preset {
        name: "flakiest",
        about: "Files whose results change most often, with the counters of each engine",
        reach: PresetReach::Everything,
        sql: "SELECT file_path, engine, flips, runs, passes, fails, last_status FROM file_stats WHERE flips > 1 \
              ORDER BY flips DESC, file_path, engine, file_id LIMIT 20",
    },
    Preset {
        name: "by-engine",
        about: "The counters of all files, by engine",
        reach: PresetReach::Everything,
        sql: "SELECT engine, files, runs, passes, fails, CAST(passes * 1000.0 / runs + 0.5 AS INTEGER) / 10.0 AS \
              pass_pct FROM (SELECT engine, COUNT(*) AS files, SUM(runs) AS runs, SUM(passes) AS passes, SUM(fails) \
              AS fails FROM file_stats GROUP BY engine) e ORDER BY engine",
    },
    Preset {
        name: "coverage",
        about: "How many files of each category were ever tested, in percent",
        reach: PresetReach::Everything,
        sql: "SELECT category, files, tested, CAST(tested * 1000.0 / files + 0.5 AS INTEGER) / 10.0 AS tested_pct \
              FROM (SELECT category, COUNT(*) AS files, SUM(CASE WHEN status = 'UNTESTED' THEN 0 ELSE 1 END) AS \
              tested FROM test_files GROUP BY category) c ORDER BY tested_pct, category",
    },
    Preset {
        name: "failing-records",
        about: "Records that fail in the last run",
        reach: PresetReach::LastRun,
        sql: "SELECT r.file_path AS file_path, r.line AS line, r.error_pattern AS error_pattern, r.message AS \
              message FROM record_failures r JOIN (SELECT DISTINCT g.outcome_id AS outcome_id FROM failure_groups g \
              JOIN (SELECT MAX(run_id) AS newest FROM test_runs) n ON g.run_id = n.newest) o ON r.outcome_id = \
              o.outcome_id ORDER BY r.file_path, r.line, r.error_pattern, r.message LIMIT 100",
    },
];
