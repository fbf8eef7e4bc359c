//! A connection to a server: login, errors, cancellation.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mysql::prelude::Queryable as _;
use mysql::{Conn, DriverError, Error, LocalInfileHandler, MySqlError, OptsBuilder};
use mysql_common::proto::codec::error::PacketCodecError;
use slt_core::engine::{EngineError, ExecuteError, SqlError};
use slt_server::{ConnectError, Password};

/// The limit for a connection to be accepted.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// The limit for each answer to a statement of this program.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// The limit for each step of a cancellation.
const CANCEL_LIMIT: Duration = Duration::from_secs(2);
/// The largest value of max_allowed_packet that servers take. Without one, each connection would ask its server.
const LONGEST_PACKET: usize = 1 << 30;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MysqlEndpoint {
    /// A host and a port.
    Host {
        /// The name or number of the host.
        name: String,
        /// The port.
        port: u16,
    },
    /// The path of a Unix socket.
    Socket(String),
}

/// Who connects to which database.
#[derive(Debug, Clone)]
pub struct Login<'l> {
    /// The server.
    pub endpoint: &'l MysqlEndpoint,
    /// The user.
    pub user: &'l str,
    /// The password, if one is known.
    pub password: Option<&'l Password>,
    /// The database.
    pub database: Option<&'l str>,
}

/// A connection for the statements of this program.
pub struct MysqlConnection(Conn);

/// A connection for the SQL of a file.
pub struct OpenedSession {
    /// The connection.
    pub connection: Conn,
    /// What cancels its statements.
    pub canceller: Arc<Canceller>,
    /// The limit for a packet of the client, in bytes.
    pub longest_packet: usize,
}

/// What cancels the running statement of a session, over a connection of its own.
pub struct Canceller {
    options: OptsBuilder,
    session: u64,
    connection: Mutex<Option<Conn>>,
    fate: Arc<CancelFate>,
}

/// The state of the requests to cancel.
#[derive(Debug, Default)]
pub struct CancelFate {
    /// There was one since the session looked.
    pub requested: AtomicBool,
    /// One has no answer. The server may still execute it, at any time.
    pub unanswered: AtomicBool,
}

impl MysqlEndpoint {
    /// Returns the place as messages show it.
    fn place(&self) -> String {
        match self {
            Self::Host { name, port } => format!("{name}:{port}"),
            Self::Socket(path) => path.clone(),
        }
    }
}

impl Login<'_> {
    fn options(&self) -> OptsBuilder {
        // The crate would ask a server on this machine for its Unix socket and connect again.
        let options = OptsBuilder::new().prefer_socket(false).tcp_connect_timeout(Some(CONNECT_LIMIT));
        let options = match self.endpoint {
            MysqlEndpoint::Host { name, port } => options.ip_or_hostname(Some(name)).tcp_port(*port),
            MysqlEndpoint::Socket(path) => options.socket(Some(path)),
        };
        let password = self.password.map(Password::reveal);
        options.user(Some(self.user)).pass(password).db_name(self.database)
    }

    fn open(&self, options: OptsBuilder) -> Result<Conn, ConnectError> {
        Conn::new(options).map_err(|error| self.connect_error(error))
    }

    fn connect_error(&self, error: Error) -> ConnectError {
        let place = self.endpoint.place();
        match error {
            Error::MySqlError(error) => {
                let hint = match (error.code, self.password) {
                    (ACCESS_DENIED, None) => "; set MYSQL_PWD if the user has a password",
                    _ => "",
                };
                let text =
                    EngineError::new(format_args!("cannot log in to {place}: {}{hint}", error.message));
                if may_pass(error.code) {
                    ConnectError::Unavailable(text)
                } else {
                    ConnectError::Refused(text)
                }
            }
            error => {
                let text = EngineError::new(format_args!("cannot connect to {place}: {}", words(&error)));
                match error {
                    Error::IoError(_)
                    | Error::CodecError(_)
                    | Error::DriverError(
                        DriverError::ConnectTimeout | DriverError::CouldNotConnect(_) | DriverError::Timeout,
                    ) => ConnectError::Unavailable(text),
                    _ => ConnectError::Refused(text),
                }
            }
        }
    }

    /// Connects for the SQL of a file.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], whose kind tells whether another attempt makes sense.
    pub fn open_session(&self, local_infile: LocalInfileHandler) -> Result<OpenedSession, ConnectError> {
        // The character set of the handshake has a collation of its own; this takes the server's for it.
        let options = self.options().init(vec!["SET NAMES utf8mb4"]).local_infile_handler(Some(local_infile));
        let mut connection = self.open(options.max_allowed_packet(Some(LONGEST_PACKET)))?;
        // The number in the handshake has 32 bits only.
        let facts = connection.query_first("SELECT CONNECTION_ID(), @@max_allowed_packet");
        let facts: Option<(u64, usize)> = facts.map_err(|error| self.connect_error(error))?;
        let (session, longest_packet) =
            facts.unwrap_or_else(|| (connection.connection_id().into(), LONGEST_PACKET));
        let options = self.options().db_name(None::<String>).tcp_connect_timeout(Some(CANCEL_LIMIT));
        let options = options.read_timeout(Some(CANCEL_LIMIT)).write_timeout(Some(CANCEL_LIMIT));
        let canceller = Canceller {
            options: options.max_allowed_packet(Some(LONGEST_PACKET)),
            session,
            connection: Mutex::new(None),
            fate: Arc::default(),
        };
        Ok(OpenedSession { connection, canceller: canceller.into(), longest_packet })
    }
}

