//! JSON Lines with checksums.
//!
//! Each line is an object of two fields: the CRC-32 of the entry's text in eight hexadecimal digits, and the entry.
//! Lines are only ever appended, one or several at once. A process that dies while it writes leaves a last line without an end, and a flipped
//! bit is found by the checksum; every other line can still be read.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

const BEFORE_SUM: &[u8] = b"{\"crc32\":\"";
const SUM: usize = 8;
const BEFORE_ENTRY: &[u8] = b"\",\"entry\":";
const END: &[u8] = b"}";

/// Returns the line of an entry, with its line end.
pub fn line_of(entry: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let text = serde_json::to_vec(entry)?;
    let sum = format!("{:08x}", crc32fast::hash(&text));
    Ok([BEFORE_SUM, sum.as_bytes(), BEFORE_ENTRY, &text, END, b"\n"].concat())
}

/// Parses the entry of a line, with or without its line end; `None` if the line is damaged.
pub fn entry_of<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    serde_json::from_slice(text_of(line)?).ok()
}

/// Returns the text of a line's entry, with or without its line end; `None` if the line is damaged.
pub fn text_of(line: &[u8]) -> Option<&[u8]> {
    let (sum, text) = parts_of(line)?;
    let sum = u32::from_str_radix(std::str::from_utf8(sum).ok()?, 16).ok()?;
    (sum == crc32fast::hash(text)).then_some(text)
}

/// Returns the text of the entry of a line that was checked before.
pub fn unchecked_text_of(line: &[u8]) -> Option<&[u8]> {
    parts_of(line).map(|(_, text)| text)
}

/// Splits a line into its checksum and the text of its entry.
fn parts_of(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let rest = line.strip_prefix(BEFORE_SUM)?;
    let (sum, rest) = rest.split_at_checked(SUM)?;
    Some((sum, rest.strip_prefix(BEFORE_ENTRY)?.strip_suffix(END)?))
}

/// Appends entries to a file, each in one piece.
#[derive(Debug)]
pub struct Appender {
    file: File,
}

impl Appender {
    /// Creates or opens the file. An incomplete last line is ended, so that it does not damage the next one.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        Ok(Self { file })
    }

    /// Appends an entry.
    pub fn append(&mut self, entry: &impl Serialize) -> io::Result<()> {
        self.append_lines(&line_of(entry)?)
    }

    /// Appends lines that [`line_of`] has made.
    pub fn append_lines(&mut self, lines: &[u8]) -> io::Result<()> {
        self.file.write_all(lines)
    }

    /// Waits until all entries are on the disk.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Reads a file to which another process may append at the same time: always whole lines, each once.
#[derive(Debug)]
pub struct Follower<R = File> {
    file: R,
    /// The beginning of an incomplete line.
    rest: Vec<u8>,
}

impl Follower {
    /// Opens a file at its beginning.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self::new(File::open(path)?))
    }
}

impl<R: Read> Follower<R> {
    /// Reads an open file.
    pub fn new(file: R) -> Self {
        Self { file, rest: Vec::new() }
    }

    /// Returns the entries since the last call; `None` for a damaged line.
    pub fn more<T: DeserializeOwned>(&mut self) -> io::Result<Vec<Option<T>>> {
        self.file.read_to_end(&mut self.rest)?;
        let whole = memchr::memrchr(b'\n', &self.rest).map_or(0, |end| end + 1);
        let rest = self.rest.split_off(whole);
        let lines = std::mem::replace(&mut self.rest, rest);
        let lines = lines.split_inclusive(|&byte| byte == b'\n').filter(|line| *line != b"\n");
        Ok(lines.map(entry_of).collect())
    }
}

/// Reads the lines of a file with their line ends. Skips and counts damaged ones.
#[derive(Debug)]
pub struct WholeLines<R = File> {
    lines: BufReader<R>,
    line: Vec<u8>,
    damaged: usize,
    position: u64,
}

impl<R: Read> WholeLines<R> {
    /// Reads an open file.
    pub fn new(file: R) -> Self {
        Self { lines: BufReader::new(file), line: Vec::new(), damaged: 0, position: 0 }
    }

    /// Returns the next undamaged line; `None` at the end. An incomplete last line is ignored.
    pub fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            self.line.clear();
            let length = self.lines.read_until(b'\n', &mut self.line)?;
            if !self.line.ends_with(b"\n") {
                return Ok(None);
            }
            self.position += length as u64;
            if text_of(&self.line).is_some() {
                return Ok(Some(&self.line));
            }
            self.damaged += usize::from(self.line != b"\n");
        }
    }

    /// Returns where the last line ends.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns the number of damaged lines so far.
    pub fn damaged(&self) -> usize {
        self.damaged
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_json() {
        let line = line_of(&"text").unwrap();
        assert_eq!(line, b"{\"crc32\":\"3fdd805e\",\"entry\":\"text\"}\n");
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(value["entry"], "text");
    }

    #[test]
    fn a_torn_line_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let mut first = Appender::open(&path).unwrap();
        first.append(&1).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [whole.as_slice(), &line_of(&2).unwrap()[..9]].concat()).unwrap();
        let mut follower = Follower::open(&path).unwrap();
        assert_eq!(follower.more::<u8>().unwrap(), [Some(1)]);
        let mut second = Appender::open(&path).unwrap();
        second.append(&3).unwrap();
        second.sync().unwrap();
        assert_eq!(follower.more::<u8>().unwrap(), [None, Some(3)]);
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in ".*") {
            prop_assert_eq!(entry_of::<String>(&line_of(&text).unwrap()), Some(text));
        }

        #[test]
        fn a_flipped_bit_is_found(text in ".{0,40}", bit in any::<prop::sample::Index>()) {
            let mut line = line_of(&text).unwrap();
            let bit = bit.index((line.len() - 1) * 8);
            line[bit / 8] ^= 1 << (bit % 8);
            // In the sum, another case of a letter is the same number.
            let found = entry_of::<String>(&line);
            prop_assert!(found.is_none() || found == Some(text));
        }
    }
}
