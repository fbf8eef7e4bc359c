//! Reads a file of runs. Nothing in it is trusted before its seal was verified.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Take};
use std::path::Path;

use md5::{Digest as _, Md5};

use super::super::digest::hexadecimal;
use super::super::journal::Journal;
use super::{Damage, FORMAT, FrameLine, MAGIC, PortableError, SEAL, SEALED, io_error};
use crate::jsonl::{entry_of, text_of};

/// Returns whether these bytes are the beginning of a file that may have runs.
pub fn is_portable(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// Reads the runs of a file, in its order, with the names that it has for them, without importing them.
///
/// # Errors
///
/// [`PortableError`]; no run of a damaged file is returned.
pub fn load(path: &Path) -> Result<Vec<(String, Journal)>, PortableError> {
    let mut runs = Vec::new();
    read(path, &mut |name, lines| {
        let mut bytes = Vec::new();
        while let Some(line) = lines.next_line()? {
            bytes.extend_from_slice(line);
        }
        let journal = Journal::from_bytes(&bytes).map_err(io_error("read", path))?;
        let whole = journal.filter(|journal| journal.damaged == 0);
        runs.push((name.to_owned(), whole.ok_or_else(|| lines.damaged(Damage::Journal(name.to_owned())))?));
        Ok(())
    })?;
    Ok(runs)
}

/// Calls `on_run` for each run of a file, with its name and the lines of its journal.
///
/// If this fails, the caller must undo all effects of `on_run`.
pub(in super::super) fn read(
    path: &Path,
    on_run: &mut dyn FnMut(&str, &mut RunLines<'_>) -> Result<(), PortableError>,
) -> Result<(), PortableError> {
    let content = check_seal(path)?;
    let file = File::open(path).map_err(io_error("read", path))?;
    let decoder = zstd::Decoder::new(file.take(content)).map_err(io_error("read", path))?;
    let mut lines = RunLines { path, lines: BufReader::new(decoder), line: Vec::new(), number: 0, left: 0 };
    match lines.frame()? {
        FrameLine::Runs { format: FORMAT, .. } => {}
        FrameLine::Runs { format: found, .. } => {
            return Err(PortableError::Version { path: path.to_owned(), found });
        }
        FrameLine::Run { .. } | FrameLine::End { .. } => return Err(lines.wrong_line()),
    }
    let mut count = 0;
    loop {
        match lines.frame()? {
            FrameLine::Run { name, lines: of_run } => {
                lines.left = of_run;
                on_run(&name, &mut lines)?;
                while lines.next_line()?.is_some() {}
                count += 1;
            }
            FrameLine::End { runs } if runs == count && lines.at_end() => return Ok(()),
            FrameLine::End { .. } | FrameLine::Runs { .. } => return Err(lines.wrong_line()),
        }
    }
}

/// Verifies the seal of a file, and returns the number of bytes before it.
fn check_seal(path: &Path) -> Result<u64, PortableError> {
    let damaged = |damage| PortableError::Damaged { path: path.to_owned(), damage };
    let unreadable = io_error("read", path);
    let mut file = File::open(path).map_err(&unreadable)?;
    let mut start = Vec::new();
    (&mut file).take(MAGIC.len() as u64).read_to_end(&mut start).map_err(&unreadable)?;
    if start != MAGIC {
        return Err(PortableError::Foreign(path.to_owned()));
    }
    let size = file.seek(SeekFrom::End(0)).map_err(&unreadable)?;
    let content = size.checked_sub(SEALED).ok_or_else(|| damaged(Damage::Cut))?;
    file.seek(SeekFrom::Start(content)).map_err(&unreadable)?;
    let mut seal = Vec::new();
    file.read_to_end(&mut seal).map_err(&unreadable)?;
    let Some(digest) = seal.strip_prefix(&SEAL) else { return Err(damaged(Damage::Cut)) };
    file.rewind().map_err(&unreadable)?;
    let (mut bytes, mut md5) = (BufReader::new(file.take(content)), Md5::new());
    loop {
        let some = bytes.fill_buf().map_err(&unreadable)?;
        if some.is_empty() {
            break;
        }
        md5.update(some);
        let read = some.len();
        bytes.consume(read);
    }
    let found = hexadecimal(md5);
    if found.as_bytes() == digest { Ok(content) } else { Err(damaged(Damage::Changed)) }
}

/// The lines of a file, each of them whole.
pub(in super::super) struct RunLines<'p> {
    path: &'p Path,
    lines: BufReader<zstd::Decoder<'static, BufReader<Take<File>>>>,
    line: Vec<u8>,
    number: u64,
    /// The number of lines left of the journal of the current run.
    left: u64,
}

impl RunLines<'_> {
    /// Returns the next line of the journal of the current run, with its line end.
    pub(in super::super) fn next_line(&mut self) -> Result<Option<&[u8]>, PortableError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        self.read_line().map(Some)
    }

    fn read_line(&mut self) -> Result<&[u8], PortableError> {
        self.line.clear();
        self.number += 1;
        let read = self.lines.read_until(b'\n', &mut self.line);
        read.map_err(|_| self.damaged(Damage::Compression))?;
        let whole = self.line.ends_with(b"\n") && text_of(&self.line).is_some();
        if whole { Ok(&self.line) } else { Err(self.wrong_line()) }
    }

    fn frame(&mut self) -> Result<FrameLine, PortableError> {
        let frame = entry_of(self.read_line()?);
        frame.ok_or_else(|| self.wrong_line())
    }

    fn at_end(&mut self) -> bool {
        self.lines.fill_buf().is_ok_and(<[u8]>::is_empty)
    }

    fn wrong_line(&self) -> PortableError {
        self.damaged(Damage::Line(self.number))
    }

    fn damaged(&self, damage: Damage) -> PortableError {
        PortableError::Damaged { path: self.path.to_owned(), damage }
    }
}
