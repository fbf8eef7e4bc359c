//! The engine: opens databases and connections with the closures of the user.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use slt_core::engine::{
    Capability, Database, DatabaseError, Engine, EngineError, EngineId, Session, SingleSession,
};

use crate::connection::{Connection, DriverError, DriverFuture};
use crate::executor::{BlockOn, Executor, TokioRuntime};
use crate::session::DriverSession;
use crate::version::{AsyncDriver, BlockingDriver};

/// Opens a connection to the database of a file.
type Connect = Box<dyn FnMut() -> DriverFuture<'static, Result<Box<dyn Connection>, DriverError>>>;

/// Returns whether an error means that the connection is lost.
pub type LostTest = Arc<dyn Fn(&(dyn Error + 'static)) -> bool + Send + Sync>;

/// An engine behind a driver of the `sqllogictest` crate; made as [`FromAsyncDb`] or [`FromDb`].
pub struct DriverEngine<X> {
    name: String,
    /// Creates the database of a file.
    open: Box<dyn Fn() -> Connect + Send + Sync>,
    /// Whether connections of one file lead to one database.
    shares_databases: bool,
    is_lost: LostTest,
    executor: OnceLock<Arc<X>>,
}

/// An engine made of an `AsyncDB`. A Tokio runtime on the current thread drives it.
pub type FromAsyncDb = DriverEngine<TokioRuntime>;

/// An engine made of a `DB`. It runs without a runtime, so that the driver can use its own.
pub type FromDb = DriverEngine<BlockOn>;

impl FromAsyncDb {
    /// Makes an engine with this name. `make_connection` is called once for each file and must lead to an empty
    /// database.
    pub fn new<V, D, F, M>(name: impl Into<String>, make_connection: M) -> Self
    where
        D: AsyncDriver<V>,
        F: IntoFuture<Output = Result<D, D::Error>> + 'static,
        M: Fn() -> F + Send + Sync + 'static,
    {
        let make_connection = Arc::new(make_connection);
        let open = move || {
            let make_connection = make_connection.clone();
            move || make_connection()
        };
        Self { shares_databases: false, ..Self::with_connections(name, open) }
    }

    /// Makes an engine whose files can have several connections. `create_database` is called once for each file, and
    /// what it returns for each connection to this file's database. The latter is dropped after the last connection, so it
    /// can own what drops a database on a server.
    pub fn with_connections<V, D, F, M, C>(name: impl Into<String>, create_database: C) -> Self
    where
        D: AsyncDriver<V>,
        F: IntoFuture<Output = Result<D, D::Error>> + 'static,
        M: FnMut() -> F + 'static,
        C: Fn() -> M + Send + Sync + 'static,
    {
        Self::from_futures(name.into(), create_database)
    }
}

impl FromDb {
    /// Makes an engine with this name. `make_connection` is called once for each file and must lead to an empty
    /// database.
    pub fn new<V, D, M>(name: impl Into<String>, make_connection: M) -> Self
    where
        D: BlockingDriver<V> + 'static,
        M: Fn() -> Result<D, D::Error> + Send + Sync + 'static,
    {
        let make_connection = Arc::new(make_connection);
        let open = move || {
            let make_connection = make_connection.clone();
            move || make_connection()
        };
        Self { shares_databases: false, ..Self::with_connections(name, open) }
    }

    /// Makes an engine whose files can have several connections. `create_database` is called once for each file, and
    /// what it returns for each connection to this file's database. The latter is dropped after the last connection, so it
    /// can own what drops a database on a server.
    pub fn with_connections<V, D, M, C>(name: impl Into<String>, create_database: C) -> Self
    where
        D: BlockingDriver<V> + 'static,
        M: FnMut() -> Result<D, D::Error> + 'static,
        C: Fn() -> M + Send + Sync + 'static,
    {
        Self::from_futures(name.into(), move || {
            let mut make_connection = create_database();
            move || std::future::ready(make_connection())
        })
    }
}

impl<X: Executor> DriverEngine<X> {
    /// Adds a test for errors that mean that the connection is lost. They end the file and pass no record, while a SQL
    /// error passes `statement error`.
    ///
    /// An error is recognised without a test if it is an [`io::Error`], or has one among its sources, that says that a
    /// connection is refused, reset, aborted, not connected, a broken pipe or at an unexpected end.
    ///
    /// ```
    /// # use vibesql_sqllogictest_compat::FromAsyncDb;
    /// # fn add(engine: FromAsyncDb) -> FromAsyncDb {
    /// engine.lost_if(|error| error.to_string().contains("connection closed"))
    /// # }
    /// ```
    #[must_use]
    pub fn lost_if(
        mut self,
        is_lost: impl Fn(&(dyn Error + 'static)) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.is_lost = Arc::new(move |error| is_broken_connection(error) || is_lost(error));
        self
    }

    fn from_futures<V, D, F, M>(name: String, create_database: impl Fn() -> M + Send + Sync + 'static) -> Self
    where
        D: AsyncDriver<V>,
        F: IntoFuture<Output = Result<D, D::Error>> + 'static,
        M: FnMut() -> F + 'static,
    {
        let open = move || -> Connect {
            let mut make_connection = create_database();
            Box::new(move || {
                let made = make_connection();
                Box::pin(async { made.await.map(D::into_connection).map_err(D::driver_error) })
            })
        };
        Self {
            name,
            open: Box::new(open),
            shares_databases: true,
            is_lost: Arc::new(is_broken_connection),
            executor: OnceLock::new(),
        }
    }

    /// Returns the executor, which all files of a process have in common: closures may keep what belongs to it.
    fn executor(&self) -> Result<Arc<X>, EngineError> {
        if let Some(executor) = self.executor.get() {
            return Ok(executor.clone());
        }
        let executor = X::start().map_err(|error| {
            EngineError::new(format_args!("cannot start the executor of the driver: {error}"))
        })?;
        Ok(self.executor.get_or_init(|| Arc::new(executor)).clone())
    }

    fn database(&self) -> Result<DriverDatabase<X>, EngineError> {
        let executor = self.executor()?;
        Ok(DriverDatabase { connect: (self.open)(), executor, is_lost: self.is_lost.clone() })
    }
}

impl<X: Executor + Send + Sync + 'static> Engine for DriverEngine<X> {
    fn describe(&self) -> Result<EngineId, EngineError> {
        let session = self.database()?.session()?;
        // As in the runner of the `sqllogictest` crate, only the name that the driver tells counts in conditions.
        let label = Some(session.engine_name()).filter(|name| !name.is_empty());
        let labels = vec![label.unwrap_or(&self.name).to_owned()];
        Ok(EngineId { labels, ..EngineId::new(&self.name, "") })
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        let mut database = self.database()?;
        if self.shares_databases {
            Ok(Box::new(database))
        } else {
            Ok(Box::new(SingleSession::new(database.session()?)))
        }
    }

    /// A driver does not tell whether it executes several statements, so that is not declared.
    fn capabilities(&self) -> Result<Vec<Capability>, EngineError> {
        Ok(if self.shares_databases { vec![Capability::Connections] } else { Vec::new() })
    }
}

impl<X> fmt::Debug for DriverEngine<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverEngine").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Returns whether an error is caused by a broken connection.
fn is_broken_connection(error: &(dyn Error + 'static)) -> bool {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|cause| {
        matches!(
            cause.kind(),
            io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::NotConnected
                | io::ErrorKind::UnexpectedEof
        )
    })
}

/// The database of a file.
struct DriverDatabase<X> {
    connect: Connect,
    executor: Arc<X>,
    is_lost: LostTest,
}

impl<X: Executor> DriverDatabase<X> {
    fn session(&mut self) -> Result<DriverSession<X>, EngineError> {
        // The closure may look for the runtime before it returns its future.
        let connected = self.executor.wait(async { (self.connect)().await });
        match connected {
            Ok(connection) => Ok(DriverSession::new(connection, self.executor.clone(), self.is_lost.clone())),
            Err(error) => Err(EngineError::new(format_args!("the driver cannot connect: {}", error.error))),
        }
    }
}

impl<X: Executor + 'static> Database for DriverDatabase<X> {
    fn connect(&mut self, _: Option<&str>, user: Option<&str>) -> Result<Box<dyn Session>, DatabaseError> {
        if user.is_some() {
            let reason = "drivers of the sqllogictest crate have no users";
            return Err(DatabaseError::Unsupported(reason.to_owned()));
        }
        Ok(Box::new(self.session()?))
    }
}
