//! Writes JUnit XML as Jenkins and others read it (`junit-10.xsd` of Jenkins' xUnit plugin).
//!
//! Each category is a suite and each file a case. On demand, failing records are cases, too, and one more case is the
//! rest of the file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use super::failure::{TextLimits, write_failure};
use super::subject::{Subject, account, clipped, detail_at, moment};
use slt_core::outcome::{FailingRecord, FileEnd, FileReport, FileStatus, Problem, category_of};
use slt_runner::text::count::plural;
use slt_runner::text::failure::headline;
use slt_runner::text::visible::push_escape;
use slt_runner::text::written;

/// The limits of the text in the case of a file.
const LIMITS: TextLimits = TextLimits { characters: 2_000, values: 200 };
const MOST_DETAILS: usize = 10;
/// The number of records without details to list by line.
const MOST_LINES: usize = 200;

/// The result of a file that an incomplete run did not test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UntestedResult {
    /// An error, so that an incomplete run is not taken for a good one.
    Error,
    /// Skipped.
    Skipped,
}

/// Writes the document. Of each file up to `records` failing records are cases of their own.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(
    out: &mut impl Write,
    subject: &Subject<'_>,
    records: usize,
    untested: UntestedResult,
) -> io::Result<()> {
    let mut suites = BTreeMap::<&str, JunitSuite<'_>>::new();
    for (number, file) in subject.report.files.iter().enumerate() {
        let cases = &mut suites.entry(file.category()).or_default().cases;
        if records == 0 {
            cases.push(JunitCase::of_file(subject, number));
        } else {
            cases.extend(JunitCase::of_records(subject, number, records));
        }
    }
    let named = subject.untested.iter().map(|file| (category_of(file), (*file).to_owned()));
    // An imported run may know only their number.
    let nameless = subject.report.untested().saturating_sub(subject.untested.len() as u64);
    let nameless = (nameless > 0).then(|| ("other", plural(nameless, "file without a name")));
    for (category, name) in named.chain(nameless) {
        suites.entry(category).or_default().untested.push(name);
    }
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    let mut all = JunitCounts::default();
    suites.values().for_each(|suite| all.add(suite, untested));
    let time = seconds(subject.report.elapsed);
    writeln!(
        out,
        r#"<testsuites name="vibesql-sqllogictest" tests="{}" failures="{}" errors="{}" time="{time}">"#,
        all.tests, all.failures, all.errors
    )?;
    for (name, suite) in &suites {
        write_suite(out, subject, name, suite, untested)?;
    }
    writeln!(out, "</testsuites>")
}

