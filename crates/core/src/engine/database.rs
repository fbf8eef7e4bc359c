//! The database of one file, and the sessions on it.

use super::{EngineError, Session};

/// A database that an engine has created for one file.
pub trait Database {
    /// Opens a session. Sessions of one database see the same data, and each has a transaction and settings of its own.
    ///
    /// `name` is the name that the file gives to the connection, and `user` the user that it wants to be; `None` stands for
    /// the default connection and the default user. The default connection is opened first, and only once.
    ///
    /// # Errors
    ///
    /// [`DatabaseError::Unsupported`] when the engine has no further sessions or users, [`DatabaseError::Engine`] when it
    /// cannot be reached.
    fn connect(&mut self, name: Option<&str>, user: Option<&str>) -> Result<Box<dyn Session>, DatabaseError>;

    /// Shuts the database down and starts it again with the data that it has kept. All sessions are gone before.
    ///
    /// # Errors
    ///
    /// [`DatabaseError::Unsupported`] when the engine has no way to do so, which is the default;
    /// [`DatabaseError::Engine`] when it fails.
    fn restart(&mut self) -> Result<(), DatabaseError> {
        Err(DatabaseError::Unsupported("this engine cannot restart a database".to_owned()))
    }

    /// Drops the database with everything in it. All sessions are gone before.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when something of it is left over.
    fn close(self: Box<Self>) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Why a database did not do what was asked of it.
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
        assert!(matches!(database.restart(), Err(DatabaseError::Unsupported(_))));
        assert_eq!(Box::new(database).close(), Ok(()));
    }
}
