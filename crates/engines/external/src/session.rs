//! The database of a driver process, and its connections.

use std::cell::RefCell;
use std::rc::Rc;

use slt_core::engine::{
    Capability, Database, DatabaseError, DatabaseFile, EngineError, ExecuteError, Flow, Interrupter, RowSink,
    Session, SqlError, utf8,
};
use slt_core::value::{Column, ValueRef, recycle};

use crate::cell::JsonCell;
use crate::driver::Driver;
use crate::message::{DriverAnswer, Request, ResultSet};

/// A driver process.
pub struct ExternalDatabase {
    driver: Rc<RefCell<Driver>>,
    /// Whether the default connection has been given away.
    is_connected: bool,
}

impl ExternalDatabase {
    /// Makes a database of a driver that has started.
    pub fn new(driver: Driver) -> Self {
        Self { driver: Rc::new(RefCell::new(driver)), is_connected: false }
    }

    /// Sends a request that a driver answers like a statement without rows, if it has declared the capability.
    fn change(&self, capability: Capability, request: Request<'_>) -> Result<(), DatabaseError> {
        self.require(capability)?;
        let mut driver = self.driver.borrow_mut();
        match driver.request(request)? {
            DriverAnswer::Results(results) if results.iter().all(|result| result.rows.is_empty()) => Ok(()),
            DriverAnswer::Results(_) => Err(EngineError::new("the driver answered with rows").into()),
            DriverAnswer::Error { message, .. } => Err(EngineError::new(message).into()),
            DriverAnswer::Unsupported(reason) => Err(DatabaseError::Unsupported(reason)),
        }
    }

    fn require(&self, capability: Capability) -> Result<(), DatabaseError> {
        if self.driver.borrow().can(capability) {
            return Ok(());
        }
        let reason = format!("the driver has not declared the capability `{}`", capability.name());
        Err(DatabaseError::Unsupported(reason))
    }

    fn connect_named(&self, name: &str, user: Option<&str>) -> Result<(), DatabaseError> {
        if user.is_some() {
            self.require(Capability::Users)?;
        }
        self.change(Capability::Connections, Request { connect: Some(name), user, ..Request::default() })
    }
}

impl Database for ExternalDatabase {
    fn connect(&mut self, name: Option<&str>, user: Option<&str>) -> Result<Box<dyn Session>, DatabaseError> {
        match (name, user) {
            (Some(name), user) => self.connect_named(name, user)?,
            (None, Some(_)) => {
                let reason = "the default connection of a driver has the default user".to_owned();
                return Err(DatabaseError::Unsupported(reason));
            }
            (None, None) if self.is_connected => {
                self.change(Capability::Connections, Request { reconnect: true, ..Request::default() })?;
            }
            (None, None) => self.is_connected = true,
        }
        Ok(Box::new(ExternalSession { driver: Rc::clone(&self.driver), name: name.map(str::to_owned) }))
    }

    fn restart(&mut self) -> Result<(), DatabaseError> {
        self.change(Capability::Restart, Request { restart: true, ..Request::default() })?;
        self.is_connected = false;
        Ok(())
    }

    fn load(&mut self, file: &DatabaseFile<'_>) -> Result<(), DatabaseError> {
        let DatabaseFile { path, read_only, version: storage } = *file;
        self.change(
            Capability::Load,
            Request { load: Some(path), read_only, storage, ..Request::default() },
        )?;
        self.is_connected = false;
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<(), EngineError> {
        self.driver.borrow_mut().shut_down()
    }
}

struct ExternalSession {
    driver: Rc<RefCell<Driver>>,
    /// The name of the connection; the default one has none.
    name: Option<String>,
}

impl Session for ExternalSession {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        let (sql, connection) = (Some(utf8(sql)?), self.name.as_deref());
        let mut driver = self.driver.borrow_mut();
        let is_typed = driver.is_typed();
        let request = Request { sql, connection, ..Request::default() };
        match driver.request(request).map_err(ExecuteError::Lost)? {
            DriverAnswer::Error { message, code } => Err(ExecuteError::Sql(SqlError { message, code })),
            DriverAnswer::Unsupported(reason) => Err(ExecuteError::Unsupported(reason)),
            DriverAnswer::Results(results) => {
                for result in &results {
                    if push(result, is_typed, rows) == Flow::Stop {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    fn interrupter(&self) -> Option<Interrupter> {
        self.driver.borrow().canceller()
    }
}

/// Hands a result to the sink. Its statement has been executed already.
fn push(result: &ResultSet<'_>, is_typed: bool, rows: &mut dyn RowSink) -> Flow {
    let flow = match (&result.columns, result.width()) {
        (Some(columns), _) => {
            let column = |name, kind: crate::message::ColumnKind| Column { name, type_tag: kind.into() };
            let columns: Vec<_> = columns.iter().map(|it| column(it.name.as_deref(), it.kind)).collect();
            rows.columns(&columns)
        }
        (None, Some(width)) => rows.columns(&vec![Column::UNKNOWN; width]),
        (None, None) => rows.unknown_columns(),
    };
    if flow == Flow::Stop {
        return flow;
    }
    let mut values = Vec::new();
    for row in &result.rows {
        let mut own = recycle(values);
        own.extend(row.iter().map(|cell| value_of(cell, is_typed)));
        let flow = rows.row(&own);
        values = recycle(own);
        if flow == Flow::Stop {
            return flow;
        }
    }
    rows.done(result.affected)
}

/// Returns the value of a cell. Version 1 has texts only; its drivers write NULL and the empty text like test files do.
fn value_of<'c>(cell: &'c JsonCell<'_>, is_typed: bool) -> ValueRef<'c> {
    match cell {
        JsonCell::Text(text) if !is_typed && text == "NULL" => ValueRef::Null,
        JsonCell::Text(text) if !is_typed && text == "(empty)" => ValueRef::Text(b""),
        cell => cell.value(),
    }
}
