//! Standard input and pipes as test files. They can be read only once, so this process passes their text to workers.

use std::fs::File;
use std::io::{Read, stdin};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::Arc;

use md5::{Digest as _, Md5};

use super::error::CliError;
use slt_core::location::{FileId, path_text};
use slt_runner::parallel::{FileSource, WorkItem};

/// The name of standard input in messages.
const STDIN: &str = "<stdin>";
/// The names of standard input on the command line.
const STDIN_WORDS: &[&str] = &["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];
/// The folders of the open files of this process. Workers have other open files.
const DESCRIPTORS: &[&str] = &["/dev/fd/", "/proc/self/fd/"];

/// Reads standard input, a pipe (also of `<(…)`) or a FIFO; `None` for other words.
///
/// The identity of the file is derived from its text, so that results of different texts are not compared.
pub(super) fn read(word: &str) -> Option<Result<WorkItem, CliError>> {
    let path = path_text::typed(word);
    let (name, shown, text) = if STDIN_WORDS.contains(&word) {
        ("stdin".to_owned(), STDIN.to_owned(), all_of(stdin().lock()))
    } else if is_stream(word, &path) {
        let name = path.file_name().map_or_else(String::new, |name| path_text::of(Path::new(name)));
        (name, path_text::of(&path), File::open(&path).and_then(all_of))
    } else {
        return None;
    };
    Some(match text {
        Ok(text) => {
            let digest: String =
                Md5::digest(&text).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            let origin = FileSource::Stream(Arc::from(text));
            let below = format!("{name}-{digest}");
            Ok(WorkItem {
                file: FileId::unknown(&below),
                below,
                shown,
                source: origin,
                left_out: Vec::new(),
                dialect: None,
            })
        }
        Err(error) => Err(CliError::io("read", &shown, &error)),
    })
}

/// Whether the file came from standard input, which can be read only once.
pub(super) fn is_stdin(item: &WorkItem) -> bool {
    matches!(item.source, FileSource::Stream(_)) && item.shown == STDIN
}

/// Returns whether the file with the name `shown` in messages can be read only once, so that no command can read it again.
pub(super) fn is_read_once(shown: &str) -> bool {
    shown == STDIN
        || is_descriptor(shown)
        || path_text::typed(shown).metadata().is_ok_and(|found| found.file_type().is_fifo())
}

fn is_descriptor(word: &str) -> bool {
    DESCRIPTORS.iter().any(|folder| word.starts_with(folder))
}

fn is_stream(word: &str, path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.file_type().is_fifo() || (is_descriptor(word) && !found.is_dir()))
}

fn all_of(mut stream: impl Read) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).map(|_| text)
}
