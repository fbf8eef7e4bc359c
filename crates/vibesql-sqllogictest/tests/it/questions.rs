//! Random questions over generated histories: `query` gives the rows that SQLite gives over the whole export, whichever
//! columns it has loaded, and whatever VibeSQL makes of the question.

use std::time::Duration;

use vibesql_sqllogictest::engine::Session;
use vibesql_sqllogictest::engines;
use vibesql_sqllogictest::results::ResultsFolder;
use vibesql_sqllogictest::results::ask::format::{AnswerFormat, to_text};
use vibesql_sqllogictest::results::ask::{
    Answer, AskCommand, AskLimits, Asker, DisagreementEffort, EngineName, HistorySelection, QueryTarget,
    ResultsSource, plan, views::VIEWS,
};
use vibesql_sqllogictest::results::store::{Cell, HistoryWindow, schema::TABLES};

use crate::ask::limits;
use crate::dump::Taken;
use crate::histories::{Numbers, runs};
use crate::sandbox::Sandbox;
use crate::support::session;

/// A history, and all of it in SQLite.
struct History {
    sandbox: Sandbox,
    all: Box<dyn Session>,
    asked: usize,
}

impl History {
    fn new(seed: u64) -> Self {
        let sandbox = Sandbox::new();
        runs(seed, 3, 5).iter().for_each(|run| run.write(&sandbox.path().join("results")));
        sandbox.write("file", "");
        let sql = sandbox.run("--results results store export --format sql --output -").stdout;
        let mut all = session(engines::builtin().make("sqlite").unwrap().as_ref());
        all.execute(sql.as_bytes(), &mut Taken::default()).unwrap();
        Self { sandbox, all, asked: 0 }
    }

    fn asker(&self) -> Asker {
        let results = self.sandbox.path().join("results").into_os_string();
        let program = env!("CARGO_BIN_EXE_vibesql-sqllogictest").into();
        let child = AskCommand { program, arguments: vec!["--results".into(), results, "ask".into()] };
        let limits = AskLimits { timeout: Duration::from_secs(10), ..limits() };
        Asker::new([child.clone(), child], limits)
    }

    /// Asks; false if SQLite does not accept the statement.
    fn agrees(&mut self, sql: &str, asker: &mut Asker) -> bool {
        let mut expected = Taken::default();
        if self.all.execute(sql.as_bytes(), &mut expected).is_err() {
            return false;
        }
        let plan = plan(sql).unwrap_or_else(|error| panic!("{sql}\n{error}"));
        // All runs, and another part of the history each time: the child then loads what this statement needs.
        self.asked += 1;
        let reading = HistorySelection { window: HistoryWindow::Last(1000 + self.asked), engine: None };
        let results = ResultsSource(ResultsFolder::new(self.sandbox.path().join("results")));
        // Nothing can be kept below a file.
        let folder = self.sandbox.path().join("file/folder");
        let effort = DisagreementEffort { check: true, folder: &folder, reducing: Duration::ZERO, now: 0 };
        let about = QueryTarget::Results(&reading, &results);
        if let Ok(alone) = asker.ask(&plan, about, DisagreementEffort { check: false, ..effort }) {
            is_shown(sql, &alone.answer);
        }
        let asked = asker.ask(&plan, about, effort).unwrap_or_else(|error| panic!("{sql}\n{error}"));
        assert_eq!(asked.from, EngineName::Sqlite, "{sql}\n{:?}", asked.unconfirmed);
        is_shown(sql, &asked.answer);
        assert_eq!(sorted(asked.answer.rows), sorted(expected.0), "{sql}\n{:?}", plan.wanted);
        true
    }
}

/// Each row has a value for each column, and every format can be written.
fn is_shown(sql: &str, answer: &Answer) {
    assert!(answer.rows.iter().all(|row| row.len() == answer.columns.len()), "{sql}\n{answer:?}");
    for format in [
        AnswerFormat::Table,
        AnswerFormat::Csv,
        AnswerFormat::Json,
        AnswerFormat::Jsonl,
        AnswerFormat::Markdown,
    ] {
        drop(to_text(answer, format));
    }
}

