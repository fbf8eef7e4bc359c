//! Extracts facts from the SQL of a record: features that many records share, names, and effects on tables.
//!
//! Tokens give the facts that need no grammar: names, calls, created or filled tables. The features of a query come
//! from its syntax tree. SQL that the parser rejects has the feature [`UNPARSED`] and those of its keywords.

mod walk;

use std::collections::HashSet;

use indexmap::IndexSet;
use sqlparser::dialect::{Dialect, GenericDialect, SQLiteDialect};
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use self::walk::FeatureCollector;

/// The feature of SQL that the parser of the analysis rejects.
pub(super) const UNPARSED: &str = "syntax that the analysis cannot parse";

/// Longer SQL is not parsed: a syntax tree is as deep as the SQL has operators in a row.
const MOST_TOKENS: usize = 10_000;

/// A feature by its number.
pub(super) type Feature = u32;

/// The names of all features, by their numbers.
pub(super) type FeatureBook = IndexSet<String>;

/// Returns the number of a feature.
pub(super) fn number_of(book: &mut FeatureBook, name: &str) -> Feature {
    let number = book.get_index_of(name).unwrap_or_else(|| book.insert_full(name.to_owned()).0);
    number as Feature
}

/// The effect of a statement on a table or another object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StatementEffect {
    /// Creates an object: a table, a view, an index.
    Makes(String),
    /// Changes its contents.
    Fills(String),
    /// Drops it.
    Drops(String),
    /// Begins or ends a transaction, or a part of one.
    Bounds(TransactionBoundary),
    /// No such effect.
    Other,
}

/// The begin or end of a transaction or savepoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TransactionBoundary {
    /// BEGIN.
    Begin,
    /// SAVEPOINT.
    Savepoint,
    /// RELEASE or ROLLBACK TO.
    ToSavepoint,
    /// COMMIT or ROLLBACK.
    End,
}

impl TransactionBoundary {
    /// The first words of such statements.
    const WORDS: [&str; 7] = ["BEGIN", "START", "SAVEPOINT", "RELEASE", "COMMIT", "END", "ROLLBACK"];

    /// Returns whether SQL may be one, without parsing it.
    pub(super) fn may_be(sql: &str) -> bool {
        let sql = sql.trim_start();
        Self::WORDS
            .iter()
            .any(|word| sql.get(..word.len()).is_some_and(|first| first.eq_ignore_ascii_case(word)))
    }
}

/// SQL as tokens.
pub(super) struct SqlTokens {
    tokens: Vec<Token>,
    /// Whether the SQL is not valid with SQLite's quotes.
    generic: bool,
}

/// Splits SQL into tokens; invalid text has none.
pub(super) fn tokens(sql: &str) -> SqlTokens {
    let of = |dialect: &dyn Dialect| Tokenizer::new(dialect, sql).tokenize();
    let (tokens, generic) = match of(&SQLiteDialect {}) {
        Ok(tokens) => (tokens, false),
        Err(_) => (of(&GenericDialect {}).unwrap_or_default(), true),
    };
    let is_code = |token: &Token| !matches!(token, Token::Whitespace(_) | Token::EOF);
    SqlTokens { tokens: tokens.into_iter().filter(is_code).collect(), generic }
}

fn keyword(token: &Token) -> Keyword {
    match token {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    }
}

/// Returns whether the word precedes the name of an object with columns in parentheses, as opposed to a call.
fn announces_a_thing(token: &Token) -> bool {
    matches!(
        keyword(token),
        Keyword::INTO
            | Keyword::TABLE
            | Keyword::EXISTS
            | Keyword::REFERENCES
            | Keyword::ON
            | Keyword::VIEW
            | Keyword::INDEX
            | Keyword::AS
            | Keyword::WITH
            | Keyword::RECURSIVE
            | Keyword::CONSTRAINT
            | Keyword::USING
    )
}

