//! An engine around another one that loses rows.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use vibesql_sqllogictest::engine::{
    Engine, EngineError, EngineIdentity, ExecuteError, Flow, Interrupter, RowSink, Session,
};
use vibesql_sqllogictest::value::{TypeTag, ValueRef};

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
    fn identity(&self) -> EngineIdentity {
        let sound = self.sound.identity();
        EngineIdentity { version: format!("{} with a bug in {}", sound.version, self.word), ..sound }
    }

    fn open(&self) -> Result<Box<dyn Session>, EngineError> {
        let open = |path| File::options().append(true).create(true).open(path);
        let log = self.log.as_ref().map(open).transpose().map_err(EngineError::new)?;
        Ok(Box::new(BrokenSession { sound: self.sound.open()?, word: self.word.clone(), log }))
    }
}

struct BrokenSession {
    sound: Box<dyn Session>,
    word: String,
    log: Option<File>,
}

impl Session for BrokenSession {
    fn execute(&mut self, sql: &str, rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        if !sql.to_ascii_uppercase().contains(&self.word) {
            return self.sound.execute(sql, rows);
        }
        let mut lossy = Lossy { rows, lost: false };
        let executed = self.sound.execute(sql, &mut lossy);
        if let Some(log) = self.log.as_mut().filter(|_| lossy.lost) {
            let line = format!("{}\n", sql.split_whitespace().collect::<Vec<_>>().join(" "));
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
    fn columns(&mut self, columns: &[TypeTag]) -> Flow {
        self.rows.columns(columns)
    }

    fn row(&mut self, values: &[ValueRef<'_>]) -> Flow {
        if self.lost {
            return self.rows.row(values);
        }
        self.lost = true;
        Flow::Continue
    }

    fn end_of_statement(&mut self) -> Flow {
        self.rows.end_of_statement()
    }
}
