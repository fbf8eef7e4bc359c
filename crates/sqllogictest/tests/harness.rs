//! A test program as users write it: a test for each file.

use sqllogictest::{DB, DBOutput, DefaultColumnType};

/// Answers each SQL with itself.
struct Echo;

impl Echo {
    fn new() -> Self {
        Self
    }
}

impl DB for Echo {
    type Error = std::io::Error;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, std::io::Error> {
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Text], rows: vec![vec![sql.to_owned()]] })
    }
}

sqllogictest::harness!(Echo::new, "tests/slt/*.slt");
