//! The texts of the files of a run: on the disk where the run has found them, or in this program.

use super::suite;
use slt_core::location::Source;
use slt_core::outcome::FileReport;
use slt_insight::analysis::{NoText, Texts};
use slt_runner::results::Journal;

/// The texts of a run.
pub(super) struct TextsOfRun<'j> {
    journal: &'j Journal,
}

impl<'j> TextsOfRun<'j> {
    pub(super) fn new(journal: &'j Journal) -> Self {
        Self { journal }
    }
}

impl Texts for TextsOfRun<'_> {
    fn text(&mut self, file: &FileReport) -> Result<Source, NoText> {
        let place = self.journal.opened.places.get(&file.file).ok_or(NoText::Unknown)?;
        if let Some(bytes) = place.to_str().and_then(suite::text) {
            return Ok(Source::new(file.shown.as_str(), bytes));
        }
        match std::fs::read(place) {
            Ok(bytes) => Ok(Source::new(file.shown.as_str(), bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(NoText::Unreadable(format!("it is not at {} any more", place.display())))
            }
            Err(error) => Err(NoText::Unreadable(error.to_string())),
        }
    }
}
