//! The journal: what is written comes back, today and from the past, and a disk that is full takes nothing away.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use vibesql_sqllogictest::engine::{EngineId, SqlError};
use vibesql_sqllogictest::event::{EventSink as _, RunEvent};
use vibesql_sqllogictest::executor::{Permissions, Settings};
use vibesql_sqllogictest::location::FileId;
use vibesql_sqllogictest::outcome::{
    Excerpt, FailingRecord, FailureDetail, FileReport, FlakyResult, Mismatch, Problem, RecordId, RecordKey,
    RunEnd, RunHeader, RunReport,
};
use vibesql_sqllogictest::results::{Circumstances, Journal, JournalWriter, Opened};

use crate::sandbox::{Output, Sandbox};
use crate::support::{manifest, options, run_scripted};

#[test]
fn a_journal_of_the_past_is_read() {
    // Written by the first version with this format: pass, fail, malformed, crash, time and memory limits, retries.
    let path = manifest().join("tests/fixtures/journal/format-2.jsonl");
    let journal = Journal::read(&path).unwrap().unwrap();
    assert_eq!((journal.damaged, journal.ended, journal.opened.format), (0, true, 2));
    let files = journal.report.files.iter().map(|file| {
        let details = file.details().map(|detail| format!(" {}:{}", detail.id, detail.problem.word()));
        let attempts = file.attempts.iter().map(|attempt| format!(" before: {}", attempt.status.word()));
        let rest: String = details.chain(attempts).collect();
        format!("{} {} {}/{}{rest}", file.file, file.status().word(), file.counts.passed, file.counts.total)
    });
    let shown: Vec<_> = files.collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    crash.test crashed 1/3 4:process_died before: crashed before: crashed
    dialect.test error 0/0 before: error
    empty.test empty 0/1
    fail.test failed 1/10 1:rows_differ 9:unexpected_error 12:unexpected_success 20:label_differs 25:hash_differs 30:column_count_differs 35:unsupported 38:adapter_fault 43:malformed before: failed
    flaky.test flaky 1/1 before: failed
    memory.test out_of_memory 0/1 1:out_of_memory before: out_of_memory
    panic.test crashed 0/1 1:engine_panicked before: crashed
    pass.test passed 1/1
    slow.test timed_out 0/1 1:timed_out before: timed_out
    ");
}

fn write(path: &Path, report: &RunReport) {
    let settings = Settings {
        engine: "scripted".to_owned(),
        options: options(&["scripted"]),
        dialect: None,
        exact: false,
        permissions: Permissions::default(),
    };
    let opened = Opened::new(
        "r",
        1,
        vec!["a b".to_owned()],
        "/".into(),
        settings,
        Circumstances::default(),
        [].into(),
    );
    let mut writer = JournalWriter::begin(path, opened, &report.header).unwrap();
    let mut tell = |event| writer.on_event(&event).unwrap();
    tell(RunEvent::RunStarted(report.header.clone()));
    for file in &report.files {
        tell(RunEvent::TaskEnded { task: 0 });
        tell(RunEvent::FileFinished(Box::new(file.clone())));
    }
    tell(RunEvent::RunFinished { elapsed: report.elapsed, end: report.end });
}

/// A report whose texts are all this.
fn report_of(text: &str) -> RunReport {
    let excerpt = Excerpt { omitted_before: 1, values: vec![text.to_owned()], omitted_after: 2 };
    let mut file: FileReport = run_scripted("statement ok\nerror no\n");
    let rows = Mismatch::Rows { expected: excerpt.clone(), actual: excerpt, columns: 1 };
    let error = SqlError { message: text.to_owned(), code: Some(text.to_owned()) };
    file.failures = [Problem::Mismatch(rows), Problem::UnexpectedError { error, after_rows: true }]
        .into_iter()
        .map(|problem| {
            let (header, sql) = (text.to_owned(), text.to_owned());
            let detail = FailureDetail { header, sql, problem, unhashed: None };
            let (source, iteration) = (Some(Arc::from(text)), Some(Arc::from(text)));
            let id = RecordId { source, line: u32::MAX, iteration };
            let (key, group) = (Some(RecordKey(u64::MAX)), Some(0));
            FailingRecord { id, key, group, detail: Some(Box::new(detail)) }
        })
        .collect();
    file.peak_memory = Some(u64::MAX);
    // No part of a path is empty.
    file.file = FileId::at(&format!("/d/f{}", text.replace("//", "/_")), "/d");
    let word = || text.to_owned();
    let engine = EngineId::new(word(), word());
    let header = RunHeader { engine, labels: vec![word()], exact: true, files: 2, flaky: FlakyResult::Pass };
    RunReport { header, files: vec![file], elapsed: Duration::MAX, end: RunEnd::EnoughFailed }
}

