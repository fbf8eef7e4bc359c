//! MySQL, MariaDB, and servers that speak their protocol.
//!
//! Each file gets a database of its own. A second connection creates and drops it and holds a lock with its name in the
//! meantime (`GET_LOCK`): the lock tells which databases belong to a process that lives.

mod connection;
mod session;
mod statements;
mod value;

use std::sync::Arc;

use slt_core::engine::{
    Capability, Database, DatabaseError, Engine, EngineError, EngineId, ExecuteError, Session,
};
use slt_server::{
    AddressError, ConnectError, DATABASE_PREFIX, Password, Patience, ServerAddress, new_database_name,
    variable,
};

use connection::{Login, MysqlConnection, MysqlEndpoint};
use session::MysqlSession;

/// A MySQL or MariaDB server.
#[derive(Debug, Clone)]
pub struct Mysql(Arc<MysqlServer>);

#[derive(Debug)]
struct MysqlServer {
    endpoint: MysqlEndpoint,
    user: String,
    password: Option<Password>,
    /// The database of the maintenance connection. It needs none, but the server may let a user connect only to one.
    maintenance: Option<String>,
    patience: Patience,
}

/// The options of an address.
const OPTIONS: [&str; 2] = ["socket", "ssl-mode"];
const DEFAULT_PORT: u16 = 3306;

impl Mysql {
    /// Returns the server at an address: `//user@host:port/database`, or `//user@/?socket=PATH`. What is left out has the
    /// defaults of MySQL's own programs, but the host is `127.0.0.1`. The password comes from MYSQL_PWD.
    ///
    /// # Errors
    ///
    /// [`AddressError`] for a text that is not an address, an unknown option, or a connection that must be encrypted.
    pub fn at(address: &str) -> Result<Self, AddressError> {
        let mut address = ServerAddress::parse(address, &OPTIONS)?;
        if let Some(mode) = address.options.get("ssl-mode") {
            let is_optional = ["disabled", "preferred"].iter().any(|known| mode.eq_ignore_ascii_case(known));
            if !is_optional {
                return Err(AddressError(format!(
                    "ssl-mode={mode}: encrypted connections are not supported"
                )));
            }
        }
        let endpoint = match address.options.remove("socket") {
            Some(path) => MysqlEndpoint::Socket(path),
            None => MysqlEndpoint::Host {
                name: address.host.unwrap_or_else(|| "127.0.0.1".to_owned()),
                port: address.port.unwrap_or(DEFAULT_PORT),
            },
        };
        Ok(Self(Arc::new(MysqlServer {
            endpoint,
            user: address.user.or_else(|| variable("USER")).unwrap_or_else(|| "root".to_owned()),
            password: address.password.or_else(|| variable("MYSQL_PWD").map(Password::new)),
            maintenance: address.database,
            patience: Patience::default(),
        })))
    }
}

impl MysqlServer {
    /// Connects as the server's user, for everything but the SQL of files.
    fn connect_for_maintenance(&self) -> Result<MysqlConnection, ConnectError> {
        let database = self.maintenance.as_deref();
        MysqlConnection::open_for_maintenance(&self.login(database))
    }

    fn login<'l>(&'l self, database: Option<&'l str>) -> Login<'l> {
        Login { endpoint: &self.endpoint, user: &self.user, password: self.password.as_ref(), database }
    }

    /// Creates a database and connects to it.
    fn create(self: &Arc<Self>) -> Result<MysqlDatabase, ConnectError> {
        let failed = |error: ExecuteError| match error {
            ExecuteError::Lost(error) => ConnectError::Unavailable(error),
            error => {
                ConnectError::Refused(EngineError::new(format_args!("cannot create a database: {error}")))
            }
        };
        let mut maintenance = self.connect_for_maintenance()?;
        let name = new_database_name();
        // A server without locks keeps the databases of killed processes.
        match maintenance.ask(&format!("SELECT GET_LOCK('{name}', 0)")) {
            Ok(_) | Err(ExecuteError::Sql(_)) => {}
            Err(error) => return Err(failed(error)),
        }
        maintenance.ask(&format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")).map_err(failed)?;
        match MysqlSession::open(&self.login(Some(&name)), &name) {
            Ok(first) => {
                Ok(MysqlDatabase { server: Arc::clone(self), name, maintenance, first: Some(first) })
            }
            Err(error) => {
                // It is tried again with another database; this one is a leftover if it cannot be dropped.
                drop_database(&mut maintenance, &name).ok();
                Err(error)
            }
        }
    }
}

impl Engine for Mysql {
    fn describe(&self) -> Result<EngineId, EngineError> {
        let mut connection = self.0.connect_for_maintenance().map_err(ConnectError::into_error)?;
        let build = connection.ask("SELECT VERSION()").map_err(EngineError::new)?.concat();
        let (name, version) = name_and_version(&build);
        let mut labels = vec![name.to_owned()];
        if name != "mysql" {
            labels.push("mysql".to_owned());
        }
        let version = version.to_owned();
        Ok(EngineId { build: Some(build), labels, ..EngineId::new(name, version) })
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        Ok(Box::new(self.0.patience.connect(|| self.0.create())?))
    }

    fn capabilities(&self) -> Result<Vec<Capability>, EngineError> {
        Ok(vec![
            Capability::SeveralStatements,
            Capability::Cancel,
            Capability::Connections,
            Capability::Concurrent,
            Capability::Users,
        ])
    }

