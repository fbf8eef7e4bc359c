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
/// The name that can be followed by a line number: `-:4` would be an option.
const STDIN_WITH_LINE: &str = "/dev/stdin";
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
            Ok(WorkItem { file: FileId::unknown(&below), below, shown, source: origin, left_out: Vec::new() })
        }
        Err(error) => Err(CliError::io("read", &shown, &error)),
    })
}

/// Whether the file came from standard input, which can be read only once.
pub(super) fn is_stdin(item: &WorkItem) -> bool {
    matches!(item.source, FileSource::Stream(_)) && item.shown == STDIN
}

/// Returns the word to type for the file with the name `shown` in messages.
pub(super) fn typed(shown: &str) -> &str {
    if shown == STDIN { STDIN_WITH_LINE } else { shown }
}

fn is_stream(word: &str, path: &Path) -> bool {
    let is_descriptor = DESCRIPTORS.iter().any(|folder| word.starts_with(folder));
    path.metadata().is_ok_and(|found| found.file_type().is_fifo() || (is_descriptor && !found.is_dir()))
}

fn all_of(mut stream: impl Read) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).map(|_| text)
}
