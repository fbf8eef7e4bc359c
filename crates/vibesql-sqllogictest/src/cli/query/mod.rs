//! Questions as the user asks them: one or many, answers on the screen, in a pager or in a file.

mod complete;
mod error;
mod output;
mod session;
mod shell;

pub(super) use error::{TypedIn, nearest};
pub(super) use session::Session;
pub(super) use shell::shell;