fn sorted(rows: Vec<Vec<Cell>>) -> Vec<String> {
    let mut rows: Vec<_> = rows.iter().map(|row| format!("{row:?}")).collect();
    rows.sort();
    rows
}

/// Each construct whose columns are not spelled where they are read.
const CONSTRUCTS: &[&str] = &[
    "SELECT count(*) FROM test_results NATURAL JOIN test_runs",
    "SELECT status FROM test_results NATURAL LEFT JOIN test_files",
    "SELECT count(*) FROM test_results JOIN test_runs USING (run_id)",
    "SELECT count(*) FROM test_results JOIN test_runs USING (\"RUN_ID\")",
    "SELECT r.status FROM test_results r FULL JOIN test_files f USING (file_path, status)",
    "WITH c(x) AS (SELECT 1) SELECT count(*) FROM c",
    "WITH c AS (SELECT 1) SELECT count(*) FROM c",
    "WITH c AS (SELECT * FROM test_runs) SELECT count(*) FROM c NATURAL JOIN test_results",
    "WITH c(a, b, d) AS (SELECT run_id, file_path, status FROM test_results) SELECT b FROM c WHERE d = 'PASS'",
    "WITH test_files(status) AS (SELECT file_path FROM test_results) SELECT * FROM test_files",
    "WITH latest_run_summary AS (SELECT 7 AS seven) SELECT count(*) FROM latest_run_summary",
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 9) SELECT count(*) FROM c, test_runs",
    "SELECT count(*) FROM (SELECT * FROM test_results) NATURAL JOIN (SELECT * FROM test_runs)",
    "SELECT count(*) FROM (SELECT t.* FROM test_results t)",
    "SELECT t.run_id FROM test_runs t WHERE EXISTS (SELECT * FROM test_results WHERE run_id = t.run_id)",
    "SELECT (SELECT max(status) FROM test_results WHERE run_id = test_runs.run_id) FROM test_runs",
    "SELECT [file_path], `status`, \"category\" FROM 'test_results' ORDER BY 2, 1, 3",
    "SELECT \"no such column\" FROM test_runs",
    "SELECT run_id, name FROM test_runs WHERE (run_id, name) IN (SELECT r.run_id, name FROM test_results r, test_runs)",
    "SELECT status AS run_id, run_id AS status FROM test_results ORDER BY run_id, status",
    "SELECT category, count(*) FROM test_files GROUP BY 1 HAVING count(*) > 0 ORDER BY 2 DESC, 1",
    "SELECT test_runs.rowid, _rowid_, oid FROM test_runs",
    "SELECT value, key FROM json_each('[1, 2]') JOIN test_runs",
    "SELECT value FROM test_runs, json_each('[' || run_id || ']')",
    "SELECT rank() OVER w FROM test_results WINDOW w AS (PARTITION BY run_id ORDER BY file_path)",
    "SELECT max(duration_ms) FILTER (WHERE status = 'PASS') OVER (ORDER BY run_id) FROM test_results",
    "SELECT run_id FROM test_runs UNION SELECT run_id FROM test_results EXCEPT SELECT 1 ORDER BY 1",
    "SELECT count(*) FROM failure_patterns NATURAL JOIN test_runs",
    "SELECT count(*) FROM fix_opportunities JOIN failure_examples ON pattern = error_pattern",
    "SELECT a.run_id, b.run_id FROM test_runs a, test_runs b WHERE a.run_id < b.run_id",
    "SELECT main.test_runs.run_id FROM main.test_runs",
    "SELECT count(*) FROM test_runs WHERE run_id * 2 > 3",
    "SELECT DISTINCT * FROM test_runs JOIN (test_results NATURAL JOIN file_stats) USING (run_id)",
    "VALUES (1, 'a'), (2, 'b')",
    "SELECT column1 FROM (VALUES (1), (2))",
    "SELECT count(*) FROM slow_records WHERE (run_id, file_path, line, duration_ms, sql, file_id) IN slow_records",
    "SELECT count(*) FROM test_runs WHERE (1, 2, 3, 4, 5, 6) NOT IN main.\"slow_records\"",
    "SELECT count(*) FILTER (WHERE status = 'PASS') FROM test_results WHERE date(tested_at) < date('now', '+9 years')",
    "SELECT s.* FROM (SELECT r.*, 1 AS e FROM slow_records r) s",
    "SELECT s.* FROM (SELECT r.*, date('now') > '2000' AS e FROM slow_records r) s",
];

