//! The constructs that keywords introduce.

use super::book::ConstructKind as Kind;
use super::constructs::{LevelKind, Part, TokenWalk};
use super::keyword::SqlKeyword as K;
use slt_core::outcome::StatementKind;

impl TokenWalk<'_, '_> {
    /// Adds what a keyword introduces.
    pub(super) fn keyword(&mut self, at: usize, keyword: K) {
        match keyword {
            K::Select => self.select(at),
            K::With => self.with(at),
            K::From => self.from(at),
            K::Where
            | K::Having
            | K::Qualify
            | K::Limit
            | K::Offset
            | K::Fetch
            | K::Returning
            | K::Window => {
                self.clause(at, keyword);
            }
            K::Group | K::Order | K::Partition if self.next(at, 1) == Some(K::By) => self.by(keyword),
            K::Rollup | K::Cube => self.add(Kind::Clause, "ROLLUP or CUBE"),
            K::Sets if self.before(at, 1) == Some(K::Grouping) => self.add(Kind::Clause, "GROUPING SETS"),
            K::Union | K::Intersect | K::Except => self.set_operation(at, keyword),
            K::Join => self.join(at),
            K::Lateral => self.add(Kind::Join, "LATERAL"),
            K::Using if self.level().part == Part::From && self.is_open(at + 1) => {
                self.add(Kind::Join, "JOIN USING");
            }
            K::Over => self.add(Kind::Window, "window (OVER)"),
            K::Rows | K::Range | K::Groups if self.level().kind == LevelKind::Over => self.frame(keyword),
            K::Nulls => self.nulls(at),
            K::Filter if self.is_open(at + 1) => self.add(Kind::Window, "FILTER"),
            K::Within => self.add(Kind::Window, "WITHIN GROUP"),
            K::Values => self.values(at),
            K::Into | K::Set | K::Do => {}
            _ => self.expression_or_definition(at, keyword),
        }
    }

    fn expression_or_definition(&mut self, at: usize, keyword: K) {
        match keyword {
            K::Case if self.next(at, 1) == Some(K::When) => self.add(Kind::Expression, "CASE"),
            K::Case => self.add(Kind::Expression, "CASE with an operand"),
            K::As if self.level().kind == LevelKind::Cast => self.cast(at + 1),
            K::Between => {
                self.level().between += 1;
                // Frames of windows are counted by their unit.
                if matches!(self.before(at, 1), Some(K::Rows | K::Range | K::Groups)) {
                    return;
                }
                self.negatable(at, "BETWEEN", "NOT BETWEEN");
            }
            K::Like if self.level().kind != LevelKind::Columns => self.negatable(at, "LIKE", "NOT LIKE"),
            K::Ilike => self.negatable(at, "ILIKE", "NOT ILIKE"),
            K::Glob => self.negatable(at, "GLOB", "NOT GLOB"),
            K::Regexp => self.negatable(at, "REGEXP", "NOT REGEXP"),
            K::Similar => self.negatable(at, "SIMILAR TO", "NOT SIMILAR TO"),
            K::Escape => self.add(Kind::Expression, "ESCAPE"),
            K::Is => self.is(at),
            K::Isnull => self.add(Kind::Expression, "IS NULL"),
            K::Notnull => self.add(Kind::Expression, "IS NOT NULL"),
            K::In => self.in_list(at),
            K::Not => self.not(at),
            K::And if self.level().between > 0 => self.level().between -= 1,
            K::And => self.add(Kind::Operator, "AND"),
            K::Or => self.or(at),
            K::Collate => self.add(Kind::Expression, "COLLATE"),
            K::True | K::False if self.before(at, 1) != Some(K::Is) => {
                self.add(Kind::Expression, "TRUE or FALSE");
            }
            K::Interval => self.add(Kind::Expression, "INTERVAL"),
            K::Array => self.add(Kind::Expression, "ARRAY"),
            K::CurrentDate => self.add(Kind::Function, "CURRENT_DATE"),
            K::CurrentTime => self.add(Kind::Function, "CURRENT_TIME"),
            K::CurrentTimestamp => self.add(Kind::Function, "CURRENT_TIMESTAMP"),
            _ => self.definition(at, keyword),
        }
    }

