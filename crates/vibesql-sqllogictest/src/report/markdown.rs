//! A run in Markdown: the comment on a pull request, the summary of a step of GitHub Actions, or a document of its own.
//!
//! They have the same parts in the same order, as far as the room goes; what is left out is said.

use std::fmt::{self, Write as _};

use super::failure::{Limits, write_evidence};
use super::subject::{Comparison, Place, Subject, account, clipped, detail_at, state, status_word};
use crate::outcome::{FileReport, Totals};
use crate::text::count::{duration, percent, plural, thousands};
use crate::text::failure::headline;
use crate::text::written;

/// What the text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A comment, which GitHub takes up to 65,536 characters.
    Comment,
    /// The summary of a step, which GitHub takes up to 1 MiB.
    Summary,
    /// A document, with every file that has not passed.
    Whole,
}

/// How much of each part there is, and how long the whole may become, in bytes.
struct Room {
    bytes: usize,
    clusters: usize,
    files: usize,
    failures: usize,
    of_file: usize,
    slow: usize,
    places: usize,
}

impl Form {
    fn room(self) -> Room {
        match self {
            Self::Comment => {
                Room { bytes: 60_000, clusters: 10, files: 25, failures: 10, of_file: 1, slow: 0, places: 10 }
            }
            Self::Summary => Room {
                bytes: 400_000,
                clusters: 25,
                files: 100,
                failures: 50,
                of_file: 3,
                slow: 10,
                places: 50,
            },
            Self::Whole => Room {
                bytes: 8_000_000,
                clusters: usize::MAX,
                files: usize::MAX,
                failures: 2_000,
                of_file: 10,
                slow: 25,
                places: usize::MAX,
            },
        }
    }
}

const LIMITS: Limits = Limits { characters: 1_000, values: 160 };

/// The first line of a comment, by which a later run finds the comment that it is to replace.
pub const MARK: &str = "<!-- vibesql-sqllogictest -->";

/// Makes the document.
pub fn document(subject: &Subject<'_>, form: Form) -> String {
    let room = form.room();
    let totals = subject.report.totals();
    let mut text = written(|out| {
        if form == Form::Comment {
            writeln!(out, "{MARK}")?;
        }
        head(out, subject, &totals)?;
        subject.comparison.iter().try_for_each(|comparison| compared(out, comparison, room.places))
    });
    let parts = [
        written(|out| categories(out, subject, &totals)),
        written(|out| clusters(out, subject, room.clusters)),
        written(|out| files(out, subject, room.files)),
        written(|out| slowest(out, subject, room.slow)),
    ];
    // Room for the words about what is left out.
    let most = room.bytes - 1_000;
    let mut left_out = false;
    for part in &parts {
        let fits = text.len() + part.len() <= most;
        left_out |= !fits;
        text += if fits { part } else { "" };
    }
    if left_out {
        text += "\nSome tables are left out: there is no room for them here.\n";
    }
    failures(&mut text, subject, &room, most);
    text
}

fn head(out: &mut String, subject: &Subject<'_>, totals: &Totals) -> fmt::Result {
    let word = if subject.is_good() { "PASS" } else { "FAIL" };
    writeln!(out, "## SQLLogicTest: {} of the records pass\n", percent(totals.records.pass_rate()))?;
    writeln!(out, "**{word}**: {}.", subject.sentence(totals))?;
    let mut facts = vec![format!("Run {}", code(subject.name)), state(subject.state).to_owned()];
    if let Some(commit) = subject.circumstances.and_then(|of| of.commit.as_ref()) {
        let branch = commit.branch.as_ref().map_or_else(String::new, |name| format!(" on {}", code(name)));
        let hash: String = commit.hash.chars().take(10).collect();
        let dirty = if commit.dirty { ", with changes" } else { "" };
        facts.push(format!("commit {}{branch}{dirty}", code(&hash)));
    }
    writeln!(out, "{}.", facts.join(", "))
}

fn compared(out: &mut String, comparison: &Comparison, most: usize) -> fmt::Result {
    let Comparison { baseline, unit, common, broken, mended } = comparison;
    writeln!(out)?;
    if broken.is_empty() && mended.is_empty() {
        let common = plural(*common, unit);
        return writeln!(out, "No change since {} in {common} that both runs have.", code(baseline));
    }
    let (count_broken, count_mended) = (plural(broken.len() as u64, unit), plural(mended.len() as u64, unit));
    writeln!(out, "Since {}: **{count_broken} broken**, {count_mended} mended.\n", code(baseline))?;
    list(out, "broken", broken, most)?;
    list(out, "mended", mended, most)
}

fn list(out: &mut String, word: &str, places: &[Place], most: usize) -> fmt::Result {
    for place in places.iter().take(most) {
        writeln!(out, "- {word}: {}", code(&place.to_string()))?;
    }
    match places.len().saturating_sub(most) {
        0 => Ok(()),
        more => writeln!(out, "- {word}: … and {more} more"),
    }
}

