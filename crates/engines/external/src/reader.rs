//! The bytes that a driver writes, as messages.
//!
//! Whether and where a message ends depends on the bytes alone, and not on how they arrive.

use std::ops::Range;

/// The most bytes of a message. The values of a message of this size take a multiple of it in memory.
pub const MESSAGE_LIMIT: usize = 64 << 20;

/// The deepest nesting that can be a message.
const NESTING_LIMIT: usize = 32;

/// The least space for the next bytes.
const SPACE: usize = 1 << 16;

/// Cuts bytes into messages.
#[derive(Debug)]
pub struct MessageReader {
    /// What was read, and space behind it.
    buffer: Vec<u8>,
    /// The bytes that belong to no message yet.
    unread: Range<usize>,
    /// The end of the bytes that have no end of a message in them.
    searched: usize,
    framing: Framing,
    limit: usize,
}

#[derive(Debug)]
enum Framing {
    /// A message ends with the object that it is: in version 1, and while the version is unknown.
    Objects(ObjectScanner),
    /// A message is a line: in version 2.
    Lines,
}

impl MessageReader {
    /// Returns a reader of messages of a driver whose version is unknown.
    pub fn new(limit: usize) -> Self {
        let framing = Framing::Objects(ObjectScanner::default());
        Self { buffer: Vec::new(), unread: 0..0, searched: 0, framing, limit }
    }

    /// Takes each further message from a line of its own.
    pub fn expect_lines(&mut self) {
        self.framing = Framing::Lines;
    }

    /// Returns space for the next bytes.
    pub fn space(&mut self) -> &mut [u8] {
        if self.unread.is_empty() {
            (self.unread, self.searched) = (0..0, 0);
        }
        if self.buffer.len() - self.unread.end < SPACE {
            let Range { start, end } = self.unread;
            self.buffer.copy_within(start..end, 0);
            (self.unread, self.searched) = (0..end - start, self.searched - start);
            let least = self.unread.end + SPACE;
            if self.buffer.len() < least {
                // Twice as much each time, so that a long message is not copied again and again.
                self.buffer.resize(least.max(2 * self.buffer.len()), 0);
            }
        }
        &mut self.buffer[self.unread.end..]
    }

    /// Takes the first bytes of the space as read.
    pub fn advance(&mut self, bytes: usize) {
        self.unread.end = self.buffer.len().min(self.unread.end + bytes);
    }

    /// Returns whether nothing but white space is left.
    pub fn is_blank(&self) -> bool {
        self.buffer[self.unread.clone()].trim_ascii().is_empty()
    }

    /// Finds the next message, for [`Self::message`]; `None` if its end has not been read.
    ///
    /// # Errors
    ///
    /// What the driver wrote instead of a message.
    pub fn find(&mut self) -> Result<Option<Range<usize>>, String> {
        let blank =
            self.buffer[self.unread.clone()].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.unread.start += blank;
        let start = self.unread.start;
        self.searched = self.searched.max(start);
        match self.buffer[self.unread.clone()].first() {
            None => return Ok(None),
            Some(b'{') => {}
            Some(_) => return Err(self.not_json(&"expected `{`")),
        }
        let fresh = &self.buffer[self.searched..self.unread.end];
        let end = match &mut self.framing {
            Framing::Objects(scanner) => match scanner.end(fresh) {
                Ok(end) => end,
                Err(what) => return Err(self.not_json(&what)),
            },
            Framing::Lines => fresh.iter().position(|byte| *byte == b'\n').map(|at| at + 1),
        };
        let end = end.map(|end| self.searched + end);
        self.searched = end.unwrap_or(self.unread.end);
        if self.searched - start > self.limit {
            return Err(format!("it wrote a message of more than {} bytes", self.limit));
        }
        Ok(end.map(|end| {
            self.unread.start = end;
            start..end
        }))
    }

    /// Returns the bytes of a found message, until the next ones are read.
    pub fn message(&self, found: Range<usize>) -> &[u8] {
        self.buffer.get(found).unwrap_or_default()
    }

    fn not_json(&self, why: &dyn std::fmt::Display) -> String {
        not_json(&self.buffer[self.unread.clone()], why)
    }
}

/// Describes bytes that are not JSON by their start.
pub fn not_json(found: &[u8], why: &dyn std::fmt::Display) -> String {
    let start = String::from_utf8_lossy(&found[..found.len().min(100)]);
    format!("it wrote something other than JSON ({why}): {}", start.trim_ascii())
}

/// Finds the end of an object, without reading its start again for each part that arrives.
#[derive(Debug, Default)]
struct ObjectScanner {
    /// The brackets that close what is open.
    closing: Vec<u8>,
    text: TextState,
}

#[derive(Debug, Default, Clone, Copy)]
enum TextState {
    #[default]
    Outside,
    Inside,
    AfterBackslash,
}

impl ObjectScanner {
    /// Goes on with further bytes, and returns the number of those up to the end of the object.
    fn end(&mut self, bytes: &[u8]) -> Result<Option<usize>, &'static str> {
        for (at, byte) in bytes.iter().enumerate() {
            self.text = match (self.text, byte) {
                (TextState::Inside, b'\\') => TextState::AfterBackslash,
                (TextState::Inside, b'"') => TextState::Outside,
                (TextState::Inside | TextState::AfterBackslash, _) | (TextState::Outside, b'"') => {
                    TextState::Inside
                }
                (TextState::Outside, _) => TextState::Outside,
            };
            if !matches!(self.text, TextState::Outside) {
                continue;
            }
            match byte {
                b'{' => self.closing.push(b'}'),
                b'[' => self.closing.push(b']'),
                b'}' | b']' if self.closing.pop() != Some(*byte) => return Err("brackets do not match"),
                _ => {}
            }
            if self.closing.len() > NESTING_LIMIT {
                return Err("nested too deeply");
            }
            if self.closing.is_empty() {
                return Ok(Some(at + 1));
            }
        }
        Ok(None)
    }
}
