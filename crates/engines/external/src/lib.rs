//! Any program as an engine: a *driver* that reads SQL as JSON from standard input and writes results to standard output.
//!
//! docs/engine-protocol.md describes both versions of the protocol. Each database is a process of its own, and the
//! connections to it share this process.

mod cell;
mod driver;
pub mod message;
pub mod reader;
mod session;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;
use std::time::Duration;

use slt_core::engine::{Capability, Database, Engine, EngineError, EngineId};

pub use cell::JsonCell;
use driver::Driver;
use message::Hello;
use session::ExternalDatabase;

/// An engine behind a driver program.
pub struct External {
    /// The command of the shell. It may contain a password, so messages show another text.
    command: String,
    shown: String,
    /// The greeting of the driver, once it is known whether it has one.
    hello: OnceLock<Option<Hello>>,
}

/// The time for a driver to start.
const START_LIMIT: Duration = Duration::from_secs(30);

impl External {
    /// Returns the engine whose driver is started by this command of the shell. Messages and results show the command as
    /// `shown`.
    pub fn new(command: impl Into<String>, shown: impl Into<String>) -> Self {
        Self { command: command.into(), shown: shown.into(), hello: OnceLock::new() }
    }

    /// Returns the greeting of the driver; `None` if it speaks version 1.
    fn hello(&self) -> Result<Option<&Hello>, EngineError> {
        if let Some(hello) = self.hello.get() {
            return Ok(hello.as_ref());
        }
        let hello = Driver::start(&self.command, &self.shown)?.probe(START_LIMIT)?;
        Ok(self.hello.get_or_init(|| hello).as_ref())
    }
}

impl Engine for External {
    fn describe(&self) -> Result<EngineId, EngineError> {
        Ok(match self.hello()? {
            Some(hello) => EngineId {
                name: hello.name.clone(),
                variant: hello.variant.clone(),
                version: hello.version.clone(),
                build: hello.build.clone(),
                labels: hello.labels.clone().unwrap_or_else(|| vec![hello.name.clone()]),
            },
            // Another command may be another engine.
            None => EngineId {
                variant: Some(self.shown.clone()),
                labels: vec!["external".to_owned()],
                ..EngineId::new("exec", "")
            },
        })
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        let greets = self.hello()?.is_some();
        let mut driver = Driver::start(&self.command, &self.shown)?;
        if greets {
            driver.greet(START_LIMIT)?;
        }
        Ok(Box::new(ExternalDatabase::new(driver)))
    }

    fn capabilities(&self) -> Result<Vec<Capability>, EngineError> {
        Ok(self.hello()?.map(|hello| hello.capabilities().collect()).unwrap_or_default())
    }
}