    fn definition(&mut self, at: usize, keyword: K) {
        let in_table = matches!(self.statement, StatementKind::CreateTable | StatementKind::AlterTable);
        match keyword {
            K::If if self.next(at, 1) == Some(K::Exists) => self.add(Kind::Clause, "IF EXISTS"),
            K::If if self.next(at, 1) == Some(K::Not) => self.add(Kind::Clause, "IF NOT EXISTS"),
            K::Temp | K::Temporary if self.before(at, 1) == Some(K::Create) => {
                self.add(Kind::Definition, "TEMPORARY");
            }
            K::On if self.next(at, 1) == Some(K::Conflict) => self.add(Kind::Clause, "ON CONFLICT"),
            K::On if self.next(at, 1) == Some(K::Duplicate) => self.add(Kind::Clause, "ON DUPLICATE KEY"),
            K::On if in_table && self.next(at, 1) == Some(K::Delete) => {
                self.add(Kind::Definition, "ON DELETE");
            }
            K::On if in_table && self.next(at, 1) == Some(K::Update) => {
                self.add(Kind::Definition, "ON UPDATE");
            }
            K::Default if self.next(at, 1) == Some(K::Values) => self.add(Kind::Clause, "DEFAULT VALUES"),
            K::Default if in_table => self.add(Kind::Definition, "DEFAULT"),
            K::Primary if in_table => self.add(Kind::Definition, "PRIMARY KEY"),
            K::Unique if in_table => self.add(Kind::Definition, "UNIQUE"),
            K::Unique => self.add(Kind::Definition, "unique index"),
            K::References if in_table => self.add(Kind::Definition, "FOREIGN KEY"),
            K::Check if in_table => self.add(Kind::Definition, "CHECK"),
            K::Autoincrement | K::AutoIncrement => self.add(Kind::Definition, "AUTOINCREMENT"),
            K::Generated => self.add(Kind::Definition, "GENERATED"),
            K::Without if in_table => self.add(Kind::Definition, "WITHOUT ROWID"),
            K::Add if self.statement == StatementKind::AlterTable => self.added_column(at),
            K::Rename if self.statement == StatementKind::AlterTable => self.add(Kind::Clause, "RENAME"),
            K::Replace | K::Ignore if self.before(at, 1) == Some(K::Or) => {
                let name = if keyword == K::Replace { "OR REPLACE" } else { "OR IGNORE" };
                self.add(Kind::Clause, name);
            }
            _ => {}
        }
    }

    fn added_column(&mut self, at: usize) {
        let name = if self.next(at, 1) == Some(K::Column) { at + 2 } else { at + 1 };
        self.add(Kind::Clause, "ADD COLUMN");
        self.column(name);
    }

    fn select(&mut self, at: usize) {
        if self.depth() == 0 && at > 0 && self.level().part == Part::Start {
            match self.statement {
                StatementKind::Insert | StatementKind::Replace => {
                    self.add(Kind::Clause, "INSERT with SELECT");
                }
                StatementKind::CreateTable => self.add(Kind::Clause, "CREATE TABLE AS SELECT"),
                _ => {}
            }
        }
        self.level().part = Part::Other;
        match (self.next(at, 1), self.next(at, 2)) {
            (Some(K::Distinct), Some(K::On)) => self.add(Kind::Clause, "DISTINCT ON"),
            (Some(K::Distinct), _) => self.add(Kind::Clause, "DISTINCT"),
            (Some(K::All), _) => self.add(Kind::Clause, "SELECT ALL"),
            _ => {}
        }
    }

    /// Common table expressions, as opposed to `WITH TIME ZONE` and the like.
    fn with(&mut self, at: usize) {
        let is_recursive = self.next(at, 1) == Some(K::Recursive);
        let behind = at + 2 + usize::from(is_recursive);
        if is_recursive || self.next(behind, 0) == Some(K::As) || self.is_open(behind) {
            self.add(Kind::Clause, if is_recursive { "WITH RECURSIVE" } else { "WITH" });
            self.level().part = Part::With;
        }
    }

    fn from(&mut self, at: usize) {
        let is_operator = self.before(at, 1) == Some(K::Distinct);
        if is_operator || self.level().kind == LevelKind::Call {
            return;
        }
        if self.statement == StatementKind::Update && self.depth() == 0 {
            self.add(Kind::Clause, "UPDATE with FROM");
        }
        self.level().part = Part::From;
    }

    fn clause(&mut self, at: usize, keyword: K) {
        self.level().part = Part::Other;
        let name = match keyword {
            // The condition of FILTER.
            K::Where if self.before(at, 2) == Some(K::Filter) => return,
            K::Where => "WHERE",
            K::Having => "HAVING",
            K::Qualify => "QUALIFY",
            K::Limit => "LIMIT",
            K::Offset => "OFFSET",
            K::Fetch => "FETCH",
            K::Returning => "RETURNING",
            _ => "WINDOW",
        };
        self.add(Kind::Clause, name);
    }

    fn by(&mut self, keyword: K) {
        let kind = self.level().kind;
        match (keyword, kind) {
            (K::Group, _) => self.add(Kind::Clause, "GROUP BY"),
            (K::Order, LevelKind::Over) => self.add(Kind::Window, "OVER (ORDER BY)"),
            (K::Order, LevelKind::Call) => self.add(Kind::Expression, "ORDER BY in a call"),
            (K::Order, _) => self.add(Kind::Clause, "ORDER BY"),
            (_, LevelKind::Over) => self.add(Kind::Window, "OVER (PARTITION BY)"),
            _ => {}
        }
        if kind == LevelKind::Plain {
            self.level().part = Part::Other;
        }
    }

