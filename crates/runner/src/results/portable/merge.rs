//! Imports the runs of a portable file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::super::folder::{ResultsFolder, is_running, lock};
use super::super::journal::{Journal, Opened};
use super::super::journal_file::{journal_path, lines as lines_of};
use super::super::sequence::{name_of, names};
use super::super::staging::Staging;
use super::{Damage, PortableError, io_error, read};
use crate::jsonl::{entry_of, line_of};

/// A run of a file, and the result of its import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivedRun {
    /// Its name in the file.
    pub name: String,
    /// The result of its import.
    pub became: MergeOutcome,
}

/// The result of importing a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeOutcome {
    /// It was added under this name.
    New(String),
    /// It exists under this name, possibly with more results.
    There(String),
    /// It existed under this name with fewer results, and was replaced.
    Longer(String),
}

/// Imports the runs of a file. Existing runs are recognised under any name and left unchanged.
///
/// # Errors
///
/// [`PortableError`]; nothing of a damaged file is imported.
pub fn merge(results: &ResultsFolder, path: &Path) -> Result<Vec<ArrivedRun>, PortableError> {
    // A file of another format should not even create a folder.
    read(path, &mut |_, _| Ok(()))?;
    let staging = Staging::new(results)?;
    let mut runs = Vec::new();
    read(path, &mut |name, lines| {
        let journal = staging.file(&format!("{}.jsonl", runs.len()));
        let mut out = BufWriter::new(File::create(&journal).map_err(io_error("write", &journal))?);
        while let Some(line) = lines.next_line()? {
            out.write_all(line).map_err(io_error("write", &journal))?;
        }
        out.flush().map_err(io_error("write", &journal))?;
        runs.push(StagedRun { name: name.to_owned(), journal });
        Ok(())
    })?;
    for run in &runs {
        let journal = Journal::read(&run.journal).map_err(io_error("read", &run.journal))?;
        if journal.is_none_or(|journal| journal.damaged > 0) {
            let damage = Damage::Journal(run.name.clone());
            return Err(PortableError::Damaged { path: path.to_owned(), damage });
        }
    }
    let mut known = ExistingRuns::read(results)?;
    runs.into_iter().map(|run| known.take_in(results, &staging, run)).collect()
}

/// A run whose journal is in the hidden folder.
struct StagedRun {
    name: String,
    journal: PathBuf,
}

/// The existing runs by the first line of their journals without the name.
struct ExistingRuns(HashMap<String, Vec<String>>);

impl ExistingRuns {
    fn read(results: &ResultsFolder) -> Result<Self, PortableError> {
        let mut known = Self(HashMap::new());
        for name in results.runs()? {
            // An unreadable run cannot be recognised.
            let Ok(path) = results.path_of(&name) else { continue };
            if let Ok(Some(first)) = first_line(&journal_path(&path)).map(|line| line.and_then(nameless)) {
                known.0.entry(first).or_default().push(name);
            }
        }
        Ok(known)
    }

    fn take_in(
        &mut self,
        results: &ResultsFolder,
        staging: &Staging,
        run: StagedRun,
    ) -> Result<ArrivedRun, PortableError> {
        let unreadable = io_error("read", &run.journal);
        let first = first_line(&run.journal).map_err(&unreadable)?;
        let first = first.and_then(nameless).unwrap_or_default();
        let candidates = self.0.entry(first).or_default();
        for there in candidates.iter() {
            let path = results.path_of(there)?;
            let became = match relation(&journal_path(&path), &run.journal).map_err(&unreadable)? {
                Relation::Other => continue,
                Relation::Same | Relation::Shorter => MergeOutcome::There(there.clone()),
                Relation::Longer => {
                    if is_running(&path) {
                        return Err(PortableError::Running(there.clone()));
                    }
                    let _held = lock(there.clone(), path.clone())?;
                    staging.replace(&path, &|out| copy(&run.journal, there, out))?;
                    MergeOutcome::Longer(there.clone())
                }
            };
            return Ok(ArrivedRun { name: run.name, became });
        }
        let second = second_of(&run).map_err(&unreadable)?;
        // Its own name, if that is free.
        let own = names(&second).filter(|name| *name == run.name);
        let name = staging.place(own.chain(names(&second)), &|name, out| copy(&run.journal, name, out))?;
        candidates.push(name.clone());
        Ok(ArrivedRun { name: run.name, became: MergeOutcome::New(name) })
    }
}

/// Returns the second for the name of a run: that of its name, or of its start if its name has another form. So a name
/// can never lead out of the folder of runs.
fn second_of(run: &StagedRun) -> io::Result<String> {
    let mut parts = run.name.split('-');
    match (digits(parts.next(), 8), digits(parts.next(), 6)) {
        (Some(day), Some(time)) => Ok(format!("{day}-{time}")),
        _ => Ok(name_of(Opened::read(&run.journal)?.map_or(0, |opened| opened.started))),
    }
}

fn digits(part: Option<&str>, count: usize) -> Option<&str> {
    part.filter(|part| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn first_line(journal: &Path) -> io::Result<Option<Vec<u8>>> {
    Ok(lines_of(journal)?.next_line()?.map(<[u8]>::to_owned))
}

/// Returns the first entry of a journal without the name of the run. It is not parsed into the types of this version,
/// because another version may have written more fields.
fn nameless(line: Vec<u8>) -> Option<String> {
    named(&line, "").map(|entry| entry.to_string())
}

/// Returns the first entry of a journal with another name of the run.
fn named(line: &[u8], name: &str) -> Option<serde_json::Value> {
    let mut entry: serde_json::Value = entry_of(line)?;
    *entry.get_mut("Opened")?.get_mut("run")? = name.into();
    Some(entry)
}

/// Copies a journal, with another name of the run.
fn copy(journal: &Path, name: &str, out: &mut BufWriter<File>) -> io::Result<()> {
    let mut lines = lines_of(journal)?;
    let first = lines.next_line()?.unwrap_or_default();
    // An entry that already has the name is copied byte for byte.
    match named(first, name).filter(|entry| entry_of(first).as_ref() != Some(entry)) {
        Some(entry) => out.write_all(&line_of(&entry)?)?,
        None => out.write_all(first)?,
    }
    while let Some(line) = lines.next_line()? {
        out.write_all(line)?;
    }
    Ok(())
}

/// The relation of an arriving run to an existing one.
enum Relation {
    Same,
    /// It is the beginning of the existing run.
    Shorter,
    /// The existing run is its beginning.
    Longer,
    Other,
}

/// Compares two journals with the same first entry.
fn relation(there: &Path, arriving: &Path) -> io::Result<Relation> {
    let (mut there, mut arriving) = (lines_of(there)?, lines_of(arriving)?);
    let (_, _) = (there.next_line()?.is_some(), arriving.next_line()?.is_some());
    loop {
        match (there.next_line()?, arriving.next_line()?) {
            (None, None) => return Ok(Relation::Same),
            (Some(_), None) => return Ok(Relation::Shorter),
            (None, Some(_)) => return Ok(Relation::Longer),
            (Some(one), Some(other)) if one == other => {}
            (Some(_), Some(_)) => return Ok(Relation::Other),
        }
    }
}
