//! Concurrent loops on an engine whose statements wait for those of other sessions.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::{DetailLimits, Host, HostError, Observer, Options, Selection, Surroundings, run_observed};
use crate::engine::{
    Database, DatabaseError, Engine, EngineError, EngineId, ExecuteError, Flow, Interrupter, RowSink,
    Session, SqlError,
};
use crate::location::Source;
use crate::outcome::{Counts, FailingRecord, FileEnd, FileReport, FileStatus, RecordId};
use crate::parser::{DUCKDB, DUCKDB_EXACT, LintKind, Profile, parse};
use crate::value::{Column, ValueRef};

/// An engine that executes: `ok`, `error TEXT`, `lost`, `panic`, `meet N` (ends when N sessions wait), `turn N` (ends as
/// the Nth), `block` (ends when it is interrupted), `mine` (the number of statements of the session before this one), and
/// any other text as the only value of a result.
#[derive(Clone)]
struct Meeting {
    shared: Arc<MeetingRoom>,
    /// The most sessions besides the default one; `None` if they cannot overlap.
    most: Option<usize>,
}

#[derive(Default)]
struct MeetingRoom {
    state: Mutex<RoomState>,
    changed: Condvar,
    /// The open sessions of iterations, and the most that were open.
    open: AtomicUsize,
    peak: AtomicUsize,
}

#[derive(Default)]
struct RoomState {
    waiting: usize,
    met: usize,
    turn: usize,
}

/// How long a statement waits for others that do not come.
const NOBODY: Duration = Duration::from_millis(300);
/// How long it waits for others that come.
const LONG: Duration = Duration::from_secs(60);

impl MeetingRoom {
    fn wait(
        &self,
        limit: Duration,
        mut done: impl FnMut(&mut RoomState) -> bool,
    ) -> Result<(), ExecuteError> {
        let state = self.state.lock().unwrap();
        let (_state, waited) = self.changed.wait_timeout_while(state, limit, |state| !done(state)).unwrap();
        self.changed.notify_all();
        if waited.timed_out() { Err(ExecuteError::Sql(SqlError::new("alone"))) } else { Ok(()) }
    }

    fn lock(&self) -> MutexGuard<'_, RoomState> {
        self.state.lock().unwrap()
    }
}

impl Engine for Meeting {
    fn describe(&self) -> Result<EngineId, EngineError> {
        Ok(EngineId::new("meeting", "1"))
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        Ok(Box::new(MeetingDatabase(self.clone())))
    }
}

struct MeetingDatabase(Meeting);

impl Database for MeetingDatabase {
    fn connect(&mut self, _: Option<&str>, _: Option<&str>) -> Result<Box<dyn Session>, DatabaseError> {
        Ok(Box::new(MeetingSession::new(&self.0, false)))
    }

    fn connect_concurrent(&mut self, _: &str) -> Result<Box<dyn Session + Send>, DatabaseError> {
        let Some(most) = self.0.most else { return Err(DatabaseError::Unsupported("one".to_owned())) };
        let shared = &self.0.shared;
        if shared.open.load(Ordering::SeqCst) >= most {
            return Err(EngineError::new("too many sessions").into());
        }
        let open = shared.open.fetch_add(1, Ordering::SeqCst) + 1;
        shared.peak.fetch_max(open, Ordering::SeqCst);
        Ok(Box::new(MeetingSession::new(&self.0, true)))
    }
}

struct MeetingSession {
    shared: Arc<MeetingRoom>,
    /// How long to wait for others.
    limit: Duration,
    counts: bool,
    executed: usize,
    interrupted: Arc<AtomicBool>,
}

impl MeetingSession {
    fn new(engine: &Meeting, counts: bool) -> Self {
        let limit = if counts { LONG } else { NOBODY };
        Self { shared: Arc::clone(&engine.shared), limit, counts, executed: 0, interrupted: Arc::default() }
    }
}

