//! Writes runs to a file.

use std::io::{self, Write};
use std::path::Path;

use md5::{Digest as _, Md5};

use super::super::digest::hexadecimal;
use super::super::folder::{ResultsFolder, is_running, why_unreadable};
use super::super::journal::{Opened, begins_session};
use super::super::journal_file::{journal_path, lines as lines_of};
use super::{FORMAT, FrameLine, PortableError, SEAL};
use crate::jsonl::line_of;

/// The size of a written file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExportSummary {
    /// The number of runs.
    pub runs: u64,
    /// The number of damaged journal lines, which were left out.
    pub damaged: usize,
    /// The number of bytes.
    pub size: u64,
}

/// Writes the runs of these names to `out`.
///
/// # Errors
///
/// [`PortableError`], for instance when one of the runs is still in progress; `path` is the name of `out` in errors.
pub fn write(
    results: &ResultsFolder,
    names: &[String],
    out: &mut dyn Write,
    path: &Path,
) -> Result<ExportSummary, PortableError> {
    let written = |source| PortableError::Io { what: "write", path: path.to_owned(), source };
    let mut sealing = SealingWriter { out, md5: Md5::new(), size: 0 };
    let mut lines = zstd::Encoder::new(&mut sealing, 0).map_err(written)?;
    lines.include_checksum(true).map_err(written)?;
    let frame = |frame: &FrameLine| line_of(frame).map_err(|error| written(error.into()));
    let program = env!("CARGO_PKG_VERSION").to_owned();
    lines.write_all(&frame(&FrameLine::Runs { format: FORMAT, program })?).map_err(written)?;
    let mut damaged = 0;
    for name in names {
        let run = results.path_of(name)?;
        if is_running(&run) {
            return Err(PortableError::Running(name.clone()));
        }
        let journal = journal_path(&run);
        let unreadable = |source| PortableError::Io { what: "read", path: journal.clone(), source };
        if Opened::read(&journal).map_err(unreadable)?.is_none() {
            return Err(why_unreadable(journal).into());
        }
        let (count, more_damaged) = count(&journal).map_err(unreadable)?;
        damaged += more_damaged;
        // The run may have been named by its path.
        let name = run.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        lines.write_all(&frame(&FrameLine::Run { name, lines: count })?).map_err(written)?;
        let mut whole = lines_of(&journal).map_err(unreadable)?;
        // Lines are only ever appended: there are as many as there were.
        for _ in 0..count {
            let line = whole.next_line().map_err(unreadable)?.unwrap_or_default();
            lines.write_all(line).map_err(written)?;
        }
    }
    let runs = names.len() as u64;
    lines.write_all(&frame(&FrameLine::End { runs })?).map_err(written)?;
    lines.finish().map_err(written)?;
    let size = sealing.seal().map_err(written)?;
    Ok(ExportSummary { runs, damaged, size })
}

/// Returns the numbers of whole and of damaged lines.
fn count(journal: &Path) -> io::Result<(u64, usize)> {
    let (mut lines, mut count, mut torn) = (lines_of(journal)?, 0, 0);
    loop {
        let damaged = lines.damaged();
        let Some(line) = lines.next_line()? else { break };
        let starts_session = begins_session(line);
        // The next session repeats the contents of a torn line.
        torn += usize::from(count > 0 && lines.damaged() > damaged && starts_session);
        count += 1;
    }
    Ok((count, lines.damaged() - torn))
}

/// Forwards bytes, and writes a seal after them.
struct SealingWriter<'o> {
    out: &'o mut dyn Write,
    md5: Md5,
    size: u64,
}

impl Write for SealingWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.md5.update(&bytes[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl SealingWriter<'_> {
    fn seal(self) -> io::Result<u64> {
        let digest = hexadecimal(self.md5);
        self.out.write_all(&SEAL)?;
        self.out.write_all(digest.as_bytes())?;
        self.out.flush()?;
        Ok(self.size + super::SEALED)
    }
}