fn categories(out: &mut String, subject: &Subject<'_>, totals: &Totals) -> fmt::Result {
    writeln!(out, "\n| category | files | passed | rate | records | passed | failed | rate |")?;
    writeln!(out, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")?;
    let categories = subject.report.by_category();
    for (name, totals) in &categories {
        row(out, &cell(name), totals)?;
    }
    if categories.len() == 1 { Ok(()) } else { row(out, "**all**", totals) }
}

fn row(out: &mut String, name: &str, totals: &Totals) -> fmt::Result {
    let records = &totals.records;
    writeln!(
        out,
        "| {name} | {} | {} | {} | {} | {} | {} | {} |",
        thousands(totals.files),
        thousands(totals.passed),
        percent(totals.pass_rate()),
        thousands(records.total),
        thousands(records.passed),
        thousands(records.not_passed()),
        percent(records.pass_rate())
    )
}

fn clusters(out: &mut String, subject: &Subject<'_>, most: usize) -> fmt::Result {
    if subject.clusters.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### What fails\n")?;
    writeln!(out, "| records | files | only this in | what | for instance |")?;
    writeln!(out, "| ---: | ---: | ---: | --- | --- |")?;
    for cluster in subject.clusters.iter().take(most) {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            thousands(cluster.records),
            thousands(cluster.files),
            plural(cluster.unlocks, "file"),
            cell(&format!("{}: {}", cluster.kind, clipped(&cluster.what, LIMITS.values))),
            cell(&cluster.example.to_string())
        )?;
    }
    more(out, subject.clusters.len(), most, "kind of failure")
}

fn files(out: &mut String, subject: &Subject<'_>, most: usize) -> fmt::Result {
    let files = subject.not_good();
    if files.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### Files that have not passed ({})\n", thousands(files.len() as u64))?;
    writeln!(out, "| file | | records | time |\n| --- | --- | --- | ---: |")?;
    for file in files.iter().take(most) {
        let (word, time) = (status_word(file.status()), duration(file.elapsed));
        let account = cell(&clipped(&account(file), LIMITS.values));
        writeln!(out, "| {} | {word} | {account} | {time} |", cell(&file.file))?;
    }
    more(out, files.len(), most, "file")
}

fn slowest(out: &mut String, subject: &Subject<'_>, most: usize) -> fmt::Result {
    let files = subject.slowest(most);
    if files.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### Slowest files\n\n| file | time | records |\n| --- | ---: | ---: |")?;
    for file in files {
        let (time, records) = (duration(file.elapsed), thousands(file.counts.total));
        writeln!(out, "| {} | {time} | {records} |", cell(&file.file))?;
    }
    Ok(())
}

fn more(out: &mut String, all: usize, most: usize, what: &str) -> fmt::Result {
    match all.saturating_sub(most) {
        0 => Ok(()),
        more => writeln!(out, "\n… and {}.", plural(more as u64, &format!("more {what}"))),
    }
}

/// Adds failing records with their SQL until there is no more room.
fn failures(text: &mut String, subject: &Subject<'_>, room: &Room, most: usize) {
    let files = subject.not_good();
    let all: usize = files.iter().map(|file| file.failing.len()).sum();
    if all == 0 {
        return;
    }
    text.push_str("\n### Failing records\n");
    let mut told = 0;
    let places = (0..room.of_file)
        .flat_map(|place| files.iter().filter_map(move |file| Some((*file, place, detail_at(file, place)?))));
    for (file, place, _) in places.take(room.failures) {
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

fn failure(out: &mut String, subject: &Subject<'_>, file: &FileReport, place: usize) -> fmt::Result {
    let Some(detail) = detail_at(file, place) else { return Ok(()) };
    let name = match detail.line {
        0 => file.shown.clone(),
        line => format!("{}:{line}", file.shown),
    };
    let title = clipped(&headline(&detail.what), LIMITS.values);
    writeln!(out, "\n<details><summary><code>{}</code> {}</summary>\n", html(&name), html(&title))?;
    if !detail.sql.is_empty() {
        fenced(out, "sql", &clipped(&detail.sql, LIMITS.characters))?;
    }
    let evidence = written(|out| write_evidence(out, detail, LIMITS));
    if !evidence.is_empty() {
        fenced(out, "diff", &evidence)?;
    }
    if let Some(again) = (subject.again)(file, detail.line) {
        fenced(out, "sh", &again)?;
    }
    writeln!(out, "</details>")
}

/// A block that no line of the text ends.
fn fenced(out: &mut String, language: &str, text: &str) -> fmt::Result {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    writeln!(out, "{fence}{language}\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

/// Text as it stands, in one line.
fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let ticks = "`".repeat(longest_run(&text) + 1);
    // A blank on both sides is taken off again; it keeps ticks of the text from the ticks around it.
    let blank =
        if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) || text.is_empty() { " " } else { "" };
    format!("{ticks}{blank}{text}{blank}{ticks}")
}

/// Text as it stands, in a table, in which a bar would end the cell even there.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

/// Text inside of a tag, in one line, of which Markdown makes nothing.
fn html(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, character| {
        match character {
            '\n' | '\r' => escaped.push(' '),
            // Whatever is markup for HTML or Markdown, or begins a mention or an address.
            '&' | '<' | '>' | '"' | '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '~' | '@' | '#'
            | ':' | '!' => {
                escaped.extend(["&#", &u32::from(character).to_string(), ";"]);
            }
            _ => escaped.push(character),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(code("a|b"), "`a|b`");
        assert_eq!(cell("a|b"), "`a\\|b`");
        assert_eq!(code("`a``b"), "``` `a``b ```");
        assert_eq!(code("a\nb"), "`a b`");
        assert_eq!(html("<b>@you\n"), "&#60;b&#62;&#64;you ");
        let mut text = String::new();
        fenced(&mut text, "sql", "a\n````\nb\n").ok();
        assert_eq!(text, "`````sql\na\n````\nb\n`````\n\n");
    }
}
