//! The messages to and from a driver.

use serde::{Deserialize, Serialize};
use slt_core::engine::Capability;
use slt_core::value::TypeTag;

use crate::cell::JsonCell;
use crate::reader::not_json;

/// The version of the protocol with a greeting.
pub const VERSION: u64 = 2;

/// Asks a driver to do one thing.
#[derive(Debug, Default, Serialize)]
pub struct Request<'r> {
    /// The number of the request, which the answer repeats. Version 1 has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// The SQL to execute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql: Option<&'r str>,
    /// The connection for it; the default one has no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<&'r str>,
    /// The name of a connection to open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<&'r str>,
    /// The user of the connection to open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<&'r str>,
    /// Whether to close the default connection and open it again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reconnect: bool,
    /// Whether to restart the database.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub restart: bool,
    /// The path of a database file to open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<&'r str>,
    /// Whether that file is opened for reading only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// The version of the storage format of that file, if it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<&'r str>,
}

/// Announces the end of the requests. It has no answer.
pub const SHUTDOWN: &[u8] = b"{\"shutdown\":true}\n";

/// The first message of a driver that speaks version 2, sent without being asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Hello {
    /// The name of the engine.
    pub name: String,
    /// The mode of the engine, if it has several with different results.
    pub variant: Option<String>,
    /// The version of the engine.
    pub version: String,
    /// The build of the engine.
    pub build: Option<String>,
    /// The names for `skipif` and `onlyif`; the name alone if they are missing.
    pub labels: Option<Vec<String>>,
    /// The words for what it can do.
    pub capabilities: Vec<String>,
}

impl Hello {
    /// Returns the declared capabilities that this program knows. The columns of a result come with its rows, so
    /// they are never known first, and a driver has one request at a time, so no two statements overlap.
    pub fn capabilities(&self) -> impl Iterator<Item = Capability> {
        let known = self.capabilities.iter().filter_map(|word| Capability::from_name(word));
        known.filter(|capability| !matches!(capability, Capability::ColumnsFirst | Capability::Concurrent))
    }
}

/// The answer to a request.
#[derive(Debug, PartialEq)]
pub enum DriverAnswer<'m> {
    /// The request was executed, with these results of its statements.
    Results(Vec<ResultSet<'m>>),
    /// The engine reported an error.
    Error {
        /// Its message.
        message: String,
        /// The SQLSTATE or another code.
        code: Option<String>,
    },
    /// The driver cannot execute this, for this reason.
    Unsupported(String),
}

/// The result of a statement.
#[derive(Debug, PartialEq, Deserialize)]
pub struct ResultSet<'m> {
    /// The rows.
    #[serde(borrow, rename = "result")]
    pub rows: Vec<Vec<JsonCell<'m>>>,
    /// The columns, if the driver knows them; empty for a statement without a result.
    pub columns: Option<Vec<ColumnMessage>>,
    /// The number of changed rows, if the driver counts them.
    pub affected: Option<u64>,
}

impl ResultSet<'_> {
    /// Returns the number of columns, if it is known.
    pub fn width(&self) -> Option<usize> {
        self.columns.as_ref().map(Vec::len).or_else(|| Some(self.rows.first()?.len()))
    }

    fn check(&self) -> Result<(), String> {
        let width = self.width().unwrap_or(0);
        match self.rows.iter().find(|row| row.len() != width) {
            None => Ok(()),
            Some(row) => {
                Err(format!("its answer has a row of {} values in a result of {width} columns", row.len()))
            }
        }
    }
}

/// A column of a result.
#[derive(Debug, PartialEq, Deserialize)]
pub struct ColumnMessage {
    /// The name.
    pub name: Option<String>,
    /// The type.
    #[serde(default, rename = "type")]
    pub kind: ColumnKind,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// Whole numbers.
    Integer,
    /// Other numbers.
    Real,
    /// Text.
    Text,
    /// Bytes.
    Blob,
    /// Truth values.
    Boolean,
    /// Any other type, or none.
    #[default]
    #[serde(other)]
    Other,
}

impl From<ColumnKind> for TypeTag {
    fn from(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Integer => Self::Integer,
            ColumnKind::Real => Self::Real,
            ColumnKind::Text => Self::Text,
            ColumnKind::Blob => Self::Blob,
            ColumnKind::Boolean => Self::Boolean,
            ColumnKind::Other => Self::Unknown,
        }
    }
}

