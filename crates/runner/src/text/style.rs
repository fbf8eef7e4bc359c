//! Roles of text on a screen. The output stream decides about colours.
//!
//! Painted text is between marks: noncharacters of Unicode, reserved for internal use. [`rendered`] turns them into
//! colours, and escapes all other control characters, so that text of a file or an engine cannot control a terminal.
//! Text that contains the marks can only change colours.

use std::fmt;

use anstyle::{AnsiColor, Style};

use super::visible::{is_unseen, push_escape};

/// The mark of the first role; those of the others follow.
const FIRST: char = '\u{fdd0}';
/// The mark at the end of painted text.
const END: char = '\u{fdef}';

/// The role of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Success.
    Pass,
    /// Failure.
    Fail,
    /// A warning.
    Warn,
    /// Expected, but missing.
    Expected,
    /// Present, but not expected.
    Actual,
    /// A hint.
    Hint,
    /// Secondary text.
    Faint,
    /// A name.
    Strong,
}

impl Role {
    const ALL: [Self; 8] = [
        Self::Pass,
        Self::Fail,
        Self::Warn,
        Self::Expected,
        Self::Actual,
        Self::Hint,
        Self::Faint,
        Self::Strong,
    ];

    fn mark(self) -> char {
        char::from_u32(u32::from(FIRST) + self as u32).unwrap_or(END)
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

    /// Puts text into the role.
    pub fn paint<T: fmt::Display>(self, text: T) -> Painted<T> {
        Painted { role: self, text }
    }
}

/// Text in a role.
pub struct Painted<T> {
    role: Role,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.role.mark())?;
        self.text.fmt(f)?;
        write!(f, "{END}")
    }
}

/// Returns text for a terminal: line ends, tabs and colours, with all other control characters escaped. Invalid UTF-8
/// is shown as `\xff`.
pub fn rendered(text: &[u8]) -> String {
    render(text, |out, style| out.push_str(&style.map_or_else(RESET, |style| style.to_string())))
}

/// Returns the same without colours, for files.
pub fn plain(text: &str) -> String {
    render(text.as_bytes(), |_, _| {})
}

const RESET: fn() -> String = || anstyle::Reset.to_string();

fn render(text: &[u8], mut paint: impl FnMut(&mut String, Option<Style>)) -> String {
    let mut out = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            let role = Role::ALL.into_iter().find(|role| role.mark() == character);
            match (role, character) {
                (Some(role), _) => paint(&mut out, Some(role.style())),
                (None, END) => paint(&mut out, None),
                (None, '\n' | '\t') => out.push(character),
                _ if is_unseen(character) => push_escape(&mut out, character),
                _ => out.push(character),
            }
        }
        out += &slt_core::location::text_of(chunk.invalid());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_roles_become_colours() {
        let text = format!("{} \x1b[31mSQL\u{202e}\n", Role::Fail.paint("FAIL\x1b"));
        let shown = rendered(text.as_bytes());
        assert_eq!(shown, "\x1b[1m\x1b[31mFAIL\\x1b\x1b[0m \\x1b[31mSQL\\u{202e}\n");
        assert_eq!(plain(&text), "FAIL\\x1b \\x1b[31mSQL\\u{202e}\n");
        assert_eq!(rendered(b"a\xffb"), "a\\xffb");
    }
}
