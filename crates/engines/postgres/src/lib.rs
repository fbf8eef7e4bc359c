//! PostgreSQL, and servers that speak its protocol.
//!
//! Each file gets a database of its own. A second connection, to the database of the address, creates and drops it and
//! holds an advisory lock with its name in the meantime: the lock tells which databases belong to a process that lives.

mod connection;
mod passfile;
mod session;
mod value;

use std::sync::Arc;

use slt_core::engine::{
    Capability, Database, DatabaseError, Engine, EngineError, EngineId, ExecuteError, Session,
};
use slt_server::{
    AddressError, ConnectError, DATABASE_PREFIX, Password, Patience, ServerAddress, new_database_name,
    variable,
};

use connection::{Login, PostgresConnection, ServerEndpoint};
use session::PostgresSession;

/// How SQL is sent to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostgresProtocol {
    /// As text, with any number of statements.
    Simple,
    /// As one prepared statement.
    Extended,
}

/// A PostgreSQL server.
#[derive(Debug, Clone)]
pub struct Postgres(Arc<PostgresServer>);

#[derive(Debug)]
struct PostgresServer {
    protocol: PostgresProtocol,
    endpoint: ServerEndpoint,
    user: String,
    password: Option<Password>,
    /// The database in which databases are created.
    maintenance: String,
    /// The database that new databases are copies of; the server's default if there is none.
    template: Option<String>,
    patience: Patience,
}

/// The options of an address.
const OPTIONS: [&str; 3] = ["host", "sslmode", "template"];
const DEFAULT_PORT: u16 = 5432;
/// Where Debian's and Red Hat's packages keep the server's Unix socket.
const SOCKET_DIRECTORY: &str = "/var/run/postgresql";

impl Postgres {
    /// Returns the server at an address: `//user@host:port/database?template=NAME`. What is left out comes from the
    /// variables PGHOST, PGPORT, PGUSER and PGDATABASE, and then from the defaults of PostgreSQL's own programs; only the
    /// database is `postgres` then.
    ///
    /// # Errors
    ///
    /// [`AddressError`] for a text that is not an address, an unknown option, or a connection that must be encrypted.
    pub fn at(address: &str, protocol: PostgresProtocol) -> Result<Self, AddressError> {
        let mut address = ServerAddress::parse(address, &OPTIONS)?;
        let mode = address.options.remove("sslmode").or_else(|| variable("PGSSLMODE"));
        match mode.as_deref() {
            None | Some("disable" | "allow" | "prefer") => {}
            Some(mode) => {
                return Err(AddressError(format!("sslmode={mode}: encrypted connections are not supported")));
            }
        }
        let port = match (address.port, variable("PGPORT")) {
            (Some(port), _) => port,
            (None, Some(text)) => {
                text.parse().map_err(|_| AddressError(format!("PGPORT is no port: `{text}`")))?
            }
            (None, None) => DEFAULT_PORT,
        };
        let host = address.options.remove("host").or(address.host).or_else(|| variable("PGHOST"));
        let host = host.unwrap_or_else(|| {
            let has_socket = std::fs::exists(format!("{SOCKET_DIRECTORY}/.s.PGSQL.{port}")).unwrap_or(false);
            if has_socket { SOCKET_DIRECTORY } else { "localhost" }.to_owned()
        });
        let user = address.user.or_else(|| variable("PGUSER")).or_else(|| variable("USER"));
        let maintenance = address.database.or_else(|| variable("PGDATABASE"));
        let maintenance = maintenance.unwrap_or_else(|| "postgres".to_owned());
        let template = address.options.remove("template");
        if template.as_deref().unwrap_or("template1") == maintenance {
            let why = "new databases are copies of it, which nobody may be connected to then";
            return Err(AddressError(format!("the address leads to the database `{maintenance}`: {why}")));
        }
        Ok(Self(Arc::new(PostgresServer {
            protocol,
            endpoint: ServerEndpoint { host, port },
            user: user.unwrap_or_else(|| "postgres".to_owned()),
            password: address.password,
            maintenance,
            template,
            patience: Patience::default(),
        })))
    }
}

impl PostgresServer {
    fn connect(&self, database: &str, user: Option<&str>) -> Result<PostgresConnection, ConnectError> {
        let user = user.unwrap_or(&self.user);
        let given = self.password.clone();
        let password = given.or_else(|| passfile::known_password(&self.endpoint, &self.maintenance, user));
        PostgresConnection::open(&Login { endpoint: &self.endpoint, user, password, database })
    }

    /// Connects to the database in which databases are created; does not wait for the server.
    fn connect_for_maintenance(&self) -> Result<PostgresConnection, ConnectError> {
        let mut connection = self.connect(&self.maintenance, None)?;
        // The lock of a database ends with this connection, which is idle while the file runs. Old servers do not know
        // the first, and sockets not the second.
        for setting in ["idle_session_timeout = 0", "tcp_keepalives_idle = 30"] {
            match connection.ask(&format!("SET {setting}")) {
                Ok(_) | Err(ExecuteError::Sql(_)) => {}
                Err(error) => return Err(ConnectError::Unavailable(EngineError::new(error))),
            }
        }
        Ok(connection)
    }

