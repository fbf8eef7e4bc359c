//! Named roles of text on a screen. Whether colours are shown is decided by the stream that is written to.
//!
//! A role is marked by characters that Unicode reserves for uses like this one, and not by the codes of a terminal:
//! [`Screen`] makes codes of the marks, and escapes every control character as one of a file, an engine or a name.

use std::fmt::{self, Write as _};
use std::io;

use anstyle::{AnsiColor, Style};

use super::visible::{is_invisible, line, push_escape};

/// What a piece of text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// All is well.
    Pass,
    /// Something is wrong.
    Fail,
    /// Something is odd.
    Warn,
    /// What was expected and did not come.
    Expected,
    /// What came and was not expected.
    Actual,
    /// The way out.
    Hint,
    /// Beside the point.
    Faint,
    /// The name of a thing.
    Strong,
}

/// The roles in the order of their marks, the first of which is [`FIRST_MARK`].
const ROLES: [Role; 8] =
    [Role::Pass, Role::Fail, Role::Warn, Role::Expected, Role::Actual, Role::Hint, Role::Faint, Role::Strong];
const FIRST_MARK: char = '\u{fdd0}';
/// Ends a role.
const END_MARK: char = '\u{fdef}';

impl Role {
    fn mark(self) -> char {
        char::from_u32(u32::from(FIRST_MARK) + self as u32).unwrap_or(END_MARK)
    }

    fn from_mark(character: char) -> Option<Self> {
        let place = u32::from(character).checked_sub(u32::from(FIRST_MARK))?;
        ROLES.get(usize::try_from(place).ok()?).copied()
    }

    fn style(self) -> Style {
        match self {
            Self::Pass => AnsiColor::Green.on_default().bold(),
            Self::Fail => AnsiColor::Red.on_default().bold(),
            Self::Warn => AnsiColor::Yellow.on_default(),
            Self::Expected => AnsiColor::Red.on_default(),
            Self::Actual => AnsiColor::Green.on_default(),
            Self::Hint => AnsiColor::Cyan.on_default(),
            Self::Faint => Style::new().dimmed(),
            Self::Strong => Style::new().bold(),
        }
    }

    /// Puts one line of text into the role, and escapes it.
    pub(crate) fn paint<T: fmt::Display>(self, text: T) -> Painted<T> {
        Painted { role: self, text }
    }
}

/// Text in a role.
pub(crate) struct Painted<T> {
    role: Role,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{END_MARK}", self.role.mark(), line(&self.text.to_string()))
    }
}

/// Text for a terminal: roles as colours, and everything else escaped but line breaks.
pub(crate) fn coloured(text: &str) -> String {
    rendered(text, |out, role| match role {
        // Writing to a string cannot fail.
        Some(role) => drop(write!(out, "{}", role.style())),
        None => drop(write!(out, "{}", anstyle::Reset)),
    })
}

/// The same without colours, for files.
pub(crate) fn plain(text: &str) -> String {
    rendered(text, |_, _| ())
}

fn rendered(text: &str, switch: impl Fn(&mut String, Option<Role>)) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' | ' '..='~' => out.push(character),
            END_MARK => switch(&mut out, None),
            _ => match Role::from_mark(character) {
                Some(role) => switch(&mut out, Some(role)),
                None if is_invisible(character) => push_escape(&mut out, character),
                None => out.push(character),
            },
        }
    }
    out
}

/// A stream for people. Colours are taken out by the stream inside, where nobody sees them.
pub(crate) struct Screen<W>(pub(crate) W);

impl<W: io::Write> io::Write for Screen<W> {
    /// Takes whole characters: bytes that are not UTF-8 are shown as `\xff`.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for chunk in bytes.utf8_chunks() {
            self.0.write_all(coloured(chunk.valid()).as_bytes())?;
            chunk.invalid().iter().try_for_each(|byte| write!(self.0, "\\x{byte:02x}"))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn each_role_has_a_mark_of_its_own() {
        for role in ROLES {
            assert_eq!(Role::from_mark(role.mark()), Some(role));
            assert_eq!(coloured(&role.paint("x").to_string()), format!("{}x\x1b[0m", role.style()));
        }
        assert_eq!(Role::from_mark(END_MARK), None);
    }

    #[test]
    fn a_screen_obeys_the_program_only() {
        let mut screen = Screen(Vec::new());
        let hostile = "a\x1b[31mb\u{fdd1}\r\tc";
        writeln!(screen, "{} {}", Role::Strong.paint(format_args!("{hostile}\n")), "\x1b[2J\t\u{9b}")
            .unwrap();
        screen.write_all(b"\xff\xc3(\n").unwrap();
        assert_eq!(
            String::from_utf8(screen.0).unwrap(),
            "\x1b[1ma\\x1b[31mb\\u{fdd1}\\r\\tc\\n\x1b[0m \\x1b[2J\\t\\u{9b}\n\\xff\\xc3(\n"
        );
        assert_eq!(plain(&format!("{}\x1b\n", Role::Pass.paint("ok"))), "ok\\x1b\n");
    }
}