impl SqlTokens {
    /// Returns the names of tables, columns and other objects in lower case, without functions.
    pub(super) fn names(&self) -> HashSet<String> {
        let tokens = self.tokens.iter().enumerate();
        let names = tokens.filter_map(|(at, token)| match token {
            Token::Word(word) if !self.is_call(at) => {
                let is_name = word.quote_style.is_some() || word.keyword == Keyword::NoKeyword;
                is_name.then(|| word.value.to_ascii_lowercase())
            }
            _ => None,
        });
        names.collect()
    }

    /// Returns whether the SQL contains this name, given in lower case.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.tokens.iter().any(|token| match token {
            Token::Word(word) => word.value.eq_ignore_ascii_case(name),
            _ => false,
        })
    }

    fn is_call(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.tokens.get(at));
        self.tokens.get(at + 1) == Some(&Token::LParen) && !before.is_some_and(announces_a_thing)
    }

    /// Returns the effect of the statement.
    pub(super) fn effect(&self) -> StatementEffect {
        let word = |at: usize| self.tokens.get(at).map_or(Keyword::NoKeyword, keyword);
        let behind = |wanted: &[Keyword]| (1..8).find(|&at| wanted.contains(&word(at)));
        let things = [Keyword::TABLE, Keyword::VIEW, Keyword::INDEX, Keyword::TRIGGER, Keyword::FUNCTION];
        let name = |at: Option<usize>| at.and_then(|at| self.name_behind(at));
        let found = match word(0) {
            Keyword::CREATE => name(behind(&things)).map(StatementEffect::Makes),
            Keyword::DROP => name(behind(&things)).map(StatementEffect::Drops),
            Keyword::ALTER => name(behind(&things)).map(StatementEffect::Fills),
            Keyword::INSERT | Keyword::REPLACE => name(behind(&[Keyword::INTO])).map(StatementEffect::Fills),
            Keyword::DELETE => name(behind(&[Keyword::FROM])).map(StatementEffect::Fills),
            Keyword::UPDATE => name(Some(0)).map(StatementEffect::Fills),
            Keyword::BEGIN | Keyword::START => Some(StatementEffect::Bounds(TransactionBoundary::Begin)),
            Keyword::SAVEPOINT => Some(StatementEffect::Bounds(TransactionBoundary::Savepoint)),
            Keyword::RELEASE => Some(StatementEffect::Bounds(TransactionBoundary::ToSavepoint)),
            Keyword::ROLLBACK if behind(&[Keyword::TO]).is_some() => {
                Some(StatementEffect::Bounds(TransactionBoundary::ToSavepoint))
            }
            Keyword::ROLLBACK | Keyword::COMMIT | Keyword::END => {
                Some(StatementEffect::Bounds(TransactionBoundary::End))
            }
            _ => None,
        };
        found.unwrap_or(StatementEffect::Other)
    }

    /// Returns the last part of the name after a word, in lower case.
    fn name_behind(&self, at: usize) -> Option<String> {
        let filler =
            [Keyword::IF, Keyword::NOT, Keyword::EXISTS, Keyword::OR, Keyword::REPLACE, Keyword::IGNORE];
        let mut at = at + 1;
        while filler.contains(&keyword(self.tokens.get(at)?)) {
            at += 1;
        }
        while self.tokens.get(at + 1) == Some(&Token::Period) {
            at += 2;
        }
        match self.tokens.get(at)? {
            Token::Word(word) => Some(word.value.to_ascii_lowercase()),
            Token::SingleQuotedString(name) | Token::DoubleQuotedString(name) => {
                Some(name.to_ascii_lowercase())
            }
            _ => None,
        }
    }

    /// Returns the sorted features. The parser consumes the tokens.
    pub(super) fn features(self, book: &mut FeatureBook) -> Vec<Feature> {
        let mut walker = FeatureCollector::new(book);
        let is_query = matches!(
            self.tokens.first().map(keyword),
            Some(Keyword::SELECT | Keyword::WITH | Keyword::VALUES)
        ) || self.tokens.first() == Some(&Token::LParen);
        if !is_query {
            self.keywords(&mut walker);
        }
        match self.parse() {
            Ok(statements) => statements.iter().for_each(|statement| walker.statement(statement)),
            Err(tokens) => {
                walker.add(UNPARSED);
                let tokens = Self { tokens, generic: false };
                tokens.keywords(&mut walker);
                tokens.calls(&mut walker);
            }
        }
        walker.end()
    }

    /// Returns the syntax trees, or the tokens if they cannot be parsed.
    fn parse(self) -> Result<Vec<sqlparser::ast::Statement>, Vec<Token>> {
        if self.tokens.is_empty() || self.tokens.len() > MOST_TOKENS {
            return Err(self.tokens);
        }
        let kept = self.tokens.clone();
        let dialects: [&dyn Dialect; 2] = [&SQLiteDialect {}, &GenericDialect {}];
        for dialect in dialects.into_iter().skip(usize::from(self.generic)) {
            let parsed = Parser::new(dialect).with_tokens(kept.clone()).parse_statements();
            match parsed {
                Ok(statements) if !statements.is_empty() => return Ok(statements),
                _ => {}
            }
        }
        Err(kept)
    }

    /// Adds each keyword as a feature, except for single letters, which are usually names.
    fn keywords(&self, walker: &mut FeatureCollector<'_>) {
        for token in &self.tokens {
            if let Token::Word(word) = token
                && word.quote_style.is_none()
                && word.keyword != Keyword::NoKeyword
                && word.value.len() > 1
            {
                walker.add(&word.value.to_ascii_uppercase());
            }
        }
    }

    fn calls(&self, walker: &mut FeatureCollector<'_>) {
        for (at, token) in self.tokens.iter().enumerate() {
            if let Token::Word(word) = token
                && word.keyword == Keyword::NoKeyword
                && self.is_call(at)
            {
                walker.call(&word.value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expected: &[&str]) {
        let mut book = FeatureBook::default();
        let features = tokens(sql).features(&mut book);
        let mut names: Vec<_> = features.iter().map(|&feature| book[feature as usize].as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{sql}");
    }

    #[test]
    fn features_of_queries() {
        check("SELECT a FROM t", &["SELECT"]);
        check("VALUES (1), (2)", &["VALUES"]);
        check(
            "SELECT DISTINCT a / 2 FROM t, s WHERE NOT (a NOT BETWEEN 1 AND NULL)",
            &[
                "BETWEEN or NOT BETWEEN",
                "DISTINCT",
                "NOT",
                "NOT BETWEEN",
                "NULL",
                "SELECT",
                "WHERE",
                "operator /",
                "several tables in FROM",
            ],
        );
        check(
            "SELECT t.a, COUNT(*), sum(DISTINCT b) FROM t LEFT OUTER JOIN u ON t.a = u.a GROUP BY t.a HAVING 1 > 2",
            &[
                "COUNT()",
                "DISTINCT in a call",
                "GROUP BY",
                "HAVING",
                "LEFT JOIN",
                "SELECT",
                "SUM()",
                "an aggregate function",
                "operator =",
                "operator >",
                "two columns compared",
            ],
        );
        check(
            "SELECT a FROM t WHERE a IN (SELECT b FROM s) AND EXISTS (SELECT 1) UNION ALL SELECT -1.5 ORDER BY 1 LIMIT 2",
            &[
                "AND",
                "EXISTS (SELECT)",
                "EXISTS (SELECT) or NOT EXISTS (SELECT)",
                "IN (SELECT)",
                "IN (SELECT) or NOT IN (SELECT)",
                "LIMIT",
                "ORDER BY",
                "SELECT",
                "UNION ALL",
                "WHERE",
                "a number with a point",
                "a set operation",
                "unary -",
            ],
        );
        check(
            "WITH c AS (SELECT 1) SELECT CAST(x AS TEXT), CASE WHEN y IS NULL THEN 'a' END, row_number() OVER (PARTITION BY a ORDER BY z ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (SELECT 1) s",
            &[
                "CASE",
                "CAST",
                "CAST AS TEXT",
                "IS NULL",
                "IS NULL or IS NOT NULL",
                "PARTITION BY",
                "ROW_NUMBER()",
                "SELECT",
                "WITH",
                "a string",
                "subquery in FROM",
                "window (OVER)",
                "window frame",
                "window frame of ROWS",
            ],
        );
    }

    #[test]
    fn features_of_statements_and_of_what_nobody_knows() {
        check(
            "CREATE TABLE t(a INTEGER PRIMARY KEY, b VARCHAR(3))",
            &["CREATE", "INTEGER", "KEY", "PRIMARY", "TABLE", "VARCHAR"],
        );
        check("INSERT INTO t SELECT abs(a) FROM s", &["ABS", "ABS()", "FROM", "INSERT", "INTO", "SELECT"]);
        check("SELECT FROM WHERE foo(1", &["FOO()", "FROM", "SELECT", "WHERE", UNPARSED]);
        check("", &[UNPARSED]);
        check("'", &[UNPARSED]);
    }

    #[test]
    fn sql_of_many_operators_is_walked_through() {
        let sql = format!("SELECT 1{}", " + 1".repeat(4_000));
        check(&sql, &["SELECT", "operator +"]);
        let sql = format!("SELECT 1{}", " + 1".repeat(40_000));
        check(&sql, &["SELECT", UNPARSED]);
        let sql = format!("SELECT {}1{}", "(".repeat(3_000), ")".repeat(3_000));
        check(&sql, &["SELECT", UNPARSED]);
    }

    #[test]
    fn effects() {
        let check =
            |sql: &str, expected: StatementEffect| assert_eq!(tokens(sql).effect(), expected, "{sql}");
        let name = || "t1".to_owned();
        check("CREATE TABLE t1(a INT)", StatementEffect::Makes(name()));
        check("create temp table if not exists main.\"T1\" (a)", StatementEffect::Makes(name()));
        check("CREATE UNIQUE INDEX t1 ON u(a)", StatementEffect::Makes(name()));
        check("INSERT OR REPLACE INTO T1 VALUES(1)", StatementEffect::Fills(name()));
        check("UPDATE t1 SET a = 1", StatementEffect::Fills(name()));
        check("DELETE FROM t1", StatementEffect::Fills(name()));
        check("DROP VIEW IF EXISTS t1", StatementEffect::Drops(name()));
        for (sql, boundary) in [
            ("BEGIN IMMEDIATE", TransactionBoundary::Begin),
            ("start transaction", TransactionBoundary::Begin),
            ("SAVEPOINT a", TransactionBoundary::Savepoint),
            ("RELEASE a", TransactionBoundary::ToSavepoint),
            ("ROLLBACK TRANSACTION TO SAVEPOINT a", TransactionBoundary::ToSavepoint),
            ("ROLLBACK", TransactionBoundary::End),
            ("\n commit", TransactionBoundary::End),
            ("END TRANSACTION", TransactionBoundary::End),
        ] {
            check(sql, StatementEffect::Bounds(boundary));
            assert!(TransactionBoundary::may_be(sql));
        }
        assert!(!TransactionBoundary::may_be("CREATE TABLE begin(a)") && !TransactionBoundary::may_be("é"));
        check("SELECT 1", StatementEffect::Other);
        check("CREATE", StatementEffect::Other);
        let names = tokens("SELECT t1.a, foo(b) FROM \"order\" JOIN t1").names();
        let mut names: Vec<_> = names.iter().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "b", "order", "t1"]);
    }
}
