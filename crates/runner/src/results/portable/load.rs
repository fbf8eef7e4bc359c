//! Looking at the runs of a file without taking them in.

use std::path::Path;

use super::super::journal::Journal;
use super::{Damage, PortableError, RunSink, io_error, read};

/// Reads the runs of a file, in its order, with the names that it has for them.
///
/// # Errors
///
/// [`PortableError`]; a file that is damaged anywhere tells of no run.
pub fn load(path: &Path) -> Result<Vec<(String, Journal)>, PortableError> {
    let mut journals = Journals::default();
    read(path, &mut journals)?;
    let unreadable = io_error("read", path);
    let journal = |(name, bytes): (String, Vec<u8>)| {
        let journal = Journal::of_bytes(&bytes).map_err(&unreadable)?;
        let whole = journal.filter(|journal| journal.damaged == 0).ok_or_else(|| PortableError::Damaged {
            path: path.to_owned(),
            damage: Damage::Journal(name.clone()),
        });
        whole.map(|journal| (name, journal))
    };
    journals.0.into_iter().map(journal).collect()
}

#[derive(Default)]
struct Journals(Vec<(String, Vec<u8>)>);

impl RunSink for Journals {
    fn run(&mut self, name: &str) -> Result<(), PortableError> {
        self.0.push((name.to_owned(), Vec::new()));
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), PortableError> {
        if let Some((_, bytes)) = self.0.last_mut() {
            bytes.extend_from_slice(line);
        }
        Ok(())
    }
}
