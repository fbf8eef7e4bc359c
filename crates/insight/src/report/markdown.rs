//! Formats a run as Markdown: a comment on a pull request, the summary of a GitHub Actions step, or a document.
//!
//! All have the same parts in the same order, as far as there is room, and state what they omit.

mod causes;
mod since;

use std::collections::HashSet;
use std::fmt::{self, Write as _};

use self::causes::{causes, examples};
use self::since::since;
use super::failure::{TextLimits, write_evidence};
use super::subject::{ExpectedFailures, Subject, account, clipped, detail_at};
use super::times;
use slt_core::outcome::{DetailedFailure, FileReport, FlakyResult, Totals};
use slt_runner::text::count::{duration, percent, plural, thousands};
use slt_runner::text::failure::headline;
use slt_runner::text::markdown::{cell, code, fenced, html};
use slt_runner::text::written;

/// The purpose of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkdownKind {
    /// A comment; GitHub accepts up to 65,536 characters.
    Comment,
    /// The summary of a step; GitHub accepts up to 1 MiB.
    Summary,
    /// A document with every failing file.
    Whole,
}

/// The limits of each part, and of the whole in bytes.
struct MarkdownLimits {
    bytes: usize,
    clusters: usize,
    /// Clusters with their smallest record.
    examples: usize,
    files: usize,
    failures: usize,
    of_file: usize,
    slow: usize,
    places: usize,
}

impl MarkdownKind {
    fn room(self) -> MarkdownLimits {
        match self {
            Self::Comment => MarkdownLimits {
                bytes: 60_000,
                clusters: 10,
                examples: 3,
                files: 25,
                failures: 10,
                of_file: 1,
                slow: 0,
                places: 10,
            },
            Self::Summary => MarkdownLimits {
                bytes: 400_000,
                clusters: 25,
                examples: 10,
                files: 100,
                failures: 50,
                of_file: 3,
                slow: 10,
                places: 25,
            },
            Self::Whole => MarkdownLimits {
                bytes: 8_000_000,
                clusters: 5_000,
                examples: 500,
                files: usize::MAX,
                failures: 2_000,
                of_file: 10,
                slow: 25,
                places: 2_000,
            },
        }
    }
}

const LIMITS: TextLimits = TextLimits { characters: 1_000, values: 160 };

/// The first line of a comment. A later run finds the comment by it, and replaces it.
pub const MARK: &str = "<!-- vibesql-sqllogictest -->";

/// Makes the document.
pub fn document(subject: &Subject<'_>, form: MarkdownKind) -> String {
    let room = form.room();
    let totals = subject.report.totals();
    let mut text = written(|out| {
        if form == MarkdownKind::Comment {
            writeln!(out, "{MARK}")?;
        }
        head(out, subject, &totals)?;
        subject.expected.iter().try_for_each(|expected| known(out, expected, room.places))?;
        subject.baseline.iter().try_for_each(|baseline| since(out, baseline, room.places))
    });
    // Room for the notes on omitted parts.
    let most = room.bytes - 1_000;
    let mut left_out = false;
    let mut put = |text: &mut String, part: &str| {
        let fits = text.len() + part.len() <= most;
        left_out |= !fits;
        *text += if fits { part } else { "" };
        fits
    };
    put(&mut text, &written(|out| causes(out, subject, room.clusters)));
    let (examples, mut told) = examples(subject, room.examples);
    if !put(&mut text, &examples) {
        told.clear();
    }
    put(&mut text, &written(|out| categories(out, subject, &totals)));
    put(&mut text, &written(|out| files(out, subject, room.files)));
    put(&mut text, &written(|out| untested(out, subject, room.files)));
    put(&mut text, &written(|out| slowest(out, subject, room.slow)));
    put(&mut text, &written(|out| statement_times(out, subject, room.slow)));
    if left_out {
        text += "\nSome tables are left out: there is no room for them here.\n";
    }
    failures(&mut text, subject, &room, &told, most);
    text
}