    /// Returns the start of the names of databases that are created in this maintenance database. Advisory locks are known
    /// only there, so databases of another one cannot be told from those in use.
    fn prefix(&self) -> String {
        format!("{DATABASE_PREFIX}{:08x}_", lock_key(&self.maintenance) >> 32)
    }

    /// Creates a database and connects to it.
    fn create(self: &Arc<Self>) -> Result<PostgresDatabase, ConnectError> {
        let refused = |error: ExecuteError| match error {
            ExecuteError::Lost(error) => ConnectError::Unavailable(error),
            // The template is in use, or being copied.
            ExecuteError::Sql(error) if error.code.as_deref() == Some("55006") => {
                ConnectError::Unavailable(EngineError::new(format_args!("cannot create a database: {error}")))
            }
            error => {
                ConnectError::Refused(EngineError::new(format_args!("cannot create a database: {error}")))
            }
        };
        let mut maintenance = self.connect_for_maintenance()?;
        let random = new_database_name();
        let name = self.prefix() + random.trim_start_matches(DATABASE_PREFIX);
        // A server without advisory locks, such as RisingWave, keeps the databases of killed processes.
        match maintenance.ask(&format!("SELECT pg_try_advisory_lock({})", lock_key(&name).cast_signed())) {
            Ok(_) | Err(ExecuteError::Sql(_)) => {}
            Err(error) => return Err(refused(error)),
        }
        let template = self.template.as_ref().map(|name| format!(" TEMPLATE {}", quoted(name)));
        maintenance
            .ask(&format!("CREATE DATABASE {}{}", quoted(&name), template.unwrap_or_default()))
            .map_err(refused)?;
        match self.connect(&name, None) {
            Ok(first) => {
                Ok(PostgresDatabase { server: Arc::clone(self), name, maintenance, first: Some(first) })
            }
            Err(error) => {
                // It is tried again with another database; this one is a leftover if it cannot be dropped.
                drop_database(&mut maintenance, &name).ok();
                Err(error)
            }
        }
    }
}

impl Engine for Postgres {
    fn describe(&self) -> Result<EngineId, EngineError> {
        let mut connection = self.0.connect_for_maintenance().map_err(ConnectError::into_error)?;
        let build = connection.ask("SELECT version()").map_err(EngineError::new)?.concat();
        let name = server_name(&build);
        let mut labels: Vec<_> = ["postgresql", "postgres"].map(str::to_owned).into();
        if name != "postgres" {
            labels.insert(0, name.to_owned());
        }
        let variant = (self.0.protocol == PostgresProtocol::Extended).then(|| "extended".to_owned());
        let version = connection.server_version.split(' ').next().unwrap_or_default();
        let build = build_of(&build, version);
        Ok(EngineId { variant, build, labels, ..EngineId::new(name, version) })
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        Ok(Box::new(self.0.patience.connect(|| self.0.create())?))
    }

    fn capabilities(&self) -> Result<Vec<Capability>, EngineError> {
        let kind = match self.0.protocol {
            PostgresProtocol::Simple => Capability::SeveralStatements,
            PostgresProtocol::Extended => Capability::ColumnsFirst,
        };
        Ok(vec![kind, Capability::Cancel, Capability::Connections, Capability::Concurrent, Capability::Users])
    }

    fn remove_leftovers(&self) -> Result<(), EngineError> {
        let connect = || self.0.connect_for_maintenance().map_err(ConnectError::into_error);
        let mut connection = connect()?;
        // Those of others are theirs to drop.
        let names = "SELECT datname FROM pg_database WHERE pg_has_role(datdba, 'USAGE')";
        let Ok(mut names) = connection.ask(names) else { return Ok(()) };
        let prefix = self.0.prefix();
        names.retain(|name| name.strip_prefix(&prefix).is_some_and(is_random_part));
        if names.is_empty() || !locks_exclude(&mut connection, &mut connect()?) {
            return Ok(());
        }
        let mut failed = Ok(());
        for name in names {
            let key = lock_key(&name).cast_signed();
            let locked = connection.ask(&format!("SELECT pg_try_advisory_lock({key})"));
            if locked.map_err(EngineError::new)? != ["t"] {
                continue;
            }
            // A database that cannot be dropped, for instance because of a prepared transaction, does not keep the others.
            failed = failed.and(drop_database(&mut connection, &name));
            connection.ask(&format!("SELECT pg_advisory_unlock({key})")).map_err(EngineError::new)?;
        }
        failed
    }
}

