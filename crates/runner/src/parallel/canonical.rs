//! Canonical paths of many files.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

/// Resolves the paths of files. Each folder is resolved once, because a system call is needed for each of its parts.
#[derive(Debug, Default)]
pub struct CanonicalPaths {
    folders: HashMap<PathBuf, PathBuf>,
}

impl CanonicalPaths {
    /// Returns the canonical path of a file.
    ///
    /// # Errors
    ///
    /// Returns the error of the file system, for instance if the file does not exist.
    pub fn resolve(&mut self, path: &Path) -> io::Result<PathBuf> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return path.canonicalize();
        };
        // A link is somewhere else than its folder.
        if path.symlink_metadata()?.is_symlink() {
            return path.canonicalize();
        }
        if let Some(known) = self.folders.get(folder) {
            return Ok(known.join(name));
        }
        let here = Path::new(".");
        let resolved = if folder.as_os_str().is_empty() { here } else { folder }.canonicalize()?;
        let place = resolved.join(name);
        self.folders.insert(folder.to_owned(), resolved);
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn paths_are_those_of_the_standard_library() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        for file in ["a/x", "a/y", "a/b/x"] {
            std::fs::write(root.join(file), "").unwrap();
        }
        symlink("b", root.join("a/link")).unwrap();
        symlink("../x", root.join("a/b/file")).unwrap();
        symlink("nothing", root.join("a/dangling")).unwrap();
        let mut paths = CanonicalPaths::default();
        for path in [
            "a/x",
            "a/y",
            "a/./y",
            "a/b/../x",
            "a/b/..",
            "a/link/x",
            "a/link/../b/x",
            "a/b/file",
            "a/b/",
            "a/dangling",
            "a/missing",
            "a/x/",
            ".",
        ] {
            let path = root.join(path);
            assert_eq!(paths.resolve(&path).ok(), path.canonicalize().ok(), "{path:?}");
        }
        assert_eq!(
            paths.resolve(Path::new("Cargo.toml")).unwrap(),
            Path::new("Cargo.toml").canonicalize().unwrap()
        );
    }
}
