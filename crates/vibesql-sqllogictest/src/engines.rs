//! The engines of this build.

use slt_core::engine::{EngineRegistry, RegistryError};

/// Returns a registry with the engines of this build.
pub fn builtin() -> EngineRegistry {
    let mut registry = EngineRegistry::new();
    #[cfg(not(feature = "engine-vibesql"))]
    registry.add_not_built("vibesql", "engine-vibesql");
    #[cfg(feature = "engine-vibesql")]
    registry.add_with("vibesql", "VibeSQL 0.2 in its SQLite mode; vibesql:mysql for the other", |mode| {
        use slt_vibesql::{Mode, VibeSql};
        let mode = match mode {
            "" | "sqlite" => Mode::Sqlite,
            "mysql" => Mode::Mysql,
            found => {
                let expected = "the mode `sqlite` or `mysql`";
                return Err(RegistryError::Argument { name: "vibesql", expected, found: found.to_owned() });
            }
        };
        Ok(Box::new(VibeSql::new(mode)))
    });
    registry.add_with("sqlite", "the bundled SQLite, used as the reference", |argument| {
        RegistryError::unless_empty("sqlite", argument)?;
        Ok(Box::new(slt_sqlite::Sqlite))
    });
    registry.add_with(
        "exec",
        "a program that executes SQL: exec:COMMAND, see docs/engine-protocol.md",
        |command| {
            if command.trim().is_empty() {
                let expected = "a command, as in `exec:python3 driver.py`";
                return Err(RegistryError::Argument { name: "exec", expected, found: command.to_owned() });
            }
            Ok(Box::new(slt_external::External::new(command)))
        },
    );
    registry.add_with("scripted", "does what the SQL text tells it to", |argument| {
        let variant = (!argument.is_empty()).then(|| argument.to_owned());
        Ok(Box::new(slt_scripted::Scripted { variant }))
    });
    registry.hide("scripted");
    registry
}
