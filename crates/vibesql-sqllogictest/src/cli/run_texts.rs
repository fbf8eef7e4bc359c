//! The texts of the files of a run, on disk or in the shipped suite.

use std::borrow::Cow;
use std::io;

use super::suite;
use slt_core::location::{FileId, Source};
use slt_core::outcome::FileReport;
use slt_insight::analysis::{SourceTexts, TextError};
use slt_runner::results::Opened;

/// Reads the current text of a file of a run; `None` if the location of the file is unknown.
pub(super) fn read_text(opened: &Opened, file: &FileId) -> Option<io::Result<Cow<'static, [u8]>>> {
    let place = opened.places.get(file)?;
    let shipped = place.to_str().and_then(suite::text);
    Some(shipped.map_or_else(|| std::fs::read(place).map(Cow::Owned), |text| Ok(Cow::Borrowed(text))))
}

/// The current texts of the files of a run.
pub(super) struct RunTexts<'o>(pub(super) &'o Opened);

impl SourceTexts for RunTexts<'_> {
    fn text(&mut self, file: &FileReport) -> Result<Source, TextError> {
        let text = read_text(self.0, &file.file).ok_or(TextError::Unknown)?;
        let text = text.map_err(|error| match (error.kind(), self.0.places.get(&file.file)) {
            (io::ErrorKind::NotFound, Some(place)) => {
                TextError::Unreadable(format!("it is not at {} any more", place.display()))
            }
            _ => TextError::Unreadable(error.to_string()),
        })?;
        Ok(Source::new(file.shown.as_str(), text))
    }
}
