//! Made-up results: every table of the schema, with ties, gaps and hostile names, the same for the same seed.

use std::collections::BTreeMap;

use vibesql_sqllogictest::results::ask::QueryPlan;
use vibesql_sqllogictest::results::store::schema::{ColumnType, TABLES, TableSchema};
use vibesql_sqllogictest::results::store::{Cell, LoadedTable, WantedColumns};

/// All tables with their rows.
pub(crate) struct Generated {
    rows: BTreeMap<&'static str, Vec<Vec<Cell>>>,
}

/// A row with names.
#[derive(Clone, Copy)]
pub(crate) struct Named<'g> {
    table: &'static TableSchema,
    row: &'g [Cell],
}

impl<'g> Named<'g> {
    pub(crate) fn cell(self, column: &str) -> &'g Cell {
        &self.row[self.table.place(column).unwrap()]
    }

    pub(crate) fn text(self, column: &str) -> Option<&'g str> {
        self.cell(column).as_text()
    }

    pub(crate) fn integer(self, column: &str) -> Option<i64> {
        self.cell(column).as_integer()
    }

    pub(crate) fn real(self, column: &str) -> Option<f64> {
        match self.cell(column) {
            Cell::Real(number) => Some(*number),
            _ => None,
        }
    }
}

pub(crate) const STATUSES: [&str; 8] = ["PASS", "FAIL", "TIMEOUT", "EMPTY", "FLAKY", "CRASH", "OOM", "ERROR"];

struct Chance(std::cell::Cell<u64>);

impl Chance {
    fn below(&self, end: u64) -> u64 {
        // Knuth's constants; the high bits are the good ones.
        self.0.set(
            self.0.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407),
        );
        (self.0.get() >> 33) % end
    }

    fn one<T: Copy>(&self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    fn maybe(&self, cell: impl Into<Cell>) -> Cell {
        if self.below(5) == 0 { Cell::Null } else { cell.into() }
    }
}

/// A file of a suite.
#[derive(Debug, Clone)]
struct File {
    path: String,
    id: String,
}

impl Generated {
    pub(crate) fn new(seed: u64, runs: u64) -> Self {
        let chance = Chance(seed.wrapping_add(17).into());
        let mut files: Vec<String> = Vec::new();
        for category in ["select", "index", "été"] {
            for number in 0..6 {
                files.push(format!("{category}/{}/f{number}.test", chance.one(&["root", "a", "b"])));
            }
        }
        files.extend(["'); DROP TABLE test_runs; --", "a\"b\\c\n%_.test", "", "x😀.test"].map(str::to_owned));
        let files = files.into_iter().map(|path| File { id: format!("s:{path}"), path });
        let mut files: Vec<_> = files.collect();
        // Another suite has files with the same paths.
        files.extend_from_within(..3);
        files.iter_mut().rev().take(3).for_each(|file| file.id = format!("t:{}", file.path));
        let mut made = Self { rows: BTreeMap::new() };
        for run in 0..runs {
            made.run(176_000_000_000 + 100 * run as i64, &files, &chance);
        }
        for file in &files {
            made.file(file, &chance);
        }
        made
    }

    fn run(&mut self, run: i64, files: &[File], chance: &Chance) {
        self.add("test_runs", chance, &|chance, column| match column {
            "run_id" => Some(run.into()),
            "pass_rate" => Some(chance.maybe(chance.below(801) as f64 / 8.0)),
            "git_commit" => Some(chance.maybe(chance.one(&["abc", "def"]))),
            "engine" => Some(chance.one(&["vibesql", "sqlite"]).into()),
            "engine_version" => Some(chance.maybe("1")),
            _ => None,
        });
        for statement in ["SELECT", "INSERT", "CREATE TABLE"] {
            self.add("statement_times", chance, &|chance, column| match column {
                "run_id" => Some(run.into()),
                "statement_kind" => Some(statement.into()),
                "records" => Some((1 + chance.below(9)).into()),
                // Exact in binary, so that both engines round the same number.
                name if name.ends_with("_ms") => Some((chance.below(4000) as f64 / 64.0).into()),
                _ => None,
            });
        }
        for (number, file) in files.iter().enumerate() {
            if chance.below(5) == 0 {
                continue;
            }
            let outcome = format!("o{run}-{number}");
            let status =
                if chance.below(5) == 0 { chance.one(&STATUSES) } else { chance.one(&STATUSES[..3]) };
            self.add("test_results", chance, &|chance, column| match column {
                "result_id" => Some((run * 1_000_000 + number as i64).into()),
                "run_id" => Some(run.into()),
                "file_path" => Some((&file.path).into()),
                "file_id" => Some((&file.id).into()),
                "status" => Some(status.into()),
                "passed" => Some(i64::from(status == "PASS").into()),
                "failed" => Some(i64::from(status != "PASS" && status != "EMPTY").into()),
                "category" => Some(file.path.split('/').next().unwrap_or("other").into()),
                "tested_at" => Some(Cell::text(format!("2026-01-01 00:00:{:02}", chance.below(60)))),
                "outcome_id" => Some((&outcome).into()),
                "error_message" => {
                    Some(chance.maybe(chance.one(&["no such table: é", "line 1\nline 2", ""])))
                }
                _ => None,
            });
            for _ in 0..chance.below(4) {
                self.failure(run, file, &outcome, chance);
            }
            if chance.below(2) == 0 {
                self.add("slow_records", chance, &|chance, column| match column {
                    "run_id" => Some(run.into()),
                    "file_path" => Some((&file.path).into()),
                    "file_id" => Some((&file.id).into()),
                    "line" => Some(chance.below(3).into()),
                    "duration_ms" => Some((chance.below(20) as f64 / 4.0).into()),
                    _ => None,
                });
            }
        }
    }

