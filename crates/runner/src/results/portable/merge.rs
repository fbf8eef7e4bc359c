//! Taking in the runs of a file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::super::folder::{ResultsFolder, is_running, lock};
use super::super::journal::{Journal, Opened};
use super::super::journal_file::{journal_path, lines as lines_of};
use super::super::sequence::{name_of, names};
use super::super::staging::Staging;
use super::{Damage, PortableError, RunSink, io_error, read};
use crate::jsonl::{line_of, text_of};

/// A run of a file, and the result of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivedRun {
    /// What the file calls it.
    pub name: String,
    /// The result of it.
    pub became: MergeOutcome,
}

/// What becomes of a run that arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeOutcome {
    /// It is new, and kept under this name.
    New(String),
    /// It is there, under this name, or the beginning of it is all that arrives.
    There(String),
    /// The beginning of it was there, under this name; now all of it is.
    Longer(String),
}

/// Takes in the runs of a file. What is there already, under whatever name, is left as it is.
///
/// # Errors
///
/// [`PortableError`]; of a file that is damaged anywhere, nothing is taken in.
pub fn merge(results: &ResultsFolder, path: &Path) -> Result<Vec<ArrivedRun>, PortableError> {
    // A file that is none of ours should not even make a folder.
    read(path, &mut NoReceiver)?;
    let staging = Staging::new(results)?;
    let mut arriving = RunReceiver { staging: &staging, runs: Vec::new(), last: None };
    read(path, &mut arriving)?;
    let runs = arriving.finished()?;
    for run in &runs {
        let journal = Journal::read(&run.journal).map_err(io_error("read", &run.journal))?;
        if journal.is_none_or(|journal| journal.damaged > 0) {
            let damage = Damage::Journal(run.name.clone());
            return Err(PortableError::Damaged { path: path.to_owned(), damage });
        }
    }
    let mut known = ExistingRuns::of(results)?;
    runs.into_iter().map(|run| known.take_in(results, &staging, run)).collect()
}

struct NoReceiver;

impl RunSink for NoReceiver {
    fn run(&mut self, _: &str) -> Result<(), PortableError> {
        Ok(())
    }

    fn line(&mut self, _: &[u8]) -> Result<(), PortableError> {
        Ok(())
    }
}

/// A run whose journal is in the hidden folder.
struct StagedRun {
    name: String,
    journal: PathBuf,
}

/// Puts the journals of runs into the hidden folder.
struct RunReceiver<'s> {
    staging: &'s Staging,
    runs: Vec<StagedRun>,
    last: Option<BufWriter<File>>,
}

impl RunReceiver<'_> {
    fn finished(mut self) -> Result<Vec<StagedRun>, PortableError> {
        self.end_last()?;
        Ok(self.runs)
    }

    fn end_last(&mut self) -> Result<(), PortableError> {
        let Some(mut out) = self.last.take() else { return Ok(()) };
        out.flush().map_err(|error| self.unwritten(error))
    }

    fn unwritten(&self, source: io::Error) -> PortableError {
        let path = self.runs.last().map(|run| run.journal.clone()).unwrap_or_default();
        PortableError::Io { what: "write", path, source }
    }
}

impl RunSink for RunReceiver<'_> {
    fn run(&mut self, name: &str) -> Result<(), PortableError> {
        self.end_last()?;
        let journal = self.staging.file(&format!("{}.jsonl", self.runs.len()));
        let file = File::create(&journal).map_err(io_error("write", &journal))?;
        self.runs.push(StagedRun { name: name.to_owned(), journal });
        self.last = Some(BufWriter::new(file));
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), PortableError> {
        let written = self.last.as_mut().map_or(Ok(()), |out| out.write_all(line));
        written.map_err(|error| self.unwritten(error))
    }
}

/// The runs that are there, by what their journals say first, but for their names.
struct ExistingRuns(HashMap<String, Vec<String>>);

impl ExistingRuns {
    fn of(results: &ResultsFolder) -> Result<Self, PortableError> {
        let mut known = Self(HashMap::new());
        for name in results.runs()? {
            // What cannot be read is not a run that could be the same.
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

/// Returns the second that a run is named by: that of its name, or if another kind of name was given to its folder, the
/// one in which it began. A name is never a way out of the folder of runs.
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

/// What a journal says first, without the name of the run. It is not read into the types of this version, which may
/// know less than the one that wrote it.
fn nameless(line: Vec<u8>) -> Option<String> {
    named(&line, "").map(|entry| entry.to_string())
}

/// What a journal says first, with another name of the run.
fn named(line: &[u8], name: &str) -> Option<serde_json::Value> {
    let mut entry: serde_json::Value = serde_json::from_slice(text_of(line)?).ok()?;
    *entry.get_mut("Opened")?.get_mut("run")? = name.into();
    Some(entry)
}

/// Writes the journal of a run that gets another name.
fn copy(journal: &Path, name: &str, out: &mut BufWriter<File>) -> io::Result<()> {
    let mut lines = lines_of(journal)?;
    let first = lines.next_line()?.unwrap_or_default();
    match named(first, name) {
        Some(entry) if Some(&entry) != named_as_it_is(first).as_ref() => out.write_all(&line_of(&entry)?)?,
        _ => out.write_all(first)?,
    }
    while let Some(line) = lines.next_line()? {
        out.write_all(line)?;
    }
    Ok(())
}

fn named_as_it_is(line: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_slice(text_of(line)?).ok()
}

/// What the run that arrives is to one that is there.
enum Relation {
    Same,
    /// The beginning of it.
    Shorter,
    /// It begins as the other one, and continues.
    Longer,
    Other,
}

/// Compares two journals that say the same first.
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
