//! What the engines share that are servers: their addresses, the databases that they create for files, and the wait
//! for a server that restarts.

mod address;
mod patience;

use std::hash::{BuildHasher as _, Hasher as _};

pub use address::{AddressError, Password, ServerAddress};
pub use patience::{ConnectError, Patience};

/// The start of the names of all databases that this program creates.
pub const DATABASE_PREFIX: &str = "slt_";

/// Returns a new name for a database: the prefix and 16 random hexadecimal digits.
pub fn new_database_name() -> String {
    // The standard library's random keys differ between processes and between calls.
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("{DATABASE_PREFIX}{random:016x}")
}

/// Returns the value of an environment variable that is set and not empty.
#[expect(clippy::disallowed_methods, reason = "a password is read only where it is used")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