fn head(out: &mut String, subject: &Subject<'_>, totals: &Totals) -> fmt::Result {
    let incomplete = if subject.report.is_incomplete() { "INCOMPLETE, " } else { "" };
    let rate = percent(totals.records.pass_rate());
    writeln!(out, "## SQLLogicTest: {incomplete}{rate} of the records pass\n")?;
    writeln!(out, "**{}**: {}.", subject.verdict(), html(&subject.sentence(totals)))?;
    let mut facts = vec![format!("Run {}", code(subject.name)), subject.state_text()];
    if let Some(commit) = subject.circumstances.and_then(|of| of.commit.as_ref()) {
        let branch = commit.branch.as_ref().map_or_else(String::new, |name| format!(" on {}", code(name)));
        let hash: String = commit.hash.chars().take(10).collect();
        let dirty = if commit.dirty { ", with changes" } else { "" };
        facts.push(format!("commit {}{branch}{dirty}", code(&hash)));
    }
    writeln!(out, "{}.", facts.join(", "))
}

/// Writes the expected failures, and the entries that need attention.
fn known(out: &mut String, expected: &ExpectedFailures<'_>, most: usize) -> fmt::Result {
    writeln!(out, "\n{}.", expected.sentence().replace("not expected", "**not expected**"))?;
    for notes in expected.notes() {
        writeln!(out, "\n{}:\n", notes.title)?;
        for entry in notes.entries.iter().take(most) {
            writeln!(out, "- {}", code(&clipped(entry, LIMITS.values)))?;
        }
        match notes.entries.len().saturating_sub(most) {
            0 => {}
            more => writeln!(out, "- … and {} more", thousands(more as u64))?,
        }
    }
    Ok(())
}