fn write_suite(
    out: &mut impl Write,
    subject: &Subject<'_>,
    name: &str,
    suite: &JunitSuite<'_>,
    untested: UntestedResult,
) -> io::Result<()> {
    let mut sums = JunitCounts::default();
    sums.add(suite, untested);
    let host = subject.circumstances.map(|of| of.host.as_str()).filter(|host| !host.is_empty());
    let host = host.map(|host| format!(r#" hostname="{}""#, attribute(host))).unwrap_or_default();
    writeln!(
        out,
        r#"  <testsuite name="{}" tests="{}" failures="{}" errors="{}" skipped="{}" time="{}" timestamp="{}"{host}>"#,
        attribute(name),
        sums.tests,
        sums.failures,
        sums.errors,
        sums.skipped,
        seconds(sums.time),
        moment(subject.started)
    )?;
    writeln!(out, "    <properties>")?;
    for (name, value) in properties(subject) {
        writeln!(out, r#"      <property name="{name}" value="{}"/>"#, attribute(&value))?;
    }
    writeln!(out, "    </properties>")?;
    suite.cases.iter().try_for_each(|case| write_case(out, subject, case))?;
    suite.untested.iter().try_for_each(|file| write_untested(out, subject, [name, file], untested))?;
    writeln!(out, "  </testsuite>")
}

/// A file without a result is a case as well, so that an early stop does not look like a small successful run.
fn write_untested(
    out: &mut impl Write,
    subject: &Subject<'_>,
    [category, file]: [&str; 2],
    untested: UntestedResult,
) -> io::Result<()> {
    let (file, category) = (attribute(file), attribute(category));
    writeln!(out, r#"    <testcase name="{file}" classname="{category}" time="0.000">"#)?;
    let message = attribute(&format!("INCOMPLETE: not tested ({})", subject.state_text()));
    let element = match untested {
        UntestedResult::Error => format!(r#"<error type="untested" message="{message}"></error>"#),
        UntestedResult::Skipped => format!(r#"<skipped type="untested" message="{message}"/>"#),
    };
    writeln!(out, "      {element}")?;
    writeln!(out, "    </testcase>")
}

fn properties(subject: &Subject<'_>) -> Vec<(&'static str, String)> {
    let engine = &subject.report.header.engine;
    let mut found = vec![
        ("run", subject.name.to_owned()),
        ("engine", engine.qualified_name()),
        ("engine.version", engine.version.clone()),
        ("verdict", subject.verdict().to_owned()),
    ];
    if let Some(commit) = subject.circumstances.and_then(|of| of.commit.as_ref()) {
        found.push(("commit", commit.hash.clone()));
        found.extend(commit.branch.iter().map(|branch| ("branch", branch.clone())));
    }
    found
}

/// The files of a category.
#[derive(Default)]
struct JunitSuite<'r> {
    cases: Vec<JunitCase<'r>>,
    untested: Vec<String>,
}

/// The subject of a case.
#[derive(Clone, Copy)]
enum CasePart {
    File,
    /// The failing record at this place.
    Record(usize),
    /// The file without its first failing records, which have cases.
    Rest(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum CaseOutcome {
    Passed,
    Skipped,
    /// An expected failure.
    Expected,
    Failed,
    Error,
}

struct JunitCase<'r> {
    /// The place of the file in the run.
    number: usize,
    file: &'r FileReport,
    part: CasePart,
    verdict: CaseOutcome,
    time: Duration,
}

impl<'r> JunitCase<'r> {
    fn of_file(subject: &Subject<'r>, number: usize) -> Self {
        let file = &subject.report.files[number];
        let is_good = subject.report.header.is_good(file);
        let verdict = match file.last_status() {
            FileStatus::Passed | FileStatus::Flaky if is_good => CaseOutcome::Passed,
            FileStatus::Empty if is_good => CaseOutcome::Skipped,
            _ if subject.expected.is_some_and(|expected| expected.covers_all(number)) => {
                CaseOutcome::Expected
            }
            FileStatus::Failed
            | FileStatus::TimedOut
            | FileStatus::Passed
            | FileStatus::Empty
            | FileStatus::Flaky => CaseOutcome::Failed,
            FileStatus::Crashed | FileStatus::OutOfMemory | FileStatus::Error => CaseOutcome::Error,
        };
        Self { number, file, part: CasePart::File, verdict, time: file.elapsed }
    }

    /// Returns the cases of a file, whose times add up to the time of the file.
    fn of_records(subject: &Subject<'r>, number: usize, most: usize) -> Vec<Self> {
        let whole = Self::of_file(subject, number);
        let file = whole.file;
        let told = file.failures.len().min(most);
        let mut cases: Vec<_> = (0..told).map(|place| Self::of_record(subject, number, place)).collect();
        let apart: Duration = cases.iter().map(|case| case.time).sum();
        let verdict =
            match whole.verdict {
                // The other cases show its failures.
                CaseOutcome::Failed | CaseOutcome::Error | CaseOutcome::Expected
                    if told == file.failures.len() && told > 0 && !cut_short(file) =>
                {
                    if file.counts.passed > 0 { CaseOutcome::Passed } else { CaseOutcome::Skipped }
                }
                verdict => verdict,
            };
        let time = file.elapsed.saturating_sub(apart);
        cases.insert(0, Self { part: CasePart::Rest(told), verdict, time, ..whole });
        cases
    }

    fn of_record(subject: &Subject<'r>, number: usize, place: usize) -> Self {
        let file = &subject.report.files[number];
        let id = &file.failures[place].id;
        let what = detail_at(file, place).map(|detail| detail.problem);
        let verdict = match what {
            _ if subject.is_expected(number, Some(place)) => CaseOutcome::Expected,
            Some(Problem::Fault(_)) => CaseOutcome::Error,
            _ => CaseOutcome::Failed,
        };
        let slow = file.slowest.iter().find(|record| record.id == *id).map(|record| record.elapsed);
        let time = what.and_then(Problem::in_flight).or(slow).unwrap_or_default();
        Self { number, file, part: CasePart::Record(place), verdict, time: time.min(file.elapsed) }
    }

    fn name(&self) -> String {
        match self.part {
            CasePart::File | CasePart::Rest(_) => self.file.file.path().to_owned(),
            CasePart::Record(place) => format!("{}:{}", self.file.file, self.file.failures[place].id),
        }
    }
}

/// Returns whether a file ended early, or failed for other reasons than its records.
fn cut_short(file: &FileReport) -> bool {
    let ended =
        matches!(file.end, FileEnd::NotStarted(_) | FileEnd::TimedOut { .. } | FileEnd::Faulted { .. });
    ended || file.counts.not_reached > 0
}

#[derive(Default)]
struct JunitCounts {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
    time: Duration,
}

impl JunitCounts {
    fn add(&mut self, suite: &JunitSuite<'_>, untested: UntestedResult) {
        for case in &suite.cases {
            self.tests += 1;
            self.failures += u64::from(case.verdict == CaseOutcome::Failed);
            self.errors += u64::from(case.verdict == CaseOutcome::Error);
            self.skipped += u64::from(matches!(case.verdict, CaseOutcome::Skipped | CaseOutcome::Expected));
            self.time += case.time;
        }
        let files = suite.untested.len() as u64;
        self.tests += files;
        *match untested {
            UntestedResult::Error => &mut self.errors,
            UntestedResult::Skipped => &mut self.skipped,
        } += files;
    }
}

fn write_case(out: &mut impl Write, subject: &Subject<'_>, case: &JunitCase<'_>) -> io::Result<()> {
    let (file, time) = (case.file, seconds(case.time));
    let (name, class) = (case.name(), file.category());
    write!(
        out,
        r#"    <testcase name="{}" classname="{}" time="{time}""#,
        attribute(&name),
        attribute(class)
    )?;
    let tries = matches!(case.part, CasePart::File | CasePart::Rest(_)) && !file.attempts.is_empty();
    if case.verdict == CaseOutcome::Passed && !tries {
        return writeln!(out, "/>");
    }
    writeln!(out, ">")?;
    let said = |out: &mut _, element| {
        let (kind, message, text) = said(subject, case);
        match case.verdict {
            CaseOutcome::Expected => {
                write_said(out, element, "expected_failure", &format!("expected to fail: {message}"), &text)
            }
            _ => write_said(out, element, kind, &message, &text),
        }
    };
    match case.verdict {
        CaseOutcome::Passed => Ok(()),
        CaseOutcome::Skipped => {
            writeln!(out, r#"      <skipped message="{}"/>"#, attribute(&skipped(case)))
        }
        CaseOutcome::Expected => said(out, "skipped"),
        CaseOutcome::Failed => said(out, "failure"),
        CaseOutcome::Error => said(out, "error"),
    }?;
    if tries {
        write_tries(out, case)?;
    }
    if let (Some(stderr), CasePart::File | CasePart::Rest(_)) = (&file.stderr, case.part) {
        writeln!(out, "      <system-err>{}</system-err>", escaped(stderr))?;
    }
    writeln!(out, "    </testcase>")
}

fn skipped(case: &JunitCase<'_>) -> String {
    match case.part {
        CasePart::Rest(told) if told > 0 => "no other record was executed".to_owned(),
        _ => format!("nothing was executed: {}", account(case.file)),
    }
}

/// Returns the kind, message and text of a failed case.
fn said(subject: &Subject<'_>, case: &JunitCase<'_>) -> (&'static str, String, String) {
    let file = case.file;
    match case.part {
        CasePart::Record(place) => match detail_at(file, place) {
            Some(detail) => {
                let text = written(|out| write_failure(out, subject, file, detail, LIMITS));
                (detail.problem.word(), headline(detail.problem), text)
            }
            None => {
                let id = &file.failures[place].id;
                let again =
                    (subject.again)(file, id).map_or_else(String::new, |again| format!("again: {again}\n"));
                let text = format!("{}:{id}: no details are kept\n{again}", file.shown);
                (file.status().word(), "it has not passed".to_owned(), text)
            }
        },
        CasePart::File => {
            (file.status().word(), with_first(subject, case, 0, account(file)), whole_text(subject, case, 0))
        }
        CasePart::Rest(told) => {
            let message = match file.failures.len() - told {
                0 => account(file),
                more => {
                    let besides = format!("{} besides", plural(more as u64, "failing record"));
                    with_first(subject, case, told, besides)
                }
            };
            (file.status().word(), message, whole_text(subject, case, told))
        }
    }
}

/// Adds the first failing record after the first `told` to a message, because many programs show only the message.
fn with_first(subject: &Subject<'_>, case: &JunitCase<'_>, told: usize, message: String) -> String {
    let first = unexpected(subject, case, told).next();
    match first.and_then(|place| detail_at(case.file, place)).filter(|detail| !detail.id.is_whole_file()) {
        Some(detail) => format!("{message}; line {}: {}", detail.id, headline(detail.problem)),
        None => message,
    }
}

/// Returns the places of failing records after the first `told`; expected ones only if all are expected.
fn unexpected<'c>(
    subject: &'c Subject<'_>,
    case: &'c JunitCase<'_>,
    told: usize,
) -> impl Iterator<Item = usize> + Clone + 'c {
    let of_all = case.verdict == CaseOutcome::Expected;
    let places = told..case.file.failures.len();
    places.filter(move |&place| of_all || !subject.is_expected(case.number, Some(place)))
}

/// Formats the failing records of a file after the first `told`.
fn whole_text(subject: &Subject<'_>, case: &JunitCase<'_>, told: usize) -> String {
    let file = case.file;
    if file.failures.is_empty() {
        return written(|out| {
            file.details()
                .take(MOST_DETAILS)
                .try_for_each(|one| write_failure(out, subject, file, one, LIMITS))
        });
    }
    let places = unexpected(subject, case, told);
    let with_details = |place: &usize| detail_at(file, *place).is_some();
    let shown: Vec<_> = places.clone().filter(with_details).take(MOST_DETAILS).collect();
    let rest: Vec<_> = places.filter(|place| !shown.contains(place)).collect();
    let expected = file.failures.len() - told - shown.len() - rest.len();
    written(|out| {
        for (number, detail) in shown.iter().filter_map(|&place| detail_at(file, place)).enumerate() {
            if number > 0 {
                writeln!(out)?;
            }
            write_failure(out, subject, file, detail, LIMITS)?;
        }
        if !rest.is_empty() {
            let lines: Vec<_> =
                rest.iter().take(MOST_LINES).map(|&place| file.failures[place].id.to_string()).collect();
            let more = if rest.len() > MOST_LINES { " …" } else { "" };
            writeln!(out, "\n… and {}: {}{more}", plural(rest.len() as u64, "record"), lines.join(", "))?;
        }
        match expected {
            0 => Ok(()),
            count => {
                let records = plural(count as u64, "record");
                writeln!(out, "\nBesides, {records} failed as is expected.")
            }
        }
    })
}

fn write_tries(out: &mut impl Write, case: &JunitCase<'_>) -> io::Result<()> {
    let flaky = matches!(case.verdict, CaseOutcome::Passed | CaseOutcome::Skipped);
    for attempt in case.file.attempts.iter().filter(|attempt| !attempt.status.is_good()) {
        let element = if flaky { "flakyFailure" } else { "rerunFailure" };
        let first = attempt.first.as_ref().and_then(FailingRecord::detailed);
        let message = first.map_or_else(String::new, |first| headline(first.problem));
        let text = first.map_or_else(String::new, |first| {
            format!("{}:{}\n{}\n", case.file.shown, first.id, clipped(first.sql, LIMITS.characters))
        });
        write_said(out, element, attempt.status.word(), &message, &text)?;
    }
    Ok(())
}

fn write_said(out: &mut impl Write, element: &str, kind: &str, message: &str, text: &str) -> io::Result<()> {
    let message = attribute(&clipped(message, LIMITS.characters));
    writeln!(out, r#"      <{element} type="{kind}" message="{message}">{}</{element}>"#, escaped(text))
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

/// Escapes text between tags. Characters that XML does not allow are replaced.
fn escaped(text: &str) -> String {
    escape(text, false)
}

/// Escapes an attribute, in which a reader would replace line ends by spaces.
fn attribute(text: &str) -> String {
    escape(text, true)
}

/// Escapes markup. Characters that XML does not allow and control characters are escaped as on the screen.
fn escape(text: &str, attribute: bool) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, character| {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#13;"),
            '\n' if attribute => escaped.push_str("&#10;"),
            '\t' if attribute => escaped.push_str("&#9;"),
            '\n' | '\t' => escaped.push(character),
            '\0'..='\u{1f}' | '\u{7f}' | '\u{fffe}' | '\u{ffff}' => push_escape(&mut escaped, character),
            _ => escaped.push(character),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_xml_cannot_have_are_escaped() {
        assert_eq!(
            escaped("a<b>&\"\u{0}\u{1b}\u{7f}\u{ffff}\r\n"),
            "a&lt;b&gt;&amp;&quot;\\x00\\x1b\\x7f\\u{ffff}&#13;\n"
        );
        assert_eq!(attribute("a\nb\t"), "a&#10;b&#9;");
        assert_eq!(escaped("\u{85}🎉"), "\u{85}🎉");
    }
}
