//! Finds the constructs of SQL by its tokens, for any dialect, and for SQL that no parser accepts.

use super::book::{ConstructBook, ConstructId, ConstructKind};
use super::keyword::SqlKeyword as K;
use super::lexer::{SqlLexer, SqlToken, TokenKind};
use slt_core::outcome::StatementKind;

/// A token with its keyword.
#[derive(Debug, Clone, Copy)]
struct KnownToken<'s> {
    token: SqlToken<'s>,
    keyword: Option<K>,
}

/// The part of a statement that the tokens of a level belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Before the first keyword.
    Start,
    /// The names of common table expressions.
    With,
    From,
    Other,
}

/// The meaning of a pair of parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LevelKind {
    /// The statement itself, a subquery or a group.
    Plain,
    Call,
    /// The window behind OVER or of WINDOW.
    Over,
    Cast,
    /// The columns of CREATE TABLE.
    Columns,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    pub(super) kind: LevelKind,
    pub(super) part: Part,
    /// The number of BETWEEN without their AND.
    pub(super) between: u32,
}

impl Level {
    fn new(kind: LevelKind) -> Self {
        Self { kind, part: Part::Start, between: 0 }
    }
}

/// Collects the constructs of one text after the other.
#[derive(Default)]
pub(super) struct ConstructFinder {
    pub(super) book: ConstructBook,
    found: Vec<ConstructId>,
    name: String,
}

impl ConstructFinder {
    /// Returns the constructs of a record's SQL, each once.
    pub(super) fn constructs(&mut self, sql: &[u8]) -> &[ConstructId] {
        self.found.clear();
        let known = |token: SqlToken<'_>| {
            let is_word = token.kind == TokenKind::Word;
            is_word.then(|| K::from_word(token.text)).flatten()
        };
        let tokens = SqlLexer::new(sql).map(|token| KnownToken { token, keyword: known(token) });
        let tokens: Vec<_> = tokens.collect();
        let statement = StatementKind::from_sql(sql);
        self.add(ConstructKind::Statement, statement.as_str());
        TokenWalk { finder: self, tokens: &tokens, statement, levels: vec![Level::new(LevelKind::Plain)] }
            .walk();
        self.found.sort_unstable();
        self.found.dedup();
        &self.found
    }

    fn add(&mut self, kind: ConstructKind, name: &str) {
        let id = self.book.id(kind, name);
        self.found.push(id);
    }

    /// Adds a construct whose name has the parts of SQL between other text, in upper case.
    fn add_named(&mut self, kind: ConstructKind, parts: [&str; 2], words: &[&[u8]]) {
        let mut name = std::mem::take(&mut self.name);
        name.clear();
        name.push_str(parts[0]);
        for (place, word) in words.iter().enumerate() {
            if place > 0 {
                name.push(' ');
            }
            name.extend(String::from_utf8_lossy(word).chars().map(|letter| letter.to_ascii_uppercase()));
        }
        name.push_str(parts[1]);
        self.add(kind, &name);
        self.name = name;
    }
}

/// The walk through the tokens of one text.
pub(super) struct TokenWalk<'f, 's> {
    finder: &'f mut ConstructFinder,
    tokens: &'f [KnownToken<'s>],
    pub(super) statement: StatementKind,
    levels: Vec<Level>,
}

