//! Reads the changes that the statements of a dump make to its tables.

use std::collections::BTreeMap;

use super::super::{ImportError, ImportWarning};
use super::literal::{DumpToken, DumpTokens};

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DumpValue {
    Null,
    Number(String),
    Text(String),
}

/// A row by its columns, whose names are in lower case.
pub(super) type DumpRow = BTreeMap<String, DumpValue>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DumpTable {
    Files,
    Runs,
    Results,
}

impl DumpTable {
    fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "test_files" => Some(Self::Files),
            "test_runs" => Some(Self::Runs),
            "test_results" => Some(Self::Results),
            _ => None,
        }
    }

    /// Returns the columns of the last schema, for dumps without column names.
    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Files => &["file_path", "category", "subcategory", "status", "last_tested", "last_passed"],
            Self::Runs => &[
                "run_id",
                "started_at",
                "completed_at",
                "total_files",
                "passed",
                "failed",
                "untested",
                "git_commit",
                "branch_name",
                "ci_run_id",
            ],
            Self::Results => {
                &["result_id", "run_id", "file_path", "status", "tested_at", "duration_ms", "error_message"]
            }
        }
    }
}

/// The effect of a statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DumpChange {
    Insert {
        table: DumpTable,
        row: DumpRow,
    },
    /// Sets columns of the runs, or of the one with this identifier.
    UpdateRuns {
        set: DumpRow,
        run: Option<DumpValue>,
    },
}

/// Reads the changes of a dump. Statements on other tables are skipped.
pub(super) fn changes(text: &str, oddities: &mut Vec<ImportWarning>) -> Result<Vec<DumpChange>, ImportError> {
    let mut tokens = DumpTokens::new(text);
    let (mut changes, mut columns) = (Vec::new(), BTreeMap::new());
    while let Some(mut statement) = DumpStatement::next(&mut tokens)? {
        let (first, line) = (statement.first_word(), statement.line);
        match first.as_str() {
            "insert" | "replace" => statement.insert(&columns, &mut changes)?,
            "update" => statement.update(&mut changes, oddities)?,
            "create" => {
                if let Some((table, names)) = statement.create() {
                    columns.insert(table, names);
                }
            }
            "delete" if statement.names_a_table() => {
                oddities.push(ImportWarning::Statement { line, word: "DELETE".to_owned() });
            }
            _ => {}
        }
    }
    Ok(changes)
}

/// The tokens of a statement, with the position of the next one.
struct DumpStatement {
    tokens: Vec<(DumpToken, usize)>,
    at: usize,
    line: usize,
    /// The line of its end.
    last: usize,
}

impl DumpStatement {
    fn next(tokens: &mut DumpTokens<'_>) -> Result<Option<Self>, ImportError> {
        let mut found = Vec::new();
        loop {
            match tokens.next()? {
                Some((DumpToken::Sign(';'), _)) if found.is_empty() => {}
                Some((DumpToken::Sign(';'), _)) => break,
                Some(token) => found.push(token),
                None if found.is_empty() => return Ok(None),
                None => break,
            }
        }
        let line = found.first().map_or(0, |(_, line)| *line);
        Ok(Some(Self { tokens: found, at: 0, line, last: tokens.line() }))
    }

    fn first_word(&self) -> String {
        match self.tokens.first() {
            Some((DumpToken::Word(word), _)) => word.to_ascii_lowercase(),
            _ => String::new(),
        }
    }

    fn peek(&self) -> Option<&DumpToken> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn wrong(&self, expected: &'static str) -> ImportError {
        match self.tokens.get(self.at) {
            Some((token, line)) => ImportError::Sql { line: *line, expected, found: token.to_string() },
            None => {
                let found = "the end of the statement".to_owned();
                ImportError::Sql { line: self.last, expected, found }
            }
        }
    }

    /// Consumes a keyword if it is next.
    fn word(&mut self, wanted: &str) -> bool {
        let is = matches!(self.peek(), Some(DumpToken::Word(word)) if word.eq_ignore_ascii_case(wanted));
        self.at += usize::from(is);
        is
    }

    fn sign(&mut self, wanted: char) -> bool {
        let is = self.peek() == Some(&DumpToken::Sign(wanted));
        self.at += usize::from(is);
        is
    }