    fn set_operation(&mut self, at: usize, keyword: K) {
        let is_all = self.next(at, 1) == Some(K::All);
        let name = match (keyword, is_all) {
            (K::Union, false) => "UNION",
            (K::Union, true) => "UNION ALL",
            (K::Intersect, false) => "INTERSECT",
            (K::Intersect, true) => "INTERSECT ALL",
            (_, false) => "EXCEPT",
            (_, true) => "EXCEPT ALL",
        };
        self.add(Kind::SetOperation, name);
        self.level().part = Part::Other;
    }

    fn join(&mut self, at: usize) {
        let side = match self.before(at, 1) {
            Some(K::Outer) => self.before(at, 2),
            side => side,
        };
        let name = match side {
            Some(K::Left) => "LEFT JOIN",
            Some(K::Right) => "RIGHT JOIN",
            Some(K::Full) => "FULL JOIN",
            Some(K::Cross) => "CROSS JOIN",
            _ => "INNER JOIN",
        };
        self.add(Kind::Join, name);
        if (1..=3).any(|by| self.before(at, by) == Some(K::Natural)) {
            self.add(Kind::Join, "NATURAL JOIN");
        }
    }

    fn frame(&mut self, keyword: K) {
        let name = match keyword {
            K::Rows => "window frame of ROWS",
            K::Range => "window frame of RANGE",
            _ => "window frame of GROUPS",
        };
        self.add(Kind::Window, name);
    }

    fn nulls(&mut self, at: usize) {
        match self.next(at, 1) {
            Some(K::First) => self.add(Kind::Clause, "NULLS FIRST"),
            Some(K::Last) => self.add(Kind::Clause, "NULLS LAST"),
            _ => {}
        }
    }

    fn values(&mut self, at: usize) {
        let is_insert = matches!(self.statement, StatementKind::Insert | StatementKind::Replace);
        if self.before(at, 1) != Some(K::Default) && (self.depth() > 0 || !is_insert) && at > 0 {
            self.add(Kind::Clause, "VALUES in a query");
        }
    }

    fn negatable(&mut self, at: usize, name: &str, negated: &str) {
        // Functions of these names have their arguments behind them.
        let is_negated = self.before(at, 1) == Some(K::Not);
        if is_negated || self.follows_operand(at) || !self.is_open(at + 1) {
            self.add(Kind::Expression, if is_negated { negated } else { name });
        }
    }

    fn is(&mut self, at: usize) {
        let (negated, what) = match self.next(at, 1) {
            Some(K::Not) => (true, self.next(at, 2)),
            what => (false, what),
        };
        let name = match (what, negated) {
            (Some(K::Null), false) => "IS NULL",
            (Some(K::Null), true) => "IS NOT NULL",
            (Some(K::Distinct), false) => "IS DISTINCT FROM",
            (Some(K::Distinct), true) => "IS NOT DISTINCT FROM",
            (Some(K::True | K::False), _) => "IS TRUE or FALSE",
            (_, false) => "IS",
            (_, true) => "IS NOT",
        };
        self.add(Kind::Expression, name);
    }

    fn in_list(&mut self, at: usize) {
        if self.is_open(at + 1) && self.starts_query(at + 2) {
            // The parenthesis adds the subquery.
            return;
        }
        let negated = self.before(at, 1) == Some(K::Not);
        let name = match (self.is_open(at + 1), negated) {
            (true, false) => "IN (list)",
            (true, true) => "NOT IN (list)",
            (false, false) => "IN table",
            (false, true) => "NOT IN table",
        };
        self.add(Kind::Expression, name);
    }

    fn not(&mut self, at: usize) {
        let is_part = matches!(
            self.next(at, 1),
            Some(
                K::In
                    | K::Between
                    | K::Like
                    | K::Ilike
                    | K::Glob
                    | K::Regexp
                    | K::Similar
                    | K::Exists
                    | K::Null
            )
        );
        let in_columns =
            self.level().kind == LevelKind::Columns || self.statement == StatementKind::AlterTable;
        if in_columns && self.next(at, 1) == Some(K::Null) {
            self.add(Kind::Definition, "NOT NULL");
        } else if !is_part && !matches!(self.before(at, 1), Some(K::Is | K::If)) {
            self.add(Kind::Operator, "NOT");
        }
    }

    fn or(&mut self, at: usize) {
        if !matches!(self.before(at, 1), Some(K::Insert | K::Update | K::Create)) {
            self.add(Kind::Operator, "OR");
        }
    }
}
