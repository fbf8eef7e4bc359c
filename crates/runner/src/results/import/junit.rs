//! Imports JUnit reports of nextest, pytest, DuckDB and other tools. Each test case becomes a file.

use std::collections::HashMap;
use std::time::Duration;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::files::ImportedFiles;
use super::{ForeignRun, ImportError, ImportResult, ImportWarning, SHORTEST};
use slt_core::engine::EngineId;
use slt_core::outcome::{Attempt, FileReport, FileStatus};

/// The verdict on a test case, ordered by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum CaseVerdict {
    Passed,
    /// It failed, and passed when retried.
    Flaky,
    Skipped,
    /// An earlier attempt of a failed case.
    Rerun,
    Failed,
    Error,
}

impl CaseVerdict {
    fn from_element(element: &str) -> Option<Self> {
        Some(match element {
            "failure" => Self::Failed,
            "error" => Self::Error,
            "skipped" => Self::Skipped,
            "flakyFailure" | "flakyError" => Self::Flaky,
            "rerunFailure" | "rerunError" => Self::Rerun,
            _ => return None,
        })
    }
}

/// The name of the outermost element that this program writes.
const OWN_NAME: &str = "vibesql-sqllogictest";
/// The `type` of a file that an incomplete run of this program did not test.
const UNTESTED: &str = "untested";
/// The `type` of a file that has failed as this program expects it.
const EXPECTED_FAILURE: &str = "expected_failure";

/// The result of a test case.
#[derive(Debug)]
struct ResultElement {
    verdict: CaseVerdict,
    /// The status from the `type` in a report of this program.
    status: Option<FileStatus>,
    /// The message and the text.
    text: String,
}

#[derive(Debug)]
struct TestCase {
    file: Option<String>,
    class: Option<String>,
    name: String,
    time: Duration,
    said: Vec<ResultElement>,
    /// Whether it was not run.
    untested: bool,
}

impl TestCase {
    fn verdict(&self) -> CaseVerdict {
        self.said.iter().map(|said| said.verdict).max().unwrap_or(CaseVerdict::Passed)
    }

    fn said(&self, wanted: CaseVerdict) -> impl Iterator<Item = &ResultElement> {
        self.said.iter().filter(move |said| said.verdict == wanted)
    }
}

/// An open suite: its name, the counts that it states, and the counts that were found.
#[derive(Debug, Default)]
struct OpenSuite {
    name: String,
    said: [Option<u64>; 4],
    found: [u64; 4],
}

const COUNTS: [(&str, &str); 4] =
    [("tests", "test cases"), ("failures", "failures"), ("errors", "errors"), ("skipped", "skipped cases")];

/// The contents read so far.
#[derive(Default)]
struct JunitDocument {
    open: Vec<String>,
    suites: Vec<OpenSuite>,
    cases: Vec<TestCase>,
    /// Whether this program has written it.
    is_own: bool,
    engine: Option<EngineId>,
    /// The open element of the last case, with its message and the text so far.
    saying: Option<(ResultElement, String)>,
    started: Option<i64>,
    elapsed: Option<Duration>,
    /// The time of the suites within the outermost.
    within: Option<Duration>,
    oddities: Vec<ImportWarning>,
}

