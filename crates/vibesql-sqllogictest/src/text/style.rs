//! Named roles of text on a screen. Whether colours are shown is decided by the stream that is written to.

use std::fmt;

use anstyle::{AnsiColor, Style};

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

impl Role {
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
        let style = self.role.style();
        write!(f, "{style}")?;
        self.text.fmt(f)?;
        write!(f, "{style:#}")
    }
}
