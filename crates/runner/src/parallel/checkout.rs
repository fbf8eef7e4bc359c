//! Checkouts of Git, as far as the identity of suites needs them: read from Git's files.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use slt_core::location::file_id::SuiteName;

/// The repository of a checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CheckedOutRepository {
    /// A repository on another host, as `HOST/PATH`.
    Named(String),
    /// A repository on this machine: the directory of its main checkout, or its own if it has none.
    At(PathBuf),
}

/// The maximum length of a chain of local clones.
const MOST_CLONES: usize = 16;

/// Returns the repository of `folder`, a canonical path, if it is the root of a checkout.
pub(super) fn find(folder: &Path) -> Option<CheckedOutRepository> {
    let git = git_directory(&folder.join(".git"))?;
    Some(follow(shared_directory(&git), Some(folder)))
}

/// Returns the directory of Git that `.git` is or names, as in submodules and further checkouts.
fn git_directory(dot_git: &Path) -> Option<PathBuf> {
    let git = if dot_git.is_dir() {
        dot_git.to_owned()
    } else if dot_git.is_file() {
        let text = std::fs::read(dot_git).ok()?;
        dot_git.parent()?.join(path_of(text.strip_prefix(b"gitdir:")?))
    } else {
        return None;
    };
    // As in Git, a directory without a `HEAD` (which may be a broken link) is not a repository.
    git.join("HEAD").symlink_metadata().is_ok().then_some(git)
}

/// Returns the directory that all checkouts of a repository share.
fn shared_directory(git: &Path) -> PathBuf {
    match std::fs::read(git.join("commondir")) {
        Ok(text) => git.join(path_of(&text)),
        Err(_) => git.to_owned(),
    }
}

fn path_of(line: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(line.trim_ascii()))
}

/// Follows the origins of local repositories. `checkout` is a checkout of the first one.
fn follow(mut git: PathBuf, checkout: Option<&Path>) -> CheckedOutRepository {
    let mut main = main_checkout(&git, checkout);
    for _ in 0..MOST_CLONES {
        let Some(url) = origin(&git) else { break };
        let Some(path) = local_path(&url) else {
            return name_of(&url).map_or(CheckedOutRepository::At(main), CheckedOutRepository::Named);
        };
        let path = main.join(path);
        let Some(next) = repository_at(&path) else {
            // It is missing, but its path still identifies it for all of its clones.
            return CheckedOutRepository::At(path);
        };
        let next = shared_directory(&next);
        main = main_checkout(&next, None);
        if std::mem::replace(&mut git, next) == git {
            break;
        }
    }
    CheckedOutRepository::At(main)
}

/// Returns the directory of Git of the repository at a path: a checkout, or a repository without one.
fn repository_at(path: &Path) -> Option<PathBuf> {
    let with_ending = PathBuf::from(format!("{}.git", path.display()));
    [path.to_owned(), with_ending].into_iter().find_map(|path| {
        let path = path.canonicalize().ok()?;
        let own = || path.join("HEAD").is_file().then(|| path.clone());
        git_directory(&path.join(".git")).or_else(own)
    })
}

/// Returns the main checkout of a repository. A submodule has its directory of Git elsewhere, and is its own.
fn main_checkout(git: &Path, checkout: Option<&Path>) -> PathBuf {
    let git = git.canonicalize().unwrap_or_else(|_| git.to_owned());
    if git.file_name() == Some(OsStr::new(".git")) {
        return git.parent().unwrap_or(&git).to_owned();
    }
    let has_others = checkout.is_none_or(|checkout| checkout.join(".git/commondir").exists());
    let is_module = git.ancestors().any(|above| above.ends_with(".git/modules"));
    match checkout {
        Some(checkout) if is_module && !has_others => checkout.to_owned(),
        _ => git,
    }
}

