//! SQL and expected lines, as they stand in the source.

use std::borrow::Cow;

use super::lines::lines_of;

/// The SQL of a record: lines of the source, from which comment lines are still to be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sql<'s> {
    pub(super) raw: &'s [u8],
    /// Whether the source holds the text in one piece.
    pub(super) plain: bool,
    pub(super) comments: Comments,
}

/// The meaning of lines with `#` in column 1 within SQL or a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comments {
    /// They are removed.
    Removed,
    /// They are text.
    Kept,
}

impl<'s> Sql<'s> {
    /// Returns the text as an engine gets it: lines joined by LF, without comment lines and CRs of line ends. `buffer`
    /// is used only when the source does not hold the text in one piece.
    pub fn text<'a>(&self, buffer: &'a mut Vec<u8>) -> &'a [u8]
    where
        's: 'a,
    {
        if self.plain {
            return self.raw;
        }
        buffer.clear();
        for line in self.lines() {
            buffer.extend_from_slice(line);
            buffer.push(b'\n');
        }
        buffer.pop();
        buffer
    }

    /// Returns the text as an engine gets it, as [`Self::text`] does.
    pub fn joined(&self) -> Cow<'s, [u8]> {
        if self.plain {
            return Cow::Borrowed(self.raw);
        }
        let mut text = Vec::with_capacity(self.raw.len());
        self.text(&mut text);
        Cow::Owned(text)
    }

    /// Returns the lines without their ends.
    pub fn lines(&self) -> impl Iterator<Item = &'s [u8]> + use<'s> {
        Block { raw: self.raw, comments: self.comments }.lines()
    }

    /// Returns whether there is no SQL at all.
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty() || self.lines().next().is_none()
    }
}

/// Value lines of an expected result, as they stand in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'s> {
    pub(super) raw: &'s [u8],
    pub(super) comments: Comments,
}

impl<'s> Block<'s> {
    /// Returns the values, one for each line.
    pub fn lines(&self) -> impl Iterator<Item = &'s [u8]> + use<'s> {
        let keeps_comments = self.comments == Comments::Kept;
        lines_of(self.raw).filter(move |line| keeps_comments || line.first() != Some(&b'#'))
    }

    /// Returns whether the block lists the values in `text`, each of which has an LF and no other.
    pub(crate) fn lists(&self, text: &[u8]) -> bool {
        // In one piece, unless something could be a comment or the CR of a line end.
        if self.raw == text && memchr::memchr2(b'#', b'\r', text).is_none() {
            return true;
        }
        let mut rest = text;
        for line in self.lines() {
            let behind = rest.strip_prefix(line).and_then(|rest| rest.strip_prefix(b"\n"));
            let Some(behind) = behind else { return false };
            rest = behind;
        }
        rest.is_empty()
    }

    /// Appends the values, each with an LF, to a text.
    pub(crate) fn append_to(&self, text: &mut Vec<u8>) {
        for line in self.lines() {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
    }

    /// Returns the number of lines and of bytes, or more.
    pub(crate) fn most_lines(&self) -> u64 {
        self.raw.len() as u64
    }

    /// Returns the hash on the first line, if it is a hash line.
    pub fn leading_hash(&self) -> Option<HashLine> {
        if self.raw.len() < HashLine::SHORTEST {
            return None;
        }
        self.lines().next().and_then(HashLine::parse)
    }
}

/// `N values hashing to H`: the expectation for a result too long to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashLine {
    /// The number of values (not rows).
    pub values: u64,
    /// The MD5 over every value followed by one LF.
    pub digest: [u8; 16],
}

impl HashLine {
    /// The length of the shortest hash line, with one digit.
    const SHORTEST: usize = Self::MIDDLE.len() + 33;

    const MIDDLE: &[u8] = b" values hashing to ";

    /// Reads a line of exactly this shape: digits without a leading zero, lower-case hex.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let digits = line.iter().position(|byte| !byte.is_ascii_digit())?;
        let hex = line[digits..].strip_prefix(Self::MIDDLE)?;
        if digits == 0 || hex.len() != 32 || (line[0] == b'0' && digits > 1) {
            return None;
        }
        let values = std::str::from_utf8(&line[..digits]).ok()?.parse().ok()?;
        let mut digest = [0; 16];
        let mut all = 0;
        let (pairs, _) = hex.as_chunks::<2>();
        for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
            let (high, low) = (HEX_DIGITS[usize::from(*high)], HEX_DIGITS[usize::from(*low)]);
            all |= high | low;
            *byte = high << 4 | low;
        }
        (all < 16).then_some(Self { values, digest })
    }
}

/// The values of the lower-case hexadecimal digits; 255 for any other byte.
static HEX_DIGITS: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    values
};

impl std::fmt::Display for HashLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} values hashing to ", self.values)?;
        self.digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
