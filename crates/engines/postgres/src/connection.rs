//! A connection to a PostgreSQL server: messages, authentication, cancellation.
//!
//! The messages are those of the crate postgres-protocol. The clients built on it ask for results in the binary format,
//! of which they know a few types, or show no types. Here every value arrives as the server's own text, with its type.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::{AuthenticationSaslBody, ErrorResponseBody, Message};
use postgres_protocol::message::frontend;
use slt_core::clock::Stopwatch;
use slt_core::engine::{EngineError, ExecuteError, SqlError};
use slt_server::{ConnectError, Password};

/// The limit for a connection to be accepted, and for the login after it.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// The limit for the SQL of this program.
const ASK_LIMIT: Duration = Duration::from_secs(30);
/// The limit for each step of a cancellation.
const CANCEL_LIMIT: Duration = Duration::from_secs(2);
/// The most that a server may send in one message before it has accepted the login.
const LONGEST_LOGIN_MESSAGE: usize = 1 << 16;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerEndpoint {
    /// The name of the host, or the directory of a Unix socket if it starts with `/`.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Who connects to which database.
#[derive(Debug, Clone)]
pub struct Login<'l> {
    /// The server.
    pub endpoint: &'l ServerEndpoint,
    /// The user.
    pub user: &'l str,
    /// The password, if one is known.
    pub password: Option<Password>,
    /// The database.
    pub database: &'l str,
}

/// A connection that is ready for a query.
pub struct PostgresConnection {
    stream: PostgresStream,
    endpoint: ServerEndpoint,
    /// Bytes of the server that are not yet read as a message.
    received: BytesMut,
    /// Messages that are not yet sent.
    pub to_send: BytesMut,
    /// The time for the answer that is waited for; without one, the server has all the time.
    limit: Option<AnswerLimit>,
    process_id: i32,
    secret_key: i32,
    /// The version that the server reports; empty if it reports none.
    pub server_version: String,
}

/// What cancels the running statement of a connection.
#[derive(Debug, Clone)]
pub struct CancelKey {
    endpoint: ServerEndpoint,
    process_id: i32,
    secret_key: i32,
}

struct AnswerLimit {
    start: Stopwatch,
    most: Duration,
    /// The most bytes of one message.
    longest: usize,
}

enum PostgresStream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// An error of the server.
pub struct ServerError {
    /// Its message, with the SQLSTATE.
    pub error: SqlError,
    /// Whether the connection ends with it.
    pub is_fatal: bool,
    /// The function of PostgreSQL's source that raised it.
    pub routine: String,
}

impl PostgresConnection {
    /// Connects and logs in.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], whose kind tells whether another attempt makes sense.
    pub fn open(login: &Login<'_>) -> Result<Self, ConnectError> {
        let Login { endpoint, user, database, .. } = login;
        let place = endpoint.place();
        let failed = |error: &io::Error| EngineError::new(format_args!("cannot connect to {place}: {error}"));
        let stream = PostgresStream::open(endpoint, CONNECT_LIMIT)
            .map_err(|error| ConnectError::Unavailable(failed(&error)))?;
        let mut connection = Self {
            stream,
            endpoint: (*endpoint).clone(),
            received: BytesMut::new(),
            to_send: BytesMut::new(),
            limit: Some(AnswerLimit {
                start: Stopwatch::start(),
                most: CONNECT_LIMIT,
                longest: LONGEST_LOGIN_MESSAGE,
            }),
            process_id: 0,
            secret_key: 0,
            server_version: String::new(),
        };
        let parameters = [
            ("user", *user),
            ("database", *database),
            ("client_encoding", "UTF8"),
            ("application_name", "vibesql-sqllogictest"),
        ];
        frontend::startup_message(parameters, &mut connection.to_send)
            .map_err(|error| ConnectError::Refused(failed(&error)))?;
        connection.log_in(login)?;
        connection.set_limit(None).map_err(|error| ConnectError::Unavailable(failed(&error)))?;
        Ok(connection)
    }

