//! What a test file said in each run, where Git knows it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::repository::{BlobId, Repository};
use slt_core::executor::{Settings, record_keys};
use slt_core::location::{FileId, Source};
use slt_core::outcome::RecordKey;
use slt_core::parser::{self, Script};
use slt_insight::regression::origin::{Text, WantedRecord};
use slt_runner::results::{Opened, PastRun};

/// The records of a text by their names: the line of each, and its words.
type RecordsByKey = HashMap<RecordKey, (u32, Vec<u8>)>;

/// What is known of the text in a run.
#[derive(Debug, Clone)]
enum TextVersion {
    Unknown,
    /// It is that of the run that is asked about.
    Current,
    /// It is another one, with these records.
    Other(Rc<RecordsByKey>),
}

/// A file in all runs.
pub(super) struct FileTexts {
    /// Its text in the run that is asked about, where it is wanted.
    pub(super) current: Option<Vec<u8>>,
    /// Its records then, where they are wanted or other texts are held against them.
    wanted: Option<Rc<RecordsByKey>>,
    versions: Vec<TextVersion>,
}

impl FileTexts {
    /// Asks Git for all of them. `commit` is that of the run that is asked about, if it was made without changes. Its text
    /// is kept where it is wanted; else no text is read that need not be.
    pub(super) fn read(
        repository: &Repository,
        place: &Path,
        commit: Option<&str>,
        runs: &[&PastRun],
        settings: &Settings,
        keep: bool,
    ) -> Self {
        let hashes = runs.iter().map(|past| Some(past.run.commit()?.hash.as_str()));
        // An empty name is no commit.
        let commits: Vec<_> = hashes.chain([commit]).map(Option::unwrap_or_default).collect();
        let mut blobs = repository.blobs(&commits, place);
        let current = blobs.pop().flatten();
        let read = |blob: &BlobId| {
            let records = repository.text(blob).and_then(|text| records_of(text, settings));
            records.map_or(TextVersion::Unknown, |records| TextVersion::Other(Rc::new(records)))
        };
        let mut known = HashMap::<BlobId, TextVersion>::new();
        let version = |blob: Option<BlobId>| match blob {
            None => TextVersion::Unknown,
            Some(blob) if current.as_ref() == Some(&blob) => TextVersion::Current,
            Some(blob) => known.entry(blob).or_insert_with_key(read).clone(),
        };
        let versions: Vec<_> = blobs.into_iter().map(version).collect();
        let differ = versions.iter().any(|version| matches!(version, TextVersion::Other(_)));
        let text = current.filter(|_| keep || differ).and_then(|blob| repository.text(&blob));
        let wanted = text.clone().and_then(|text| records_of(text, settings)).map(Rc::new);
        Self { current: text.filter(|_| keep), wanted, versions }
    }

    /// Where Git is of no help.
    pub(super) fn unknown(runs: usize) -> Self {
        Self { current: None, wanted: None, versions: vec![TextVersion::Unknown; runs] }
    }

    /// The text that the file has at its place is that of the run; so much is known where Git does not have it.
    pub(super) fn set_current(&mut self, text: Vec<u8>, settings: &Settings) {
        self.wanted = records_of(text.clone(), settings).map(Rc::new);
        self.current = Some(text);
    }

    /// The line of a record in the text of the run that is asked about.
    pub(super) fn line(&self, key: RecordKey) -> Option<u32> {
        Some(self.wanted.as_ref()?.get(&key)?.0)
    }

    /// What the text in the run with this place says of a record.
    pub(super) fn of(&self, run: usize, record: WantedRecord) -> Text {
        let version = match &self.versions[run] {
            TextVersion::Unknown => return Text::Unknown,
            TextVersion::Current => return Text::Same(record.line),
            TextVersion::Other(records) => records,
        };
        let Some((_, wanted)) = self.wanted.as_ref().and_then(|wanted| wanted.get(&record.key)) else {
            return Text::Unknown;
        };
        match version.get(&record.key) {
            None => Text::Absent,
            Some((line, words)) if words == wanted => Text::Same(*line),
            Some(_) => Text::Other,
        }
    }
}

/// Reads a text as the run did; nothing if it names a dialect that there is not.
pub(super) fn with_script<T>(
    name: &str,
    text: Vec<u8>,
    settings: &Settings,
    use_it: impl FnOnce(&Script<'_>) -> T,
) -> Option<T> {
    let source = Source::new(name, text);
    let (profile, _) = parser::choose(&source, settings.dialect.as_deref(), settings.exact).ok()?;
    Some(use_it(&parser::parse(&source, profile)))
}

fn records_of(text: Vec<u8>, settings: &Settings) -> Option<RecordsByKey> {
    with_script("", text, settings, |script| {
        let counted = || script.records().filter(|record| record.is_counted());
        let lines: Vec<_> = counted().map(|record| record.line).collect();
        let words = |span: std::ops::Range<usize>| script.source.bytes()[span].trim_ascii_end().to_vec();
        let known = counted().map(|record| (record.line, words(record.span.clone())));
        let keyed = record_keys(script, &lines).into_iter().zip(known);
        keyed.filter_map(|(key, known)| Some((key?, known))).collect()
    })
}

/// Where a file of a run is below the top of the repository: in this working copy, or in another one that the run was
/// made in the top of.
pub(super) fn place_below(opened: &Opened, file: &FileId, repository: &Repository) -> Option<PathBuf> {
    let place = opened.places.get(file)?;
    let below = place.strip_prefix(&repository.top).or_else(|_| place.strip_prefix(&opened.folder));
    below.ok().map(Path::to_owned)
}
