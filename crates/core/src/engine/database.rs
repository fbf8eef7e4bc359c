//! The database of one file, and the sessions on it.

use super::{EngineError, Session};

/// A database that an engine has created for one file.
pub trait Database {
    /// Opens a session. Sessions of one database see the same data, and each has its own transaction and settings.
    ///
    /// `name` is the file's name for the connection, and `user` the requested user; `None` means the default connection
    /// and the default user. The default connection is opened first, and again only after its session was dropped.
    ///
    /// # Errors
    ///
    /// [`DatabaseError::Unsupported`] when the engine has no further sessions or users, [`DatabaseError::Engine`] when
    /// it cannot be reached.
    fn connect(&mut self, name: Option<&str>, user: Option<&str>) -> Result<Box<dyn Session>, DatabaseError>;

    /// Opens a session that executes SQL on a thread of its own, at the same time as the other sessions of the database.
    /// The iterations of a concurrent loop have one each; `name` is unique among the open ones, and has no other meaning.
    ///
    /// # Errors
    ///
    /// [`DatabaseError::Unsupported`] when statements of several sessions cannot overlap, which is the default: the
    /// iterations are executed in order then, with sessions of [`Self::connect`]. [`DatabaseError::Engine`] when it
    /// cannot be reached, or has as many sessions as it can.
    fn connect_concurrent(&mut self, name: &str) -> Result<Box<dyn Session + Send>, DatabaseError> {
        let _ = name;
        Err(DatabaseError::Unsupported("this engine has no sessions that run at the same time".to_owned()))
    }

    /// Shuts the database down and starts it again with its durable data. All sessions are dropped before.
    ///
    /// # Errors
    ///
    /// [`DatabaseError::Unsupported`] when the engine cannot do so, which is the default; [`DatabaseError::Engine`]
    /// when it fails.
    fn restart(&mut self) -> Result<(), DatabaseError> {
        Err(DatabaseError::Unsupported("this engine cannot restart a database".to_owned()))
    }

    /// Closes the database, and opens the one in a file, which is created if it does not exist and may be written. All
    /// sessions are dropped before.
    ///
    /// # Errors
    ///
    /// [`DatabaseError::Unsupported`] when the engine has no database files, which is the default;
    /// [`DatabaseError::Engine`] when it fails.
    fn load(&mut self, file: &DatabaseFile<'_>) -> Result<(), DatabaseError> {
        let _ = file;
        Err(DatabaseError::Unsupported("this engine cannot open a database file".to_owned()))
    }

    /// Drops the database with its contents. All sessions are dropped before.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when parts of it remain.
    fn close(self: Box<Self>) -> Result<(), EngineError> {
        Ok(())
    }
}

/// The file of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseFile<'f> {
    /// Its path.
    pub path: &'f str,
    /// Whether it is opened for reading only.
    pub read_only: bool,
    /// The version of the storage format for a new file; the engine's default without one.
    pub version: Option<&'f str>,
}

/// An error of a database operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// The engine or its adapter has no way to do it; nothing has happened.
    #[error("{0}")]
    Unsupported(String),
    /// The engine is not available, or no longer.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A database of an engine that has one session for each database, and no users.
#[derive(Debug)]
pub struct SingleSession<S> {
    session: Option<S>,
}

impl<S: Session + 'static> SingleSession<S> {
    /// Makes a database of its session, which ends with it.
    pub fn new(session: S) -> Self {
        Self { session: Some(session) }
    }
}

impl<S: Session + 'static> Database for SingleSession<S> {
    fn connect(&mut self, name: Option<&str>, user: Option<&str>) -> Result<Box<dyn Session>, DatabaseError> {
        let unsupported = |what: &str| DatabaseError::Unsupported(format!("this engine has no {what}"));
        if user.is_some() {
            return Err(unsupported("users"));
        }
        let default = self.session.take_if(|_| name.is_none());
        default.map_or_else(
            || Err(unsupported("second connection to a database")),
            |session| Ok(Box::new(session) as _),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{ExecuteError, RowSink};

    struct Idle;

    impl Session for Idle {
        fn execute(&mut self, _: &[u8], _: &mut dyn RowSink) -> Result<(), ExecuteError> {
            Ok(())
        }
    }

    #[test]
    fn a_single_session_is_the_default_one_and_given_once() {
        let mut database = SingleSession::new(Idle);
        let unsupported = |found: Result<Box<dyn Session>, DatabaseError>| {
            assert!(matches!(found, Err(DatabaseError::Unsupported(_))));
        };
        unsupported(database.connect(Some("second"), None));
        unsupported(database.connect(None, Some("alice")));
        assert!(database.connect(None, None).is_ok());
        unsupported(database.connect(None, None));
        assert!(matches!(database.connect_concurrent("one"), Err(DatabaseError::Unsupported(_))));
        assert!(matches!(database.restart(), Err(DatabaseError::Unsupported(_))));
        assert_eq!(Box::new(database).close(), Ok(()));
    }
}
