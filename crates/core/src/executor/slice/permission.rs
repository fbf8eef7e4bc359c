//! Decides whether a script may be split.
//!
//! A slice gives the results of a run of the whole file if its statements have the same effect on the database, and if
//! queries have no effect. SQL in general does not show that, so this is a list of harmless constructs, not of harmful
//! ones: one unknown function is enough to run the whole file.
//!
//! No statement may follow a query. An engine that returns a cached answer after the data has changed is wrong, and
//! only a run of the whole file detects that reliably.

use super::QueryUnits;
use super::tokens::{Token, tokens};
use super::words::{CHOICES, ENGINE_NAMES, FUNCTIONS, KEYWORDS, VOLATILE, WRITES};
use crate::executor::Options;
use crate::parser::{Control, RecordKind, Renderer, Script, Sql, first_refusal};

/// A reason why a script may not be split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhyNot {
    /// A malformed record.
    #[error("the record on line {line} is malformed")]
    Malformed {
        /// Its line.
        line: u32,
    },
    /// A dialect in which records may depend on each other in more ways.
    #[error("the file is not in the SQLite dialect")]
    OtherDialect,
    /// There is too little that could be done at the same time.
    #[error("there are only {found} queries that could be judged apart")]
    FewQueries {
        /// The number of queries; those with a common label count as one.
        found: usize,
    },
    /// A statement behind a query.
    #[error("the statement on line {line} comes after a query")]
    StatementAfterQuery {
        /// Its line.
        line: u32,
    },
    /// A statement of a kind that is not known to do the same each time.
    #[error("the statement on line {line} is none of those that are known to do the same each time")]
    Statement {
        /// Its line.
        line: u32,
    },
    /// A query other than a plain SELECT or VALUES.
    #[error("the query on line {line} may change something: `{word}`")]
    NoPlainRead {
        /// Its line.
        line: u32,
        /// The word that shows this.
        word: String,
    },
    /// A query with more than one statement, or none.
    #[error("the query on line {line} is not one statement")]
    NotOneStatement {
        /// Its line.
        line: u32,
    },
    /// A call of a function that is not known to depend only on its arguments.
    #[error("on line {line}, `{function}` is not known to give the same each time")]
    Function {
        /// The line of the record.
        line: u32,
        /// The name.
        function: String,
    },
    /// A word for the time, the session or the engine's own state.
    #[error("on line {line}, `{word}` stands for the time, the session or the state of the engine")]
    Volatile {
        /// The line of the record.
        line: u32,
        /// The word.
        word: String,
    },
    /// Text that engines read differently.
    #[error("the SQL on line {line} is not read alike by all engines")]
    Ambiguous {
        /// The line of the record.
        line: u32,
    },
}

/// With fewer queries that can be judged apart, there is nothing to be had from slices.
const FEWEST_UNITS: usize = 8;

/// Checks whether slices of a script give the same results as the whole script, on any engine with answers that depend
/// only on its data. Considers only executed records, without an engine.
///
/// # Errors
///
/// The first reason against splitting.
pub fn may_split(script: &Script<'_>, options: &Options) -> Result<(), WhyNot> {
    if let Some(record) = script.records().find(|record| record.defect.is_some()) {
        return Err(WhyNot::Malformed { line: record.line });
    }
    if script.profile.renderer != Renderer::SqliteLetters {
        return Err(WhyNot::OtherDialect);
    }
    let mut queried = false;
    let mut buffer = Vec::new();
    for record in script.records() {
        if first_refusal(&record.conditions, &options.labels).is_some() {
            continue;
        }
        let line = record.line;
        let tokens_of =
            |sql: &Sql<'_>, buffer: &mut Vec<u8>, check: fn(u32, &[Token<'_>]) -> Result<(), WhyNot>| {
                check(line, &tokens(sql.text(buffer)).map_err(|_| WhyNot::Ambiguous { line })?)
            };
        match &record.kind {
            RecordKind::Statement(_) if queried => return Err(WhyNot::StatementAfterQuery { line }),
            RecordKind::Statement(statement) => tokens_of(&statement.sql, &mut buffer, check_statements)?,
            RecordKind::Query(query) => {
                queried = true;
                tokens_of(&query.sql, &mut buffer, check_query)?;
            }
            RecordKind::Control(Control::Halt) => break,
            RecordKind::Control(Control::HashThreshold(_)) | RecordKind::Unknown => {}
            RecordKind::Control(_) | RecordKind::Let(_) | RecordKind::System(_) | RecordKind::Database(_) => {
                return Err(WhyNot::Statement { line });
            }
        }
    }
    let found = QueryUnits::new(script, &options.labels).executed();
    if found < FEWEST_UNITS { Err(WhyNot::FewQueries { found }) } else { Ok(()) }
}

/// Returns whether the SQL of a query is known to change nothing.
pub(in crate::executor) fn only_reads(sql: &Sql<'_>) -> bool {
    let mut buffer = Vec::new();
    tokens(sql.text(&mut buffer)).is_ok_and(|tokens| check_query(0, &tokens).is_ok())
}

