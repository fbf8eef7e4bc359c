//! Questions to both engines about made-up results: who is believed, and what is kept of a disagreement.

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;
use vibesql_sqllogictest::results::ask::compare::{AnswerDifference, RowRule, SortKey, compare};
use vibesql_sqllogictest::results::ask::{
    Answer, AskCommand, AskError, AskLimits, AskResult, Asker, Dependency, DisagreementEffort, EngineName,
    QueryTarget, SavedExample, Unconfirmed, VibeSqlFault, plan,
};
use vibesql_sqllogictest::results::store::Cell;

use crate::generated::Generated;
use crate::sandbox::Sandbox;

/// Noon of a day in 2026.
const NOW: i64 = 1_795_435_200_000;

/// The program as a child.
pub(crate) fn child() -> AskCommand {
    let program = env!("CARGO_BIN_EXE_vibesql-sqllogictest").into();
    AskCommand { program, arguments: ["--results", "/nowhere", "ask"].map(Into::into).to_vec() }
}

/// A child that is a line of the shell.
pub(crate) fn shell(line: &str) -> AskCommand {
    AskCommand { program: "/bin/sh".into(), arguments: vec!["-c".into(), line.into()] }
}

pub(crate) fn limits() -> AskLimits {
    AskLimits { timeout: Duration::from_secs(60), memory: 2 << 30 }
}

fn effort(folder: &Path) -> DisagreementEffort<'_> {
    DisagreementEffort { check: true, folder, reducing: Duration::from_secs(5), now: NOW }
}

fn ask(asker: &mut Asker, sql: &str, about: &Generated, folder: &Path) -> Result<AskResult, AskError> {
    let plan = plan(sql).unwrap();
    asker.ask(&plan, QueryTarget::Rows(&about.loaded(&plan)), effort(folder))
}

fn wrong(asked: &AskResult) -> (&VibeSqlFault, &Path) {
    match &asked.unconfirmed {
        Some(Unconfirmed::VibeSql { kind, kept: SavedExample::In(path) }) => (kind, path),
        other => panic!("{other:?}: {:?}", asked.answer.columns),
    }
}

#[test]
fn wrong_answers_of_vibesql_are_found_and_kept() {
    let (folder, about) = (TempDir::new().unwrap(), Generated::new(3, 8));
    let sandbox = Sandbox::new();
    let mut asker = Asker::new([child(), child()], limits());
    for (kind, sql) in [
        // Conditions beside each other are lost.
        (
            "answer",
            "SELECT result_id FROM test_results WHERE run_id > 176000000300 AND error_message IS NULL",
        ),
        (
            "answer",
            "SELECT COUNT(*) AS n FROM test_results WHERE status = 'FAIL' \
                    AND run_id = (SELECT MAX(run_id) FROM test_runs)",
        ),
        (
            "answer",
            "SELECT run_id, (SELECT COUNT(*) FROM test_results t WHERE t.run_id = r.run_id AND t.status = 'PASS') \
                    AS n FROM test_runs r",
        ),
        // So are conditions of an outer join.
        (
            "answer",
            "SELECT f.file_path, r.result_id FROM test_files f LEFT JOIN test_results r \
                    ON r.file_path = f.file_path AND r.status = 'PASS' AND r.run_id = 176000000100",
        ),
        ("answer", "SELECT COUNT(*) FILTER (WHERE status = 'PASS') AS n FROM test_results"),
        ("answer", "SELECT 1 AS a UNION ALL SELECT 2 UNION ALL SELECT 3 ORDER BY a DESC LIMIT 2 OFFSET 1"),
        (
            "order",
            "SELECT status, COUNT(*) FROM test_results GROUP BY status \
                   ORDER BY CASE status WHEN 'TIMEOUT' THEN 0 WHEN 'FAIL' THEN 1 ELSE 2 END",
        ),
        ("panic", "SELECT COUNT(*) FROM test_results WHERE error_message LIKE '%line 1%'"),
        (
            "error",
            "SELECT file_path FROM test_results WHERE status = 'PASS' \
                   AND run_id IN (SELECT MAX(run_id) FROM test_runs)",
        ),
        // Rounds half to even.
        ("answer", "SELECT ROUND(0.25, 1) AS a"),
    ] {
        let asked = ask(&mut asker, sql, &about, folder.path()).unwrap();
        assert!(!asked.agreed, "{sql}");
        assert_eq!(asked.from, EngineName::Sqlite, "{sql}");
        let (found, path) = wrong(&asked);
        let word = match found {
            VibeSqlFault::Differs(AnswerDifference::Order) => "order",
            VibeSqlFault::Differs(_) => "answer",
            VibeSqlFault::Refuses(_) => "error",
            VibeSqlFault::Panics(_) => "panic",
            other => panic!("{sql}: {other}"),
        };
        assert_eq!(word, kind, "{sql}: {found}");
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.lines().count() < 60, "{sql}: {text}");
        let run = |engine: &str| sandbox.run(&format!("test --engine {engine} {}", path.display()));
        let (sqlite, vibesql) = (run("sqlite"), run("vibesql"));
        assert_eq!(sqlite.code, 0, "{text}{sqlite}");
        assert_ne!(vibesql.code, 0, "{text}{vibesql}");
        // The same disagreement is kept once.
        let count = || std::fs::read_dir(folder.path()).unwrap().count();
        let before = count();
        assert_eq!(wrong(&ask(&mut asker, sql, &about, folder.path()).unwrap()).1, path);
        assert_eq!(count(), before);
    }
}

