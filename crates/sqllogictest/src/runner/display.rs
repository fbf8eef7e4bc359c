//! Errors as text. Programs and people know these texts from the original, so they are the same, colours included.

use std::fmt::{self, Display, Formatter};

use similar::{ChangeTag, TextDiff};

use super::error::{TestError, TestErrorKind};
use crate::parser::Location;

/// A [`TestErrorKind`] for output.
pub struct TestErrorKindDisplay<'a> {
    pub(super) kind: &'a TestErrorKind,
    pub(super) colorize: bool,
}

/// A [`TestError`] for output.
pub struct TestErrorDisplay<'a> {
    pub(super) kind: TestErrorKindDisplay<'a>,
    pub(super) location: &'a Location,
}

/// A [`ParallelTestError`](super::ParallelTestError) for output.
pub struct ParallelTestErrorDisplay<'a> {
    pub(super) errors: &'a [TestError],
    pub(super) colorize: bool,
}

impl Display for ParallelTestErrorDisplay<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("parallel test failed\nCaused by:")?;
        self.errors.iter().try_for_each(|error| writeln!(f, "{}", error.display(self.colorize)))
    }
}

impl Display for TestErrorDisplay<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\nat {}", self.kind, self.location)
    }
}

impl Display for TestErrorKindDisplay<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let paint = Paint { colorize: self.colorize };
        match self.kind {
            TestErrorKind::ParseError(kind) => write!(f, "parse error: {kind}"),
            TestErrorKind::Ok { sql, kind } => {
                write!(f, "{kind} is expected to fail, but actually succeed:\n[SQL] {sql}")
            }
            TestErrorKind::Fail { sql, err, kind } => write!(f, "{kind} failed: {err}\n[SQL] {sql}"),
            TestErrorKind::SystemFail { command, err } => {
                write!(f, "system command failed: {err}\n[CMD] {command}")
            }
            TestErrorKind::SystemStdoutMismatch { command, expected_stdout, actual_stdout } => {
                let title = "[Diff] (-expected|+actual)";
                write!(f, "system command stdout mismatch:\n[command] {command}\n{title}")?;
                paint.diff_of_lines(f, expected_stdout, actual_stdout)
            }
            TestErrorKind::ErrorMismatch { sql, err, expected_err, kind, actual_sqlstate } => {
                let (expected, actual) = (paint.expected(expected_err), paint.actual(err));
                write!(f, "{kind} is expected to fail with error:\n\t{expected}\nbut got error:\n\t")?;
                actual_sqlstate.iter().try_for_each(|code| write!(f, "(sqlstate {code}) "))?;
                write!(f, "{actual}\n[SQL] {sql}")
            }
            TestErrorKind::StatementResultMismatch { sql, expected, actual } => {
                let intended = format_args!("statement is expected to affect {expected} rows");
                write!(f, "{intended}, but actually {actual}\n[SQL] {sql}")
            }
            TestErrorKind::QueryResultMismatch { sql, expected, actual } => {
                let (minus, plus) = (paint.missing("-expected"), paint.extra("+actual"));
                write!(f, "query result mismatch:\n[SQL] {sql}\n[Diff] ({minus}|{plus})")?;
                paint.diff_of_lines(f, expected, actual)
            }
            TestErrorKind::QueryResultColumnsMismatch { sql, expected, actual } => {
                write!(f, "query columns mismatch:\n[SQL] {sql}")?;
                paint.diff_of_letters(f, expected, actual)
            }
            TestErrorKind::LetFail { sql, err } => write!(f, "let failed: {err}\n[SQL] {sql}"),
        }
    }
}

/// Text in a colour, if output has colours.
struct Paint {
    colorize: bool,
}

const RED: &str = "\x1b[91m";
const GREEN: &str = "\x1b[92m";
const RESET: &str = "\x1b[39m";

impl Paint {
    fn coloured(&self, colour: &'static str, text: impl Display) -> impl Display {
        let (start, end) = if self.colorize { (colour, RESET) } else { ("", "") };
        format!("{start}{text}{end}")
    }

    // An expected text is green beside the text that came instead, and red in a diff, where it is missing.
    fn expected(&self, text: impl Display) -> impl Display {
        self.coloured(GREEN, text)
    }

    fn actual(&self, text: impl Display) -> impl Display {
        self.coloured(RED, text)
    }

    fn missing(&self, text: impl Display) -> impl Display {
        self.coloured(RED, text)
    }

    fn extra(&self, text: impl Display) -> impl Display {
        self.coloured(GREEN, text)
    }

    fn diff_of_lines(&self, f: &mut Formatter<'_>, expected: &str, actual: &str) -> fmt::Result {
        let expected: Vec<_> = expected.lines().collect();
        let actual: Vec<_> = actual.lines().collect();
        let diff = TextDiff::from_slices(&expected, &actual);
        for change in diff.iter_all_changes() {
            let line = change.value();
            match change.tag() {
                ChangeTag::Equal => write!(f, "\n    {line}")?,
                ChangeTag::Delete => write!(f, "\n{}", self.missing(format_args!("-   {line}")))?,
                ChangeTag::Insert => write!(f, "\n{}", self.extra(format_args!("+   {line}")))?,
            }
        }
        Ok(())
    }

    fn diff_of_letters(&self, f: &mut Formatter<'_>, expected: &str, actual: &str) -> fmt::Result {
        let diff = TextDiff::from_chars(expected, actual);
        f.write_str("\n[Expected] ")?;
        for change in diff.iter_all_changes() {
            match change.tag() {
                ChangeTag::Equal => f.write_str(change.value())?,
                ChangeTag::Delete => write!(f, "[{}]", self.missing(change.value()))?,
                ChangeTag::Insert => {}
            }
        }
        f.write_str("\n[Actual  ] ")?;
        for change in diff.iter_all_changes() {
            match change.tag() {
                ChangeTag::Equal => f.write_str(change.value())?,
                ChangeTag::Insert => write!(f, "[{}]", self.extra(change.value()))?,
                ChangeTag::Delete => {}
            }
        }
        Ok(())
    }
}