pub(super) fn read(text: &str, changed: i64) -> Result<ImportResult, ImportError> {
    let mut reader = Reader::from_str(text);
    let mut document = JunitDocument::default();
    loop {
        let before = reader.buffer_position();
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => return Err(error_at(text, reader.error_position(), error.to_string())),
        };
        let done = matches!(event, Event::Eof);
        document.take(event).map_err(|what| error_at(text, before, what))?;
        if done {
            break;
        }
    }
    if document.cases.is_empty() {
        return Err(ImportError::Nothing("`testcase`"));
    }
    let JunitDocument { cases, is_own, engine, started, elapsed, within, mut oddities, .. } = document;
    let elapsed = elapsed.or(within);
    if started.is_none() {
        oddities.push(ImportWarning::Undated);
    }
    let names = if is_own { cases.iter().map(|case| case.name.clone()).collect() } else { names(&cases) };
    let mut files = ImportedFiles::default();
    for (case, name) in cases.iter().zip(&names) {
        match case.untested {
            true => files.add_untested(name, &mut oddities),
            false => files.add(report(name, case), &mut oddities),
        }
    }
    let mut run = ForeignRun::from_files(text, files, started.unwrap_or(changed), 0);
    run.origin.engine = engine;
    run.elapsed = elapsed.unwrap_or_else(|| run.files.iter().map(|file| file.elapsed).sum());
    Ok(ImportResult { runs: vec![run], oddities })
}

fn error_at(text: &str, at: u64, what: String) -> ImportError {
    let at = usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
    let before = String::from_utf8_lossy(&text.as_bytes()[..at]);
    let line = memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
    ImportError::Xml { line, column, what }
}

