//! What drives the futures of a driver.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// Drives the futures of a driver to their end.
pub trait Executor: Sized {
    /// Makes the executor of a process.
    ///
    /// # Errors
    ///
    /// [`io::Error`] when the system has no resources for it.
    fn start() -> io::Result<Self>;

    /// Waits for a future.
    fn wait<T>(&self, future: impl Future<Output = T>) -> T;
}

/// A Tokio runtime on the thread that asks, so that drivers have its large stack.
#[derive(Debug)]
pub struct TokioRuntime(Runtime);

impl Executor for TokioRuntime {
    fn start() -> io::Result<Self> {
        Builder::new_current_thread().enable_all().build().map(Self)
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.0.block_on(future)
    }
}

/// No runtime, as in the runner of the `sqllogictest` crate. A blocking driver can use a runtime of its own, which
/// would panic within another one.
#[derive(Debug)]
pub struct BlockOn;

impl Executor for BlockOn {
    fn start() -> io::Result<Self> {
        Ok(Self)
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        futures_executor::block_on(future)
    }
}
