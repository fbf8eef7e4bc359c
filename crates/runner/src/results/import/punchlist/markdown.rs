//! `sqllogictest_punchlist.md`: a head with sums, categories, and the files that have failed.
//!
//! The earlier script named the first hundred lines of these, with the first hundred characters of the error, which may
//! be several lines. Its sums were often 0, since it looked for them in the wrong place.

use std::time::Duration;

use super::super::files::ImportedFiles;
use super::super::sql::moment;
use super::super::status::status_of_file;
use super::super::{ForeignRun, ImportError, ImportResult, ImportWarning};
use super::code::code;
use slt_core::outcome::{FileReport, FileStatus};

const TITLE: &str = "# SQLLogicTest Punchlist";

pub(in super::super) fn is_markdown(text: &str) -> bool {
    text.starts_with("# ")
}

pub(in super::super) fn read(text: &str, changed: i64) -> Result<ImportResult, ImportError> {
    let mut list = List::default();
    text.lines().for_each(|line| list.line(line));
    if !list.is_punchlist {
        return Err(ImportError::Nothing("heading `SQLLogicTest Punchlist`"));
    }
    if list.failing.is_empty() && list.untested.is_empty() {
        return Err(ImportError::Sums("a punchlist that names no file"));
    }
    let mut oddities = Vec::new();
    let started = list.updated.as_deref().and_then(moment);
    if started.is_none() {
        oddities.push(ImportWarning::Undated);
    }
    let mut files = ImportedFiles::default();
    list.failing.iter().for_each(|item| item.add(&mut files, &mut oddities));
    list.untested.iter().for_each(|file| files.add_untested(file, &mut oddities));
    let wanted = list.account(files.len() as u64, &mut oddities);
    let mut run = ForeignRun::of_files(text, files, started.unwrap_or(changed), wanted.unwrap_or(0));
    run.is_partial = wanted.is_none();
    Ok(ImportResult { runs: vec![run], oddities })
}

/// The part of the list that is being read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Head,
    Categories,
    Failing,
    Untested,
    Other,
}

#[derive(Debug, Default)]
struct List {
    part: Part,
    is_punchlist: bool,
    updated: Option<String>,
    /// The number of files that have passed, and how many there are, as the head says.
    passed: Option<(u64, u64)>,
    /// The same of all categories together.
    categories: (u64, u64),
    /// The number of have that failed, as the heading says.
    said_failing: Option<u64>,
    failing: Vec<Item>,
    untested: Vec<String>,
    /// Whether the last line of text belongs to the last failing file.
    is_open: bool,
}

/// A failing file.
#[derive(Debug)]
struct Item {
    file: String,
    /// The word for how it ended, where there is one.
    status: Option<String>,
    message: String,
    is_ticked: bool,
}

impl List {
    fn line(&mut self, line: &str) {
        if line.starts_with("# ") && self.part == Part::Head {
            self.is_punchlist |= line.trim_end() == TITLE;
        } else if let Some(heading) = line.strip_prefix("## ") {
            self.heading(heading);
        } else if line.starts_with("### ") {
            self.is_open = false;
        } else {
            match self.part {
                Part::Head => self.head(line),
                Part::Categories => self.category(line),
                Part::Failing => self.failing(line),
                Part::Untested => self.untested.extend(item(line).map(|(_, text)| named(text).0.to_owned())),
                Part::Other => {}
            }
        }
    }

    fn heading(&mut self, heading: &str) {
        self.is_open = false;
        self.part = if heading.starts_with("Progress by Category") {
            Part::Categories
        } else if let Some(count) = heading.strip_prefix("Failing Files") {
            self.said_failing = count.trim().trim_matches(['(', ')']).parse().ok();
            Part::Failing
        } else if heading.starts_with("Untested Files") {
            Part::Untested
        } else {
            Part::Other
        };
    }

    fn head(&mut self, line: &str) {
        if let Some(time) = line.strip_prefix("Last updated: ") {
            self.updated = Some(time.trim().to_owned());
        } else if line.starts_with("Pass rate: ") {
            self.passed = share(line);
        }
    }

    fn category(&mut self, line: &str) {
        if let Some((passed, total)) = item(line).and_then(|(_, text)| share(text)) {
            let (all_passed, all) = self.categories;
            self.categories = (all_passed.saturating_add(passed), all.saturating_add(total));
        }
    }

