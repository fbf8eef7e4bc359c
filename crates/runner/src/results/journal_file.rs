//! The file that a journal is in: `journal.jsonl`, and when the run is old and complete `journal.jsonl.zst`, the same
//! compressed. Where both are there, the first one counts: whoever writes a journal writes that one, and it is removed
//! only when the other one has been read back.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::atomic_file;
use crate::jsonl::WholeLines;

const PLAIN: &str = "journal.jsonl";
const COMPRESSED: &str = "journal.jsonl.zst";
/// What is not whole yet.
const UNFINISHED: &str = ".journal.unfinished";

/// Where the journal of a run is written.
pub fn plain_path(run: &Path) -> PathBuf {
    run.join(PLAIN)
}

/// Where the journal of a run is read.
pub(super) fn journal_path(run: &Path) -> PathBuf {
    let [plain, compressed] = [PLAIN, COMPRESSED].map(|name| run.join(name));
    if !plain.exists() && compressed.exists() { compressed } else { plain }
}

/// Whether a run has a journal with something in it. In this order: the compressed one is there before the other one goes.
pub(super) fn has_journal(run: &Path) -> bool {
    let has_text =
        |name: &&str| std::fs::metadata(run.join(name)).is_ok_and(|file| file.is_file() && file.len() > 0);
    [PLAIN, COMPRESSED].iter().any(has_text)
}

/// The text of a journal.
pub(super) enum Text {
    Plain(File),
    Compressed(zstd::Decoder<'static, BufReader<File>>),
}

impl Read for Text {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(bytes),
            Self::Compressed(decoder) => decoder.read(bytes),
        }
    }
}

/// Opens a journal, in whichever form it is.
pub(super) fn open(path: &Path) -> io::Result<Text> {
    match open_as_named(path) {
        // It has got the other form since it was looked for.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            open_as_named(&other_form(path)).map_err(|_| error)
        }
        opened => opened,
    }
}

/// The whole lines of a journal.
pub(super) fn lines(path: &Path) -> io::Result<WholeLines<Text>> {
    Ok(WholeLines::of(open(path)?))
}

/// What a journal had when it was so long.
pub(super) fn beginning(path: &Path, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match open(path)? {
        Text::Plain(file) => {
            file.take(length).read_to_end(&mut bytes)?;
        }
        // To its end, where the checksum is.
        mut text @ Text::Compressed(_) => {
            text.read_to_end(&mut bytes)?;
            bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        }
    }
    Ok(bytes)
}

fn open_as_named(path: &Path) -> io::Result<Text> {
    let file = File::open(path)?;
    Ok(if is_compressed(path) { Text::Compressed(zstd::Decoder::new(file)?) } else { Text::Plain(file) })
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

/// Whether all of a journal can be read. Damage to lines is no reason why not, but to a compressed file is.
pub(super) fn is_sound(path: &Path) -> bool {
    match open(path) {
        Ok(Text::Plain(_)) => true,
        Ok(mut text @ Text::Compressed(_)) => io::copy(&mut text, &mut io::sink()).is_ok(),
        Err(_) => false,
    }
}

/// Makes sure that the journal that is written is there, for a run that is taken up again.
pub(super) fn make_plain(plain: &Path) -> io::Result<()> {
    if plain.exists() || !other_form(plain).exists() {
        return Ok(());
    }
    let unfinished = plain.with_file_name(UNFINISHED);
    io::copy(&mut open(plain)?, &mut File::create(&unfinished)?)?;
    atomic_file::commit(&unfinished, plain, &|| {})
}

/// Whether the journal of a run is there in its compressed form alone.
pub fn is_only_compressed(run: &Path) -> bool {
    is_compressed(&journal_path(run))
}

/// The length of the journal of a run when it is not compressed; nothing if there is none.
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

/// Compresses the journal of a run, which nobody may write meanwhile. Each change of the disk is announced.
pub fn compress(run: &Path, step: &dyn Fn()) -> io::Result<()> {
    let [plain, compressed, unfinished] = [PLAIN, COMPRESSED, UNFINISHED].map(|name| run.join(name));
    step();
    let made = write_compressed(&plain, &unfinished);
    if made.is_err() {
        // Of no use to anybody.
        drop(std::fs::remove_file(&unfinished));
    }
    made?;
    atomic_file::commit(&unfinished, &compressed, step)?;
    std::fs::remove_file(&plain)?;
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
