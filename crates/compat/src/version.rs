//! The traits of the supported versions of the `sqllogictest` crate, as one trait of ours.
//!
//! The versions have the same traits under the same names, which are different traits to the compiler. [`AsyncDriver`]
//! is implemented for the drivers of all versions. Its parameter keeps these implementations apart; it is inferred,
//! since a driver is of one version.

use std::error::Error;

use crate::connection::{Connection, DriverError, DriverFuture, DriverOutput};

/// An `AsyncDB` of any supported version of the `sqllogictest` crate. A `DB` is one, too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a driver of the `sqllogictest` crate",
    note = "a driver implements `AsyncDB` or `DB` of `sqllogictest` 0.28 or 0.29"
)]
pub trait AsyncDriver<Version>: Sized {
    /// The error of the driver.
    type Error: Error + Send + Sync + 'static;

    /// Returns the connection without its type.
    #[doc(hidden)]
    fn into_connection(self) -> Box<dyn Connection>;

    /// Returns the error without its type.
    #[doc(hidden)]
    fn driver_error(error: Self::Error) -> DriverError;
}

/// A `DB` of any supported version of the `sqllogictest` crate.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a blocking driver of the `sqllogictest` crate",
    note = "a blocking driver implements `DB` of `sqllogictest` 0.28 or 0.29"
)]
pub trait BlockingDriver<Version>: AsyncDriver<Version> {}

/// Implements the traits for the drivers of one version. `$sql_state` may use `D`, the type of the driver.
macro_rules! version {
    ($marker:ident, $number:literal, $module:ident, $traits:item, $sql_state:expr) => {
        #[doc = concat!("Version ", $number, " of the `sqllogictest` crate.")]
        #[derive(Debug, Clone, Copy)]
        pub enum $marker {}

        mod $module {
            use super::*;

            $traits

            struct Driver<D>(D);

            impl<D: AsyncDB + 'static> Connection for Driver<D> {
                fn run<'c>(
                    &'c mut self,
                    sql: &'c str,
                ) -> DriverFuture<'c, Result<DriverOutput, DriverError>> {
                    Box::pin(async move {
                        match self.0.run(sql).await.map_err(D::driver_error)? {
                            DBOutput::Rows { types, rows } => {
                                let types = types.iter().map(|kind| kind.to_char()).collect();
                                Ok(DriverOutput::Rows { types, rows })
                            }
                            DBOutput::StatementComplete(count) => Ok(DriverOutput::Complete(count)),
                            _ => Ok(DriverOutput::Unknown),
                        }
                    })
                }

                fn shutdown(&mut self) -> DriverFuture<'_, ()> {
                    self.0.shutdown()
                }

                fn engine_name(&self) -> &str {
                    self.0.engine_name()
                }
            }

            impl<D: AsyncDB + 'static> AsyncDriver<$marker> for D {
                type Error = D::Error;

                fn into_connection(self) -> Box<dyn Connection> {
                    Box::new(Driver(self))
                }

                fn driver_error(error: D::Error) -> DriverError {
                    let sql_state: fn(&D::Error) -> Option<String> = $sql_state;
                    DriverError { code: sql_state(&error), error: Box::new(error) }
                }
            }

            impl<D: DB + Send + 'static> BlockingDriver<$marker> for D {}
        }
    };
}

version!(
    V0_28,
    "0.28",
    v0_28,
    use sqllogictest_0_28::{AsyncDB, ColumnType as _, DB, DBOutput};,
    // This version has no SQLSTATE.
    |_| None
);

version!(V0_29, "0.29", v0_29, use sqllogictest::{AsyncDB, ColumnType as _, DB, DBOutput};, |error| {
    D::error_sql_state(error)
});