    fn name(&mut self, expected: &'static str) -> Result<String, ImportError> {
        match self.peek() {
            Some(DumpToken::Word(name) | DumpToken::Name(name)) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.wrong(expected)),
        }
    }

    fn names_a_table(&self) -> bool {
        self.tokens.iter().any(|(token, _)| match token {
            DumpToken::Word(name) | DumpToken::Name(name) => DumpTable::from_name(name).is_some(),
            _ => false,
        })
    }

    /// Reads `INSERT [OR …] INTO table [(columns)] VALUES (…), …` or `REPLACE INTO …`.
    fn insert(
        &mut self,
        known: &BTreeMap<DumpTable, Vec<String>>,
        changes: &mut Vec<DumpChange>,
    ) -> Result<(), ImportError> {
        if !self.names_a_table() {
            return Ok(());
        }
        self.at = 1;
        if self.word("or") {
            self.name("what is to be done in a conflict")?;
        }
        if !self.word("into") {
            return Err(self.wrong("`INTO`"));
        }
        let Some(table) = DumpTable::from_name(&self.name("the name of a table")?) else { return Ok(()) };
        let columns = match self.sign('(') {
            true => self.list(|statement| statement.name("the name of a column"))?,
            false => match known.get(&table) {
                Some(columns) => columns.clone(),
                None => table.columns().iter().map(|&name| name.to_owned()).collect(),
            },
        };
        if !self.word("values") {
            return Err(self.wrong("`VALUES`"));
        }
        loop {
            if !self.sign('(') {
                return Err(self.wrong("`(`"));
            }
            let values = self.list(Self::value)?;
            if values.len() != columns.len() {
                let found = format!("{} values for {} columns", values.len(), columns.len());
                let line = self.tokens[self.at - 1].1;
                return Err(ImportError::Sql { line, expected: "a value for each column", found });
            }
            let row = columns.iter().map(|name| name.to_ascii_lowercase()).zip(values).collect();
            changes.push(DumpChange::Insert { table, row });
            if !self.sign(',') {
                break;
            }
        }
        if self.at == self.tokens.len() { Ok(()) } else { Err(self.wrong("the end of the statement")) }
    }

    /// Parses a list up to a closing bracket.
    fn list<T>(
        &mut self,
        mut one: impl FnMut(&mut Self) -> Result<T, ImportError>,
    ) -> Result<Vec<T>, ImportError> {
        let mut found = vec![one(self)?];
        while self.sign(',') {
            found.push(one(self)?);
        }
        if self.sign(')') { Ok(found) } else { Err(self.wrong("`,` or `)`")) }
    }

    fn value(&mut self) -> Result<DumpValue, ImportError> {
        if self.word("null") {
            return Ok(DumpValue::Null);
        }
        for (word, number) in [("true", "1"), ("false", "0")] {
            if self.word(word) {
                return Ok(DumpValue::Number(number.to_owned()));
            }
        }
        // TIMESTAMP '2025-11-22 10:00:00'
        let typed = self.word("timestamp") || self.word("date");
        let negative = !typed && self.sign('-');
        let value = match self.peek() {
            Some(DumpToken::Text(text)) if !negative => DumpValue::Text(text.clone()),
            Some(DumpToken::Number(number)) if !typed => {
                DumpValue::Number(format!("{}{number}", if negative { "-" } else { "" }))
            }
            _ => return Err(self.wrong("a value")),
        };
        self.at += 1;
        Ok(value)
    }

    /// Reads `UPDATE test_runs SET column = value, … [WHERE run_id = value]`.
    fn update(
        &mut self,
        changes: &mut Vec<DumpChange>,
        oddities: &mut Vec<ImportWarning>,
    ) -> Result<(), ImportError> {
        self.at = 1;
        match DumpTable::from_name(&self.name("the name of a table")?) {
            Some(DumpTable::Runs) => {}
            Some(DumpTable::Results) => {
                oddities.push(ImportWarning::Statement { line: self.line, word: "UPDATE".to_owned() });
                return Ok(());
            }
            // The last result of a file follows from its last run.
            Some(DumpTable::Files) | None => return Ok(()),
        }
        if !self.word("set") {
            return Err(self.wrong("`SET`"));
        }
        let mut set = DumpRow::new();
        loop {
            let (column, value) = self.assignment()?;
            set.insert(column, value);
            if !self.sign(',') {
                break;
            }
        }
        let run = match self.word("where") {
            true => {
                let (column, value) = self.assignment()?;
                if column != "run_id" && column != "id" {
                    self.at -= 3;
                    return Err(self.wrong("`run_id`"));
                }
                Some(value)
            }
            false => None,
        };
        if self.at < self.tokens.len() {
            return Err(self.wrong("the end of the statement"));
        }
        changes.push(DumpChange::UpdateRuns { set, run });
        Ok(())
    }

    fn assignment(&mut self) -> Result<(String, DumpValue), ImportError> {
        let column = self.name("the name of a column")?.to_ascii_lowercase();
        if !self.sign('=') {
            return Err(self.wrong("`=`"));
        }
        Ok((column, self.value()?))
    }

    /// Reads the columns of `CREATE TABLE [IF NOT EXISTS] table (column …, …)` for a known table.
    fn create(&mut self) -> Option<(DumpTable, Vec<String>)> {
        self.at = 1;
        if !self.word("table") {
            return None;
        }
        if self.word("if") {
            self.at += 2;
        }
        let table = DumpTable::from_name(&self.name("").ok()?)?;
        let mut columns = Vec::new();
        let (mut depth, mut first) = (0, false);
        for (token, _) in &self.tokens[self.at..] {
            match token {
                DumpToken::Sign('(') => {
                    depth += 1;
                    first = depth == 1;
                }
                DumpToken::Sign(')') => depth -= 1,
                DumpToken::Sign(',') => first = depth == 1,
                DumpToken::Word(name) | DumpToken::Name(name) if first => {
                    first = false;
                    columns.extend((!is_constraint(name)).then(|| name.to_ascii_lowercase()));
                }
                _ => first = false,
            }
        }
        Some((table, columns))
    }
}

fn is_constraint(word: &str) -> bool {
    ["primary", "foreign", "unique", "check", "constraint"].contains(&word.to_ascii_lowercase().as_str())
}
