//! An engine around another one that loses rows.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use vibesql_sqllogictest::engine::{
    Database, DatabaseError, Engine, EngineError, EngineId, ExecuteError, Flow, Interrupter, RowSink, Session,
};
use vibesql_sqllogictest::value::{Column, ValueRef};

/// An engine of which each answer to SQL with a certain word lacks its first row.
pub(crate) struct Broken {
    sound: Box<dyn Engine>,
    word: String,
    log: Option<PathBuf>,
}

impl Broken {
    /// Puts the bug into an engine. The SQL whose answers it spoils is appended to `log`.
    pub(crate) fn new(sound: Box<dyn Engine>, word: &str, log: Option<PathBuf>) -> Self {
        Self { sound, word: word.to_ascii_uppercase(), log }
    }
}

impl Engine for Broken {
    fn describe(&self) -> Result<EngineId, EngineError> {
        let sound = self.sound.describe()?;
        Ok(EngineId { version: format!("{} with a bug in {}", sound.version, self.word), ..sound })
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        let sound = self.sound.create_database()?;
        Ok(Box::new(BrokenDatabase { sound, word: self.word.clone(), log: self.log.clone() }))
    }
}

struct BrokenDatabase {
    sound: Box<dyn Database>,
    word: String,
    log: Option<PathBuf>,
}

impl Database for BrokenDatabase {
    fn connect(&mut self, name: Option<&str>, user: Option<&str>) -> Result<Box<dyn Session>, DatabaseError> {
        let open = |path| File::options().append(true).create(true).open(path);
        let log = self.log.as_ref().map(open).transpose().map_err(EngineError::new)?;
        let sound = self.sound.connect(name, user)?;
        Ok(Box::new(BrokenSession { sound, word: self.word.clone(), log }))
    }

    fn restart(&mut self) -> Result<(), DatabaseError> {
        self.sound.restart()
    }

    fn close(self: Box<Self>) -> Result<(), EngineError> {
        self.sound.close()
    }
}

struct BrokenSession {
    sound: Box<dyn Session>,
    word: String,
    log: Option<File>,
}

impl Session for BrokenSession {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        let text = String::from_utf8_lossy(sql);
        if !text.to_ascii_uppercase().contains(&self.word) {
            return self.sound.execute(sql, rows);
        }
        let mut lossy = Lossy { rows, lost: false };
        let executed = self.sound.execute(sql, &mut lossy);
        if let Some(log) = self.log.as_mut().filter(|_| lossy.lost) {
            let line = format!("{}\n", text.split_whitespace().collect::<Vec<_>>().join(" "));
            // At once, for other processes append to the file as well.
            log.write_all(line.as_bytes()).map_err(|error| ExecuteError::Lost(EngineError::new(error)))?;
        }
        executed
    }

    fn interrupter(&self) -> Option<Interrupter> {
        self.sound.interrupter()
    }
}

/// Keeps the first row of a text's answers for itself.
struct Lossy<'r> {
    rows: &'r mut dyn RowSink,
    lost: bool,
}

impl RowSink for Lossy<'_> {
    fn wants_names(&self) -> bool {
        self.rows.wants_names()
    }

    fn columns(&mut self, columns: &[Column<'_>]) -> Flow {
        self.rows.columns(columns)
    }

    fn row(&mut self, values: &[ValueRef<'_>]) -> Flow {
        if self.lost {
            return self.rows.row(values);
        }
        self.lost = true;
        Flow::Continue
    }

    fn done(&mut self, affected: Option<u64>) -> Flow {
        self.rows.done(affected)
    }
}