/// Checks that a query is one SELECT or VALUES without any word that could make it more than a read.
fn check_query(line: u32, tokens: &[Token<'_>]) -> Result<(), WhyNot> {
    let one = tokens.strip_suffix(&[Token::Symbol(b';')]).unwrap_or(tokens);
    if one.contains(&Token::Symbol(b';')) {
        return Err(WhyNot::NotOneStatement { line });
    }
    let first = match one.first() {
        Some(Token::Word(first)) => *first,
        Some(_) => b"(",
        None => return Err(WhyNot::NotOneStatement { line }),
    };
    let no_read = |word: &[u8]| WhyNot::NoPlainRead { line, word: shown(word) };
    if !is_in(first, &["SELECT", "VALUES", "WITH"]) {
        return Err(no_read(first));
    }
    if let Some(word) = words(one).find(|word| is_in(word, WRITES)) {
        return Err(no_read(word));
    }
    check_tokens(line, one, &["WITH", "RECURSIVE"])
}

/// Checks that each of the statements of a record is of a harmless kind.
fn check_statements(line: u32, tokens: &[Token<'_>]) -> Result<(), WhyNot> {
    let statements = tokens.split(|token| *token == Token::Symbol(b';')).filter(|tokens| !tokens.is_empty());
    for statement in statements {
        let head = RepeatableStatement::from_tokens(statement).ok_or(WhyNot::Statement { line })?;
        if words(statement).any(|word| is_in(word, CHOICES)) {
            return Err(WhyNot::Statement { line });
        }
        check_tokens(line, statement, head.naming())?;
    }
    Ok(())
}

/// The kinds of statements that do the same each time, as long as the expressions in them do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RepeatableStatement {
    Index,
    Other,
}

impl RepeatableStatement {
    fn from_tokens(statement: &[Token<'_>]) -> Option<Self> {
        let mut words = statement.iter().map_while(|token| match token {
            Token::Word(word) => Some(*word),
            _ => None,
        });
        let first = words.next()?;
        if is_in(first, &["INSERT", "REPLACE", "UPDATE", "DELETE"]) {
            return Some(Self::Other);
        }
        let kind = if is_in(first, &["CREATE"]) {
            words.find(|word| !is_in(word, &["TEMP", "TEMPORARY", "UNIQUE"]))?
        } else if is_in(first, &["DROP", "ALTER"]) {
            words.next()?
        } else {
            return None;
        };
        match kind {
            kind if is_in(kind, &["INDEX"]) => Some(Self::Index),
            kind if is_in(kind, &["TABLE", "VIEW"]) => Some(Self::Other),
            _ => None,
        }
    }

    /// Returns the words before a name with a parenthesis that is not a call, but a created or filled object.
    fn naming(self) -> &'static [&'static str] {
        match self {
            Self::Index => &["INDEX", "EXISTS", "ON"],
            Self::Other => &["TABLE", "VIEW", "INTO", "EXISTS", "REFERENCES"],
        }
    }
}

/// Checks that no token stands for the time, the session or a state, and that all called functions are known.
fn check_tokens(line: u32, tokens: &[Token<'_>], naming: &[&str]) -> Result<(), WhyNot> {
    for (at, token) in tokens.iter().enumerate() {
        let (name, volatile) = match *token {
            Token::Word(word) => (word, is_in(word, VOLATILE) || is_of_the_engine(word)),
            // A name in quotes can be a string for some engines.
            Token::Name(name) => (name, is_moment(name) || is_of_the_engine(name)),
            Token::Text(text) if is_moment(text) => return Err(WhyNot::Volatile { line, word: shown(text) }),
            Token::Text(_) | Token::Number | Token::Symbol(_) => continue,
        };
        if volatile {
            return Err(WhyNot::Volatile { line, word: shown(name) });
        }
        if tokens.get(at + 1) == Some(&Token::Symbol(b'(')) {
            let before = at.checked_sub(1).map(|before| tokens[before]);
            let named = matches!(before, Some(Token::Word(word)) if is_in(word, naming));
            let keyword = matches!(token, Token::Word(word) if is_in(word, KEYWORDS));
            // A function of a schema is somebody's own.
            let plain = before != Some(Token::Symbol(b'.')) && (keyword || is_in(name, FUNCTIONS));
            if !named && !plain {
                return Err(WhyNot::Function { line, function: shown(name) });
            }
        }
    }
    Ok(())
}

fn words<'t>(tokens: &[Token<'t>]) -> impl Iterator<Item = &'t [u8]> {
    tokens.iter().filter_map(|token| match token {
        Token::Word(word) => Some(*word),
        _ => None,
    })
}

fn is_in(word: &[u8], list: &[&str]) -> bool {
    list.iter().any(|listed| word.eq_ignore_ascii_case(listed.as_bytes()))
}

fn starts_with(word: &[u8], start: &str) -> bool {
    word.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start.as_bytes()))
}

/// Returns whether a table shows the engine's own state.
fn is_of_the_engine(name: &[u8]) -> bool {
    let schemas = ["sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema"];
    ENGINE_NAMES.iter().any(|start| starts_with(name, start)) && !is_in(name, &schemas)
}

/// Returns whether date functions and casts read a string as the current time.
fn is_moment(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    ["now", "today", "tomorrow", "yesterday"].iter().any(|moment| starts_with(text, moment))
}

fn shown(word: &[u8]) -> String {
    String::from_utf8_lossy(word).into_owned()
}
