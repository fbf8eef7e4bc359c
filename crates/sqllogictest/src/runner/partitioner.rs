//! Which files a parallel run takes.

/// Selects files, for instance to share them out to several machines.
pub trait Partitioner: Send + Sync + 'static {
    /// Returns whether the file is run.
    fn matches(&self, file_name: &str) -> bool;
}

impl<F: Fn(&str) -> bool + Send + Sync + 'static> Partitioner for F {
    fn matches(&self, file_name: &str) -> bool {
        self(file_name)
    }
}

/// Selects all files.
pub fn default_partitioner(_file_name: &str) -> bool {
    true
}
