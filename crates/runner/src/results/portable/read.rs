//! Reading a file of runs: nothing of it is believed before its seal has been looked at.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use md5::{Digest as _, Md5};

use super::super::digest::hexadecimal;
use super::{Damage, FORMAT, FrameLine, MAGIC, PortableError, SEAL, SEALED, io_error};
use crate::jsonl::{entry_of, text_of};

/// Takes what a file has.
pub(in super::super) trait RunSink {
    /// A run begins.
    fn run(&mut self, name: &str) -> Result<(), PortableError>;
    /// Returns a line of the journal of the run that has begun last, whole and with its end.
    fn line(&mut self, line: &[u8]) -> Result<(), PortableError>;
}

/// Returns whether these bytes are the beginning of a file that may have runs.
pub fn is_portable(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// Gives a sink all that is in a file, and returns the number of runs.
///
/// Whatever the sink does must be undone if this fails.
pub(in super::super) fn read(path: &Path, sink: &mut dyn RunSink) -> Result<u64, PortableError> {
    let content = check_seal(path)?;
    let damaged = |damage| PortableError::Damaged { path: path.to_owned(), damage };
    let file = File::open(path).map_err(io_error("read", path))?;
    let decoder = zstd::Decoder::new(file.take(content)).map_err(io_error("read", path))?;
    let mut lines = PortableLines { lines: BufReader::new(decoder), line: Vec::new(), number: 0 };
    match lines.frame().map_err(damaged)? {
        FrameLine::Runs { format: FORMAT, .. } => {}
        FrameLine::Runs { format: found, .. } => {
            return Err(PortableError::Version { path: path.to_owned(), found });
        }
        FrameLine::Run { .. } | FrameLine::End { .. } => return Err(damaged(Damage::Line(1))),
    }
    let mut count = 0;
    loop {
        match lines.frame().map_err(damaged)? {
            FrameLine::Run { name, lines: of_run } => {
                sink.run(&name)?;
                for _ in 0..of_run {
                    sink.line(lines.next().map_err(damaged)?)?;
                }
                count += 1;
            }
            FrameLine::End { runs } if runs == count && lines.at_end() => return Ok(count),
            FrameLine::End { .. } | FrameLine::Runs { .. } => {
                return Err(damaged(Damage::Line(lines.number)));
            }
        }
    }
}

/// Looks at the seal of a file, and returns the number of bytes in front of it.
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
struct PortableLines<R> {
    lines: R,
    line: Vec<u8>,
    number: u64,
}

impl<R: BufRead> PortableLines<R> {
    fn next(&mut self) -> Result<&[u8], Damage> {
        self.line.clear();
        self.number += 1;
        self.lines.read_until(b'\n', &mut self.line).map_err(|_| Damage::Compression)?;
        let whole = self.line.ends_with(b"\n") && text_of(&self.line).is_some();
        if whole { Ok(&self.line) } else { Err(Damage::Line(self.number)) }
    }

    fn frame(&mut self) -> Result<FrameLine, Damage> {
        let frame = entry_of(self.next()?);
        frame.ok_or(Damage::Line(self.number))
    }

    fn at_end(&mut self) -> bool {
        self.lines.fill_buf().is_ok_and(<[u8]>::is_empty)
    }
}