    fn failing(&mut self, line: &str) {
        if let Some((is_ticked, text)) = item(line) {
            let (file, said) = named(text);
            let (status, message) = if text.starts_with('`') { told(said) } else { (None, said) };
            let (file, message) = (file.to_owned(), message.to_owned());
            self.failing.push(Item { file, status: status.map(str::to_owned), message, is_ticked });
            self.is_open = true;
        } else if let Some(last) = self.failing.last_mut().filter(|_| self.is_open) {
            last.message.push('\n');
            last.message.push_str(line);
        }
    }

    /// Returns the number of files that there should be, if anything says so. `named` is how many have a name.
    fn account(&self, named: u64, oddities: &mut Vec<ImportWarning>) -> Option<u64> {
        let listed = self.failing.len() as u64;
        let failing = self.said_failing.unwrap_or(0).max(listed);
        let mut say = |place: &str, what, says, found| {
            oddities.push(ImportWarning::Count { place: place.to_owned(), what, says, found });
        };
        if let Some(says) = self.said_failing.filter(|&says| says != listed) {
            say("the heading", "failing files", says, listed);
        }
        let by_category = self.categories.1;
        let least = named.max(by_category).saturating_add(failing - listed);
        if let Some((_, says)) = self.passed.filter(|&(_, says)| says < named.max(by_category)) {
            say("the head", "files", says, named.max(by_category));
        }
        let passed = self.passed.map_or(0, |(passed, _)| passed).max(self.categories.0);
        for (count, what) in [(failing - listed, "failing"), (passed, "passing")] {
            if count > 0 {
                oddities.push(ImportWarning::Unnamed { count, what });
            }
        }
        let said = self.passed.map_or(0, |(_, says)| says);
        if said.max(by_category) == 0 {
            oddities.push(ImportWarning::OnlyFailing);
            return None;
        }
        Some(said.max(least))
    }
}

impl Item {
    fn add(&self, files: &mut ImportedFiles, oddities: &mut Vec<ImportWarning>) {
        let status = match &self.status {
            Some(word) => status_of_file(&self.file, word, oddities),
            None => Some(FileStatus::Failed),
        };
        if self.is_ticked {
            oddities.push(ImportWarning::Ticked(self.file.clone()));
        }
        let message = Some(self.message.trim_end()).filter(|text| !text.is_empty());
        match status {
            Some(status) => {
                files.add(FileReport::of_whole(&self.file, status, message, Duration::ZERO), oddities);
            }
            None => files.add_untested(&self.file, oddities),
        }
    }
}

/// Returns whether an entry of a list of things to do is done, and its text.
fn item(line: &str) -> Option<(bool, &str)> {
    let ticked = ["- [x] ", "- [X] "].iter().find_map(|mark| line.strip_prefix(mark));
    ticked.map(|text| (true, text)).or_else(|| Some((false, line.strip_prefix("- [ ] ")?)))
}

/// Returns the file that an entry begins with, and what is said of it.
fn named(text: &str) -> (&str, &str) {
    match code(text) {
        Some((file, rest)) => (file, rest.strip_prefix(" - ").unwrap_or(rest)),
        None => text.split_once(" - ").unwrap_or((text, "")),
    }
}

/// What `punchlist` says of a file: `fix 1, 2: FAIL, 3 records, ` and the message as code. Returns the status and the
/// message.
fn told(said: &str) -> (Option<&str>, &str) {
    let said = match said.strip_prefix("fix ").and_then(|fixes| fixes.split_once(": ")) {
        Some((_, said)) => said,
        None => said,
    };
    let Some((status, rest)) = said.split_once(", ") else { return (None, said) };
    let message = rest.split_once(", ").and_then(|(_, message)| code(message));
    (Some(status), message.map_or("", |(message, _)| message))
}

/// Returns the two numbers of `… (1/2)` or `… (1/2 files)`.
fn share(line: &str) -> Option<(u64, u64)> {
    let (_, rest) = line.rsplit_once('(')?;
    let (one, rest) = rest.split_once('/')?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((one.trim().parse().ok()?, rest[..end].parse().ok()?))
}
