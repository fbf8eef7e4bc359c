//! Addresses of servers: `//user@host:port/database?option=value`.

use std::collections::BTreeMap;
use std::fmt;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// The address of a server. What is not given has no value here; each engine has its own defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerAddress {
    /// The user.
    pub user: Option<String>,
    /// The password, which only an address from an environment variable has.
    pub password: Option<Password>,
    /// The name or number of the host.
    pub host: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// The database.
    pub database: Option<String>,
    /// The options after `?`.
    pub options: BTreeMap<String, String>,
}

/// A password. It never appears in a text for people.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// A text that is not an address. The message never contains the text, which may contain a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AddressError(pub String);

impl ServerAddress {
    /// Reads the text after the colon of an engine's name. An empty text is the address without any part.
    ///
    /// # Errors
    ///
    /// [`AddressError`] for anything but `//user:password@host:port/database?option=value`, where every part can be
    /// left out, and for options other than `options`.
    pub fn parse(text: &str, options: &[&str]) -> Result<Self, AddressError> {
        let invalid = |what: &dyn fmt::Display| AddressError(format!("invalid address: {what}"));
        if text.is_empty() {
            return Ok(Self::default());
        }
        if !text.starts_with("//") {
            return Err(invalid(&"expected `//` after the colon"));
        }
        // The library would drop or encode them, and a password with one would not be recognised elsewhere.
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(invalid(&"white space must be percent-encoded"));
        }
        let url = Url::parse(&with_host(text)).map_err(|error| invalid(&error))?;
        let decoded = |part: &str| match percent_decode_str(part).decode_utf8() {
            Ok(text) if text.contains('\0') => Err(invalid(&"a NUL byte")),
            Ok(text) => Ok(Some(text.into_owned()).filter(|text| !text.is_empty())),
            Err(_) => Err(invalid(&"bytes that are not UTF-8")),
        };
        let host = match url.host() {
            None => None,
            Some(Host::Domain(NO_HOST)) => None,
            Some(Host::Domain(name)) => decoded(name)?,
            Some(Host::Ipv4(number)) => Some(number.to_string()),
            Some(Host::Ipv6(number)) => Some(number.to_string()),
        };
        let mut found = BTreeMap::new();
        for (name, value) in url.query_pairs() {
            if !options.contains(&name.as_ref()) {
                let known = options.join(", ");
                return Err(AddressError(format!(
                    "unknown option `{name}` in the address; options: {known}"
                )));
            }
            found.insert(name.into_owned(), value.into_owned());
        }
        let database = decoded(url.path().trim_start_matches('/'))?;
        let password = decoded(url.password().unwrap_or_default())?.map(Password);
        let user = decoded(url.username())?;
        Ok(Self { user, password, host, port: url.port(), database, options: found })
    }
}

/// Stands for a host that is left out: the library takes no user and port without a host.
const NO_HOST: &str = "no-host.invalid";

/// Returns the address as a URL with a host.
fn with_host(text: &str) -> String {
    let authority = text[2..].split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rfind('@').map_or(0, |at| at + 1);
    let has_host = authority[host..].starts_with(|c| c != ':');
    let (before, after) = text.split_at(2 + host);
    let inserted = if has_host || authority.is_empty() { "" } else { NO_HOST };
    format!("server:{before}{inserted}{after}")
}

impl Password {
    /// Makes a password of its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text, for a server only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_an_address_can_be_left_out() {
        let address = |text| ServerAddress::parse(text, &["a", "b"]).unwrap();
        let full = address("//me:p%40ss@db.example:77/my%20data?a=1&b=x%26y");
        assert_eq!((full.user.as_deref(), full.host.as_deref()), (Some("me"), Some("db.example")));
        assert_eq!(full.password.as_ref().map(Password::reveal), Some("p@ss"));
        assert_eq!((full.port, full.database.as_deref()), (Some(77), Some("my data")));
        assert_eq!((full.options["a"].as_str(), full.options["b"].as_str()), ("1", "x&y"));
        for text in ["", "//", "///"] {
            assert_eq!(address(text), ServerAddress::default(), "{text}");
        }
        assert_eq!(address("//[::1]:5/").host.as_deref(), Some("::1"));
        assert_eq!(address("//127.0.0.1").host.as_deref(), Some("127.0.0.1"));
        let no_host = address("//me@:77/d");
        assert_eq!((no_host.user.as_deref(), no_host.host, no_host.port), (Some("me"), None, Some(77)));
        assert_eq!((address("//:5").port, address("//me@/d").database.as_deref()), (Some(5), Some("d")));
        assert_eq!(address("//h").database, None);
        assert_eq!(address("///d").database.as_deref(), Some("d"));
    }

    #[test]
    fn no_error_and_no_debug_text_contains_the_password() {
        let wrong =
            ["/x:secret@h", "x", "//u:secret@h:port/d", "//u:secret@h:99999", "//u:secret@h?c=secret"];
        for text in wrong {
            let error = ServerAddress::parse(text, &["a"]).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{text}: {error}");
        }
        let address = ServerAddress::parse("//u:secret@h", &[]).unwrap();
        assert!(!format!("{address:?}").contains("secret"));
    }
}