    /// Answers the server until it is ready for a query.
    fn log_in(&mut self, login: &Login<'_>) -> Result<(), ConnectError> {
        let place = login.endpoint.place();
        let refused = |why: &dyn std::fmt::Display| {
            ConnectError::Refused(EngineError::new(format_args!("cannot log in to {place}: {why}")))
        };
        let lost = |error: EngineError| {
            ConnectError::Unavailable(EngineError::new(format_args!("cannot connect to {place}: {error}")))
        };
        let password = || {
            let missing = format!(
                "the server asks for the password of `{}`; set PGPASSWORD or add it to ~/.pgpass, which only you may read",
                login.user
            );
            login
                .password
                .as_ref()
                .map(|password| password.reveal().as_bytes())
                .ok_or_else(|| refused(&missing))
        };
        let mut scram = None;
        loop {
            self.send().map_err(lost)?;
            match self.receive().map_err(lost)? {
                Message::AuthenticationCleartextPassword => {
                    frontend::password_message(password()?, &mut self.to_send)
                        .map_err(|error| refused(&error))?;
                }
                Message::AuthenticationMd5Password(body) => {
                    let hash = md5_hash(login.user.as_bytes(), password()?, body.salt());
                    frontend::password_message(hash.as_bytes(), &mut self.to_send)
                        .map_err(|error| refused(&error))?;
                }
                Message::AuthenticationSasl(body) => {
                    if !offers_scram(&body) {
                        return Err(refused(&"the server offers no authentication with SCRAM-SHA-256"));
                    }
                    let exchange = ScramSha256::new(password()?, ChannelBinding::unsupported());
                    frontend::sasl_initial_response(SCRAM_SHA_256, exchange.message(), &mut self.to_send)
                        .map_err(|error| refused(&error))?;
                    scram = Some(exchange);
                }
                Message::AuthenticationSaslContinue(body) => {
                    let exchange = scram.as_mut().ok_or_else(|| refused(&"an answer without a question"))?;
                    exchange.update(body.data()).map_err(|error| refused(&error))?;
                    frontend::sasl_response(exchange.message(), &mut self.to_send)
                        .map_err(|error| refused(&error))?;
                }
                Message::AuthenticationSaslFinal(body) => {
                    let exchange = scram.as_mut().ok_or_else(|| refused(&"an answer without a question"))?;
                    exchange.finish(body.data()).map_err(|error| refused(&error))?;
                }
                Message::ErrorResponse(body) => {
                    let error = ServerError::of(&body).error;
                    let text = EngineError::new(format_args!("cannot log in to {place}: {error}"));
                    return Err(match error.code.as_deref() {
                        Some(code) if may_pass(code) => ConnectError::Unavailable(text),
                        _ => ConnectError::Refused(text),
                    });
                }
                Message::BackendKeyData(body) => {
                    (self.process_id, self.secret_key) = (body.process_id(), body.secret_key());
                }
                Message::ParameterStatus(body) => {
                    if let (Ok("server_version"), Ok(version)) = (body.name(), body.value()) {
                        version.clone_into(&mut self.server_version);
                    }
                }
                Message::ReadyForQuery(_) => return Ok(()),
                Message::AuthenticationOk | Message::NoticeResponse(_) => {}
                _ => {
                    return Err(refused(
                        &"the server asks for a kind of authentication that is not supported",
                    ));
                }
            }
        }
    }

    /// Sends the messages that are ready.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the connection is lost.
    pub fn send(&mut self) -> Result<(), EngineError> {
        self.stream.write_all(&self.to_send).map_err(lost)?;
        self.to_send.clear();
        Ok(())
    }