impl<'s> TokenWalk<'_, 's> {
    fn walk(mut self) {
        for at in 0..self.tokens.len() {
            let KnownToken { token, keyword } = self.tokens[at];
            match (token.kind, keyword) {
                (TokenKind::Open, _) => self.open(at),
                (TokenKind::Close, _) if self.levels.len() > 1 => {
                    self.levels.pop();
                }
                (TokenKind::Comma, _) => self.comma(at),
                (TokenKind::Blob, _) => self.add(ConstructKind::Expression, "blob literal"),
                (TokenKind::Operator, _) => self.operator(at),
                (TokenKind::Word, Some(keyword)) => self.keyword(at, keyword),
                (TokenKind::Word, None) => self.word(at),
                _ => {}
            }
        }
    }

    pub(super) fn add(&mut self, kind: ConstructKind, name: &str) {
        self.finder.add(kind, name);
    }

    pub(super) fn level(&mut self) -> &mut Level {
        // The first level is never removed.
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    fn keyword_at(&self, at: Option<usize>) -> Option<K> {
        self.tokens.get(at?)?.keyword
    }

    fn kind_at(&self, at: Option<usize>) -> Option<TokenKind> {
        Some(self.tokens.get(at?)?.token.kind)
    }

    /// Returns the keyword some tokens further.
    pub(super) fn next(&self, at: usize, by: usize) -> Option<K> {
        self.keyword_at(Some(at + by))
    }

    /// Returns the keyword some tokens before.
    pub(super) fn before(&self, at: usize, by: usize) -> Option<K> {
        self.keyword_at(at.checked_sub(by))
    }

    pub(super) fn is_open(&self, at: usize) -> bool {
        self.kind_at(Some(at)) == Some(TokenKind::Open)
    }

    fn is_definition(&self) -> bool {
        matches!(
            self.statement,
            StatementKind::CreateTable
                | StatementKind::CreateIndex
                | StatementKind::CreateView
                | StatementKind::CreateTrigger
                | StatementKind::Create
        )
    }

    fn open(&mut self, at: usize) {
        let kind = match self.before(at, 1) {
            Some(K::Over) => LevelKind::Over,
            Some(K::Cast | K::TryCast) => LevelKind::Cast,
            Some(K::As) if self.level().part == Part::Other && self.next(at, 1).is_some_and(is_of_window) => {
                LevelKind::Over
            }
            _ if self.starts_query(at + 1) => {
                self.subquery(at);
                LevelKind::Plain
            }
            _ if self.starts_columns(at) => {
                self.column(at + 1);
                LevelKind::Columns
            }
            _ if self.is_call(at) => {
                self.call(at);
                LevelKind::Call
            }
            _ => LevelKind::Plain,
        };
        self.levels.push(Level::new(kind));
    }

    pub(super) fn starts_query(&self, at: usize) -> bool {
        matches!(self.keyword_at(Some(at)), Some(K::Select | K::With))
    }

    fn starts_columns(&self, at: usize) -> bool {
        self.statement == StatementKind::CreateTable
            && self.levels.len() == 1
            && self.levels[0].part == Part::Start
            // Other parentheses follow keywords such as WITH.
            && self.before(at, 1).is_none()
            && matches!(self.kind_at(at.checked_sub(1)), Some(TokenKind::Word | TokenKind::Name))
    }

    fn subquery(&mut self, at: usize) {
        let mut outer = at;
        while outer.checked_sub(1).is_some_and(|before| self.is_open(before)) {
            outer -= 1;
        }
        // A query in several parentheses is in the part of the outermost.
        let depth = self.levels.len() - 1 - (at - outer).min(self.levels.len() - 1);
        let in_from = self.levels[depth].part == Part::From;
        let negated = self.before(outer, 2) == Some(K::Not);
        let name = match self.before(outer, 1) {
            Some(K::In) if negated => "NOT IN (SELECT)",
            Some(K::In) => "IN (SELECT)",
            Some(K::Exists) if negated => "NOT EXISTS (SELECT)",
            Some(K::Exists) => "EXISTS (SELECT)",
            Some(K::All) if matches!(self.before(outer, 2), Some(K::Union | K::Intersect | K::Except)) => {
                return;
            }
            Some(K::Any | K::All | K::Some) => "ANY or ALL (SELECT)",
            Some(K::From | K::Join | K::Lateral) => "subquery in FROM",
            Some(K::As | K::Materialized | K::Union | K::Intersect | K::Except | K::Array) => return,
            None if in_from && self.kind_at(outer.checked_sub(1)) == Some(TokenKind::Comma) => {
                "subquery in FROM"
            }
            // `INSERT INTO t (SELECT …)`, and the statement itself in parentheses.
            None if depth == 0 && self.levels[0].part == Part::Start => return,
            _ => "subquery as a value",
        };
        self.add(ConstructKind::Subquery, name);
    }

    /// Returns the place of the first part of a name such as `a.b` that ends at `last`.
    fn start_of_name(&self, last: usize) -> usize {
        let mut start = last;
        while start >= 2 && self.kind_at(Some(start - 1)) == Some(TokenKind::Dot) {
            start -= 2;
        }
        start
    }

    /// Returns whether the parenthesis follows the name of a function.
    fn is_call(&self, at: usize) -> bool {
        let Some(name) = at.checked_sub(1) else { return false };
        let is_name = match self.tokens[name] {
            // An operator such as LIKE may have parentheses behind it, too.
            KnownToken { keyword: Some(keyword), .. } => {
                keyword.may_be_function()
                    && !self.follows_operand(name)
                    && self.before(name, 1) != Some(K::Not)
            }
            KnownToken { token, .. } => matches!(token.kind, TokenKind::Word | TokenKind::Name),
        };
        let start = self.start_of_name(name);
        let level = self.levels[self.levels.len() - 1];
        let names_a_thing = match self.before(start, 1) {
            Some(
                K::Into | K::Table | K::References | K::View | K::Index | K::As | K::Constraint | K::Key,
            ) => true,
            Some(K::Exists) => self.is_definition(),
            _ => false,
        };
        let is_type = start > 0 && self.tokens[start - 1].token.text == b"::";
        let is_head = self.levels.len() == 1 && level.part == Part::Start && self.is_definition();
        is_name
            && !names_a_thing
            && !is_type
            && !is_head
            && level.kind != LevelKind::Columns
            && level.part != Part::With
    }

    fn call(&mut self, at: usize) {
        let name = self.tokens[at - 1].token;
        let start = self.start_of_name(at - 1);
        let text = if name.kind == TokenKind::Name { unquoted(name.text) } else { name.text };
        self.finder.add_named(ConstructKind::Function, ["", "()"], &[text]);
        if self.next(at, 1) == Some(K::Distinct) {
            self.finder.add_named(ConstructKind::Function, ["", "(DISTINCT)"], &[text]);
        }
        let is_table = matches!(self.before(start, 1), Some(K::From | K::Join | K::Lateral))
            || (self.level().part == Part::From
                && self.kind_at(start.checked_sub(1)) == Some(TokenKind::Comma));
        if is_table {
            self.add(ConstructKind::Clause, "function in FROM");
        }
    }

    fn comma(&mut self, at: usize) {
        match *self.level() {
            Level { kind: LevelKind::Columns, .. } => self.column(at + 1),
            Level { part: Part::From, kind: LevelKind::Plain, .. } => {
                self.add(ConstructKind::Join, "several tables in FROM");
            }
            _ => {}
        }
    }

    /// Adds the type of the column that is defined at a place.
    pub(super) fn column(&mut self, at: usize) {
        let constraints = [
            K::Primary,
            K::Unique,
            K::Foreign,
            K::Check,
            K::Constraint,
            K::Key,
            K::Index,
            K::Like,
            K::Exclude,
        ];
        if self.keyword_at(Some(at)).is_some_and(|keyword| constraints.contains(&keyword)) {
            return;
        }
        if matches!(self.kind_at(Some(at)), Some(TokenKind::Word | TokenKind::Name)) {
            match self.type_at(at + 1) {
                Some(words) => self.finder.add_named(ConstructKind::Type, ["column type ", ""], &words),
                None => self.add(ConstructKind::Type, "column without a type"),
            }
        }
    }

    /// Returns the words of a type.
    fn type_at(&self, at: usize) -> Option<Vec<&'s [u8]>> {
        let first = self.tokens.get(at)?;
        let may_be =
            first.keyword.is_none_or(|keyword| matches!(keyword, K::Interval | K::Row | K::Unsigned));
        if first.token.kind != TokenKind::Word || !may_be {
            return None;
        }
        let mut words = vec![first.token.text];
        let more = self.tokens.get(at + 1).filter(|token| {
            matches!(token.keyword, Some(K::Precision | K::Varying | K::Unsigned))
                || (first.keyword == Some(K::Unsigned) && token.token.kind == TokenKind::Word)
        });
        words.extend(more.map(|token| token.token.text));
        Some(words)
    }

    pub(super) fn cast(&mut self, at: usize) {
        if let Some(words) = self.type_at(at) {
            self.add(ConstructKind::Expression, "CAST");
            self.finder.add_named(ConstructKind::Type, ["CAST AS ", ""], &words);
        }
    }

    fn operator(&mut self, at: usize) {
        let text = self.tokens[at].token.text;
        let follows_value = self.follows_operand(at);
        match text {
            b"::" => self.cast(at + 1),
            b"[" | b"]" | b"{" | b"}" => {}
            b"*" if !follows_value => {
                let in_select = matches!(self.before(at, 1), Some(K::Select | K::Distinct | K::All));
                if in_select || self.kind_at(at.checked_sub(1)) == Some(TokenKind::Dot) {
                    self.add(ConstructKind::Expression, "SELECT *");
                } else if self.level().kind == LevelKind::Call && at >= 2 {
                    let name = self.tokens[at - 2].token.text;
                    self.finder.add_named(ConstructKind::Function, ["", "(*)"], &[name]);
                }
            }
            // The sign of a number is not an operator.
            b"-" | b"+" if !follows_value && self.kind_at(Some(at + 1)) == Some(TokenKind::Number) => {}
            _ => {
                let before = if follows_value { "operator " } else { "unary " };
                self.finder.add_named(ConstructKind::Operator, [before, ""], &[text]);
            }
        }
    }

    /// Returns whether a value ends before a token.
    pub(super) fn follows_operand(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1).and_then(|before| self.tokens.get(before)) else { return false };
        match before.token.kind {
            TokenKind::Word => before.keyword.is_none_or(K::is_value),
            TokenKind::Operator => before.token.text == b"]",
            TokenKind::Open | TokenKind::Comma | TokenKind::Semicolon | TokenKind::Dot => false,
            _ => true,
        }
    }

    /// Returns the number of parentheses around a token.
    pub(super) fn depth(&self) -> usize {
        self.levels.len() - 1
    }

    fn word(&mut self, at: usize) {
        let text = self.tokens[at].token.text;
        let dated: [&[u8]; 4] = [b"DATE", b"TIME", b"TIMESTAMP", b"TIMESTAMPTZ"];
        if self.kind_at(Some(at + 1)) == Some(TokenKind::Text)
            && dated.iter().any(|known| text.eq_ignore_ascii_case(known))
        {
            self.finder.add_named(ConstructKind::Expression, ["", " literal"], &[text]);
        }
    }
}

/// Returns whether the keyword may be the first of a window.
fn is_of_window(keyword: K) -> bool {
    matches!(keyword, K::Partition | K::Order | K::Rows | K::Range | K::Groups)
}

fn unquoted(name: &[u8]) -> &[u8] {
    match name {
        [_, inside @ .., _] => inside,
        _ => name,
    }
}