    fn remove_leftovers(&self) -> Result<(), EngineError> {
        let mut connection = self.0.connect_for_maintenance().map_err(ConnectError::into_error)?;
        let found = connection.ask(&format!("SHOW DATABASES LIKE '{DATABASE_PREFIX}%'"));
        let mut names = found.map_err(EngineError::new)?;
        names.retain(|name| is_database_of_a_file(name));
        if names.is_empty() {
            return Ok(());
        }
        let mut other = self.0.connect_for_maintenance().map_err(ConnectError::into_error)?;
        if !locks_exclude(&mut connection, &mut other) {
            return Ok(());
        }
        let mut failed = Ok(());
        for name in names {
            // A process that creates or uses a database has its lock. Its own drop may come first.
            if connection.try_lock(&name) {
                // A database that cannot be dropped does not keep the others.
                failed = failed.and(drop_database(&mut connection, &name));
                connection.ask(&format!("SELECT RELEASE_LOCK('{name}')")).map_err(EngineError::new)?;
            }
        }
        failed
    }
}

/// Returns whether a lock of one connection keeps another from taking it. Some servers know the function and have no
/// locks.
fn locks_exclude(one: &mut MysqlConnection, other: &mut MysqlConnection) -> bool {
    let name = new_database_name();
    let excluded = one.try_lock(&name) && !other.try_lock(&name);
    // Old servers keep one lock for each connection, and a new one releases it. This lock ends with the connection
    // at the latest.
    drop(one.ask(&format!("SELECT RELEASE_LOCK('{name}')")));
    excluded
}

/// Returns whether a database has a name that this program makes: `slt_` and 16 hexadecimal digits.
fn is_database_of_a_file(name: &str) -> bool {
    name.strip_prefix(DATABASE_PREFIX).is_some_and(|digits| {
        digits.len() == 16 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}

struct MysqlDatabase {
    server: Arc<MysqlServer>,
    name: String,
    /// Has the lock of the database.
    maintenance: MysqlConnection,
    /// The default session, until it is asked for.
    first: Option<MysqlSession>,
}

impl Database for MysqlDatabase {
    fn connect(&mut self, name: Option<&str>, user: Option<&str>) -> Result<Box<dyn Session>, DatabaseError> {
        if let Some(first) = self.first.take_if(|_| name.is_none() && user.is_none()) {
            return Ok(Box::new(first));
        }
        let mut login = self.server.login(Some(&self.name));
        if let Some(user) = user {
            // The password belongs to another user, and files have none for theirs.
            (login.user, login.password) = (user, None);
        }
        let session = MysqlSession::open(&login, &self.name).map_err(ConnectError::into_error)?;
        Ok(Box::new(session))
    }

    fn connect_concurrent(&mut self, _: &str) -> Result<Box<dyn Session + Send>, DatabaseError> {
        let session = MysqlSession::open(&self.server.login(Some(&self.name)), &self.name);
        Ok(Box::new(session.map_err(ConnectError::into_error)?))
    }

    fn close(mut self: Box<Self>) -> Result<(), EngineError> {
        self.first = None;
        drop_database(&mut self.maintenance, &self.name)
    }
}

/// Drops a database, if it exists. Statements that still use it, of a process that was killed, are ended: the server
/// would wait for them.
fn drop_database(connection: &mut MysqlConnection, name: &str) -> Result<(), EngineError> {
    let users = format!("SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '{name}'");
    for id in connection.ask(&users).unwrap_or_default() {
        // It may have ended by itself.
        drop(connection.ask(&format!("KILL {id}")));
    }
    let dropped = connection.ask(&format!("DROP DATABASE IF EXISTS {name}"));
    dropped
        .map(drop)
        .map_err(|error| EngineError::new(format_args!("cannot drop the database `{name}`: {error}")))
}

/// Returns the name of the engine that reports this version, and its own version number.
fn name_and_version(build: &str) -> (&'static str, &str) {
    let number = |text: &'static str| build.split_once(text).map(|(_, rest)| rest);
    let (name, rest) = match number("-TiDB-v") {
        Some(rest) => ("tidb", rest),
        None if build.contains("MariaDB") => ("mariadb", build),
        None => ("mysql", build),
    };
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    (name, &rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_tells_the_engine() {
        let cases = [
            ("10.11.19-MariaDB-0+deb12u1", ("mariadb", "10.11.19")),
            ("8.4.3", ("mysql", "8.4.3")),
            ("8.0.36-0ubuntu0.22.04.1", ("mysql", "8.0.36")),
            ("8.0.11-TiDB-v8.5.0", ("tidb", "8.5.0")),
        ];
        for (build, expected) in cases {
            assert_eq!(name_and_version(build), expected, "{build}");
        }
    }

    #[test]
    fn only_databases_of_files_are_removed() {
        assert!(is_database_of_a_file(&new_database_name()));
        for name in ["slt_", "slt_users", "slt_0123456789abcdeF", "slt_0123456789abcdef0", "mysql", "xslt_0"]
        {
            assert!(!is_database_of_a_file(name), "{name}");
        }
    }

    #[test]
    fn a_connection_that_must_be_encrypted_is_refused() {
        let refused = |address: &str| Mysql::at(address).unwrap_err().to_string();
        for mode in ["REQUIRED", "verify_ca", "x"] {
            let error = refused(&format!("//me@h/d?ssl-mode={mode}"));
            assert_eq!(error, format!("ssl-mode={mode}: encrypted connections are not supported"));
        }
        assert!(refused("//h?tls=1").contains("unknown option `tls`"));
        for address in ["", "//me@h/d?ssl-mode=DISABLED", "//?socket=/run/s", "//h?ssl-mode=preferred"] {
            assert!(Mysql::at(address).is_ok(), "{address}");
        }
    }

    #[test]
    fn no_debug_text_contains_the_password() {
        let server = Mysql::at("//me:secret@h").unwrap();
        assert!(!format!("{server:?}").contains("secret"));
    }
}