#[test]
fn each_construct_is_answered_as_by_sqlite_over_the_export() {
    let mut history = History::new(1);
    let mut asker = history.asker();
    for sql in CONSTRUCTS {
        assert!(history.agrees(sql, &mut asker), "SQLite does not accept: {sql}");
    }
}

fn rounds() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a soak test is wanted by its environment")]
    std::env::var("SLT_SOAK_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3)
}

#[test]
fn random_questions_are_answered_as_by_sqlite_over_the_export() {
    const QUESTIONS: u64 = 100;
    for seed in 1..=rounds() {
        let mut history = History::new(seed);
        let mut asker = history.asker();
        let mut author = Author { numbers: Numbers::new(seed), named: 0, tables: Vec::new() };
        let accepted =
            (0..QUESTIONS).filter(|_| history.agrees(&author.question(), &mut asker)).count() as u64;
        assert!(accepted > QUESTIONS * 8 / 10, "{seed}: SQLite accepts only {accepted} of {QUESTIONS}");
    }
}

/// What stands in FROM.
#[derive(Clone)]
struct From {
    sql: String,
    /// The name before its columns.
    name: String,
    columns: Vec<String>,
    has_rowid: bool,
}

/// Writes questions.
struct Author {
    numbers: Numbers,
    /// How many aliases there are.
    named: usize,
    /// The common table expressions of this question, with their columns.
    tables: Vec<(String, Vec<String>)>,
}