impl JunitDocument {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(element) => return self.start(&element),
            Event::Empty(element) => {
                self.start(&element)?;
                self.end();
            }
            Event::End(_) => self.end(),
            Event::Text(text) => return self.text(&text.xml10_content()),
            Event::CData(text) => return self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|error| error.to_string())?;
                let resolved = match character {
                    Some(character) => character.to_string(),
                    None => match quick_xml::escape::resolve_xml_entity(&reference) {
                        Some(text) => text.to_owned(),
                        None => return Err(format!("unknown entity `&{};`", &*reference)),
                    },
                };
                return self.text(&resolved);
            }
            Event::Eof => {
                if let Some(element) = self.open.last() {
                    return Err(format!("the file ends, and `{element}` is not closed"));
                }
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
        Ok(())
    }

    /// Handles text between tags. Only text within a result element counts.
    fn text(&mut self, text: &str) -> Result<(), String> {
        let Some(element) = self.open.last() else {
            let blank = text.trim().is_empty();
            return if blank { Ok(()) } else { Err("text outside of all elements".to_owned()) };
        };
        if let (Some(_), Some((_, so_far))) = (CaseVerdict::from_element(element), &mut self.saying) {
            so_far.push_str(text);
        }
        Ok(())
    }

    fn start(&mut self, element: &BytesStart<'_>) -> Result<(), String> {
        let name = element.local_name().as_ref().to_owned();
        if self.open.is_empty() && !matches!(name.as_str(), "testsuites" | "testsuite") {
            return Err(format!("expected `testsuites` or `testsuite`, found `{name}`"));
        }
        let attributes = attributes(element)?;
        match name.as_str() {
            "testsuites" | "testsuite" => self.suite(&attributes),
            "testcase" => self.case(attributes),
            "property" => self.property(&attributes),
            word if self.open.last().is_some_and(|parent| parent == "testcase") => {
                let kind = attributes.get("type").map(String::as_str).unwrap_or_default();
                if let Some(case) = self.cases.last_mut() {
                    case.untested |= kind == UNTESTED;
                }
                self.saying = CaseVerdict::from_element(word).map(|verdict| {
                    let text = attributes.get("message").cloned().unwrap_or_default();
                    (ResultElement { verdict, status: status_of(verdict, kind), text }, String::new())
                });
            }
            _ => {}
        }
        self.open.push(name);
        Ok(())
    }

    /// Reads the engine of a report of this program.
    fn property(&mut self, attributes: &HashMap<String, String>) {
        let of_suite =
            matches!(self.open.as_slice(), [.., suite, list] if suite == "testsuite" && list == "properties");
        let [name, value] = ["name", "value"].map(|name| attributes.get(name));
        let (true, Some(name), Some(value)) = (self.is_own && of_suite, name, value) else { return };
        match name.as_str() {
            "engine" => {
                let version = self.engine.take().map_or_else(String::new, |engine| engine.version);
                self.engine = Some(EngineId { version, ..EngineId::named(value) });
            }
            "engine.version" => {
                self.engine.get_or_insert_with(|| EngineId::named("")).version.clone_from(value);
            }
            _ => {}
        }
    }

    fn suite(&mut self, attributes: &HashMap<String, String>) {
        self.is_own |= self.open.is_empty() && attributes.get("name").is_some_and(|name| name == OWN_NAME);
        self.suites.push(OpenSuite {
            name: attributes.get("name").cloned().unwrap_or_default(),
            said: COUNTS.map(|(name, _)| attributes.get(name)?.parse().ok()),
            found: [0; 4],
        });
        let time = attributes.get("timestamp").and_then(|time| super::sql::moment(time));
        self.started = match (self.started, time) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        // The outermost suite has the total; otherwise the inner ones add up.
        let time = attributes.get("time").and_then(|time| seconds(time));
        match self.open.len() {
            0 => self.elapsed = time,
            1 => self.within = self.within.zip(time).map(|(one, other)| one + other).or(self.within).or(time),
            _ => {}
        }
    }

    fn case(&mut self, mut attributes: HashMap<String, String>) {
        let mut filled = |name: &str| attributes.remove(name).filter(|value| !value.is_empty());
        self.saying = None;
        self.cases.push(TestCase {
            file: filled("file"),
            class: filled("classname"),
            name: filled("name").unwrap_or_default(),
            // 0 is a known time here.
            time: filled("time")
                .and_then(|time| seconds(&time))
                .map_or(Duration::ZERO, |time| time.max(SHORTEST)),
            said: Vec::new(),
            // GoogleTest marks disabled tests like this.
            untested: filled("status").is_some_and(|status| status == "notrun"),
        });
    }

    fn end(&mut self) {
        let Some(element) = self.open.pop() else { return };
        match element.as_str() {
            "testsuites" | "testsuite" => self.end_suite(),
            "testcase" => self.end_case(),
            // Elements inside of a verdict are about something else.
            _ if self.open.last().is_some_and(|parent| parent == "testcase") => {
                let said = self.saying.take();
                if let (Some((said, text)), Some(case)) = (said, self.cases.last_mut()) {
                    case.said.push(ResultElement { text: joined(said.text, text), ..said });
                }
            }
            _ => {}
        }
    }

    fn end_case(&mut self) {
        let verdict = self.cases.last().map_or(CaseVerdict::Passed, TestCase::verdict);
        let is = |wanted| verdict == wanted;
        let found = [true, is(CaseVerdict::Failed), is(CaseVerdict::Error), is(CaseVerdict::Skipped)];
        if let Some(suite) = self.suites.last_mut() {
            suite.found.iter_mut().zip(found).for_each(|(count, yes)| *count += u64::from(yes));
        }
    }

    fn end_suite(&mut self) {
        let Some(suite) = self.suites.pop() else { return };
        let counts = COUNTS.iter().zip(suite.said).zip(suite.found);
        let counts = counts.map(|((&(_, what), said), found)| (what, said, found));
        self.oddities.extend(ImportWarning::wrong_counts(&format!("suite `{}`", suite.name), counts));
        if let Some(outer) = self.suites.last_mut() {
            outer.found.iter_mut().zip(suite.found).for_each(|(count, more)| *count += more);
        }
    }
}

fn attributes(element: &BytesStart<'_>) -> Result<HashMap<String, String>, String> {
    let mut found = HashMap::new();
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
        found.insert(attribute.key.local_name().as_ref().to_owned(), value.into_owned());
    }
    Ok(found)
}

/// Joins message and text; many tools repeat the message in the text.
fn joined(message: String, text: String) -> String {
    match (message.as_str(), text.as_str()) {
        (_, blank) if blank.trim().is_empty() => message,
        ("", _) => text,
        (message, text) if text.contains(message) => text.to_owned(),
        (message, text) => format!("{message}\n{text}"),
    }
}

