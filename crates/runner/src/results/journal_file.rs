//! The file of a journal: `journal.jsonl` or, for an old and complete run, the compressed `journal.jsonl.zst`.
//!
//! If both exist, the plain file counts: writers use it, and it is removed only after the compressed one was verified.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::atomic_file;
use crate::jsonl::WholeLines;

const PLAIN: &str = "journal.jsonl";
const COMPRESSED: &str = "journal.jsonl.zst";
/// The index of the plain file, see `results::journal_index`.
pub(super) const INDEX: &str = "journal.index";
/// The incomplete file of a compression.
const UNFINISHED: &str = ".journal.unfinished";

/// Returns the path for writing the journal of a run.
pub fn plain_path(run: &Path) -> PathBuf {
    run.join(PLAIN)
}

/// Returns the path for reading the journal of a run.
pub(super) fn journal_path(run: &Path) -> PathBuf {
    let [plain, compressed] = [PLAIN, COMPRESSED].map(|name| run.join(name));
    if !plain.exists() && compressed.exists() { compressed } else { plain }
}

/// Returns whether a run has a nonempty journal. The plain file is checked first, because it is removed only after the
/// compressed one appears.
pub(super) fn has_journal(run: &Path) -> bool {
    let has_text =
        |name: &&str| std::fs::metadata(run.join(name)).is_ok_and(|file| file.is_file() && file.len() > 0);
    [PLAIN, COMPRESSED].iter().any(has_text)
}

/// The text of a journal.
pub(super) enum JournalText {
    Plain(File),
    Compressed(zstd::Decoder<'static, BufReader<File>>),
}

impl Read for JournalText {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(bytes),
            Self::Compressed(decoder) => decoder.read(bytes),
        }
    }
}

/// Opens a journal, in whichever form it is.
pub(super) fn open(path: &Path) -> io::Result<JournalText> {
    match open_as_named(path) {
        // It has got the other form since it was looked for.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            open_as_named(&other_form(path)).map_err(|_| error)
        }
        opened => opened,
    }
}

/// Returns the whole lines of a journal.
pub(super) fn lines(path: &Path) -> io::Result<WholeLines<JournalText>> {
    Ok(WholeLines::new(open(path)?))
}

/// Reads the first `length` bytes of a journal.
pub(super) fn beginning(path: &Path, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match open(path)? {
        JournalText::Plain(file) => {
            file.take(length).read_to_end(&mut bytes)?;
        }
        // To its end, where the checksum is.
        mut text @ JournalText::Compressed(_) => {
            text.read_to_end(&mut bytes)?;
            bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        }
    }
    Ok(bytes)
}

fn open_as_named(path: &Path) -> io::Result<JournalText> {
    let file = File::open(path)?;
    Ok(if is_compressed(path) {
        JournalText::Compressed(zstd::Decoder::new(file)?)
    } else {
        JournalText::Plain(file)
    })
}

/// Returns whether a journal is not compressed.
pub(super) fn is_plain(path: &Path) -> bool {
    !is_compressed(path)
}

fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "zst")
}

fn other_form(path: &Path) -> PathBuf {
    if is_compressed(path) {
        return path.with_extension("");
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".zst");
    name.into()
}

/// Returns whether the whole journal is readable. Damaged lines are allowed, a damaged compressed file is not.
pub(super) fn is_sound(path: &Path) -> bool {
    match open(path) {
        Ok(JournalText::Plain(_)) => true,
        Ok(mut text @ JournalText::Compressed(_)) => io::copy(&mut text, &mut io::sink()).is_ok(),
        Err(_) => false,
    }
}

/// Creates the plain journal of a run that is being resumed, if only the compressed one exists.
pub(super) fn make_plain(plain: &Path) -> io::Result<()> {
    if plain.exists() || !other_form(plain).exists() {
        return Ok(());
    }
    let unfinished = plain.with_file_name(UNFINISHED);
    io::copy(&mut open(plain)?, &mut File::create(&unfinished)?)?;
    atomic_file::commit(&unfinished, plain, &|| {})
}

/// Returns whether only the compressed journal exists.
pub fn is_only_compressed(run: &Path) -> bool {
    is_compressed(&journal_path(run))
}

/// Returns the uncompressed length of the journal of a run, also if it is compressed; `None` without a journal.
pub fn length(run: &Path) -> Option<u64> {
    /// The most that the header of a frame takes.
    const HEADER: u64 = 18;
    if let Ok(plain) = std::fs::metadata(run.join(PLAIN)) {
        return plain.is_file().then_some(plain.len());
    }
    let mut header = Vec::new();
    File::open(run.join(COMPRESSED)).ok()?.take(HEADER).read_to_end(&mut header).ok()?;
    zstd::zstd_safe::get_frame_content_size(&header).ok()?
}

/// Compresses the journal of a run, which no process may write at the same time. Announces each change on disk.
pub fn compress(run: &Path, step: &dyn Fn()) -> io::Result<()> {
    let [plain, compressed, unfinished] = [PLAIN, COMPRESSED, UNFINISHED].map(|name| run.join(name));
    step();
    let made = write_compressed(&plain, &unfinished);
    if made.is_err() {
        // A leftover is harmless.
        drop(std::fs::remove_file(&unfinished));
    }
    made?;
    atomic_file::commit(&unfinished, &compressed, step)?;
    std::fs::remove_file(&plain)?;
    // An index without its journal is harmless.
    drop(std::fs::remove_file(run.join(INDEX)));
    step();
    atomic_file::sync_folder(run)
}

/// Writes a compressed file, brings it to the disk and reads it back.
fn write_compressed(plain: &Path, compressed: &Path) -> io::Result<()> {
    let mut text = File::open(plain)?;
    let mut encoder = zstd::Encoder::new(File::create(compressed)?, zstd::DEFAULT_COMPRESSION_LEVEL)?;
    encoder.include_checksum(true)?;
    // A text of another length is an error then.
    encoder.set_pledged_src_size(Some(text.metadata()?.len()))?;
    io::copy(&mut text, &mut encoder)?;
    encoder.finish()?;
    let (mut one, mut other) = (File::open(plain)?, zstd::Decoder::new(File::open(compressed)?)?);
    if same(&mut one, &mut other)? {
        Ok(())
    } else {
        Err(io::Error::other("it was read back as another text"))
    }
}
fn same(one: &mut impl Read, other: &mut impl Read) -> io::Result<bool> {
    use std::io::BufRead as _;
    let (mut one, mut other) = (BufReader::new(one), BufReader::new(other));
    loop {
        let (first, second) = (one.fill_buf()?, other.fill_buf()?);
        let length = first.len().min(second.len());
        if length == 0 || first[..length] != second[..length] {
            return Ok(first.is_empty() && second.is_empty());
        }
        one.consume(length);
        other.consume(length);
    }
}