    /// Waits for the next message.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the connection is lost, or the server sends anything else.
    pub fn receive(&mut self) -> Result<Message, EngineError> {
        loop {
            if let Some(message) = Message::parse(&mut self.received).map_err(lost)? {
                return Ok(message);
            }
            if let Some(AnswerLimit { start, most, longest }) = &self.limit {
                // The reader has made room for the whole message.
                if self.received.capacity() > *longest {
                    return Err(EngineError::new("a message that is longer than a login needs"));
                }
                let left = most.saturating_sub(start.elapsed());
                if left.is_zero() {
                    return Err(EngineError::new(format_args!("no answer within {} s", most.as_secs())));
                }
                self.stream.set_read_limit(Some(left)).map_err(lost)?;
            }
            let mut part = [0; 1 << 14];
            match self.stream.read(&mut part) {
                // The limit has passed, which the next turn reports.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.limit.is_some() => {}
                Ok(0) => return Err(EngineError::new("the server closed the connection")),
                Ok(length) => self.received.extend_from_slice(&part[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(lost(error)),
            }
        }
    }

    /// Limits the time for an answer.
    fn set_limit(&mut self, most: Option<Duration>) -> io::Result<()> {
        self.limit = most.map(|most| AnswerLimit { start: Stopwatch::start(), most, longest: usize::MAX });
        self.stream.set_read_limit(most)
    }

    /// Executes SQL of this program within a limited time, and returns the first column of its rows as text.
    ///
    /// # Errors
    ///
    /// [`ExecuteError`] as for the SQL of a test.
    pub fn ask(&mut self, sql: &str) -> Result<Vec<String>, ExecuteError> {
        self.set_limit(Some(ASK_LIMIT)).map_err(|error| ExecuteError::Lost(lost(error)))?;
        frontend::query(sql, &mut self.to_send).map_err(|error| ExecuteError::Lost(lost(error)))?;
        self.send().map_err(ExecuteError::Lost)?;
        let (mut rows, mut failed) = (Vec::new(), None);
        loop {
            match self.receive().map_err(ExecuteError::Lost)? {
                Message::DataRow(body) => {
                    let first = body.ranges().next().ok().flatten().flatten();
                    let bytes = first.and_then(|range| body.buffer().get(range)).unwrap_or_default();
                    rows.push(String::from_utf8_lossy(bytes).into_owned());
                }
                Message::ErrorResponse(body) => failed = Some(ServerError::of(&body).into()),
                Message::ReadyForQuery(_) => return failed.map_or(Ok(rows), Err),
                _ => {}
            }
        }
    }

    /// Returns what cancels the running statement.
    pub fn cancel_key(&self) -> CancelKey {
        let Self { endpoint, process_id, secret_key, .. } = self;
        CancelKey { endpoint: endpoint.clone(), process_id: *process_id, secret_key: *secret_key }
    }
}

/// Says good-bye, so that the server does not report a lost client.
impl Drop for PostgresConnection {
    fn drop(&mut self) {
        self.to_send.clear();
        frontend::terminate(&mut self.to_send);
        self.send().ok();
    }
}

impl CancelKey {
    /// Asks the server to cancel the statement that is running.
    pub fn cancel(&self) {
        // Without an answer the statement runs on, and this is called again.
        self.try_cancel().ok();
    }

    fn try_cancel(&self) -> io::Result<()> {
        let mut stream = PostgresStream::open(&self.endpoint, CANCEL_LIMIT)?;
        let mut request = BytesMut::new();
        frontend::cancel_request(self.process_id, self.secret_key, &mut request);
        stream.write_all(&request)?;
        // The server closes the connection after it has sent the signal, so no later statement is hit.
        stream.read(&mut [0]).map(drop)
    }
}

impl PostgresStream {
    /// Connects. The limit also holds for reading.
    fn open(endpoint: &ServerEndpoint, limit: Duration) -> io::Result<Self> {
        let stream = if endpoint.host.starts_with('/') {
            let socket = Path::new(&endpoint.host).join(format!(".s.PGSQL.{}", endpoint.port));
            Self::Unix(UnixStream::connect(socket)?)
        } else {
            let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
            let mut connected = None;
            for address in (endpoint.host.as_str(), endpoint.port).to_socket_addrs()? {
                match TcpStream::connect_timeout(&address, limit) {
                    Ok(stream) => {
                        connected = Some(stream);
                        break;
                    }
                    Err(error) => last = error,
                }
            }
            let stream = connected.ok_or(last)?;
            stream.set_nodelay(true)?;
            Self::Tcp(stream)
        };
        stream.set_read_limit(Some(limit))?;
        Ok(stream)
    }

    fn set_read_limit(&self, limit: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(limit),
            Self::Unix(stream) => stream.set_read_timeout(limit),
        }
    }
}

impl Read for PostgresStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for PostgresStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.flush(),
            Self::Unix(stream) => stream.flush(),
        }
    }
}

impl ServerEndpoint {
    /// Returns the place as messages show it.
    pub fn place(&self) -> String {
        let Self { host, port } = self;
        if host.contains(':') {
            format!("PostgreSQL at [{host}]:{port}")
        } else {
            format!("PostgreSQL at {host}:{port}")
        }
    }
}

impl ServerError {
    /// Reads an error message.
    pub fn of(body: &ErrorResponseBody) -> Self {
        let (mut message, mut code, mut severity, mut routine) = (String::new(), None, None, String::new());
        let mut fields = body.fields();
        while let Ok(Some(field)) = fields.next() {
            let value = || String::from_utf8_lossy(field.value_bytes()).into_owned();
            match field.type_() {
                b'M' => message = value(),
                b'C' => code = Some(value()),
                // Field V is S without translation; old servers have S only.
                b'V' => severity = Some(value()),
                b'S' if severity.is_none() => severity = Some(value()),
                b'R' => routine = value(),
                _ => {}
            }
        }
        let is_fatal = matches!(severity.as_deref(), Some("FATAL" | "PANIC"));
        Self { error: SqlError { message, code }, is_fatal, routine }
    }
}

impl From<ServerError> for ExecuteError {
    fn from(error: ServerError) -> Self {
        let is_of_the_machine = match error.error.code.as_deref() {
            // Disk full, out of memory, system and I/O errors, corrupted data and index.
            Some(code) => matches!(code, "53100" | "53200" | "58000" | "58030" | "XX001" | "XX002"),
            // Every server reports a code.
            None => error.error.message.is_empty(),
        };
        if error.is_fatal {
            Self::Lost(EngineError::new(format_args!("the server ended the connection: {}", error.error)))
        } else if is_of_the_machine {
            Self::Lost(EngineError::new(format_args!("the server failed: {}", error.error)))
        } else {
            Self::Sql(error.error)
        }
    }
}

fn lost(error: io::Error) -> EngineError {
    EngineError::new(format_args!("lost the connection: {error}"))
}

fn offers_scram(body: &AuthenticationSaslBody) -> bool {
    body.mechanisms().any(|mechanism| Ok(mechanism == SCRAM_SHA_256)).unwrap_or(false)
}

/// Returns whether the state that an error reports may pass by waiting: starting, stopping, or too many connections.
fn may_pass(code: &str) -> bool {
    matches!(code, "57P01" | "57P02" | "57P03" | "53300")
}
