//! Extracts features from a syntax tree.

use sqlparser::ast::{
    BinaryOperator, DataType, Distinct, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, GroupByExpr, InTarget, Join, JoinConstraint, JoinOperator, LimitClause,
    NamedWindowDefinition, NamedWindowExpr, ObjectName, OrderByKind, Query, Select, SelectItem, SetExpr,
    SetOperator, SetQuantifier, Statement, TableFactor, TableWithJoins, UnaryOperator, Value, WindowSpec,
    WindowType,
};

use super::{Feature, FeatureBook, number_of};

/// Collects the features of one text.
pub(super) struct FeatureCollector<'b> {
    book: &'b mut FeatureBook,
    features: Vec<Feature>,
}

impl<'b> FeatureCollector<'b> {
    pub(super) fn new(book: &'b mut FeatureBook) -> Self {
        Self { book, features: Vec::new() }
    }

    pub(super) fn end(mut self) -> Vec<Feature> {
        self.features.sort_unstable();
        self.features.dedup();
        self.features
    }

    pub(super) fn add(&mut self, name: &str) {
        self.features.push(number_of(self.book, name));
    }

    pub(super) fn call(&mut self, name: &str) {
        self.add(&format!("{}()", name.to_ascii_uppercase()));
    }

    /// Visits queries and expressions in statements; keywords cover the rest.
    pub(super) fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Query(query) => self.query(query),
            Statement::Insert(insert) => match insert.source.as_deref() {
                Some(source) if matches!(*source.body, SetExpr::Values(_)) => self.set_expr(&source.body),
                Some(source) => self.query(source),
                None => {}
            },
            Statement::Update(update) => {
                update.assignments.iter().for_each(|assignment| self.expr(&assignment.value));
                self.maybe(update.selection.as_ref());
            }
            Statement::Delete(delete) => self.maybe(delete.selection.as_ref()),
            Statement::CreateView(view) => self.query(&view.query),
            Statement::CreateTable(table) => {
                if let Some(query) = &table.query {
                    self.query(query);
                }
            }
            Statement::CreateIndex(index) => self.maybe(index.predicate.as_ref()),
            _ => {}
        }
    }

    fn query(&mut self, query: &Query) {
        if let Some(with) = &query.with {
            self.add(if with.recursive { "WITH RECURSIVE" } else { "WITH" });
            with.cte_tables.iter().for_each(|table| self.query(&table.query));
        }
        self.set_expr(&query.body);
        if let Some(order_by) = &query.order_by {
            self.add("ORDER BY");
            if let OrderByKind::Expressions(terms) = &order_by.kind {
                terms.iter().for_each(|term| self.expr(&term.expr));
            }
        }
        match &query.limit_clause {
            Some(LimitClause::LimitOffset { offset, .. }) => {
                self.add("LIMIT");
                if offset.is_some() {
                    self.add("OFFSET");
                }
            }
            Some(LimitClause::OffsetCommaLimit { .. }) => {
                self.add("LIMIT");
                self.add("OFFSET");
            }
            None => {}
        }
    }

    fn set_expr(&mut self, mut body: &SetExpr) {
        // Long chains nest to the left, so a loop avoids deep recursion.
        while let SetExpr::SetOperation { left, op, set_quantifier, right } = body {
            let all = matches!(set_quantifier, SetQuantifier::All | SetQuantifier::AllByName);
            self.add(match (op, all) {
                (SetOperator::Union, false) => "UNION",
                (SetOperator::Union, true) => "UNION ALL",
                (SetOperator::Intersect, _) => "INTERSECT",
                (SetOperator::Except | SetOperator::Minus, _) => "EXCEPT",
            });
            self.add("a set operation");
            self.set_expr(right);
            body = left;
        }
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::Values(values) => {
                self.add("VALUES");
                values.rows.iter().flat_map(|row| &row.content).for_each(|value| self.expr(value));
            }
            SetExpr::Insert(statement) | SetExpr::Update(statement) | SetExpr::Delete(statement) => {
                self.statement(statement);
            }
            SetExpr::SetOperation { .. } | SetExpr::Merge(_) | SetExpr::Table(_) => {}
        }
    }

    fn select(&mut self, select: &Select) {
        self.add("SELECT");
        match &select.distinct {
            Some(Distinct::Distinct) => self.add("DISTINCT"),
            Some(Distinct::On(_)) => self.add("DISTINCT ON"),
            Some(Distinct::All) => self.add("SELECT ALL"),
            None => {}
        }
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expr)
                | SelectItem::ExprWithAlias { expr, .. }
                | SelectItem::ExprWithAliases { expr, .. } => self.expr(expr),
                SelectItem::QualifiedWildcard(..) | SelectItem::Wildcard(_) => self.add("SELECT *"),
            }
        }
        if select.from.len() > 1 {
            self.add("several tables in FROM");
        }
        select.from.iter().for_each(|table| self.table(table));
        if let Some(selection) = &select.selection {
            self.add("WHERE");
            self.expr(selection);
        }
        match &select.group_by {
            GroupByExpr::Expressions(terms, _) if terms.is_empty() => {}
            GroupByExpr::Expressions(terms, _) => {
                self.add("GROUP BY");
                terms.iter().for_each(|term| self.expr(term));
            }
            GroupByExpr::All(_) => self.add("GROUP BY"),
        }
        for NamedWindowDefinition(_, window) in &select.named_window {
            if let NamedWindowExpr::WindowSpec(window) = window {
                self.window(window);
            }
        }
        if let Some(having) = &select.having {
            self.add("HAVING");
            self.expr(having);
        }
    }

    fn table(&mut self, table: &TableWithJoins) {
        self.factor(&table.relation);
        table.joins.iter().for_each(|join| self.join(join));
    }

    fn join(&mut self, join: &Join) {
        self.factor(&join.relation);
        let (name, constraint) = match &join.join_operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::StraightJoin(constraint) => ("INNER JOIN", Some(constraint)),
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => {
                ("LEFT JOIN", Some(constraint))
            }
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
                ("RIGHT JOIN", Some(constraint))
            }
            JoinOperator::FullOuter(constraint) => ("FULL JOIN", Some(constraint)),
            JoinOperator::CrossJoin(constraint) => ("CROSS JOIN", Some(constraint)),
            _ => ("an uncommon JOIN", None),
        };
        self.add(name);
        match constraint {
            Some(JoinConstraint::On(expr)) => self.expr(expr),
            Some(JoinConstraint::Using(_) | JoinConstraint::UsingAlias(..)) => self.add("JOIN USING"),
            Some(JoinConstraint::Natural) => self.add("NATURAL JOIN"),
            Some(JoinConstraint::None) | None => {}
        }
    }

    fn factor(&mut self, factor: &TableFactor) {
        match factor {
            TableFactor::Derived { subquery, .. } => {
                self.add("subquery in FROM");
                self.query(subquery);
            }
            TableFactor::NestedJoin { table_with_joins, .. } => self.table(table_with_joins),
            TableFactor::Table { args: None, .. } => {}
            _ => self.add("a function in FROM"),
        }
    }

    fn maybe(&mut self, expr: Option<&Expr>) {
        if let Some(expr) = expr {
            self.expr(expr);
        }
    }

    fn expr(&mut self, mut expr: &Expr) {
        // Long chains nest to the left, so a loop avoids deep recursion.
        loop {
            match expr {
                Expr::BinaryOp { left, op, right } => {
                    self.operator(left, op, right);
                    self.expr(right);
                    expr = left;
                }
                Expr::Nested(inner) => expr = inner,
                _ => break,
            }
        }
        match expr {
            Expr::Value(value) => self.value(&value.value),
            Expr::Function(function) => self.function(function),
            Expr::UnaryOp { op, expr } => self.unary(op, expr),
            Expr::Between { expr, negated, low, high } => {
                self.negatable("BETWEEN", *negated);
                [expr, low, high].into_iter().for_each(|expr| self.expr(expr));
            }
            Expr::In { expr, target, negated, .. } => self.in_what(expr, target, *negated),
            Expr::Like { negated, expr, pattern, .. } => self.pattern("LIKE", *negated, expr, pattern),
            Expr::ILike { negated, expr, pattern, .. } => self.pattern("ILIKE", *negated, expr, pattern),
            Expr::RLike { negated, expr, pattern, .. } => self.pattern("REGEXP", *negated, expr, pattern),
            Expr::IsNull(expr) => self.null_test("IS NULL", expr),
            Expr::IsNotNull(expr) => self.null_test("IS NOT NULL", expr),
            Expr::IsTrue(expr) | Expr::IsFalse(expr) => self.one("IS TRUE or FALSE", expr),
            Expr::IsNotTrue(expr) | Expr::IsNotFalse(expr) => self.one("IS NOT TRUE or FALSE", expr),
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
                self.add("IS DISTINCT FROM");
                self.expr(left);
                self.expr(right);
            }
            Expr::Cast { expr, data_type, .. } => self.cast(expr, data_type),
            Expr::Case { operand, conditions, else_result, .. } => {
                self.add("CASE");
                self.maybe(operand.as_deref());
                for when in conditions {
                    self.expr(&when.condition);
                    self.expr(&when.result);
                }
                self.maybe(else_result.as_deref());
            }
            Expr::Exists { subquery, negated } => {
                self.negatable("EXISTS (SELECT)", *negated);
                self.query(subquery);
            }
            Expr::Subquery(query) => {
                self.add("subquery as a value");
                self.query(query);
            }
            Expr::AnyOp { left, right, .. } | Expr::AllOp { left, right, .. } => {
                self.add("ANY or ALL");
                self.expr(left);
                self.expr(right);
            }
            Expr::Collate { expr, .. } => self.one("COLLATE", expr),
            Expr::Ceil { expr, .. } => self.one("CEIL()", expr),
            Expr::Floor { expr, .. } => self.one("FLOOR()", expr),
            Expr::Extract { expr, .. } => self.one("EXTRACT()", expr),
            Expr::Substring { expr, .. } => self.one("SUBSTRING()", expr),
            Expr::Trim { expr, .. } => self.one("TRIM()", expr),
            Expr::Position { expr, .. } => self.one("POSITION()", expr),
            Expr::Tuple(exprs) => {
                self.add("a row value");
                exprs.iter().for_each(|expr| self.expr(expr));
            }
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {}
            _ => self.add("an uncommon expression"),
        }
    }

    fn null_test(&mut self, name: &str, expr: &Expr) {
        self.one(name, expr);
        self.add("IS NULL or IS NOT NULL");
    }

    fn one(&mut self, name: &str, expr: &Expr) {
        self.add(name);
        self.expr(expr);
    }

    /// A defect in one of the forms is often in both, so they share a feature as well.
    fn negatable(&mut self, name: &str, negated: bool) {
        let not_name = format!("NOT {name}");
        self.add(if negated { &not_name } else { name });
        self.add(&format!("{name} or {not_name}"));
    }

    fn pattern(&mut self, name: &str, negated: bool, expr: &Expr, pattern: &Expr) {
        self.negatable(name, negated);
        self.expr(expr);
        self.expr(pattern);
    }

    fn in_what(&mut self, expr: &Expr, target: &InTarget, negated: bool) {
        self.expr(expr);
        match target {
            InTarget::List(list) if list.is_empty() => self.negatable("IN ()", negated),
            InTarget::List(list) => {
                self.negatable("IN (list)", negated);
                list.iter().for_each(|expr| self.expr(expr));
            }
            InTarget::Subquery(query) => {
                self.negatable("IN (SELECT)", negated);
                self.query(query);
            }
            InTarget::Table { .. } | InTarget::Unnest(_) => self.negatable("IN table", negated),
        }
    }

    fn cast(&mut self, expr: &Expr, data_type: &DataType) {
        // Lengths and precisions would make too many features.
        let text = data_type.to_string();
        let name = text.split('(').next().unwrap_or_default().trim().to_ascii_uppercase();
        self.add(&format!("CAST AS {name}"));
        self.add("CAST");
        self.expr(expr);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.add("NULL"),
            Value::Number(digits, _) if digits.contains(['.', 'e', 'E']) => self.add("a number with a point"),
            Value::Number(..) => {}
            Value::SingleQuotedString(_) => self.add("a string"),
            Value::HexStringLiteral(_) => self.add("a blob"),
            Value::Boolean(_) => self.add("TRUE or FALSE"),
            _ => self.add("an uncommon literal"),
        }
    }

    fn unary(&mut self, op: &UnaryOperator, expr: &Expr) {
        match op {
            UnaryOperator::Not => self.add("NOT"),
            op => self.add(&format!("unary {op}")),
        }
        self.expr(expr);
    }

    /// Nearly every query has comparisons, so only their operands are informative.
    fn operator(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) {
        match op {
            BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq => {
                self.add(&format!("operator {op}"));
                if is_column(left) && is_column(right) {
                    self.add("two columns compared");
                }
            }
            BinaryOperator::And => self.add("AND"),
            BinaryOperator::Or => self.add("OR"),
            op => self.add(&format!("operator {op}")),
        }
    }

    fn window(&mut self, window: &WindowSpec) {
        if !window.partition_by.is_empty() {
            self.add("PARTITION BY");
        }
        let terms = window.order_by.iter().map(|term| &term.expr);
        window.partition_by.iter().chain(terms).for_each(|expr| self.expr(expr));
        if let Some(frame) = &window.window_frame {
            self.add(&format!("window frame of {}", frame.units));
            self.add("window frame");
        }
    }

    fn function(&mut self, function: &Function) {
        let name = last_part(&function.name);
        self.call(&name);
        if function.over.is_none() && AGGREGATES.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            self.add("an aggregate function");
        }
        if let Some(over) = &function.over {
            self.add("window (OVER)");
            if let WindowType::WindowSpec(window) = over {
                self.window(window);
            }
        }
        if let Some(filter) = &function.filter {
            self.add("FILTER");
            self.expr(filter);
        }
        match &function.args {
            FunctionArguments::None => {}
            FunctionArguments::Subquery(query) => self.query(query),
            FunctionArguments::List(list) => {
                if list.duplicate_treatment == Some(DuplicateTreatment::Distinct) {
                    self.add("DISTINCT in a call");
                }
                for argument in &list.args {
                    let (FunctionArg::Unnamed(argument)
                    | FunctionArg::Named { arg: argument, .. }
                    | FunctionArg::ExprNamed { arg: argument, .. }) = argument;
                    if let FunctionArgExpr::Expr(expr) = argument {
                        self.expr(expr);
                    }
                }
            }
        }
    }
}

/// Aggregate functions of most engines.
const AGGREGATES: [&str; 8] = ["AVG", "COUNT", "GROUP_CONCAT", "MAX", "MIN", "STRING_AGG", "SUM", "TOTAL"];

fn is_column(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

fn last_part(name: &ObjectName) -> String {
    let part = name.0.last().and_then(|part| part.as_ident());
    part.map_or_else(|| name.to_string(), |ident| ident.value.clone())
}