/// Returns whether the rest of a name is one that this program makes: 16 hexadecimal digits.
fn is_random_part(rest: &str) -> bool {
    rest.len() == 16 && rest.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// Returns whether an advisory lock of one connection keeps another from taking it. Some servers know the function and
/// have no locks.
fn locks_exclude(one: &mut PostgresConnection, other: &mut PostgresConnection) -> bool {
    let key = lock_key(&new_database_name()).cast_signed();
    let try_lock = format!("SELECT pg_try_advisory_lock({key})");
    let taken = |connection: &mut PostgresConnection| match connection.ask(&try_lock) {
        Ok(answer) if answer == ["t"] => Some(true),
        Ok(answer) if answer == ["f"] => Some(false),
        _ => None,
    };
    taken(one) == Some(true) && taken(other) == Some(false)
}

struct PostgresDatabase {
    server: Arc<PostgresServer>,
    name: String,
    /// Has the advisory lock of the database.
    maintenance: PostgresConnection,
    /// The default connection, until it is asked for.
    first: Option<PostgresConnection>,
}

impl Database for PostgresDatabase {
    fn connect(&mut self, name: Option<&str>, user: Option<&str>) -> Result<Box<dyn Session>, DatabaseError> {
        let first = self.first.take_if(|_| name.is_none() && user.is_none());
        let connection = match first {
            Some(first) => first,
            None => self.server.connect(&self.name, user).map_err(ConnectError::into_error)?,
        };
        Ok(Box::new(PostgresSession::new(connection, self.server.protocol)))
    }

    fn connect_concurrent(&mut self, _: &str) -> Result<Box<dyn Session + Send>, DatabaseError> {
        let connection = self.server.connect(&self.name, None).map_err(ConnectError::into_error)?;
        Ok(Box::new(PostgresSession::new(connection, self.server.protocol)))
    }

    fn close(mut self: Box<Self>) -> Result<(), EngineError> {
        self.first = None;
        drop_database(&mut self.maintenance, &self.name)
    }
}

/// Drops a database, if it exists. Sessions that the server has not ended yet are ended.
fn drop_database(connection: &mut PostgresConnection, name: &str) -> Result<(), EngineError> {
    let name = quoted(name);
    let dropped = connection.ask(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).or_else(|error| {
        match error {
            // Before PostgreSQL 13, and in servers that only speak its protocol.
            ExecuteError::Sql(error) if error.code.as_deref() == Some("42601") => {
                connection.ask(&format!("DROP DATABASE IF EXISTS {name}"))
            }
            error => Err(error),
        }
    });
    let failed = |error| EngineError::new(format_args!("cannot drop the database {name}: {error}"));
    dropped.map(drop).map_err(failed)
}

/// Returns the number of the advisory lock for a database: the FNV-1a digest of its name, which is the same everywhere.
fn lock_key(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Quotes an identifier.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns the build that a version text names besides the version: `Debian 15.18-1` in `PostgreSQL 15.18 (Debian 15.18-1)
/// on x86_64, compiled by …`; the whole text of a server with another form.
fn build_of(text: &str, version: &str) -> Option<String> {
    let build = match text.strip_prefix("PostgreSQL ").and_then(|rest| rest.strip_prefix(version)) {
        Some(rest) => rest.split(" on ").next()?.trim().trim_matches(['(', ')']),
        None => text,
    };
    (!build.is_empty()).then(|| build.to_owned())
}

/// Returns the name of the engine that reports this version.
fn server_name(version: &str) -> &'static str {
    let known = [
        ("CockroachDB", "cockroachdb"),
        ("RisingWave", "risingwave"),
        ("Materialize", "materialize"),
        ("YB-", "yugabytedb"),
        ("Greenplum", "greenplum"),
        ("Redshift", "redshift"),
        ("CrateDB", "cratedb"),
        ("QuestDB", "questdb"),
    ];
    known.iter().find(|(word, _)| version.contains(word)).map_or("postgres", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_by_their_version() {
        let debian = "PostgreSQL 15.18 (Debian 15.18-0) on x86_64-pc-linux-gnu, compiled by gcc (Debian 12.2.0), 64-bit";
        assert_eq!(build_of(debian, "15.18").as_deref(), Some("Debian 15.18-0"));
        assert_eq!(build_of("PostgreSQL 17.2 on aarch64-apple-darwin", "17.2"), None);
        let cockroach = "CockroachDB CCL v23.1.2 (x86_64-pc-linux-gnu)";
        assert_eq!(build_of(cockroach, "13.0.0").as_deref(), Some(cockroach));
        assert_eq!([debian, cockroach].map(server_name), ["postgres", "cockroachdb"]);
    }

    #[test]
    fn lock_numbers_never_change() {
        assert_eq!(lock_key(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(lock_key("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn an_address_that_must_be_encrypted_is_refused() {
        let error = Postgres::at("//h/d?sslmode=verify-full", PostgresProtocol::Simple).unwrap_err();
        assert!(error.to_string().contains("encrypted connections are not supported"), "{error}");
    }
}
