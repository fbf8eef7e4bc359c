//! The text of a test file in each run, as far as Git has it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::repository::{BlobId, GitRepository};
use slt_core::executor::{Settings, record_keys};
use slt_core::location::{FileId, Source};
use slt_core::outcome::{RecordId, RecordKey};
use slt_core::parser::{self, Script};
use slt_insight::regression::origin::{TextMatch, WantedRecord};
use slt_runner::results::{Opened, PastRun};

/// The line and the text of each record of a file, by record key.
type RecordsByKey = HashMap<RecordKey, (u32, Vec<u8>)>;

/// The text of the file in a run.
#[derive(Debug, Clone)]
enum TextVersion {
    Unknown,
    /// The same as in the run that is bisected.
    Current,
    /// Another text, with these records.
    Other(Rc<RecordsByKey>),
}

/// The texts of a file in all runs.
pub(super) struct FileTexts {
    /// The text in the run that is bisected, if it is wanted.
    pub(super) current: Option<Vec<u8>>,
    /// The records of that text, if they are wanted or other texts are compared with them.
    wanted: Option<Rc<RecordsByKey>>,
    versions: Vec<TextVersion>,
}

impl FileTexts {
    /// Reads the texts from Git. `commit` is that of the run that is bisected, if there were no uncommitted changes. Its text
    /// is kept if `keep` is set.
    pub(super) fn read(
        repository: &GitRepository,
        place: &Path,
        commit: Option<&str>,
        runs: &[&PastRun],
        settings: &Settings,
        keep: bool,
    ) -> Self {
        let hashes = runs.iter().map(|past| Some(past.run.commit()?.hash.as_str()));
        // An empty name is not a commit.
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

    /// Returns unknown texts, for files that are not in Git.
    pub(super) fn unknown(runs: usize) -> Self {
        Self { current: None, wanted: None, versions: vec![TextVersion::Unknown; runs] }
    }

    /// Sets the text in the run that is bisected, if it is not in Git.
    pub(super) fn set_current(&mut self, text: Vec<u8>, settings: &Settings) {
        self.wanted = records_of(text.clone(), settings).map(Rc::new);
        self.current = Some(text);
    }

    /// Returns the line of a record in the run that is bisected.
    pub(super) fn line(&self, key: RecordKey) -> Option<u32> {
        Some(self.wanted.as_ref()?.get(&key)?.0)
    }

    /// Compares a record with its text in the run with this index.
    pub(super) fn compare(&self, run: usize, record: WantedRecord) -> TextMatch {
        let version = match &self.versions[run] {
            TextVersion::Unknown => return TextMatch::Unknown,
            TextVersion::Current => return TextMatch::Same(record.line),
            TextVersion::Other(records) => records,
        };
        let Some((_, wanted)) = self.wanted.as_ref().and_then(|wanted| wanted.get(&record.key)) else {
            return TextMatch::Unknown;
        };
        match version.get(&record.key) {
            None => TextMatch::Absent,
            Some((line, words)) if words == wanted => TextMatch::Same(*line),
            Some(_) => TextMatch::Other,
        }
    }
}

/// Parses a text as the run did; `None` if its dialect is unknown.
pub(super) fn with_script<T>(
    name: &str,
    text: Vec<u8>,
    settings: &Settings,
    use_it: impl FnOnce(&Script<'_>) -> T,
) -> Option<T> {
    let source = Source::new(name, text);
    let chosen = parser::choose(&source, settings.dialect_of(None), settings.exact).ok()?;
    Some(use_it(&parser::parse(&source, chosen.profile)))
}

fn records_of(text: Vec<u8>, settings: &Settings) -> Option<RecordsByKey> {
    with_script("", text, settings, |script| {
        let counted = || script.records().filter(|record| record.is_counted());
        let places: Vec<_> = counted().map(|record| RecordId::at(record.line)).collect();
        let words = |span: std::ops::Range<usize>| script.source.bytes()[span].trim_ascii_end().to_vec();
        let known = counted().map(|record| (record.line, words(record.span.clone())));
        let keyed = record_keys(script, &places.iter().collect::<Vec<_>>()).into_iter().zip(known);
        keyed.filter_map(|(key, known)| Some((key?, known))).collect()
    })
}

/// Returns the path of a file below the top of the repository: in this working copy, or in another one if the run was
/// started at its top.
pub(super) fn place_below(opened: &Opened, file: &FileId, repository: &GitRepository) -> Option<PathBuf> {
    let place = opened.places.get(file)?;
    let below = place.strip_prefix(&repository.top).or_else(|_| place.strip_prefix(&opened.folder));
    below.ok().map(Path::to_owned)
}
