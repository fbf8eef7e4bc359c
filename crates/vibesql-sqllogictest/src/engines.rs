//! The engines of this build.

use slt_core::engine::{Engine, EngineArgument, EngineRegistry, RegistryError};
use slt_mysql::Mysql;
use slt_postgres::{Postgres, PostgresProtocol};

/// Returns a registry with the engines of this build.
pub fn builtin() -> EngineRegistry {
    let mut registry = EngineRegistry::new();
    #[cfg(not(feature = "engine-vibesql"))]
    registry.add_not_built("vibesql", "engine-vibesql");
    #[cfg(feature = "engine-vibesql")]
    registry.add_with("vibesql", "VibeSQL 0.2 in its SQLite mode; vibesql:mysql for the other", |mode| {
        use slt_vibesql::{Mode, VibeSql};
        let mode = match mode.text {
            "" | "sqlite" => Mode::Sqlite,
            "mysql" => Mode::Mysql,
            _ => return Err(mode.unexpected("vibesql", "the mode `sqlite` or `mysql`")),
        };
        Ok(Box::new(VibeSql::new(mode)))
    });
    registry.add_with("sqlite", "the bundled SQLite, used as the reference", |argument| {
        RegistryError::unless_empty("sqlite", argument)?;
        Ok(Box::new(slt_sqlite::Sqlite))
    });
    registry.add_with(
        "postgres",
        "PostgreSQL: postgres://user@host:port/database, see docs/servers.md",
        |address| postgres("postgres", address, PostgresProtocol::Simple),
    );
    registry.add_with("postgres-extended", "PostgreSQL with prepared statements", |address| {
        postgres("postgres-extended", address, PostgresProtocol::Extended)
    });
    registry.add_with("postgresql", "another name of `postgres`", |address| {
        postgres("postgresql", address, PostgresProtocol::Simple)
    });
    registry.hide("postgresql");
    registry.add_with(
        "mysql",
        "MySQL and MariaDB: mysql://user@host:port/database, see docs/servers.md",
        |address| mysql("mysql", address),
    );
    registry.add_with("mariadb", "another name of `mysql`", |address| mysql("mariadb", address));
    registry.hide("mariadb");
    registry.add_with(
        "exec",
        "a program that executes SQL: exec:COMMAND, see docs/engine-protocol.md",
        |command| {
            if command.text.trim().is_empty() {
                return Err(command.unexpected("exec", "a command, as in `exec:python3 driver.py`"));
            }
            Ok(Box::new(slt_external::External::new(command.text, command.shown)))
        },
    );
    registry.add_with("scripted", "does what the SQL text tells it to", |argument| {
        let variant = (!argument.text.is_empty()).then(|| argument.text.to_owned());
        Ok(Box::new(slt_scripted::Scripted { variant }))
    });
    registry.hide("scripted");
    registry
}

fn postgres(
    name: &'static str,
    address: &EngineArgument<'_>,
    protocol: PostgresProtocol,
) -> Result<Box<dyn Engine>, RegistryError> {
    let server = Postgres::at(address.text, protocol);
    Ok(Box::new(server.map_err(|error| RegistryError::Address { name, problem: error.to_string() })?))
}

fn mysql(name: &'static str, address: &EngineArgument<'_>) -> Result<Box<dyn Engine>, RegistryError> {
    let server = Mysql::at(address.text);
    Ok(Box::new(server.map_err(|error| RegistryError::Address { name, problem: error.to_string() })?))
}
