//! Takes over the standard streams of a child process before an engine runs.
//!
//! A child is started with the pipes to its parent as its standard input and output, because that needs no `unsafe` in
//! the parent. The child moves them to descriptors that no other program inherits, and replaces them by harmless files.
//! So engine output cannot be mistaken for messages, and processes started by an engine cannot keep a pipe open.

use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, FromRawFd as _, OwnedFd, RawFd};

use rustix::io::{dup2, fcntl_dupfd_cloexec};

const STDIN: RawFd = 0;
const STDOUT: RawFd = 1;
/// The lowest descriptor that is not a standard stream.
const FIRST_FREE: RawFd = 3;

/// Returns standard input, and replaces it by an empty file.
pub fn take_stdin() -> io::Result<File> {
    let taken = fcntl_dupfd_cloexec(io::stdin(), FIRST_FREE)?;
    replace(STDIN, &File::open("/dev/null")?)?;
    Ok(taken.into())
}

/// Returns standard output. Later output goes to `instead`, or is discarded.
pub fn take_stdout(instead: Option<&dyn AsFd>) -> io::Result<File> {
    let taken = fcntl_dupfd_cloexec(io::stdout(), FIRST_FREE)?;
    match instead {
        Some(instead) => replace(STDOUT, instead)?,
        None => replace(STDOUT, &File::options().write(true).open("/dev/null")?)?,
    }
    Ok(taken.into())
}

#[expect(unsafe_code, reason = "a standard stream has no owner that could be borrowed mutably")]
fn replace(stream: RawFd, with: &dyn AsFd) -> io::Result<()> {
    // SAFETY: the standard library opens the standard streams at the start of the process if they are not open, and
    // nothing here closes them: the value is never dropped, and `dup2` puts another file behind the same number.
    let mut stream = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(stream) });
    Ok(dup2(with.as_fd(), &mut stream)?)
}
