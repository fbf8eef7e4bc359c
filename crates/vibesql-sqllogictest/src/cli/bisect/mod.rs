//! What `bisect` needs besides the results: the repository, the texts of files at its commits, and the script.

pub(super) mod past;
pub(super) mod repository;
pub(super) mod script;
pub(super) mod subject;
pub(super) mod texts;