fn categories(out: &mut String, subject: &Subject<'_>, totals: &Totals) -> fmt::Result {
    writeln!(out, "\n| category | files | passed | rate | records | passed | failed | rate |")?;
    writeln!(out, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")?;
    let categories = subject.report.by_category();
    let flaky = subject.report.header.flaky;
    for (name, totals) in &categories {
        row(out, &cell(name), totals, flaky)?;
    }
    if categories.len() == 1 { Ok(()) } else { row(out, "**all**", totals, flaky) }
}

fn row(out: &mut String, name: &str, totals: &Totals, flaky: FlakyResult) -> fmt::Result {
    let records = &totals.records;
    writeln!(
        out,
        "| {name} | {} | {} | {} | {} | {} | {} | {} |",
        thousands(totals.files),
        thousands(totals.passed_with(flaky)),
        percent(totals.pass_rate_with(flaky)),
        thousands(records.total),
        thousands(records.passed),
        thousands(records.not_passed()),
        percent(records.pass_rate())
    )
}

fn files(out: &mut String, subject: &Subject<'_>, most: usize) -> fmt::Result {
    let files = subject.not_good();
    if files.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### Files that have not passed, or are flaky ({})\n", thousands(files.len() as u64))?;
    writeln!(out, "| file | | records | time |\n| --- | --- | --- | ---: |")?;
    for &(number, file) in files.iter().take(most) {
        let (word, time) = (file.status().label(), duration(file.elapsed));
        let expected = subject.expected.is_some_and(|expected| expected.covers_all(number));
        let word = if expected { format!("{word}, as expected") } else { word.to_owned() };
        let account = cell(&clipped(&account(file), LIMITS.values));
        writeln!(out, "| {} | {word} | {account} | {time} |", cell(file.file.path()))?;
    }
    more(out, files.len(), most, "file")
}

fn untested(out: &mut String, subject: &Subject<'_>, most: usize) -> fmt::Result {
    let all = subject.report.untested();
    if all == 0 {
        return Ok(());
    }
    writeln!(out, "\n### Files that were not tested ({})\n", thousands(all))?;
    let names = subject.untested.iter().take(most);
    names.clone().try_for_each(|name| writeln!(out, "- {}", code(name)))?;
    more(out, all as usize, names.len(), "file")
}

fn slowest(out: &mut String, subject: &Subject<'_>, most: usize) -> fmt::Result {
    let files = subject.slowest(most);
    if files.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### Slowest files\n\n| file | time | records |\n| --- | ---: | ---: |")?;
    for file in files {
        let (time, records) = (duration(file.elapsed), thousands(file.counts.total));
        writeln!(out, "| {} | {time} | {records} |", cell(file.file.path()))?;
    }
    Ok(())
}

fn statement_times(out: &mut String, subject: &Subject<'_>, most: usize) -> fmt::Result {
    let rows = times::rows(subject.report);
    if rows.is_empty() || most == 0 {
        return Ok(());
    }
    writeln!(out, "\n### Time in the engine, by kind of statement\n")?;
    writeln!(
        out,
        "| {} |\n| --- |{}",
        times::HEADERS.join(" | "),
        " ---: |".repeat(times::HEADERS.len() - 1)
    )?;
    rows.iter().take(most).try_for_each(|row| writeln!(out, "| {} |", row.columns().join(" | ")))
}

fn more(out: &mut String, all: usize, most: usize, what: &str) -> fmt::Result {
    match all.saturating_sub(most) {
        0 => Ok(()),
        more => writeln!(out, "\n… and {}.", plural(more as u64, &format!("more {what}"))),
    }
}

/// Adds failing records with their SQL, except for examples, up to the size limit.
fn failures(
    text: &mut String,
    subject: &Subject<'_>,
    room: &MarkdownLimits,
    examples: &HashSet<(usize, usize)>,
    most: usize,
) {
    let files = subject.not_good().into_iter().map(|(number, file)| {
        let untold = unexpected(subject, number).filter(|&place| !examples.contains(&(number, place)));
        (file, untold.collect::<Vec<_>>())
    });
    let files: Vec<_> = files.collect();
    let all: usize = files.iter().map(|(_, places)| places.len()).sum();
    if all == 0 {
        return;
    }
    text.push_str(if examples.is_empty() {
        "\n### Failing records\n"
    } else {
        "\n### Other failing records\n"
    });
    let mut told = 0;
    let places = (0..room.of_file)
        .flat_map(|turn| files.iter().filter_map(move |(file, places)| Some((file, *places.get(turn)?))));
    let places = places.filter(|(file, place)| detail_at(file, *place).is_some());
    for (file, place) in places.take(room.failures) {
        let part = written(|out| failure(out, subject, file, place));
        if text.len() + part.len() > most {
            break;
        }
        text.push_str(&part);
        told += 1;
    }
    let rest = written(|out| more(out, all, told, "failing record"));
    text.push_str(&rest);
}

/// Returns the places of the unexpected failing records of a file.
fn unexpected(subject: &Subject<'_>, number: usize) -> impl Iterator<Item = usize> {
    let places = 0..subject.report.files[number].failures.len();
    places.filter(move |&place| !subject.is_expected(number, Some(place)))
}

fn failure(out: &mut String, subject: &Subject<'_>, file: &FileReport, place: usize) -> fmt::Result {
    let Some(detail) = detail_at(file, place) else { return Ok(()) };
    let name = match detail.id.is_whole_file() {
        true => file.shown.clone(),
        false => format!("{}:{}", file.shown, detail.id),
    };
    let title = clipped(&headline(detail.problem), LIMITS.values);
    writeln!(out, "\n<details><summary><code>{}</code> {}</summary>\n", html(&name), html(&title))?;
    if !detail.sql.is_empty() {
        fenced(out, "sql", &clipped(detail.sql, LIMITS.characters))?;
    }
    evidence(out, detail)?;
    if let Some(again) = (subject.again)(file, detail.id) {
        fenced(out, "sh", &again)?;
    }
    writeln!(out, "</details>")
}

/// Writes the rows that differ.
fn evidence(out: &mut String, detail: DetailedFailure<'_>) -> fmt::Result {
    let evidence = written(|out| write_evidence(out, detail, LIMITS));
    if evidence.is_empty() { Ok(()) } else { fenced(out, "diff", &evidence) }
}