    fn failure(&mut self, run: i64, file: &File, outcome: &String, chance: &Chance) {
        let pattern = chance.one(&["form of a number", "no such table: ?", "near ?: syntax error"]);
        let kind = chance.one(&["presentation_differs", "unexpected_error", "timed_out"]);
        let fingerprint = format!("fp{}", chance.below(1000));
        for table in ["failure_groups", "record_failures"] {
            self.add(table, chance, &|chance, column| match column {
                "run_id" | "first_run_id" => Some(run.into()),
                "file_path" => Some((&file.path).into()),
                "file_id" => Some((&file.id).into()),
                "outcome_id" => Some(outcome.into()),
                "kind" => Some(kind.into()),
                "error_pattern" => Some(pattern.into()),
                "fingerprint" => Some((&fingerprint).into()),
                "records" => Some((1 + chance.below(9)).into()),
                "message" => Some(chance.maybe("é long ".repeat(40).as_str())),
                _ => None,
            });
        }
    }

    fn file(&mut self, file: &File, chance: &Chance) {
        let category = file.path.split('/').next().unwrap_or("other");
        self.add("test_files", chance, &|chance, column| match column {
            "file_path" => Some((&file.path).into()),
            "file_id" => Some((&file.id).into()),
            "category" => Some(category.into()),
            "subcategory" => Some(chance.one(&["root", "a"]).into()),
            "status" => Some(if chance.below(4) == 0 { "UNTESTED" } else { chance.one(&STATUSES) }.into()),
            _ => None,
        });
        for engine in ["vibesql", "sqlite"] {
            let runs = 1 + chance.below(6);
            self.add("file_stats", chance, &|chance, column| match column {
                "engine" => Some(engine.into()),
                "file_path" => Some((&file.path).into()),
                "file_id" => Some((&file.id).into()),
                "category" => Some(category.into()),
                "runs" => Some(runs.into()),
                "passes" | "fails" => Some(chance.below(runs).into()),
                "flips" => Some(chance.below(4).into()),
                _ => None,
            });
        }
    }

    /// Adds a row; what `known` does not say is anything of the right kind, or nothing.
    fn add(&mut self, table: &str, chance: &Chance, known: &dyn Fn(&Chance, &str) -> Option<Cell>) {
        let table = *TABLES.iter().find(|known| known.name == table).unwrap();
        let row = table.columns.iter().map(|column| {
            known(chance, column.name).unwrap_or_else(|| {
                let number = chance.below(30);
                let any: Cell = match column.kind {
                    ColumnType::Integer => number.into(),
                    ColumnType::Real => (number as f64 / 8.0).into(),
                    ColumnType::Text => chance.one(&["x", "y'z", "é"]).into(),
                };
                chance.maybe(any)
            })
        });
        let row = row.collect();
        self.rows.entry(table.name).or_default().push(row);
    }

    /// The rows of a table.
    pub(crate) fn table(&self, name: &str) -> Vec<Named<'_>> {
        let table = *TABLES.iter().find(|known| known.name == name).unwrap();
        let rows = self.rows.get(table.name).map_or(&[][..], Vec::as_slice);
        rows.iter().map(|row| Named { table, row }).collect()
    }

    /// What a plan loads.
    pub(crate) fn loaded(&self, plan: &QueryPlan) -> Vec<LoadedTable> {
        let load = |wanted: &WantedColumns| {
            let rows = self.table(wanted.table.name).into_iter();
            let row =
                |row: Named<'_>| wanted.columns.iter().map(|column| row.cell(column.name).clone()).collect();
            LoadedTable { wanted: wanted.clone(), rows: rows.map(row).collect() }
        };
        plan.wanted.iter().map(load).collect()
    }
}