#[test]
fn a_kept_file_can_be_read() {
    let (folder, about) = (TempDir::new().unwrap(), Generated::new(3, 8));
    let mut asker = Asker::new([child(), child()], limits());
    let sql = "SELECT file_path\n\n FROM test_results -- which\nWHERE run_id > 176000000300 AND error_message IS NULL";
    let asked = ask(&mut asker, sql, &about, folder.path()).unwrap();
    let (_, path) = wrong(&asked);
    assert_eq!(path.file_name().unwrap().to_str().unwrap().get(..16), Some("20261123-120000-"));
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.starts_with("# VibeSQL 0.2.0 gives another answer: "), "{text}");
    assert!(
        text.contains("CREATE TABLE test_results (run_id INTEGER, file_path TEXT, error_message TEXT)\n"),
        "{text}"
    );
    let query = "query T rowsort\nSELECT file_path FROM test_results WHERE run_id > 176000000300 AND error_message IS NULL\n";
    assert!(text.contains(query), "{text}");
    // One row that is there and should not be is enough.
    assert_eq!(text.matches("INSERT").count(), 1, "{text}");
}

#[test]
fn children_that_fail_are_replaced_by_the_second_opinion() {
    let (folder, about) = (TempDir::new().unwrap(), Generated::new(1, 2));
    let short = AskLimits { timeout: Duration::from_secs(1), memory: 2 << 30 };
    for (line, limits, expected) in [
        ("kill -SEGV $$", limits(), "breaks: its process was killed by SIGSEGV"),
        ("exit 3", limits(), "breaks: its process exited with code 3"),
        ("cat >/dev/null", short, "takes longer than 1 s"),
        ("echo nonsense; cat >/dev/null", short, "takes longer than 1 s"),
    ] {
        let mut asker = Asker::new([shell(line), child()], limits);
        for number in 0..2 {
            let sql = format!("SELECT COUNT(*) + {number} AS n FROM test_runs");
            let asked = ask(&mut asker, &sql, &about, &folder.path().join(line.replace('/', "-"))).unwrap();
            assert_eq!(asked.answer.rows, [[Cell::Integer(2 + number)]]);
            assert_eq!(wrong(&asked).0.to_string(), expected);
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_engine_that_takes_too_much_is_stopped() {
    let (folder, about) = (TempDir::new().unwrap(), Generated::new(1, 40));
    let little = AskLimits { memory: 60 << 20, ..limits() };
    let mut asker = Asker::new([child(), child()], little);
    // SQLite counts the pairs; VibeSQL makes them.
    let sql = "SELECT COUNT(*) AS n FROM test_results a JOIN test_results b ON a.category = b.category \
               JOIN test_runs c ON c.run_id > 0";
    let asked = ask(&mut asker, sql, &about, folder.path()).unwrap();
    let (kind, _) = wrong(&asked);
    assert_eq!(kind.to_string(), "takes more than 60 MiB of memory");
}

#[test]
fn time_is_limited_for_real_queries() {
    let (folder, about) = (TempDir::new().unwrap(), Generated::new(1, 2));
    let short = AskLimits { timeout: Duration::from_secs(1), ..limits() };
    let mut asker = Asker::new([child(), child()], short);
    let deep = format!("{}SELECT 1 AS a{}", "SELECT * FROM (".repeat(22), ") t".repeat(22));
    let asked = ask(&mut asker, &deep, &about, folder.path()).unwrap();
    assert_eq!(wrong(&asked).0, &VibeSqlFault::TimesOut(Duration::from_secs(1)));
    assert_eq!(asked.answer.rows, [[Cell::Integer(1)]]);
    // The next question has a child again.
    assert!(ask(&mut asker, "SELECT 2 AS a", &about, folder.path()).unwrap().agreed);
}

#[test]
fn an_answer_of_one_is_better_than_none() {
    let (folder, about) = (TempDir::new().unwrap(), Generated::new(1, 2));
    let mut asker = Asker::new([child(), shell("exit 1")], limits());
    let asked = ask(&mut asker, "SELECT 1 AS a", &about, folder.path()).unwrap();
    assert_eq!((asked.from, &asked.answer.rows[0][0]), (EngineName::VibeSql, &Cell::Integer(1)));
    assert!(matches!(asked.unconfirmed, Some(Unconfirmed::SqliteFails(_))));
    let mut asker = Asker::new([child(), child()], limits());
    let both = ask(&mut asker, "SELECT abs(-9223372036854775808) AS a", &about, folder.path());
    assert!(
        matches!(both, Err(AskError::Sql(_) | AskError::Engine { .. }))
            || both.unwrap().unconfirmed.is_some()
    );
    let neither = ask(&mut asker, "SELECT no_such_function(1) AS a", &about, folder.path());
    assert!(
        matches!(neither, Err(AskError::Sql(message)) if message == "no such function: no_such_function")
    );
}

#[test]
fn sqlite_answers_what_depends_on_more_than_rows() {
    let (folder, about) = (TempDir::new().unwrap(), Generated::new(1, 2));
    let sql = "SELECT random() IS NULL AS a";
    // Which is not even asked.
    let mut asker = Asker::new([shell("kill -SEGV $$"), child()], limits());
    let asked = ask(&mut asker, sql, &about, folder.path()).unwrap();
    assert_eq!((asked.from, &asked.answer.rows[0][0]), (EngineName::Sqlite, &Cell::Integer(0)));
    assert!(
        matches!(asked.unconfirmed, Some(Unconfirmed::OnlySqlite(Dependency::Chance))),
        "{:?}",
        asked.unconfirmed
    );
    let mut asker = Asker::new([child(), shell("exit 3")], limits());
    let asked = ask(&mut asker, sql, &about, folder.path()).unwrap();
    assert_eq!((asked.from, &asked.answer.rows[0][0]), (EngineName::VibeSql, &Cell::Integer(0)));
    assert!(matches!(asked.unconfirmed, Some(Unconfirmed::SqliteFails(_))), "{:?}", asked.unconfirmed);
    let mut asker = Asker::new([shell("exit 3"), shell("exit 3")], limits());
    let neither = ask(&mut asker, sql, &about, folder.path());
    assert!(matches!(neither, Err(AskError::Engine { engine: EngineName::Sqlite, .. })), "{neither:?}");
}

#[test]
fn names_change_nothing() {
    let (folder, about) = (TempDir::new().unwrap(), Generated::new(5, 3));
    let mut asker = Asker::new([child(), child()], limits());
    let asked = ask(&mut asker, "SELECT file_path FROM test_files", &about, folder.path()).unwrap();
    assert!(asked.agreed, "{:?}", asked.unconfirmed);
    let expected: Vec<_> =
        about.table("test_files").iter().map(|row| vec![row.cell("file_path").clone()]).collect();
    assert_eq!(asked.answer.rows, expected);
    let asked = ask(&mut asker, "SELECT COUNT(*) AS n FROM test_runs", &about, folder.path()).unwrap();
    assert_eq!(asked.answer.rows, [[Cell::Integer(3)]]);
}

/// Rows of a key and a number, sorted by the key.
fn sorted_rows() -> impl Strategy<Value = Vec<Vec<Cell>>> {
    prop::collection::vec((0_i64..4, 0_i64..6), 1..12).prop_map(|mut rows| {
        rows.sort_by_key(|row| row.0);
        rows.into_iter().map(|(key, value)| vec![Cell::Integer(value), Cell::Integer(key)]).collect()
    })
}

fn answer(rows: &[Vec<Cell>]) -> Answer {
    Answer { columns: vec!["value".to_owned(), "key".to_owned()], rows: rows.to_vec() }
}

const BY_KEY: &[SortKey] = &[SortKey { place: 1, nocase: false }];

proptest! {
    #[test]
    fn any_order_within_ties_is_right(rows in sorted_rows(), turn in 0_usize..12) {
        let mut other = rows.clone();
        // Each group of ties is turned around.
        for group in other.chunk_by_mut(|one, two| one[1] == two[1]) {
            let by = turn % group.len();
            group.rotate_left(by);
        }
        let rule = RowRule::Sorted { all: &rows, keys: BY_KEY, offset: 0 };
        prop_assert_eq!(compare(&answer(&rows), &answer(&other), rule), Ok(()));
        other.reverse();
        prop_assert_eq!(compare(&answer(&rows), &answer(&other), RowRule::AnyOrder), Ok(()));
    }

    #[test]
    fn any_part_that_a_limit_can_show_is_right(rows in sorted_rows(), offset in 0_usize..12, limit in 0_usize..12) {
        let end = (offset + limit).min(rows.len());
        let start = offset.min(end);
        let mut other = rows.clone();
        other.chunk_by_mut(|one, two| one[1] == two[1]).for_each(<[_]>::reverse);
        let (shown, other) = (answer(&rows[start..end]), answer(&other[start..end]));
        let rule = RowRule::Sorted { all: &rows, keys: BY_KEY, offset: start };
        prop_assert_eq!(compare(&shown, &other, rule), Ok(()));
        prop_assert_eq!(compare(&shown, &other, RowRule::SomeOf(&rows)), Ok(()));
    }

    #[test]
    fn any_change_of_a_row_is_found(rows in sorted_rows(), at in any::<prop::sample::Index>(), change in 0..4) {
        let at = at.index(rows.len());
        let mut other = rows.clone();
        match change {
            0 => drop(other.remove(at)),
            1 => other.push(rows[at].clone()),
            2 => other[at][0] = Cell::text("other"),
            _ => other[at][0] = Cell::Null,
        }
        let all = rows.clone();
        for rule in [
            RowRule::Exactly,
            RowRule::AnyOrder,
            RowRule::SomeOf(&all),
            RowRule::Sorted { all: &all, keys: BY_KEY, offset: 0 },
        ] {
            prop_assert!(compare(&answer(&rows), &answer(&other), rule).is_err(), "{:?} {:?}", rule, other);
        }
    }

    #[test]
    fn a_row_across_a_border_of_keys_is_found(rows in sorted_rows(), at in any::<prop::sample::Index>()) {
        let at = at.index(rows.len());
        prop_assume!(at + 1 < rows.len() && rows[at][1] != rows[at + 1][1]);
        let mut other = rows.clone();
        other.swap(at, at + 1);
        let rule = RowRule::Sorted { all: &rows, keys: BY_KEY, offset: 0 };
        prop_assert_eq!(compare(&answer(&rows), &answer(&other), rule), Err(AnswerDifference::Order));
        prop_assert_eq!(compare(&answer(&rows), &answer(&other), RowRule::Exactly), Err(AnswerDifference::Order));
    }
}
