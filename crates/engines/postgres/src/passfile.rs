//! Passwords in `~/.pgpass`, as PostgreSQL's own programs read it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use slt_server::{Password, variable};

use crate::connection::ServerEndpoint;

/// Returns the password of a user for a database: the one of PGPASSWORD, or of the password file.
pub fn known_password(endpoint: &ServerEndpoint, database: &str, user: &str) -> Option<Password> {
    if let Some(password) = variable("PGPASSWORD") {
        return Some(Password::new(password));
    }
    let path = match variable("PGPASSFILE") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(variable("HOME")?).join(".pgpass"),
    };
    let file = std::fs::metadata(&path).ok()?;
    // PostgreSQL ignores a file that others can read.
    if file.permissions().mode() & 0o077 != 0 {
        return None;
    }
    let host = if endpoint.host.starts_with('/') { "localhost" } else { &endpoint.host };
    let wanted = [host, &endpoint.port.to_string(), database, user];
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| password_of_line(line, wanted))
}

/// Returns the password of a line `host:port:database:user:password` if the other fields match. `*` matches anything, and
/// a backslash takes the meaning of a colon or backslash.
fn password_of_line(line: &str, wanted: [&str; 4]) -> Option<Password> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ':' if fields.len() <= wanted.len() => fields.push(String::new()),
            '\\' => fields.last_mut()?.extend(characters.next()),
            other => fields.last_mut()?.push(other),
        }
    }
    let (password, patterns) = fields.split_last()?;
    let matches = patterns.len() == wanted.len()
        && patterns.iter().zip(wanted).all(|(pattern, wanted)| pattern == "*" || pattern == wanted);
    matches.then(|| Password::new(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_matches_has_the_password() {
        let wanted = ["localhost", "5432", "shop", "me"];
        let found = |line| password_of_line(line, wanted).map(|password| password.reveal().to_owned());
        assert_eq!(found("localhost:5432:shop:me:secret").as_deref(), Some("secret"));
        assert_eq!(found(r"*:*:*:*:a\:b\\c:d").as_deref(), Some(r"a:b\c:d"));
        for line in
            ["localhost:5432:shop:you:x", "#localhost:5432:shop:me:x", "localhost:5432:shop:me", "", "*"]
        {
            assert_eq!(found(line), None, "{line}");
        }
    }
}