fn check_round_trip(text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let report = report_of(text);
    write(&path, &report);
    let read = Journal::read(&path).unwrap().unwrap();
    assert_eq!((&read.report, read.damaged), (&report, 0));
}

#[test]
fn hostile_text_comes_back() {
    for text in ["", "\\'", "a\nb\r\n\u{1e}", "\0", "😀\u{202e}", "\u{2028}{\"crc32\":\"", "\u{feff}"] {
        check_round_trip(text);
    }
    check_round_trip(&"0123456789".repeat(1_000_000));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_comes_back(text in any::<String>()) {
        check_round_trip(&text);
    }
}

#[test]
fn a_full_disk_ends_the_run_and_what_is_done_is_kept() {
    let sandbox = Sandbox::new();
    for file in 0..30 {
        sandbox.write(&format!("s/{file:02}.test"), "statement ok\nok\n");
    }
    // No file may grow beyond 12 KiB, which is enough for the list of files and for some of the results.
    let run = sandbox.command("run --engine scripted --serial s");
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 24; exec \"$0\" \"$@\""]).arg(run.get_program());
    limited.args(run.get_args()).current_dir(sandbox.path()).env_clear();
    limited.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = Output::of(&mut limited);
    assert_eq!(output.code, 5, "{output}");
    assert!(output.stderr.contains("error: cannot write the journal of the run"), "{output}");
    let run = sandbox.last_run().unwrap();
    let kept = Journal::read(&run.join("journal.jsonl")).unwrap().unwrap().report.files.len();
    assert!((1..30).contains(&kept), "{kept} files: {output}");

    let output = sandbox.run("run --resume --json out.json");
    assert_eq!(output.code, 0, "{output}");
    assert!(output.stdout.contains(&format!("note: {kept} files done already")), "{output}");
    assert!(output.stdout.contains("PASS: 30 of 30 files"), "{output}");
}

/// Results share a sync while files finish quickly; the kill comes between any two of them.
#[test]
fn what_was_announced_is_in_the_journal_when_the_run_is_killed() {
    let sandbox = Sandbox::new();
    for file in 0..400 {
        sandbox.write(&format!("s/{file:03}.test"), "statement ok\nok\n");
    }
    let mut all = 0;
    for kill_after in [1, 2, 37, 200] {
        let mut command = sandbox.command("run --engine scripted --workers 2 --message-format json s");
        let mut run = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut announced = Vec::new();
        for line in BufReader::new(run.stdout.take().unwrap()).lines() {
            let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap_or_default();
            if event["event"] == "file-finished" {
                announced.push(event["file"].as_str().unwrap().to_owned());
                if announced.len() == kill_after {
                    run.kill().unwrap();
                }
            }
        }
        run.wait().unwrap();
        let journal = sandbox.last_run().unwrap().join("journal.jsonl");
        let report = Journal::read(&journal).unwrap().unwrap().report;
        let kept: Vec<_> = report.files.iter().map(|file| file.file.path()).collect();
        assert!(announced.len() >= kill_after);
        assert!(announced.iter().all(|file| kept.contains(&file.as_str())), "{announced:?} {kept:?}");
        all += announced.len();
        // The run may have ended before it was killed.
        if kept.len() == 400 {
            continue;
        }
        let output = sandbox.run("run --resume");
        assert!(output.stdout.contains("PASS: 400 of 400 files"), "{output}");
    }
    assert!(all < 4 * 400, "no run was killed before its end");
}