impl Author {
    fn below(&mut self, end: u64) -> u64 {
        self.numbers.below(end)
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize].clone()
    }

    /// A name in some case, in some quotes or none.
    fn quoted(&mut self, name: &str) -> String {
        let name = if self.below(5) == 0 { name.to_uppercase() } else { name.to_owned() };
        let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        match self.below(if plain { 9 } else { 3 }) {
            0 => format!("\"{name}\""),
            1 => format!("`{name}`"),
            2 => format!("[{name}]"),
            _ => name,
        }
    }

    fn alias(&mut self) -> String {
        self.named += 1;
        let named = self.named;
        match self.below(6) {
            // The name of a column, or one that needs quotes.
            0 => format!("status{named}"),
            1 => format!("{named} of; 'them' -- "),
            _ => format!("t{named}"),
        }
    }

    fn column(&mut self, from: &From) -> String {
        let column = self.one(&from.columns);
        let column = self.quoted(&column);
        format!("{}.{column}", self.quoted(&from.name))
    }

    /// A question with all that may stand around it.
    fn question(&mut self) -> String {
        (self.named, self.tables) = (0, Vec::new());
        let mut with = Vec::new();
        for _ in 0..[0, 0, 1, 2][self.below(4) as usize] {
            with.push(self.with());
        }
        let (sql, width) = self.select(2);
        let (sql, width) = match self.below(6) {
            0 => {
                let word = self.one(&["UNION", "UNION ALL", "EXCEPT", "INTERSECT"]);
                let (other, _) = self.few(width);
                (format!("{sql} {word} {other}"), width)
            }
            _ => (sql, width),
        };
        let places: Vec<_> = (1..=width).map(|place| place.to_string()).collect();
        let end = match self.below(4) {
            0 => format!(" ORDER BY {}", self.one(&places)),
            1 => format!(" ORDER BY {} LIMIT 5 OFFSET 1", places.join(", ")),
            _ => String::new(),
        };
        let comment = self.one(&["", "", " -- a * comment; \n", " /* 'not text */ "]);
        match with.is_empty() {
            true => format!("{sql}{comment}{end}"),
            false => {
                let recursive = self.one(&["", "RECURSIVE "]);
                let recursive =
                    if with.join("").contains("UNION ALL SELECT i") { "RECURSIVE " } else { recursive };
                format!("WITH {recursive}{} {sql}{comment}{end}", with.join(", "))
            }
        }
    }

    /// A common table expression, which may have the name of a table or of a view.
    fn with(&mut self) -> String {
        let names = ["c", "test_files", "test_runs", "failure_patterns", "my * table"];
        let name = self.one(&names).to_owned();
        let written = self.quoted(&name);
        if self.below(4) == 0 && self.tables.iter().all(|(known, _)| *known != name) {
            self.tables.push((name, vec!["i".to_owned()]));
            return format!("{written}(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM {written} WHERE i < 4)");
        }
        // Its own name would be the table itself.
        let from = loop {
            let from = self.table();
            if !from.sql.to_lowercase().contains(&name) {
                break from;
            }
        };
        let column = self.column(&from);
        let (sql, columns) = match self.below(3) {
            0 => (format!("SELECT * FROM {}", from.sql), from.columns),
            1 => (format!("SELECT {column} AS x, 1 AS run_id FROM {}", from.sql), names_of("x run_id")),
            _ => (format!("SELECT count(*), max({column}) FROM {}", from.sql), Vec::new()),
        };
        let listed = columns.is_empty() || columns.len() == 2 && self.below(2) == 0;
        let columns = if listed { names_of("file_path status") } else { columns };
        let list = if listed { "(file_path, status)" } else { "" };
        if self.tables.iter().all(|(known, _)| *known != name) {
            self.tables.push((name, columns));
        }
        format!("{written}{list} AS ({sql})")
    }

    /// The name of a table, a view or a common table expression, as it may be written, with its columns.
    fn named_table(&mut self) -> (String, String, Vec<String>, bool) {
        let tables = TABLES.iter().map(|table| {
            (table.name.to_owned(), table.columns.iter().map(|column| column.name.to_owned()).collect(), true)
        });
        let views = VIEWS.iter().map(|view| {
            (view.name.to_owned(), view.columns.iter().map(|column| (*column).to_owned()).collect(), false)
        });
        let mut known: Vec<(String, Vec<String>, bool)> = tables.chain(views).collect();
        known.retain(|(name, ..)| self.tables.iter().all(|(shadow, _)| shadow != name));
        // They are wanted more often than each of the others.
        for _ in 0..3 {
            known.extend(self.tables.iter().map(|(name, columns)| (name.clone(), columns.clone(), false)));
        }
        let (table, columns, has_rowid) = self.one(&known);
        let written = match self.below(9) {
            0 if !table.contains('*') => format!("'{table}'"),
            _ => self.quoted(&table),
        };
        (written, table, columns, has_rowid)
    }

    /// A table, a view or a common table expression.
    fn table(&mut self) -> From {
        let (written, table, columns, has_rowid) = self.named_table();
        if self.below(3) == 0 {
            return From { sql: written, name: table, columns, has_rowid };
        }
        let name = self.alias();
        let word = self.one(&["AS ", ""]);
        From { sql: format!("{written} {word}{}", self.quoted(&name)), name, columns, has_rowid }
    }

    /// Anything that can stand in FROM and is no join.
    fn single(&mut self, depth: u64) -> From {
        let name = self.alias();
        let written = self.quoted(&name);
        let (sql, columns) = match self.below(if depth == 0 { 6 } else { 12 }) {
            0..=3 => return self.table(),
            4 => ("json_each('[1, 2, [3]]')".to_owned(), names_of("key value")),
            5 => ("(VALUES (1, 'a'), (2, 'PASS'))".to_owned(), names_of("column1 column2")),
            6 => {
                let inner = self.single(depth - 1);
                (format!("(SELECT * FROM {})", inner.sql), inner.columns)
            }
            7 => {
                let inner = self.single(depth - 1);
                let star = self.quoted(&inner.name);
                // The same at any time.
                let more = self.one(&["", ", 1 AS e", ", date('now') > '2000' AS e"]);
                let mut columns = inner.columns;
                if !more.is_empty() && !columns.contains(&"e".to_owned()) {
                    columns.push("e".to_owned());
                }
                (format!("(SELECT {star}.*{more} FROM {})", inner.sql), columns)
            }
            8 => {
                let inner = self.single(depth - 1);
                let column = self.column(&inner);
                let sql =
                    format!("(SELECT {column} AS status, count(*) AS run_id FROM {} GROUP BY 1)", inner.sql);
                (sql, names_of("status run_id"))
            }
            9 => {
                let (one, columns) = self.few(2);
                let word = self.one(&["UNION", "UNION ALL", "EXCEPT", "INTERSECT"]);
                (format!("({one} {word} {})", self.few(2).0), columns)
            }
            10 => {
                let inner = self.single(depth - 1);
                let column = self.column(&inner);
                let sql = format!("(WITH file_stats(line, name) AS (SELECT {column}, 1 FROM {}) ", inner.sql);
                (format!("{sql}SELECT * FROM file_stats)"), names_of("line name"))
            }
            _ => {
                let (join, _, columns) = self.join(0);
                (format!("(SELECT * FROM {join} LIMIT 1000)"), columns)
            }
        };
        From { sql: format!("{sql} AS {written}"), name, columns, has_rowid: false }
    }

    /// A simple SELECT with so many columns, and their names.
    fn few(&mut self, width: usize) -> (String, Vec<String>) {
        let from = self.table();
        let columns: Vec<_> = (0..width).map(|_| self.one(&from.columns)).collect();
        let written: Vec<_> = columns.iter().map(|column| self.quoted(column)).collect();
        (format!("SELECT {} FROM {}", written.join(", "), from.sql), columns)
    }

    /// Two sources, how they are joined, and the columns of `*`.
    fn join(&mut self, depth: u64) -> (String, Vec<From>, Vec<String>) {
        let (one, two) = (self.single(depth), self.single(depth));
        let common: Vec<_> =
            one.columns.iter().filter(|column| two.columns.contains(column)).cloned().collect();
        let kind = self.one(&["JOIN", "LEFT JOIN", "INNER JOIN", "RIGHT JOIN", "FULL OUTER JOIN"]);
        let [left, right] = [&one, &two].map(|from| self.column(from));
        let (sql, merged) = match self.below(5) {
            0 | 1 => (format!("{} NATURAL {kind} {}", one.sql, two.sql), common),
            2 if !common.is_empty() => {
                let column = self.one(&common);
                let written = self.quoted(&column);
                (format!("{} {kind} {} USING ({written})", one.sql, two.sql), vec![column])
            }
            3 => (format!("{}, {}", one.sql, two.sql), Vec::new()),
            _ => (format!("{} {kind} {} ON {left} = {right}", one.sql, two.sql), Vec::new()),
        };
        let rest = two.columns.iter().filter(|column| !merged.contains(column));
        let columns = one.columns.iter().chain(rest).cloned().collect();
        (sql, vec![one, two], columns)
    }

    /// A SELECT, and how many columns it has.
    fn select(&mut self, depth: u64) -> (String, usize) {
        let (from, sources, columns) = match self.below(2) {
            0 => {
                let from = self.single(depth);
                (from.sql.clone(), vec![from.clone()], from.columns)
            }
            _ => self.join(1),
        };
        let filter = match self.below(3) {
            0 => format!(" WHERE {}", self.condition(&sources)),
            _ => String::new(),
        };
        let group = self.expression(&sources);
        let (items, width, tail) = match self.below(10) {
            0 => ("*".to_owned(), columns.len(), String::new()),
            1 => {
                let source = self.one(&sources);
                let star = self.quoted(&source.name);
                (format!("1, {star}.*"), source.columns.len() + 1, String::new())
            }
            2 => ("count(*)".to_owned(), 1, String::new()),
            8 => {
                let source = self.one(&sources);
                (format!("{}.*", self.quoted(&source.name)), source.columns.len(), String::new())
            }
            9 => (format!("count(*) FILTER (WHERE {})", self.condition(&sources)), 1, String::new()),
            3 => {
                let tail = self.one(&[" GROUP BY 1", " GROUP BY status", " GROUP BY 1 HAVING count(*) > 1"]);
                (format!("{group} AS status, count(*) AS n"), 2, tail.to_owned())
            }
            4 => {
                let (by, of) = (self.expression(&sources), self.expression(&sources));
                let tail = format!(" WINDOW w AS (PARTITION BY {by} ORDER BY {group})");
                (format!("max({of}) OVER w, rank() OVER w"), 2, tail)
            }
            _ => {
                let width = 1 + self.below(4) as usize;
                let item = |author: &mut Self| {
                    let expression = author.expression(&sources);
                    // The name of another column, as often as not.
                    let alias = author.one(&["", "", " AS file_path", " AS \"run_id\"", " status"]);
                    format!("{expression}{alias}")
                };
                let items: Vec<_> = (0..width).map(|_| item(self)).collect();
                let distinct = self.one(&["", "", "DISTINCT ", "ALL "]);
                (format!("{distinct}{}", items.join(", ")), width, String::new())
            }
        };
        (format!("SELECT {items} FROM {from}{filter}{tail}"), width)
    }

    fn condition(&mut self, sources: &[From]) -> String {
        let source = self.one(sources);
        let (one, two) = (self.column(&source), self.column(&source));
        let other = self.table();
        let (that, more) = (self.column(&other), self.column(&other));
        let sql = &other.sql;
        match self.below(9) {
            0 => format!("EXISTS (SELECT * FROM {sql} WHERE {that} = {one})"),
            1 => format!("({one}, {two}) IN (SELECT {that}, {more} FROM {sql})"),
            2 => format!("{one} NOT IN (SELECT {that} FROM {sql})"),
            3 => format!("({one}, {two}) >= ({two}, {one})"),
            4 => format!("{one} IS NOT NULL AND {two} > 'P'"),
            5 => format!("{one} BETWEEN 0 AND 'z'"),
            6 => {
                let (table, _, columns, _) = self.named_table();
                let values: Vec<_> = columns.iter().map(|_| self.column(&source)).collect();
                let word = self.one(&["IN", "NOT IN", "in"]);
                format!("({}) {word} {table}", values.join(", "))
            }
            7 => format!("date({one}) < date('now', '+9 years')"),
            _ => format!("(SELECT count(*) FROM {sql} WHERE {that} = {one}) > 1"),
        }
    }

    fn expression(&mut self, sources: &[From]) -> String {
        let source = self.one(sources);
        let column = self.column(&source);
        match self.below(10) {
            0 => format!("length({column})"),
            1 => format!("coalesce({column}, 1) * 2"),
            2 => {
                let other = self.table();
                let [of, by] = [&other, &other].map(|from| self.column(from));
                format!("(SELECT max({of}) FROM {} WHERE {by} = {column})", other.sql)
            }
            3 => format!("CASE WHEN {} THEN 'yes' END", self.condition(sources)),
            4 if source.has_rowid => {
                let rowid = self.one(&["rowid", "_ROWID_", "oid"]);
                format!("{}.{rowid}", self.quoted(&source.name))
            }
            5 => "\"no such column\"".to_owned(),
            _ => column,
        }
    }
}

fn names_of(words: &str) -> Vec<String> {
    words.split(' ').map(str::to_owned).collect()
}