/// Returns the address of `origin` in the configuration of a repository: of several the one that Git fetches from, which is
/// the first.
fn origin(git: &Path) -> Option<String> {
    let text = std::fs::read(git.join("config")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let mut is_origin = false;
    let mut found = None;
    for line in text.lines().map(str::trim) {
        let mut line = line;
        if let Some(rest) = line.strip_prefix('[') {
            let (section, rest) = rest.split_once(']').unwrap_or((rest, ""));
            let (kind, name) = section.split_once(char::is_whitespace).unwrap_or((section, ""));
            is_origin = kind.eq_ignore_ascii_case("remote") && name.trim() == "\"origin\"";
            // A variable may follow on the same line.
            line = rest;
        }
        if is_origin
            && let Some((key, value)) = line.split_once('=')
            && key.trim().eq_ignore_ascii_case("url")
        {
            found = found.or(Some(value_of(value)).filter(|url| !url.is_empty()));
        }
    }
    found
}

/// Returns a value of Git's configuration without its quotes and comments.
fn value_of(text: &str) -> String {
    let (mut value, mut is_quoted) = (String::new(), false);
    let mut signs = text.trim().chars();
    while let Some(sign) = signs.next() {
        match sign {
            '"' => is_quoted = !is_quoted,
            '\\' => value.extend(signs.next()),
            '#' | ';' if !is_quoted => break,
            sign => value.push(sign),
        }
    }
    value.trim_end().to_owned()
}

/// Returns the path if the address is a local path.
fn local_path(url: &str) -> Option<PathBuf> {
    if let Some(path) = url.strip_prefix("file://") {
        return Some(decoded(path.strip_prefix("localhost").unwrap_or(path)));
    }
    let is_address = url.contains("://") || url.split('/').next().is_some_and(|first| first.contains(':'));
    (!is_address).then(|| PathBuf::from(url))
}

/// Decodes percent-encoded bytes, such as `%20`.
fn decoded(text: &str) -> PathBuf {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|digits| str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    PathBuf::from(OsStr::from_bytes(&out))
}

/// Returns `HOST/PATH` of an address, without protocol, user and port; `None` if that is not a valid name of a suite,
/// for instance without a host.
fn name_of(url: &str) -> Option<String> {
    let (host, path) = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').unwrap_or((rest, "")),
        // The syntax of `scp`.
        None => url.split_once(':').unwrap_or((url, "")),
    };
    let host = host.rsplit('@').next().unwrap_or(host);
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|sign| sign.is_ascii_digit()) => host,
        _ => host,
    };
    let parts = path.split('/').filter(|part| !part.is_empty());
    let path = parts.collect::<Vec<_>>().join("/");
    let path = path.strip_suffix(".git").unwrap_or(&path);
    let name = format!("{}/{path}", host.to_ascii_lowercase());
    // The name ends before the first colon of a key.
    let name = name.chars().fold(String::new(), |mut out, sign| {
        match sign {
            ':' => out.push_str("%3A"),
            sign if sign.is_whitespace() || sign.is_control() => out.push('_'),
            sign => out.push(sign),
        }
        out
    });
    name.parse::<SuiteName>().is_ok().then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_repository_have_one_name() {
        for url in [
            "https://github.com/a/b.git",
            "https://github.com/a/b",
            "https://user:secret@GitHub.com/a/b/",
            "ssh://git@github.com:22/a/b.git",
            "git@github.com:a/b.git",
            "git@github.com:/a/b.git",
            "git://github.com//a/b",
        ] {
            assert_eq!((local_path(url), name_of(url).as_deref()), (None, Some("github.com/a/b")), "{url}");
        }
        assert_eq!(name_of("https://[::1]:80/a:b").as_deref(), Some("[%3A%3A1]/a%3Ab"));
        for url in ["=h:a/b", "https:///p/q", ":a/b", "https://h/", "h:"] {
            assert_eq!(name_of(url), None, "{url}");
        }
    }

    #[test]
    fn paths_are_no_addresses() {
        for (url, path) in [
            ("/s/r", "/s/r"),
            ("../r:x", "../r:x"),
            ("file:///s/r.git", "/s/r.git"),
            ("file://localhost/s/r", "/s/r"),
            ("file:///s/a%20b%2f%zz%+1%.git", "/s/a b/%zz%+1%.git"),
            ("/s/a%20b", "/s/a%20b"),
        ] {
            assert_eq!(local_path(url), Some(PathBuf::from(path)), "{url}");
        }
    }

    #[test]
    fn values_of_the_configuration() {
        for (text, value) in [
            (" https://h/p # c", "https://h/p"),
            (" \"a b\" ; c", "a b"),
            (r#" "a;\"b" "#, "a;\"b"),
            (r" a\\b", r"a\b"),
        ] {
            assert_eq!(value_of(text), value);
        }
    }
}