/// All fields of all messages.
#[derive(Debug, Deserialize)]
struct Fields<'m> {
    hello: Option<u64>,
    name: Option<String>,
    variant: Option<String>,
    version: Option<String>,
    build: Option<String>,
    labels: Option<Vec<String>>,
    capabilities: Option<Vec<String>>,
    id: Option<u64>,
    #[serde(borrow)]
    result: Option<Vec<Vec<JsonCell<'m>>>>,
    columns: Option<Vec<ColumnMessage>>,
    affected: Option<u64>,
    #[serde(borrow)]
    results: Option<Vec<ResultSet<'m>>>,
    err: Option<String>,
    sqlstate: Option<String>,
    unsupported: Option<String>,
}

/// A message of a driver.
#[derive(Debug, PartialEq)]
pub enum Message<'m> {
    /// The greeting.
    Hello(Hello),
    /// An answer, with the number of its request in version 2.
    Answer(Option<u64>, DriverAnswer<'m>),
}

impl<'m> Message<'m> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// What was expected and found.
    pub fn from_json(json: &'m [u8]) -> Result<Self, String> {
        // Fields without a meaning are skipped, but must be text as well.
        let text = std::str::from_utf8(json).map_err(|error| not_json(json, &error))?;
        let fields: Fields<'m> = serde_json::from_str(text).map_err(|error| {
            if error.is_data() { format!("its message is invalid: {error}") } else { not_json(json, &error) }
        })?;
        if let Some(integer) = rounded_integer(json) {
            return Err(format!(
                "its message is invalid: {integer} has more than 64 bits, expected {{\"decimal\":\"…\"}}"
            ));
        }
        let answers = [
            fields.result.is_some(),
            fields.results.is_some(),
            fields.err.is_some(),
            fields.unsupported.is_some(),
        ];
        match (fields.hello, answers.iter().filter(|is_there| **is_there).count()) {
            (Some(version), 0) => fields.greeting(version).map(Self::Hello),
            (None, 1) => fields.answer(),
            (Some(_), _) => Err("its greeting must not be an answer as well".to_owned()),
            (None, _) => {
                Err("its answer must have one of `result`, `results`, `err` and `unsupported`".to_owned())
            }
        }
    }
}

impl<'m> Fields<'m> {
    fn greeting(self, version: u64) -> Result<Hello, String> {
        if version != VERSION {
            return Err(format!("it speaks version {version} of the protocol, expected {VERSION}"));
        }
        Ok(Hello {
            name: self.name.ok_or("its greeting is invalid: expected a `name`")?,
            variant: self.variant,
            version: self.version.unwrap_or_default(),
            build: self.build,
            labels: self.labels,
            capabilities: self.capabilities.unwrap_or_default(),
        })
    }

    fn answer(self) -> Result<Message<'m>, String> {
        let Self { result, columns, affected, results, err, sqlstate, unsupported, .. } = self;
        let result = result.map(|rows| vec![ResultSet { rows, columns, affected }]);
        let answer = match (result.or(results), err, unsupported) {
            (Some(results), ..) => {
                results.iter().try_for_each(ResultSet::check)?;
                DriverAnswer::Results(results)
            }
            (None, Some(message), _) => DriverAnswer::Error { message, code: sqlstate },
            (None, None, reason) => DriverAnswer::Unsupported(reason.unwrap_or_default()),
        };
        Ok(Message::Answer(self.id, answer))
    }
}

/// Finds a whole number that a reader of JSON rounds, since it has more than 64 bits.
fn rounded_integer(json: &[u8]) -> Option<&str> {
    let mut rest = json;
    while let Some(at) = rest.iter().position(|byte| *byte == b'"' || byte.is_ascii_digit()) {
        if rest[at] == b'"' {
            rest = after_text(&rest[at + 1..]);
            continue;
        }
        let start = if at > 0 && rest[at - 1] == b'-' { at - 1 } else { at };
        let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
        let length = rest[start..].iter().take_while(|byte| is_part(byte)).count();
        let number = std::str::from_utf8(&rest[start..start + length]).unwrap_or_default();
        // Shorter ones fit.
        if length > 18
            && !number.contains(['.', 'e', 'E'])
            && number.parse::<i64>().is_err()
            && number.parse::<u64>().is_err()
        {
            return Some(number);
        }
        rest = &rest[start + length..];
    }
    None
}

/// Returns what follows the text that these bytes begin with.
fn after_text(mut rest: &[u8]) -> &[u8] {
    while let Some(at) = rest.iter().position(|byte| *byte == b'"' || *byte == b'\\') {
        if rest[at] == b'"' {
            return &rest[at + 1..];
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    &[]
}
