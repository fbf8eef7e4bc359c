//! The connections of a test file.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::parser::Connection;
use crate::runner::AsyncDB;

/// Opens connections to the database under test; usually a closure that returns a future.
pub trait MakeConnection {
    /// The connection.
    type Conn: AsyncDB;
    /// The future that [`make`](Self::make) returns.
    type MakeFuture: Future<Output = Result<Self::Conn, <Self::Conn as AsyncDB>::Error>>;

    /// Opens a connection.
    fn make(&mut self) -> Self::MakeFuture;
}

impl<D: AsyncDB, F, Fut> MakeConnection for F
where
    F: FnMut() -> Fut,
    Fut: IntoFuture<Output = Result<D, D::Error>>,
{
    type Conn = D;
    type MakeFuture = Fut::IntoFuture;

    fn make(&mut self) -> Self::MakeFuture {
        self().into_future()
    }
}

/// The open connections, each made when a record first needs it.
pub(crate) struct Connections<D, M> {
    make_connection: M,
    open: HashMap<Connection, D>,
}

impl<D: AsyncDB, M: MakeConnection<Conn = D>> Connections<D, M> {
    pub fn new(make_connection: M) -> Self {
        Self { make_connection, open: HashMap::new() }
    }

    /// Returns the connection of this name.
    pub async fn get(&mut self, name: &Connection) -> Result<&mut D, D::Error> {
        match self.open.entry(name.clone()) {
            Entry::Occupied(open) => Ok(open.into_mut()),
            Entry::Vacant(vacant) => Ok(vacant.insert(self.make_connection.make().await?)),
        }
    }

    /// Shuts all connections down.
    pub async fn shutdown(&mut self) {
        for connection in self.open.values_mut() {
            connection.shutdown().await;
        }
    }
}
