//! The sessions on the database of a file.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::watchdog::Watchdog;
use crate::engine::{
    Database, DatabaseError, DatabaseFile, Engine, EngineError, ExecuteError, RowSink, Session, SqlError,
};
use crate::location::text_of;
use crate::outcome::{Fault, Problem};
use crate::parser::ConnectionName;

/// The database of a file with its open sessions.
pub(super) struct Connections {
    database: Box<dyn Database>,
    default: Connection,
    /// The others, by name and user.
    named: HashMap<(Vec<u8>, Option<Vec<u8>>), Connection>,
    limit: Option<Duration>,
}

/// A session of the database.
pub(super) struct Connection {
    session: Box<dyn Session>,
    /// Of an engine that can be interrupted, when records have a time limit.
    watchdog: Option<Watchdog>,
}

impl Connections {
    /// Creates a database and opens its default session.
    pub(super) fn open(engine: &dyn Engine, limit: Option<Duration>) -> Result<Self, DatabaseError> {
        let mut database = engine.create_database()?;
        let default = Connection::open(&mut *database, None, None, limit)?;
        Ok(Self { database, default, named: HashMap::new(), limit })
    }

    /// Makes the connections of an iteration of a concurrent loop, which has this session only.
    pub(super) fn of_iteration(session: Box<dyn Session>, limit: Option<Duration>) -> Self {
        let default = Connection::new(session, limit);
        Self { database: Box::new(DatabaseOfAnother), default, named: HashMap::new(), limit }
    }

    /// Opens a session for an iteration of a concurrent loop.
    pub(super) fn connect_concurrent(
        &mut self,
        name: &str,
    ) -> Result<Box<dyn Session + Send>, DatabaseError> {
        self.database.connect_concurrent(name)
    }

    /// Ends the session with this name, if it is open.
    pub(super) fn end(&mut self, name: &str) {
        self.named.remove(&(name.as_bytes().to_vec(), None));
    }

    /// Returns the session with this name, and opens it on its first use.
    pub(super) fn get(&mut self, name: Option<&ConnectionName<'_>>) -> Result<&mut Connection, Problem> {
        let Some(name) = name else { return Ok(&mut self.default) };
        let key = (name.name.to_vec(), name.user.map(<[u8]>::to_vec));
        if !self.named.contains_key(&key) {
            let text = (!name.name.is_empty()).then(|| text_of(name.name));
            let user = name.user.map(text_of);
            let opened = Connection::open(&mut *self.database, text.as_deref(), user.as_deref(), self.limit);
            self.named.insert(key.clone(), opened.map_err(problem)?);
        }
        // A missing session must never be taken for the default one.
        let missing = || Problem::Fault(Fault::Adapter("a connection is lost".to_owned()));
        self.named.get_mut(&key).ok_or_else(missing)
    }

    /// Closes the default session and opens it again.
    pub(super) fn reconnect(&mut self) -> Result<(), Problem> {
        self.default.end();
        self.default = Connection::open(&mut *self.database, None, None, self.limit).map_err(problem)?;
        Ok(())
    }

    /// Shuts the database down and starts it again with its durable data; only the default session is open then.
    pub(super) fn restart(&mut self) -> Result<(), Problem> {
        self.named.clear();
        self.default.end();
        let restarted = self.database.restart();
        let opened = Connection::open(&mut *self.database, None, None, self.limit).map_err(problem);
        self.default = opened?;
        restarted.map_err(problem)
    }

    /// Closes the database and opens the one in a file; only the default session is open then.
    pub(super) fn load(&mut self, file: &DatabaseFile<'_>) -> Result<(), Problem> {
        self.named.clear();
        self.default.end();
        let loaded = self.database.load(file);
        let opened = Connection::open(&mut *self.database, None, None, self.limit).map_err(problem);
        self.default = opened?;
        loaded.map_err(problem)
    }

    /// Replaces the database by a new one.
    pub(super) fn replace(&mut self, engine: &dyn Engine) -> Result<(), Problem> {
        let new = Self::open(engine, self.limit).map_err(problem)?;
        std::mem::replace(self, new).close().map_err(|error| Problem::Fault(Fault::Lost(error.message)))
    }

    /// Ends all sessions and drops the database.
    pub(super) fn close(self) -> Result<(), EngineError> {
        let Self { database, default, named, .. } = self;
        // An engine that panicked may panic once more while it goes.
        let closed = catch_unwind(AssertUnwindSafe(|| {
            drop(named);
            drop(default);
            database.close()
        }));
        closed.unwrap_or_else(|panic| Err(EngineError::new(panic_text(panic.as_ref()))))
    }
}

/// Stands for the database in an iteration of a concurrent loop, which has one session and no other.
struct DatabaseOfAnother;

impl Database for DatabaseOfAnother {
    fn connect(&mut self, _: Option<&str>, _: Option<&str>) -> Result<Box<dyn Session>, DatabaseError> {
        let why = "an iteration of a concurrent loop has a connection of its own, and no other";
        Err(DatabaseError::Unsupported(why.to_owned()))
    }
}

/// A session of nothing, in the place of one that has ended.
struct EndedSession;

impl Session for EndedSession {
    fn execute(&mut self, _: &[u8], _: &mut dyn RowSink) -> Result<(), ExecuteError> {
        Err(ExecuteError::Lost(EngineError::new("the connection is closed")))
    }
}

impl Connection {
    fn open(
        database: &mut dyn Database,
        name: Option<&str>,
        user: Option<&str>,
        limit: Option<Duration>,
    ) -> Result<Self, DatabaseError> {
        Ok(Self::new(database.connect(name, user)?, limit))
    }

    fn new(session: Box<dyn Session>, limit: Option<Duration>) -> Self {
        let watchdog = limit.and_then(|limit| Watchdog::new(limit, session.interrupter()?));
        Self { session, watchdog }
    }

    fn end(&mut self) {
        self.watchdog = None;
        self.session = Box::new(EndedSession);
    }

    /// Executes SQL. A problem is that it has no result which could be judged.
    pub(super) fn execute(
        &mut self,
        sql: &[u8],
        sink: &mut dyn RowSink,
    ) -> Result<Result<(), SqlError>, Problem> {
        self.watchdog.as_ref().inspect(|watchdog| watchdog.start());
        // After a panic the session is not used again, so no broken state can be seen.
        let result = catch_unwind(AssertUnwindSafe(|| self.session.execute(sql, sink)));
        if let Some(limit) = self.watchdog.as_ref().and_then(Watchdog::end)
            && matches!(result, Ok(Ok(()) | Err(ExecuteError::Sql(_))))
        {
            return Err(Problem::TimedOut { after: limit });
        }
        match result {
            Ok(Ok(())) => Ok(Ok(())),
            Ok(Err(ExecuteError::Sql(error))) => Ok(Err(error)),
            Ok(Err(ExecuteError::Unsupported(why))) => Err(Problem::Unsupported(why)),
            Ok(Err(ExecuteError::Lost(error))) => Err(Problem::Fault(Fault::Lost(error.message))),
            Err(panic) => Err(Problem::Fault(Fault::Panicked(panic_text(panic.as_ref())))),
        }
    }
}

fn problem(error: DatabaseError) -> Problem {
    match error {
        DatabaseError::Unsupported(why) => Problem::Unsupported(why),
        DatabaseError::Engine(error) => Problem::Fault(Fault::Lost(error.message)),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}