/// Parses a time; times that could overflow sums are invalid.
fn seconds(text: &str) -> Option<Duration> {
    const LONGEST: Duration = Duration::from_secs(1_000_000_000);
    let time = Duration::try_from_secs_f64(text.trim().replace(',', "").parse().ok()?).ok()?;
    (time <= LONGEST).then_some(time)
}

/// Returns the names of the files.
///
/// | the test case has | name |
/// |---|---|
/// | a file that no other case has | the file |
/// | a file that others have too, as in pytest's reports | file::name |
/// | a name that is a path, as in DuckDB's reports | the name |
/// | a class, as in nextest's and sqllogictest-rs's reports | class/name |
/// | otherwise | the name |
fn names(cases: &[TestCase]) -> Vec<String> {
    let mut of_file = HashMap::<_, u32>::new();
    for file in cases.iter().filter_map(|case| case.file.as_deref()) {
        *of_file.entry(file).or_default() += 1;
    }
    let name = |case: &TestCase| match (&case.file, &case.class) {
        (Some(file), _) if of_file.get(file.as_str()) == Some(&1) => file.clone(),
        (Some(file), _) => format!("{file}::{}", case.name),
        (None, _) if is_path(&case.name) => case.name.clone(),
        (None, Some(class)) => format!("{class}/{}", case.name),
        (None, None) => case.name.clone(),
    };
    cases.iter().map(name).collect()
}

fn is_path(name: &str) -> bool {
    [".test", ".slt", ".sql", ".test_slow", ".test_coverage"].iter().any(|ending| name.ends_with(ending))
}

/// Parses the status in the `type` of an element, if it is a status of this program.
fn status_of(verdict: CaseVerdict, kind: &str) -> Option<FileStatus> {
    match (verdict, kind) {
        (CaseVerdict::Skipped, EXPECTED_FAILURE) => Some(FileStatus::Failed),
        (CaseVerdict::Skipped | CaseVerdict::Passed, _) => None,
        _ => FileStatus::from_word(kind).filter(|status| !status.is_good()),
    }
}

fn report(name: &str, case: &TestCase) -> FileReport {
    let verdict = case.verdict();
    let typed = case.said(verdict).find_map(|said| said.status);
    let is_flaky = typed == Some(FileStatus::Flaky);
    let status = match verdict {
        // Its failed attempts make it flaky.
        CaseVerdict::Passed | CaseVerdict::Flaky => FileStatus::Passed,
        CaseVerdict::Skipped => typed.unwrap_or(FileStatus::Empty),
        // It counts as failed, and passed in another attempt.
        CaseVerdict::Failed | CaseVerdict::Rerun | CaseVerdict::Error if is_flaky => FileStatus::Failed,
        CaseVerdict::Failed | CaseVerdict::Rerun => typed.unwrap_or(FileStatus::Failed),
        CaseVerdict::Error => typed.unwrap_or(FileStatus::Error),
    };
    let texts: Vec<_> = case.said(verdict).map(|said| said.text.as_str()).collect();
    let mut report = FileReport::of_whole(name, status, Some(&texts.join("\n")), case.time);
    let tries = case.said(CaseVerdict::Flaky).chain(case.said(CaseVerdict::Rerun));
    report.attempts = tries
        .map(|said| {
            let status = said.status.filter(|status| *status != FileStatus::Flaky);
            let status = status.unwrap_or(FileStatus::Failed);
            let failed = FileReport::of_whole(name, status, Some(&said.text), Duration::ZERO);
            Attempt { status, elapsed: Duration::ZERO, first: failed.failures.into_iter().next() }
        })
        .collect();
    if is_flaky && verdict > CaseVerdict::Skipped {
        report.attempts.push(Attempt { status: FileStatus::Passed, elapsed: Duration::ZERO, first: None });
    }
    report
}