impl MysqlConnection {
    /// Connects for the statements of this program. Each has a limited time.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], whose kind tells whether another attempt makes sense.
    pub fn open_for_maintenance(login: &Login<'_>) -> Result<Self, ConnectError> {
        let options = login.options().max_allowed_packet(Some(LONGEST_PACKET));
        // It is idle as long as a file runs, and servers end connections that are.
        let options = options.init(vec!["SET SESSION wait_timeout = 31536000"]);
        let options = options.read_timeout(Some(ANSWER_LIMIT)).write_timeout(Some(ANSWER_LIMIT));
        login.open(options).map(Self)
    }

    /// Executes a statement, and returns the first column of its result; NULL is the empty text.
    ///
    /// # Errors
    ///
    /// [`ExecuteError`].
    pub fn ask(&mut self, sql: &str) -> Result<Vec<String>, ExecuteError> {
        let rows: Result<Vec<Option<String>>, Error> = self.0.query(sql);
        Ok(rows.map_err(execute_error)?.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// Takes a lock. Returns false if another connection has it, or the server has no locks.
    pub fn try_lock(&mut self, name: &str) -> bool {
        self.ask(&format!("SELECT GET_LOCK('{name}', 0)")).is_ok_and(|answer| answer == ["1"])
    }
}

impl Canceller {
    /// Returns the state of the requests.
    pub fn fate(&self) -> Arc<CancelFate> {
        Arc::clone(&self.fate)
    }

    /// Asks the server to end the running statement of the session, and waits for the answer. Without one, the request
    /// has no effect or an unknown one.
    pub fn cancel(&self) {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if connection.is_none() {
            *connection = Conn::new(self.options.clone()).ok();
        }
        let Some(open) = connection.as_mut() else { return };
        self.fate.requested.store(true, Ordering::SeqCst);
        match open.query_drop(format!("KILL QUERY {}", self.session)) {
            Ok(()) | Err(Error::MySqlError(_)) => {}
            Err(_) => {
                self.fate.unanswered.store(true, Ordering::SeqCst);
                *connection = None;
            }
        }
    }
}

/// `ER_ACCESS_DENIED_ERROR`.
const ACCESS_DENIED: u16 = 1045;
/// `ER_QUERY_INTERRUPTED`: a statement was cancelled.
pub const INTERRUPTED: u16 = 1317;

/// Returns whether the server refuses a login only now: it is full, or starts or stops.
fn may_pass(code: u16) -> bool {
    // Too many connections, of all or of the user; shutdown.
    matches!(code, 1040 | 1203 | 1226) || ends_connection(code)
}

/// Returns whether the server has ended the connection with this error.
fn ends_connection(code: u16) -> bool {
    // Shutdown; aborted connection and errors of the network; killed; idle for too long.
    matches!(code, 1053 | 1077 | 1079 | 1152 | 1158..=1161 | 1184 | 1927 | 3169 | 4031)
}

/// Returns what an error of a statement means.
pub fn execute_error(error: Error) -> ExecuteError {
    match error {
        Error::MySqlError(MySqlError { code, message, .. }) if ends_connection(code) => {
            ExecuteError::Lost(EngineError::new(format_args!("the server ended the connection: {message}")))
        }
        Error::MySqlError(MySqlError { code, message, .. }) if is_of_the_machine(code) => {
            ExecuteError::Lost(EngineError::new(format_args!("the server failed: {message}")))
        }
        Error::MySqlError(MySqlError { state, message, .. }) => {
            ExecuteError::Sql(SqlError { message, code: Some(state) })
        }
        error => ExecuteError::Lost(EngineError::new(format_args!("lost the connection: {}", words(&error)))),
    }
}

/// Returns whether an error is one of the machine and not of the SQL: disk full, files that cannot be read or written, out of
/// memory, damaged tables. The numbers are those of MySQL's and MariaDB's lists of errors.
fn is_of_the_machine(code: u16) -> bool {
    matches!(code, 1021 | 1024 | 1026 | 1034 | 1035 | 1037 | 1041 | 1194 | 1195)
}

/// Returns the text of an error of the crate, without the crate's names for its kinds.
fn words(error: &Error) -> String {
    match error {
        Error::IoError(error) | Error::CodecError(PacketCodecError::Io(error)) => match error.kind() {
            // A limit for an answer has passed.
            ErrorKind::WouldBlock | ErrorKind::TimedOut => "no answer".to_owned(),
            _ => error.to_string(),
        },
        Error::CodecError(error) => error.to_string(),
        Error::DriverError(DriverError::CouldNotConnect(Some((_, reason, _)))) => reason.clone(),
        Error::DriverError(DriverError::ConnectTimeout) => "no answer".to_owned(),
        Error::DriverError(error) => error.to_string(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_crate_are_told_in_words() {
        let of_kind = |kind: ErrorKind| Error::CodecError(PacketCodecError::Io(kind.into()));
        assert_eq!(words(&of_kind(ErrorKind::WouldBlock)), "no answer");
        assert_eq!(words(&of_kind(ErrorKind::ConnectionReset)), "connection reset");
        assert_eq!(words(&Error::IoError(ErrorKind::BrokenPipe.into())), "broken pipe");
    }

    #[test]
    fn an_error_that_ends_the_connection_is_no_sql_error() {
        let error = |code| {
            let (state, message) = ("HY000".to_owned(), "why".to_owned());
            execute_error(Error::MySqlError(MySqlError { state, message, code }))
        };
        // The last two are of the machine: disk full, a damaged table.
        for code in [1053, 1927, 4031, 1021, 1194] {
            assert!(matches!(error(code), ExecuteError::Lost(_)), "{code}");
        }
        for code in [INTERRUPTED, ACCESS_DENIED, 1040, 1064, 1146] {
            assert!(matches!(error(code), ExecuteError::Sql(_)), "{code}");
        }
    }
}
