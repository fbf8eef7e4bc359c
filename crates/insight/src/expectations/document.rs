//! The file `expectations.toml`: reading it, with a clear word on what is wrong in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::{DocumentFiles, ExpectationEntry, ExpectationKind, Expectations, Files, Scope};
use slt_core::outcome::RecordName;

/// The name of the file.
pub const FILE_NAME: &str = "expectations.toml";

/// What is wrong in the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct DocumentError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    xfail: Vec<Spanned<Table>>,
    #[serde(default)]
    flaky: Vec<Spanned<Table>>,
    #[serde(default)]
    skip: Vec<Spanned<Table>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    file: Option<String>,
    records: Option<Vec<RecordWord>>,
    cluster: Option<String>,
    engine: Option<String>,
    reason: Option<String>,
    issue: Option<String>,
    owner: Option<String>,
    expires: Option<Day>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum RecordWord {
    Line(u32),
    Key(String),
}

/// A date of TOML, or one as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Day {
    Date(toml::value::Datetime),
    Text(String),
}

/// Reads the text of a file; `name` is what it is called, and `about` says which files it is about.
///
/// # Errors
///
/// [`DocumentError`] for the first thing that is wrong.
pub fn read(name: &str, text: &str, about: &DocumentFiles) -> Result<Expectations, DocumentError> {
    let line_of = |at: usize| 1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
    let document: Document = toml::from_str(text).map_err(|error| DocumentError {
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
            entries.insert(line, entry.map_err(|message| DocumentError { line, message })?);
        }
    }
    Ok(Expectations { entries: entries.into_values().collect() })
}

fn entry(
    what: ExpectationKind,
    document: Arc<str>,
    line: usize,
    about: &DocumentFiles,
    table: Table,
) -> Result<ExpectationEntry, String> {
    let files = table.file.as_deref().map(Files::new).transpose().map_err(|error| error.to_string())?;
    let records = table.records.map(|words| words.into_iter().map(record).collect::<Result<Vec<_>, _>>());
    let scope = match (files, records.transpose()?, table.cluster) {
        (Some(files), None, None) => Scope::Files(files),
        (Some(_), Some(records), None) if records.is_empty() => {
            return Err("`records` is empty: name some, or leave it out for the file as a whole".to_owned());
        }
        (Some(files), Some(records), None) => Scope::Records(files, records),
        (files, None, Some(cluster)) => {
            let number = hexadecimal(&cluster);
            let number = number
                .ok_or_else(|| format!("`cluster`: expected 16 hexadecimal digits, found `{cluster}`"))?;
            Scope::Cluster(files, number)
        }
        (_, Some(_), Some(_)) => return Err("`records` and `cluster` exclude each other".to_owned()),
        (None, Some(_), None) => return Err("`records` without `file`".to_owned()),
        (None, None, None) => return Err("expected `file` or `cluster`".to_owned()),
    };
    if what == ExpectationKind::Skip && matches!(scope, Scope::Cluster(..)) {
        // How a record fails is known when it has run.
        return Err(
            "files and records can be skipped, and no `cluster`: expected `xfail` or `flaky`".to_owned()
        );
    }
    let expires = table.expires.map(|day| {
        let text = match day {
            Day::Date(date) => date.to_string(),
            Day::Text(text) => text,
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
        reason: table.reason,
        issue: table.issue,
        owner: table.owner,
        expires: expires.transpose()?,
    })
}

fn record(word: RecordWord) -> Result<RecordName, String> {
    match word {
        RecordWord::Line(line) => Ok(RecordName::Line(line)),
        RecordWord::Key(key) => hexadecimal(&key).map(RecordName::Key).ok_or_else(|| {
            format!("`records`: expected lines, or keys of 16 hexadecimal digits, found `{key}`")
        }),
    }
}

fn hexadecimal(word: &str) -> Option<u64> {
    (word.len() == 16).then(|| u64::from_str_radix(word, 16).ok()).flatten()
}

/// The day in UTC, of milliseconds since 1970.
pub fn today(now: i64) -> Date {
    let now = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
    now.to_zoned(jiff::tz::TimeZone::UTC).date()
}
