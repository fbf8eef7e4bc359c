//! Reads the file `expectations.toml`, with clear errors.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::{
    DocumentFiles, EntryDetails, ExpectationEntry, ExpectationKind, ExpectationScope, Expectations,
    FileMatcher,
};
use slt_core::outcome::RecordName;

/// The name of the file.
pub const FILE_NAME: &str = "expectations.toml";

/// An error in the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ExpectationsError {
    /// The line, from 1.
    pub line: usize,
    /// The message.
    pub message: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectationsDocument {
    #[serde(default)]
    xfail: Vec<Spanned<EntryTable>>,
    #[serde(default)]
    flaky: Vec<Spanned<EntryTable>>,
    #[serde(default)]
    skip: Vec<Spanned<EntryTable>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryTable {
    file: Option<String>,
    records: Option<Vec<WrittenRecord>>,
    cluster: Option<String>,
    engine: Option<String>,
    reason: Option<String>,
    issue: Option<String>,
    owner: Option<String>,
    expires: Option<ExpiryDate>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum WrittenRecord {
    Line(u32),
    Key(String),
}

/// A TOML date, or a date as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ExpiryDate {
    Date(toml::value::Datetime),
    Text(String),
}

/// Reads the text of the expectations file `name` for the test files `about`.
///
/// # Errors
///
/// [`ExpectationsError`] for the first error in the file.
pub fn read(name: &str, text: &str, about: &DocumentFiles) -> Result<Expectations, ExpectationsError> {
    let line_of = |at: usize| 1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
    let document: ExpectationsDocument = toml::from_str(text).map_err(|error| ExpectationsError {
        line: error.span().map_or(1, |span| line_of(span.start)),
        message: error.message().to_owned(),
    })?;
    let name: Arc<str> = Arc::from(name);
    let mut entries = BTreeMap::new();
    for (what, tables) in [
        (ExpectationKind::Xfail, document.xfail),
        (ExpectationKind::Flaky, document.flaky),
        (ExpectationKind::Skip, document.skip),
    ] {
        for table in tables {
            let line = line_of(table.span().start);
            let entry = entry(what, name.clone(), line, about, table.into_inner());
            entries.insert(line, entry.map_err(|message| ExpectationsError { line, message })?);
        }
    }
    Ok(Expectations { entries: entries.into_values().collect() })
}

fn entry(
    what: ExpectationKind,
    document: Arc<str>,
    line: usize,
    about: &DocumentFiles,
    table: EntryTable,
) -> Result<ExpectationEntry, String> {
    let files = table.file.as_deref().map(FileMatcher::new).transpose().map_err(|error| error.to_string())?;
    let records = table.records.map(|words| words.into_iter().map(record).collect::<Result<Vec<_>, _>>());
    let scope = match (files, records.transpose()?, table.cluster) {
        (Some(files), None, None) => ExpectationScope::Files(files),
        (Some(_), Some(records), None) if records.is_empty() => {
            return Err("`records` is empty: name some, or leave it out for the file as a whole".to_owned());
        }
        (Some(files), Some(records), None) => ExpectationScope::Records(files, records),
        (files, None, Some(cluster)) => {
            let number = hexadecimal(&cluster);
            let number = number
                .ok_or_else(|| format!("`cluster`: expected 16 hexadecimal digits, found `{cluster}`"))?;
            ExpectationScope::Cluster(files, number)
        }
        (_, Some(_), Some(_)) => return Err("`records` and `cluster` exclude each other".to_owned()),
        (None, Some(_), None) => return Err("`records` without `file`".to_owned()),
        (None, None, None) => return Err("expected `file` or `cluster`".to_owned()),
    };
    if what == ExpectationKind::Skip && matches!(scope, ExpectationScope::Cluster(..)) {
        // The cluster of a record is unknown before it runs.
        return Err(
            "files and records can be skipped, and no `cluster`: expected `xfail` or `flaky`".to_owned()
        );
    }
    let expires = table.expires.map(|day| {
        let text = match day {
            ExpiryDate::Date(date) => date.to_string(),
            ExpiryDate::Text(text) => text,
        };
        text.parse::<Date>()
            .map_err(|_| format!("`expires`: expected a date like 2026-12-31, found `{text}`"))
    });
    Ok(ExpectationEntry {
        document,
        line,
        files: about.clone(),
        what,
        engine: table.engine,
        scope,
        details: EntryDetails {
            reason: table.reason,
            issue: table.issue,
            owner: table.owner,
            expires: expires.transpose()?,
        },
    })
}

fn record(word: WrittenRecord) -> Result<RecordName, String> {
    match word {
        WrittenRecord::Line(line) => Ok(RecordName::Line(line)),
        WrittenRecord::Key(key) => hexadecimal(&key).map(RecordName::Key).ok_or_else(|| {
            format!("`records`: expected lines, or keys of 16 hexadecimal digits, found `{key}`")
        }),
    }
}

fn hexadecimal(word: &str) -> Option<u64> {
    (word.len() == 16).then(|| u64::from_str_radix(word, 16).ok()).flatten()
}

/// Returns the UTC date for milliseconds since 1970.
pub fn today(now: i64) -> Date {
    let now = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
    now.to_zoned(jiff::tz::TimeZone::UTC).date()
}