impl Drop for MeetingSession {
    fn drop(&mut self) {
        if self.counts {
            self.shared.open.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Session for MeetingSession {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        let sql = std::str::from_utf8(sql).unwrap();
        let (word, rest) = sql.split_once(' ').unwrap_or((sql, ""));
        self.executed += 1;
        match word {
            "ok" => {}
            "error" => return Err(ExecuteError::Sql(SqlError::new(rest))),
            "lost" => return Err(ExecuteError::Lost(EngineError::new("gone"))),
            "panic" => panic!("in an iteration"),
            "meet" => {
                let all: usize = rest.parse().unwrap();
                self.shared.lock().waiting += 1;
                self.shared.wait(self.limit, |state| {
                    state.met = state.met.max(state.waiting / all * all);
                    state.met > 0
                })?;
            }
            "turn" => {
                let own: usize = rest.parse().unwrap();
                self.shared.wait(self.limit, |state| state.turn == own)?;
                self.shared.lock().turn += 1;
                self.shared.changed.notify_all();
            }
            "block" => {
                let interrupted = Arc::clone(&self.interrupted);
                self.shared.wait(self.limit, |_| interrupted.load(Ordering::SeqCst))?;
                return Err(ExecuteError::Sql(SqlError::new("interrupted")));
            }
            "mine" => return give(&(self.executed - 1).to_string(), rows),
            _ => return give(sql, rows),
        }
        if rows.columns(&[]) == Flow::Continue {
            rows.done(None);
        }
        Ok(())
    }

    fn interrupter(&self) -> Option<Interrupter> {
        let (interrupted, shared) = (Arc::clone(&self.interrupted), Arc::clone(&self.shared));
        Some(Box::new(move || {
            interrupted.store(true, Ordering::SeqCst);
            shared.changed.notify_all();
        }))
    }
}

fn give(value: &str, rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
    if rows.columns(&[Column::UNKNOWN]) == Flow::Continue
        && rows.row(&[ValueRef::Text(value.as_bytes())]) == Flow::Continue
    {
        rows.done(None);
    }
    Ok(())
}

struct MeetingHost;

impl Host for MeetingHost {
    fn read_file(&self, _: &[u8]) -> Result<Vec<u8>, HostError> {
        Ok(b"a\nfile\n".to_vec())
    }

    fn place(&self, name: &[u8]) -> Option<Vec<u8>> {
        (name == b"TEST_DIR").then(|| b"/tmp/x".to_vec())
    }

    fn has_feature(&self, name: &[u8], _: Option<&[u8]>) -> Option<bool> {
        Some(name != b"missing")
    }
}

/// Collects the calls of an observer.
#[derive(Default)]
struct MeetingObserver {
    started: usize,
    failed: Vec<String>,
    counts: Counts,
    scope: Option<Arc<str>>,
}

impl Observer for MeetingObserver {
    fn record_started(&mut self, _: &RecordId) {
        self.started += 1;
    }

    fn scope_entered(&mut self, _: Option<&Arc<str>>, iteration: Option<&Arc<str>>) {
        self.scope = iteration.cloned();
    }

    fn record_joined(&mut self, id: &RecordId, running: usize) {
        assert!(running > 1 && id.iteration.is_some());
        self.started += 1;
    }

    fn record_not_passed(&mut self, record: &FailingRecord) {
        self.failed.push(record.id.to_string());
    }

    fn record_settled(&mut self, counts: &Counts) {
        assert!(counts.add_up() && counts.total >= self.counts.total);
        self.counts = *counts;
    }

    fn database_not_closed(&mut self, _: &EngineError) {}
}

fn meeting(most: Option<usize>) -> Meeting {
    Meeting { shared: Arc::default(), most }
}

fn run_on(engine: &Meeting, text: &str, profile: &'static Profile, selection: Selection<'_>) -> FileReport {
    let source = Source::new("t", text);
    let script = parse(&source, profile);
    let options = Options {
        labels: vec!["meeting".to_owned()],
        threshold: None,
        record_timeout: text.contains("block").then_some(Duration::from_millis(50)),
        details: DetailLimits { records: 9, values: 9 },
    };
    let surroundings = Surroundings { engine, host: &MeetingHost };
    let mut heard = MeetingObserver::default();
    let report = run_observed(&script, surroundings, &options, selection, &mut heard);
    assert!(report.counts.add_up(), "{:?}", report.counts);
    assert_eq!(heard.counts, report.counts);
    if selection == Selection::All {
        let failed: Vec<_> = report.failures.iter().map(|record| record.id.to_string()).collect();
        assert_eq!(heard.failed, failed);
    }
    assert_eq!(heard.scope, None, "the loop is over");
    report
}

fn run(text: &str) -> FileReport {
    run_on(&meeting(Some(1_000)), text, &DUCKDB, Selection::All)
}

/// The failing records with their messages.
fn failures(report: &FileReport) -> Vec<String> {
    let text = |record: &FailingRecord| {
        let problem = record.detail.as_ref().map_or("?", |detail| detail.problem.word());
        format!("{} {problem}", record.id)
    };
    report.failures.iter().map(text).collect()
}

#[track_caller]
fn passes(text: &str, passed: u64) {
    let report = run(text);
    assert_eq!(failures(&report), [""; 0], "{text}");
    assert_eq!((report.last_status(), report.counts.passed), (FileStatus::Passed, passed), "{text}");
}

const MEETING: &str = "concurrentloop i 0 5\n\nstatement ok\nmeet 5\n\nendloop\n";

#[test]
fn iterations_overlap_where_the_engine_allows_it() {
    passes(MEETING, 5);
    passes(&MEETING.replace("loop i 0 5", "foreach i a b c d e"), 5);
    passes(&format!("loop j 0 2\n\n{MEETING}\nendloop\n"), 10);
    // In order, the first iteration waits for the others in vain; the run says so once.
    let report =
        run_on(&meeting(None), &format!("loop j 0 2\n\n{MEETING}\nendloop\n"), &DUCKDB, Selection::All);
    assert_eq!((report.counts.total, report.last_status()), (10, FileStatus::Failed));
    let lints: Vec<_> = report.lints.iter().map(|lint| (lint.line, lint.kind)).collect();
    assert_eq!(lints, [(3, LintKind::LoopInOrder)]);
    assert_eq!(run(MEETING).lints, []);
}

#[test]
fn outcomes_are_in_the_order_of_iterations_whichever_ends_first() {
    let text = "statement ok\nerror before\n\nconcurrentforeach i,t 0,3 1,2 2,1 3,0\n\nstatement ok\nturn {t}\n\n\
        statement ok\nerror iteration {i}\n\nendloop\n\nstatement ok\nerror after\n";
    let report = run(text);
    let expected =
        ["i=0, t=3", "i=1, t=2", "i=2, t=1", "i=3, t=0"].map(|at| format!("9 ({at}) unexpected_error"));
    let found = failures(&report);
    assert_eq!(found[1..5], expected);
    assert_eq!((found[0].as_str(), found[5].as_str()), ("1 unexpected_error", "14 unexpected_error"));
    assert_eq!((report.counts.passed, report.counts.failed), (4, 6));
    // All iterations are in one group, with the record that comes first in the file.
    let groups: Vec<_> = report.groups.iter().map(|group| (group.first.to_string(), group.records)).collect();
    assert_eq!(groups, [("1".to_owned(), 1), ("9 (i=0, t=3)".to_owned(), 4), ("14".to_owned(), 1)]);
    assert_eq!(report.failures[4].group, Some(1));
}

#[test]
fn a_failing_iteration_stops_the_others_only_in_exact() {
    // The failing iteration ends while the others are in their inner loops.
    let text = "concurrentloop i 0 3\n\nstatement ok\nmeet 3\n\nonlyif i=1\nstatement ok\nerror x\n\nskipif i=1\n\
        statement ok\nok\n\nloop k 0 COUNT\n\nstatement ok\nok\n\nendloop\n\nendloop\n\nstatement ok\nok\n";
    let report = run(&text.replace("COUNT", "10"));
    assert_eq!(failures(&report), ["7 (i=1) unexpected_error"]);
    assert_eq!(
        (report.counts.passed, report.counts.not_reached, report.counts.skipped),
        (3 + 2 + 30 + 1, 0, 3)
    );
    let exact = text
        .replace("COUNT", "200000")
        .replace("onlyif i=1\n", "")
        .replace("error x", "error x{i}")
        .replace("statement ok\nerror x{i}", "query T\nx{i}\n----\n<!REGEX>:x1");
    let engine = meeting(Some(1_000));
    let report = run_on(&engine, &exact, &DUCKDB_EXACT, Selection::All);
    assert_eq!(failures(&report), ["6 (i=1) rows_differ"]);
    assert!(matches!(&report.end, FileEnd::AtFailure { id } if id.line == 6));
    // The failing one leaves out its inner loop, and the others a part of theirs, as well as what is behind the loop.
    assert!(report.counts.not_reached > 210_000, "{:?}", report.counts);
    assert_eq!(engine.shared.open.load(Ordering::SeqCst), 0, "all sessions are closed");
}

#[test]
fn a_lost_session_ends_the_file_and_names_the_iteration() {
    for order in ["lost", "panic"] {
        let text = format!(
            "concurrentloop i 0 4\n\nstatement ok\nmeet 4\n\nonlyif i=2\nstatement ok\n{order}\n\nendloop\n\nstatement ok\nok\n"
        );
        let report = run(&text);
        assert_eq!(report.counts.faulted, 1, "{order}");
        assert_eq!(report.failures[0].id.to_string(), "7 (i=2)");
        assert!(matches!(&report.end, FileEnd::Faulted { id: Some(id), .. } if id.to_string() == "7 (i=2)"));
        assert_eq!(
            (report.counts.passed, report.counts.not_reached),
            (4, report.counts.total - 4 - 1 - report.counts.skipped)
        );
        assert_eq!(report.last_status(), FileStatus::Crashed);
    }
}

#[test]
fn a_record_over_its_time_is_the_right_one() {
    let text = "concurrentloop i 0 3\n\nstatement ok\nmeet 3\n\nonlyif i=1\nstatement ok\nblock\n\n\
        statement ok\nok\n\nendloop\n";
    let report = run(text);
    assert_eq!(failures(&report), ["7 (i=1) timed_out"]);
    assert_eq!((report.counts.passed, report.counts.skipped, report.counts.timed_out), (6, 2, 1));
}

#[test]
fn iterations_have_variables_conditions_and_loops_of_their_own() {
    passes(
        "concurrentloop i 0 4\n\nquery T\nx{i}\n----\n<REGEX>:x[0-3]\n\nquery T\nmine\n----\n1\n\nendloop\n",
        8,
    );
    let text = "foreach o a b\n\nconcurrentforeach x,y 1,2 3,4\n\nloop k 0 2\n\nskipif k=1\nquery T\n{o}{x}{y}{k}\n----\n\
        <REGEX>:[ab](12|34)0\n\nendloop\n\nendloop\n\nendloop\n\nquery T\n{x}\n----\n{x}\n";
    let report = run(text);
    assert_eq!((failures(&report).len(), report.counts.passed, report.counts.skipped), (0, 5, 4));
    passes(
        "concurrentloop i 0 3\n\nquery T\n{TEST_DIR}/{i}\n----\n<REGEX>:/tmp/x/[0-2]\n\nquery T\nfile\n----\n\
        <FILE>:a.csv\n\nendloop\n",
        6,
    );
    passes("concurrentloop i 0 3\n\nstatement error\nerror no {i}\n----\n<REGEX>:no [0-2]\n\nendloop\n", 3);
    // What an iteration sets holds in it, and what the last one sets after the loop.
    let text = "concurrentloop i 0 3\n\nset variable v w\n\nquery T\n{v}\n----\nw\n\nendloop\n\nquery T\n{v}\n----\nw\n";
    passes(text, 4);
    // A label means the same in all iterations.
    let labels = |value: &str| format!("concurrentloop i 0 3\n\nquery T nosort l\n{value}\n\nendloop\n");
    passes(&labels("same"), 3);
    assert!(run(&labels("x{i}")).counts.failed > 0);
    passes(
        "mode skip\n\nconcurrentloop i 0 3\n\nstatement ok\nerror x\n\nendloop\n\nmode unskip\n\nstatement ok\nok\n",
        1,
    );
    passes(
        "concurrentloop i 0 3\n\nmode skip\n\nstatement ok\nerror x\n\nloop k 0 9\n\nmode unskip\n\nstatement ok\nok\n\nendloop\n",
        3,
    );
}

#[test]
fn a_missing_requirement_skips_the_rest_of_the_file() {
    let text = "concurrentloop i 0 3\n\nstatement ok\nok\n\nrequire missing\n\nstatement ok\nerror x\n\nendloop\n\n\
        statement ok\nerror y\n";
    let report = run(text);
    let missing = report.missing.as_ref().map(|missing| (missing.id.line, missing.what.as_str()));
    assert_eq!((missing, report.last_status()), (Some((6, "missing")), FileStatus::Empty));
    assert_eq!((report.counts.total, report.counts.passed + report.counts.skipped), (7, 7));
    let text = "set ignore_error_messages away\n\nconcurrentloop i 0 3\n\nonlyif i=0\nstatement ok\nerror away\n\n\
        endloop\n\nstatement ok\nerror y\n";
    let report = run(text);
    assert_eq!((report.last_status(), report.counts.skipped, report.counts.total), (FileStatus::Empty, 4, 4));
}

#[test]
fn more_iterations_than_sessions_wait_for_each_other() {
    let text = "concurrentloop i 0 300\n\nquery T\nx{i}\n----\n<!REGEX>:x(7|250)\n\nendloop\n";
    for most in [1, 3, 1_000] {
        let engine = meeting(Some(most));
        let report = run_on(&engine, text, &DUCKDB, Selection::All);
        assert_eq!(failures(&report), ["3 (i=7) rows_differ", "3 (i=250) rows_differ"]);
        assert_eq!(report.counts.passed, 298);
        assert!(engine.shared.peak.load(Ordering::SeqCst) <= most.min(128));
        assert_eq!(engine.shared.open.load(Ordering::SeqCst), 0);
    }
    // A session that cannot be opened at all fails its iteration as in any other loop.
    let report = run_on(&meeting(Some(0)), text, &DUCKDB, Selection::All);
    assert_eq!(report.failures[0].id.to_string(), "3 (i=0)");
    assert_eq!((report.counts.faulted, report.counts.not_reached), (1, 299));
}

#[test]
fn one_record_of_a_loop_is_judged_in_all_iterations() {
    let text = "concurrentloop i 0 3\n\nstatement ok\nmeet 3\n\nonlyif i=1\nstatement ok\nerror set up\n\n\
        query T\nx{i}\n----\n<!REGEX>:x2\n\nendloop\n";
    let report = run_on(&meeting(Some(1_000)), text, &DUCKDB, Selection::Only(10));
    assert_eq!(failures(&report), ["10 (i=2) rows_differ"]);
    assert_eq!((report.counts.total, report.counts.passed), (3, 2));
    let before: Vec<_> = report.setup_failures.iter().map(|record| record.id.to_string()).collect();
    assert_eq!(before, ["7 (i=1)"]);
}

#[test]
fn what_needs_another_session_is_refused_in_an_iteration() {
    let report = run("concurrentloop i 0 2\n\nquery T con1\nx\n----\nx\n\nendloop\n");
    assert_eq!(failures(&report), ["3 (i=0) malformed", "3 (i=1) malformed"]);
    assert_eq!((report.counts.malformed, report.counts.passed), (2, 0));
}
